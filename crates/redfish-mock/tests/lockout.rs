//! Lockout of accounts after too many wrong passwords.

mod common;

use common::mockups::{serve, small, write};
use common::{Client, SESSIONS, messages, settings};
use redfish_mock::{Mockup, Profile, Settings};
use serde_json::json;

const SERVICE: &str = "/redfish/v1/AccountService";
const OLGA: &str = "/redfish/v1/AccountService/Accounts/2";

/// A service that locks an account for 10 s after three wrong passwords, and resets the counter after 20 s.
fn with_lockout() -> Client {
    let mut client = Client::standard().basic("ada");
    let lockout = json!({"AccountLockoutThreshold": 3, "AccountLockoutDuration": 10,
        "AccountLockoutCounterResetAfter": 20});
    assert_eq!(client.patch(SERVICE, lockout).status(), 200);
    client
}

fn try_login(client: &mut Client, password: &str) -> u16 {
    let held = client.credentials.take();
    let status = client.post(SESSIONS, json!({"UserName": "olga", "Password": password})).status().as_u16();
    client.credentials = held;
    status
}

fn is_locked(client: &mut Client) -> bool {
    client.get(OLGA).json()["Locked"] == true
}

#[test]
fn three_wrong_passwords_lock_an_account_for_some_time() {
    let mut client = with_lockout();
    for _ in 0..2 {
        assert_eq!(try_login(&mut client, "wrong"), 401);
        assert!(!is_locked(&mut client));
    }
    assert_eq!(try_login(&mut client, "wrong"), 401);
    assert!(is_locked(&mut client));
    assert_eq!(try_login(&mut client, "analytical"), 401, "the correct password is rejected");
    client.wait(9);
    assert_eq!(try_login(&mut client, "analytical"), 401);
    client.wait(1);
    assert!(!is_locked(&mut client));
    assert_eq!(try_login(&mut client, "analytical"), 201);
}

#[test]
fn basic_credentials_count_and_sessions_stay_open() {
    let mut client = with_lockout();
    client.log_in("olga");
    let session = client.credentials.take();
    for _ in 0..3 {
        client.credentials = Some(("Authorization", "Basic b2xnYTp3cm9uZw==".into()));
        assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    }
    client.credentials = Some(common::basic("olga"));
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    client.credentials = session;
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
    client.credentials = Some(common::basic("ada"));
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200, "other accounts are not locked");
}

#[test]
fn a_correct_password_or_time_resets_the_counter() {
    let mut client = with_lockout();
    for _ in 0..4 {
        try_login(&mut client, "wrong");
        try_login(&mut client, "wrong");
        assert_eq!(try_login(&mut client, "analytical"), 201);
        try_login(&mut client, "wrong");
        try_login(&mut client, "wrong");
        assert!(!is_locked(&mut client));
        client.wait(20);
    }
}

#[test]
fn an_administrator_can_unlock_an_account_but_not_lock_it() {
    let mut client = with_lockout();
    assert_eq!(client.patch(SERVICE, json!({"AccountLockoutDuration": 86_400})).status(), 200);
    let tag = client.get(OLGA).header("ETag").expect("an ETag").to_owned();
    for _ in 0..3 {
        try_login(&mut client, "wrong");
    }
    client.wait(86_399);
    assert!(is_locked(&mut client));
    assert_ne!(client.get(OLGA).header("ETag"), Some(tag.as_str()));
    let refused = client.patch(OLGA, json!({"Locked": true}));
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (400, vec!["PropertyValueNotInList".to_owned()])
    );
    assert_eq!(client.patch(OLGA, json!({"Locked": false})).json()["Locked"], false);
    assert_eq!(try_login(&mut client, "analytical"), 201);
    assert_eq!(
        client.patch(OLGA, json!({"Locked": false})).status(),
        200,
        "also if the account is not locked"
    );
}

#[test]
fn a_threshold_of_zero_disables_lockouts() {
    let mut client = Client::standard().basic("ada");
    assert_eq!(client.patch(SERVICE, json!({"AccountLockoutThreshold": 0})).status(), 200);
    for _ in 0..1000 {
        try_login(&mut client, "wrong");
    }
    assert_eq!(try_login(&mut client, "analytical"), 201);
    assert_eq!(client.patch(SERVICE, json!({"AccountLockoutThreshold": -1})).status(), 400);
    client.credentials = Some(common::basic("olga"));
    assert_eq!(client.patch(SERVICE, json!({"AccountLockoutThreshold": 1})).status(), 403);
}

#[test]
fn ten_wrong_passwords_within_a_minute_lock_an_account_for_half_a_minute() {
    let mut client = Client::standard().basic("ada");
    for _ in 0..9 {
        try_login(&mut client, "wrong");
    }
    client.wait(60);
    for _ in 0..9 {
        try_login(&mut client, "wrong");
    }
    assert!(!is_locked(&mut client), "nine, and nine a minute later");
    try_login(&mut client, "wrong");
    assert!(is_locked(&mut client));
    client.wait(29);
    assert_eq!(try_login(&mut client, "analytical"), 401);
    client.wait(1);
    assert_eq!(try_login(&mut client, "analytical"), 201);

    let settings = Settings { lockout_threshold: 0, ..settings(Profile::Standard) };
    let mut client = Client::new(settings).basic("ada");
    assert_eq!(client.get(SERVICE).json()["AccountLockoutThreshold"], 0);
    for _ in 0..20 {
        try_login(&mut client, "wrong");
    }
    assert_eq!(try_login(&mut client, "analytical"), 201);
}

#[test]
fn a_capture_without_a_threshold_has_that_of_the_settings() {
    let folder = small("lockout", "");
    write(
        &folder,
        "AccountService/index.json",
        &json!({"@odata.id": SERVICE, "Name": "Accounts"}).to_string(),
    );
    let mut client = serve(Mockup::read(&folder).expect("a mockup"));
    for _ in 0..10 {
        assert_eq!(try_login(&mut client, "wrong"), 401);
    }
    assert_eq!(try_login(&mut client, "analytical"), 401);
    client.wait(30);
    assert_eq!(try_login(&mut client, "analytical"), 201);
}

#[test]
fn a_duration_of_zero_disables_lockouts_and_a_password_is_not_guessed_at_the_root() {
    let mut client = with_lockout();
    assert_eq!(client.patch(SERVICE, json!({"AccountLockoutDuration": 0})).status(), 200);
    for _ in 0..20 {
        try_login(&mut client, "wrong");
    }
    assert_eq!(try_login(&mut client, "analytical"), 201);

    let mut client = with_lockout();
    let ada = client.credentials.replace(("Authorization", "Basic b2xnYTp3cm9uZw==".into()));
    for _ in 0..3 {
        assert_eq!(client.get("/redfish/v1/?$expand=.").status(), 200);
    }
    client.credentials = ada;
    assert!(is_locked(&mut client));
}
