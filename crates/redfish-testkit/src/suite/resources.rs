//! Collections, resets, tasks, ETags and messages, against the mock in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redfish_mock::{ServeOptions, Server, Settings};
use redfish_proto::driver::Now;
use redfish_proto::enumerations::PowerState;
use redfish_proto::ops::{IfMatch, Outcome, PowerChange, TaskOutcome, Write};
use redfish_proto::query::{Expand, Query};
use redfish_proto::{Body, Credentials, Error, ErrorKind, Service};
use redfish_tls::Trust;
use serde_json::{Value, json};

use crate::adapter::{Adapter, Builder as _, Clock, Transport as _, TransportBuilder as _};
use crate::bmc::Bmc;

suite! {
    ($) resources:
    members_of_all_pages_are_returned_until_a_page_fails,
    the_systems_of_the_mock_are_listed,
    properties_of_the_systems_of_the_mock_are_selected,
    wait_for_power_waits_for_the_effect_of_a_reset,
    a_restart_ends_after_the_power_state_has_changed_and_returned,
    an_accepted_write_is_watched_with_progress,
    a_failed_task_is_not_an_error_of_the_watch,
    a_write_with_an_old_etag_is_a_conflict_with_the_current_etag,
    a_message_without_text_is_looked_up,
    a_write_whose_body_is_lost_is_a_success_that_contains_the_error,
}

const MINUTE: Duration = Duration::from_secs(60);

/// The mock's virtual clock. A wait advances it.
struct MockClock(Arc<Server>);

impl Clock for MockClock {
    fn now(&self) -> Now {
        Now(self.0.now())
    }

    fn sleep(&self, time: Duration) {
        self.0.advance(time);
    }
}

fn mock<A: Adapter>(faults: &[&str]) -> (Arc<Server>, A) {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let settings =
        Settings { user: "ada".into(), password: "engine No. 1".into(), faults, ..Settings::default() };
    let server = Arc::new(Server::start(settings, ServeOptions::default()).unwrap());
    let trust = Trust::system_and_pem(server.certificate_pem().unwrap().as_bytes()).unwrap();
    let clock = Arc::new(MockClock(server.clone()));
    let transport = A::Transport::builder().trust(&trust).clock(clock).build();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .transport(&transport)
        .build()
        .unwrap();
    (server, client)
}

/// The path of a system that is on.
fn system<A: Adapter>(client: &A) -> String {
    for member in client.members("/redfish/v1/Systems").unwrap() {
        let path = member.unwrap().link().unwrap().into_owned();
        if client.get::<Value>(&path).unwrap()["PowerState"] == "On" {
            return path;
        }
    }
    panic!("all systems are off")
}

fn members_of_all_pages_are_returned_until_a_page_fails<A: Adapter>() {
    let bmc = Bmc::start(|connection, head| match head.target.as_str() {
        "/c" => connection.respond(
            "200 OK",
            "",
            r#"{"Members": [{"@odata.id": "/1"}, {"@odata.id": "/2"}],
            "Members@odata.nextLink": "/c?$skip=2"}"#,
        ),
        "/c?$skip=2" => connection.respond(
            "200 OK",
            "",
            r#"{"Members": [{"@odata.id": "/3"}],
            "Members@odata.nextLink": "/c?$skip=3"}"#,
        ),
        _ => connection.respond("500 Internal Server Error", "", ""),
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let mut members = client.members("/c").unwrap();
    assert_eq!(bmc.requests().len(), 0);
    for (link, pages) in [("/1", 1), ("/2", 1), ("/3", 2)] {
        assert_eq!(members.next().unwrap().unwrap().link().unwrap(), link);
        assert_eq!(bmc.requests().len(), pages, "a page is read after all members of the one before");
    }
    assert_eq!(*members.next().unwrap().unwrap_err().kind(), ErrorKind::Refused);
    assert!(members.next().is_none());
    assert_eq!(bmc.requests().len(), 3);
}

fn the_systems_of_the_mock_are_listed<A: Adapter>() {
    let (_server, client) = mock::<A>(&[]);
    let mut found = 0;
    for member in client.members("/redfish/v1/Systems").unwrap() {
        assert!(member.unwrap().is_link());
        found += 1;
    }
    assert_eq!(found, 3);
    client.close().unwrap();
}

fn properties_of_the_systems_of_the_mock_are_selected<A: Adapter>() {
    let (_server, client) = mock::<A>(&[]);
    let expanded = || Query::new().expand(Expand::Subordinate, 1);
    for query in [expanded().select_members(["UUID"]), expanded().select(["UUID"])] {
        let mut found = 0;
        for member in client.query("/redfish/v1/Systems", query.clone()).unwrap() {
            let member: Value = member.unwrap().json().unwrap();
            assert!(member["UUID"].is_string() && member["Name"].is_null(), "{query:?}: {member}");
            found += 1;
        }
        assert_eq!(found, 3, "{query:?}");
    }
    let mut members = client.query("/redfish/v1/Systems", Query::new().select(["Name"])).unwrap();
    let error = members.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("$select has neither Members"), "{error}");
    client.close().unwrap();
}

fn wait_for_power_waits_for_the_effect_of_a_reset<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let system = system(&client);
    let before = server.now();
    let accepted = client.reset("ForceOff", Some(&system)).unwrap();
    assert_eq!(accepted.system.as_str(), system);
    assert_ne!(client.get::<Value>(&system).unwrap()["PowerState"], "Off");
    client.wait_for_power(&accepted.system, PowerState::Off, MINUTE).unwrap();
    assert_eq!(client.get::<Value>(&system).unwrap()["PowerState"], "Off");
    assert!(server.now() > before);

    let never = client.wait_for_power(&accepted.system, PowerState::On, MINUTE).unwrap_err();
    assert!(matches!(never.kind(), ErrorKind::Deadline(_)), "{never}");
    let several = client.reset("On", None).unwrap_err();
    assert!(matches!(several.kind(), ErrorKind::AmbiguousTarget { .. }), "{several}");
    client.close().unwrap();
}

fn a_restart_ends_after_the_power_state_has_changed_and_returned<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let system = system(&client);
    let accepted = client.reset("GracefulRestart", Some(&system)).unwrap();
    assert_eq!(client.get::<Value>(&system).unwrap()["PowerState"], "On", "the restart is not immediate");
    let before = server.now();
    client.wait_for_power(&accepted.system, accepted.change.unwrap(), MINUTE).unwrap();
    let elapsed = server.now() - before;
    assert!(elapsed >= Duration::from_secs(2) && elapsed < Duration::from_secs(20), "{elapsed:?}");

    // The system is on again. Without another change, the wait ends successfully after 30 s if the deadline allows.
    let restart = PowerChange::Restart;
    let too_short =
        client.wait_for_power(&accepted.system, restart.clone(), Duration::from_secs(10)).unwrap_err();
    assert!(matches!(too_short.kind(), ErrorKind::Deadline(_)), "{too_short}");
    let before = server.now();
    client.wait_for_power(&accepted.system, restart, MINUTE).unwrap();
    assert!(server.now() - before >= Duration::from_secs(30));
    client.close().unwrap();
}

fn an_accepted_write_is_watched_with_progress<A: Adapter>() {
    let (_server, client) = mock::<A>(&["task=5s"]);
    let system = system(&client);
    let Outcome::Accepted(monitor) = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap() else {
        panic!("a monitor")
    };
    let states = Mutex::new(Vec::new());
    let record = |watch: &redfish_proto::ops::Watch| {
        states.lock().unwrap().push(watch.progress().state.clone());
    };
    let ended = client.watch(monitor, MINUTE, record).unwrap();
    assert!(matches!(ended, TaskOutcome::Completed(_)), "{ended:?}");
    let states = states.into_inner().unwrap();
    assert!(!states.is_empty() && states.iter().all(|state| state == "Running"), "{states:?}");
    assert_eq!(client.get::<Value>(&system).unwrap()["AssetTag"], "rack 7");
    client.close().unwrap();
}

fn a_failed_task_is_not_an_error_of_the_watch<A: Adapter>() {
    let (_server, client) = mock::<A>(&["failing-task=5s"]);
    let system = system(&client);
    let Outcome::Accepted(monitor) = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap() else {
        panic!("a monitor")
    };
    let ended = client.watch(monitor, MINUTE, |_| {}).unwrap();
    assert!(matches!(ended, TaskOutcome::Failed(_)), "{ended:?}");
    client.close().unwrap();
}

fn a_write_with_an_old_etag_is_a_conflict_with_the_current_etag<A: Adapter>() {
    let (_server, client) = mock::<A>(&[]);
    let system = system(&client);
    let old = client.read::<Value>(&system).unwrap();
    let _ = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap();
    let change = Body::json(&json!({"AssetTag": "rack 8"})).unwrap();
    let write = Write::patch(old.target(), change).if_match(IfMatch::Exactly(old.etag().unwrap().clone()));
    let error = client.run(write).unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (&ErrorKind::Conflict, 412));
    let current = client.read::<Value>(&system).unwrap();
    assert_eq!(error.etag(), current.etag());
    assert_eq!(current.value()["AssetTag"], "rack 7");
    client.close().unwrap();
}

fn a_message_without_text_is_looked_up<A: Adapter>() {
    let (_server, client) = mock::<A>(&["bare-messages"]);
    let error = client.get::<Value>("/redfish/v1/Nowhere").unwrap_err();
    let message = error.messages()[0].clone();
    assert_eq!(message.text, "", "{message:?}");
    let found = client.lookup(&message).unwrap().expect("the service knows its own messages");
    assert!(!found.text.is_empty() && !found.text.contains('%'), "{found:?}");
    assert_eq!(found.id, message.id);
    client.close().unwrap();
}

fn a_write_whose_body_is_lost_is_a_success_that_contains_the_error<A: Adapter>() {
    for (response, kind) in [
        ("Content-Length: 100\r\n\r\n{\"a\":", "transport"),
        ("Transfer-Encoding: chunked\r\n\r\n{\"a\":", "transport"),
        ("Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", "malformed"),
        ("Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n{\"a\": \"not zipped\"}", "malformed"),
        ("Content-Length: 99999999999\r\n\r\n{", "too-large"),
    ] {
        let bmc = Bmc::start(move |connection, head| {
            connection.body(head)?;
            connection.write(&format!("HTTP/1.1 201 Created\r\nLocation: /a/1\r\n{response}"))?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        });
        let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
        let written = client.send(http::Method::POST, "/a", Body::empty()).unwrap();
        assert_eq!(
            (written.status().as_u16(), &written.headers()["location"]),
            (201, &http::HeaderValue::from_static("/a/1"))
        );
        let error = written.extensions().get::<Error>().unwrap();
        assert_eq!((error.kind().name(), error.status()), (kind, Some(written.status())), "{error}");
        assert!(written.body().is_empty() && error.to_string().contains("POST /a"), "{error}");
        assert_eq!(bmc.requests(), ["POST /a"]);
    }
}
