//! Mockups: folders that DMTF's Mockup-Creator writes.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Client, SESSIONS, messages, settings};
use redfish_mock::{Mockup, Profile, Settings};
use serde_json::{Value, json};

const SYSTEM: &str = "/redfish/v1/Systems/sys";

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mockups").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// A small mockup without a session service, at `root` within a folder.
fn small(name: &str, root: &str) -> PathBuf {
    let folder = folder(name);
    let link = |path: &str| json!({"@odata.id": path});
    let add = |path: &str, document: Value| {
        write(&folder, &format!("{root}{path}index.json"), &document.to_string())
    };
    add(
        "",
        json!({"@odata.id": "/redfish/v1/", "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot", "Name": "Root",
        "Systems": link("/redfish/v1/Systems")}),
    );
    add(
        "Systems/",
        json!({"@odata.id": "/redfish/v1/Systems", "Name": "Systems",
        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
        "Members@odata.count": 1, "Members": [link(SYSTEM)]}),
    );
    add(
        "Systems/sys/",
        json!({"@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_5_0.ComputerSystem",
        "Id": "sys", "Name": "One", "PowerState": "On", "Boot": {"Mode": "UEFI", "Order": ["a", "b"]},
        "Actions": {
            "#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/sys/Actions/ComputerSystem.Reset",
                "ResetType@Redfish.AllowableValues": ["ForceOff", "On"]},
            "Oem": {"#Vendor.Polish": {"target": "/redfish/v1/Systems/sys/Actions/Oem/Vendor.Polish"}}}}),
    );
    add("Systems/sys/Bios/", json!({"@odata.id": "/redfish/v1/Systems/sys/Bios", "Name": "Bios"}));
    folder
}

fn serve(mockup: Mockup) -> Client {
    Client::new(Settings { mockup: Some(mockup), ..settings(Profile::Standard) })
}

#[test]
fn a_folder_is_served_with_and_without_its_prefix() {
    for (name, root) in [("whole", "redfish/v1/"), ("half", "v1/"), ("bare", "")] {
        let mockup = Mockup::read(small(name, root)).expect("a mockup");
        assert_eq!(
            mockup.warnings(Profile::Standard),
            ["no session service: the one of the mock is added"],
            "{name}"
        );
        let mut client = serve(mockup);
        assert_eq!(client.get("/redfish").json(), json!({"v1": "/redfish/v1/"}), "{name}");
        let root = client.get("/redfish/v1/");
        assert_eq!((root.status().as_u16(), &root.json()["Name"]), (200, &json!("Root")), "{name}");
        assert_eq!(client.get(SYSTEM).status(), 401, "{name}");
        client.log_in("ada");
        let system = client.get(SYSTEM);
        assert_eq!(system.json()["Boot"]["Mode"], "UEFI", "{name}");
        assert_eq!(system.header("Allow"), Some("GET, HEAD, PATCH, DELETE"));
        assert_eq!(client.get("/redfish/v1/Chassis").status(), 404, "the invented servers are replaced");
    }
}

#[test]
fn a_mockup_without_a_session_service_gets_one() {
    let mut client = serve(Mockup::read(small("sessions", "redfish/v1/")).expect("a mockup"));
    let root = client.get("/redfish/v1/").json();
    assert_eq!(root["Links"]["Sessions"]["@odata.id"], SESSIONS);
    let session = client.log_in("ada");
    let service = client.get(root["SessionService"]["@odata.id"].as_str().expect("a link")).json();
    assert_eq!(
        (&service["SessionTimeout"], &service["Sessions"]["@odata.id"]),
        (&json!(1800), &json!(SESSIONS))
    );
    assert_eq!(client.get(SESSIONS).json()["Members"], json!([{"@odata.id": session}]));
    client.wait(1800);
    assert_eq!(client.get(SYSTEM).status(), 401);
}

#[test]
fn the_sessions_of_a_mockup_are_replaced() {
    let folder = small("elsewhere", "");
    let root =
        json!({"@odata.id": "/redfish/v1/", "Links": {"Sessions": {"@odata.id": "/redfish/v1/Sessions/"}}});
    write(&folder, "index.json", &root.to_string());
    write(
        &folder,
        "SessionService/index.json",
        &json!({"@odata.id": "/redfish/v1/SessionService", "SessionTimeout": 7, "Vendor": true}).to_string(),
    );
    write(
        &folder,
        "SessionService/Sessions/index.json",
        &json!({"@odata.id": SESSIONS, "Members": [{"@odata.id": format!("{SESSIONS}/9")}]}).to_string(),
    );
    let mockup = Mockup::read(&folder).expect("a mockup");
    assert_eq!(
        mockup.warnings(Profile::Standard),
        [format!("the sessions are at {SESSIONS}, not at /redfish/v1/Sessions")]
    );
    let mut client = serve(mockup);
    client.log_in("ada");
    assert_eq!(client.get(SESSIONS).json()["Members@odata.count"], 1);
    let service = client.get("/redfish/v1/SessionService").json();
    assert_eq!(service["Sessions"]["@odata.id"], SESSIONS);
    assert_eq!(
        (&service["Vendor"], &service["SessionTimeout"]),
        (&json!(true), &json!(1800)),
        "the effective timeout"
    );
}

#[test]
fn files_that_are_not_json_are_reported_and_served_unchanged() {
    let folder = small("odd", "redfish/v1/");
    write(&folder, "redfish/v1/Chassis/index.json", "<html>Internal Server Error</html>");
    write(&folder, "redfish/v1/$metadata/index.xml", "<edmx/>");
    write(&folder, "redfish/v1/Registries/Base/Base.json", r#"{"Id": "Base"}"#);
    write(&folder, "redfish/v1/Systems/notes.bin", "\u{1}\u{2}");
    write(&folder, "redfish/v1/Systems/headers.json", "ignored");
    let mockup = Mockup::read(&folder).expect("a mockup");
    assert_eq!(
        mockup.warnings(Profile::Standard),
        [
            "redfish/v1/Chassis/index.json: not JSON, served unchanged",
            "redfish/v1/Systems/notes.bin: not JSON, served unchanged",
            "no session service: the one of the mock is added",
        ]
    );
    let mut client = serve(mockup);
    let metadata = client.get("/redfish/v1/$metadata");
    assert_eq!((metadata.status().as_u16(), metadata.header("Content-Type")), (200, Some("application/xml")));
    client.log_in("ada");
    for (path, media_type, body) in [
        ("/redfish/v1/Chassis", "application/json", "<html>Internal Server Error</html>"),
        ("/redfish/v1/Registries/Base/Base.json", "application/json", r#"{"Id": "Base"}"#),
        ("/redfish/v1/Systems/notes.bin", "application/octet-stream", "\u{1}\u{2}"),
    ] {
        let answer = client.get(path);
        assert_eq!(
            (answer.status().as_u16(), answer.header("Content-Type")),
            (200, Some(media_type)),
            "{path}"
        );
        assert_eq!(answer.response.body().as_slice(), body.as_bytes(), "{path}");
    }
    assert_eq!(client.get("/redfish/v1/Systems/headers.json").status(), 404);
}

#[test]
fn a_folder_that_is_missing_or_has_no_root_is_an_error() {
    let empty = folder("empty");
    let error = Mockup::read(&empty).expect_err("no root");
    assert!(error.to_string().contains("the folder has no service root"), "{error}");
    assert!(Mockup::read(empty.join("nothing")).is_err());
}

#[test]
fn a_patch_is_merged_and_does_not_change_the_folder() {
    let folder = small("patched", "redfish/v1/");
    let before = fs::read(folder.join("redfish/v1/Systems/sys/index.json")).expect("a file");
    let mockup = Mockup::read(&folder).expect("a mockup");
    let mut client = serve(mockup.clone()).basic("ada");
    let change = json!({"AssetTag": "new", "Boot": {"Order": [{}, "c"]}, "Id": "other"});
    let changed = client.patch(SYSTEM, change);
    assert_eq!((changed.status().as_u16(), &changed.json()["AssetTag"]), (200, &json!("new")));
    assert_eq!(changed.json()["Boot"], json!({"Mode": "UEFI", "Order": ["a", "c"]}));
    assert_eq!(changed.json()["Id@Message.ExtendedInfo"][0]["MessageId"], "Base.1.19.PropertyNotWritable");
    let stale = client.send("PATCH", SYSTEM, &[("If-Match", "\"no\"")], r#"{"AssetTag": "x"}"#);
    assert_eq!(stale.status(), 412);
    client.credentials = Some(common::basic("bob"));
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).status(), 403);
    assert_eq!(serve(mockup).basic("ada").get(SYSTEM).json()["AssetTag"], Value::Null, "another service");
    assert_eq!(fs::read(folder.join("redfish/v1/Systems/sys/index.json")).expect("a file"), before);
}

#[test]
fn members_are_created_and_deleted() {
    let systems = "/redfish/v1/Systems";
    let mut client = serve(Mockup::read(small("members", "")).expect("a mockup")).basic("ada");
    let created = client.post(systems, json!({"Name": "Two", "AssetTag": "t"}));
    assert_eq!((created.status().as_u16(), created.header("Location")), (201, Some("/redfish/v1/Systems/1")));
    assert_eq!(created.json()["@odata.type"], "#ComputerSystem.v1_5_0.ComputerSystem");
    let named = client.post(systems, json!({"Id": "mine"}));
    assert_eq!(named.header("Location"), Some("/redfish/v1/Systems/mine"));
    for (body, status, message) in [
        (json!({"Id": "mine"}), 409, "ResourceAlreadyExists"),
        (json!({"Id": "../etc"}), 400, "PropertyValueFormatError"),
    ] {
        let refused = client.post(systems, body);
        assert_eq!((refused.status().as_u16(), messages(&refused)), (status, vec![message.to_owned()]));
    }
    assert_eq!(client.patch("/redfish/v1/Systems/mine", json!({"AssetTag": "t"})).status(), 200);
    assert_eq!(client.get(systems).json()["Members@odata.count"], 3);
    assert_eq!(client.delete(SYSTEM).status(), 204);
    assert_eq!(client.get(SYSTEM).status(), 404);
    assert_eq!(
        client.get("/redfish/v1/Systems/sys/Bios").status(),
        404,
        "the resources below it are deleted, too"
    );
    let left = json!([{"@odata.id": "/redfish/v1/Systems/1"}, {"@odata.id": "/redfish/v1/Systems/mine"}]);
    assert_eq!(client.get(systems).json()["Members"], left);
    assert_eq!(client.delete("/redfish/v1/Systems/mine").status(), 204);
    assert_eq!(client.delete(systems).status(), 405, "a collection cannot be deleted");
    let next = client.post(systems, json!({}));
    assert_eq!(next.header("Location"), Some("/redfish/v1/Systems/2"));
}

#[test]
fn the_actions_of_a_mockup_are_accepted_and_a_reset_works() {
    let mut client = serve(Mockup::read(small("actions", "v1/")).expect("a mockup")).basic("ada");
    let reset = format!("{SYSTEM}/Actions/ComputerSystem.Reset");
    let refused = client.post(&reset, json!({"ResetType": "PowerCycle"}));
    assert_eq!(messages(&refused), ["ActionParameterValueNotInList"], "the mockup allows two values");
    assert_eq!(client.post(&reset, json!({"ResetType": "ForceOff"})).status(), 204);
    client.wait(3);
    assert_eq!(client.get(SYSTEM).json()["PowerState"], "Off");
    assert_eq!(
        client.post(&format!("{SYSTEM}/Actions/Oem/Vendor.Polish"), json!({"Cloth": 3})).status(),
        204
    );
    assert_eq!(client.post(&format!("{SYSTEM}/Actions/Oem/Vendor.Paint"), json!({})).status(), 404);
}

#[test]
fn the_accounts_of_a_mockup_are_shown_and_those_of_the_settings_log_in() {
    let folder = small("accounts", "");
    let accounts = "/redfish/v1/AccountService/Accounts";
    write(
        &folder,
        "AccountService/Accounts/index.json",
        &json!({"@odata.id": accounts, "Members": [{"@odata.id": format!("{accounts}/eli")}]}).to_string(),
    );
    write(
        &folder,
        "AccountService/Accounts/eli/index.json",
        &json!({"@odata.id": format!("{accounts}/eli"), "UserName": "eli"}).to_string(),
    );
    let mut client = serve(Mockup::read(&folder).expect("a mockup"));
    client.log_in("olga");
    assert_eq!(client.get(&format!("{accounts}/eli")).json()["UserName"], "eli");
    assert_eq!(client.patch(&format!("{accounts}/eli"), json!({"Enabled": false})).status(), 403);
    client.log_in("ada");
    assert_eq!(client.patch(&format!("{accounts}/eli"), json!({"Enabled": false})).status(), 200);
    assert_eq!(client.post(accounts, json!({"UserName": "eve"})).status(), 201);
}

#[test]
fn a_folder_with_a_query_is_the_response_to_it_and_its_collection_has_no_other_pages() {
    let folder = small("pages", "redfish/v1/");
    let entries = "/redfish/v1/Systems/sys/Entries";
    let links = |range: std::ops::Range<usize>| -> Vec<Value> {
        range.map(|id| json!({"@odata.id": format!("{entries}/{id}")})).collect()
    };
    let next = format!("{entries}?$skip=60");
    let first = json!({"@odata.id": entries, "Members@odata.count": 90, "Members": links(0..60),
        "Members@odata.nextLink": next});
    let second = json!({"@odata.id": entries, "Members@odata.count": 90, "Members": links(60..90)});
    write(&folder, "redfish/v1/Systems/sys/Entries/index.json", &first.to_string());
    write(&folder, "redfish/v1/Systems/sys/Entries?$skip=60/index.json", &second.to_string());
    write(&folder, "redfish/v1/Systems/sys/Entries?$filter=a/b/index.json", &second.to_string());
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    let members = |client: &mut Client, path: &str| {
        let page = client.get(path).json();
        let count = page["Members"].as_array().expect("members").len();
        (count, page["Members@odata.nextLink"].as_str().map(str::to_owned))
    };
    // More than a page of our own.
    assert_eq!(members(&mut client, entries), (60, Some(next.clone())));
    for path in [next.clone(), format!("{entries}?%24skip=60"), format!("{entries}/?$skip=60")] {
        assert_eq!(members(&mut client, &path), (30, None), "{path}");
    }
    assert_eq!(members(&mut client, &format!("{entries}?$filter=a/b")), (30, None));
    // A part that was not captured ends the walk, instead of leading to the captured page again.
    assert_eq!(members(&mut client, &format!("{entries}?$skip=10")), (50, None));
    assert_eq!(members(&mut client, &format!("{entries}?$top=5")), (5, None));
    assert_eq!(client.post(entries, json!({})).status(), 201);
    let written = client.get(entries).json();
    assert_eq!(
        (&written["Members@odata.count"], &written["Members@odata.nextLink"]),
        (&json!(91), &json!(next))
    );
    assert_eq!(client.send("POST", &next, &[], "{}").status(), 201, "a query does not matter to a write");
}

#[test]
fn letter_case_distinguishes_resources_except_in_ilo_amplifier() {
    let folder = small("case", "redfish/v1/");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        let path = format!("/redfish/v1/Chassis/{name}");
        let document = json!({"@odata.id": path, "Name": name});
        write(&folder, &format!("redfish/v1/Chassis/{name}/index.json"), &document.to_string());
    }
    let mockup = Mockup::read(&folder).expect("a mockup");
    let mut client = serve(mockup.clone()).basic("ada");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        assert_eq!(client.get(&format!("/redfish/v1/Chassis/{name}")).json()["Name"], name);
    }
    assert_eq!(client.get("/redfish/v1/Chassis/ENCLOSURECHASSIS").status(), 404);
    assert_eq!(mockup.warnings(Profile::Standard).len(), 1);

    let clash =
        "/redfish/v1/Chassis/enclosurechassis: ignored, because another file is served at the same path";
    assert!(mockup.warnings(Profile::IloAmplifier).contains(&clash.to_owned()));
    let settings = Settings { mockup: Some(mockup), ..settings(Profile::IloAmplifier) };
    let mut client = Client::new(settings).basic("ada");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        assert_eq!(client.get(&format!("/redfish/v1/Chassis/{name}")).json()["Name"], "EnclosureChassis");
    }
}

#[test]
fn a_folder_with_percent_escapes_is_found_with_and_without_them() {
    let folder = small("escapes", "redfish/v1/");
    let ports = "/redfish/v1/Systems/sys/Ports";
    let port = format!("{ports}/NIC.1%231%20a");
    let collection = json!({"@odata.id": ports, "Members": [{"@odata.id": port}]});
    write(&folder, "redfish/v1/Systems/sys/Ports/index.json", &collection.to_string());
    let document = json!({"@odata.id": port, "Name": "Port", "Actions": {
        "#Port.Reset": {"target": format!("{port}/Actions/Port.Reset")}}});
    write(&folder, "redfish/v1/Systems/sys/Ports/NIC.1%231%20a/index.json", &document.to_string());
    write(&folder, "redfish/v1/Systems/sys/Ports/100%/index.json", &json!({"@odata.id": "x"}).to_string());
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    assert_eq!(client.get(&port).json()["@odata.id"], port);
    assert_eq!(client.get(&format!("{ports}/%4eIC.1%231%20a")).json()["Name"], "Port");
    assert_eq!(client.get(&format!("{ports}/100%")).status(), 200);
    let expanded = client.get(&format!("{ports}?$expand=.")).json();
    assert_eq!(expanded["Members"][0]["Name"], "Port");
    assert_eq!(client.post(&format!("{port}/Actions/Port.Reset"), json!({})).status(), 204);
    assert_eq!(client.delete(&port).status(), 204);
    assert_eq!(client.get(ports).json()["Members"], json!([]));
}

#[test]
fn numbers_are_served_as_captured() {
    let folder = small("numbers", "redfish/v1/");
    let sensor = "/redfish/v1/Chassis/1/Sensors/1";
    let text = r#"{"@odata.id": "/redfish/v1/Chassis/1/Sensors/1", "@odata.etag": "old",
        "Reading": 21.990000000000002, "Peak": 1.50, "Low": -0, "Big": 123456789012345678901234567890, "Exp": 1E+2}"#;
    write(&folder, "redfish/v1/Chassis/1/Sensors/1/index.json", text);
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    let answer = client.get(sensor);
    let shown = String::from_utf8(answer.response.body().clone()).expect("text");
    for member in [
        "\"Reading\":21.990000000000002",
        "\"Peak\":1.50",
        "\"Low\":-0",
        "\"Big\":123456789012345678901234567890",
        "\"Exp\":1E+2",
    ] {
        assert!(shown.contains(member), "{member} in {shown}");
    }
    let etag = answer.header("ETag").expect("an ETag");
    assert_eq!(answer.json()["@odata.etag"], etag);
    // A change keeps the values of the others.
    let changed = client.patch(sensor, json!({"Peak": 2}));
    assert!(
        changed.response.body().windows(18).any(|part| part == b"21.990000000000002"),
        "{}",
        changed.json()
    );
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_folder_is_served() {
    use std::os::unix::fs::symlink;

    let outside = folder("outside");
    write(&outside, "secret.json", r#"{"@odata.id": "/x", "Secret": 1}"#);
    let folder = small("inside", "redfish/v1/");
    let inside = folder.join("redfish/v1/Systems/sys");
    write(&folder, "README", "not a resource");
    for name in ["Leak", "Link"] {
        fs::create_dir(inside.join(name)).expect("a folder");
    }
    symlink(outside.join("secret.json"), inside.join("Leak/index.json")).expect("a link");
    symlink("../Bios/index.json", inside.join("Link/index.json")).expect("a link");
    symlink(&outside, inside.join("Folder")).expect("a link");
    symlink("missing", inside.join("dangling.json")).expect("a link");
    let mockup = Mockup::read(&folder).expect("a mockup");
    assert_eq!(
        mockup.warnings(Profile::Standard),
        [
            "redfish/v1/Systems/sys/Folder: ignored, because it is a symbolic link to something other than a file",
            "redfish/v1/Systems/sys/Leak/index.json: ignored, because it is a symbolic link that leads out of the folder",
            "redfish/v1/Systems/sys/dangling.json: ignored, because it is a symbolic link to something other than a file",
            "no session service: the one of the mock is added",
        ]
    );
    let mut client = serve(mockup).basic("ada");
    assert_eq!(client.get(&format!("{SYSTEM}/Link")).json()["Name"], "Bios", "it stays inside");
    for path in ["Leak", "Folder/secret.json", "dangling.json", "Leak/../../../../../../etc/passwd"] {
        assert_eq!(client.get(&format!("{SYSTEM}/{path}")).status(), 404, "{path}");
    }
    assert_eq!(client.get("/README").status(), 404);
}

/// Walks a service like Mockup-Creator: every link, page and file that a response names. Returns what each URI returns.
fn walk(client: &mut Client) -> std::collections::BTreeMap<String, Value> {
    let mut pending = vec!["/redfish".to_owned(), "/redfish/v1/odata".to_owned(), "/redfish/v1".to_owned()];
    let mut found = std::collections::BTreeMap::new();
    while let Some(uri) = pending.pop() {
        // The sessions of the walk are not those of the dump.
        if uri.starts_with(SESSIONS) || found.contains_key(&uri) {
            continue;
        }
        let mut document = client.get(&uri).json();
        links(&document, &mut pending);
        document.as_object_mut().map(|document| document.remove("@odata.etag"));
        found.insert(uri, document);
    }
    found
}

fn links(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
            Some(link)
                if ["@odata.id", "Uri", "Members@odata.nextLink", "@Redfish.ActionInfo"]
                    .contains(&name.as_str()) =>
            {
                if link.starts_with('/') && !link.contains('#') {
                    found.push(link.trim_end_matches('/').to_owned());
                }
            }
            _ => links(value, found),
        }),
        _ => {}
    }
}

#[test]
fn a_dump_of_the_service_yields_the_same_resources() {
    for profile in [Profile::Standard, Profile::IloAmplifier] {
        let mut original = Client::new(settings(profile)).basic("ada");
        let expected = walk(&mut original);
        assert!(expected.len() > 150, "{} resources", expected.len());
        let folder = folder(&format!("dump-{profile}"));
        for (uri, document) in &expected {
            write(&folder, &format!("{}/index.json", &uri[1..]), &document.to_string());
        }
        let mockup = Mockup::read(&folder).expect("a mockup");
        assert_eq!(mockup.warnings(profile), [""; 0]);
        let mut served = Client::new(Settings { mockup: Some(mockup), ..settings(profile) }).basic("ada");
        let found = walk(&mut served);
        for (uri, document) in &expected {
            assert_eq!(found.get(uri), Some(document), "{profile} {uri}");
        }
        assert_eq!(found.len(), expected.len(), "{profile}");
    }
}
