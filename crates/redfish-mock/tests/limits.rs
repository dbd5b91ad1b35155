//! The limits of what clients can make the service remember.

mod common;

use std::fs;
use std::path::Path;

use common::{Client, SESSIONS, SYSTEM, messages, path_of, settings};
use redfish_mock::{Account, Mockup, Profile, Role, Settings};
use serde_json::json;

const CERTIFICATES: &str = "/redfish/v1/Managers/E1D8B426/NetworkProtocol/HTTPS/Certificates";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn certificate(text: &str) -> serde_json::Value {
    json!({"CertificateString": format!("-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----"), "CertificateType": "PEM"})
}

#[test]
fn the_context_of_a_session_has_a_limit() {
    let mut client = Client::standard();
    let login = |context: &str| json!({"UserName": "ada", "Password": "analytical", "Context": context});
    assert_eq!(client.post(SESSIONS, login(&"ä".repeat(256))).status(), 201);
    let refused = client.post(SESSIONS, login(&"ä".repeat(257)));
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (400, vec!["PropertyValueFormatError".into()])
    );
    assert_eq!(client.mock.open_sessions(client.now), 1);
}

#[test]
fn accounts_have_a_limit() {
    let accounts = (0..999).map(|n| Account::new(format!("user{n}"), "analytical", Role::ReadOnly)).collect();
    let mut client = Client::new(Settings { accounts, ..settings(Profile::Standard) }).basic("ada");
    let account = json!({"UserName": "another", "Password": "analytical", "RoleId": "ReadOnly"});
    let refused = client.post("/redfish/v1/AccountService/Accounts", account.clone());
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (507, vec!["CreateLimitReachedForResource".into()])
    );
    assert_eq!(client.delete("/redfish/v1/AccountService/Accounts/7").status(), 204);
    assert_eq!(client.post("/redfish/v1/AccountService/Accounts", account).status(), 201);
}

#[test]
fn created_resources_have_a_limit_and_leave_nothing_when_they_are_deleted() {
    let mut client = admin_client();
    let text = "x".repeat(60_000);
    let mut created = Vec::new();
    let refused = loop {
        let answer = client.post(CERTIFICATES, certificate(&text));
        if answer.status() != 201 {
            break answer;
        }
        created.push(path_of(answer.header("Location").expect("a location")));
    };
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (507, vec!["CreateLimitReachedForResource".into()])
    );
    assert!((60..70).contains(&created.len()), "{} of 60 KB in 4 MiB", created.len());
    created.iter().for_each(|path| assert_eq!(client.delete(path).status(), 204));
    for _ in 0..200 {
        let answer = client.post(CERTIFICATES, certificate(&text));
        assert_eq!(answer.status(), 201);
        let path = path_of(answer.header("Location").expect("a location"));
        assert_eq!(client.delete(&path).status(), 204);
    }
}

#[test]
fn the_identifier_of_a_new_member_has_a_limit() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("limits");
    for (path, document) in [
        ("", json!({"@odata.id": "/redfish/v1/", "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot"})),
        (
            "Shelves",
            json!({"@odata.id": "/redfish/v1/Shelves", "@odata.type": "#ShelfCollection.ShelfCollection",
                "Members": []}),
        ),
    ] {
        fs::create_dir_all(folder.join(path)).expect("a folder");
        fs::write(folder.join(path).join("index.json"), document.to_string()).expect("a file");
    }
    let mockup = Mockup::read(&folder).expect("a mockup");
    let settings = Settings { mockup: Some(mockup), ..settings(Profile::Standard) };
    let mut client = Client::new(settings).basic("ada");
    let member = |length: usize| json!({"Id": "x".repeat(length)});
    assert_eq!(client.post("/redfish/v1/Shelves", member(255)).status(), 201);
    assert_eq!(client.post("/redfish/v1/Shelves", member(256)).status(), 400);
    // A PATCH can add anything to a resource of a mockup, up to the limit of all together.
    let path = format!("/redfish/v1/Shelves/{}", "x".repeat(255));
    assert_eq!(client.patch(&path, json!({"Oem": {"Note": "x".repeat(3 << 20)}})).status(), 200);
    assert_eq!(client.patch(&path, json!({"Oem": {"Other": "x".repeat(3 << 20)}})).status(), 507);
    assert_eq!(client.patch(&path, json!({"Oem": null})).status(), 200);
    assert_eq!(client.patch(&path, json!({"Oem": {"Other": "x".repeat(3 << 20)}})).status(), 200);
}

#[test]
fn running_tasks_have_a_limit_and_so_do_their_bodies() {
    let mut client = admin_client();
    let reset = format!("{SYSTEM}/Bios/Actions/Bios.ResetBios");
    let statuses = |client: &mut Client, note: &str| -> Vec<u16> {
        (0..101).map(|_| client.post(&reset, json!({"note@test": note})).status().as_u16()).collect()
    };
    let small = statuses(&mut client, "");
    assert_eq!((&small[..100], small[100]), (&[202; 100][..], 503));
    client.wait(60);
    assert_eq!(client.post(&reset, json!({})).status(), 202, "they have ended");
    client.wait(60);
    let large = statuses(&mut client, &"x".repeat(1 << 20));
    assert_eq!(large.iter().filter(|status| **status == 202).count(), 15, "of 1 MiB in 16 MiB");
}

#[test]
fn recorded_paths_and_counted_writes_have_a_limit() {
    let mut client = admin_client();
    client.get(&format!("/redfish/v1/{}", "x".repeat(60_000)));
    assert_eq!(client.mock.handled().last().map(|request| request.path.len()), Some(1024));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!(client.mock.writes(SYSTEM), 1);
    let destination = json!({"Destination": "http://127.0.0.1:9/", "Protocol": "Redfish"});
    for n in 1..=10_000 {
        let path = format!("/redfish/v1/EventService/Subscriptions/{n}");
        assert_eq!(client.post("/redfish/v1/EventService/Subscriptions", destination.clone()).status(), 201);
        assert_eq!(client.delete(&path).status(), 204);
        assert_eq!(client.mock.writes(&path), u64::from(n <= 9_998), "{n}");
    }
    client.patch(SYSTEM, json!({"AssetTag": "y"}));
    assert_eq!(client.mock.writes(SYSTEM), 2, "a path that is counted is counted on");
}
