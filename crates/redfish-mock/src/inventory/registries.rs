//! Message registries: the definitions of the messages, for clients that look them up.

use serde_json::{Map, Value, json};

use super::builder::ResourceBuilder;
use crate::protocol::message::{Base, Entry, MachineRoom, Registry, ResourceEvent, TaskEvent};
use crate::protocol::profile::Profile;

const REGISTRIES: &str = "/redfish/v1/Registries";
/// The location of the registries themselves, which are not resources.
const STORE: &str = "/redfish/v1/RegistryStore/en";
/// The registry of the settings of the BIOS.
const BIOS: &str = "BiosAttributeRegistry.1.0.0";

pub(super) fn add(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    let registries = [
        (Registry::Base, "General errors and successes", Base::ENTRIES),
        (Registry::ResourceEvent, "Changes of resources", ResourceEvent::ENTRIES),
        (Registry::TaskEvent, "Progress of tasks", TaskEvent::ENTRIES),
        (Registry::MachineRoom, "Log entries of the machines", MachineRoom::ENTRIES),
    ];
    let id = |registry: Registry| {
        let (prefix, version) = registry.prefix_and_version(profile);
        format!("{prefix}.{version}.0")
    };
    let ids = registries.map(|(registry, ..)| id(registry)).into_iter().chain([BIOS.to_owned()]);
    resources.push(ResourceBuilder::collection(
        REGISTRIES,
        "MessageRegistryFileCollection",
        "Message registries",
        ids,
    ));
    let (uri, name) = (format!("{STORE}/{BIOS}.json"), "BIOS attributes");
    resources.push(registry_file(BIOS, "BiosAttributeRegistry.1.0", name, "The settings of the BIOS", &uri));
    let attributes = include_str!("data/bios_registry.json");
    resources.push(ResourceBuilder::raw(&uri, "application/json", attributes));
    for (registry, description, entries) in registries {
        let (prefix, version) = registry.prefix_and_version(profile);
        let id = id(registry);
        let uri = format!("{STORE}/{id}.json");
        let (name, registry) = (format!("Messages of {prefix}"), format!("{prefix}.{version}"));
        resources.push(registry_file(&id, &registry, &name, description, &uri));
        let messages: Map<String, Value> =
            entries.iter().map(|entry| (entry.key.to_owned(), definition(entry))).collect();
        let registry = json!({
            "@odata.type": "#MessageRegistry.v1_6_2.MessageRegistry",
            "Id": id,
            "Name": format!("Messages of {prefix}"),
            "Description": description,
            "Language": "en",
            "RegistryPrefix": prefix,
            "RegistryVersion": format!("{version}.0"),
            "OwningEntity": "Fjord",
            "Messages": messages,
        });
        resources.push(ResourceBuilder::raw(&uri, "application/json", registry.to_string()));
    }
}

fn registry_file(id: &str, registry: &str, name: &str, description: &str, uri: &str) -> ResourceBuilder {
    ResourceBuilder::new(json!({
        "@odata.id": format!("{REGISTRIES}/{id}"),
        "@odata.type": "#MessageRegistryFile.v1_1_4.MessageRegistryFile",
        "Id": id,
        "Name": name,
        "Description": description,
        "Languages": ["en"],
        "Registry": registry,
        "Location": [{"Language": "en", "Uri": uri}],
    }))
}

fn definition(entry: &Entry) -> Value {
    let arguments = (1..=9).filter(|n| entry.text.contains(&format!("%{n}"))).count();
    json!({
        "Description": entry.text,
        "Message": entry.text,
        "Severity": entry.severity.name(),
        "MessageSeverity": entry.severity.name(),
        "NumberOfArgs": arguments,
        "ParamTypes": vec!["string"; arguments],
        "Resolution": entry.resolution,
    })
}
