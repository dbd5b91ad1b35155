//! Logins and logouts.

use std::time::Duration;

use http::StatusCode;
use http::header::HeaderName;
use serde_json::{Map, Value, json};

use super::authentication::verify_password;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::profile::Profile;
use crate::protocol::property::HIDDEN;
use crate::protocol::representation::Representation;
use crate::protocol::response::{Content, Response};
use crate::protocol::uris::{self, SESSIONS};
use crate::state::State;

/// The maximum length of the `Context` of a session in characters.
const MAX_CONTEXT: usize = 256;

/// POST of a session.
pub(super) fn log_in(state: &mut State, body: &Map<String, Value>, now: Duration) -> Response {
    let mut errors = Vec::new();
    let mut text = |name: &str| match body.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(_) => {
            errors.push(Message::new(Base::PropertyValueTypeError, [HIDDEN, name]).related_to(name));
            String::new()
        }
        None => {
            errors.push(Message::new(Base::CreateFailedMissingReqProperties, [name]).related_to(name));
            String::new()
        }
    };
    let (user, password) = (text("UserName"), text("Password"));
    let context = body.get("Context").map(|_| text("Context"));
    if context.as_ref().is_some_and(|context| context.chars().count() > MAX_CONTEXT) {
        errors.push(Message::new(Base::PropertyValueFormatError, [HIDDEN, "Context"]).related_to("Context"));
    }
    if !errors.is_empty() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    let Some(account) = verify_password(state, &user, &password, now) else {
        return wrong_password(state.profile);
    };
    let Some(session) = state.sessions.log_in(account, &user, context, now) else {
        return Response::error(StatusCode::SERVICE_UNAVAILABLE, Base::SessionLimitExceeded, []);
    };

    let notice = state
        .accounts
        .must_change_password(account)
        .then(|| Message::new(Base::PasswordChangeRequired, [&uris::account(account)]));
    let content = match state.profile {
        Profile::Standard | Profile::Older | Profile::Slots => {
            let mut document = session.document(state.profile, Some(session.id()));
            if let Some(notice) = &notice {
                document["@Message.ExtendedInfo"] = json!([notice.render(state.profile)]);
            }
            Content::Resource(Representation::new(document, 0, state.profile))
        }
        Profile::IloAmplifier => {
            Content::Messages([Message::new(Base::Created, [])].into_iter().chain(notice).collect())
        }
    };
    let path = session.path();
    let response = Response::created(path.clone(), Some(content))
        .with_header(HeaderName::from_static("x-auth-token"), session.token());
    state.publish(Message::new(ResourceEvent::ResourceCreated, []), &path);
    state.count_write(SESSIONS);
    response
}

fn wrong_password(profile: Profile) -> Response {
    let status = StatusCode::UNAUTHORIZED;
    match profile {
        Profile::Standard | Profile::Older | Profile::Slots => Response::error(
            status,
            Base::ResourceAtUriUnauthorized,
            [SESSIONS, "the user name or the password is wrong."],
        ),
        Profile::IloAmplifier => Response::error(status, Base::NoValidSession, []),
    }
}

/// DELETE of a session.
pub(super) fn delete(state: &mut State, id: u64) {
    let removed = state.sessions.delete(id);
    state.publish_session_ends(&removed);
}
