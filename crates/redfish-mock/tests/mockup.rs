//! Mockups: folders that DMTF's Mockup-Creator writes.

mod common;

use std::fs;

use common::mockups::{SYSTEM, folder, serve, small, write};
use common::{SESSIONS, messages};
use redfish_mock::{Mockup, Profile};
use serde_json::{Value, json};

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
