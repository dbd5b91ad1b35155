//! PATCH of a resource, and the response to any PATCH.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};

use super::content::content;
use super::devices;
use crate::inventory::network;
use crate::inventory::resource::{PatchRule, Resource};
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::Patch;
use crate::protocol::profile::Profile;
use crate::protocol::response::{Content, Response};
use crate::protocol::uris::SESSION_SERVICE;
use crate::routing::Route;
use crate::state::State;

/// PATCH of a resource of the tree.
pub(super) fn patch(state: &mut State, resource: &Arc<Resource>, change: &Map<String, Value>) -> Response {
    if let Err(refusal) = devices::check_dependencies(state, resource, change) {
        return *refusal;
    }
    let mut patch = match resource.capabilities.patch {
        PatchRule::Only(properties) => Patch::new(resource.document(), change, properties),
        PatchRule::Any => Patch::merge(resource.document(), change),
    };
    if let Some(errors) = patch.failure() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    if let PatchRule::Only(_) = resource.capabilities.patch {
        network::apply_settings(&mut patch.document);
    }
    let size = |document: &Value| document.to_string().len();
    if !state.tree.has_room(size(resource.document()), size(&patch.document)) {
        return Response::no_room();
    }
    state.tree.write(&resource.path, patch.document.clone());
    state.count_write(&resource.path);
    state.publish(Message::new(ResourceEvent::ResourceChanged, []), &resource.path);
    if resource.path == SESSION_SERVICE {
        if let Some(seconds) = patch.document["SessionTimeout"].as_u64() {
            state.set_session_timeout(Duration::from_secs(seconds));
        }
    }
    devices::after_patch(state, resource);
    let written = state.tree.get(&resource.path).unwrap_or(resource).clone();
    response(state, &patch, &Route::Resource(written))
}

/// The response to a PATCH that was applied: the changed resource, annotated with the properties that were rejected.
pub(super) fn response(state: &State, patch: &Patch, route: &Route) -> Response {
    let mut messages = patch.messages();
    match (state.profile, content(state, route, None, state.now)) {
        (Profile::Standard | Profile::Older | Profile::Slots, Content::Resource(mut changed))
            if !messages.is_empty() =>
        {
            let mut document = serde_json::from_slice(&changed.body).unwrap_or_default();
            patch.annotate(&mut document, state.profile);
            changed.body = document.to_string().into_bytes();
            Response::resource(changed)
        }
        (Profile::Standard | Profile::Older | Profile::Slots, changed) => {
            Response::new(StatusCode::OK, changed)
        }
        (Profile::IloAmplifier, _) => {
            if messages.is_empty() {
                messages.push(Message::new(Base::Success, []));
            }
            Response::with_messages(StatusCode::OK, messages)
        }
    }
}
