//! Event streams, for the tests.

use redfish_mock::EventStream;
use serde_json::{Value, json};

use super::Client;

pub const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
pub const STREAM: &str = "/redfish/v1/EventService/SSE";

pub fn subscription(destination: &str) -> Value {
    json!({"Context": "mine", "Protocol": "Redfish", "Destination": destination})
}

pub fn open(client: &mut Client) -> EventStream {
    let answer = client.send("GET", STREAM, &[("Accept", "text/event-stream")], "");
    assert_eq!((answer.status().as_u16(), answer.header("Content-Type")), (200, Some("text/event-stream")));
    assert_eq!(answer.header("Content-Length"), None);
    answer.stream().expect("a stream")
}

/// Reads the events of a stream: the `id` and the data of each.
pub fn read(client: &mut Client, stream: EventStream) -> Vec<(String, Value)> {
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

/// The message key and the origin of each event.
pub fn keys_and_origins(events: &[(String, Value)]) -> Vec<(String, String)> {
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
