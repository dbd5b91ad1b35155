//! The way in: the service root and what stands beside it, sessions and accounts as services, roles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::update_service::UPDATE_SERVICE;
use super::{MACHINES, link, status};
use crate::inventory::tree::Draft;
use crate::protocol::patch::{Kind, Property};
use crate::protocol::profile::Profile;
use crate::protocol::query::MAX_LEVELS;
use crate::state::accounts::{ACCOUNT_SERVICE, ACCOUNTS, LEAST_PASSWORD, MOST_PASSWORD, ROLES, Role};
use crate::state::events::{EVENT_SERVICE, SUBSCRIPTIONS};
use crate::state::sessions::{SESSION_SERVICE, SESSIONS};
use crate::state::tasks::{KEPT_MINUTES, TASK_SERVICE, TASKS};

/// SessionTimeout's range (DSP0268, "SessionService").
const SESSION_SERVICE_WRITABLE: &[Property] =
    &[Property { path: "SessionTimeout", kind: Kind::Whole { least: 30, most: 86_400 } }];

/// Wrong passwords, and seconds.
const ACCOUNT_SERVICE_WRITABLE: &[Property] = &[
    Property { path: "AccountLockoutThreshold", kind: Kind::Whole { least: 0, most: 1000 } },
    Property { path: "AccountLockoutDuration", kind: Kind::Whole { least: 0, most: 86_400 } },
    Property { path: "AccountLockoutCounterResetAfter", kind: Kind::Whole { least: 0, most: 86_400 } },
];

pub(super) fn add(drafts: &mut Vec<Draft>, profile: Profile) {
    drafts.push(Draft::new(service_root(profile)).open_to_all());
    drafts.push(session_service());
    drafts.push(Draft::new(account_service()).writable(ACCOUNT_SERVICE_WRITABLE));
    drafts.push(Draft::new(task_service()));
    drafts.push(Draft::collection(
        ROLES,
        "RoleCollection",
        "Roles",
        Role::ALL.into_iter().map(|role| role.name().to_owned()),
    ));
    drafts.extend(Role::ALL.into_iter().map(|role| Draft::new(self::role(role))));
}

/// What describes the others, and so is made last.
pub(super) fn add_descriptions(drafts: &mut Vec<Draft>, profile: Profile) {
    let mut descriptions = vec![
        versions(),
        Draft::raw("/redfish/v1/$metadata", "application/xml", metadata(drafts)),
        Draft::raw("/redfish/v1/odata", "application/json", odata().to_string()),
    ];
    if profile == Profile::Standard {
        descriptions.push(Draft::raw("/redfish/v1/openapi.yaml", "application/yaml", openapi(drafts)));
    }
    drafts.extend(descriptions.into_iter().map(Draft::open_to_all));
}

/// The versions of the protocol (DSP0266, "Protocol version").
pub(crate) fn versions() -> Draft {
    Draft::raw("/redfish", "application/json", r#"{"v1": "/redfish/v1/"}"#).open_to_all()
}

fn service_root(profile: Profile) -> Value {
    let mut root = json!({
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.18.0",
        "UUID": "7d9a4c52-0f38-4b6e-a1c7-2e5b90d3f614",
        "Vendor": "Fjord",
        "Product": "Fjord Machine Room",
        "ProtocolFeaturesSupported": {
            "ExpandQuery":
                {"ExpandAll": true, "Levels": true, "MaxLevels": MAX_LEVELS, "Links": true, "NoLinks": true},
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
    if profile == Profile::IloAmplifier {
        root["@odata.type"] = json!("#ServiceRoot.v1_1_0.ServiceRoot");
        root["RedfishVersion"] = json!("1.2.0");
        root["Oem"] = json!({"Hpe": {"Manager": [{"ManagerType": "iLO Amplifier Pack"}]}});
        // Neither was known to that version of the standard.
        if let Some(root) = root.as_object_mut() {
            for later in ["Vendor", "ProtocolFeaturesSupported"] {
                root.remove(later);
            }
        }
        root["Product"] = json!("iLO Amplifier Pack");
    }
    root
}

/// The services and collections that the root links to, as OData lists them.
const ENTRANCES: [(&str, &str); 10] = [
    ("Systems", "/redfish/v1/Systems"),
    ("Chassis", "/redfish/v1/Chassis"),
    ("Managers", "/redfish/v1/Managers"),
    ("SessionService", SESSION_SERVICE),
    ("AccountService", ACCOUNT_SERVICE),
    ("UpdateService", UPDATE_SERVICE),
    ("EventService", EVENT_SERVICE),
    ("Tasks", TASK_SERVICE),
    ("Registries", "/redfish/v1/Registries"),
    ("Sessions", SESSIONS),
];

fn odata() -> Value {
    let mut value = vec![json!({"name": "Service", "kind": "Singleton", "url": "/redfish/v1/"})];
    value.extend(ENTRANCES.map(|(name, url)| json!({"name": name, "kind": "Singleton", "url": url})));
    json!({"@odata.context": "/redfish/v1/$metadata", "value": value})
}

/// The types of what does not stand by itself: sessions, accounts, tasks and subscriptions come and go.
const PASSING_TYPES: [&str; 8] = [
    "#EventDestination.v1_14_1.EventDestination",
    "#EventDestinationCollection.EventDestinationCollection",
    "#ManagerAccount.v1_12_0.ManagerAccount",
    "#ManagerAccountCollection.ManagerAccountCollection",
    "#Session.v1_7_0.Session",
    "#SessionCollection.SessionCollection",
    "#Task.v1_7_4.Task",
    "#TaskCollection.TaskCollection",
];

/// The OData metadata document: which schema file describes what (DSP0266, "OData metadata").
fn metadata(drafts: &[Draft]) -> String {
    let mut schemas = BTreeMap::new();
    let mut container = String::new();
    for kind in drafts.iter().filter_map(Draft::kind).chain(PASSING_TYPES) {
        let namespace = kind.trim_start_matches('#').rsplit_once('.').map_or("", |(namespace, _)| namespace);
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

/// What can be read, as OpenAPI lists it (DSP0266, "OpenAPI").
fn openapi(drafts: &[Draft]) -> String {
    let mut text =
        String::from("openapi: 3.0.1\ninfo:\n  title: Redfish machine room\n  version: '1.0'\npaths:\n");
    for path in
        drafts.iter().map(|draft| draft.path.as_str()).chain([SESSIONS, ACCOUNTS, TASKS, SUBSCRIPTIONS])
    {
        text += &format!(
            "  {path}:\n    get:\n      responses:\n        '200':\n          description: The resource.\n"
        );
    }
    text
}

/// The session service itself.
pub(crate) fn session_service() -> Draft {
    Draft::new(json!({
        "@odata.id": SESSION_SERVICE,
        "@odata.type": "#SessionService.v1_1_9.SessionService",
        "Id": "SessionService",
        "Name": "Session Service",
        "Description": "Opens and closes sessions",
        "ServiceEnabled": true,
        "SessionTimeout": 1800,
        "Status": status("OK"),
        "Sessions": link(SESSIONS),
    }))
    .writable(SESSION_SERVICE_WRITABLE)
}

fn account_service() -> Value {
    json!({
        "@odata.id": ACCOUNT_SERVICE,
        "@odata.type": "#AccountService.v1_15_0.AccountService",
        "Id": "AccountService",
        "Name": "Account Service",
        "Description": format!("Who may use the service and its {} machines", MACHINES.len()),
        "ServiceEnabled": true,
        "Status": status("OK"),
        "MinPasswordLength": LEAST_PASSWORD,
        "MaxPasswordLength": MOST_PASSWORD,
        "AccountLockoutThreshold": 0,
        "AccountLockoutDuration": 60,
        "AccountLockoutCounterResetAfter": 60,
        "HTTPBasicAuth": "Enabled",
        "Accounts": link(ACCOUNTS),
        "Roles": link(ROLES),
    })
}

fn task_service() -> Value {
    json!({
        "@odata.id": TASK_SERVICE,
        "@odata.type": "#TaskService.v1_2_1.TaskService",
        "Id": "TaskService",
        "Name": "Task Service",
        "Description": "What takes a while",
        "ServiceEnabled": true,
        "CompletedTaskOverWritePolicy": "Oldest",
        "TaskAutoDeleteTimeoutMinutes": KEPT_MINUTES,
        "LifeCycleEventOnTaskStateChange": false,
        "Status": status("OK"),
        "Tasks": link(TASKS),
    })
}

fn role(role: Role) -> Value {
    let privileges: Vec<String> =
        role.privileges().iter().map(|privilege| format!("{privilege:?}")).collect();
    json!({
        "@odata.id": format!("{ROLES}/{}", role.name()),
        "@odata.type": "#Role.v1_3_0.Role",
        "Id": role.name(),
        "Name": format!("Role {}", role.name()),
        "RoleId": role.name(),
        "IsPredefined": true,
        "AssignedPrivileges": privileges,
        "OemPrivileges": [],
    })
}
