//! Carries out the request of an authenticated caller: at once, or later as a task.

use std::time::Duration;

use http::Method;

use super::clock::{advance_to, run_due_effects};
use super::dispatch::dispatch;
use super::faults::take;
use super::update;
use crate::faults::FaultKind;
use crate::inventory::action::Action;
use crate::inventory::resource::Resource;
use crate::protocol::message::{Message, TaskEvent};
use crate::protocol::profile::Profile;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::protocol::uris;
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;
use crate::state::journal::schema;
use crate::state::schedule::Effect;
use crate::state::tasks::{Operation, Plan};

/// The percentages at which a task publishes its progress.
const PUBLISHED_PERCENTAGES: [u32; 3] = [25, 50, 75];

/// The time to create or delete a volume.
const VOLUME_TIME: Duration = Duration::from_secs(4);

/// Carries out a request. An invalid request is rejected at once, even if it would become a task.
pub(super) fn carry_out(
    state: &mut State,
    request: &Request<'_>,
    route: &Route,
    caller: Caller,
    now: Duration,
) -> Response {
    let task_fault = |kind: &FaultKind| match kind {
        FaultKind::Task(duration) => Some((*duration, Plan::Task)),
        FaultKind::FailingTask(duration) => Some((*duration, Plan::Fails)),
        FaultKind::CriticalTask(duration) => Some((*duration, Plan::EndsCritically)),
        FaultKind::Job(duration) => Some((*duration, Plan::Job)),
        _ => None,
    };
    let duration = task_duration(state, request, route);
    let may_be_delayed = !request.is_read() && route.supports_tasks() && state.faults.has(task_fault);
    if duration.is_some() || may_be_delayed {
        let trial = dispatch(&mut state.clone(), request, route, Some(caller), now);
        if !trial.status.is_success() {
            return trial;
        }
        if !state.tasks.can_start(request.payload.bytes().len()) {
            return Response::busy();
        }
        let plan = if state.profile == Profile::Slots { Plan::Job } else { Plan::Task };
        let task = take(state, request, task_fault).or(duration.map(|duration| (duration, plan)));
        if let Some((duration, plan)) = task {
            return start_task(state, request, route, caller, duration, plan, now);
        }
    }
    let response = dispatch(state, request, route, Some(caller), now);
    // An action without delay takes effect before the response.
    run_due_effects(state, now);
    response
}

/// The duration of a request that is always a task.
fn task_duration(state: &State, request: &Request<'_>, route: &Route) -> Option<Duration> {
    let is_of_volume = |resource: &Resource| match schema(resource) {
        "VolumeCollection" => request.method == Method::POST,
        "Volume" => request.method == Method::DELETE,
        _ => false,
    };
    match route {
        Route::Resource(resource) if !state.is_mockup && is_of_volume(resource) => Some(VOLUME_TIME),
        _ if route.is_update() => Some(state.update_time),
        Route::Action { name, .. } => Action::from_name(name)?.duration,
        _ => None,
    }
}

/// Starts a task that carries out a request after `duration`. An update restarts the service afterwards.
fn start_task(
    state: &mut State,
    request: &Request<'_>,
    route: &Route,
    caller: Caller,
    duration: Duration,
    plan: Plan,
    now: Duration,
) -> Response {
    let is_carried_out = matches!(plan, Plan::Task | Plan::Job);
    let restarts = route.is_update() && is_carried_out && !update::waits_for_reset(request);
    let restart = if restarts { state.restart_time } else { Duration::ZERO };
    let total = duration + restart;
    let operation = Operation { request: request.to_owned(), caller, duration: total, plan };
    let id = state.tasks.start(operation, now);
    if !restart.is_zero() {
        state.schedule.add(now + duration, Effect::Restart { duration: restart, task: Some(id) });
    }
    for percent in PUBLISHED_PERCENTAGES {
        state.schedule.add(now + total * percent / 100, Effect::PublishProgress(id, percent));
    }
    state.schedule.add(now + total, Effect::EndTask(id));
    state.publish(Message::new(TaskEvent::TaskStarted, [&id.to_string()]), &uris::task(id));
    advance_to(state, now);
    state.tasks.accepted(id, now, state.profile)
}
