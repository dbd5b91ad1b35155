//! A stream of events across its connections: what was seen already is dropped, what was missed is said.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::error::Error;
use crate::events::decoder::{Decoder, Limits, ServerSentEvent};
use crate::events::{EventSource, Subscribe};
use crate::kind::ErrorKind;

/// Events that are kept by id and digest, to know those that are sent again.
const REMEMBERED: usize = 1_000;

/// The wait before the stream is opened again, where it asked for none.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

/// Bounds of the wait before the stream is opened again.
const MIN_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamItem {
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
    /// The ids and digests of events over this connection, and over those before it. An id alone does not identify an
    /// event: one without an id has that of the event before, and some services count from 1 again after a restart.
    current: VecDeque<(String, u64)>,
    previous: VecDeque<(String, u64)>,
    /// The id before the connection broke, until the first event behind that.
    resumes_after: Option<String>,
    /// What the stream asked for by `retry`, on whichever connection.
    retry: Duration,
    failures: u32,
}

impl Listener {
    /// Listens to that source from now on.
    pub fn new(source: EventSource, limits: Limits) -> Listener {
        let decoder = Decoder::new(limits);
        Listener {
            source,
            limits,
            decoder,
            current: VecDeque::new(),
            previous: VecDeque::new(),
            resumes_after: None,
            retry: DEFAULT_RETRY,
            failures: 0,
        }
    }

    /// Opens the stream: for the first time, or after what came before.
    ///
    /// # Errors
    /// Those of [`EventSource::subscribe`]. No stream causes one, since a [`Decoder`] ignores an id that cannot be sent.
    pub fn subscribe(&self) -> Result<Subscribe, Error> {
        self.source.subscribe(Some(self.decoder.last_id()).filter(|id| !id.is_empty()))
    }

    /// Takes the next piece of the stream.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge), as [`Decoder::push`]. The stream is then to be closed.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<StreamItem>, Error> {
        let mut incoming = Vec::new();
        for event in self.decoder.push(piece)? {
            self.failures = 0;
            if !event.id.is_empty() {
                let known = (event.id.clone(), digest(&event));
                if self.previous.contains(&known) {
                    continue;
                }
                if let Some(after) = self.resumes_after.take() {
                    if is_gap(&after, &event.id) {
                        incoming.push(StreamItem::Gap { after, before: event.id.clone() });
                    }
                }
                self.current.push_back(known);
                if self.current.len() > REMEMBERED {
                    self.current.pop_front();
                }
            }
            incoming.push(StreamItem::Event(event));
        }
        Ok(incoming)
    }

    /// The stream could not be opened: how long to wait before the next try.
    ///
    /// # Errors
    /// The error itself, where the service refused: that does not change by asking again.
    pub fn failed(&mut self, error: Error) -> Result<Duration, Error> {
        let is_temporary =
            error.is_transient() || matches!(error.kind(), ErrorKind::SessionLimit | ErrorKind::Deadline(_));
        match is_temporary {
            true => Ok(self.disconnected().max(error.retry_after().unwrap_or_default().min(MAX_WAIT))),
            false => Err(error),
        }
    }

    /// The connection has ended, or could not be made: how long to wait before the next. What the stream asked
    /// for by `retry`, doubled with each that brings nothing.
    pub fn disconnected(&mut self) -> Duration {
        let last = self.decoder.last_id().to_owned();
        self.retry = self.decoder.retry().unwrap_or(self.retry);
        self.decoder = Decoder::behind(self.limits, &last);
        self.previous.append(&mut self.current);
        self.previous.drain(..self.previous.len().saturating_sub(REMEMBERED));
        self.resumes_after = Some(last).filter(|last| !last.is_empty());
        let wait = self.retry.saturating_mul(1 << self.failures.min(6));
        self.failures += 1;
        wait.clamp(MIN_WAIT, MAX_WAIT)
    }
}

fn digest(event: &ServerSentEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&event.event, &event.data).hash(&mut hasher);
    hasher.finish()
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
    use crate::kind::{Failure, TlsFailure};
    use crate::operation::Operation;
    use crate::service::Service;

    fn listener() -> Listener {
        let target = Service::new("bmc").unwrap().target("/sse").unwrap();
        Listener::new(EventSource::new(target), Limits::default())
    }

    fn ids(incoming: &[StreamItem]) -> Vec<String> {
        let shown = |one: &StreamItem| match one {
            StreamItem::Event(event) => event.id.clone(),
            StreamItem::Gap { after, before } => format!("{after}..{before}"),
        };
        incoming.iter().map(shown).collect()
    }

    fn last_event_id(listener: &Listener) -> Option<String> {
        let request = listener.subscribe().unwrap().request();
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
    fn an_event_is_not_another_because_it_has_the_same_id() {
        let mut listener = listener();
        let stream = b"id: 1\ndata: a\n\ndata: b\n\ndata: b\n\n";
        assert_eq!(
            ids(&listener.push(stream).unwrap()),
            ["1", "1", "1"],
            "two of the three have none of their own"
        );
        listener.disconnected();
        assert!(listener.push(stream).unwrap().is_empty());
        let restarted = b"id: 1\ndata: c\n\n";
        assert_eq!(ids(&listener.push(restarted).unwrap()), ["1"]);
    }

    #[test]
    fn so_many_events_are_remembered_over_connections() {
        let mut listener = listener();
        let stream: String = (0..=REMEMBERED).map(|id| format!("id: {id}\ndata: a\n\n")).collect();
        listener.push(stream.as_bytes()).unwrap();
        for _ in 0..2 {
            listener.disconnected();
            assert_eq!(ids(&listener.push(b"id: 1\ndata: a\n\n").unwrap()), Vec::<String>::new());
        }
        assert_eq!(ids(&listener.push(b"id: 0\ndata: a\n\n").unwrap()), ["0"], "longer ago than that");
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
        assert_eq!(listener.disconnected(), Duration::from_secs(4), "the next connection said nothing else");
        for _ in 0..20 {
            listener.disconnected();
        }
        assert_eq!(listener.disconnected(), MAX_WAIT);
        listener.push(b"data: a\n\n").unwrap();
        assert_eq!(listener.disconnected(), Duration::from_secs(2));
    }

    #[test]
    fn what_half_an_event_said_of_its_id_hides_no_gap() {
        let mut listener = listener();
        listener.push(b"id: 1\ndata: a\n\nid: 2\nda").unwrap();
        listener.disconnected();
        assert_eq!(ids(&listener.push(b"id: 3\ndata: c\n\n").unwrap()), ["1..3", "3"]);

        let mut listener = self::listener();
        listener.push(b"id: 1\nda").unwrap();
        listener.disconnected();
        assert_eq!(last_event_id(&listener), None, "nothing was received");
    }

    #[test]
    fn an_id_of_a_heartbeat_is_where_to_go_on() {
        let mut listener = listener();
        listener.push(b"id: 1\ndata: a\n\nid: 5\n\n").unwrap();
        listener.disconnected();
        assert_eq!(last_event_id(&listener).as_deref(), Some("5"));
        assert_eq!(ids(&listener.push(b"id: 6\ndata: b\n\n").unwrap()), ["6"]);
    }

    #[test]
    fn a_refusal_ends_it_and_what_passes_is_waited_out() {
        let mut listener = listener();
        for kind in [ErrorKind::Busy, ErrorKind::SessionLimit, ErrorKind::Transport(Failure::Broken)] {
            assert!(listener.failed(Error::new(kind)).is_ok());
        }
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::NotAuthenticated,
            ErrorKind::Transport(Failure::Untrusted),
            ErrorKind::Transport(Failure::Tls(TlsFailure::NoCommonProtocol)),
        ] {
            assert_eq!(*listener.failed(Error::new(kind.clone())).unwrap_err().kind(), kind);
        }
    }
}
