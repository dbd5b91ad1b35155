//! The handlers: what answers a request.
//!
//! ```text
//!  head ──► faults ─► authentication ─► route ─► method ─► privilege ─► precondition ──► body ─► handler
//!                                          │ a refusal, or a read                                   │
//!  answer ◄─ faults ◄─ rendering for the profile ◄───────────── response ◄──────────────────────────┘
//! ```
//!
//! What the head of a request decides is decided before the service receives its body.

mod accounts;
mod actions;
mod admission;
mod authentication;
mod certificates;
pub(crate) mod clock;
mod collections;
mod content;
mod devices;
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
mod volumes;

use std::time::Duration;

pub(crate) use admission::Admission;

use crate::faults::FaultKind;
use crate::protocol::answer::Answer;
use crate::protocol::intake::EarlyResponse;
use crate::protocol::render::render;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;

/// Begins a request whose head arrives at `now`. Its payload is empty, and its body has the length `length`, if that is known.
/// Reads and refusals are answered at once. Otherwise the service receives the body.
pub(crate) fn begin(
    state: &mut State,
    request: &Request<'_>,
    length: Option<u64>,
    body_limit: u64,
    now: Duration,
) -> Result<Admission, Box<Answer>> {
    let delay = faults::delay(state, request);
    if faults::take_kind(state, request, &FaultKind::Reset) {
        let answer = Answer { delay, ..Answer::reset() };
        faults::after(state, request, now + delay);
        return Err(Box::new(answer));
    }
    let early = faults::before(state, request)
        .map(EarlyResponse::at_once)
        .or_else(|| faults::early_refusal(state, request));
    let admitted = match early {
        Some(refusal) => Err(refusal),
        None => admission::admit(state, request, length, body_limit, now),
    };
    match admitted {
        Ok(admission) => Ok(Admission { delay, ..admission }),
        Err(EarlyResponse { response, after: 0 }) => {
            Err(Box::new(complete(state, request, *response, delay, now)))
        }
        Err(refusal) => Ok(Admission { delay, ..Admission::refused(refusal) }),
    }
}

/// Answers a request whose body has arrived at `now`. `received` is the response that refuses the body, if it does.
pub(crate) fn end(
    state: &mut State,
    request: &Request<'_>,
    received: Result<Option<Caller>, Response>,
    delay: Duration,
    now: Duration,
) -> Answer {
    let response = match received {
        Err(refusal) => refusal,
        Ok(caller) => match (Route::find(state, request), caller) {
            (Some(route), Some(caller)) if !route.is_public(request.method) => {
                operations::carry_out(state, request, &route, caller, now)
            }
            (Some(route), caller) => dispatch::dispatch(state, request, &route, caller, now),
            // It was removed in the meantime.
            (None, _) => Response::not_found(request.uri.path()),
        },
    };
    complete(state, request, response, delay, now)
}

/// Makes the answer from a response, with the effects of faults.
fn complete(
    state: &mut State,
    request: &Request<'_>,
    mut response: Response,
    delay: Duration,
    now: Duration,
) -> Answer {
    faults::change_response(state, request, &mut response);
    let response = render(state.profile, response, request.method, &request.origin());
    let mut answer = Answer { delay, ..Answer::whole(response) };
    faults::break_connection(state, request, &mut answer);
    faults::after(state, request, now + delay);
    answer
}
