//! Task monitors, and deletion of tasks.

use std::time::Duration;

use http::Method;

use super::faults::take_kind;
use crate::faults::FaultKind;
use crate::protocol::message::{Message, ResourceEvent};
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::protocol::uris;
use crate::state::State;

/// GET of a monitor: 202 while the task runs, then the response of its operation, once. A HEAD does not consume the response.
pub(super) fn poll(state: &mut State, request: &Request<'_>, id: u64, now: Duration) -> Response {
    if take_kind(state, request, &FaultKind::MonitorGone) {
        return Response::not_found(request.uri.path());
    }
    let response =
        if request.method == Method::HEAD { state.tasks.response(id) } else { state.tasks.take_response(id) };
    response.unwrap_or_else(|| state.tasks.accepted(id, now, state.profile))
}

/// DELETE of a task.
pub(super) fn delete(state: &mut State, id: u64) {
    state.tasks.remove(id);
    state.schedule.cancel_task(id);
    state.count_write(&uris::task(id));
    state.publish(Message::new(ResourceEvent::ResourceRemoved, []), &uris::task(id));
}

/// DELETE of a monitor, which cancels the task if it is running.
pub(super) fn cancel(state: &mut State, id: u64, now: Duration) {
    if let Some(message) = state.tasks.cancel(id, now) {
        state.schedule.cancel_task(id);
        state.publish(message, &uris::task(id));
    }
    state.count_write(&uris::task_monitor(id));
}
