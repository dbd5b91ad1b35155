//! Events: who may subscribe to what, what is told, and what never leaves.

mod common;

use common::{Client, SYSTEM, messages};
use redfish_mock::{Answer, EventStream};
use serde_json::{Value, json};

const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
const STREAM: &str = "/redfish/v1/EventService/SSE";

fn ada() -> Client {
    Client::standard().basic("ada")
}

fn subscription(destination: &str) -> Value {
    json!({"Context": "mine", "Protocol": "Redfish", "Destination": destination})
}

fn open(client: &mut Client) -> EventStream {
    let answer = client.send("GET", STREAM, &[("Accept", "text/event-stream")], "");
    assert_eq!((answer.status().as_u16(), answer.header("Content-Type")), (200, Some("text/event-stream")));
    assert_eq!(answer.header("Content-Length"), None);
    answer.stream().expect("a stream")
}

/// The events of a stream: their `id` and their data.
fn read(client: &mut Client, stream: EventStream) -> Vec<(String, Value)> {
    let text = client.mock.events(stream, client.now).expect("an open stream");
    text.split_terminator("\n\n")
        .filter(|block| !block.starts_with(':'))
        .map(|block| {
            let (id, data) = block.split_once('\n').expect("two lines");
            let data = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
            (id.strip_prefix("id: ").expect("an id").to_owned(), data)
        })
        .collect()
}

/// The keys and origins of what was told.
fn told(events: &[(String, Value)]) -> Vec<(String, String)> {
    let records =
        events.iter().flat_map(|(_, event)| event["Events"].as_array().cloned().unwrap_or_default());
    records
        .map(|record| {
            let id = record["MessageId"].as_str().expect("an identifier");
            let origin = record["OriginOfCondition"]["@odata.id"].as_str().expect("an origin");
            (id.rsplit('.').next().expect("a key").to_owned(), origin.to_owned())
        })
        .collect()
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status(), 201, "{}", answer.json());
    answer.header("Location").expect("a location").to_owned()
}

#[test]
fn a_subscription_is_made_changed_and_deleted() {
    let mut client = ada();
    let service = client.get("/redfish/v1/EventService").json();
    assert_eq!(service["Subscriptions"]["@odata.id"], SUBSCRIPTIONS);
    // Far away: taken, and nothing is sent there.
    let path = location(&client.post(SUBSCRIPTIONS, subscription("https://192.0.2.50/Destination1")));
    let made = client.get(&path).json();
    assert_eq!((&made["Context"], &made["Protocol"]), (&json!("mine"), &json!("Redfish")));
    assert_eq!(client.get(SUBSCRIPTIONS).json()["Members"], json!([{"@odata.id": path}]));
    assert_eq!(client.patch(&path, json!({"Context": "yours"})).json()["Context"], "yours");
    assert_eq!(client.patch(&path, json!({"Destination": "http://192.0.2.1"})).status(), 400);
    assert_eq!(client.delete(&path).status(), 204);
    assert_eq!(client.get(&path).status(), 404);
}

#[test]
fn what_cannot_be_subscribed_is_refused() {
    for (body, message) in [
        (json!({"Protocol": "FTP", "Destination": "http://192.0.2.1/"}), "PropertyValueNotInList"),
        (json!({"Protocol": "Redfish"}), "CreateFailedMissingReqProperties"),
        (json!({"Protocol": "Redfish", "Destination": 7}), "PropertyValueTypeError"),
        (json!({"Protocol": "Redfish", "Destination": "http://192.0.2.1/", "Colour": 1}), "PropertyUnknown"),
    ] {
        let mut client = ada();
        let refused = client.post(SUBSCRIPTIONS, body.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{body}"
        );
        assert_eq!(client.get(SUBSCRIPTIONS).json()["Members@odata.count"], 0);
    }
    let mut client = ada();
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
fn a_destination_on_loopback_is_told_and_no_other() {
    let mut client = ada();
    client.post(SUBSCRIPTIONS, subscription("http://192.0.2.50/far"));
    client.post(SUBSCRIPTIONS, subscription("http://127.0.0.1:9/near?a=b"));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    let sent = client.mock.take_deliveries();
    let [delivery] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(delivery.destination, "http://127.0.0.1:9/near?a=b");
    let event: Value = serde_json::from_str(&delivery.body).expect("JSON");
    assert_eq!((&event["Context"], &event["@odata.type"]), (&json!("mine"), &json!("#Event.v1_9_0.Event")));
    assert_eq!(told(&[(String::new(), event)]), [("ResourceChanged".to_owned(), SYSTEM.to_owned())]);
    assert_eq!(client.mock.take_deliveries(), []);
    for _ in 0..1000 {
        client.patch(SYSTEM, json!({"AssetTag": "x"}));
    }
    assert_eq!(client.mock.take_deliveries().len(), 100, "no growth where nobody takes them");
}

#[test]
fn a_subscription_is_told_what_it_asked_for() {
    let mut client = ada();
    let with = |filter: &str, values: Value| {
        let mut body = subscription("http://127.0.0.1/");
        body[filter] = values;
        body
    };
    client.post(SUBSCRIPTIONS, with("RegistryPrefixes", json!(["TaskEvent"])));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!(client.mock.take_deliveries(), []);
    client.post(SUBSCRIPTIONS, with("MessageIds", json!(["ResourceEvent.ResourceChanged"])));
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!(client.mock.take_deliveries().len(), 1);
}

#[test]
fn a_stream_begins_with_an_event_and_a_report() {
    let mut client = ada();
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
fn a_stream_tells_what_happens_and_that_it_is_there() {
    let mut client = ada();
    let stream = open(&mut client);
    read(&mut client, stream);
    assert_eq!(client.mock.events(stream, client.now).as_deref(), Some(""));
    client.wait(1);
    let pulse = client.mock.events(stream, client.now);
    assert!(pulse.is_some_and(|text| text.starts_with(':') && text.ends_with("\n\n")));

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
    assert_eq!(events[0].0, "3", "numbered on");
    let expected = [
        ("PowerChanged", SYSTEM),
        ("ResourceCreated", &account),
        ("ResourceRemoved", &account),
        ("TestMessage", "/redfish/v1/EventService"),
        ("TaskCompletedOK", "/redfish/v1/TaskService/Tasks/1"),
    ];
    assert_eq!(told(&events), expected.map(|(key, origin)| (key.to_owned(), origin.to_owned())));
    assert!(!format!("{events:?}").contains("eavesdrop"));
}

#[test]
fn a_stream_is_a_subscription_while_it_is_open() {
    let mut client = ada();
    let session = client.log_in("ada");
    let stream = open(&mut client);
    let members = client.get(SUBSCRIPTIONS).json()["Members"].clone();
    let path = members[0]["@odata.id"].as_str().expect("a member").to_owned();
    assert!(client.get(&path).json()["Context"].is_string());
    // The session that opened it may go.
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
fn who_wants_something_else_gets_no_stream() {
    let mut client = ada();
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
    assert!(client.get(STREAM).stream().is_some(), "who says nothing takes all");
    assert!(client.send("HEAD", STREAM, &[], "").stream().is_none());
    assert_eq!(client.get(&format!("{STREAM}?$filter=RegistryPrefix%20eq%20'Base'")).status(), 400);
    assert_eq!(Client::standard().get(STREAM).status(), 401);
    assert_eq!(Client::standard().basic("bob").get(STREAM).status(), 200);
}
