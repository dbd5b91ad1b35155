//! The service root, and the documents that describe the service: versions, OData and OpenAPI.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use super::machine::link;
use crate::protocol::profile::Profile;
use crate::protocol::query::MAX_LEVELS;
use crate::protocol::uris::{
    ACCOUNT_SERVICE, ACCOUNTS, EVENT_SERVICE, SESSION_SERVICE, SESSIONS, SUBSCRIPTIONS, TASK_SERVICE, TASKS,
    UPDATE_SERVICE,
};

pub(super) fn add(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    resources.push(ResourceBuilder::new(service_root(profile)).public());
}

/// Adds the descriptions of all other resources.
pub(super) fn add_descriptions(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    let mut descriptions = vec![
        versions(),
        ResourceBuilder::raw("/redfish/v1/$metadata", "application/xml", metadata(resources)),
        ResourceBuilder::raw("/redfish/v1/odata", "application/json", odata(resources).to_string()),
    ];
    if profile != Profile::IloAmplifier {
        descriptions.push(ResourceBuilder::raw(
            "/redfish/v1/openapi.yaml",
            "application/yaml",
            openapi(resources),
        ));
    }
    resources.extend(descriptions.into_iter().map(ResourceBuilder::public));
}

/// The versions of the protocol (DSP0266, "Protocol version").
pub(super) fn versions() -> ResourceBuilder {
    ResourceBuilder::raw("/redfish", "application/json", r#"{"v1": "/redfish/v1/"}"#).public()
}

fn service_root(profile: Profile) -> Value {
    let mut root = json!({
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_17_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.18.0",
        "UUID": "7d9a4c52-0f38-4b6e-a1c7-2e5b90d3f614",
        "Vendor": "Fjord",
        "Product": "Fjord Machine Room",
        "ProtocolFeaturesSupported": {
            "ExpandQuery":
                {"ExpandAll": true, "Levels": true, "MaxLevels": MAX_LEVELS, "Links": true, "NoLinks": true},
            "MultipleHTTPRequests": true,
            "FilterQuery": true,
            "SelectQuery": true,
            "OnlyMemberQuery": true,
            "ExcerptQuery": true,
            "TopSkipQuery": true,
        },
        "Systems": link("/redfish/v1/Systems"),
        "Chassis": link("/redfish/v1/Chassis"),
        "Managers": link("/redfish/v1/Managers"),
        "SessionService": link(SESSION_SERVICE),
        "AccountService": link(ACCOUNT_SERVICE),
        "UpdateService": link(UPDATE_SERVICE),
        "EventService": link(EVENT_SERVICE),
        "Tasks": link(TASK_SERVICE),
        "Registries": link("/redfish/v1/Registries"),
        "Links": {"Sessions": link(SESSIONS)},
    });
    let remove = |root: &mut Value, names: &[&str]| {
        if let Some(root) = root.as_object_mut() {
            root.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    match profile {
        Profile::Slots => remove(&mut root, &["Tasks"]),
        Profile::Older => {
            root["@odata.type"] = json!("#ServiceRoot.v1_0_2.ServiceRoot");
            root["RedfishVersion"] = json!("1.0.2");
            let later = ["Vendor", "Product", "ProtocolFeaturesSupported", "UpdateService", "EventService"];
            remove(&mut root, &later);
        }
        Profile::IloAmplifier => {
            root["@odata.type"] = json!("#ServiceRoot.v1_3_0.ServiceRoot");
            root["RedfishVersion"] = json!("1.2.0");
            root["Oem"] = json!({"Hpe": {"Manager": [{"ManagerType": "iLO Amplifier Pack"}]}});
            root["Product"] = json!("iLO Amplifier Pack");
            // That version of the standard does not define them.
            remove(&mut root, &["Vendor", "ProtocolFeaturesSupported"]);
        }
        Profile::Standard => {}
    }
    root
}

/// The OData service document: the services and collections that the root links to (DSP0266, "OData service document").
fn odata(resources: &[ResourceBuilder]) -> Value {
    let root = resources.iter().find(|resource| resource.path == "/redfish/v1");
    let root = root.and_then(ResourceBuilder::document).and_then(Value::as_object);
    let links = root
        .into_iter()
        .flatten()
        .filter_map(|(name, link)| Some((name.as_str(), link["@odata.id"].as_str()?)));
    let sessions = root.and_then(|root| root["Links"]["Sessions"]["@odata.id"].as_str());
    let links = links.chain(sessions.map(|sessions| ("Sessions", sessions)));
    let mut value = vec![json!({"name": "Service", "kind": "Singleton", "url": "/redfish/v1/"})];
    value.extend(links.map(|(name, url)| json!({"name": name, "kind": "Singleton", "url": url})));
    json!({"@odata.context": "/redfish/v1/$metadata", "value": value})
}

/// The types of the resources that are not in the tree.
const STATE_TYPES: [&str; 13] = [
    "#AttributeRegistry.v1_4_0.AttributeRegistry",
    "#EventDestination.v1_14_1.EventDestination",
    "#EventDestinationCollection.EventDestinationCollection",
    "#Job.v1_2_5.Job",
    "#JobCollection.JobCollection",
    "#ManagerAccount.v1_12_0.ManagerAccount",
    "#ManagerAccountCollection.ManagerAccountCollection",
    "#Message.v1_2_1.Message",
    "#MessageRegistry.v1_6_2.MessageRegistry",
    "#Session.v1_7_0.Session",
    "#SessionCollection.SessionCollection",
    "#Task.v1_7_4.Task",
    "#TaskCollection.TaskCollection",
];

/// Collects the types of a document and of the objects in it.
fn collect_types<'a>(value: &'a Value, types: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            types.extend(members.get("@odata.type").and_then(Value::as_str));
            members.values().for_each(|member| collect_types(member, types));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_types(item, types)),
        _ => {}
    }
}

/// The OData metadata document (DSP0266, "OData metadata").
fn metadata(resources: &[ResourceBuilder]) -> String {
    let mut schemas = BTreeMap::new();
    let mut container = String::new();
    let mut types = BTreeSet::from(STATE_TYPES);
    resources
        .iter()
        .filter_map(ResourceBuilder::document)
        .for_each(|document| collect_types(document, &mut types));
    for odata_type in types {
        let namespace =
            odata_type.trim_start_matches('#').rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let (schema, version) = namespace.split_once('.').unwrap_or((namespace, ""));
        schemas.insert(schema, version);
        if schema == "ServiceRoot" {
            container = format!("{namespace}.ServiceContainer");
        }
    }
    let mut text = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\" Version=\"4.0\">\n",
    ));
    for (schema, version) in schemas {
        text += &format!("  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/{schema}_v1.xml\">\n");
        text += &format!("    <edmx:Include Namespace=\"{schema}\"/>\n");
        if !version.is_empty() {
            text += &format!("    <edmx:Include Namespace=\"{schema}.{version}\"/>\n");
        }
        text += "  </edmx:Reference>\n";
    }
    text += "  <edmx:DataServices>\n";
    text += "    <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\" Namespace=\"Service\">\n";
    text += &format!("      <EntityContainer Name=\"Service\" Extends=\"{container}\"/>\n");
    text + "    </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n"
}

/// The paths of all resources, as an OpenAPI document (DSP0266, "OpenAPI").
fn openapi(resources: &[ResourceBuilder]) -> String {
    let mut text =
        String::from("openapi: 3.0.1\ninfo:\n  title: Redfish machine room\n  version: '1.0'\npaths:\n");
    for path in resources.iter().map(|resource| resource.path.as_str()).chain([
        SESSIONS,
        ACCOUNTS,
        TASKS,
        SUBSCRIPTIONS,
    ]) {
        text += &format!(
            "  {path}:\n    get:\n      responses:\n        '200':\n          description: The resource.\n"
        );
    }
    text
}
