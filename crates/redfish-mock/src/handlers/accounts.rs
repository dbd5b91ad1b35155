//! Creation, changes and deletion of accounts.

use http::StatusCode;
use serde_json::{Map, Value};

use super::patch;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::Patch;
use crate::protocol::privilege::Privilege;
use crate::protocol::profile::Profile;
use crate::protocol::property;
use crate::protocol::response::{Content, Response};
use crate::protocol::uris::{self, ACCOUNTS};
use crate::routing::Route;
use crate::state::State;
use crate::state::accounts::{REQUIRED, SELF_WRITABLE, SLOT_WRITABLE, WRITABLE};
use crate::state::caller::Caller;

/// The maximum number of accounts.
const MAX_ACCOUNTS: usize = 1_000;

/// POST of an account.
pub(super) fn create(state: &mut State, body: &Map<String, Value>) -> Response {
    let errors = property::check_new(REQUIRED, WRITABLE, body);
    if !errors.is_empty() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    let user = body["UserName"].as_str().unwrap_or_default();
    if state.accounts.is_taken(user) {
        let arguments = ["ManagerAccount", "UserName", user];
        return Response::error(StatusCode::CONFLICT, Base::ResourceAlreadyExists, arguments);
    }
    if state.accounts.count() >= MAX_ACCOUNTS {
        return Response::no_room();
    }
    let id = state.accounts.create(body);
    state.publish(Message::new(ResourceEvent::ResourceCreated, []), &uris::account(id));
    state.count_write(ACCOUNTS);
    let content = match state.profile {
        Profile::Standard | Profile::Older | Profile::Slots => {
            state.accounts.representation(id, state.profile).map(Content::Resource)
        }
        Profile::IloAmplifier => None,
    };
    Response::created(uris::account(id), content)
}

/// PATCH of an account. Without the privilege ConfigureUsers, callers may only change their own password.
pub(super) fn patch(
    state: &mut State,
    id: u32,
    change: &Map<String, Value>,
    caller: Option<Caller>,
) -> Response {
    let configures_users = caller.is_some_and(|caller| {
        caller.role.has(Privilege::ConfigureUsers) && !state.accounts.must_change_password(caller.account)
    });
    let writable = match (configures_users, state.profile.account_slots()) {
        (true, None) => WRITABLE,
        (true, Some(_)) => SLOT_WRITABLE,
        (false, _) => SELF_WRITABLE,
    };
    let is_forbidden =
        |name: &String| !name.contains('@') && !writable.iter().any(|property| property.path == name);
    if !configures_users && change.keys().any(is_forbidden) {
        return Response::error(StatusCode::FORBIDDEN, Base::InsufficientPrivilege, []);
    }
    let Some(document) = state.accounts.document(id) else {
        return Response::not_found(&uris::account(id));
    };
    let patch = Patch::new(&document, change, writable);
    if let Some(errors) = patch.failure() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    // The patched document contains the accepted changes.
    let accepted = writable
        .iter()
        .filter(|property| change.contains_key(property.path))
        .map(|property| (property.path.to_owned(), patch.document[property.path].clone()))
        .collect();
    // Two slots with one name would be one account with two passwords.
    if let Some(user) = change.get("UserName").and_then(Value::as_str) {
        if !user.is_empty() && document["UserName"] != user && state.accounts.is_taken(user) {
            let arguments = ["ManagerAccount", "UserName", user];
            return Response::error(StatusCode::CONFLICT, Base::ResourceAlreadyExists, arguments);
        }
    }
    state.accounts.write(id, &accepted);
    if state.accounts.role(id).is_none() {
        let removed = state.sessions.forget(|session| session.account() == id);
        state.publish_session_ends(&removed);
    }
    state.count_write(&uris::account(id));
    state.publish(Message::new(ResourceEvent::ResourceChanged, []), &uris::account(id));
    patch::response(state, &patch, &Route::Account(id))
}

/// DELETE of an account, which also ends its sessions.
pub(super) fn delete(state: &mut State, id: u32) {
    state.accounts.remove(id);
    let removed = state.sessions.forget(|session| session.account() == id);
    state.publish_session_ends(&removed);
    state.count_write(&uris::account(id));
    state.publish(Message::new(ResourceEvent::ResourceRemoved, []), &uris::account(id));
}
