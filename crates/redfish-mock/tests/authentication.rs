//! Authentication and authorization: public resources, credentials, roles, and password changes.

mod common;

use common::{Client, SESSIONS, SYSTEM, basic, messages, settings};
use redfish_mock::{Account, Profile, Role, Settings};
use serde_json::json;

#[test]
fn public_resources_need_no_authentication_and_all_others_do() {
    let public = [
        "/redfish",
        "/redfish/",
        "/redfish/v1",
        "/redfish/v1/",
        "/redfish/v1/$metadata",
        "/redfish/v1/odata",
    ];
    let protected = ["/", "/redfish/v2", "/redfish/v1/Systems", "/redfish/v1/nothing", SESSIONS, SYSTEM];
    for mut client in [Client::standard(), Client::ilo_amplifier()] {
        for path in public {
            assert_eq!(client.get(path).status(), 200, "{path}");
            assert_eq!(client.send("HEAD", path, &[], "").status(), 200, "{path}");
            for method in ["POST", "PATCH", "PUT", "DELETE"] {
                assert_eq!(client.send(method, path, &[], "").status(), 401, "{method} {path}");
            }
        }
        for path in protected {
            assert_eq!(client.get(path).status(), 401, "{path}");
        }
    }
    assert_eq!(
        Client::standard().get("/redfish/v1/openapi.yaml").header("Content-Type"),
        Some("application/yaml")
    );
    assert_eq!(Client::ilo_amplifier().get("/redfish/v1/openapi.yaml").status(), 401);
}

#[test]
fn the_version_document_contains_only_the_versions() {
    let answer = Client::standard().get("/redfish");
    assert_eq!(answer.json(), json!({"v1": "/redfish/v1/"}));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
}

#[test]
fn the_service_root_is_the_same_with_and_without_a_trailing_slash() {
    let mut client = Client::standard();
    let (with, without) = (client.get("/redfish/v1/"), client.get("/redfish/v1"));
    assert_eq!(with.response.body(), without.response.body());
    assert_eq!(with.response.headers(), without.response.headers());
    assert_eq!(with.json()["Links"]["Sessions"]["@odata.id"], SESSIONS);
}

#[test]
fn letter_case_matters_only_in_the_standard_profile() {
    for path in ["/redfish/v1/systems/", "/Redfish/V1/SYSTEMS", "/redfish/v1/sessionservice/sessions"] {
        assert_eq!(Client::standard().basic("ada").get(path).status(), 404, "{path}");
        assert_eq!(Client::ilo_amplifier().basic("ada").get(path).status(), 200, "{path}");
    }
    let upper = "/REDFISH/V1/SYSTEMS/E1D8B426/ACTIONS/COMPUTERSYSTEM.RESET";
    let reset = json!({"ResetType": "ForceOff"});
    assert_eq!(Client::standard().basic("ada").post(upper, reset.clone()).status(), 404);
    assert_eq!(Client::ilo_amplifier().basic("ada").post(upper, reset).status(), 200);
}

#[test]
fn no_path_leaves_the_resource_tree() {
    for path in
        ["/redfish/v1/../../etc/passwd", "/redfish/v1/%2e%2e/%2e%2e/etc/passwd", "/redfish/v1//Systems", "*"]
    {
        assert_eq!(Client::standard().basic("ada").get(path).status(), 404, "{path}");
    }
}

#[test]
fn invalid_credentials_are_rejected() {
    let wrong = [
        ("Authorization", "Basic YWRhOndyb25n"),
        ("Authorization", "Basic ????"),
        ("Authorization", "Bearer analytical"),
        ("Authorization", ""),
        ("X-Auth-Token", ""),
        ("X-Auth-Token", "0000"),
    ];
    for (name, value) in wrong {
        let mut client = Client::standard();
        client.log_in("ada");
        client.credentials = Some((name, value.into()));
        let answer = client.get("/redfish/v1/Systems");
        assert_eq!(answer.status(), 401, "{name}: {value}");
        assert_eq!(messages(&answer), ["NoValidSession"]);
        // Public resources ignore credentials.
        assert_eq!(client.get("/redfish/v1/").status(), 200);
    }
}

#[test]
fn a_bearer_token_authenticates_the_first_account() {
    let mut client =
        Client::new(Settings { bearer_token: Some("issued".into()), ..settings(Profile::Standard) });
    client.credentials = Some(("Authorization", "Bearer issued".into()));
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "b"})).status(), 200);
}

#[test]
fn a_role_may_write_only_what_its_privileges_allow() {
    let managers = "/redfish/v1/Managers/E1D8B426";
    let service = "/redfish/v1/SessionService";
    let accounts = "/redfish/v1/AccountService/Accounts";
    let reset = format!("{SYSTEM}/Actions/ComputerSystem.Reset");
    let account = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "ReadOnly"});
    let lamp = json!({"LocationIndicatorActive": true});
    let cases = [
        ("PATCH", SYSTEM, lamp.clone(), [200, 200, 403]),
        ("POST", &reset, json!({"ResetType": "On"}), [204, 204, 403]),
        ("PATCH", "/redfish/v1/Chassis/E1D8B426", lamp.clone(), [200, 200, 403]),
        ("PATCH", managers, lamp, [200, 403, 403]),
        ("PATCH", service, json!({"SessionTimeout": 60}), [200, 403, 403]),
        ("POST", accounts, account, [201, 403, 403]),
        ("PATCH", "/redfish/v1/AccountService/Accounts/3", json!({"RoleId": "Operator"}), [200, 403, 403]),
        ("DELETE", "/redfish/v1/AccountService/Accounts/3", json!({}), [204, 403, 403]),
    ];
    for (method, path, body, expected) in cases {
        for (user, status) in ["ada", "olga", "bob"].into_iter().zip(expected) {
            let mut client = Client::standard().basic(user);
            let answer = client.send(method, path, &[], &body.to_string());
            assert_eq!(answer.status(), status, "{user} {method} {path}: {}", answer.json());
            assert_eq!(client.mock.writes(path), u64::from(status < 400), "{user} {method} {path}");
            if status == 403 {
                assert_eq!(messages(&answer), ["InsufficientPrivilege"], "{user} {method} {path}");
            }
            assert_eq!(client.get(SYSTEM).status(), 200, "{user} may read");
        }
    }
}

#[test]
fn an_unauthenticated_write_is_rejected() {
    let mut client = Client::standard();
    client.log_in("ada");
    client.credentials = None;
    for path in ["/redfish/v1/SessionService", SYSTEM, "/redfish/v1/AccountService/Accounts/1"] {
        for method in ["PATCH", "PUT", "POST", "DELETE"] {
            assert_eq!(client.send(method, path, &[], "{}").status(), 401, "{method} {path}");
        }
    }
    assert_eq!(client.mock.open_sessions(client.now), 1);
}

#[test]
fn users_may_change_only_the_password_of_their_own_account() {
    let account = "/redfish/v1/AccountService/Accounts/3";
    let mut client = Client::standard().basic("bob");
    assert_eq!(client.get(account).json()["UserName"], "bob");
    assert_eq!(client.get("/redfish/v1/AccountService/Accounts/1").status(), 403);
    let both = json!({"Password": "new password", "RoleId": "Administrator"});
    assert_eq!(client.patch(account, both).status(), 403);
    assert_eq!(client.patch(account, json!({"Password": "short"})).status(), 400);
    assert_eq!(client.get(account).status(), 200, "the old password is still valid");
    let answer = client.patch(account, json!({"Password": "new password"}));
    assert_eq!(answer.status(), 200);
    assert!(!answer.json().to_string().contains("new password"));
    assert_eq!(client.get(account).status(), 401, "the old password is no longer valid");
}

#[test]
fn an_expired_password_must_be_changed_first() {
    let expired =
        Account { password_change_required: true, ..Account::new("new", "analytical", Role::Administrator) };
    let mut client = Client::new(Settings { accounts: vec![expired], ..settings(Profile::Standard) });
    let account = "/redfish/v1/AccountService/Accounts/2";

    let login = client.post(SESSIONS, json!({"UserName": "new", "Password": "analytical"}));
    assert_eq!(login.status(), 201);
    let notice = &login.json()["@Message.ExtendedInfo"][0];
    assert_eq!(notice["MessageId"], "Base.1.19.PasswordChangeRequired");
    assert_eq!(notice["MessageArgs"], json!([account]));

    client.credentials = Some(("X-Auth-Token", common::token(&login)));
    let refused = client.get("/redfish/v1/Systems");
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (403, vec!["PasswordChangeRequired".to_owned()])
    );
    assert_eq!(client.get("/redfish/v1/").status(), 200, "public resources are readable");
    let other = client.mock.handle(&common::login("ada"), client.now);
    assert_eq!(
        client.delete(other.header("Location").unwrap()).status(),
        403,
        "sessions of other users cannot be closed"
    );
    assert_eq!(client.delete(login.header("Location").unwrap()).status(), 204, "logging out is allowed");

    client.credentials = Some(basic("new"));
    assert_eq!(client.get(account).status(), 200);
    assert_eq!(client.patch(account, json!({"PasswordChangeRequired": false})).status(), 403);
    assert_eq!(client.patch(account, json!({"Password": "a better one"})).status(), 200);
    client.credentials = None;
    let login = client.post(SESSIONS, json!({"UserName": "new", "Password": "a better one"}));
    client.credentials = Some(("X-Auth-Token", common::token(&login)));
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
}

/// All paths that can be reached through links and actions.
fn all_paths(client: &mut Client) -> Vec<String> {
    let (mut todo, mut seen) = (vec!["/redfish/v1/".to_owned()], std::collections::BTreeSet::new());
    while let Some(path) = todo.pop() {
        let path = path.split('#').next().unwrap_or_default().to_owned();
        if !seen.insert(path.clone()) || path.ends_with("/SSE") {
            continue;
        }
        links(&client.get(&path).json(), &mut todo);
    }
    seen.into_iter().collect()
}

const NEXT: &str = "Members@odata.nextLink";

fn links(value: &serde_json::Value, found: &mut Vec<String>) {
    let link_names =
        ["@odata.id", "target", "Uri", "HttpPushUri", "MultipartHttpPushUri", "ServerSentEventUri", NEXT];
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| link_names.contains(&name.as_str())) {
                    Some(link) => found.push(link.to_owned()),
                    None => links(value, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn no_path_accepts_writes_without_credentials_or_with_a_read_only_role() {
    let mut ada = Client::standard().basic("ada");
    ada.post(
        "/redfish/v1/EventService/Subscriptions",
        json!({"Protocol": "Redfish", "Destination": "http://127.0.0.1/"}),
    );
    ada.post("/redfish/v1/Systems/E1D8B426/Bios/Actions/Bios.ResetBios", json!({}));
    let paths = all_paths(&mut ada);
    assert!(paths.len() > 500, "{}", paths.len());
    let own = "/redfish/v1/AccountService/Accounts/3";
    let mut tried = 0;
    for path in paths {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            ada.credentials = None;
            let anonymous = ada.send(method, &path, &[], r#"{"Name": "x"}"#).status().as_u16();
            assert_eq!(
                anonymous,
                if (method, path.as_str()) == ("POST", SESSIONS) { 400 } else { 401 },
                "{method} {path}"
            );
            ada.credentials = Some(basic("bob"));
            let reader = ada.send(method, &path, &[], r#"{"Name": "x"}"#).status().as_u16();
            let expected: &[u16] =
                if path == SESSIONS || path == own { &[400, 403, 405] } else { &[403, 405] };
            assert!(expected.contains(&reader), "{method} {path}: {reader}");
            tried += 1;
        }
        assert_eq!(ada.mock.writes(&path), u64::from(path.ends_with("/Subscriptions")), "{path}");
    }
    println!("{tried} writes tried, all rejected");
}
