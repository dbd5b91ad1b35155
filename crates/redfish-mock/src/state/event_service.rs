//! The event service: subscriptions, streams and the history of events (DSP0266, "Eventing").
//!
//! ```text
//!             ┌──► the pending events of a stream, until its client reads them   (server-sent events)
//!  publish ───┼──► the outbox, for destinations on loopback                      (subscriptions)
//!             └──► the history ──► a stream that resumes with `Last-Event-ID`
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};

use super::event_stream::PendingEvents;
use crate::protocol::event::{Delivery, EVENT_TYPES, Event, EventStream, REGISTRY_PREFIXES};
use crate::protocol::event_filter::passes_filter_lists;
use crate::protocol::message::{Message, ResourceEvent};
use crate::protocol::profile::Profile;
use crate::protocol::property::{Kind, Property, is_placeholder, parse_headers};
use crate::protocol::query::filter::Filter;
use crate::protocol::representation::Representation;
use crate::protocol::uris::{self, SUBSCRIPTIONS};

/// The maximum number of subscriptions, including streams.
const MAX_SUBSCRIPTIONS: usize = 32;
/// The number of events that are kept for streams that resume.
const HISTORY: usize = 100;
/// The same for a member of a fleet, which must be small.
#[cfg(feature = "serve")]
const FLEET_MEMBER_HISTORY: usize = 16;
/// The maximum number of events that wait to be sent to destinations.
const MAX_OUTBOX: usize = 100;

const DESTINATION: Property = Property { path: "Destination", kind: Kind::Text { min: 1, max: 2048 } };
const PROTOCOL: Property = Property { path: "Protocol", kind: Kind::Choice(&["Redfish"]) };
const CONTEXT: Property = Property { path: "Context", kind: Kind::Text { min: 0, max: 256 } };
const HTTP_HEADERS: Property = Property { path: "HttpHeaders", kind: Kind::Headers };
const TEXT: Kind = Kind::Text { min: 0, max: 256 };
const LINK: Kind = Kind::Object(&[Property { path: "@odata.id", kind: Kind::Text { min: 1, max: 2048 } }]);

/// The properties that a new subscription requires.
pub(crate) const REQUIRED: &[Property] = &[DESTINATION, PROTOCOL];
/// The properties that a new subscription accepts.
pub(crate) const ACCEPTED: &[Property] = &[
    DESTINATION,
    PROTOCOL,
    CONTEXT,
    Property { path: "SubscriptionType", kind: Kind::Choice(&["RedfishEvent"]) },
    Property { path: "EventFormatType", kind: Kind::Choice(&["Event"]) },
    Property { path: "EventTypes", kind: Kind::List(&Kind::Choice(EVENT_TYPES)) },
    Property { path: "RegistryPrefixes", kind: Kind::List(&Kind::Choice(REGISTRY_PREFIXES)) },
    Property { path: "ResourceTypes", kind: Kind::List(&TEXT) },
    Property { path: "MessageIds", kind: Kind::List(&TEXT) },
    Property { path: "OriginResources", kind: Kind::List(&LINK) },
    HTTP_HEADERS,
    Property {
        path: "DeliveryRetryPolicy",
        kind: Kind::Choice(&["TerminateAfterRetries", "SuspendRetries", "RetryForever"]),
    },
];
/// The properties of a subscription that a PATCH may change.
pub(crate) const WRITABLE: &[Property] = &[CONTEXT];

#[derive(Clone)]
struct Subscription {
    document: Value,
    revision: u64,
    headers: HeaderMap,
    /// The events for the client of a stream. `None` if the subscription has a destination.
    pending: Option<PendingEvents>,
}

/// The subscriptions by their `Id`, and the events.
#[derive(Clone)]
pub(crate) struct EventService {
    subscriptions: BTreeMap<u64, Subscription>,
    last_subscription: u64,
    last_event: u64,
    history: VecDeque<Event>,
    history_limit: usize,
    /// The number of the last event that was removed from the history.
    last_forgotten: u64,
    outbox: VecDeque<Delivery>,
}

impl Default for EventService {
    fn default() -> EventService {
        EventService {
            subscriptions: BTreeMap::new(),
            last_subscription: 0,
            last_event: 0,
            history: VecDeque::new(),
            history_limit: HISTORY,
            last_forgotten: 0,
            outbox: VecDeque::new(),
        }
    }
}

impl EventService {
    /// Reduces the history to that of a member of a fleet.
    #[cfg(feature = "serve")]
    pub(crate) fn limit_history(&mut self) {
        self.history_limit = FLEET_MEMBER_HISTORY;
    }

    /// Adds the subscription that a POST describes. The caller has checked the values. Returns its number, or `None` if the
    /// limit is reached.
    pub(crate) fn subscribe(&mut self, body: &Map<String, Value>) -> Option<u64> {
        let mut document =
            json!({"Context": "", "SubscriptionType": "RedfishEvent", "EventFormatType": "Event"});
        // A GET never returns the headers (DSP0268, "HttpHeaders").
        let headers = body.get(HTTP_HEADERS.path).and_then(|items| parse_headers(items.as_array()?));
        for property in ACCEPTED {
            if let Some(value) = body.get(property.path) {
                document[property.path] = without_placeholders(value);
            }
        }
        document[HTTP_HEADERS.path] = json!([]);
        self.add(document, headers.unwrap_or_default(), None)
    }

    /// Opens a stream of the events that match `filter`. Returns `None` if the limit is reached.
    pub(crate) fn open_stream(&mut self, filter: Option<Filter>, now: Duration) -> Option<EventStream> {
        let context = format!("stream {}", self.last_subscription + 1);
        let document = json!({"Context": context, "SubscriptionType": "SSE", "Protocol": "Redfish", "Destination": null});
        self.add(document, HeaderMap::new(), Some(PendingEvents::new(filter, now))).map(EventStream)
    }

    fn add(
        &mut self,
        mut document: Value,
        headers: HeaderMap,
        pending: Option<PendingEvents>,
    ) -> Option<u64> {
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return None;
        }
        self.last_subscription += 1;
        let id = self.last_subscription;
        document["@odata.id"] = json!(uris::subscription(id));
        document["@odata.type"] = json!("#EventDestination.v1_14_1.EventDestination");
        document["Id"] = json!(id.to_string());
        document["Name"] = json!(format!("Subscription {id}"));
        document["Status"] = json!({"State": "Enabled", "Health": "OK"});
        self.subscriptions.insert(id, Subscription { document, revision: 0, headers, pending });
        Some(id)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.subscriptions.remove(&id);
    }

    /// Whether a subscription has a destination, to which events are pushed.
    #[cfg(feature = "serve")]
    pub(crate) fn has_destinations(&self) -> bool {
        self.subscriptions.values().any(|subscription| subscription.pending.is_none())
    }

    pub(crate) fn close_streams(&mut self) {
        self.subscriptions.retain(|_, subscription| subscription.pending.is_none());
    }

    /// The subscription with this last segment of its path.
    pub(crate) fn find(&self, segment: &str) -> Option<u64> {
        let id = segment.parse().ok()?;
        (self.subscriptions.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    pub(crate) fn document(&self, id: u64) -> Option<&Value> {
        self.subscriptions.get(&id).map(|subscription| &subscription.document)
    }

    pub(crate) fn write(&mut self, id: u64, document: Value) {
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.document = document;
            subscription.revision += 1;
        }
    }

    pub(crate) fn collection(&self, profile: Profile) -> Representation {
        let members: Vec<Value> =
            self.subscriptions.keys().map(|id| json!({"@odata.id": uris::subscription(*id)})).collect();
        let document = json!({
            "@odata.id": SUBSCRIPTIONS,
            "@odata.type": "#EventDestinationCollection.EventDestinationCollection",
            "Name": "Subscriptions",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        Representation::new(document, 0, profile)
    }

    pub(crate) fn representation(&self, id: u64, profile: Profile) -> Option<Representation> {
        let subscription = self.subscriptions.get(&id)?;
        Some(Representation::new(subscription.document.clone(), subscription.revision, profile))
    }

    /// Sends an event to all subscriptions that match it. The resource at `origin` has the schema `schema`.
    pub(crate) fn publish(
        &mut self,
        message: Message,
        origin: &str,
        schema: String,
        now: Duration,
        profile: Profile,
    ) {
        let event = self.next_event(message, origin, schema, now);
        for subscription in self.subscriptions.values_mut().filter(|one| one.matches(&event, profile)) {
            let document = event.document(&subscription.document["Context"], profile);
            match &mut subscription.pending {
                Some(pending) => pending.push(event.id, document, now, profile),
                None => {
                    let destination =
                        subscription.document["Destination"].as_str().and_then(loopback_destination);
                    if let Some(destination) = destination.filter(|_| self.outbox.len() < MAX_OUTBOX) {
                        let headers = subscription.headers.clone();
                        self.outbox.push_back(Delivery { destination, headers, body: document.to_string() });
                    }
                }
            }
        }
        if self.history.len() == self.history_limit {
            self.last_forgotten = self.history.pop_front().map_or(self.last_forgotten, |oldest| oldest.id);
        }
        self.history.push_back(event);
    }

    fn next_event(&mut self, message: Message, origin: &str, schema: String, at: Duration) -> Event {
        self.last_event += 1;
        Event { id: self.last_event, at, message, origin: origin.to_owned(), schema }
    }

    /// Adds the events after `last_event_id` to a stream. An event reports that some are lost if they are no longer in the
    /// history, or if the identifier is unknown.
    pub(crate) fn replay(
        &mut self,
        stream: EventStream,
        last_event_id: &str,
        now: Duration,
        profile: Profile,
    ) {
        let known =
            last_event_id.parse().ok().filter(|last| (self.last_forgotten..=self.last_event).contains(last));
        let Some(subscription) = self.subscriptions.get_mut(&stream.0) else { return };
        let context = subscription.document["Context"].clone();
        if let (None, Some(pending)) = (known, &mut subscription.pending) {
            pending.push_gap(self.last_forgotten, now, &context, profile);
        }
        for event in self.history.iter().filter(|event| event.id > known.unwrap_or_default()) {
            if subscription.matches(event, profile) {
                let document = event.document(&context, profile);
                if let Some(pending) = &mut subscription.pending {
                    pending.push(event.id, document, now, profile);
                }
            }
        }
    }

    /// Adds the first events of a new stream: its own creation, and a metric report.
    pub(crate) fn send_initial(
        &mut self,
        stream: EventStream,
        report: Value,
        now: Duration,
        profile: Profile,
    ) {
        let message = Message::new(ResourceEvent::ResourceCreated, []);
        let event =
            self.next_event(message, &uris::subscription(stream.0), "EventDestination".to_owned(), now);
        self.last_event += 1;
        let Some(subscription) = self.subscriptions.get_mut(&stream.0) else { return };
        let matches_event = subscription.matches(&event, profile);
        let document = event.document(&subscription.document["Context"], profile);
        let Some(pending) = &mut subscription.pending else { return };
        if matches_event {
            pending.push(event.id, document, now, profile);
        }
        let report_properties = json!({"EventFormatType": "MetricReport"});
        if pending.filter.as_ref().is_none_or(|filter| filter.matches(&report_properties)) {
            pending.push(self.last_event, report, now, profile);
        }
    }

    /// The text that a stream has to send. `None` if the stream is closed.
    pub(crate) fn read_stream(&mut self, stream: EventStream, now: Duration) -> Option<String> {
        Some(self.subscriptions.get_mut(&stream.0)?.pending.as_mut()?.read(now))
    }

    /// Removes and returns the events to send to destinations.
    pub(crate) fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.outbox.drain(..).collect()
    }
}

impl Subscription {
    /// Whether an event passes its filters.
    fn matches(&self, event: &Event, profile: Profile) -> bool {
        match &self.pending {
            Some(PendingEvents { filter: Some(filter), .. }) => {
                filter.matches(&event.filter_properties(profile))
            }
            Some(_) => true,
            None => passes_filter_lists(&self.document, event, profile),
        }
    }
}

/// Removes the placeholders from a list.
fn without_placeholders(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().filter(|item| !is_placeholder(item)).cloned().collect(),
        value => value.clone(),
    }
}

/// The URI of a destination if it is plain HTTP on loopback. Events are never sent to other destinations.
fn loopback_destination(destination: &str) -> Option<Uri> {
    let uri: Uri = destination.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (is_loopback && uri.scheme_str() == Some("http")).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_only_sent_to_loopback() {
        for (destination, is_sent) in [
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
            assert_eq!(loopback_destination(destination).is_some(), is_sent, "{destination}");
        }
    }
}
