//! What is done with resources, against the mock and over pages, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redfish_mock::{ServeOptions, Server, Settings};
use redfish_proto::driver::Now;
use redfish_proto::ops::{IfMatch, Outcome, PowerChange, TaskOutcome, Write};
use redfish_proto::{Body, Credentials, ErrorKind, Service};
use redfish_tls::Trust;
use serde_json::{Value, json};

use crate::adapter::{Adapter, Builder as _, Clock, Transport as _, TransportBuilder as _};
use crate::bmc::Bmc;

suite! {
    ($) resources:
    the_members_of_all_pages_come_until_a_page_fails,
    the_systems_of_the_mock_are_members,
    a_reset_takes_effect_later_and_is_waited_for,
    a_restart_is_over_when_the_system_was_seen_to_go_and_come_back,
    what_was_accepted_is_watched_to_its_end_with_its_progress,
    what_was_accepted_and_failed_is_no_failure_of_the_watch,
    a_change_of_what_has_changed_is_a_conflict_with_the_fresh_etag,
    a_message_without_its_text_is_looked_up_at_the_service,
}

const MINUTE: Duration = Duration::from_secs(60);

/// The mock's clock, which waits forward.
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

/// A system that is on.
fn system<A: Adapter>(client: &A) -> String {
    for member in client.members("/redfish/v1/Systems").unwrap() {
        let path = member.unwrap().link().unwrap().into_owned();
        if client.get::<Value>(&path).unwrap()["PowerState"] == "On" {
            return path;
        }
    }
    panic!("all are off")
}

fn the_members_of_all_pages_come_until_a_page_fails<A: Adapter>() {
    let bmc = Bmc::start(|line, head| match head.target.as_str() {
        "/c" => line.answer(
            "200 OK",
            "",
            r#"{"Members": [{"@odata.id": "/1"}, {"@odata.id": "/2"}],
            "Members@odata.nextLink": "/c?$skip=2"}"#,
        ),
        "/c?$skip=2" => line.answer(
            "200 OK",
            "",
            r#"{"Members": [{"@odata.id": "/3"}],
            "Members@odata.nextLink": "/c?$skip=3"}"#,
        ),
        _ => line.answer("500 Internal Server Error", "", ""),
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let mut members = client.members("/c").unwrap();
    assert_eq!(bmc.seen().len(), 0);
    for (link, pages) in [("/1", 1), ("/2", 1), ("/3", 2)] {
        assert_eq!(members.next().unwrap().unwrap().link().unwrap(), link);
        assert_eq!(bmc.seen().len(), pages, "a page is read when the one before is used up");
    }
    assert_eq!(*members.next().unwrap().unwrap_err().kind(), ErrorKind::Refused);
    assert!(members.next().is_none());
    assert_eq!(bmc.seen().len(), 3);
}

fn the_systems_of_the_mock_are_members<A: Adapter>() {
    let (_server, client) = mock::<A>(&[]);
    let mut found = 0;
    for member in client.members("/redfish/v1/Systems").unwrap() {
        assert!(member.unwrap().is_link());
        found += 1;
    }
    assert_eq!(found, 3);
    client.close().unwrap();
}

fn a_reset_takes_effect_later_and_is_waited_for<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let system = system(&client);
    let before = server.now();
    let taken = client.reset("ForceOff", Some(&system)).unwrap();
    assert_eq!(taken.system.as_str(), system);
    assert_ne!(client.get::<Value>(&system).unwrap()["PowerState"], "Off");
    client.wait_for_power(&taken.system, "Off", MINUTE).unwrap();
    assert_eq!(client.get::<Value>(&system).unwrap()["PowerState"], "Off");
    assert!(server.now() > before);

    let never = client.wait_for_power(&taken.system, "On", MINUTE).unwrap_err();
    assert!(matches!(never.kind(), ErrorKind::Deadline(_)), "{never}");
    let several = client.reset("On", None).unwrap_err();
    assert!(matches!(several.kind(), ErrorKind::AmbiguousTarget { .. }), "{several}");
    client.close().unwrap();
}

fn a_restart_is_over_when_the_system_was_seen_to_go_and_come_back<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let system = system(&client);
    let taken = client.reset("GracefulRestart", Some(&system)).unwrap();
    assert_eq!(client.get::<Value>(&system).unwrap()["PowerState"], "On", "it is on for a while yet");
    let before = server.now();
    client.wait_for_power(&taken.system, taken.change.unwrap(), MINUTE).unwrap();
    let took = server.now() - before;
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(20), "{took:?}");

    // Now it is on and stays so: after a while that counts, where the deadline allows.
    let restart = PowerChange::Restart;
    let soon = client.wait_for_power(&taken.system, restart, Duration::from_secs(10)).unwrap_err();
    assert!(matches!(soon.kind(), ErrorKind::Deadline(_)), "{soon}");
    let before = server.now();
    client.wait_for_power(&taken.system, restart, MINUTE).unwrap();
    assert!(server.now() - before >= Duration::from_secs(30));
    client.close().unwrap();
}

fn what_was_accepted_is_watched_to_its_end_with_its_progress<A: Adapter>() {
    let (_server, client) = mock::<A>(&["task=5s"]);
    let system = system(&client);
    let Outcome::Accepted(monitor) = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap() else {
        panic!("a monitor")
    };
    let seen = Mutex::new(Vec::new());
    let see = |watch: &redfish_proto::ops::Watch| seen.lock().unwrap().push(watch.progress().state.clone());
    let ended = client.watch(monitor, MINUTE, see).unwrap();
    assert!(matches!(ended, TaskOutcome::Completed(_)), "{ended:?}");
    let seen = seen.into_inner().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|state| state == "Running"), "{seen:?}");
    assert_eq!(client.get::<Value>(&system).unwrap()["AssetTag"], "rack 7");
    client.close().unwrap();
}

fn what_was_accepted_and_failed_is_no_failure_of_the_watch<A: Adapter>() {
    let (_server, client) = mock::<A>(&["failing-task=5s"]);
    let system = system(&client);
    let Outcome::Accepted(monitor) = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap() else {
        panic!("a monitor")
    };
    let ended = client.watch(monitor, MINUTE, |_| {}).unwrap();
    assert!(matches!(ended, TaskOutcome::Failed(_)), "{ended:?}");
    client.close().unwrap();
}

fn a_change_of_what_has_changed_is_a_conflict_with_the_fresh_etag<A: Adapter>() {
    let (_server, client) = mock::<A>(&[]);
    let system = system(&client);
    let seen = client.read::<Value>(&system).unwrap();
    client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap();
    let mine = Body::json(&json!({"AssetTag": "rack 8"})).unwrap();
    let write = Write::patch(seen.target(), mine).if_match(IfMatch::Exactly(seen.etag().unwrap().clone()));
    let error = client.run(write).unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (&ErrorKind::Conflict, 412));
    let now = client.read::<Value>(&system).unwrap();
    assert_eq!(error.etag(), now.etag());
    assert_eq!(now.value()["AssetTag"], "rack 7");
    client.close().unwrap();
}

fn a_message_without_its_text_is_looked_up_at_the_service<A: Adapter>() {
    let (_server, client) = mock::<A>(&["bare-messages"]);
    let error = client.get::<Value>("/redfish/v1/Nowhere").unwrap_err();
    let said = error.messages()[0].clone();
    assert_eq!(said.text, "", "{said:?}");
    let found = client.lookup(&said).unwrap().expect("the service knows its own messages");
    assert!(!found.text.is_empty() && !found.text.contains('%'), "{found:?}");
    assert_eq!(found.id, said.id);
    client.close().unwrap();
}
