//! Resources: headers, preconditions, changes, accounts and errors (DSP0266).

mod common;

use std::collections::BTreeSet;

use common::{Client, SYSTEM, messages};
use redfish_mock::Answer;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn etag(answer: &Answer) -> String {
    answer.header("ETag").expect("an ETag").to_owned()
}

#[test]
fn all_resources_are_linked_from_the_service_root() {
    for mut client in [admin_client(), Client::ilo_amplifier().basic("ada")] {
        let mut todo = vec!["/redfish/v1/".to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(path) = todo.pop() {
            let path = path.split('#').next().unwrap().to_owned();
            if !seen.insert(path.clone()) {
                continue;
            }
            let answer = client.get(&path);
            assert_eq!(answer.status(), 200, "{path}");
            let document = answer.json();
            assert_eq!(document["@odata.id"], path.as_str());
            assert_eq!(document["@odata.etag"], etag(&answer).as_str(), "{path}");
            links(&document, &mut todo);
        }
        let systems = seen.iter().filter(|path| path.starts_with("/redfish/v1/Systems/")).count();
        assert!(seen.len() > 100 && systems > 40, "{} resources, {systems} of systems", seen.len());
    }
}

fn links(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        Value::Object(members) => {
            found.extend(members.get("@odata.id").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| links(value, found));
        }
        _ => {}
    }
}

#[test]
fn the_three_systems_have_content() {
    let mut client = admin_client();
    let members = client.get("/redfish/v1/Systems").json()["Members"].clone();
    let ids = ["E1D8B426", "E905C3FF", "EF2BF486"];
    assert_eq!(members, json!(ids.map(|id| json!({"@odata.id": format!("/redfish/v1/Systems/{id}")}))));
    for id in ids {
        let system = client.get(&format!("/redfish/v1/Systems/{id}")).json();
        assert_eq!(system["Id"], id);
        for member in ["Model", "SerialNumber", "PowerState", "BiosVersion", "UUID"] {
            assert!(system[member].as_str().is_some_and(|text| !text.is_empty()), "{id} {member}");
        }
        assert!(system["MemorySummary"]["TotalSystemMemoryGiB"].as_u64() > Some(0));
    }
}

#[test]
fn a_response_has_the_headers_of_the_standard() {
    let mut client = admin_client();
    for method in ["GET", "HEAD"] {
        let answer = client.send(method, SYSTEM, &[], "");
        assert_eq!(answer.header("OData-Version"), Some("4.0"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("Allow"), Some("GET, HEAD, PATCH"));
        let schema = "<http://redfish.dmtf.org/schemas/v1/ComputerSystem.v1_25_0.json>; rel=describedby";
        assert_eq!(answer.header("Link"), Some(schema));
        assert!(etag(&answer).starts_with('"'));
        assert_eq!(answer.response.body().is_empty(), method == "HEAD");
        assert!(answer.header("Content-Length").unwrap().parse::<usize>().unwrap() > 500);
    }
    let refused = Client::standard().get(SYSTEM);
    assert_eq!(refused.status(), 401);
    assert!(refused.header("WWW-Authenticate").unwrap().starts_with("Basic "));
    for name in ["OData-Version", "Cache-Control", "Content-Length"] {
        assert!(refused.header(name).is_some(), "{name}");
    }
}

#[test]
fn the_metadata_lists_the_schema_of_every_type() {
    let mut client = admin_client();
    let answer = client.get("/redfish/v1/$metadata");
    assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    let text = String::from_utf8(answer.response.into_body()).unwrap();
    for namespace in
        ["ComputerSystem.v1_25_0", "Session.v1_7_0", "ManagerAccount.v1_12_0", "SensorCollection"]
    {
        assert!(text.contains(&format!("Namespace=\"{namespace}\"")), "{namespace}");
    }
    let odata = client.get("/redfish/v1/odata").json();
    assert_eq!(odata["@odata.context"], "/redfish/v1/$metadata");
    assert!(odata["value"].as_array().is_some_and(|value| value.len() > 5));
}

#[test]
fn an_unsupported_odata_version_is_412() {
    let mut client = admin_client();
    assert_eq!(client.send("GET", SYSTEM, &[("OData-Version", "4.1")], "").status(), 412);
    assert_eq!(client.send("GET", SYSTEM, &[("OData-Version", "4.0")], "").status(), 200);
}

#[test]
fn a_matching_etag_is_304_but_401_takes_precedence() {
    let mut client = admin_client();
    let tag = etag(&client.get(SYSTEM));
    let known = client.send("GET", SYSTEM, &[("If-None-Match", &tag)], "");
    assert_eq!((known.status().as_u16(), known.response.body().len()), (304, 0));
    assert_eq!(etag(&known), tag);
    client.patch(SYSTEM, json!({"AssetTag": "moved"}));
    assert_eq!(client.send("GET", SYSTEM, &[("If-None-Match", &tag)], "").status(), 200);
    client.credentials = None;
    assert_eq!(client.send("GET", SYSTEM, &[("If-None-Match", &tag)], "").status(), 401);
}

#[test]
fn only_the_first_of_four_patches_with_the_same_etag_succeeds() {
    for (mut client, path) in [(admin_client(), SYSTEM.to_owned()), (admin_client(), format!("{ACCOUNTS}/1"))]
    {
        let tag = etag(&client.get(&path));
        // A patch that would change nothing fails, too.
        let body = if path == SYSTEM { r#"{"AssetTag": "won"}"# } else { r#"{"Enabled": true}"# };
        let won =
            [1, 2, 3, 4].map(|_| client.send("PATCH", &path, &[("If-Match", &tag)], body).status().as_u16());
        assert_eq!(won, [200, 412, 412, 412], "{path}");
        assert_eq!(client.mock.writes(&path), 1);
        assert_ne!(etag(&client.get(&path)), tag);
    }
}

#[test]
fn an_etag_changes_with_each_write_and_never_repeats() {
    let mut client = admin_client();
    let first = client.get(SYSTEM);
    client.wait(3600);
    assert_eq!(etag(&client.get(SYSTEM)), etag(&first));
    let old = first.json()["AssetTag"].clone();
    let changed = client.patch(SYSTEM, json!({"AssetTag": "other"}));
    assert_eq!(etag(&changed), etag(&client.get(SYSTEM)));
    let back = client.patch(SYSTEM, json!({"AssetTag": old}));
    assert_eq!(back.json()["AssetTag"], old);
    let tags = BTreeSet::from([etag(&first), etag(&changed), etag(&back)]);
    assert_eq!(tags.len(), 3, "{tags:?}");
}

#[test]
fn a_patch_reports_each_rejected_property() {
    let mut client = admin_client();
    let answer = client.patch(SYSTEM, json!({"AssetTag": "B7", "SerialNumber": "x", "Color": "red"}));
    let body = answer.json();
    assert_eq!((answer.status().as_u16(), &body["AssetTag"]), (200, &json!("B7")));
    assert_eq!(body["SerialNumber@Message.ExtendedInfo"][0]["MessageId"], "Base.1.19.PropertyNotWritable");
    assert_eq!(body["Color@Message.ExtendedInfo"][0]["MessageId"], "Base.1.19.PropertyUnknown");
    assert_eq!(body["@Message.ExtendedInfo"].as_array().map(Vec::len), Some(2));
    assert_eq!(etag(&answer), etag(&client.get(SYSTEM)), "annotations are not part of the state");
    assert!(!client.get(SYSTEM).json().to_string().contains("ExtendedInfo"));

    let refused = client.patch(SYSTEM, json!({"Color": "red"}));
    assert_eq!((refused.status().as_u16(), messages(&refused)), (400, vec!["PropertyUnknown".to_owned()]));
    let entry = &refused.json()["error"]["@Message.ExtendedInfo"][0];
    assert_eq!(entry["MessageArgs"], json!(["Color"]));
    assert_eq!(entry["RelatedProperties"], json!(["#/Color"]));
    for member in ["Message", "Severity", "Resolution"] {
        assert!(entry[member].is_string(), "{member}");
    }
    let empty = client.patch(SYSTEM, json!({"@odata.id": SYSTEM}));
    assert_eq!((empty.status().as_u16(), messages(&empty)), (400, vec!["NoOperation".to_owned()]));
    assert_eq!(client.mock.writes(SYSTEM), 1);
}

#[test]
fn an_unsupported_method_is_405_with_allow() {
    let mut client = admin_client();
    let reset = format!("{SYSTEM}/Actions/ComputerSystem.Reset");
    let session = "GET, HEAD, POST";
    for (method, path, allow) in [
        ("DELETE", "/redfish/v1/", "GET, HEAD"),
        ("PATCH", "/redfish/v1/", "GET, HEAD"),
        ("POST", "/redfish/v1/", "GET, HEAD"),
        ("PUT", SYSTEM, "GET, HEAD, PATCH"),
        ("FROB", SYSTEM, "GET, HEAD, PATCH"),
        ("PATCH", common::SESSIONS, session),
        ("DELETE", ACCOUNTS, session),
        ("GET", reset.as_str(), "POST"),
    ] {
        let answer = client.send(method, path, &[], "{}");
        assert_eq!((answer.status().as_u16(), answer.header("Allow")), (405, Some(allow)), "{method} {path}");
        assert_eq!(messages(&answer), ["OperationNotAllowed"]);
    }
}

#[test]
fn a_missing_resource_is_404_with_its_path() {
    let answer = admin_client().get("/redfish/v1/Systems/nothing");
    assert_eq!((answer.status().as_u16(), messages(&answer)), (404, vec!["ResourceMissingAtURI".to_owned()]));
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "Base.1.19.ResourceMissingAtURI");
    assert!(error["message"].as_str().unwrap().contains("/redfish/v1/Systems/nothing"));
}

#[test]
fn an_account_is_created_used_changed_and_deleted() {
    let mut client = admin_client();
    let eve = json!({"UserName": "eve", "Password": "analytical", "RoleId": "ReadOnly"});
    let created = client.post(ACCOUNTS, eve.clone());
    assert_eq!(created.status(), 201);
    let path = created.header("Location").unwrap().to_owned();
    assert_eq!(created.json()["@odata.id"], path.as_str());
    assert_eq!(created.json()["Password"], Value::Null);
    let again = client.post(ACCOUNTS, eve);
    assert_eq!((again.status().as_u16(), messages(&again)), (409, vec!["ResourceAlreadyExists".to_owned()]));
    assert_eq!(client.mock.writes(ACCOUNTS), 1);
    assert_eq!(client.get(ACCOUNTS).json()["Members@odata.count"], 4);

    client.log_in("eve");
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).status(), 403);
    let held = client.credentials.take();
    client.credentials = Some(common::basic("ada"));
    assert_eq!(client.patch(&path, json!({"RoleId": "Operator"})).json()["RoleId"], "Operator");
    client.credentials = held;
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).status(), 200);

    client.credentials = Some(common::basic("ada"));
    assert_eq!(client.send("DELETE", &path, &[("If-Match", "\"no\"")], "").status(), 412);
    assert_eq!(client.delete(&path).status(), 204);
    assert_eq!(client.get(&path).status(), 404);
}

#[test]
fn an_invalid_account_is_not_created() {
    for (body, expected) in [
        (json!({"UserName": "eve", "RoleId": "ReadOnly"}), "CreateFailedMissingReqProperties"),
        (json!({"UserName": "eve", "Password": "short", "RoleId": "ReadOnly"}), "PropertyValueFormatError"),
        (json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "King"}), "PropertyValueNotInList"),
        (
            json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "ReadOnly", "Age": 7}),
            "PropertyUnknown",
        ),
    ] {
        let mut client = admin_client();
        let answer = client.post(ACCOUNTS, body.clone());
        assert_eq!((answer.status().as_u16(), messages(&answer)), (400, vec![expected.to_owned()]), "{body}");
        assert!(!answer.json().to_string().contains("eavesdrop"));
        assert_eq!(client.mock.writes(ACCOUNTS), 0);
    }
}

#[test]
fn handled_requests_are_recorded() {
    let mut client = admin_client();
    client.get("/redfish/v1/Systems/?a=b");
    client.patch(SYSTEM, json!({}));
    let seen: Vec<String> = client
        .mock
        .handled()
        .map(|handled| format!("{} {} {}", handled.method, handled.path, handled.status.as_u16()))
        .collect();
    assert_eq!(seen, ["GET /redfish/v1/Systems/ 200".to_owned(), format!("PATCH {SYSTEM} 400")]);
}
