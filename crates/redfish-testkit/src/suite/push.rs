//! Pushed events: subscriptions at the mock, and a receiver on loopback.

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
    events_are_pushed_to_subscribers_until_they_unsubscribe,
    a_subscription_is_created_once_if_the_response_is_lost,
    an_observer_does_not_see_the_secrets_of_a_subscription,
}

/// Longer than any test.
const TIMEOUT: Duration = Duration::from_secs(60);

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

/// A receiver, and the requests that are pushed to it.
fn receiver() -> (Bmc, mpsc::Receiver<(Head, String)>) {
    let (push, pushed) = mpsc::channel();
    let push = Mutex::new(push);
    let bmc = Bmc::start(move |connection, head| {
        let body = String::from_utf8(connection.body(head)?).unwrap();
        push.lock().unwrap().send((head.clone(), body)).unwrap();
        connection.respond_and_close("204 No Content", "", "")
    });
    (bmc, pushed)
}

fn events_are_pushed_to_subscribers_until_they_unsubscribe<A: Adapter>() {
    let (server, client) = mock::<A>(&[]);
    let ((receiver_bmc, pushed), (other, _)) = (receiver(), receiver());
    let removed = client.subscribe(Subscription::new(format!("{}/removed", other.url()))).unwrap();
    let _ = client.unsubscribe(removed.as_str()).unwrap();
    let repeated = client.unsubscribe(removed.as_str()).unwrap_err();
    assert_eq!(*repeated.kind(), ErrorKind::NotFound);

    let subscription = Subscription::new(format!("{}/events", receiver_bmc.url()))
        .context("night run 7")
        .header("Authorization", "Bearer rx-t0ken")
        .format("Event")
        .registry_prefixes(["ResourceEvent"])
        .message_ids(["ResourceEvent.ResourceChanged"]);
    let target = client.subscribe(subscription).unwrap();
    let listed = client.subscriptions().unwrap().complete().unwrap();
    let found: Vec<_> = listed.iter().map(|one| (one.target(), one.context().unwrap().to_string())).collect();
    assert_eq!(found, [(&target, "night run 7".to_owned())]);

    let members = client.members("/redfish/v1/Systems").unwrap();
    let system = members.map(|member| member.unwrap().link().unwrap().into_owned()).next().unwrap();
    let _ = client.patch(&system, &json!({"AssetTag": "rack 7"})).unwrap();
    let (head, body) = pushed.recv_timeout(TIMEOUT).unwrap();
    assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/events"));
    assert_eq!(head.header("authorization"), Some("Bearer rx-t0ken"));
    let Notification::Event(records) = Notification::parse(&body) else { panic!("{body}") };
    assert_eq!(records[0].origin.as_deref(), Some(system.as_str()));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["Context"], "night run 7");

    let _ = client.unsubscribe(target.as_str()).unwrap();
    assert!(client.subscriptions().unwrap().complete().unwrap().is_empty());
    assert!(other.requests().is_empty());
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn a_subscription_is_created_once_if_the_response_is_lost<A: Adapter>() {
    let (_server, client) = mock::<A>(&["lost-answer@/redfish/v1/EventService/Subscriptions*1"]);
    let subscription = Subscription::new("https://receiver.example/events").context("night run 7");
    let lost = client.subscribe(subscription).unwrap_err();
    assert!(matches!(lost.kind(), ErrorKind::OutcomeUnknown(_)), "{lost}");
    assert!(full_text(&lost).contains("among the subscriptions before"), "{lost}");
    let found: Vec<_> = client
        .subscriptions()
        .unwrap()
        .complete()
        .unwrap()
        .iter()
        .map(|one| one.context().map(String::from))
        .collect();
    assert_eq!(found, [Some("night run 7".to_owned())]);
    client.close().unwrap();
}

fn an_observer_does_not_see_the_secrets_of_a_subscription<A: Adapter>() {
    let (server, _) = mock::<A>(&[]);
    let output = Arc::<Mutex<String>>::default();
    let observed = output.clone();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .trust(&Trust::system_and_pem(server.certificate_pem().unwrap().as_bytes()).unwrap())
        .observer(move |trace| {
            if let Trace::Request(outgoing) = trace {
                observed
                    .lock()
                    .unwrap()
                    .push_str(&format!("{outgoing}\n{}\n", outgoing.body().unwrap_or_default()));
            }
        })
        .build()
        .unwrap();
    let subscription = Subscription::new("https://receiver.example/").header("X-Key", "rx-t0ken");
    client.subscribe(subscription).unwrap();
    client.close().unwrap();
    let output = output.lock().unwrap();
    assert!(output.contains("X-Key") && !output.contains("rx-t0ken"), "{output}");
}
