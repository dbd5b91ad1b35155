//! Sessions: logins, timeouts, limits and logouts.

mod common;

use common::{Client, SESSIONS, basic, messages, path_of, settings, token};
use redfish_mock::{Profile, Seed, SessionCount, Settings};
use serde_json::json;

fn credentials() -> serde_json::Value {
    json!({"UserName": "ada", "Password": "analytical"})
}

#[test]
fn a_login_returns_the_session() {
    let mut client = Client::standard();
    for path in
        [SESSIONS, "/redfish/v1/SessionService/Sessions/", "/redfish/v1/SessionService/Sessions/Members"]
    {
        let answer = client.post(path, credentials());
        assert_eq!(answer.status(), 201, "{path}");
        assert_eq!(token(&answer).len(), 64);
        let (location, body) = (answer.header("Location").unwrap().to_owned(), answer.json());
        assert!(location.starts_with(&format!("{SESSIONS}/")), "{location}");
        assert_eq!(body["@odata.id"], location.as_str());
        assert_eq!(body["UserName"], "ada");
        assert_eq!(body["Password"], serde_json::Value::Null);
        assert_eq!(body["@odata.etag"], answer.header("ETag").unwrap());
        assert!(!body.to_string().contains("analytical"));
    }
    assert_eq!(client.mock.open_sessions(client.now), 3);
    assert_eq!(client.mock.writes(SESSIONS), 3);
}

#[test]
fn a_session_has_the_context_of_its_login() {
    let mut client = Client::standard();
    let body = json!({"UserName": "ada", "Password": "analytical", "Context": "host 7, process 12"});
    let login = client.post(SESSIONS, body);
    client.credentials = Some(("X-Auth-Token", token(&login)));
    assert_eq!(client.get(login.header("Location").unwrap()).json()["Context"], "host 7, process 12");
    let open: Vec<_> = client.mock.sessions(client.now).map(|session| session.context()).collect();
    assert_eq!(open, [Some("host 7, process 12")]);
}

#[test]
fn the_mock_lists_the_users_and_times_of_its_sessions() {
    let mut client = Client::standard();
    client.wait(5);
    let path = client.log_in("bob");
    client.wait(7);
    client.get("/redfish/v1/Systems");
    client.wait(100);
    let open: Vec<_> = client
        .mock
        .sessions(client.now)
        .map(|session| {
            (session.path(), session.user().to_owned(), session.opened().as_secs(), session.used().as_secs())
        })
        .collect();
    assert_eq!(open, [(path, "bob".to_owned(), 5, 12)]);
}

#[test]
fn a_wrong_password_is_rejected_and_not_repeated() {
    for mut client in [Client::standard(), Client::ilo_amplifier()] {
        let answer = client.post(SESSIONS, json!({"UserName": "ada", "Password": "wrong-password"}));
        assert_eq!(answer.status(), 401);
        assert!(answer.header("X-Auth-Token").is_none());
        assert!(!answer.json().to_string().contains("wrong-password"));
        assert_eq!(client.mock.open_sessions(client.now), 0);
    }
}

#[test]
fn an_invalid_login_is_rejected_with_its_reason() {
    let cases = [
        ("{}", 400, vec!["CreateFailedMissingReqProperties", "CreateFailedMissingReqProperties"]),
        (r#"{"UserName": "ada"}"#, 400, vec!["CreateFailedMissingReqProperties"]),
        (r#"{"UserName": "ada", "Password": 7}"#, 400, vec!["PropertyValueTypeError"]),
        (
            r#"{"UserName": "ada", "Password": "analytical", "Context": 7}"#,
            400,
            vec!["PropertyValueTypeError"],
        ),
        (r#"["ada", "analytical"]"#, 400, vec!["UnrecognizedRequestBody"]),
        (r#"{"UserName": "ada", "#, 400, vec!["MalformedJSON"]),
        ("", 400, vec!["MalformedJSON"]),
    ];
    for (body, status, expected) in cases {
        let mut client = Client::standard();
        let answer = client.send("POST", SESSIONS, &[], body);
        assert_eq!(
            (answer.status().as_u16(), messages(&answer)),
            (status, expected.into_iter().map(String::from).collect()),
            "{body}"
        );
        assert_eq!(client.mock.open_sessions(client.now), 0);
    }
}

#[test]
fn a_body_that_is_not_declared_as_json_is_415() {
    let mut client = Client::standard();
    for media_type in [None, Some("application/x-www-form-urlencoded"), Some("text/json")] {
        let mut request = http::Request::post(SESSIONS);
        if let Some(media_type) = media_type {
            request = request.header("Content-Type", media_type);
        }
        let answer = client.mock.handle(&request.body(credentials().to_string()).unwrap(), client.now);
        assert_eq!(answer.status(), 415, "{media_type:?}");
    }
    let request = http::Request::post(SESSIONS).header("Content-Type", "application/JSON; charset=utf-8");
    let answer = client.mock.handle(&request.body(credentials().to_string()).unwrap(), client.now);
    assert_eq!(answer.status(), 201);
}

#[test]
fn a_session_that_is_not_used_expires() {
    let mut client = Client::standard();
    client.log_in("ada");
    for _ in 0..10 {
        client.wait(1799);
        assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
    }
    client.wait(1799);
    // Requests without the token do not restart the timeout.
    let held = client.credentials.take();
    assert_eq!(client.get("/redfish/v1/").status(), 200);
    client.credentials = held;
    client.wait(1);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    let expected = SessionCount { opened: 1, expired: 1, ..SessionCount::default() };
    assert_eq!(client.mock.session_count(), expected);
}

#[test]
fn the_timeout_is_readable_and_writable() {
    let mut client = Client::standard();
    client.log_in("ada");
    assert_eq!(client.get("/redfish/v1/SessionService").json()["SessionTimeout"], 1800);
    assert_eq!(client.patch("/redfish/v1/SessionService", json!({"SessionTimeout": 29})).status(), 400);
    let changed = client.patch("/redfish/v1/SessionService", json!({"SessionTimeout": 30}));
    assert_eq!(changed.json()["SessionTimeout"], 30);
    client.wait(29);
    let read = client.get("/redfish/v1/SessionService");
    assert_eq!(read.json()["SessionTimeout"], 30);
    assert_eq!(read.header("ETag"), changed.header("ETag"));
    client.wait(30);
    assert_eq!(client.get("/redfish/v1/SessionService").status(), 401);

    let short =
        Settings { session_timeout: std::time::Duration::from_secs(90), ..settings(Profile::Standard) };
    let mut client = Client::new(short).basic("ada");
    assert_eq!(client.get("/redfish/v1/SessionService").json()["SessionTimeout"], 90);
}

#[test]
fn the_session_limit_rejects_a_login_and_keeps_open_sessions() {
    for profile in [Profile::Standard, Profile::IloAmplifier] {
        let mut client = Client::new(Settings { session_limit: 2, ..settings(profile) });
        let first = client.log_in("ada");
        client.log_in("bob");
        let held = client.credentials.take();
        let refused = client.post(SESSIONS, credentials());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (503, vec!["SessionLimitExceeded".to_owned()])
        );
        // A wrong password does not reveal that the limit is reached.
        assert_eq!(client.post(SESSIONS, json!({"UserName": "ada", "Password": "wrong"})).status(), 401);
        client.credentials = held;
        assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
        client.credentials = Some(basic("ada"));
        assert!(client.delete(&first).status().is_success());
        client.log_in("ada");
    }
}

#[test]
fn a_session_is_closed_with_its_token_or_with_basic_credentials() {
    let mut client = Client::standard();
    let path = client.log_in("bob");
    let answer = client.delete(&path);
    assert_eq!((answer.status().as_u16(), answer.response.body().len()), (204, 0));
    assert_eq!(client.get(&path).status(), 401, "its token is no longer valid");

    let path = client.log_in("bob");
    client.credentials = Some(basic("bob"));
    assert_eq!(client.delete(&format!("{path}/")).status(), 204);
    assert_eq!(client.delete(&path).status(), 404);

    // Only administrators may close sessions of other users.
    let path = client.log_in("ada");
    for (user, status) in [("bob", 403), ("olga", 403), ("ada", 204)] {
        client.credentials = Some(basic(user));
        assert_eq!(client.delete(&path).status(), status, "{user}");
    }
    let expected = SessionCount { opened: 3, deleted: 3, ..SessionCount::default() };
    assert_eq!(client.mock.session_count(), expected);
}

#[test]
fn a_reboot_loses_sessions_and_keeps_changes() {
    let mut client = Client::standard();
    client.log_in("ada");
    client.patch(common::SYSTEM, json!({"AssetTag": "kept"}));
    client.mock.reboot(client.now);
    assert_eq!(client.get(common::SYSTEM).status(), 401);
    assert_eq!(client.mock.session_count().forgotten, 1);
    client.log_in("ada");
    assert_eq!(client.get(common::SYSTEM).json()["AssetTag"], "kept");
}

#[test]
fn a_manager_reset_ends_all_sessions() {
    let mut client = Client::standard();
    client.log_in("ada");
    let reset = "/redfish/v1/Managers/E1D8B426/Actions/Manager.Reset";
    assert_eq!(client.post(reset, json!({"ResetType": "GracefulRestart"})).status(), 204);
    client.wait(2);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200, "the session is valid until the restart");
    client.wait(1);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    assert_eq!(client.mock.session_count().forgotten, 1);
    client.log_in("ada");
    client.wait(60);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200, "a later session stays open");
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_another_seed_differs() {
    let login = |seed| {
        let mut client = Client::new(Settings { seed: Seed::from(seed), ..settings(Profile::Standard) });
        let answer = client.post(SESSIONS, credentials());
        (token(&answer), answer.header("Location").map(str::to_owned))
    };
    assert_eq!(login(7), login(7));
    assert_ne!(login(7).0, login(8).0);
    assert_ne!(login(7).1, login(8).1);
}

#[test]
fn my_session_identifies_the_session_of_the_caller() {
    let mut client = Client::ilo_amplifier();
    client.log_in("ada");
    let mine = client.log_in("ada");
    let collection = client.get("/redfish/v1/sessionservice/sessions/").json();
    assert_eq!(collection["Members@odata.count"], 2);
    assert_eq!(collection["Oem"]["Hpe"]["Links"]["MySession"]["@odata.id"], mine.as_str());
    let members = collection["Members"].as_array().unwrap();
    let marked: Vec<&str> = members
        .iter()
        .filter_map(|member| member["@odata.id"].as_str())
        .filter(|path| client.get(path).json()["Oem"]["Hpe"]["MySession"] == true)
        .collect();
    assert_eq!(marked, [mine.as_str()]);

    // A caller with Basic credentials has no session.
    client.credentials = Some(basic("ada"));
    assert!(client.get(SESSIONS).json().get("Oem").is_none());
    assert_eq!(client.get(&mine).json()["Oem"]["Hpe"]["MySession"], false);
    assert!(!Client::standard().basic("ada").get(SESSIONS).json().to_string().contains("MySession"));
}

#[test]
fn a_deleted_account_loses_its_sessions() {
    let mut client = Client::standard();
    client.log_in("bob");
    let held = client.credentials.take();
    client.credentials = Some(basic("ada"));
    assert_eq!(
        client.patch("/redfish/v1/AccountService/Accounts/3", json!({"Enabled": false})).status(),
        200
    );
    client.credentials.clone_from(&held);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    client.credentials = Some(basic("ada"));
    assert_eq!(client.delete("/redfish/v1/AccountService/Accounts/3").status(), 204);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    assert_eq!(client.get("/redfish/v1/AccountService/Accounts/3").status(), 404);
}

#[test]
fn a_location_has_the_origin_that_the_client_used() {
    let mut client = Client::ilo_amplifier();
    let answer = client.post(SESSIONS, credentials());
    let location = answer.header("Location").unwrap();
    assert!(
        location.starts_with("https://bmc.example:8443/redfish/v1/SessionService/Sessions/"),
        "{location}"
    );
    assert_eq!(answer.header("Link").unwrap(), format!("<{}>; rel=self", path_of(location)));
}
