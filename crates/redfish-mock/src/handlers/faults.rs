//! The effects of faults on a request and its response.

mod document;

use std::time::Duration;

use http::{Method, StatusCode, header};

use super::authentication;
use crate::faults::FaultKind;
use crate::protocol::answer::{Answer, Ending};
use crate::protocol::intake::{EarlyResponse, too_large};
use crate::protocol::message::{Base, Message};
use crate::protocol::request::{Credentials, Request};
use crate::protocol::response::{Content, Response};
use crate::routing::Route;
use crate::state::State;
use crate::state::schedule::Effect;
use crate::state::sessions::Session;

/// Takes a fault that `select` accepts, if one is active at the path of the request.
pub(super) fn take<T>(
    state: &mut State,
    request: &Request<'_>,
    select: impl Fn(&FaultKind) -> Option<T>,
) -> Option<T> {
    state.faults.take(&request.path, state.profile, select)
}

/// Takes a fault of this kind, if one is active at the path of the request.
pub(super) fn take_kind(state: &mut State, request: &Request<'_>, kind: &FaultKind) -> bool {
    state.faults.take_kind(&request.path, state.profile, kind)
}

/// The delay of the response.
pub(super) fn delay(state: &mut State, request: &Request<'_>) -> Duration {
    let delay = take(state, request, |kind| match kind {
        FaultKind::Slow(delay) => Some(*delay),
        _ => None,
    });
    delay.unwrap_or_default()
}

/// Faults before the request is handled. Returns the response that replaces the correct one.
pub(super) fn before(state: &mut State, request: &Request<'_>) -> Option<Response> {
    if state.faults.is_empty() {
        return None;
    }
    let redirect = take(state, request, |kind| match kind {
        FaultKind::RedirectOffOrigin(url) => Some(url.clone()),
        _ => None,
    });
    if let Some(url) = redirect {
        let url = url.unwrap_or_else(|| format!("https://redfish.invalid{}", request.uri.path()));
        let response = Response::new(StatusCode::TEMPORARY_REDIRECT, Content::Empty);
        return Some(response.with_header(header::LOCATION, &url));
    }
    let unavailable = take(state, request, |kind| match kind {
        FaultKind::Unavailable(retry_after) => Some(retry_after.clone()),
        _ => None,
    });
    if let Some(retry_after) = unavailable {
        let seconds = retry_after.as_deref().unwrap_or("some");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let response = Response::error(status, Base::ServiceTemporarilyUnavailable, [seconds]);
        return Some(match &retry_after {
            Some(retry_after) => response.with_header(header::RETRY_AFTER, retry_after),
            None => response,
        });
    }
    let route = Route::find(state, request);
    let is_login = request.method == Method::POST && matches!(route, Some(Route::Sessions));
    // Without credentials, a 401 would be correct.
    let is_authenticated = is_login || authentication::identify(state, request).is_some();
    if is_authenticated && take_kind(state, request, &FaultKind::Unauthorized) {
        return Some(Response::error(StatusCode::UNAUTHORIZED, Base::NoValidSession, []));
    }
    if take_kind(state, request, &FaultKind::InternalError) {
        return Some(Response::error(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, []));
    }
    if take_kind(state, request, &FaultKind::WebPage) {
        let bytes = b"<!DOCTYPE html><html><body>Please log in</body></html>".to_vec();
        return Some(Response::new(StatusCode::OK, Content::Raw { media_type: "text/html", bytes }));
    }
    if is_login && take_kind(state, request, &FaultKind::SessionLimit) {
        return Some(Response::error(StatusCode::SERVICE_UNAVAILABLE, Base::SessionLimitExceeded, []));
    }
    let reads_session = request.is_read() && matches!(route, Some(Route::Session(_)));
    if reads_session && take_kind(state, request, &FaultKind::UnreadableSession) {
        return Some(Response::error(StatusCode::FORBIDDEN, Base::InsufficientPrivilege, []));
    }
    if is_ordinary_write(request, route.as_ref()) && take_kind(state, request, &FaultKind::RefusalIn200) {
        return Some(Response::error(StatusCode::OK, Base::InternalError, []));
    }
    if document::is_further_page(request, route.as_ref()) {
        let fails = |kind: &FaultKind| matches!(kind, FaultKind::FailingPage(_)).then_some(());
        if take(state, request, fails).is_some() {
            return Some(Response::error(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, []));
        }
    }
    forget_session(state, request, &FaultKind::ExpireToken);
    None
}

/// Whether a request is a write other than a login or a logout.
fn is_ordinary_write(request: &Request<'_>, route: Option<&Route>) -> bool {
    !request.is_read() && !matches!(route, Some(Route::Sessions | Route::Session(_)))
}

/// The refusal of a request after a part of its body.
pub(super) fn early_refusal(state: &mut State, request: &Request<'_>) -> Option<EarlyResponse> {
    if state.faults.is_empty() {
        return None;
    }
    let route = Route::find(state, request);
    if !is_ordinary_write(request, route.as_ref()) {
        return None;
    }
    let length = request.content_length();
    let after = take(state, request, |kind| match kind {
        // A shorter body arrives whole.
        FaultKind::EarlyRefusal(after) => length.is_none_or(|length| length >= *after).then_some(*after),
        _ => None,
    })?;
    Some(EarlyResponse { after, ..EarlyResponse::at_once(too_large()) })
}

/// Faults that change the response before it is rendered.
pub(super) fn change_response(state: &mut State, request: &Request<'_>, response: &mut Response) {
    if state.faults.is_empty() {
        return;
    }
    document::change(state, request, response);
    if let Content::Messages(messages) = &mut response.content {
        if take_kind(state, request, &FaultKind::BareMessages) {
            *messages = std::mem::take(messages).into_iter().map(Message::without_text).collect();
        }
    }
    if response.location.is_some() && take_kind(state, request, &FaultKind::NoLocation) {
        response.location = None;
    }
}

/// Faults that break the connection while the answer is sent.
pub(super) fn break_connection(state: &mut State, request: &Request<'_>, answer: &mut Answer) {
    if !request.is_read() && take_kind(state, request, &FaultKind::LostAnswer) {
        answer.ending = Ending::Closed;
        return;
    }
    if state.faults.is_empty() {
        return;
    }
    if let Some(start) = first_text(answer.response.body()) {
        if take_kind(state, request, &FaultKind::NotUtf8) {
            damage_text(answer, start);
        }
    }
    let length = answer.response.body().len();
    if length > 0 {
        let cut = take(state, request, |kind| match kind {
            FaultKind::CutBody(bytes) => Some(bytes.unwrap_or(length / 2)),
            _ => None,
        });
        if let Some(bytes) = cut.filter(|bytes| *bytes < length) {
            answer.ending = Ending::Cut(bytes);
        }
    }
}

/// Faults after the answer, which is sent at `answered`.
pub(super) fn after(state: &mut State, request: &Request<'_>, answered: Duration) {
    forget_session(state, request, &FaultKind::LoseSession);
    let restart = take(state, request, |kind| match kind {
        FaultKind::Restart(duration) => Some(*duration),
        _ => None,
    });
    if let Some(duration) = restart {
        state.schedule.add(answered, Effect::Restart { duration, task: None });
    }
}

/// Takes a fault that forgets the session of the request. A request without an open session does not count.
fn forget_session(state: &mut State, request: &Request<'_>, kind: &FaultKind) {
    let Credentials::Token(token) = request.credentials() else { return };
    let Some(id) = state.sessions.with_token(&token).map(Session::id) else { return };
    if take_kind(state, request, kind) {
        let removed = state.sessions.forget(|session| session.id() == id);
        state.publish_session_ends(&removed);
    }
}

/// Where the `Name` in a body begins, or else its first text.
fn first_text(body: &[u8]) -> Option<usize> {
    [&b"\"Name\":\""[..], b"\"Name\": \"", b":\"", b": \""].into_iter().find_map(|before| {
        let start = body.windows(before.len()).position(|bytes| bytes == before)?;
        Some(start + before.len())
    })
}

/// Puts a byte that is not UTF-8 at the start of the first text, as in the names of some parts.
fn damage_text(answer: &mut Answer, start: usize) {
    answer.response.body_mut().insert(start, 0xff);
    let length = answer.response.body().len();
    answer.response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
}
