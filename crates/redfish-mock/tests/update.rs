//! Firmware updates: uploads, errors, the restart, and the new version in the inventory.

mod common;

use std::time::Duration;

use common::{Client, SYSTEM, messages, path_of, settings};
use redfish_mock::{Answer, Begun, Ending, Mock, PendingRequest, Profile, Settings};
use serde_json::{Value, json};

const SERVICE: &str = "/redfish/v1/UpdateService";
const BIOS: &str = "/redfish/v1/UpdateService/FirmwareInventory/BIOS-E1D8B426";
const MANAGER: &str = "/redfish/v1/UpdateService/FirmwareInventory/Manager-E1D8B426";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn multipart(parts: &[(&str, &str)]) -> String {
    let part = |(name, body): &(&str, &str)| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{body}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--limit--\r\n"
}

fn push(client: &mut Client, media_type: &str, body: &str) -> Answer {
    let uri = client.get(SERVICE).json()["MultipartHttpPushUri"].as_str().expect("a URI").to_owned();
    let (name, value) = client.credentials.clone().expect("credentials");
    let request = http::Request::post(uri).header(name, value).header("Content-Type", media_type);
    client.mock.handle(&request.body(body.to_owned()).expect("a request"), client.now)
}

fn version(client: &mut Client, item: &str) -> Value {
    client.get(item).json()["Version"].clone()
}

/// Waits until an update is complete: 10 s to write the image and 5 s to restart. Returns the status of its response.
fn finish(client: &mut Client, accepted: &Answer) -> u16 {
    assert_eq!(accepted.status(), 202, "{}", accepted.json());
    client.wait(15);
    client.get(&path_of(accepted.header("Location").expect("a monitor"))).status().as_u16()
}

#[test]
fn a_pushed_image_changes_the_version_when_its_task_is_complete() {
    let mut client = admin_client();
    let (bios, manager) = (version(&mut client, BIOS), version(&mut client, MANAGER));
    let parameters = json!({"Targets": [BIOS]}).to_string();
    let body = multipart(&[("UpdateParameters", &parameters), ("UpdateFile", "image\r\n\r\n--other")]);
    let accepted = push(&mut client, "multipart/form-data; boundary=limit", &body);
    assert_eq!(version(&mut client, BIOS), bios, "not yet");
    assert_eq!(finish(&mut client, &accepted), 204);
    let pushed = version(&mut client, BIOS);
    assert!(pushed != bios && pushed.as_str().is_some_and(|version| version.starts_with("U-")), "{pushed}");
    assert_eq!(client.get(SYSTEM).json()["BiosVersion"], pushed);
    assert_eq!(version(&mut client, MANAGER), manager, "it is not a target");

    let shorter = multipart(&[("UpdateParameters", &parameters), ("UpdateFile", "image")]);
    let accepted = push(&mut client, "multipart/form-data; boundary=limit", &shorter);
    assert_eq!(finish(&mut client, &accepted), 204);
    assert_ne!(version(&mut client, BIOS), pushed, "another image has another version");
}

/// The head of a multipart push of a body of this length.
fn push_head(length: usize) -> http::request::Parts {
    let (name, value) = common::basic("ada");
    let request = http::Request::post(format!("{SERVICE}/multipart-push")).header(name, value);
    let request = request.header("Content-Type", "multipart/form-data; boundary=limit");
    request.header("Content-Length", length).body(()).expect("a request").into_parts().0
}

fn begin(mock: &mut Mock, length: usize) -> Box<PendingRequest> {
    match mock.begin(push_head(length), Duration::ZERO) {
        Begun::Pending(pending) => pending,
        Begun::Answered(answer) => panic!("{}", answer.json()),
    }
}

#[test]
fn an_upload_in_chunks_has_the_result_of_the_whole() {
    let mut client = admin_client();
    let parameters = json!({"Targets": [BIOS]}).to_string();
    let parts = [("UpdateParameters", &*parameters), ("OemFile", "x"), ("UpdateFile", "i\r\n--limi\r\r\n")];
    let body = multipart(&parts);
    let fresh = client.mock.clone();
    let accepted = push(&mut client, "multipart/form-data; boundary=limit", &body);
    assert_eq!(finish(&mut client, &accepted), 204);
    let expected = version(&mut client, BIOS);
    for at in 0..=body.len() {
        let mut mock = fresh.clone();
        let mut pending = begin(&mut mock, body.len());
        for chunk in [&body[..at], &body[at..]] {
            assert!(pending.push(chunk.as_bytes()).is_continue());
        }
        let accepted = mock.end(*pending, Duration::ZERO);
        let mut client = Client { mock, now: Duration::ZERO, credentials: client.credentials.clone() };
        assert_eq!(finish(&mut client, &accepted), 204);
        assert_eq!(version(&mut client, BIOS), expected, "{at}");
    }
}

#[test]
fn an_upload_keeps_only_its_parameters() {
    let mut mock = admin_client().mock;
    let mut pending = begin(&mut mock, 300 << 20);
    let form = multipart(&[("UpdateParameters", "{}"), ("UpdateFile", "")]);
    let (start, end) = form.split_at(form.rfind("\r\n--limit--").expect("the end"));
    assert!(pending.push(start.as_bytes()).is_continue());
    for _ in 0..256 {
        assert!(pending.push(&[0; 1 << 16]).is_continue());
        assert!(pending.kept() < 100, "{}", pending.kept());
    }
    assert!(pending.push(end.as_bytes()).is_continue());
    assert_eq!(mock.end(*pending, Duration::ZERO).status(), 202);
}

#[test]
fn a_restart_during_an_upload_ends_it() {
    let mut client = admin_client();
    let mut pending = begin(&mut client.mock, 100);
    client.mock.add_fault("restart=5s*1".parse().expect("a fault"));
    client.get(SERVICE);
    let _ = pending.push(b"--limit");
    client.wait(60);
    assert_eq!(client.mock.end(*pending, client.now).ending, Ending::Reset);
}

#[test]
fn an_upload_belongs_to_the_caller_that_began_it() {
    let mut client = Client::standard();
    client.log_in("ada");
    let token = client.credentials.clone().expect("a token");
    let (head, ()) = http::Request::post(format!("{SERVICE}/push"))
        .header(token.0, token.1)
        .body(())
        .unwrap()
        .into_parts();
    let Begun::Pending(mut pending) = client.mock.begin(head, client.now) else { panic!("refused") };
    client.mock.reboot(client.now);
    assert!(pending.push(b"image").is_continue());
    assert_eq!(client.mock.end(*pending, client.now).status(), 202, "its session is gone, but was valid");
}

#[test]
fn the_maximum_size_of_an_image_is_exact() {
    let settings = Settings { max_image: 5, ..settings(Profile::Standard) };
    let mut client = Client::new(settings).basic("ada");
    assert_eq!(client.get(SERVICE).json()["MaxImageSizeBytes"], 5);
    for (image, status) in [("12345", 202), ("123456", 413)] {
        let form = multipart(&[("UpdateParameters", "{}"), ("UpdateFile", image)]);
        assert_eq!(
            push(&mut client, "multipart/form-data; boundary=limit", &form).status(),
            status,
            "{image}"
        );
        assert_eq!(client.send("POST", &format!("{SERVICE}/push"), &[], image).status(), status, "{image}");
    }
}

#[test]
fn a_target_can_be_the_device_of_the_firmware() {
    let mut client = admin_client();
    let manager = "/redfish/v1/Managers/E1D8B426";
    let body =
        multipart(&[("UpdateParameters", &json!({"Targets": [manager]}).to_string()), ("UpdateFile", "x")]);
    let accepted = push(&mut client, "multipart/form-data; boundary=\"limit\"", &body);
    assert_eq!(finish(&mut client, &accepted), 204);
    assert_eq!(client.get(manager).json()["FirmwareVersion"], version(&mut client, MANAGER));
}

#[test]
fn the_body_can_be_the_image_itself() {
    let mut client = admin_client();
    let uri = client.get(SERVICE).json()["HttpPushUri"].as_str().expect("a URI").to_owned();
    let before = version(&mut client, MANAGER);
    let accepted = client.send("POST", &uri, &[], "image");
    assert_eq!(finish(&mut client, &accepted), 204);
    assert_ne!(version(&mut client, MANAGER), before);
    assert_eq!(client.mock.writes(&uri), 1);
    assert_eq!(client.send("POST", &uri, &[], "").status(), 400);
    assert_eq!(client.get(&uri).status(), 405);
    client.credentials = Some(common::basic("bob"));
    assert_eq!(client.send("POST", &uri, &[], "image").status(), 403);
}

#[test]
fn an_invalid_upload_is_rejected_at_once() {
    let form = "multipart/form-data; boundary=limit";
    let whole = [("UpdateParameters", "{}"), ("UpdateFile", "x")];
    for (media_type, body, status, message) in [
        ("application/json", "{}".to_owned(), 415, "HeaderInvalid"),
        (form, String::new(), 400, "PropertyMissing"),
        (form, multipart(&whole[..1]), 400, "PropertyMissing"),
        (form, multipart(&whole[1..]), 400, "PropertyMissing"),
        (form, multipart(&[("UpdateParameters", "{}"), ("UpdateFile", "")]), 400, "PropertyMissing"),
        (form, multipart(&[("UpdateParameters", "{"), ("UpdateFile", "x")]), 400, "MalformedJSON"),
        (
            form,
            multipart(&[
                ("UpdateParameters", r#"{"Targets": ["/redfish/v1/Nothing"]}"#),
                ("UpdateFile", "x"),
            ]),
            400,
            "ResourceMissingAtURI",
        ),
        (
            form,
            multipart(&[("UpdateParameters", r#"{"Targets": "/redfish/v1"}"#), ("UpdateFile", "x")]),
            400,
            "PropertyValueTypeError",
        ),
        (
            form,
            multipart(&[
                ("UpdateParameters", r#"{"Targets": ["/redfish/v1/Chassis"]}"#),
                ("UpdateFile", "x"),
            ]),
            400,
            "PropertyValueNotInList",
        ),
        ("multipart/form-data; boundary=other", multipart(&whole), 400, "PropertyMissing"),
    ] {
        let refused = push(&mut admin_client(), media_type, &body);
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (status, vec![message.to_owned()]),
            "{media_type} {body}"
        );
    }
}

#[test]
fn a_simple_update_contains_the_uri_of_the_image() {
    let mut client = admin_client();
    let update = client.get(SERVICE).json()["Actions"]["#UpdateService.SimpleUpdate"].clone();
    let target = update["target"].as_str().expect("a target").to_owned();
    for (body, message) in [
        (json!({}), "ActionParameterMissing"),
        (
            json!({"ImageURI": "http://192.0.2.1/x", "TransferProtocol": "PIGEON"}),
            "ActionParameterValueNotInList",
        ),
        (json!({"ImageURI": "http://192.0.2.1/x", "Password": 12345}), "ActionParameterValueTypeError"),
    ] {
        let refused = client.post(&target, body.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{body}"
        );
        assert!(!refused.json().to_string().contains("12345"), "a password is not repeated");
    }
    let before = version(&mut client, BIOS);
    let accepted = client.post(&target, json!({"ImageURI": "http://192.0.2.1/x", "Targets": [BIOS]}));
    assert_eq!(finish(&mut client, &accepted), 204);
    assert_ne!(version(&mut client, BIOS), before);
}

/// Pushes an image for all devices, as the body itself.
fn push_to_all(client: &mut Client) -> Answer {
    let accepted = client.send("POST", "/redfish/v1/UpdateService/push", &[], "image");
    assert_eq!(accepted.status(), 202, "{}", accepted.json());
    accepted
}

#[test]
fn the_service_restarts_after_an_update_and_loses_its_sessions() {
    let mut client = Client::standard();
    client.log_in("ada");
    let before = version(&mut client, MANAGER);
    let accepted = push_to_all(&mut client);
    let monitor = path_of(accepted.header("Location").expect("a monitor"));
    let percent = |client: &mut Client| client.get(&monitor).json()["PercentComplete"].clone();
    assert_eq!(percent(&mut client), 0);
    client.now += Duration::from_millis(9_999);
    assert_eq!(percent(&mut client), 66, "of writing and restarting");
    assert_eq!((client.mock.unavailable_until(client.now), client.mock.open_sessions(client.now)), (None, 1));

    client.now += Duration::from_millis(1);
    assert_eq!(client.mock.open_sessions(client.now), 0, "before the next request");
    assert_eq!(client.mock.unavailable_until(client.now), Some(Duration::from_secs(15)));
    let handled = client.mock.handled().len();
    let answer = client.get(&monitor);
    assert_eq!((answer.ending, client.mock.handled().len()), (Ending::Reset, handled));
    client.now = Duration::from_millis(14_999);
    assert!(client.mock.unavailable_until(client.now).is_some());

    client.wait(1);
    assert_eq!((client.mock.unavailable_until(client.now), client.mock.outages(client.now)), (None, 1));
    assert_eq!(client.get(&monitor).status(), 401, "the session is gone");
    client.log_in("ada");
    assert_eq!(client.get(&monitor).status(), 204);
    assert_ne!(version(&mut client, MANAGER), before);
    let forgotten = client.mock.session_count().forgotten;
    assert_eq!((forgotten, client.mock.open_sessions(client.now)), (1, 1));
}

#[test]
fn a_cancelled_or_failed_update_does_not_restart_the_service() {
    let mut client = Client::standard();
    client.log_in("ada");
    let monitor = path_of(push_to_all(&mut client).header("Location").expect("a monitor"));
    assert_eq!(client.delete(&monitor).status(), 204);
    client.mock.add_fault("failing-task=1s".parse().expect("a fault"));
    push_to_all(&mut client);
    client.wait(20);
    assert_eq!((client.mock.outages(client.now), client.mock.open_sessions(client.now)), (0, 1));
    // Other tasks do not restart the service, either.
    client.mock.clear_faults();
    client.post(&format!("{SYSTEM}/Bios/Actions/Bios.ResetBios"), json!({}));
    client.wait(20);
    assert_eq!((client.mock.outages(client.now), client.mock.open_sessions(client.now)), (0, 1));
}

#[test]
fn the_durations_of_update_and_restart_are_configurable() {
    let times = |update_time, restart_time| Settings {
        update_time: Duration::from_secs(update_time),
        restart_time: Duration::from_secs(restart_time),
        ..settings(Profile::Standard)
    };
    let mut client = Client::new(times(1, 2));
    client.log_in("ada");
    push_to_all(&mut client);
    client.wait(1);
    assert_eq!(client.mock.unavailable_until(client.now), Some(Duration::from_secs(3)));

    let mut client = Client::new(times(1, 0));
    client.log_in("ada");
    let monitor = path_of(push_to_all(&mut client).header("Location").expect("a monitor"));
    client.wait(1);
    assert_eq!(client.get(&monitor).status(), 204);
    assert_eq!((client.mock.outages(client.now), client.mock.open_sessions(client.now)), (0, 1));
}

#[test]
fn a_manager_reset_ends_all_sessions_after_its_delay() {
    let mut client = Client::standard();
    client.log_in("ada");
    let reset = "/redfish/v1/Managers/E1D8B426/Actions/Manager.Reset";
    assert_eq!(client.post(reset, json!({"ResetType": "ForceRestart"})).status(), 204);
    client.now += Duration::from_millis(2_999);
    assert_eq!(client.mock.open_sessions(client.now), 1);
    client.now += Duration::from_millis(1);
    assert_eq!(client.mock.open_sessions(client.now), 0);
    assert_eq!(
        (client.mock.unavailable_until(client.now), client.get(SERVICE).status().as_u16()),
        (None, 401)
    );
}
