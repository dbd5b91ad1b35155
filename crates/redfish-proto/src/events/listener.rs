//! A stream of events over several connections: repeated events are dropped, and gaps are reported.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::error::Error;
use crate::events::decoder::{Decoder, Limits, ServerSentEvent};
use crate::events::{EventSource, Subscribe};
use crate::kind::ErrorKind;
use crate::redact::Redactor;
use crate::service::Service;

/// Number of events that are remembered by id and digest, to recognize repeated ones.
const MAX_REMEMBERED_EVENTS: usize = 1_000;

/// The wait before the stream is opened again, unless it asked for one.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

/// Number of responses in succession without a stream, of a service that may be restarting: about five minutes.
const MAX_RESTARTING: u32 = 10;

/// Minimum and maximum wait before the stream is opened again.
const MIN_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// An item of a stream.
#[derive(Clone, Debug)]
pub enum StreamItem {
    /// A new event.
    Event(ServerSentEvent),
    /// Events were missed between two connections.
    Gap {
        /// The id of the last event before the gap.
        after: String,
        /// The id of the first event after the gap.
        before: String,
    },
    /// The connection has ended or could not be opened again. The next one is opened after a wait.
    Reconnecting(Reconnection),
}

/// The wait before the next connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reconnection {
    /// The wait.
    pub wait: Duration,
    /// Why there is no connection. `None` if the service has ended the stream.
    pub error: Option<Error>,
}

/// Listens to a source over any number of connections.
///
/// The driver sends [`subscribe`](Listener::subscribe), calls [`opened`](Listener::opened) when the head has arrived and
/// pushes what follows. When the connection ends, it hands the [`Reconnection`] to the caller, waits and opens the next
/// one.
#[derive(Clone, Debug)]
pub struct Listener {
    source: EventSource,
    limits: Limits,
    decoder: Decoder,
    /// The ids and digests of events of this connection, and of the previous ones. An id alone does not identify an
    /// event: an event without an id has that of the previous one, and some services count from 1 again after a
    /// restart.
    current: VecDeque<(String, u64)>,
    previous: VecDeque<(String, u64)>,
    /// The last id before the connection broke, until the first event after that.
    resumes_after: Option<String>,
    /// The last `retry` of the stream, on any connection.
    retry: Duration,
    failures: u32,
    /// Responses in succession without a stream, of a service that may be restarting.
    refusals: u32,
    was_opened: bool,
}

impl Listener {
    /// Listens to this source from now on.
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
            refusals: 0,
            was_opened: false,
        }
    }

    /// Opens the stream for the first time, or after the last event.
    ///
    /// # Errors
    /// Those of [`EventSource::subscribe`]. No stream causes one, since a [`Decoder`] ignores an id that cannot be
    /// sent.
    pub fn subscribe(&self) -> Result<Subscribe, Error> {
        self.source.subscribe(Some(self.decoder.last_id()).filter(|id| !id.is_empty()))
    }

    /// Notes that the stream is open: the head of its response has arrived.
    pub fn opened(&mut self) {
        self.was_opened = true;
        self.refusals = 0;
    }

    /// Takes the next piece of the stream.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge), as [`Decoder::push`]. The stream must then be closed.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<StreamItem>, Error> {
        let mut items = Vec::new();
        let exchange = (&Method::GET, &self.source.target);
        let stamped = |error: Error| error.stamped(Some(exchange), &Redactor::default());
        for event in self.decoder.push(piece).map_err(stamped)? {
            self.failures = 0;
            if !event.id.is_empty() {
                let known = (event.id.clone(), digest(&event));
                if self.previous.contains(&known) {
                    continue;
                }
                if let Some(after) = self.resumes_after.take() {
                    if is_gap(&after, &event.id) {
                        items.push(StreamItem::Gap { after, before: event.id.clone() });
                    }
                }
                self.current.push_back(known);
                if self.current.len() > MAX_REMEMBERED_EVENTS {
                    self.current.pop_front();
                }
            }
            items.push(StreamItem::Event(event));
        }
        Ok(items)
    }

    /// Returns the wait before the next attempt, after the stream could not be opened.
    ///
    /// # Errors
    /// The error itself, if another attempt would fail in the same way, or if the stream was never open. The call has
    /// repeated its request by then, and some services crash at each one. A service that restarts may lack the stream, or
    /// answer with an error of its web server, so ten of those in succession are waited for.
    pub fn failed(&mut self, error: Error) -> Result<Reconnection, Error> {
        let is_temporary =
            error.is_transient() || matches!(error.kind(), ErrorKind::SessionLimit | ErrorKind::Deadline(_));
        let may_restart = match (error.kind(), error.status()) {
            (ErrorKind::NotFound, status) => status != Some(StatusCode::GONE),
            (ErrorKind::Refused, status) => status.is_some_and(|status| status.is_server_error()),
            (ErrorKind::Malformed { .. }, _) => true,
            _ => false,
        };
        self.refusals = if may_restart { self.refusals + 1 } else { 0 };
        let is_waited_for = is_temporary || may_restart && self.refusals <= MAX_RESTARTING;
        let mut reconnection = self.wait_after(error, is_waited_for)?;
        // A service that starts takes its time, whatever `retry` its stream had.
        if let Some(doublings) = self.refusals.checked_sub(1) {
            let least = Duration::from_secs(1 << doublings.min(6)).min(MAX_WAIT);
            reconnection.wait = reconnection.wait.max(least);
        }
        Ok(reconnection)
    }

    fn wait_after(&mut self, error: Error, is_temporary: bool) -> Result<Reconnection, Error> {
        if !is_temporary || !self.was_opened {
            return Err(error);
        }
        let wait = self.next_wait().max(error.retry_after().unwrap_or_default().min(MAX_WAIT));
        Ok(Reconnection { wait, error: Some(error) })
    }

    /// Returns the wait before the next connection, after an error of the body.
    ///
    /// # Errors
    /// [`Malformed`](crate::ErrorKind::Malformed) if the body is not what its coding says.
    pub fn interrupted(
        &mut self,
        error: io::Error,
        service: &Service,
        secrets: &Redactor,
    ) -> Result<Reconnection, Error> {
        let error = service.truncated_body_error(&self.source.target, secrets, error);
        let is_temporary = error.is_transient();
        self.wait_after(error, is_temporary)
    }

    /// Returns the wait before the next connection, after the service has ended the stream.
    pub fn disconnected(&mut self) -> Reconnection {
        Reconnection { wait: self.next_wait(), error: None }
    }

    /// The `retry` of the stream, doubled after each connection without an event.
    fn next_wait(&mut self) -> Duration {
        let last = self.decoder.last_id().to_owned();
        self.retry = self.decoder.retry().unwrap_or(self.retry);
        self.decoder = Decoder::after(self.limits, &last);
        self.previous.append(&mut self.current);
        self.previous.drain(..self.previous.len().saturating_sub(MAX_REMEMBERED_EVENTS));
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

/// Whether some numbers are missing between two ids. Ids that are not numbers report no gap.
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
    use crate::redact::SafeText;
    use crate::service::Service;

    fn listener() -> Listener {
        let target = Service::new("bmc").unwrap().target("/sse").unwrap();
        Listener::new(EventSource::new(target), Limits::default())
    }

    fn ids(items: &[StreamItem]) -> Vec<String> {
        let id = |item: &StreamItem| match item {
            StreamItem::Event(event) => event.id.clone(),
            StreamItem::Gap { after, before } => format!("{after}..{before}"),
            StreamItem::Reconnecting(_) => unreachable!("only drivers make one"),
        };
        items.iter().map(id).collect()
    }

    fn last_event_id(listener: &Listener) -> Option<String> {
        let request = listener.subscribe().unwrap().request();
        request.headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_stream_continues_without_repeated_events() {
        let mut listener = listener();
        assert_eq!(last_event_id(&listener), None);
        assert_eq!(
            ids(&listener.push(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda").unwrap()),
            ["1", "2"]
        );
        listener.disconnected();
        assert_eq!(last_event_id(&listener).as_deref(), Some("2"), "the incomplete event was not received");
        assert_eq!(ids(&listener.push(b"id: 2\ndata: b\n\nid: 3\ndata: c\n\n").unwrap()), ["3"]);
    }

    #[test]
    fn events_with_the_same_id_are_distinguished_by_content() {
        let mut listener = listener();
        let stream = b"id: 1\ndata: a\n\ndata: b\n\ndata: b\n\n";
        assert_eq!(
            ids(&listener.push(stream).unwrap()),
            ["1", "1", "1"],
            "two of the three have no id of their own"
        );
        listener.disconnected();
        assert!(listener.push(stream).unwrap().is_empty());
        let restarted = b"id: 1\ndata: c\n\n";
        assert_eq!(ids(&listener.push(restarted).unwrap()), ["1"]);
    }

    #[test]
    fn the_last_events_are_remembered_over_connections() {
        let mut listener = listener();
        let stream: String = (0..=MAX_REMEMBERED_EVENTS).map(|id| format!("id: {id}\ndata: a\n\n")).collect();
        listener.push(stream.as_bytes()).unwrap();
        for _ in 0..2 {
            listener.disconnected();
            assert_eq!(ids(&listener.push(b"id: 1\ndata: a\n\n").unwrap()), Vec::<String>::new());
        }
        assert_eq!(ids(&listener.push(b"id: 0\ndata: a\n\n").unwrap()), ["0"], "no longer remembered");
    }

    #[test]
    fn a_gap_is_reported() {
        let mut listener = listener();
        listener.push(b"id: 7\ndata: a\n\n").unwrap();
        listener.disconnected();
        assert_eq!(
            ids(&listener.push(b"id: 10\ndata: b\n\nid: 12\ndata: c\n\n").unwrap()),
            ["7..10", "10", "12"]
        );
    }

    #[test]
    fn the_wait_grows_until_an_event_arrives() {
        let mut listener = listener();
        listener.push(b"retry: 2000\n").unwrap();
        assert_eq!(listener.disconnected().wait, Duration::from_secs(2));
        assert_eq!(listener.disconnected().wait, Duration::from_secs(4), "the second wait is doubled");
        for _ in 0..20 {
            listener.disconnected();
        }
        assert_eq!(listener.disconnected().wait, MAX_WAIT);
        listener.push(b"data: a\n\n").unwrap();
        assert_eq!(listener.disconnected().wait, Duration::from_secs(2));
    }

    #[test]
    fn the_id_of_an_incomplete_event_hides_no_gap() {
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
    fn the_stream_continues_after_the_id_of_a_heartbeat() {
        let mut listener = listener();
        listener.push(b"id: 1\ndata: a\n\nid: 5\n\n").unwrap();
        listener.disconnected();
        assert_eq!(last_event_id(&listener).as_deref(), Some("5"));
        assert_eq!(ids(&listener.push(b"id: 6\ndata: b\n\n").unwrap()), ["6"]);
    }

    #[test]
    fn a_refusal_is_final_and_a_transient_failure_is_waited_for_once_the_stream_was_open() {
        let mut listener = listener();
        for (was_opened, kind) in [
            (false, ErrorKind::Busy),
            (false, ErrorKind::Transport(Failure::Broken)),
            (true, ErrorKind::Busy),
            (true, ErrorKind::SessionLimit),
            (true, ErrorKind::Transport(Failure::Broken)),
        ] {
            if was_opened {
                listener.opened();
            }
            let repeated = listener.failed(Error::new(kind.clone()));
            match repeated.map(|reconnection| reconnection.error) {
                Ok(error) => assert!(was_opened && *error.unwrap().kind() == kind),
                Err(error) => assert!(!was_opened && *error.kind() == kind),
            }
        }
        for kind in [
            ErrorKind::Forbidden,
            ErrorKind::NotAuthenticated,
            ErrorKind::Transport(Failure::Untrusted),
            ErrorKind::Transport(Failure::Tls(TlsFailure::NoCommonProtocol)),
        ] {
            assert_eq!(*listener.failed(Error::new(kind.clone())).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn a_service_that_may_be_restarting_is_waited_for_ten_times_in_succession() {
        let status = |status| Error::from_status(status, None, Vec::new(), SafeText::default(), |_| None);
        for (error, is_waited_for) in [
            (status(StatusCode::INTERNAL_SERVER_ERROR), true),
            (status(StatusCode::NOT_FOUND), true),
            (Error::malformed("", "not a stream of events"), true),
            (status(StatusCode::GONE), false),
            (status(StatusCode::BAD_REQUEST), false),
        ] {
            let mut listener = listener();
            listener.opened();
            let waits = (0..20).take_while(|_| listener.failed(error.clone()).is_ok()).count();
            assert_eq!(waits, if is_waited_for { 10 } else { 0 }, "{error}");
            listener.opened();
            assert_eq!(listener.failed(error.clone()).is_ok(), is_waited_for, "{error}");
        }
    }
}
