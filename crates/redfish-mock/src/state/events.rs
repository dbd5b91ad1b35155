//! Events: who asked to be told, and what there is to tell them (DSP0266, "Eventing").
//!
//! ```text
//!                       ┌──► a stream, while its client reads it      (server-sent events)
//!  something changes ───┼──► the outbox, for destinations on loopback (subscriptions)
//!                       └──► the history ──► a stream that was broken off and goes on (`Last-Event-ID`)
//! ```

mod event;
mod filter;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};

pub(crate) use event::{EVENT_TYPES, PREFIXES};
pub(crate) use filter::{FILTERABLE, on_events};

use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::{Kind, Property, headers, stands_for_another};
use crate::protocol::profile::Profile;
use crate::protocol::query::Filter;
use crate::protocol::response::Rendered;
use event::Event;
use filter::lists_let_through;

pub(crate) const EVENT_SERVICE: &str = "/redfish/v1/EventService";
pub(crate) const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
pub(crate) const STREAM: &str = "/redfish/v1/EventService/SSE";

/// How many subscriptions there may be, streams among them.
const LIMIT: usize = 32;
/// How many events are kept for who comes back for them; by each service of many, so many that they cost little.
const HISTORY: usize = 100;
#[cfg(feature = "serve")]
const HISTORY_OF_MANY: usize = 16;
/// How many events wait for a client that does not read: all that are kept, and as many again.
const WAITING: usize = 2 * HISTORY;
/// How many events wait for destinations that do not answer.
const OUTBOX: usize = 100;
/// How often a stream without events says that it is there.
const PULSE: Duration = Duration::from_secs(1);

const DESTINATION: Property = Property { path: "Destination", kind: Kind::Text { least: 1, most: 2048 } };
const PROTOCOL: Property = Property { path: "Protocol", kind: Kind::Choice(&["Redfish"]) };
const CONTEXT: Property = Property { path: "Context", kind: Kind::Text { least: 0, most: 256 } };
const HTTP_HEADERS: Property = Property { path: "HttpHeaders", kind: Kind::Headers };
const TEXT: Kind = Kind::Text { least: 0, most: 256 };
const LINK: Kind = Kind::Object(&[Property { path: "@odata.id", kind: Kind::Text { least: 1, most: 2048 } }]);

/// What a subscription must have.
pub(crate) const REQUIRED: &[Property] = &[DESTINATION, PROTOCOL];
/// What it may have.
pub(crate) const TAKEN: &[Property] = &[
    DESTINATION,
    PROTOCOL,
    CONTEXT,
    Property { path: "SubscriptionType", kind: Kind::Choice(&["RedfishEvent"]) },
    Property { path: "EventFormatType", kind: Kind::Choice(&["Event"]) },
    Property { path: "EventTypes", kind: Kind::List(&Kind::Choice(EVENT_TYPES)) },
    Property { path: "RegistryPrefixes", kind: Kind::List(&Kind::Choice(PREFIXES)) },
    Property { path: "ResourceTypes", kind: Kind::List(&TEXT) },
    Property { path: "MessageIds", kind: Kind::List(&TEXT) },
    Property { path: "OriginResources", kind: Kind::List(&LINK) },
    HTTP_HEADERS,
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
    /// What the subscription's `HttpHeaders` were.
    pub headers: HeaderMap,
    /// The event, as JSON.
    pub body: String,
}

#[derive(Clone)]
struct Subscription {
    document: Value,
    revision: u64,
    headers: HeaderMap,
    /// Of a stream, what was not read yet.
    stream: Option<Stream>,
}

#[derive(Clone)]
struct Stream {
    filter: Option<Filter>,
    /// Each with its number.
    waiting: VecDeque<(u64, Value)>,
    at: Duration,
}

/// The subscriptions, by the number that is their `Id`, and what there was to tell.
#[derive(Clone)]
pub(crate) struct Events {
    table: BTreeMap<u64, Subscription>,
    last: u64,
    /// The number of the last event.
    told: u64,
    history: VecDeque<Event>,
    kept: usize,
    /// The number of the last event that the history had, and has no more.
    forgotten: u64,
    outbox: VecDeque<Delivery>,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            table: BTreeMap::new(),
            last: 0,
            told: 0,
            history: VecDeque::new(),
            kept: HISTORY,
            forgotten: 0,
            outbox: VecDeque::new(),
        }
    }
}

impl Events {
    /// Keeps fewer events from now on: those of one service of many.
    #[cfg(feature = "serve")]
    pub(crate) fn keep_few(&mut self) {
        self.kept = HISTORY_OF_MANY;
    }

    /// Subscribes a destination as a POST describes it, whose values were checked; its number.
    pub(crate) fn subscribe(&mut self, body: &Map<String, Value>) -> Option<u64> {
        let mut document =
            json!({"Context": "", "SubscriptionType": "RedfishEvent", "EventFormatType": "Event"});
        // DSP0268, "HttpHeaders": shown to nobody.
        let headers = body.get(HTTP_HEADERS.path).and_then(|items| headers(items.as_array()?));
        for property in TAKEN {
            if let Some(value) = body.get(property.path) {
                document[property.path] = named(value);
            }
        }
        document[HTTP_HEADERS.path] = json!([]);
        self.add(document, headers.unwrap_or_default(), None)
    }

    /// Opens a stream of what a filter, where there is one, lets through.
    pub(crate) fn open(&mut self, filter: Option<Filter>, now: Duration) -> Option<EventStream> {
        let context = format!("stream {}", self.last + 1);
        let document = json!({"Context": context, "SubscriptionType": "SSE", "Protocol": "Redfish", "Destination": null});
        let stream = Stream { filter, waiting: VecDeque::new(), at: now };
        self.add(document, HeaderMap::new(), Some(stream)).map(EventStream)
    }

    fn add(&mut self, mut document: Value, headers: HeaderMap, stream: Option<Stream>) -> Option<u64> {
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
        self.table.insert(id, Subscription { document, revision: 0, headers, stream });
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

    /// Tells all who asked of what happened to the resource at `origin`, which is of this schema.
    pub(crate) fn tell(
        &mut self,
        message: Message,
        origin: &str,
        schema: String,
        now: Duration,
        profile: Profile,
    ) {
        let event = self.event(message, origin, schema, now);
        for subscription in self.table.values_mut().filter(|one| one.wants(&event, profile)) {
            let document = event.document(&subscription.document["Context"], profile);
            match &mut subscription.stream {
                Some(stream) => stream.push(event.id, document, now, profile),
                None => {
                    let destination = subscription.document["Destination"].as_str().and_then(loopback);
                    if let Some(destination) = destination.filter(|_| self.outbox.len() < OUTBOX) {
                        let headers = subscription.headers.clone();
                        self.outbox.push_back(Delivery { destination, headers, body: document.to_string() });
                    }
                }
            }
        }
        if self.history.len() == self.kept {
            self.forgotten = self.history.pop_front().map_or(self.forgotten, |oldest| oldest.id);
        }
        self.history.push_back(event);
    }

    /// The next event.
    fn event(&mut self, message: Message, origin: &str, schema: String, at: Duration) -> Event {
        self.told += 1;
        Event { id: self.told, at, message, origin: origin.to_owned(), schema }
    }

    /// Puts on a stream what came after the event of this number, as its client knows it, as far as it is kept. Where not all
    /// of that is, or the number is none of ours, an event says so.
    pub(crate) fn replay(&mut self, stream: EventStream, last: &str, now: Duration, profile: Profile) {
        let known = last.parse().ok().filter(|last| (self.forgotten..=self.told).contains(last));
        let Some(subscription) = self.table.get_mut(&stream.0) else { return };
        let context = subscription.document["Context"].clone();
        if known.is_none() {
            let gap = gap(self.forgotten, now, &context, profile);
            subscription.stream.iter_mut().for_each(|stream| stream.waiting.push_back(gap.clone()));
        }
        for event in self.history.iter().filter(|event| event.id > known.unwrap_or_default()) {
            if subscription.wants(event, profile) {
                let document = event.document(&context, profile);
                subscription
                    .stream
                    .iter_mut()
                    .for_each(|stream| stream.push(event.id, document.clone(), now, profile));
            }
        }
    }

    /// Tells one stream that it is there, and what is measured.
    pub(crate) fn greet(&mut self, stream: EventStream, report: Value, now: Duration, profile: Profile) {
        let begun = Message::new(ResourceEvent::ResourceCreated, []);
        let event = self.event(begun, &path(stream.0), "EventDestination".to_owned(), now);
        self.told += 1;
        let Some(subscription) = self.table.get_mut(&stream.0) else { return };
        let wants_event = subscription.wants(&event, profile);
        let document = event.document(&subscription.document["Context"], profile);
        let Some(stream) = &mut subscription.stream else { return };
        if wants_event {
            stream.push(event.id, document, now, profile);
        }
        let facts = json!({"EventFormatType": "MetricReport"});
        if stream.filter.as_ref().is_none_or(|filter| filter.holds(&facts)) {
            stream.push(self.told, report, now, profile);
        }
    }

    /// What a stream has to send; `None` when it has ended.
    pub(crate) fn read(&mut self, stream: EventStream, now: Duration) -> Option<String> {
        let stream = self.table.get_mut(&stream.0)?.stream.as_mut()?;
        let mut text = String::new();
        for (id, value) in stream.waiting.drain(..) {
            text += &format!("id: {id}\ndata: {value}\n\n");
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
    /// Whether its filters, where it has some, let an event through.
    fn wants(&self, event: &Event, profile: Profile) -> bool {
        match &self.stream {
            Some(Stream { filter: Some(filter), .. }) => filter.holds(&event.facts(profile)),
            Some(_) => true,
            None => lists_let_through(&self.document, event, profile),
        }
    }
}

impl Stream {
    /// Where too many wait, the oldest make room for one that says so.
    fn push(&mut self, id: u64, document: Value, now: Duration, profile: Profile) {
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
            if let Some((lost, _)) = self.waiting.pop_front() {
                self.waiting.push_front(gap(lost, now, &document["Context"], profile));
            }
        }
        self.waiting.push_back((id, document));
    }
}

/// What says that events are missing, up to the one of this number, which it has too: who comes back with that gets what
/// follows.
fn gap(id: u64, at: Duration, context: &Value, profile: Profile) -> (u64, Value) {
    let message = Message::new(Base::EventBufferExceeded, []);
    let (origin, schema) = (EVENT_SERVICE.to_owned(), "EventService".to_owned());
    (id, Event { id, at, message, origin, schema }.document(context, profile))
}

/// A value without what names nothing in its lists.
fn named(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().filter(|item| !stands_for_another(item)).cloned().collect(),
        value => value.clone(),
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
