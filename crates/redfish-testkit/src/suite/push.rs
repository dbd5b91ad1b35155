//! Events that are pushed: a subscription at the mock, and what a receiver on loopback gets.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use redfish_mock::{ServeOptions, Server, Settings};
use redfish_proto::driver::Trace;
use redfish_proto::events::{Notification, Subscription};
use redfish_proto::{Credentials, ErrorKind, Service};
use redfish_tls::Trust;
use serde_json::{Value, json};

use crate::adapter::{Adapter, Builder as _};
use crate::bmc::{Bmc, Head};
use crate::full_text;

suite! {
    ($) push:
    an_event_is_pushed_to_who_subscribed_and_to_nobody_who_has_left,
    a_subscription_whose_answer_is_lost_is_there_once,
    what_a_push_carries_is_shown_to_no_observer,
}

/// Longer than any test.
const PATIENCE: Duration = Duration::from_secs(60);

fn mock<A: Adapter>(faults: &[&str]) -> (Server, A) {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let settings =
        Settings { user: "ada".into(), password: "engine No. 1".into(), faults, ..Settings::default() };
    let server = Server::start(settings, ServeOptions::default()).unwrap();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .trust(&Trust::system_and_pem(server.certificate_pem().unwrap().as_bytes()).unwrap())
        .build()
        .unwrap();
    (server, client)
}

/// A receiver, and what it is pushed.
fn receiver() -> (Bmc, mpsc::Receiver<(Head, String)>) {
    let (push, pushed) = mpsc::channel();
    let push = Mutex::new(push);
    let bmc = Bmc::start(move |line, head| {
        let body = String::from_utf8(line.body(head)?).unwrap();
        push.lock().unwrap().send((head.clone(), body)).unwrap();
        line.last_answer("204 No Content", "", "")
    });
    (bmc, pushed)
}

fn an_event_is_pushed_to_who_subscribed_and_to_nobody_who_has_left<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let ((near, pushed), (other, _)) = (receiver(), receiver());
    let left = client.subscribe(Subscription::new(format!("{}/left", other.url()))).unwrap();
    client.unsubscribe(left.as_str()).unwrap();
    let gone = client.unsubscribe(left.as_str()).unwrap_err();
    assert_eq!(*gone.kind(), ErrorKind::NotFound);

    let subscription = Subscription::new(format!("{}/events", near.url()))
        .context("night run 7")
        .header("Authorization", "Bearer rx-t0ken")
        .format("Event")
        .registry_prefixes(["ResourceEvent"])
        .message_ids(["ResourceEvent.ResourceChanged"]);
    let at = client.subscribe(subscription).unwrap();
    let listed = client.subscriptions().unwrap();
    let found: Vec<_> =
        listed.iter().map(|one| (one.target(), one.value().context.as_deref().unwrap())).collect();
    assert_eq!(found, [(&at, "night run 7")]);

    let members = client.members("/redfish/v1/Systems").unwrap();
    let system = members.map(|member| member.unwrap().link().unwrap().into_owned()).next().unwrap();
    client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap();
    let (head, body) = pushed.recv_timeout(PATIENCE).unwrap();
    assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/events"));
    assert_eq!(head.header("authorization"), Some("Bearer rx-t0ken"));
    let Notification::Event(records) = Notification::parse(&body) else { panic!("{body}") };
    assert_eq!(records[0].origin.as_deref(), Some(system.as_str()));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["Context"], "night run 7");

    client.unsubscribe(at.as_str()).unwrap();
    assert!(client.subscriptions().unwrap().is_empty());
    assert!(other.seen().is_empty());
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn a_subscription_whose_answer_is_lost_is_there_once<A: Adapter>() {
    let (_server, client) = mock::<A>(&["lost-answer@/redfish/v1/EventService/Subscriptions*1"]);
    let subscription = Subscription::new("https://receiver.example/events").context("night run 7");
    let lost = client.subscribe(subscription).unwrap_err();
    assert!(matches!(lost.kind(), ErrorKind::OutcomeUnknown(_)), "{lost}");
    assert!(full_text(&lost).contains("among the subscriptions before"), "{lost}");
    let found: Vec<_> =
        client.subscriptions().unwrap().iter().map(|one| one.value().context.clone()).collect();
    assert_eq!(found, [Some("night run 7".to_owned())]);
    client.close().unwrap();
}

fn what_a_push_carries_is_shown_to_no_observer<A: Adapter>() {
    let (server, _) = mock::<A>(&[]);
    let shown = Arc::<Mutex<String>>::default();
    let seen = shown.clone();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .trust(&Trust::system_and_pem(server.certificate_pem().unwrap().as_bytes()).unwrap())
        .observer(move |trace| {
            if let Trace::Request(outgoing) = trace {
                seen.lock()
                    .unwrap()
                    .push_str(&format!("{outgoing}\n{}\n", outgoing.body().unwrap_or_default()));
            }
        })
        .build()
        .unwrap();
    let subscription = Subscription::new("https://receiver.example/").header("X-Key", "rx-t0ken");
    client.subscribe(subscription).unwrap();
    client.close().unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.contains("X-Key") && !shown.contains("rx-t0ken"), "{shown}");
}
