//! Filters of streams and subscriptions, and streams that resume.

mod common;

use common::stream::{STREAM, SUBSCRIPTIONS, keys_and_origins, open, read, subscription};
use common::{Client, SYSTEM, messages};
use redfish_mock::{Answer, EventStream};
use serde_json::{Value, json};

const OTHER: &str = "/redfish/v1/Systems/EF2BF486";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn get(client: &mut Client, filter: &str, last: Option<&str>) -> Answer {
    let query = filter.replace(' ', "%20").replace('#', "%23");
    let headers: Vec<(&str, &str)> = last.map(|last| ("Last-Event-ID", last)).into_iter().collect();
    client.send("GET", &format!("{STREAM}{query}"), &headers, "")
}

fn open_filtered(client: &mut Client, filter: &str, last: Option<&str>) -> EventStream {
    let answer = get(client, filter, last);
    answer.stream().unwrap_or_else(|| panic!("{filter}: {}", answer.json()))
}

/// Causes events of each kind: opens and closes a session, changes two systems, and starts a task.
fn cause_events(client: &mut Client) {
    let basic = client.credentials.clone();
    let session = client.log_in("ada");
    client.credentials = basic;
    client.delete(&session);
    client.patch(SYSTEM, json!({"AssetTag": "x"}));
    client.patch(OTHER, json!({"AssetTag": "x"}));
    client.post(&format!("{SYSTEM}/Bios/Actions/Bios.ResetBios"), json!({}));
    client.wait(2);
}

/// The message keys of the events of a stream.
fn keys(client: &mut Client, stream: EventStream) -> Vec<String> {
    keys_and_origins(&read(client, stream)).into_iter().map(|(key, _)| key).collect()
}

/// The event that a new stream receives first.
const INITIAL_EVENT: &str = "ResourceCreated";

#[test]
fn a_stream_receives_the_events_that_match_its_filter() {
    for (filter, expected) in [
        ("ResourceType eq 'Session'", &["ResourceCreated", "ResourceRemoved"][..]),
        ("ResourceType eq 'session'", &[]),
        ("RegistryPrefix eq 'TaskEvent'", &["TaskStarted", "TaskProgressChanged"]),
        ("MessageId eq 'TaskEvent.TaskStarted'", &["TaskStarted"]),
        ("MessageId eq 'TaskEvent.1.0.TaskStarted'", &["TaskStarted"]),
        ("'TaskEvent.1.0.3.TaskStarted' eq MessageId", &["TaskStarted"]),
        ("MessageId eq 'TaskStarted'", &[]),
        ("EventType eq 'ResourceUpdated'", &["ResourceChanged", "ResourceChanged"]),
        ("OriginResource eq '/redfish/v1/Systems/EF2BF486'", &["ResourceChanged"]),
        ("OriginResource eq '/redfish/v1/Systems/EF2BF486/'", &["ResourceChanged"]),
        ("OriginResource eq '/redfish/v1/Systems'", &[]),
        (
            "ResourceType eq 'ComputerSystem' and not (OriginResource eq '/redfish/v1/Systems/EF2BF486')",
            &["ResourceChanged"],
        ),
        (
            "EventType ne 'ResourceUpdated' and (RegistryPrefix eq 'ResourceEvent' or MessageId eq 'TaskEvent.TaskStarted')",
            &[INITIAL_EVENT, "ResourceCreated", "ResourceRemoved", "TaskStarted"],
        ),
        ("EventFormatType eq 'MetricReport'", &[]),
        ("EventType eq 'Alert'", &[]),
    ] {
        let mut client = admin_client();
        for name in ["$filter", "filter", "%24filter"] {
            let stream = open_filtered(&mut client, &format!("?{name}={filter}"), None);
            cause_events(&mut client);
            assert_eq!(keys(&mut client, stream), expected, "{name}={filter}");
            client.wait(60);
        }
    }
}

#[test]
fn a_metric_report_is_not_an_event_and_is_filtered_separately() {
    let mut client = admin_client();
    for (filter, kinds) in [
        ("", &["#Event.v1_9_0.Event", "#MetricReport.v1_5_1.MetricReport"][..]),
        ("?$filter=EventFormatType eq 'Event'", &["#Event.v1_9_0.Event"]),
        ("?$filter=EventFormatType eq 'MetricReport'", &["#MetricReport.v1_5_1.MetricReport"]),
        ("?$filter=RegistryPrefix eq 'ResourceEvent'", &["#Event.v1_9_0.Event"]),
        ("?$filter=RegistryPrefix eq 'TaskEvent'", &[]),
    ] {
        let stream = open_filtered(&mut client, filter, None);
        let events = read(&mut client, stream);
        let seen: Vec<&str> = events.iter().filter_map(|(_, data)| data["@odata.type"].as_str()).collect();
        assert_eq!(seen, kinds, "{filter}");
    }
}

#[test]
fn only_the_advertised_filter_properties_are_accepted() {
    let mut client = admin_client();
    let service = client.get("/redfish/v1/EventService").json();
    let advertised = service["SSEFilterPropertiesSupported"].as_object().expect("filter properties");
    assert_eq!(advertised.values().filter(|is| is == &true).count(), 6);
    for (property, is_supported) in advertised {
        let answer = get(&mut client, &format!("?$filter={property} eq 'x'"), None);
        let seen = (answer.status().as_u16(), messages(&answer));
        let expected = match is_supported.as_bool() {
            Some(true) => (200, vec![]),
            _ => (400, vec!["PropertyUnknown".to_owned()]),
        };
        assert_eq!(seen, expected, "{property}");
    }
    for (query, status, key) in [
        ("?$filter=", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId eq", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId eq 'x", 400, "QueryParameterValueFormatError"),
        ("?$filter=(MessageId eq 'x'", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId is 'x'", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId gt 'x'", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId eq 7", 400, "QueryParameterValueFormatError"),
        ("?$filter=MessageId eq EventType", 400, "QueryParameterValueFormatError"),
        ("?$filter='x' eq 'x'", 400, "QueryParameterValueFormatError"),
        ("?$filter=EventType eq 'Alert' or not Color eq 'x'", 400, "PropertyUnknown"),
        ("?$filter=EventType eq 'Alert'&$filter=EventType eq 'Alert'", 400, "QueryNotSupportedOnResource"),
        ("?$filter=EventType eq 'Alert'&$top=1", 400, "QueryNotSupportedOnResource"),
        ("?only", 400, "QueryNotSupportedOnResource"),
        ("?$orderby=Id", 501, "QueryNotSupported"),
    ] {
        let answer = get(&mut client, query, None);
        assert_eq!((answer.status().as_u16(), messages(&answer)), (status, vec![key.to_owned()]), "{query}");
    }
    assert_eq!(get(&mut client, "?color=red", None).status(), 200, "an unknown parameter is ignored");
}

#[test]
fn a_resumed_stream_receives_missed_events_once() {
    let mut client = admin_client();
    let first = open(&mut client);
    client.patch(SYSTEM, json!({"AssetTag": "a"}));
    let seen = read(&mut client, first);
    let last = seen.last().map(|(id, _)| id.clone()).expect("an event");
    client.mock.close_stream(first);
    cause_events(&mut client);

    let second = open_filtered(&mut client, "", Some(&last));
    let missed = read(&mut client, second);
    let expected = [
        "ResourceCreated",
        "ResourceRemoved",
        "ResourceChanged",
        "ResourceChanged",
        "TaskStarted",
        "TaskProgressChanged",
    ];
    let keys: Vec<String> = keys_and_origins(&missed).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys[..6], expected);
    assert_eq!(keys[6..], [INITIAL_EVENT]);
    let numbers: Vec<u64> = seen.iter().chain(&missed).map(|(id, _)| id.parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert!(missed.iter().all(|(id, event)| event["Id"] == **id || event["MetricValues"].is_array()));

    // The initial events of one stream are not replayed to another, and filters apply to replayed events.
    let filter = "?$filter=ResourceType eq 'Session'";
    let third = open_filtered(&mut client, filter, Some(&last));
    let keys: Vec<String> =
        keys_and_origins(&read(&mut client, third)).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["ResourceCreated", "ResourceRemoved"]);
}

#[test]
fn a_resumed_stream_is_notified_of_lost_events() {
    let mut client = admin_client();
    for _ in 0..150 {
        client.patch(SYSTEM, json!({"AssetTag": "a"}));
    }
    for (last, from) in
        [("0", 50), ("49", 50), ("no number", 50), ("99999", 50), ("-1", 50), ("50", 51), ("99", 100)]
    {
        let stream = open_filtered(&mut client, "?$filter=EventType eq 'ResourceUpdated'", Some(last));
        let events = read(&mut client, stream);
        assert_eq!(events[0].0, from.to_string(), "{last}");
        let key = &keys_and_origins(&events)[0].0;
        assert_eq!(key == "EventBufferExceeded", from == 50, "{last}");
        assert_eq!(events.last().map(|(id, _)| id.as_str()), Some("150"), "{last}");
        client.mock.close_stream(stream);
    }
}

#[test]
fn a_stream_that_is_not_read_is_notified_of_lost_events() {
    let mut client = admin_client();
    let stream = open(&mut client);
    for _ in 0..1000 {
        client.patch(SYSTEM, json!({"AssetTag": "a"}));
    }
    let events = read(&mut client, stream);
    let (first, keys) = (&events[0], keys_and_origins(&events));
    assert_eq!((events.len(), keys[0].0.as_str()), (200, "EventBufferExceeded"));
    let next = events[1].0.parse::<u64>().expect("a number");
    assert_eq!(first.0, (next - 1).to_string(), "a stream that resumes from it receives the next event");
    assert_eq!(keys.iter().filter(|(key, _)| key == "EventBufferExceeded").count(), 1);
}

#[test]
fn a_subscription_receives_the_events_that_match_its_lists() {
    let origin = json!([{"@odata.id": OTHER}, null, {}]);
    for (list, values, expected) in [
        ("RegistryPrefixes", json!(["TaskEvent"]), &["TaskStarted", "TaskProgressChanged"][..]),
        ("ResourceTypes", json!(["Session", "Chassis"]), &["ResourceCreated", "ResourceRemoved"]),
        ("MessageIds", json!(["TaskEvent.TaskStarted"]), &["TaskStarted"]),
        ("MessageIds", json!(["x", "TaskEvent.1.0.TaskStarted"]), &["TaskStarted"]),
        ("EventTypes", json!(["ResourceAdded", "ResourceRemoved"]), &["ResourceCreated", "ResourceRemoved"]),
        ("OriginResources", origin, &["ResourceChanged"]),
        ("ResourceTypes", json!(["Color"]), &[]),
        (
            "ResourceTypes",
            json!([]),
            &[
                "ResourceCreated",
                "ResourceRemoved",
                "ResourceChanged",
                "ResourceChanged",
                "TaskStarted",
                "TaskProgressChanged",
            ],
        ),
    ] {
        let mut client = admin_client();
        let mut body = subscription("http://127.0.0.1/");
        body[list] = values.clone();
        assert_eq!(client.post(SUBSCRIPTIONS, body).status(), 201, "{list} {values}");
        cause_events(&mut client);
        client.get("/redfish/v1/");
        let sent = client.mock.take_deliveries();
        let events: Vec<(String, Value)> = sent
            .iter()
            .map(|delivery| (String::new(), serde_json::from_str(&delivery.body).expect("JSON")))
            .collect();
        let seen: Vec<String> = keys_and_origins(&events).into_iter().map(|(key, _)| key).collect();
        assert_eq!(seen, expected, "{list} {values}");
    }
}

#[test]
fn a_filter_list_with_unknown_values_is_rejected() {
    let mut client = admin_client();
    let service = client.get("/redfish/v1/EventService").json();
    for (list, supported) in
        [("EventTypes", "EventTypesForSubscription"), ("RegistryPrefixes", "RegistryPrefixes")]
    {
        let mut body = subscription("http://127.0.0.1/");
        body[list] = service[supported].clone();
        assert_eq!(client.post(SUBSCRIPTIONS, body.clone()).status(), 201, "{list}");
        body[list] = json!(["Color"]);
        let refused = client.post(SUBSCRIPTIONS, body);
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec!["PropertyValueNotInList".to_owned()]),
            "{list}"
        );
    }
    for (name, value) in [("OriginResources", json!(["/redfish/v1"])), ("SubordinateResources", json!(true))]
    {
        let mut body = subscription("http://127.0.0.1/");
        body[name] = value;
        assert_eq!(client.post(SUBSCRIPTIONS, body).status(), 400, "{name}");
    }
}
