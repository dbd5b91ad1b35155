//! What the actions and changes of devices do: virtual media, drives and volumes, licenses, Secure Boot.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::inventory::builder::ResourceBuilder;
use crate::inventory::resource::Resource;
use crate::protocol::message::{Base, MachineRoom, Message, ResourceEvent};
use crate::protocol::response::Response;
use crate::state::State;
use crate::state::journal::schema;

/// Success, or the response that refuses a request.
pub(super) type Refusal = Result<(), Box<Response>>;

/// Inserts an image (DSP0268, "VirtualMedia").
pub(super) fn insert_media(state: &mut State, slot: &Resource, parameters: &Map<String, Value>) -> Refusal {
    if slot.document()["Inserted"] == true {
        return Err(Box::new(Response::error(StatusCode::CONFLICT, Base::ResourceInUse, [])));
    }
    let image = parameters["Image"].as_str().unwrap_or_default();
    if protocol_of(image).is_null() {
        let arguments = ["Image", "Image", "VirtualMedia.InsertMedia"];
        let message = Base::ActionParameterValueFormatError;
        return Err(Box::new(Response::error(StatusCode::BAD_REQUEST, message, arguments)));
    }
    let image = without_user_info(image);
    let protocol = parameters.get("TransferProtocolType").cloned().unwrap_or_else(|| protocol_of(&image));
    let is_inserted = parameters.get("Inserted").is_none_or(|inserted| *inserted == true);
    let is_protected = parameters.get("WriteProtected").cloned().unwrap_or(json!(true));
    let user = parameters.get("UserName").cloned().unwrap_or_default();
    state.change(&slot.path, |slot| {
        slot["Image"] = json!(image);
        slot["TransferProtocolType"] = protocol;
        slot["WriteProtected"] = is_protected;
        slot["UserName"] = user;
        show_media(slot, is_inserted);
    });
    report_media(state, slot);
    Ok(())
}

/// Ejects the image.
pub(super) fn eject_media(state: &mut State, slot: &Resource) {
    let was_inserted = slot.document()["Inserted"] == true;
    state.change(&slot.path, |slot| {
        for member in ["Image", "TransferProtocolType", "UserName"] {
            if slot.get(member).is_some() {
                slot[member] = Value::Null;
            }
        }
        show_media(slot, false);
    });
    if was_inserted {
        report_media(state, slot);
    }
}

/// The BIOS setting that another one makes read-only, as the attribute registry says: its name, that of the other, and the other's
/// value.
const DEPENDENCY: (&str, &str, &str) = ("PxeTimeoutSeconds", "BootMode", "Legacy");

/// Whether no BIOS setting that a PATCH changes is made read-only by another.
pub(super) fn check_dependencies(state: &State, resource: &Resource, change: &Map<String, Value>) -> Refusal {
    if let (false, Some(order)) =
        (state.is_mockup, change.get("Boot").and_then(|boot| boot["BootOrder"].as_array()))
    {
        let sorted = |order: &[Value]| {
            let mut names: Vec<String> = order.iter().map(Value::to_string).collect();
            names.sort();
            names
        };
        let current = resource.document()["Boot"]["BootOrder"].as_array();
        // A name that is not known is refused with the other properties of the change.
        let is_known = |current: &[Value]| order.iter().all(|name| current.contains(name));
        if current.is_some_and(|current| is_known(current) && sorted(current) != sorted(order)) {
            let arguments = [&*Value::from(order.clone()).to_string(), "BootOrder"];
            let refusal = Response::error(StatusCode::BAD_REQUEST, Base::PropertyValueFormatError, arguments);
            return Err(Box::new(refusal));
        }
    }
    let (dependent, other, value) = DEPENDENCY;
    let changed = change.get("Attributes").filter(|_| schema(resource) == "Bios").and_then(Value::as_object);
    let Some(changed) = changed.filter(|changed| changed.contains_key(dependent)) else { return Ok(()) };
    let bios = state.tree.document(resource.path.trim_end_matches("/Settings"));
    let pending = &resource.document()["Attributes"];
    let current =
        changed.get(other).or_else(|| pending.get(other)).or_else(|| bios?["Attributes"].get(other));
    if current.is_some_and(|current| *current == value) {
        let refusal = Response::error(StatusCode::BAD_REQUEST, Base::PropertyNotWritable, [dependent]);
        return Err(Box::new(refusal));
    }
    Ok(())
}

/// The consequences of a PATCH of a resource, of which `before` is the state before it.
pub(super) fn after_patch(state: &mut State, before: &Resource) {
    let after = state.tree.document(&before.path).filter(|_| !state.is_mockup);
    let Some(after) = after else { return };
    match schema(before) {
        // A slot without actions: its image is inserted with it, unless the client says otherwise.
        "VirtualMedia" => {
            let has_image = after["Image"].is_string();
            let was_inserted = before.document()["Inserted"] == true;
            let is_inserted =
                has_image && (after["Inserted"] == true || before.document()["Image"].is_null());
            state.change(&before.path, |slot| {
                if let Some(image) = slot["Image"].as_str() {
                    slot["Image"] = json!(without_user_info(image));
                }
                show_media(slot, is_inserted);
            });
            if is_inserted != was_inserted {
                report_media(state, before);
            }
        }
        "Control" => {
            copy_limit(state, &before.path, &after.clone());
            state.note(&before.path, MachineRoom::SettingsChanged, [&before.path]);
        }
        "EnvironmentMetrics" => {
            let limit = after["PowerLimitWatts"].clone();
            let control = limit["DataSourceUri"].as_str().unwrap_or_default();
            state.change(control, |control| {
                for name in ["SetPoint", "ControlMode"] {
                    control[name] = limit[name].clone();
                }
            });
            state.note(&before.path, MachineRoom::SettingsChanged, [&before.path]);
        }
        "ComputerSystem" | "Chassis" | "Drive"
            if after["LocationIndicatorActive"] != before.document()["LocationIndicatorActive"] =>
        {
            let lamp = if after["LocationIndicatorActive"] == true { "on" } else { "off" };
            state.report(&before.path, MachineRoom::LampSwitched, [lamp]);
        }
        _ => state.note(&before.path, MachineRoom::SettingsChanged, [&before.path]),
    }
}

/// Copies a power limit to the metrics of its chassis.
fn copy_limit(state: &mut State, path: &str, control: &Value) {
    let Some((chassis, _)) = path.split_once("/Controls/") else { return };
    state.change(&format!("{chassis}/EnvironmentMetrics"), |metrics| {
        for name in ["SetPoint", "ControlMode"] {
            metrics["PowerLimitWatts"][name] = control[name].clone();
        }
    });
}

/// The members of a slot that follow from its image.
fn show_media(slot: &mut Value, is_inserted: bool) {
    let name = slot["Image"].as_str().and_then(|image| image.rsplit('/').next()).map(str::to_owned);
    slot["ImageName"] = json!(name);
    slot["Inserted"] = json!(is_inserted);
    slot["ConnectedVia"] = json!(if is_inserted { "URI" } else { "NotConnected" });
}

fn report_media(state: &mut State, slot: &Resource) {
    let Some(document) = state.tree.document(&slot.path) else { return };
    let name = document["Name"].as_str().unwrap_or_default().to_owned();
    match document["ImageName"].as_str().filter(|_| document["Inserted"] == true).map(str::to_owned) {
        Some(image) => state.report(&slot.path, MachineRoom::MediaInserted, [&image, &name]),
        None => state.report(&slot.path, MachineRoom::MediaEjected, [&name]),
    }
}

/// A URI without user name and password, which the service does not show.
fn without_user_info(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// The protocol of an image's URI, if it is one that media can be transferred with.
fn protocol_of(image: &str) -> Value {
    let scheme = image.split_once("://").filter(|(_, rest)| !rest.trim_start_matches('/').is_empty());
    let scheme = scheme.map(|(scheme, _)| scheme.to_ascii_uppercase());
    json!(scheme.filter(|scheme| ["HTTP", "HTTPS", "NFS", "CIFS"].contains(&scheme.as_str())))
}

/// Completes a member that a client has created.
pub(super) fn complete_member(member: &mut Map<String, Value>, collection: &Resource) {
    // The service does not show the text of a license again.
    if schema(collection) == "LicenseCollection" {
        member.insert("LicenseString".into(), Value::Null);
        member.insert("LicenseOrigin".into(), json!("Installed"));
        member.insert("LicenseType".into(), json!("Production"));
        member.insert("Removable".into(), json!(true));
    }
}

/// Installs the license of a file, which is not downloaded.
pub(super) fn install_license(state: &mut State, service: &Resource, uri: &str) -> Response {
    let licenses = service.document()["Licenses"]["@odata.id"].as_str().unwrap_or_default();
    let Some(collection) = state.tree.get(licenses).cloned() else { return Response::not_found(licenses) };
    let name = uri.rsplit('/').next().unwrap_or_default();
    let mut license = Map::from_iter([("Name".to_owned(), json!(format!("License of {name}")))]);
    complete_member(&mut license, &collection);
    let id = state.tree.free_member_id(&collection.path);
    let path = state.tree.add_member(&collection, &id, &license);
    state.count_write(&service.path);
    state.publish(Message::new(ResourceEvent::ResourceCreated, []), &path);
    Response::created(path, None)
}

/// Enters diagnostic data in a log, where it can be downloaded. Returns the path of the entry.
pub(super) fn collect_diagnostic_data(
    state: &mut State,
    log_service: &Resource,
    kind: &str,
) -> Option<String> {
    state.report(&log_service.path, MachineRoom::DiagnosticDataCollected, [kind]);
    let entries = format!("{}/Entries", log_service.path);
    let newest =
        state.tree.document(&entries).and_then(|entries| entries["Members"].as_array()?.last().cloned());
    let path = newest.as_ref()?["@odata.id"].as_str()?;
    let (uri, data) = (format!("{path}/attachment"), format!("Diagnostic data of the kind {kind}\n"));
    let attach = |entry: &mut Value| {
        entry["AdditionalDataURI"] = json!(uri);
        entry["AdditionalDataSizeBytes"] = json!(data.len());
        entry["DiagnosticDataType"] = json!(kind);
    };
    state.change(path, attach);
    state.change(&entries, |entries| {
        if let Some(entry) = entries["Members"].as_array_mut().and_then(|members| members.last_mut()) {
            attach(entry);
        }
    });
    state.tree.insert(ResourceBuilder::raw(&uri, "text/plain", data));
    Some(path.to_owned())
}

/// Resets or deletes the keys of Secure Boot, or of one of its databases. Without the platform key (PK), the system is in setup mode.
pub(super) fn reset_keys(state: &mut State, owner: &Resource, kind: &str) {
    let system: Vec<&str> = owner.path.split('/').take(5).collect();
    let secure_boot = format!("{}/SecureBoot", system.join("/"));
    let databases = format!("{secure_boot}/SecureBootDatabases");
    let above = match kind {
        "DeletePK" => format!("{databases}/PK"),
        _ if schema(owner) == "SecureBoot" => databases.clone(),
        _ => owner.path.clone(),
    };
    let keys = |state: &State, database: &str| {
        let of = |list: &str| {
            let list = state.tree.document(&format!("{databases}/{database}/{list}"));
            let links = list.and_then(|list| list["Members"].as_array()).cloned().unwrap_or_default();
            links.iter().filter_map(|link| link["@odata.id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        ["Certificates", "Signatures"].into_iter().flat_map(of).collect::<Vec<String>>()
    };
    let all = ["PK", "KEK", "db", "dbx"].into_iter().flat_map(|database| keys(state, database));
    let removed: Vec<String> = all.filter(|key| key.starts_with(&format!("{above}/"))).collect();
    for key in removed {
        if let Some(key) = state.tree.get(&key).cloned() {
            state.tree.remove_member(&key);
        }
    }
    if kind == "ResetAllKeysToDefault" {
        state.tree.restore(&above, |_| false);
    }
    let mode = if keys(state, "PK").is_empty() { "SetupMode" } else { "DeployedMode" };
    state.change(&secure_boot, |secure_boot| secure_boot["SecureBootMode"] = json!(mode));
    state.report(&secure_boot, MachineRoom::KeysReset, [kind]);
}
