//! Dispatches a request of a known caller to the handler of its route and method.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Map;

use super::content::etag;
use super::{
    accounts, actions, authentication, collections, event_stream, get, patch, sessions, subscriptions, tasks,
    update,
};
use crate::protocol::message::Base;
use crate::protocol::profile::Profile;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;

/// Checks method, privilege and precondition, and carries out the request. `caller` may be `None` for public requests.
pub(super) fn dispatch(
    state: &mut State,
    request: &Request<'_>,
    route: &Route,
    caller: Option<Caller>,
    now: Duration,
) -> Response {
    let is_read = request.is_read();
    if let Some(refusal) = refuse(state, request, route, caller, now) {
        return refusal;
    }
    let mut response = if let (Route::TaskMonitor(id), true) = (route, is_read) {
        // The response of the operation has its own Allow.
        return tasks::poll(state, request, *id, now);
    } else if let (Route::EventStream, true) = (route, is_read) {
        event_stream::open(state, request, now)
    } else if is_read {
        get::get(state, request, route, caller, now)
    } else if request.method == Method::DELETE {
        delete(state, route, now)
    } else {
        write(state, request, route, caller, now)
    };
    let has_allow = is_read || response.status.is_success();
    if has_allow || response.status == StatusCode::METHOD_NOT_ALLOWED {
        response.allow = route.methods(state.profile);
    }
    response
}

/// The response if the head of a request shows that the service will not carry it out: because of its method, the privilege of
/// its caller, or its precondition.
pub(super) fn refuse(
    state: &State,
    request: &Request<'_>,
    route: &Route,
    caller: Option<Caller>,
    now: Duration,
) -> Option<Response> {
    let methods = route.methods(state.profile);
    let is_read = request.is_read();
    if !methods.contains(request.method) {
        return Some(Response { allow: methods, ..method_not_allowed() });
    }
    let caller_to_check = caller.filter(|_| !route.is_public(request.method));
    if let Some(caller) = caller_to_check {
        if let Some(error) = authentication::forbidden(state, request.method, route, caller) {
            return Some(if is_read { Response { allow: methods, ..error } } else { error });
        }
    }
    // A service without ETags ignores If-Match.
    let has_precondition = !is_read && request.method != Method::POST && state.profile != Profile::Older;
    (has_precondition && request.if_match_fails(|| etag(state, route, caller, now)))
        .then(|| Response::error(StatusCode::PRECONDITION_FAILED, Base::PreconditionFailed, []))
}

/// POST or PATCH.
fn write(
    state: &mut State,
    request: &Request<'_>,
    route: &Route,
    caller: Option<Caller>,
    now: Duration,
) -> Response {
    if let Route::UpdatePush(_) = route {
        return update::push(state, request);
    }
    let body = match route {
        // An action without parameters needs no body.
        Route::Action { .. } if request.payload.bytes().is_empty() => Map::new(),
        _ => match request.json_object() {
            Ok(body) => body,
            Err(error) => return *error,
        },
    };
    match route {
        Route::Sessions => sessions::log_in(state, &body, now),
        Route::Subscriptions => subscriptions::create(state, &body),
        Route::Subscription(id) => subscriptions::patch(state, *id, &body),
        Route::Accounts => accounts::create(state, &body),
        Route::Account(id) => accounts::patch(state, *id, &body, caller),
        Route::Action { resource, name } => actions::invoke(state, resource, name, &body, now),
        Route::Resource(resource) => match resource.capabilities.create {
            Some(new) if request.method == Method::POST => collections::create(state, resource, new, &body),
            _ => patch::patch(state, resource, &body),
        },
        // These allow neither POST nor PATCH, or are handled above.
        Route::UpdatePush(_)
        | Route::Session(_)
        | Route::Tasks
        | Route::Jobs
        | Route::Task(_)
        | Route::TaskMonitor(_)
        | Route::EventStream => method_not_allowed(),
    }
}

fn delete(state: &mut State, route: &Route, now: Duration) -> Response {
    match route {
        Route::Session(id) => sessions::delete(state, *id),
        Route::Account(id) => accounts::delete(state, *id),
        Route::Subscription(id) => subscriptions::delete(state, *id),
        Route::Resource(resource) if resource.capabilities.delete => collections::delete(state, resource),
        Route::Task(id) => tasks::delete(state, *id),
        Route::TaskMonitor(id) => tasks::cancel(state, *id, now),
        _ => return method_not_allowed(),
    }
    Response::success(state.profile)
}

fn method_not_allowed() -> Response {
    Response::error(StatusCode::METHOD_NOT_ALLOWED, Base::OperationNotAllowed, [])
}
