//! Advances the time of the service: scheduled effects take place, and sessions, tasks and lockouts expire.

use std::time::Duration;

use http::StatusCode;

use super::dispatch::dispatch;
use crate::protocol::message::{Base, Message, TaskEvent};
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::protocol::uris;
use crate::routing::Route;
use crate::state::State;
use crate::state::schedule::Effect;
use crate::state::tasks::{Operation, Plan};

/// Advances the time to `now`.
pub(crate) fn advance_to(state: &mut State, now: Duration) {
    run_due_effects(state, now);
    state.tasks.expire(now);
    state.accounts.expire(now);
    let expired = state.sessions.expire(now);
    state.publish_session_ends(&expired);
}

/// Carries out the scheduled effects that are due at `now`.
pub(super) fn run_due_effects(state: &mut State, now: Duration) {
    while let Some((at, effect)) = state.schedule.pop_due(now) {
        state.now = state.now.max(at);
        match effect {
            Effect::SetPower { path, state: power_state, boots } => {
                state.set_power_state(&path, power_state, boots);
            }
            Effect::EndTask(id) => end_task(state, id, at),
            Effect::PublishProgress(id, percent) => publish_progress(state, id, percent),
            Effect::Restart { duration, task } if state.is_restart_valid(task) => state.restart(at, duration),
            Effect::Restart { .. } => {}
        }
    }
    state.now = state.now.max(now);
}

/// Publishes the progress of a task if it is running.
fn publish_progress(state: &mut State, id: u64, percent: u32) {
    if state.tasks.running(id).is_some() {
        let arguments = [&*id.to_string(), &*percent.to_string()];
        state.publish(Message::new(TaskEvent::TaskProgressChanged, arguments), &uris::task(id));
    }
}

/// Carries out the operation of a task if it is running.
fn end_task(state: &mut State, id: u64, at: Duration) {
    let Some(Operation { request, caller, plan, .. }) = state.tasks.running(id).cloned() else { return };
    if plan == Plan::EndsCritically {
        let message = state.tasks.end_critically(id, at, state.profile);
        return state.publish(message, &uris::task(id));
    }
    let request = Request::new(&request);
    let response = match Route::find(state, &request) {
        _ if plan == Plan::Fails => {
            Response::error(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, [])
        }
        // Changes of the password or the role since the request count.
        Some(route) => {
            let response = dispatch(state, &request, &route, Some(caller), at);
            run_due_effects(state, at);
            response
        }
        None => Response::not_found(request.uri.path()),
    };
    let message = state.tasks.end(id, response, at);
    state.publish(message, &uris::task(id));
}
