//! Events: the stream of server-sent events, and notifications that a receiver gets (DSP0266, "Eventing").
//!
//! ```text
//!   FindEvents ──▶ EventSource ── subscribe ──▶ Subscribe: the call ends at the head, the body is the stream
//!                      ▲                             │ chunks
//!                      │ after a while               ▼
//!                   Listener ◀── disconnected ── Listener::push ──▶ StreamItem
//! ```

mod decoder;
mod listener;
mod subscription;

use std::borrow::Cow;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::driver::exchange::BodyMode;
use crate::error::Error;
use crate::json;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::operation::{Operation, Request, Transition};
use crate::ops::chain::{Chain, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::query::Query;
use crate::reason::{Feature, RequestError};
use crate::redact::Redactor;
use crate::target::Target;

pub use decoder::{Decoder, Limits, ServerSentEvent};
pub use listener::{Listener, Reconnection, StreamItem};
pub use subscription::{CreateSubscription, DeleteSubscription, ListSubscriptions, Subscription};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The source of a service's event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSource {
    target: Target,
}

impl EventSource {
    /// The stream at a known target.
    pub fn new(target: Target) -> EventSource {
        EventSource { target }
    }

    /// Its target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Only events for which this expression is true, such as `EventFormatType eq 'Event'` (DSP0266, "Server-sent
    /// events").
    ///
    /// # Errors
    /// Those of [`Target::with_query`].
    pub fn filter(self, expression: &str) -> Result<EventSource, Error> {
        let query = Query::new().filter(expression);
        Ok(EventSource { target: self.target.with_query(&query)? })
    }

    /// Opens the stream, after the event with this id if there was one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for an id that is not valid in a header.
    pub fn subscribe(&self, last_id: Option<&str>) -> Result<Subscribe, Error> {
        let last_id = last_id.map(HeaderValue::from_str).transpose();
        let last_id = last_id.map_err(|_| Error::new(ErrorKind::InvalidRequest(RequestError::EventId)))?;
        Ok(Subscribe { target: self.target.clone(), last_id })
    }
}

/// Finds the event stream of a service, and checks whether the service supports the filter.
#[derive(Debug)]
pub struct FindEvents {
    chain: Chain<EventSource>,
}

impl Default for FindEvents {
    fn default() -> FindEvents {
        FindEvents::with(None)
    }
}

impl FindEvents {
    /// Only events for which this expression is true, as [`EventSource::filter`]. A property that the service does
    /// not filter by is [`InvalidParameter`](ErrorKind::InvalidParameter) before the stream is opened, since some
    /// services ignore it and send all events. Without a list of supported properties the filter is sent unchecked.
    #[must_use]
    pub fn filter(self, expression: impl Into<String>) -> FindEvents {
        FindEvents::with(Some(expression.into()))
    }

    fn with(filter: Option<String>) -> FindEvents {
        let links = FollowLinks::new("/EventService/@odata.id", Missing::NotSupported(Feature::EventStream));
        let chain = Chain::new(links.then(&["/ServerSentEventUri"]), |(target, service)| {
            let source = EventSource::new(target);
            let Some(filter) = filter else { return Chain::done(source) };
            check_filter(&service.json()?, &filter, &service.redactor)?;
            Chain::done(source.filter(&filter)?)
        });
        FindEvents { chain }
    }
}

/// The properties that a filter compares: the words before `eq`, `ne` and other operators, outside of quotes.
fn compared_properties(expression: &str) -> Vec<&str> {
    let outside = expression.split('\'').step_by(2);
    let words = outside.flat_map(|part| part.split([' ', '\t', '(', ')'])).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let operator =
        |word: &str| ["eq", "ne", "gt", "ge", "lt", "le"].iter().any(|o| word.eq_ignore_ascii_case(o));
    let pairs = words.iter().zip(words.iter().skip(1));
    pairs.filter(|(_, second)| operator(second)).map(|(first, _)| *first).collect()
}

/// Refuses properties that the EventService does not filter by (`SSEFilterPropertiesSupported`).
fn check_filter(service: &Value, expression: &str, redactor: &Redactor) -> Result<(), Error> {
    let Some(Value::Object(properties)) = service.get("SSEFilterPropertiesSupported") else { return Ok(()) };
    let offered: Vec<&String> =
        properties.iter().filter(|(_, can)| **can == Value::Bool(true)).map(|(name, _)| name).collect();
    let known = |name: &&str| offered.iter().any(|offered| offered.eq_ignore_ascii_case(name));
    if compared_properties(expression).iter().all(known) {
        return Ok(());
    }
    let allowable = offered.into_iter().map(|name| redactor.clean(name)).collect();
    Err(Error::new(ErrorKind::InvalidParameter { parameter: "filter".into(), allowable }))
}

impl Operation for FindEvents {
    type Output = EventSource;

    forward_to!(chain);
}

/// Opens a stream of events. The call ends at the head; the driver hands the body to a [`Listener`] as it arrives.
#[derive(Clone, Debug)]
pub struct Subscribe {
    target: Target,
    last_id: Option<HeaderValue>,
}

impl Operation for Subscribe {
    type Output = ();

    fn request(&self) -> Request {
        let request = Request::get(&self.target)
            .body_mode(BodyMode::Streamed)
            .header(ACCEPT, HeaderValue::from_static("text/event-stream"));
        match &self.last_id {
            Some(id) => request.header(LAST_EVENT_ID, id.clone()),
            None => request,
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let answer = answer.success()?;
        let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with(b"text/event-stream") {
            return Err(Error::malformed("", "not a stream of events"));
        }
        Ok(Transition::Done(()))
    }
}

/// The content of a server-sent event or of a push to a receiver. The caller also has the raw text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notification {
    /// An `Event` with its records.
    Event(Vec<EventRecord>),
    /// A `MetricReport`.
    MetricReport {
        /// Its `Id`.
        id: Option<String>,
    },
    /// Something else, or not JSON.
    Unknown,
}

/// A record of an `Event` (DSP0268, Event). Missing members are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRecord {
    /// `EventId`.
    pub event_id: Option<String>,
    /// `EventTimestamp`.
    pub timestamp: Option<String>,
    /// `MessageId`.
    pub message_id: Option<String>,
    /// `Message`.
    pub message: Option<String>,
    /// `MessageArgs`.
    pub message_args: Vec<String>,
    /// `MessageSeverity`, or the older `Severity`.
    pub severity: Option<String>,
    /// `OriginOfCondition`: the resource that it is about.
    pub origin: Option<String>,
}

impl Notification {
    /// Reads the data of a server-sent event, or the body of a push. It never fails: unreadable text is
    /// [`Unknown`](Notification::Unknown).
    pub fn parse(text: &str) -> Notification {
        let repaired = || Notification::read(std::str::from_utf8(&json::repair(text.as_bytes())?.text).ok()?);
        Notification::read(text).or_else(repaired).unwrap_or(Notification::Unknown)
    }

    fn read(text: &str) -> Option<Notification> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow, rename = "@odata.type")]
            kind: Option<Cow<'a, str>>,
            #[serde(borrow, rename = "Events")]
            events: Option<&'a RawValue>,
            #[serde(rename = "Id")]
            id: Option<Value>,
        }
        let envelope = serde_json::from_str::<Envelope<'_>>(text).ok()?;
        let kind = envelope.kind.as_deref().unwrap_or_default().trim_start_matches('#');
        Some(match (kind.split('.').next(), envelope.events) {
            (Some("MetricReport"), _) => Notification::MetricReport {
                id: envelope.id.as_ref().and_then(Value::as_str).map(str::to_owned),
            },
            (Some("Event"), events) | (_, events @ Some(_)) => {
                let records = events.and_then(|events| serde_json::from_str::<Vec<Value>>(events.get()).ok());
                Notification::Event(records.unwrap_or_default().iter().map(EventRecord::of).collect())
            }
            _ => Notification::Unknown,
        })
    }
}

impl EventRecord {
    fn of(record: &Value) -> EventRecord {
        let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
        let args = record.get("MessageArgs").and_then(Value::as_array);
        let arg = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        EventRecord {
            event_id: text("EventId"),
            timestamp: text("EventTimestamp"),
            message_id: text("MessageId").or_else(|| text("MessageID")),
            message: text("Message"),
            message_args: args.map(|args| args.iter().map(arg).collect()).unwrap_or_default(),
            severity: text("MessageSeverity").or_else(|| text("Severity")),
            origin: link_at(record, "/OriginOfCondition/@odata.id").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_compares_the_words_before_operators() {
        for (expression, expected) in [
            ("EventFormatType eq Event", vec!["EventFormatType"]),
            ("(MessageId eq 'A eq (B') and (OriginResource ne '/x')", vec!["MessageId", "OriginResource"]),
            ("not (ResourceType EQ 'it''s eq')", vec!["ResourceType"]),
            ("'", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(compared_properties(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_filter_is_checked_against_the_supported_properties() {
        let listed =
            serde_json::json!({"SSEFilterPropertiesSupported": {"MessageId": true, "OriginResource": false}});
        let unlisted = serde_json::json!({});
        assert!(check_filter(&listed, "MessageId eq 'x'", &Redactor::default()).is_ok());
        assert!(check_filter(&unlisted, "OriginResource eq 'x'", &Redactor::default()).is_ok());
        for unknown in ["OriginResource eq 'x'", "MessageId eq 'x' or EventType eq Alert"] {
            let error = check_filter(&listed, unknown, &Redactor::default()).unwrap_err();
            assert!(error.to_string().contains("filter accepts MessageId"), "{error}");
        }
    }

    #[test]
    fn an_invalid_stream_request_is_refused_before_it_is_sent() {
        let source = EventSource::new(Target::well_known("/sse"));
        for id in ["7\r\nX-Evil: 1", "\0"] {
            let error = source.subscribe(Some(id)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{id:?}: {error}");
        }
        let error = source.filter(&"x".repeat(20_000)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidTarget(_)), "{error}");
    }

    #[test]
    fn a_notification_is_typed_and_never_an_error() {
        let event = r##"{"@odata.type": "#Event.v1_7_0.Event", "Events": [
            {"EventId": "7", "MessageId": "Base.1.8.X", "MessageArgs": ["a", 1], "Severity": "OK",
             "OriginOfCondition": {"@odata.id": "/redfish/v1/Systems/1"}}, null]}"##;
        let Notification::Event(records) = Notification::parse(event) else { panic!("expected an event") };
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].message_args, ["a", "1"]);
        assert_eq!(records[0].origin.as_deref(), Some("/redfish/v1/Systems/1"));
        assert!(matches!(Notification::parse(r#"{"Events": null}"#), Notification::Unknown));
        assert!(
            matches!(Notification::parse(r#"{"Events": []}"#), Notification::Event(records) if records.is_empty())
        );
        let report = r##"{"@odata.type": "#MetricReport.v1_4_0.MetricReport", "Id": "Power"}"##;
        assert!(
            matches!(Notification::parse(report), Notification::MetricReport { id: Some(id) } if id == "Power")
        );
        for text in ["", "[]", "7", "{\"@odata.type\": 1}", "{}"] {
            assert!(matches!(Notification::parse(text), Notification::Unknown), "{text}");
        }
    }
}
