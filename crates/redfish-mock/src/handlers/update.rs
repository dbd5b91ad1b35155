//! Firmware updates (DSP0266, "Update service").
//!
//! ```text
//!  202 ──► the image is written ──► the service restarts ──► Completed: the inventory shows the new version
//!            Settings::update_time    Settings::restart_time: unavailable, and sessions are lost
//! ```
//!
//! With the apply time `OnReset`, the inventory shows it after the next reset of the system, or of the manager for its own firmware, and
//! the service does not restart.
//!
//! Nothing is installed. The new version is the start of the digest of the image, so that a client can check that all of it
//! arrived.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::protocol::image::Image;
use crate::protocol::message::{Base, Message};
use crate::protocol::payload::Payload;
use crate::protocol::request::Request;
use crate::protocol::response::Response;
use crate::protocol::uris::UPDATE_SERVICE;
use crate::state::State;

/// The parameter for the time at which an update takes effect (DSP0266, "Operation apply time").
const APPLY_TIME: &str = "@Redfish.OperationApplyTime";
const ON_RESET: &str = "OnReset";

/// Whether an update waits for a reset, so that the service does not restart for it.
pub(super) fn waits_for_reset(request: &Request<'_>) -> bool {
    let parameters = match request.payload {
        Payload::Push { parameters, .. } => parameters.as_deref(),
        _ => Some(request.payload.bytes()),
    };
    let parameters: Option<Value> = parameters.and_then(|text| serde_json::from_slice(text).ok());
    parameters.is_some_and(|parameters| parameters[APPLY_TIME] == ON_RESET)
}

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
    let apply_time = parameters.get(APPLY_TIME);
    if let Some(unknown) = apply_time.filter(|time| ![json!("Immediate"), json!(ON_RESET)].contains(time)) {
        let value = unknown.as_str().map_or_else(|| unknown.to_string(), str::to_owned);
        return Response::error(StatusCode::BAD_REQUEST, Base::PropertyValueNotInList, [&value, APPLY_TIME]);
    }
    let version = image.version();
    for path in firmware_paths(state) {
        let Some(firmware) = state.tree.document(&path) else { continue };
        let device = firmware["RelatedItem"][0]["@odata.id"].as_str().unwrap_or_default();
        let is_target = targets.is_empty() || targets.contains(&path.as_str()) || targets.contains(&device);
        match (is_target, apply_time) {
            (true, Some(time)) if time == ON_RESET => state.pending_firmware.push((path, version.clone())),
            (true, _) => state.update_firmware(&path, &version),
            (false, _) => {}
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

fn missing_part(part: &str) -> Response {
    let message = Message::new(Base::PropertyMissing, [part]).related_to(part);
    Response::with_messages(StatusCode::BAD_REQUEST, vec![message])
}
