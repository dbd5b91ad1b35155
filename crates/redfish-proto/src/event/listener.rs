//! A stream of events across its connections: what was seen already is dropped, what was missed is said.

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::Error;
use crate::event::decoder::{Decoder, Limits, ServerSentEvent};
use crate::event::{EventSource, Subscribe};

/// Events whose ids are kept to know those that are sent again.
const REMEMBERED: usize = 1_000;

/// Bounds of the wait before the stream is opened again.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// An event that was not there before.
    Event(ServerSentEvent),
    /// Events were missed: the stream was opened again and goes on behind the one that was next.
    Gap {
        /// The id of the last event before.
        after: String,
        /// The id of the first event behind.
        before: String,
    },
}

/// Listens to a source over as many connections as it takes.
///
/// The driver opens [`subscribe`](Listener::subscribe), pushes what comes, and after the connection has ended waits
/// what [`disconnected`](Listener::disconnected) says before it opens the next.
#[derive(Clone, Debug)]
pub struct Listener {
    source: EventSource,
    limits: Limits,
    decoder: Decoder,
    seen: VecDeque<String>,
    /// The id before the connection broke, until the first event behind that.
    resumes_after: Option<String>,
    failures: u32,
}

impl Listener {
    /// Listens to that source from now on.
    pub fn new(source: EventSource, limits: Limits) -> Listener {
        let decoder = Decoder::new(limits);
        Listener { source, limits, decoder, seen: VecDeque::new(), resumes_after: None, failures: 0 }
    }

    /// Opens the stream: for the first time, or behind what came before.
    pub fn subscribe(&self) -> Subscribe {
        self.source.subscribe(Some(self.decoder.last_id()).filter(|id| !id.is_empty()))
    }

    /// Takes the next piece of the stream.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge), as [`Decoder::push`]. The stream is then to be closed.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Incoming>, Error> {
        let mut incoming = Vec::new();
        for event in self.decoder.push(piece)? {
            self.failures = 0;
            if !event.id.is_empty() {
                if self.seen.contains(&event.id) {
                    continue;
                }
                if let Some(after) = self.resumes_after.take() {
                    if is_gap(&after, &event.id) {
                        incoming.push(Incoming::Gap { after, before: event.id.clone() });
                    }
                }
                self.seen.push_back(event.id.clone());
                if self.seen.len() > REMEMBERED {
                    self.seen.pop_front();
                }
            }
            incoming.push(Incoming::Event(event));
        }
        Ok(incoming)
    }

    /// The connection has ended, or could not be made: how long to wait before the next. What the stream asked
    /// for by `retry`, doubled with each that brings nothing.
    pub fn disconnected(&mut self) -> Duration {
        let last = self.decoder.last_id().to_owned();
        let retry = self.decoder.retry().unwrap_or(Duration::from_secs(1));
        if !last.is_empty() {
            self.resumes_after = Some(last.clone());
        }
        // Half an event is lost with its connection; its id too, unless the event was whole.
        let known = self.seen.back().cloned().unwrap_or(last);
        self.decoder = Decoder::behind(self.limits, &known);
        let wait = retry.saturating_mul(1 << self.failures.min(6));
        self.failures += 1;
        wait.clamp(WAIT.0, WAIT.1)
    }
}

/// Whether ids that count upwards leave some out. Ids of another kind say nothing of that.
fn is_gap(after: &str, before: &str) -> bool {
    match (after.parse::<u64>(), before.parse::<u64>()) {
        (Ok(after), Ok(before)) => before > after.saturating_add(1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;
    use crate::service::Service;

    fn listener() -> Listener {
        let at = Service::new("bmc").unwrap().target("/sse").unwrap();
        Listener::new(EventSource::at(at), Limits::default())
    }

    fn ids(incoming: &[Incoming]) -> Vec<String> {
        let shown = |one: &Incoming| match one {
            Incoming::Event(event) => event.id.clone(),
            Incoming::Gap { after, before } => format!("{after}..{before}"),
        };
        incoming.iter().map(shown).collect()
    }

    fn last_event_id(listener: &Listener) -> Option<String> {
        let request = listener.subscribe().request();
        request.headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_stream_goes_on_where_it_was_and_repeats_nothing() {
        let mut listener = listener();
        assert_eq!(last_event_id(&listener), None);
        assert_eq!(
            ids(&listener.push(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda").unwrap()),
            ["1", "2"]
        );
        listener.disconnected();
        assert_eq!(last_event_id(&listener).as_deref(), Some("2"), "half an event was not received");
        assert_eq!(ids(&listener.push(b"id: 2\ndata: b\n\nid: 3\ndata: c\n\n").unwrap()), ["3"]);
    }

    #[test]
    fn what_was_missed_is_said() {
        let mut listener = listener();
        listener.push(b"id: 7\ndata: a\n\n").unwrap();
        listener.disconnected();
        assert_eq!(
            ids(&listener.push(b"id: 10\ndata: b\n\nid: 12\ndata: c\n\n").unwrap()),
            ["7..10", "10", "12"]
        );
    }

    #[test]
    fn the_wait_grows_until_something_comes() {
        let mut listener = listener();
        listener.push(b"retry: 2000\n").unwrap();
        assert_eq!(listener.disconnected(), Duration::from_secs(2));
        assert_eq!(listener.disconnected(), Duration::from_secs(2), "the next connection knows no retry yet");
        for _ in 0..20 {
            listener.disconnected();
        }
        assert_eq!(listener.disconnected(), WAIT.1);
        listener.push(b"data: a\n\n").unwrap();
        assert_eq!(listener.disconnected(), Duration::from_secs(1));
    }
}
