//! Creation and deletion of members of collections.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{certificates, devices, volumes};
use crate::inventory::resource::{Body, NewMember, Resource};
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::profile::Profile;
use crate::protocol::property;
use crate::protocol::response::{Content, Response};
use crate::state::State;
use crate::state::journal::schema;

/// The maximum length of the `Id` of a new member in bytes.
const MAX_ID: usize = 255;

/// POST to a collection. The `Id` is that of the request, or the lowest free number.
pub(super) fn create(
    state: &mut State,
    collection: &Resource,
    new: NewMember,
    body: &Map<String, Value>,
) -> Response {
    let body = &certificates::without_private_keys(body);
    // Without required properties, the collection accepts any member.
    let all = [new.required, new.optional].concat();
    let errors =
        if new.required.is_empty() { Vec::new() } else { property::check_new(new.required, &all, body) };
    if !errors.is_empty() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    let id = match body.get("Id").and_then(Value::as_str) {
        None => state.tree.free_member_id(&collection.path),
        Some(id) if id.is_empty() || id.len() > MAX_ID || id.contains(['/', '?', '#', '%']) => {
            return Response::error(StatusCode::BAD_REQUEST, Base::PropertyValueFormatError, [id, "Id"]);
        }
        Some(id) if state.tree.get(&format!("{}/{id}", collection.path)).is_some() => {
            let arguments = ["resource", "Id", id];
            return Response::error(StatusCode::CONFLICT, Base::ResourceAlreadyExists, arguments);
        }
        Some(id) => id.to_owned(),
    };
    if !state.tree.has_room(0, serde_json::to_string(body).map_or(0, |text| text.len())) {
        return Response::no_room();
    }
    if let Err(refusal) = volumes::check(state, collection, body) {
        return *refusal;
    }
    let mut body = body.clone();
    if !state.is_mockup {
        devices::complete_member(&mut body, collection);
        if schema(collection) == "VolumeCollection" {
            volumes::complete(state, &mut body, &format!("{}/{id}", collection.path));
        }
    }
    let path = state.tree.add_member(collection, &id, &body);
    if schema(collection) == "VolumeCollection" {
        volumes::link(state, &path, true);
    }
    state.count_write(&collection.path);
    state.publish(Message::new(ResourceEvent::ResourceCreated, []), &path);
    let content = match state.tree.get(&path).map(|member| &member.body) {
        Some(Body::Document { representation, .. }) if state.profile != Profile::IloAmplifier => {
            Some(Content::Resource(representation.clone()))
        }
        _ => None,
    };
    Response::created(path, content)
}

/// DELETE of a member.
pub(super) fn delete(state: &mut State, member: &Resource) {
    state.publish(Message::new(ResourceEvent::ResourceRemoved, []), &member.path);
    if schema(member) == "Volume" {
        volumes::link(state, &member.path, false);
    }
    state.tree.remove_member(member);
    state.count_write(&member.path);
}
