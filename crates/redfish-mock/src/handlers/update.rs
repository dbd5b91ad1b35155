//! Firmware updates (DSP0266, "Update service").
//!
//! ```text
//!  202 ──► the image is written ──► the service restarts ──► Completed: the inventory shows the new version
//!            Settings::update_time    Settings::restart_time: unavailable, and sessions are lost
//! ```
//!
//! Nothing is installed. The new version is the start of the digest of the image, so that a client can check that all of it
//! arrived.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::protocol::image::Image;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::payload::Payload;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::protocol::uris::UPDATE_SERVICE;
use crate::state::State;

/// POST of an image to a push URI.
pub(super) fn push(state: &mut State, request: &Request<'_>) -> Response {
    let Payload::Push { parameters, image } = request.payload else { return missing_part("UpdateFile") };
    if image.size == 0 {
        return missing_part("UpdateFile");
    }
    let Some(parameters) = parameters else { return missing_part("UpdateParameters") };
    match serde_json::from_slice(parameters) {
        Ok(Value::Object(parameters)) => update(state, &parameters, *image, request.path.as_str()),
        _ => Response::error(StatusCode::BAD_REQUEST, Base::MalformedJSON, []),
    }
}

/// Updates the firmware of the resources in `Targets`, or of all. `uri` is the URI of the request.
pub(super) fn update(
    state: &mut State,
    parameters: &Map<String, Value>,
    image: Image,
    uri: &str,
) -> Response {
    let targets = match targets(state, parameters) {
        Ok(targets) => targets,
        Err(error) => return *error,
    };
    let version = image.version();
    for path in firmware_paths(state) {
        let Some(mut firmware) = state.tree.document(&path).cloned() else { continue };
        let device = firmware["RelatedItem"][0]["@odata.id"].as_str().unwrap_or_default().to_owned();
        if targets.is_empty() || targets.contains(&path.as_str()) || targets.contains(&device.as_str()) {
            let old = std::mem::replace(&mut firmware["Version"], json!(version));
            state.tree.write(&path, firmware);
            state.publish(Message::new(ResourceEvent::ResourceChanged, []), &path);
            update_device_version(state, &device, &old, &version);
        }
    }
    state.count_write(uri);
    Response::success(state.profile)
}

/// The resources in `Targets`: members of the firmware inventory, or their devices. An empty list means all.
fn targets<'a>(state: &State, parameters: &'a Map<String, Value>) -> Result<Vec<&'a str>, Box<Response>> {
    let Some(value) = parameters.get("Targets") else { return Ok(Vec::new()) };
    let list = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let refuse =
        |message, arguments| Err(Box::new(Response::error(StatusCode::BAD_REQUEST, message, arguments)));
    let Some(targets) = list else {
        return refuse(Base::PropertyValueTypeError, [&*value.to_string(), "Targets"]);
    };
    if let Some(unknown) = targets.iter().find(|target| state.tree.get(target).is_none()) {
        return Err(Box::new(Response::error(
            StatusCode::BAD_REQUEST,
            Base::ResourceMissingAtURI,
            [unknown],
        )));
    }
    let paths = firmware_paths(state);
    let device = |path: &String| {
        state.tree.document(path).and_then(|firmware| firmware["RelatedItem"][0]["@odata.id"].as_str())
    };
    let is_updatable = |target: &&str| {
        paths.iter().any(|path| path == target || device(path).is_some_and(|device| device == *target))
    };
    match targets.iter().find(|target| !is_updatable(target)) {
        Some(other) => refuse(Base::PropertyValueNotInList, [other, "Targets"]),
        None => Ok(targets),
    }
}

/// The paths of the members of the firmware inventory that can be updated.
fn firmware_paths(state: &State) -> Vec<String> {
    let inventory = state
        .tree
        .document(UPDATE_SERVICE)
        .and_then(|service| state.tree.document(service["FirmwareInventory"]["@odata.id"].as_str()?));
    let members = inventory.and_then(|inventory| inventory["Members"].as_array());
    let paths = members.into_iter().flatten().filter_map(|link| link["@odata.id"].as_str());
    let is_updatable =
        |path: &&str| state.tree.document(path).is_some_and(|firmware| firmware["Updateable"] != false);
    paths.filter(is_updatable).map(str::to_owned).collect()
}

/// Updates the version that a device shows itself.
fn update_device_version(state: &mut State, path: &str, old: &Value, new: &str) {
    let Some(mut document) = state.tree.document(path).cloned() else { return };
    let shown = ["/BiosVersion", "/FirmwareVersion", "/Controllers/0/FirmwarePackageVersion"]
        .into_iter()
        .find(|pointer| document.pointer(pointer) == Some(old));
    if let Some(version) = shown.and_then(|pointer| document.pointer_mut(pointer)) {
        *version = json!(new);
        state.tree.write(path, document);
        state.publish(Message::new(ResourceEvent::ResourceChanged, []), path);
    }
}

fn missing_part(part: &str) -> Response {
    let message = Message::new(Base::PropertyMissing, [part]).related_to(part);
    Response::with_messages(StatusCode::BAD_REQUEST, vec![message])
}
