//! Query parameters: pages, filters, expansion, selection, and errors.

mod common;

use common::{Client, SYSTEM, messages};
use serde_json::{Value, json};

const ENTRIES: &str = "/redfish/v1/Managers/E1D8B426/LogServices/Log/Entries";
const ROLES: &str = "/redfish/v1/AccountService/Roles";
const MEMORY: &str = "/redfish/v1/Systems/E1D8B426/Memory";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn ids(document: &Value) -> Vec<String> {
    let members = document["Members"].as_array().expect("members");
    let last = |member: &Value| Some(member["@odata.id"].as_str()?.rsplit('/').next()?.to_owned());
    members.iter().filter_map(last).collect()
}

fn next(document: &Value) -> Option<String> {
    document["Members@odata.nextLink"].as_str().map(str::to_owned)
}

/// Reads all pages. Returns the number of members of each, and all identifiers.
fn walk(client: &mut Client, first: &str) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut all, mut link) = (Vec::new(), Vec::new(), Some(first.to_owned()));
    while let Some(path) = link {
        let answer = client.get(&path);
        assert_eq!(answer.status(), 200, "{path}");
        let page = answer.json();
        sizes.push(ids(&page).len());
        all.extend(ids(&page));
        link = next(&page);
    }
    (sizes, all)
}

#[test]
fn a_long_collection_has_pages_of_fifty_members() {
    let mut client = admin_client();
    let first = client.get(ENTRIES).json();
    assert_eq!(first["Members@odata.count"], 120);
    assert_eq!(next(&first), Some(format!("{ENTRIES}?$skip=50")));
    let (sizes, all) = walk(&mut client, ENTRIES);
    assert_eq!(sizes, [50, 50, 20]);
    assert_eq!(all, (1..=120).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(walk(&mut client, SYSTEM_ENTRIES).0, [4], "a short collection has one page");
    assert_eq!(
        walk(&mut Client::ilo_amplifier().basic("ada"), ENTRIES).0,
        [120],
        "the other profile has no pages"
    );
}

const SYSTEM_ENTRIES: &str = "/redfish/v1/Systems/E1D8B426/LogServices/Log/Entries";

#[test]
fn top_and_skip_select_members_and_the_next_link_continues() {
    let mut client = admin_client();
    for (query, sizes, first) in [
        ("$top=3", &[3][..], "1"),
        ("$top=50", &[50], "1"),
        ("$top=70", &[50, 20], "1"),
        ("$skip=100", &[20], "101"),
        ("$skip=60&$top=55", &[50, 5], "61"),
        ("$skip=110&$top=50", &[10], "111"),
        ("$filter=Severity eq 'Critical'", &[20], "3"),
        ("$filter=Severity ne 'Critical'&$skip=40", &[50, 10], "49"),
    ] {
        let (seen, all) = walk(&mut client, &format!("{ENTRIES}?{}", query.replace(' ', "%20")));
        assert_eq!((seen.as_slice(), all[0].as_str()), (sizes, first), "{query}");
    }
    for query in ["$top=0", "$skip=120", "$skip=4000000000"] {
        let page = client.get(&format!("{ENTRIES}?{query}")).json();
        assert_eq!(
            (ids(&page).len(), next(&page), &page["Members@odata.count"]),
            (0, None, &json!(120)),
            "{query}"
        );
    }
}

#[test]
fn a_filter_selects_the_members_that_match() {
    let mut client = admin_client();
    for (filter, expected) in [
        ("Id eq 'Administrator'", &["Administrator"][..]),
        ("not (Id eq 'Administrator')", &["Operator", "ReadOnly"]),
        ("Id eq 'Administrator' or Id eq 'ReadOnly'", &["Administrator", "ReadOnly"]),
        ("Id gt 'Administrator' and Id lt 'ReadOnly'", &["Operator"]),
        ("IsPredefined eq false", &[]),
    ] {
        let answer = client.get(&format!("{ROLES}?$filter={}", filter.replace(' ', "%20"))).json();
        assert_eq!(ids(&answer), expected, "{filter}");
        assert_eq!(answer["Members@odata.count"], expected.len(), "{filter}");
    }
    let failing =
        client.get("/redfish/v1/Systems/EF2BF486/Memory?$filter=Status/Health%20eq%20'Warning'").json();
    assert_eq!(ids(&failing), ["DIMM3"]);
    // A filter reveals nothing that the caller may not read.
    let accounts = "/redfish/v1/AccountService/Accounts?$filter=RoleId%20eq%20'Administrator'";
    assert_eq!(ids(&client.get(accounts).json()), ["1"]);
    client.credentials = Some(common::basic("bob"));
    assert_eq!(ids(&client.get(accounts).json()), [""; 0]);
}

#[test]
fn expand_replaces_links_by_resources() {
    let mut client = admin_client();
    let expanded = client.get(&format!("{MEMORY}?$expand=.")).json();
    let dimm = client.get(&format!("{MEMORY}/DIMM2")).json();
    assert_eq!((expanded["Members"].as_array().map(Vec::len), &expanded["Members"][1]), (Some(8), &dimm));

    let root = |client: &mut Client, query: &str| client.get(&format!("/redfish/v1/?$expand={query}")).json();
    for query in [".", ".($levels=1)"] {
        let root = root(&mut client, query);
        for name in ["Systems", "Chassis", "Managers", "AccountService", "SessionService", "Tasks"] {
            assert!(root[name]["Name"].is_string(), "{query} {name}");
        }
        assert_eq!(root["Links"]["Sessions"].as_object().map(serde_json::Map::len), Some(1), "{query}");
        assert_eq!(root["Systems"]["Members"][0].as_object().map(serde_json::Map::len), Some(1), "{query}");
    }
    let links = root(&mut client, "~");
    assert!(links["Links"]["Sessions"]["Name"].is_string() && links["Systems"]["Name"].is_null());
    let all = root(&mut client, "*");
    assert!(all["Links"]["Sessions"]["Name"].is_string() && all["Systems"]["Name"].is_string());
    let deep = root(&mut client, ".($levels=2)");
    assert!(deep["Systems"]["Members"][0]["Model"].is_string());
    assert!(deep["Systems"]["Members"][0]["Bios"]["Name"].is_null());
}

#[test]
fn expand_shows_only_readable_resources_and_is_bounded() {
    let mut client = Client::standard();
    let root = client.get("/redfish/v1/?$expand=*($levels=3)").json();
    assert!(root["Systems"]["Name"].is_null() && root["Links"]["Sessions"]["Name"].is_null());
    let mut client = client.basic("bob");
    let accounts = client.get("/redfish/v1/AccountService/Accounts?$expand=.").json();
    let names: Vec<bool> = (0..3).map(|n| accounts["Members"][n]["UserName"].is_string()).collect();
    assert_eq!(names, [false, false, true], "only the own account");

    let mut client = admin_client();
    let answer = client.get("/redfish/v1/?$expand=*($levels=3)");
    assert_eq!(answer.status(), 200);
    assert!(answer.response.body().len() < 4 << 20, "{}", answer.response.body().len());
    let log = client.get("/redfish/v1/Managers/E1D8B426/LogServices/Log?$expand=.").json();
    assert_eq!(ids(&log["Entries"]).len(), 50, "one page of the nested collection");
    assert_eq!(next(&log["Entries"]), Some(format!("{ENTRIES}?$skip=50")));
}

#[test]
fn select_returns_the_named_properties() {
    let mut client = admin_client();
    let role = format!("{ROLES}/Administrator");
    let whole = client.get(&role).json();
    let selected = client.get(&format!("{role}?$select=Name,AssignedPrivileges,Color")).json();
    let expected: Value = ["@odata.id", "@odata.type", "@odata.etag", "Name", "AssignedPrivileges"]
        .into_iter()
        .map(|name| (name.to_owned(), whole[name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(selected, expected);
    let members = client.get(&format!("{ROLES}?$expand=.&$select=Members/Name")).json();
    assert_eq!(members["Members"][0]["Name"], whole["Name"]);
    assert!(members["Members"][0]["AssignedPrivileges"].is_null() && members["Name"].is_null());
}

#[test]
fn select_applies_to_the_expanded_members_as_well() {
    let mut client = admin_client();
    // The example of DSP0266, "The $expand query parameter".
    let systems = client.get("/redfish/v1/Systems?$select=UUID&$expand=.($levels=1)").json();
    assert_eq!(systems["Members@odata.count"], 3);
    for (member, id) in systems["Members"].as_array().expect("members").iter().zip(ids(&systems)) {
        let whole = client.get(&format!("/redfish/v1/Systems/{id}")).json();
        let expected: Value = ["@odata.id", "@odata.type", "@odata.etag", "UUID"]
            .into_iter()
            .map(|name| (name.to_owned(), whole[name].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        assert!(whole["UUID"].is_string() && *member == expected, "{member}");
    }

    // A property of both is returned of both.
    let roles = client.get(&format!("{ROLES}?$expand=.&$select=Name,IsPredefined")).json();
    assert!(roles["Name"].is_string() && roles["IsPredefined"].is_null() && roles["Description"].is_null());
    let role = &roles["Members"][0];
    assert!(role["Name"].is_string() && role["IsPredefined"] == true && role["AssignedPrivileges"].is_null());

    // Each page has its selected members and the link to the next one.
    let pages = format!("{ENTRIES}?$expand=.&$select=Severity");
    assert!(client.get(&pages).json()["Members"][49]["Severity"].is_string());
    assert_eq!(walk(&mut client, &pages).0, [50, 50, 20]);
}

#[test]
fn select_without_expand_applies_to_the_collection() {
    let mut client = admin_client();
    let named = client.get(&format!("{ROLES}?$select=Name")).json();
    assert!(
        named["Name"].is_string() && named["Members"].is_null() && named["Members@odata.count"].is_null()
    );
    let whole = client.get(ROLES).json();
    for path in ["Members", "Members/Name"] {
        let links = client.get(&format!("{ROLES}?$select={path}")).json();
        assert_eq!(links["Members"], whole["Members"], "{path}");
        assert_eq!((&links["Members@odata.count"], &links["Name"]), (&json!(3), &Value::Null), "{path}");
    }
    // A resource that is not a collection has no members to select from.
    let system = client.get(&format!("{SYSTEM}?$expand=.&$select=Name,Memory/Name")).json();
    assert!(system["Name"].is_string() && system["Memory"]["Name"].is_string());
    assert!(system["Memory"]["Members"].is_null() && system["Processors"].is_null());
}

#[test]
fn the_etag_is_that_of_the_whole_resource_or_missing() {
    let mut client = admin_client();
    let tag = client.get(SYSTEM).header("ETag").expect("an ETag").to_owned();
    let selected = client.get(&format!("{SYSTEM}?$select=Name"));
    assert_eq!(selected.header("ETag"), Some(tag.as_str()));
    let known = client.send("GET", &format!("{SYSTEM}?$select=Name"), &[("If-None-Match", &tag)], "");
    assert_eq!(known.status(), 304);
    let expanded = client.send("GET", &format!("{SYSTEM}?$expand=."), &[("If-None-Match", "*")], "");
    assert_eq!((expanded.status().as_u16(), expanded.header("ETag")), (200, None));
}

#[test]
fn only_returns_the_single_member_itself() {
    let mut client = admin_client();
    let session = client.log_in("ada");
    let only = client.get(&format!("{}?only", common::SESSIONS)).json();
    assert_eq!(only["@odata.id"], session.as_str());
    let several = client.get("/redfish/v1/Systems?only").json();
    assert_eq!(several["Members@odata.count"], 3);
}

#[test]
fn the_excerpt_of_a_sensor_is_its_reading() {
    let mut client = admin_client();
    let sensor = "/redfish/v1/Chassis/E1D8B426/Sensors/InletTemp";
    let excerpt = client.get(&format!("{sensor}?excerpt")).json();
    let names: Vec<&String> = excerpt.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["@odata.etag", "@odata.id", "@odata.type", "Reading"]);
}

#[test]
fn an_unsupported_query_parameter_is_rejected() {
    let mut client = admin_client();
    let refused = "QueryNotSupportedOnResource";
    for (path, query, status, message) in [
        ("/redfish/v1/AccountService", "only", 400, refused),
        (SYSTEM, "$top=1", 400, refused),
        (SYSTEM, "$filter=Id%20eq%20'x'", 400, refused),
        (SYSTEM, "excerpt", 400, refused),
        ("/redfish/v1/", "excerpt=foo", 400, "QueryParameterValueFormatError"),
        (common::SESSIONS, "only=foo", 400, "QueryParameterValueFormatError"),
        (ROLES, "$filter=Id", 400, "QueryParameterValueFormatError"),
        (ROLES, "$top=x", 400, "QueryParameterValueTypeError"),
        (ROLES, "only&$top=1", 400, "QueryCombinationInvalid"),
        (ROLES, "a=1&$count=true", 501, "QueryNotSupported"),
        (ROLES, "%24orderby=Id", 501, "QueryNotSupported"),
    ] {
        let answer = client.get(&format!("{path}?{query}"));
        assert_eq!(
            (answer.status().as_u16(), messages(&answer)),
            (status, vec![message.to_owned()]),
            "{path} {query}"
        );
    }
    assert_eq!(client.get(&format!("{SYSTEM}?color=red")).status(), 200);
    let mut client = Client::ilo_amplifier().basic("ada");
    for (query, status) in [("$top=1", 501), ("$select=Id", 501), ("a=1&%24expand=.", 501), ("only=foo", 200)]
    {
        assert_eq!(client.get(&format!("{ROLES}?{query}")).status(), status, "{query}");
    }
}

#[test]
fn the_service_root_advertises_the_supported_query_parameters() {
    let advertised = Client::standard().get("/redfish/v1/").json()["ProtocolFeaturesSupported"].clone();
    let levels = advertised["ExpandQuery"]["MaxLevels"].as_u64().expect("a number");
    let mut client = admin_client();
    for (levels, status) in [(levels, 200), (levels + 1, 400)] {
        assert_eq!(client.get(&format!("{ROLES}?$expand=.($levels={levels})")).status(), status);
    }
    for feature in ["FilterQuery", "SelectQuery", "OnlyMemberQuery", "ExcerptQuery", "TopSkipQuery"] {
        assert_eq!(advertised[feature], true, "{feature}");
    }
}

#[test]
fn a_cleared_log_is_empty() {
    let mut client = admin_client();
    let clear = "/redfish/v1/Managers/E1D8B426/LogServices/Log/Actions/LogService.ClearLog";
    assert_eq!(client.get(&format!("{ENTRIES}/7")).json()["MessageId"], "MachineRoom.1.0.PowerChanged");
    assert_eq!(client.post(clear, json!({"Color": 1})).status(), 400);
    assert_eq!(client.post(clear, json!({})).status(), 204);
    assert_eq!(client.get(ENTRIES).json()["Members"], json!([]));
    assert_eq!(client.get(&format!("{ENTRIES}/7")).status(), 404);
    assert_eq!(client.mock.writes(clear), 1);
}
