//! Authentication and authorization: who sends a request, and whether the caller may do what it asks for.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::protocol::message::Base;
use crate::protocol::request::{Credentials, Request};
use crate::protocol::response::Response;
use crate::protocol::uris::{self, ACCOUNT_SERVICE};
use crate::routing::Route;
use crate::state::State;
use crate::state::accounts::{LOCKOUT_THRESHOLD, Lockout};
use crate::state::caller::Caller;
use crate::state::sessions::Session;

/// Authenticates a request, which restarts the timeout of its session.
pub(super) fn authenticate(state: &mut State, request: &Request<'_>, now: Duration) -> Option<Caller> {
    if let Credentials::Basic { user, password } = request.credentials() {
        verify_password(state, &user, &password, now)?;
    }
    let caller = identify(state, request)?;
    if let Some(id) = caller.session {
        state.sessions.touch(id, now);
    }
    Some(caller)
}

/// The account with these credentials. Too many wrong passwords lock an account.
pub(super) fn verify_password(state: &mut State, user: &str, password: &str, now: Duration) -> Option<u32> {
    let verified = state.accounts.verify(user, password);
    match verified {
        Some(id) => state.accounts.record_success(id),
        None => {
            let service = state.tree.document(ACCOUNT_SERVICE);
            let number =
                |name: &str, default| service.and_then(|service| service[name].as_u64()).unwrap_or(default);
            // A captured AccountService may lack them.
            let lockout = Lockout {
                threshold: number(LOCKOUT_THRESHOLD, state.lockout_threshold),
                duration: Duration::from_secs(number("AccountLockoutDuration", 30)),
                counter_reset_after: Duration::from_secs(number("AccountLockoutCounterResetAfter", 60)),
            };
            state.accounts.record_failure(user, lockout, now);
        }
    }
    verified
}

/// The sender of a request, without recording anything.
pub(super) fn identify(state: &State, request: &Request<'_>) -> Option<Caller> {
    let (account, session) = match request.credentials() {
        Credentials::Token(token) => {
            state.sessions.with_token(&token).map(|session| (session.account(), Some(session.id())))
        }
        Credentials::Basic { user, password } => state.accounts.verify(&user, &password).map(|id| (id, None)),
        Credentials::Bearer(token) if state.bearer_token.as_ref() == Some(&token) => Some((1, None)),
        Credentials::Bearer(_) | Credentials::None | Credentials::Invalid => None,
    }?;
    let role = state.accounts.role(account)?;
    Some(Caller { account, session, role })
}

/// The error response if the caller lacks the privilege, or must change the password first.
pub(super) fn forbidden(state: &State, method: &Method, route: &Route, caller: Caller) -> Option<Response> {
    let owner = match route {
        Route::Account(id) => Some(*id),
        Route::Session(id) => state.sessions.find(*id).map(Session::account),
        Route::Task(id) | Route::TaskMonitor(id) => state.tasks.account(*id),
        _ => None,
    };
    let is_own = owner == Some(caller.account);

    let is_delete = method == Method::DELETE;
    let is_always_allowed = match route {
        Route::Account(_) => is_own && !is_delete,
        Route::Session(_) => is_own && is_delete,
        _ => false,
    };
    if state.accounts.must_change_password(caller.account) && !is_always_allowed {
        let account = uris::account(caller.account);
        return Some(Response::error(StatusCode::FORBIDDEN, Base::PasswordChangeRequired, [&account]));
    }
    (!caller.role.has(route.privilege(method, is_own)))
        .then(|| Response::error(StatusCode::FORBIDDEN, Base::InsufficientPrivilege, []))
}
