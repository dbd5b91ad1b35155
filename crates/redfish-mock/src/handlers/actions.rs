//! POST to an action: checks its parameters and invokes it.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{certificates, devices, power, update, volumes};
use crate::inventory::action::Action;
use crate::inventory::resource::Resource;
use crate::protocol::image::Image;
use crate::protocol::message::{Base, MachineRoom, Message, ResourceEvent};
use crate::protocol::path::Path;
use crate::protocol::property::{HIDDEN, Kind};
use crate::protocol::representation::NEXT_LINK;
use crate::protocol::response::Response;
use crate::state::State;
use crate::state::schedule::Effect;

/// Invokes an action of a resource.
pub(super) fn invoke(
    state: &mut State,
    resource: &Resource,
    name: &str,
    parameters: &Map<String, Value>,
    now: Duration,
) -> Response {
    let entry = resource.action_entry(name);
    let target = entry["target"].as_str().unwrap_or_default();
    let errors = check_parameters(name, entry, parameters);
    if !errors.is_empty() {
        return Response::with_messages(StatusCode::BAD_REQUEST, errors);
    }
    let unreported =
        ["Manager.Reset", "Manager.ResetToDefaults", "Bios.ResetBios", "Bios.ChangePassword", "Drive.Reset"];
    if unreported.contains(&name) || name.starts_with("NetworkAdapter.") || name.starts_with("Processor.") {
        state.note(&resource.path, MachineRoom::ActionPerformed, [name]);
    }
    let reset_type = parameters.get("ResetType").and_then(Value::as_str).unwrap_or_default();
    match name {
        "ComputerSystem.Reset" => power::reset_system(state, resource, reset_type, now),
        // The service is the manager, so the reset ends its sessions.
        "Manager.Reset" if state.schedule.has_restart() => {}
        "Manager.Reset" => {
            let restart = Effect::Restart { duration: Duration::ZERO, task: None };
            state.schedule.add(now + state.reset_delay, restart);
        }
        "Manager.ResetToDefaults" => restore(state, &resource.path, |path| {
            reset_type.starts_with("PreserveNetwork") && path.contains("/EthernetInterfaces/")
        }),
        "Bios.ResetBios" => restore(state, &resource.path, |_| false),
        "EventService.SubmitTestEvent" => {
            state.publish(Message::new(ResourceEvent::TestMessage, []), &resource.path);
        }
        // The image is not downloaded. Its URI takes its place.
        "UpdateService.SimpleUpdate" => {
            let image = Image::new(parameters["ImageURI"].as_str().unwrap_or_default().as_bytes());
            return update::update(state, parameters, image, target);
        }
        "LogService.ClearLog" => clear_log(state, resource),
        "LogService.CollectDiagnosticData" => {
            let kind = parameters["DiagnosticDataType"].as_str().unwrap_or_default();
            let entry = devices::collect_diagnostic_data(state, resource, kind);
            state.count_write(target);
            return Response { location: entry, ..Response::success(state.profile) };
        }
        "LicenseService.Install" => {
            let uri = parameters["LicenseFileURI"].as_str().unwrap_or_default();
            return devices::install_license(state, resource, uri);
        }
        "VirtualMedia.InsertMedia" => {
            if let Err(refusal) = devices::insert_media(state, resource, parameters) {
                return *refusal;
            }
        }
        "VirtualMedia.EjectMedia" => devices::eject_media(state, resource),
        "CertificateService.GenerateCSR" => return certificates::generate_csr(state, parameters),
        "CertificateService.ReplaceCertificate" => {
            return match certificates::replace(state, parameters) {
                Ok(uri) => {
                    state.count_write(target);
                    Response { location: Some(uri), ..Response::success(state.profile) }
                }
                Err(refusal) => *refusal,
            };
        }
        "SecureBoot.ResetKeys" | "SecureBootDatabase.ResetKeys" => {
            let kind = parameters["ResetKeysType"].as_str().unwrap_or_default();
            devices::reset_keys(state, resource, kind);
        }
        "Drive.SecureErase" if volumes::is_in_volume(state, &resource.path) => {
            return Response::error(StatusCode::CONFLICT, Base::ResourceInUse, []);
        }
        "Drive.SecureErase" => state.report(&resource.path, MachineRoom::DriveErased, [name_of(resource)]),
        "Volume.Initialize" => {
            state.report(&resource.path, MachineRoom::VolumeInitialized, [name_of(resource)])
        }
        _ => {}
    }
    state.count_write(target);
    Response::success(state.profile)
}

/// Restores the initial state of a resource and of everything below it, except paths that `keep` accepts.
fn restore(state: &mut State, path: &str, keep: impl Fn(&str) -> bool) {
    for restored in state.tree.restore(path, keep) {
        state.publish(Message::new(ResourceEvent::ResourceChanged, []), &restored);
    }
}

fn name_of(resource: &Resource) -> &str {
    resource.document()["Name"].as_str().unwrap_or_default()
}

fn clear_log(state: &mut State, log_service: &Resource) {
    let Some(path) = log_service.document()["Entries"]["@odata.id"].as_str() else { return };
    state.publish(Message::new(ResourceEvent::ResourceChanged, []), path);
    let path = Path::new(path);
    for page in state.tree.pages(path.as_str()) {
        let Some(mut entries) = state.tree.document(&page).cloned() else { continue };
        for entry in entries["Members"].as_array().into_iter().flatten() {
            state.tree.remove_all(Path::new(entry["@odata.id"].as_str().unwrap_or_default()).as_str());
        }
        entries["Members"] = json!([]);
        entries["Members@odata.count"] = json!(0);
        entries.as_object_mut().map(|entries| entries.remove(NEXT_LINK));
        state.tree.write(&page, entries);
    }
}

/// Checks the parameters of an action, and returns a message for each error. `entry` describes the action in its resource: its
/// allowable values take precedence over those of the standard. The parameters of an unknown action are otherwise not checked.
fn check_parameters(name: &str, entry: &Value, given: &Map<String, Value>) -> Vec<Message> {
    let known = Action::from_name(name);
    let parameters = known.map_or(&[][..], |action| action.parameters);
    let mut messages: Vec<Message> = parameters
        .iter()
        .filter(|parameter| parameter.required && !given.contains_key(parameter.name))
        .map(|parameter| Message::new(Base::ActionParameterMissing, [name, parameter.name]))
        .collect();
    for (parameter, value) in given.iter().filter(|(parameter, _)| !parameter.contains('@')) {
        let allowed = entry[format!("{parameter}@Redfish.AllowableValues")].as_array();
        let kind = parameters.iter().find(|known| known.name == parameter).map(|known| known.kind);
        let error = match (allowed, kind) {
            (Some(values), _) if values.contains(value) => None,
            (Some(_), _) if value.is_string() => Some(Base::ActionParameterValueNotInList),
            (Some(_), _) => Some(Base::ActionParameterValueTypeError),
            (None, Some(kind)) => kind.check(parameter, value).err().map(|message| parameter_error(&message)),
            (None, None) if known.is_some() => {
                messages.push(Message::new(Base::ActionParameterUnknown, [name, parameter]));
                None
            }
            (None, None) => None,
        };
        if let Some(error) = error {
            let shown = match kind {
                Some(Kind::Secret { .. }) => HIDDEN.to_owned(),
                _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            messages.push(Message::new(error, [&shown, parameter, name]));
        }
    }
    messages
}

/// Converts the error of a property to that of a parameter.
fn parameter_error(message: &Message) -> Base {
    match message.entry().key {
        "PropertyValueNotInList" => Base::ActionParameterValueNotInList,
        "PropertyValueOutOfRange" => Base::ActionParameterValueOutOfRange,
        "PropertyValueFormatError" => Base::ActionParameterValueFormatError,
        _ => Base::ActionParameterValueTypeError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::action::{ParameterSource, SYSTEM_RESET};

    fn keys(name: &str, entry: &Value, given: Value) -> Vec<&'static str> {
        let given = given.as_object().cloned().unwrap_or_default();
        check_parameters(name, entry, &given).iter().map(|message| message.entry().key).collect()
    }

    #[test]
    fn each_invalid_parameter_has_its_own_message() {
        for source in [ParameterSource::Annotations, ParameterSource::ActionInfo, ParameterSource::Both] {
            let entry = SYSTEM_RESET.entry("/redfish/v1/Systems/1", source);
            for (given, expected) in [
                (json!({"ResetType": "On"}), &[][..]),
                (json!({"ResetType": "On", "@Redfish.OperationApplyTime": "Immediate"}), &[]),
                (json!({}), &["ActionParameterMissing"]),
                (json!({"ResetType": "Explode"}), &["ActionParameterValueNotInList"]),
                (json!({"ResetType": 1}), &["ActionParameterValueTypeError"]),
                (json!({"Type": "On"}), &["ActionParameterMissing", "ActionParameterUnknown"]),
            ] {
                assert_eq!(
                    keys("ComputerSystem.Reset", &entry, given.clone()),
                    expected,
                    "{given} {source:?}"
                );
            }
        }
    }

    #[test]
    fn the_values_of_the_resource_take_precedence_and_an_unknown_action_is_accepted() {
        let narrow = json!({"ResetType@Redfish.AllowableValues": ["On"]});
        let off = json!({"ResetType": "ForceOff"});
        assert_eq!(keys("ComputerSystem.Reset", &narrow, off), ["ActionParameterValueNotInList"]);
        assert!(keys("Chassis.Polish", &json!({}), json!({"Cloth": 7})).is_empty());
    }
}
