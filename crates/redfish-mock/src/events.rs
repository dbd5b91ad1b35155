//! Events: who asked to be told, and what there is to tell them (DSP0266, "Eventing").
//!
//! ```text
//!                       ┌──► a stream, while its client reads it      (server-sent events)
//!  something changes ───┤
//!                       └──► the outbox, for destinations on loopback (subscriptions)
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use serde_json::{Map, Value, json};

use crate::message::Message;
use crate::moment::date_time;
use crate::patch::{Kind, Property};
use crate::profile::Profile;
use crate::reply::Rendered;

pub(crate) const EVENT_SERVICE: &str = "/redfish/v1/EventService";
pub(crate) const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
pub(crate) const STREAM: &str = "/redfish/v1/EventService/SSE";

/// How many subscriptions there may be, streams among them.
const LIMIT: usize = 32;
/// How many events wait for a client that does not read, or for a destination that does not answer.
const WAITING: usize = 100;
/// How often a stream without events says that it is there.
const PULSE: Duration = Duration::from_secs(1);

const DESTINATION: Property = Property { path: "Destination", kind: Kind::Text { least: 1, most: 2048 } };
const PROTOCOL: Property = Property { path: "Protocol", kind: Kind::Choice(&["Redfish"]) };
const CONTEXT: Property = Property { path: "Context", kind: Kind::Text { least: 0, most: 256 } };
const TEXT: Kind = Kind::Text { least: 0, most: 256 };

/// What a subscription must have.
pub(crate) const REQUIRED: &[Property] = &[DESTINATION, PROTOCOL];
/// What it may have.
pub(crate) const TAKEN: &[Property] = &[
    DESTINATION,
    PROTOCOL,
    CONTEXT,
    Property { path: "SubscriptionType", kind: Kind::Choice(&["RedfishEvent"]) },
    Property { path: "EventFormatType", kind: Kind::Choice(&["Event"]) },
    Property { path: "EventTypes", kind: Kind::List(&TEXT) },
    Property { path: "RegistryPrefixes", kind: Kind::List(&TEXT) },
    Property { path: "ResourceTypes", kind: Kind::List(&TEXT) },
    Property { path: "MessageIds", kind: Kind::List(&TEXT) },
    Property {
        path: "DeliveryRetryPolicy",
        kind: Kind::Choice(&["TerminateAfterRetries", "SuspendRetries", "RetryForever"]),
    },
];
/// What of it may be changed.
pub(crate) const WRITABLE: &[Property] = &[CONTEXT];

/// A stream of server-sent events that a GET opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventStream(pub(crate) u64);

/// An event on its way to a subscriber's destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it goes: `http` at loopback.
    pub destination: Uri,
    /// The event, as JSON.
    pub body: String,
}

#[derive(Clone)]
struct Subscription {
    document: Value,
    revision: u64,
    /// Of a stream, what was not read yet.
    stream: Option<Stream>,
}

#[derive(Clone, Default)]
struct Stream {
    waiting: VecDeque<Value>,
    sent: u64,
    at: Duration,
}

/// The subscriptions, by the number that is their `Id`.
#[derive(Clone, Default)]
pub(crate) struct Events {
    table: BTreeMap<u64, Subscription>,
    last: u64,
    told: u64,
    outbox: VecDeque<Delivery>,
}

impl Events {
    /// Subscribes a destination as a POST describes it, whose values were checked; its number.
    pub(crate) fn subscribe(&mut self, body: &Map<String, Value>) -> Option<u64> {
        let mut document =
            json!({"Context": "", "SubscriptionType": "RedfishEvent", "EventFormatType": "Event"});
        for property in TAKEN {
            if let Some(value) = body.get(property.path) {
                document[property.path] = value.clone();
            }
        }
        self.add(document, None)
    }

    /// Opens a stream.
    pub(crate) fn open(&mut self, now: Duration) -> Option<EventStream> {
        let context = format!("stream {}", self.last + 1);
        let document = json!({"Context": context, "SubscriptionType": "SSE", "Protocol": "Redfish", "Destination": null});
        let stream = Stream { at: now, ..Stream::default() };
        self.add(document, Some(stream)).map(EventStream)
    }

    fn add(&mut self, mut document: Value, stream: Option<Stream>) -> Option<u64> {
        if self.table.len() >= LIMIT {
            return None;
        }
        self.last += 1;
        let id = self.last;
        document["@odata.id"] = json!(path(id));
        document["@odata.type"] = json!("#EventDestination.v1_14_1.EventDestination");
        document["Id"] = json!(id.to_string());
        document["Name"] = json!(format!("Subscription {id}"));
        document["Status"] = json!({"State": "Enabled", "Health": "OK"});
        self.table.insert(id, Subscription { document, revision: 0, stream });
        Some(id)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.table.remove(&id);
    }

    /// Whether somebody is told without asking.
    #[cfg(feature = "serve")]
    pub(crate) fn has_destinations(&self) -> bool {
        self.table.values().any(|subscription| subscription.stream.is_none())
    }

    /// Ends all streams.
    pub(crate) fn close_streams(&mut self) {
        self.table.retain(|_, subscription| subscription.stream.is_none());
    }

    /// The subscription at the last segment of a path.
    pub(crate) fn find(&self, segment: &str) -> Option<u64> {
        let id = segment.parse().ok()?;
        (self.table.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    pub(crate) fn document(&self, id: u64) -> Option<&Value> {
        self.table.get(&id).map(|subscription| &subscription.document)
    }

    pub(crate) fn write(&mut self, id: u64, document: Value) {
        if let Some(subscription) = self.table.get_mut(&id) {
            subscription.document = document;
            subscription.revision += 1;
        }
    }

    pub(crate) fn collection(&self, profile: Profile) -> Rendered {
        let members: Vec<Value> = self.table.keys().map(|id| json!({"@odata.id": path(*id)})).collect();
        let document = json!({
            "@odata.id": SUBSCRIPTIONS,
            "@odata.type": "#EventDestinationCollection.EventDestinationCollection",
            "Name": "Subscriptions",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        Rendered::new(document, 0, profile)
    }

    pub(crate) fn render(&self, id: u64, profile: Profile) -> Option<Rendered> {
        let subscription = self.table.get(&id)?;
        Some(Rendered::new(subscription.document.clone(), subscription.revision, profile))
    }

    /// Tells all who asked of what happened to the resource at `origin`.
    pub(crate) fn tell(&mut self, message: &Message, origin: &str, now: Duration, profile: Profile) {
        let ids: Vec<u64> = self.table.keys().copied().collect();
        for id in ids {
            self.tell_one(id, message, origin, now, profile);
        }
    }

    /// The same, one of them.
    pub(crate) fn tell_one(
        &mut self,
        id: u64,
        message: &Message,
        origin: &str,
        now: Duration,
        profile: Profile,
    ) {
        self.told += 1;
        let told = self.told.to_string();
        let Some(subscription) = self.table.get_mut(&id) else { return };
        if !subscription.wants(message, profile) {
            return;
        }
        let mut record = message.spell(profile);
        for (name, value) in [
            ("MemberId", json!("0")),
            ("EventId", json!(told)),
            ("EventType", json!("Alert")),
            ("EventTimestamp", json!(date_time(now))),
            ("OriginOfCondition", json!({"@odata.id": origin})),
        ] {
            record[name] = value;
        }
        if let Some(record) = record.as_object_mut() {
            record.remove("@odata.type");
        }
        let event = json!({
            "@odata.type": "#Event.v1_9_0.Event",
            "Id": told,
            "Name": "Event",
            "Context": subscription.document["Context"],
            "Events": [record],
        });
        match &mut subscription.stream {
            Some(stream) => stream.push(event),
            None => {
                let destination = subscription.document["Destination"].as_str().and_then(loopback);
                if let Some(destination) = destination.filter(|_| self.outbox.len() < WAITING) {
                    self.outbox.push_back(Delivery { destination, body: event.to_string() });
                }
            }
        }
    }

    /// Puts something on one stream.
    pub(crate) fn push(&mut self, stream: EventStream, value: Value) {
        if let Some(stream) = self.table.get_mut(&stream.0).and_then(|found| found.stream.as_mut()) {
            stream.push(value);
        }
    }

    /// What a stream has to send; `None` when it has ended.
    pub(crate) fn read(&mut self, stream: EventStream, now: Duration) -> Option<String> {
        let stream = self.table.get_mut(&stream.0)?.stream.as_mut()?;
        let mut text = String::new();
        while let Some(value) = stream.waiting.pop_front() {
            stream.sent += 1;
            text += &format!("id: {}\ndata: {value}\n\n", stream.sent);
        }
        if text.is_empty() && now.saturating_sub(stream.at) >= PULSE {
            text.push_str(": still here\n\n");
        }
        if !text.is_empty() {
            stream.at = now;
        }
        Some(text)
    }

    /// What has to be sent to destinations.
    pub(crate) fn take_outbox(&mut self) -> Vec<Delivery> {
        self.outbox.drain(..).collect()
    }
}

impl Subscription {
    /// Whether its filters, where it has some, let a message through.
    fn wants(&self, message: &Message, profile: Profile) -> bool {
        let lists = |name: &str, value: &str| match self.document[name].as_array() {
            Some(list) if !list.is_empty() => list.iter().any(|item| item == value),
            _ => true,
        };
        let (prefix, _) = message.entry().registry.prefix_and_version(profile);
        lists("RegistryPrefixes", prefix) && lists("MessageIds", &format!("{prefix}.{}", message.entry().key))
    }
}

impl Stream {
    fn push(&mut self, value: Value) {
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(value);
    }
}

/// A destination that events are sent to: plain HTTP at loopback. Others are taken, and nothing ever leaves for them.
fn loopback(destination: &str) -> Option<Uri> {
    let uri: Uri = destination.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let stays = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (stays && uri.scheme_str() == Some("http")).then_some(uri)
}

/// The path of a subscription.
pub(crate) fn path(id: u64) -> String {
    format!("{SUBSCRIPTIONS}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_loopback() {
        for (destination, stays) in [
            ("http://127.0.0.1:8080/events", true),
            ("http://127.8.9.1/", true),
            ("http://[::1]:80/events?a=b", true),
            ("http://localhost/events", true),
            ("https://127.0.0.1/events", false),
            ("http://192.168.1.50/events", false),
            ("http://127.0.0.1.example/events", false),
            ("http://user@192.0.2.1/127.0.0.1", false),
            ("http://localhost@192.0.2.1/", false),
            ("/events", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(loopback(destination).is_some(), stays, "{destination}");
        }
    }
}
