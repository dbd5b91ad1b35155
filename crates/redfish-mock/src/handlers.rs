//! The handlers: what answers a request.
//!
//! ```text
//!  request ─► faults ─► authentication ─► route ─► method ─► privilege ─► precondition ─► handler
//!                                                                                            │
//!  answer  ◄─ faults ◄─ rendering for the profile ◄──────────────── response ◄───────────────┘
//! ```

mod accounts;
mod actions;
mod authentication;
pub(crate) mod clock;
mod collections;
mod content;
mod dispatch;
mod event_stream;
mod faults;
mod get;
mod operations;
mod patch;
mod power;
mod query_options;
mod sessions;
mod subscriptions;
mod tasks;
mod update;

use std::time::Duration;

use http::StatusCode;

use crate::faults::FaultKind;
use crate::protocol::answer::Answer;
use crate::protocol::message::Base;
use crate::protocol::render::render;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::routing::Route;
use crate::state::State;

/// Answers a request that arrives at `now`.
pub(crate) fn handle(state: &mut State, request: &Request<'_>, now: Duration) -> Answer {
    let delay = faults::delay(state, request);
    let answer = Answer { delay, ..answer(state, request, now) };
    faults::after(state, request, now + delay);
    answer
}

fn answer(state: &mut State, request: &Request<'_>, now: Duration) -> Answer {
    if faults::take_kind(state, request, &FaultKind::Reset) {
        return Answer::reset();
    }
    let mut response = match faults::before(state, request) {
        Some(response) => response,
        None => respond(state, request, now),
    };
    faults::change_response(state, request, &mut response);
    let response = render(state.profile, response, request.method, &request.origin());
    let mut answer = Answer::whole(response);
    faults::break_connection(state, request, &mut answer);
    answer
}

/// The correct response to a request.
fn respond(state: &mut State, request: &Request<'_>, now: Duration) -> Response {
    if request.requires_other_odata_version() {
        return Response::error(StatusCode::PRECONDITION_FAILED, Base::PreconditionFailed, []);
    }
    let route = Route::find(state, request);
    if let Some(route) = route.as_ref().filter(|route| route.is_public(request.method)) {
        // Query options may show more to an authenticated caller.
        let caller = authentication::identify(state, request);
        return dispatch::dispatch(state, request, route, caller, now);
    }
    let Some(caller) = authentication::authenticate(state, request, now) else {
        return Response::error(StatusCode::UNAUTHORIZED, Base::NoValidSession, []);
    };
    match route {
        Some(route) => operations::carry_out(state, request, &route, caller, now),
        None => Response::not_found(request.uri.path()),
    }
}
