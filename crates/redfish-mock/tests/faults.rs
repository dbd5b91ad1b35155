//! Each fault: its effect on the response and on the state of the service.

mod common;

use std::time::Duration;

use common::{Client, SESSIONS, SYSTEM, messages, settings};
use redfish_mock::{Ending, Profile, SessionCount, Settings};
use serde_json::json;

fn client_with_fault(fault: &str) -> Client {
    let faults = vec![fault.parse().expect("a fault")];
    Client::new(Settings { faults, ..settings(Profile::Standard) })
}

fn credentials() -> serde_json::Value {
    json!({"UserName": "ada", "Password": "analytical"})
}

#[test]
fn expire_token_ends_the_session_before_the_request() {
    let mut client = client_with_fault("expire-token@/redfish/v1/Systems*1");
    client.log_in("ada");
    assert_eq!(client.get("/redfish/v1/Chassis").status(), 200);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    // Requests with an expired token or without a token do not count.
    client.log_in("ada");
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
    let expected = SessionCount { opened: 2, forgotten: 1, ..SessionCount::default() };
    assert_eq!(client.mock.session_count(), expected);
}

#[test]
fn cut_body_announces_the_whole_body_and_sends_half() {
    let mut client = client_with_fault("cut-body*1").basic("ada");
    assert_eq!(client.send("HEAD", SYSTEM, &[], "").ending, Ending::Whole, "there is no body to cut");
    let answer = client.get(SYSTEM);
    let length = answer.response.body().len();
    assert_eq!(answer.ending, Ending::Cut(length / 2));
    assert_eq!(answer.header("Content-Length"), Some(length.to_string().as_str()));
    assert_eq!(client.get(SYSTEM).ending, Ending::Whole);
    assert_eq!(client_with_fault("cut-body=3").get(SYSTEM).ending, Ending::Cut(3), "also the body of a 401");
    let refused = client_with_fault("503").get(SYSTEM).response.body().len();
    for (bytes, ending) in
        [(refused - 1, Ending::Cut(refused - 1)), (refused, Ending::Whole), (9999, Ending::Whole)]
    {
        let mut client = client_with_fault("503");
        client.mock.add_fault(format!("cut-body={bytes}").parse().expect("a fault"));
        assert_eq!(client.get(SYSTEM).ending, ending, "{bytes}");
    }
}

#[test]
fn reset_carries_nothing_out_and_sends_no_response() {
    let mut client = client_with_fault(&format!("reset@{SYSTEM}*1")).basic("ada");
    let answer = client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!(answer.ending, Ending::Reset);
    assert_eq!(client.mock.writes(SYSTEM), 0);
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).ending, Ending::Whole);
    assert_eq!(client.mock.writes(SYSTEM), 1);
}

#[test]
fn slow_delays_as_often_as_its_count() {
    let mut client = client_with_fault("slow=2s@/redfish/v1/Systems*2").basic("ada");
    let mut delay = |path| {
        let answer = client.get(path);
        assert_eq!(answer.status(), 200);
        answer.delay
    };
    assert_eq!(delay("/redfish/v1/Chassis"), Duration::ZERO);
    assert_eq!(delay("/redfish/v1/Systems"), Duration::from_secs(2));
    assert_eq!(delay("/redfish/v1/Systems/"), Duration::from_secs(2));
    assert_eq!(delay("/redfish/v1/Systems"), Duration::ZERO);
}

#[test]
fn redirect_off_origin_redirects_and_carries_nothing_out() {
    let mut client = client_with_fault("redirect-off-origin");
    let answer = client.post(SESSIONS, credentials());
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.header("Location"), Some(format!("https://redfish.invalid{SESSIONS}").as_str()));
    assert_eq!(client.mock.session_count(), SessionCount::default());
    let mut client = client_with_fault("redirect-off-origin=http://127.0.0.1:1/else@/redfish/v1/*1");
    assert_eq!(client.get("/redfish/v1").header("Location"), Some("http://127.0.0.1:1/else"));
    assert_eq!(client.get("/redfish/v1").status(), 200);
}

#[test]
fn session_limit_rejects_only_logins() {
    let mut client = client_with_fault("session-limit*1").basic("ada");
    assert_eq!(client.get(SESSIONS).status(), 200);
    let refused = client.post(SESSIONS, credentials());
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (503, vec!["SessionLimitExceeded".to_owned()])
    );
    assert_eq!(client.mock.open_sessions(client.now), 0);
    client.log_in("ada");
}

#[test]
fn no_location_opens_a_session_without_its_location() {
    for profile in [Profile::Standard, Profile::IloAmplifier] {
        let faults = vec!["no-location*1".parse().expect("a fault")];
        let mut client = Client::new(Settings { faults, ..settings(profile) });
        assert_eq!(client.get("/redfish/v1/").status(), 200, "a response without a location does not count");
        let answer = client.post(SESSIONS, credentials());
        assert_eq!(answer.status(), 201);
        assert!(answer.header("Location").is_none());
        assert!(answer.header("X-Auth-Token").is_some());
        let id = client.mock.sessions(client.now).next().expect("a session").path();
        let contains_location = format!("{:?} {}", answer.response.headers(), answer.json()).contains(&id);
        assert_eq!(contains_location, profile == Profile::Standard, "the body still contains it");
        client.log_in("ada");
    }
}

#[test]
fn lost_answer_carries_out_the_write_and_sends_no_response() {
    let mut client = client_with_fault("lost-answer*2");
    assert_eq!(client.get("/redfish/v1/").ending, Ending::Whole, "reads are not affected");
    assert_eq!(client.post(SESSIONS, credentials()).ending, Ending::Closed);
    assert_eq!(client.mock.open_sessions(client.now), 1);
    client.credentials = Some(common::basic("ada"));
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).ending, Ending::Closed);
    assert_eq!(client.mock.writes(SYSTEM), 1);
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "y"})).ending, Ending::Whole);
}

#[test]
fn unavailable_carries_nothing_out_and_sends_retry_after() {
    for (fault, when) in [
        ("503", None),
        ("503=7", Some("7")),
        ("503=Thu, 01 Jan 2026 00:00:09 GMT*1", Some("Thu, 01 Jan 2026 00:00:09 GMT")),
    ] {
        let mut client = client_with_fault(fault).basic("ada");
        let answer = client.patch(SYSTEM, json!({"AssetTag": "x"}));
        assert_eq!((answer.status().as_u16(), answer.header("Retry-After")), (503, when), "{fault}");
        assert_eq!(messages(&answer), ["ServiceTemporarilyUnavailable"]);
        assert_eq!(client.mock.writes(SYSTEM), 0);
    }
}

#[test]
fn an_internal_error_carries_nothing_out() {
    let mut client = client_with_fault(&format!("500@{SYSTEM}*1")).basic("ada");
    let answer = client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!((answer.status().as_u16(), messages(&answer)), (500, vec!["InternalError".to_owned()]));
    assert_eq!(answer.json()["error"]["code"], "Base.1.19.InternalError");
    assert_eq!(client.mock.writes(SYSTEM), 0);
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).status(), 200);
}

#[test]
fn bare_messages_have_no_text() {
    let mut client = client_with_fault("bare-messages*1").basic("ada");
    assert_eq!(client.get(SYSTEM).status(), 200, "a response without messages does not count");
    let entry = json!({
        "@odata.type": "#Message.v1_2_1.Message",
        "MessageId": "Base.1.19.PropertyUnknown",
        "MessageArgs": ["Color"],
    });
    let error = client.patch(SYSTEM, json!({"Color": "red"})).json()["error"].clone();
    assert_eq!(error["@Message.ExtendedInfo"], json!([entry]));
    assert!(!error["message"].as_str().is_some_and(|text| text.contains("Color")));
    let error = client.patch(SYSTEM, json!({"Color": "red"})).json()["error"].clone();
    assert!(error["@Message.ExtendedInfo"][0]["Message"].is_string());
}

#[test]
fn faults_combine_and_can_be_cleared() {
    let mut client = client_with_fault("slow=1s").basic("ada");
    client.mock.add_fault("503".parse().expect("a fault"));
    client.mock.add_fault("cut-body=1".parse().expect("a fault"));
    let answer = client.get(SYSTEM);
    assert_eq!(
        (answer.status().as_u16(), answer.delay, answer.ending),
        (503, Duration::from_secs(1), Ending::Cut(1))
    );
    client.mock.clear_faults();
    let answer = client.get(SYSTEM);
    assert_eq!((answer.status().as_u16(), answer.delay, answer.ending), (200, Duration::ZERO, Ending::Whole));
}

#[test]
fn the_path_of_a_fault_is_compared_as_the_profile_defines() {
    let faults = |profile| Settings {
        faults: vec!["503@/redfish/v1/systems/".parse().expect("a fault")],
        ..settings(profile)
    };
    assert_eq!(
        Client::new(faults(Profile::IloAmplifier)).basic("ada").get("/redfish/v1/Systems").status(),
        503
    );
    assert_eq!(Client::new(faults(Profile::Standard)).basic("ada").get("/redfish/v1/Systems").status(), 200);
}

#[test]
fn lose_session_ends_the_session_after_the_request() {
    let mut client = client_with_fault("lose-session@/redfish/v1/Systems*1");
    client.log_in("ada");
    assert_eq!(client.get("/redfish/v1/Chassis").status(), 200);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 200);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    assert_eq!(client.get("/redfish/v1/Systems").status(), 401);
    let session = client.log_in("ada");
    assert_eq!(
        (client.get("/redfish/v1/Systems").status().as_u16(), client.delete(&session).status().as_u16()),
        (200, 204)
    );
    let expected = SessionCount { opened: 2, forgotten: 1, deleted: 1, ..SessionCount::default() };
    assert_eq!(client.mock.session_count(), expected);
}

#[test]
fn restart_makes_the_service_unavailable_after_its_response() {
    let mut client = client_with_fault(&format!("restart=3s@{SYSTEM}*1"));
    client.log_in("ada");
    client.mock.add_fault("slow=1s*1".parse().expect("a fault"));
    let answer = client.get(SYSTEM);
    assert_eq!((answer.status().as_u16(), answer.ending), (200, Ending::Whole));
    assert_eq!((client.mock.unavailable_until(client.now), client.mock.open_sessions(client.now)), (None, 1));
    client.wait(1);
    assert_eq!(client.mock.unavailable_until(client.now), Some(Duration::from_secs(4)));
    assert_eq!(client.get("/redfish").ending, Ending::Reset);
    client.wait(3);
    assert_eq!(client.get(SYSTEM).status(), 401);
    assert_eq!(client.mock.outages(client.now), 1);
}
