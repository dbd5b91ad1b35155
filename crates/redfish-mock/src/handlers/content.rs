//! The content that a GET returns, before its query options are applied.

use std::time::Duration;

use crate::inventory::live;
use crate::inventory::resource::Body;
use crate::protocol::response::Content;
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;

/// The content that a GET returns to this caller.
pub(super) fn content(state: &State, route: &Route, caller: Option<Caller>, now: Duration) -> Content {
    let profile = state.profile;
    let own_session = caller.and_then(|caller| caller.session);
    let representation = match route {
        Route::Sessions => Some(state.sessions.collection(profile, own_session)),
        Route::Session(id) => {
            state.sessions.find(*id).map(|session| session.representation(profile, own_session))
        }
        Route::Accounts => Some(state.accounts.collection(profile)),
        Route::Account(id) => state.accounts.representation(*id, profile),
        Route::Tasks => Some(state.tasks.collection(profile)),
        Route::Jobs => Some(state.tasks.jobs(profile)),
        Route::Task(id) => state.tasks.representation(*id, now, profile),
        Route::Subscriptions => Some(state.events.collection(profile)),
        Route::Subscription(id) => state.events.representation(*id, profile),
        Route::Action { .. } | Route::UpdatePush(_) | Route::TaskMonitor(_) | Route::EventStream => None,
        Route::Resource(resource) => match &resource.body {
            Body::Document { document, representation } => {
                let moved = if state.is_mockup { None } else { live::at(document, now) };
                Some(match moved {
                    Some(moved) => representation.with_document(moved, profile),
                    None => representation.clone(),
                })
            }
            Body::Raw { media_type, bytes } => {
                return Content::Raw { media_type, bytes: bytes.clone() };
            }
        },
    };
    representation.map_or(Content::Empty, Content::Resource)
}

/// The ETag that a GET returns to this caller.
pub(super) fn etag(state: &State, route: &Route, caller: Option<Caller>, now: Duration) -> Option<String> {
    match content(state, route, caller, now) {
        Content::Resource(resource) => Some(resource.etag).filter(|etag| !etag.is_empty()),
        _ => None,
    }
}
