//! Volumes: what they are made of, and which drives and controllers know them.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::devices::Refusal;
use crate::inventory::action::{INITIALIZE_VOLUME, ParameterSource};
use crate::inventory::resource::Resource;
use crate::protocol::message::{Base, MachineRoom};
use crate::protocol::response::Response;
use crate::state::State;
use crate::state::journal::schema;

/// Whether the drives of a new volume are free ones of its storage, and enough for its kind of RAID.
pub(super) fn check(state: &State, collection: &Resource, body: &Map<String, Value>) -> Refusal {
    if state.is_mockup || schema(collection) != "VolumeCollection" {
        return Ok(());
    }
    let refuse = |message, arguments: [&str; 1]| {
        Err(Box::new(Response::error(StatusCode::BAD_REQUEST, message, arguments)))
    };
    let storage = collection.path.trim_end_matches("/Volumes");
    let mut drives = drives_of(body.get("Links"));
    let is_known =
        |drive: &&String| drive.starts_with(&format!("{storage}/Drives/")) && state.tree.get(drive).is_some();
    if let Some(unknown) = drives.iter().find(|drive| !is_known(drive)).cloned() {
        return refuse(Base::ResourceMissingAtURI, [&*unknown]);
    }
    if drives.iter().any(|drive| is_in_volume(state, drive)) {
        return Err(Box::new(Response::error(StatusCode::CONFLICT, Base::ResourceInUse, [])));
    }
    drives.sort();
    drives.dedup();
    match drives.len() < min_drives(body.get("RAIDType")) {
        true => refuse(Base::CreateFailedMissingReqProperties, ["Links/Drives"]),
        false => Ok(()),
    }
}

fn min_drives(raid: Option<&Value>) -> usize {
    match raid.and_then(Value::as_str) {
        Some("RAID1") => 2,
        Some("RAID5") => 3,
        _ => 1,
    }
}

/// Whether a drive belongs to a volume.
pub(super) fn is_in_volume(state: &State, drive: &str) -> bool {
    let volumes = state.tree.document(drive).and_then(|drive| drive["Links"]["Volumes"].as_array());
    volumes.is_some_and(|volumes| !volumes.is_empty())
}

/// Completes a volume that a client has created at a path.
pub(super) fn complete(state: &State, volume: &mut Map<String, Value>, path: &str) {
    let capacity = |drive: &String| state.tree.document(drive)?["CapacityBytes"].as_u64();
    let drives = drives_of(volume.get("Links"));
    let smallest = drives.iter().filter_map(capacity).min().unwrap_or_default();
    let data_drives = match volume.get("RAIDType").and_then(Value::as_str) {
        Some("RAID1") => drives.len() / 2,
        Some("RAID5") => drives.len() - 1,
        _ => drives.len(),
    };
    let capacity = smallest * data_drives as u64;
    let name = volume.get("DisplayName").cloned().unwrap_or_else(|| json!("Volume"));
    let defaults = [
        ("Name", name.clone()),
        ("DisplayName", name),
        ("BlockSizeBytes", json!(512)),
        ("CapacityBytes", json!(capacity)),
        ("Encrypted", json!(false)),
        ("ReadCachePolicy", json!("ReadAhead")),
        ("WriteCachePolicy", json!("WriteThrough")),
        ("Status", json!({"State": "Enabled", "Health": "OK"})),
        (
            "Actions",
            json!({"#Volume.Initialize": INITIALIZE_VOLUME.entry(path, ParameterSource::Annotations)}),
        ),
    ];
    for (name, value) in defaults {
        volume.entry(name).or_insert(value);
    }
}

fn drives_of(links: Option<&Value>) -> Vec<String> {
    let drives = links.and_then(|links| links["Drives"].as_array());
    drives.into_iter().flatten().filter_map(|drive| drive["@odata.id"].as_str().map(str::to_owned)).collect()
}

/// Links the drives and the controller of a volume to it, or no longer.
pub(super) fn link(state: &mut State, volume: &str, is_linked: bool) {
    let Some(document) = state.tree.document(volume) else { return };
    let name = document["Name"].as_str().unwrap_or_default().to_owned();
    let update = |owner: &mut Value, member: &str| {
        let Some(volumes) = owner["Links"][member].as_array_mut() else { return };
        volumes.retain(|link| link["@odata.id"] != volume);
        if is_linked {
            volumes.push(json!({"@odata.id": volume}));
        }
    };
    for drive in drives_of(document.get("Links")) {
        state.change(&drive, |drive| update(drive, "Volumes"));
    }
    if let Some((storage, _)) = volume.split_once("/Volumes/") {
        state.change(&format!("{storage}/Controllers/1"), |controller| update(controller, "AttachedVolumes"));
    }
    let message = if is_linked { MachineRoom::VolumeCreated } else { MachineRoom::VolumeDeleted };
    state.report(volume, message, [&name]);
}
