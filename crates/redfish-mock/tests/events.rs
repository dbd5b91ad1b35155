//! Events: subscriptions, streams, and deliveries to loopback only.

mod common;

use common::stream::{STREAM, SUBSCRIPTIONS, keys_and_origins, open, read, subscription};
use common::{Client, SYSTEM, messages};
use redfish_mock::Answer;
use serde_json::{Value, json};

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status(), 201, "{}", answer.json());
    answer.header("Location").expect("a location").to_owned()
}

#[test]
fn a_subscription_is_created_changed_and_deleted() {
    let mut client = admin_client();
    let service = client.get("/redfish/v1/EventService").json();
    assert_eq!(service["Subscriptions"]["@odata.id"], SUBSCRIPTIONS);
    // A remote destination is accepted, but nothing is sent there.
    let path = location(&client.post(SUBSCRIPTIONS, subscription("https://192.0.2.50/Destination1")));
    let created = client.get(&path).json();
    assert_eq!((&created["Context"], &created["Protocol"]), (&json!("mine"), &json!("Redfish")));
    assert_eq!(client.get(SUBSCRIPTIONS).json()["Members"], json!([{"@odata.id": path}]));
    assert_eq!(client.patch(&path, json!({"Context": "yours"})).json()["Context"], "yours");
    assert_eq!(client.patch(&path, json!({"Destination": "http://192.0.2.1"})).status(), 400);
    assert_eq!(client.delete(&path).status(), 204);
    assert_eq!(client.get(&path).status(), 404);
}

#[test]
fn an_invalid_subscription_is_rejected() {
    for (body, message) in [
        (json!({"Protocol": "FTP", "Destination": "http://192.0.2.1/"}), "PropertyValueNotInList"),
        (json!({"Protocol": "Redfish"}), "CreateFailedMissingReqProperties"),
        (json!({"Protocol": "Redfish", "Destination": 7}), "PropertyValueTypeError"),
        (json!({"Protocol": "Redfish", "Destination": "http://192.0.2.1/", "Color": 1}), "PropertyUnknown"),
    ] {
        let mut client = admin_client();
        let refused = client.post(SUBSCRIPTIONS, body.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{body}"
        );
        assert_eq!(client.get(SUBSCRIPTIONS).json()["Members@odata.count"], 0);
    }
    let mut client = admin_client();
    for _ in 0..32 {
        location(&client.post(SUBSCRIPTIONS, subscription("http://127.0.0.1/")));
    }
    let refused = client.post(SUBSCRIPTIONS, subscription("http://127.0.0.1/"));
    let limit = vec!["EventSubscriptionLimitExceeded".to_owned()];
    assert_eq!((refused.status().as_u16(), messages(&refused)), (503, limit));
    for (user, status) in [("olga", 201), ("bob", 403)] {
        let mut client = Client::standard().basic(user);
        assert_eq!(client.post(SUBSCRIPTIONS, subscription("http://127.0.0.1/")).status(), status, "{user}");
    }
}

#[test]
fn events_are_delivered_only_to_loopback() {
    let mut client = admin_client();
    client.post(SUBSCRIPTIONS, subscription("http://192.0.2.50/far"));
    client.post(SUBSCRIPTIONS, subscription("http://127.0.0.1:9/near?a=b"));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    let sent = client.mock.take_deliveries();
    let [delivery] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(delivery.destination, "http://127.0.0.1:9/near?a=b");
    let event: Value = serde_json::from_str(&delivery.body).expect("JSON");
    assert_eq!((&event["Context"], &event["@odata.type"]), (&json!("mine"), &json!("#Event.v1_9_0.Event")));
    assert_eq!(
        keys_and_origins(&[(String::new(), event)]),
        [("ResourceChanged".to_owned(), SYSTEM.to_owned())]
    );
    assert_eq!(client.mock.take_deliveries(), []);
    for _ in 0..1000 {
        client.patch(SYSTEM, json!({"AssetTag": "x"}));
    }
    assert_eq!(client.mock.take_deliveries().len(), 100, "the outbox is bounded");
}

#[test]
fn the_headers_of_a_subscription_are_sent_only_with_its_events() {
    let mut client = admin_client();
    let mut wanted = subscription("http://127.0.0.1:9/near");
    wanted["HttpHeaders"] = json!([{"Authorization": "Bearer rx-t0ken"}, {"X-Rack": "7"}]);
    let path = location(&client.post(SUBSCRIPTIONS, wanted.clone()));
    assert_eq!(client.get(&path).json()["HttpHeaders"], json!([]));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    let sent = client.mock.take_deliveries();
    assert_eq!(
        (&sent[0].headers["authorization"], &sent[0].headers["x-rack"]),
        (&"Bearer rx-t0ken".parse().unwrap(), &"7".parse().unwrap())
    );
    for wrong in [
        json!([{"A b": "secret-word"}]),
        json!([{"A": "secret-word\r\nB: c"}]),
        json!(["secret-word"]),
        json!("secret-word"),
    ] {
        wanted["HttpHeaders"] = wrong.clone();
        let refused = client.post(SUBSCRIPTIONS, wanted.clone());
        assert_eq!(refused.status(), 400, "{wrong}");
        assert!(!refused.json().to_string().contains("secret-word"), "{}", refused.json());
    }
}

#[test]
fn a_stream_starts_with_an_event_and_a_metric_report() {
    let mut client = admin_client();
    let stream = open(&mut client);
    let events = read(&mut client, stream);
    let kinds: Vec<&str> = events.iter().filter_map(|(_, data)| data["@odata.type"].as_str()).collect();
    assert_eq!(kinds, ["#Event.v1_9_0.Event", "#MetricReport.v1_5_1.MetricReport"]);
    assert_eq!((events[0].0.as_str(), events[1].0.as_str()), ("1", "2"));
    let report = &events[1].1["MetricValues"];
    let property = report[0]["MetricProperty"].as_str().and_then(|uri| uri.split('#').next()).expect("a URI");
    let reading = client.get(property).json()["Reading"].to_string();
    assert_eq!(report[0]["MetricValue"], reading.as_str());
}

#[test]
fn a_stream_sends_events_and_keep_alive_comments() {
    let mut client = admin_client();
    let stream = open(&mut client);
    read(&mut client, stream);
    assert_eq!(client.mock.events(stream, client.now).as_deref(), Some(""));
    client.wait(1);
    let keep_alive = client.mock.events(stream, client.now);
    assert!(keep_alive.is_some_and(|text| text.starts_with(':') && text.ends_with("\n\n")));

    client.post(&format!("{SYSTEM}/Actions/ComputerSystem.Reset"), json!({"ResetType": "GracefulShutdown"}));
    client.wait(3);
    let eve = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "ReadOnly"});
    let account = location(&client.post("/redfish/v1/AccountService/Accounts", eve));
    client.delete(&account);
    client.post(&format!("{SYSTEM}/Bios/Actions/Bios.ResetBios"), json!({}));
    let test = "/redfish/v1/EventService/Actions/EventService.SubmitTestEvent";
    assert_eq!(client.post(test, json!({"MessageId": "ResourceEvent.1.3.TestMessage"})).status(), 204);
    client.wait(5);
    let events = read(&mut client, stream);
    assert_eq!(events[0].0, "3", "the numbers continue");
    let task = "/redfish/v1/TaskService/Tasks/1";
    let expected = [
        ("PowerChanged", SYSTEM),
        ("ResourceCreated", &account),
        ("ResourceRemoved", &account),
        ("TaskStarted", task),
        ("TestMessage", "/redfish/v1/EventService"),
        ("TaskProgressChanged", task),
        ("TaskProgressChanged", task),
        ("TaskProgressChanged", task),
        ("TaskCompletedOK", task),
    ];
    assert_eq!(keys_and_origins(&events), expected.map(|(key, origin)| (key.to_owned(), origin.to_owned())));
    let times: Vec<&Value> = events.iter().map(|(_, event)| &event["Events"][0]["EventTimestamp"]).collect();
    assert_eq!((times[0], times[5]), (&json!("2026-01-01T00:00:04Z"), &json!("2026-01-01T00:00:05Z")));
    assert!(!format!("{events:?}").contains("eavesdrop"));
}

#[test]
fn a_stream_is_a_subscription_while_it_is_open() {
    let mut client = admin_client();
    let session = client.log_in("ada");
    let stream = open(&mut client);
    let members = client.get(SUBSCRIPTIONS).json()["Members"].clone();
    let path = members[0]["@odata.id"].as_str().expect("a member").to_owned();
    assert!(client.get(&path).json()["Context"].is_string());
    // The stream outlives the session that opened it.
    assert_eq!(client.delete(&session).status(), 204);
    assert!(client.mock.events(stream, client.now).is_some());
    client.credentials = Some(common::basic("ada"));
    assert_eq!(client.delete(&path).status(), 204);
    assert_eq!(client.mock.events(stream, client.now), None);

    let stream = open(&mut client);
    client.mock.close_stream(stream);
    assert_eq!(client.get(SUBSCRIPTIONS).json()["Members@odata.count"], 0);
    assert_eq!(client.mock.events(stream, client.now), None);
}

#[test]
fn a_client_that_does_not_accept_event_streams_gets_406() {
    let mut client = admin_client();
    for (accept, status) in [
        ("application/json", 406),
        ("application/json, text/plain;q=0.5", 406),
        ("*/*", 200),
        ("text/*", 200),
        ("application/json, Text/Event-Stream;q=0.1", 200),
    ] {
        let answer = client.send("GET", STREAM, &[("Accept", accept)], "");
        assert_eq!(
            (answer.status().as_u16(), answer.stream().is_some()),
            (status, status == 200),
            "{accept}"
        );
    }
    assert!(client.get(STREAM).stream().is_some(), "without Accept, any media type is accepted");
    assert!(client.send("HEAD", STREAM, &[], "").stream().is_none());
    assert_eq!(Client::standard().get(STREAM).status(), 401);
    assert_eq!(Client::standard().basic("bob").get(STREAM).status(), 200);
}

#[test]
fn an_event_is_published_when_a_session_is_opened_or_ends() {
    let mut client = admin_client();
    let stream = open(&mut client);
    let basic = client.credentials.clone();
    let deleted = client.log_in("ada");
    client.delete(&deleted);
    let dropped = client.log_in("bob");
    client.credentials = basic;
    client.delete("/redfish/v1/AccountService/Accounts/3");
    let basic = client.credentials.clone();
    let expired = client.log_in("olga");
    client.credentials = basic;
    client.wait(1800);
    let events = read(&mut client, stream);
    let expected = [
        ("ResourceCreated", &*deleted),
        ("ResourceRemoved", &deleted),
        ("ResourceCreated", &dropped),
        ("ResourceRemoved", &dropped),
        ("ResourceRemoved", "/redfish/v1/AccountService/Accounts/3"),
        ("ResourceCreated", &expired),
        ("ResourceRemoved", &expired),
    ];
    let seen = keys_and_origins(&events);
    assert_eq!(seen[1..], expected.map(|(key, origin)| (key.to_owned(), origin.to_owned())));
    let token = client.mock.sessions(client.now).count();
    assert_eq!(token, 0);
}

#[test]
fn the_progress_of_an_update_is_published_from_start_to_end() {
    let bios = "/redfish/v1/UpdateService/FirmwareInventory/BIOS-E1D8B426";
    let mut client = admin_client();
    let first = open(&mut client);
    let update = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate";
    client.post(update, json!({"ImageURI": "http://192.0.2.1/x", "Targets": [bios]}));
    client.wait(9);
    let task = "/redfish/v1/TaskService/Tasks/1";
    let seen = keys_and_origins(&read(&mut client, first));
    let expected = [("TaskStarted", task), ("TaskProgressChanged", task), ("TaskProgressChanged", task)];
    assert_eq!(seen[1..], expected.map(|(key, origin)| (key.to_owned(), origin.to_owned())));
    client.wait(6);
    assert_eq!(client.mock.events(first, client.now), None, "a restart closes streams");

    // A resumed stream receives the events that were published during the restart.
    let last = ("Last-Event-ID", "5");
    let stream = client.send("GET", STREAM, &[last], "").stream().expect("a stream");
    let seen = keys_and_origins(&read(&mut client, stream));
    let expected = [
        ("TaskProgressChanged", task),
        ("ResourceChanged", bios),
        ("ResourceChanged", SYSTEM),
        ("TaskCompletedOK", task),
    ];
    assert_eq!(seen[..4], expected.map(|(key, origin)| (key.to_owned(), origin.to_owned())));
}

#[test]
fn a_cancelled_task_publishes_one_event_and_no_progress() {
    let mut client = admin_client();
    let stream = open(&mut client);
    let accepted = client.post(&format!("{SYSTEM}/Bios/Actions/Bios.ResetBios"), json!({}));
    let monitor = common::path_of(accepted.header("Location").expect("a monitor"));
    client.delete(&monitor);
    client.wait(60);
    let keys: Vec<String> =
        keys_and_origins(&read(&mut client, stream)).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys[1..], ["TaskStarted", "TaskCancelled"]);

    // A task that has ended cannot be cancelled.
    let accepted = client.post(&format!("{SYSTEM}/Bios/Actions/Bios.ResetBios"), json!({}));
    client.wait(60);
    client.delete(&common::path_of(accepted.header("Location").expect("a monitor")));
    let last = keys_and_origins(&read(&mut client, stream)).pop().map(|(key, _)| key);
    assert_eq!(last.as_deref(), Some("TaskCompletedOK"));
}
