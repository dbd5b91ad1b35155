//! Creation, changes and deletion of event subscriptions.

use http::StatusCode;
use serde_json::{Map, Value};

use super::patch;
use crate::protocol::message::Base;
use crate::protocol::patch::Patch;
use crate::protocol::profile::Profile;
use crate::protocol::property;
use crate::protocol::response::{Content, Response};
use crate::protocol::uris::{self, SUBSCRIPTIONS};
use crate::routing::Route;
use crate::state::State;
use crate::state::event_service::{ACCEPTED, REQUIRED, WRITABLE};

/// POST of a subscription.
pub(super) fn create(state: &mut State, body: &Map<String, Value>) -> Response {
    let errors = property::check_new(REQUIRED, ACCEPTED, body);
    if !errors.is_empty() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    let Some(id) = state.events.subscribe(body) else { return limit_exceeded() };
    state.count_write(SUBSCRIPTIONS);
    let content = match state.profile {
        Profile::Standard | Profile::Older | Profile::Slots => {
            let representation = state.events.representation(id, state.profile);
            Some(representation.map_or(Content::Empty, Content::Resource))
        }
        Profile::IloAmplifier => None,
    };
    Response::created(uris::subscription(id), content)
}

/// PATCH of a subscription.
pub(super) fn patch(state: &mut State, id: u64, change: &Map<String, Value>) -> Response {
    let Some(document) = state.events.document(id) else {
        return Response::not_found(&uris::subscription(id));
    };
    let patch = Patch::new(document, change, WRITABLE);
    if let Some(errors) = patch.failure() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    state.events.write(id, patch.document.clone());
    state.count_write(&uris::subscription(id));
    patch::response(state, &patch, &Route::Subscription(id))
}

/// DELETE of a subscription, which also closes its stream.
pub(super) fn delete(state: &mut State, id: u64) {
    state.events.remove(id);
    state.count_write(&uris::subscription(id));
}

/// 503: the maximum number of subscriptions is reached.
pub(super) fn limit_exceeded() -> Response {
    Response::error(StatusCode::SERVICE_UNAVAILABLE, Base::EventSubscriptionLimitExceeded, [])
}
