//! The queue of an event stream: events that its client has not read yet.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::protocol::event::Event;
use crate::protocol::message::{Base, Message};
use crate::protocol::profile::Profile;
use crate::protocol::query::filter::Filter;
use crate::protocol::uris::EVENT_SERVICE;

/// The maximum number of events that wait for a client.
const MAX_PENDING: usize = 200;
/// The interval of the comments that a stream without events sends.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// The events of a stream that were not read yet.
#[derive(Clone)]
pub(super) struct PendingEvents {
    pub(super) filter: Option<Filter>,
    /// The number and the document of each event.
    events: VecDeque<(u64, Value)>,
    last_sent: Duration,
}

impl PendingEvents {
    pub(super) fn new(filter: Option<Filter>, now: Duration) -> PendingEvents {
        PendingEvents { filter, events: VecDeque::new(), last_sent: now }
    }

    /// Adds an event. If too many are pending, an event that reports the loss replaces the oldest two.
    pub(super) fn push(&mut self, id: u64, document: Value, now: Duration, profile: Profile) {
        if self.events.len() == MAX_PENDING {
            self.events.pop_front();
            if let Some((lost, _)) = self.events.pop_front() {
                self.events.push_front(gap(lost, now, &document["Context"], profile));
            }
        }
        self.events.push_back((id, document));
    }

    /// Adds an event that reports the loss of all events up to `last_lost`.
    pub(super) fn push_gap(&mut self, last_lost: u64, now: Duration, context: &Value, profile: Profile) {
        self.events.push_back(gap(last_lost, now, context, profile));
    }

    /// The text to send. Empty if there is nothing to send yet.
    pub(super) fn read(&mut self, now: Duration) -> String {
        let mut text = String::new();
        for (id, value) in self.events.drain(..) {
            text += &format!("id: {id}\ndata: {value}\n\n");
        }
        if text.is_empty() && now.saturating_sub(self.last_sent) >= KEEP_ALIVE {
            text.push_str(": still here\n\n");
        }
        if !text.is_empty() {
            self.last_sent = now;
        }
        text
    }
}

/// An event that reports the loss of all events up to `id`. It has the number of the last one, so that a client that resumes
/// from it receives the events that follow.
fn gap(id: u64, at: Duration, context: &Value, profile: Profile) -> (u64, Value) {
    let message = Message::new(Base::EventBufferExceeded, []);
    let (origin, schema) = (EVENT_SERVICE.to_owned(), "EventService".to_owned());
    (id, Event { id, at, message, origin, schema }.document(context, profile))
}
