//! Admission: what the head of a request decides, before the service receives the body.

use std::time::Duration;

use http::{Method, StatusCode};

use super::operations::carry_out;
use super::{authentication, dispatch};
use crate::protocol::intake::{EarlyResponse, Intake, too_large};
use crate::protocol::message::Base;
use crate::protocol::multipart;
use crate::protocol::request::{Request, unsupported_media_type};
use crate::protocol::response::Response;
use crate::routing::{PushKind, Route};
use crate::state::State;
use crate::state::caller::Caller;

/// A request that the service admits: it receives the body.
pub(crate) struct Admission {
    /// `None` if the request is public and not authenticated.
    pub(crate) caller: Option<Caller>,
    pub(crate) intake: Intake,
    /// The delay of the response.
    pub(crate) delay: Duration,
}

impl Admission {
    /// A request that is refused after some of its body.
    pub(crate) fn refused(refusal: EarlyResponse) -> Admission {
        let mut intake = Intake::whole(0);
        intake.refuse_later(refusal);
        Admission { caller: None, intake, delay: Duration::ZERO }
    }
}

/// Admits a write, whose body has the length `length` if that is known. A read is answered at once, like a refusal.
pub(super) fn admit(
    state: &mut State,
    request: &Request<'_>,
    length: Option<u64>,
    body_limit: u64,
    now: Duration,
) -> Result<Admission, EarlyResponse> {
    if request.requires_other_odata_version() {
        let response = Response::error(StatusCode::PRECONDITION_FAILED, Base::PreconditionFailed, []);
        return Err(EarlyResponse::at_once(response));
    }
    let route = Route::find(state, request);
    let is_public = route.as_ref().is_some_and(|route| route.is_public(request.method));
    // Query options may show more of a public resource to an authenticated caller, so that a wrong password counts there as well.
    let caller = authentication::authenticate(state, request, now);
    if caller.is_none() && !is_public {
        let response = Response::error(StatusCode::UNAUTHORIZED, Base::NoValidSession, []);
        return Err(EarlyResponse::at_once(response));
    }
    let Some(route) = route else {
        return Err(EarlyResponse::at_once(Response::not_found(request.uri.path())));
    };
    if request.is_read() {
        return Err(EarlyResponse::at_once(match caller {
            Some(caller) if !is_public => carry_out(state, request, &route, caller, now),
            caller => dispatch::dispatch(state, request, &route, caller, now),
        }));
    }
    if let Some(response) = dispatch::refuse(state, request, &route, caller, now) {
        return Err(EarlyResponse::at_once(response));
    }
    let intake = intake(state, request, &route, length, body_limit)
        .map_err(|response| EarlyResponse { response, after: 0 })?;
    if length.is_some_and(|length| intake.exceeds_limit(length)) {
        return Err(EarlyResponse::at_once(too_large()));
    }
    Ok(Admission { caller, intake, delay: Duration::ZERO })
}

/// How the service receives the body of a write.
fn intake(
    state: &State,
    request: &Request<'_>,
    route: &Route,
    length: Option<u64>,
    body_limit: u64,
) -> Result<Intake, Box<Response>> {
    match route {
        Route::UpdatePush(PushKind::Plain) => Ok(Intake::image(state.max_image)),
        Route::UpdatePush(PushKind::Multipart) => {
            match request.content_type().and_then(multipart::boundary) {
                Some(boundary) => Ok(Intake::form(&boundary, state.max_image)),
                None => Err(Box::new(unsupported_media_type())),
            }
        }
        _ => {
            let needs_json = match length {
                _ if request.method == Method::DELETE => false,
                Some(length) => length > 0,
                // The body may be empty, and needs no media type then.
                None => request.content_type().is_some(),
            };
            if needs_json && !request.is_json() {
                return Err(Box::new(unsupported_media_type()));
            }
            Ok(Intake::whole(body_limit))
        }
    }
}
