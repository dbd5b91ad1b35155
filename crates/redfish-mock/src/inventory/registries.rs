//! Message registries: what each message that the service uses means, as its clients can look it up.

use serde_json::{Map, Value, json};

use crate::inventory::tree::Draft;
use crate::protocol::message::{Base, Entry, Registry, ResourceEvent, Room, TaskEvent};
use crate::protocol::profile::Profile;

const REGISTRIES: &str = "/redfish/v1/Registries";
/// Where the registries themselves are: they are no resources.
const STORE: &str = "/redfish/v1/RegistryStore/en";

pub(super) fn add(drafts: &mut Vec<Draft>, profile: Profile) {
    let registries = [
        (Registry::Base, "What every service says", Base::ENTRIES),
        (Registry::ResourceEvent, "What becomes of resources", ResourceEvent::ENTRIES),
        (Registry::TaskEvent, "What becomes of tasks", TaskEvent::ENTRIES),
        (Registry::MachineRoom, "What happens in the machine room", Room::ENTRIES),
    ];
    let id = |registry: Registry| {
        let (prefix, version) = registry.prefix_and_version(profile);
        format!("{prefix}.{version}.0")
    };
    let ids = registries.map(|(registry, ..)| id(registry));
    drafts.push(Draft::collection(REGISTRIES, "MessageRegistryFileCollection", "Message registries", ids));
    for (registry, about, entries) in registries {
        let (prefix, version) = registry.prefix_and_version(profile);
        let id = id(registry);
        let uri = format!("{STORE}/{id}.json");
        drafts.push(Draft::new(json!({
            "@odata.id": format!("{REGISTRIES}/{id}"),
            "@odata.type": "#MessageRegistryFile.v1_1_4.MessageRegistryFile",
            "Id": id,
            "Name": format!("Messages of {prefix}"),
            "Description": about,
            "Languages": ["en"],
            "Registry": format!("{prefix}.{version}"),
            "Location": [{"Language": "en", "Uri": uri}],
        })));
        let messages: Map<String, Value> =
            entries.iter().map(|entry| (entry.key.to_owned(), definition(entry))).collect();
        let registry = json!({
            "@odata.type": "#MessageRegistry.v1_6_2.MessageRegistry",
            "Id": id,
            "Name": format!("Messages of {prefix}"),
            "Description": about,
            "Language": "en",
            "RegistryPrefix": prefix,
            "RegistryVersion": format!("{version}.0"),
            "OwningEntity": "Fjord",
            "Messages": messages,
        });
        drafts.push(Draft::raw(&uri, "application/json", registry.to_string()));
    }
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
