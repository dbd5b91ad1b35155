//! Servers on real sockets with real TLS, for the tests of the adapters.
//!
//! [`ScriptedServer`] plays the events of a [transcript](crate::transcript) and records every deviation. [`Peer`] is a
//! listener that passes each connection to a handler. [`cases`] is a table of HTTP and TLS behavior that is independent of
//! Redfish.
//!
//! The failures of a transcript are real: `not-sent` closes the connection before TLS, `broken` closes it after the
//! request, and `timed-out` does not respond until the client gives up.

pub mod cases;
mod gzip;
mod identity;
mod peer;
mod unanswering;
mod version_1;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

pub use identity::ServerIdentity;
pub use peer::{HttpConnection, Peer, ReceivedRequest, TcpConnection};
pub use unanswering::UnansweringListener;
pub use version_1::{certificate_of_version_1, rsa_key_info};

use crate::transcript::{Event, Failure, Reply};

/// The fatal alert handshake_failure, which a service sends if it shares no cipher suite with the client.
pub(crate) const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// How a body is truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// It is shorter than its `Content-Length`.
    ContentLength,
    /// It is chunked and lacks the last chunk, as with iDRAC 8.
    Chunked,
}

/// A server that plays the events of a transcript, one call after the other.
#[derive(Debug)]
pub struct ScriptedServer {
    peer: Peer,
    shared: Arc<Shared>,
}

struct Shared {
    identity: ServerIdentity,
    untrusted_identity: ServerIdentity,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    truncation: Truncation,
    problems: Vec<String>,
}

impl ScriptedServer {
    /// Listens on loopback, with a new certificate.
    ///
    /// # Errors
    /// The port cannot be bound, or the certificate cannot be generated.
    pub fn start() -> io::Result<ScriptedServer> {
        let shared = Arc::new(Shared {
            identity: ServerIdentity::self_signed(&["localhost", "127.0.0.1"])?,
            untrusted_identity: ServerIdentity::self_signed(&["localhost", "127.0.0.1"])?,
            state: Mutex::new(State {
                events: VecDeque::new(),
                truncation: Truncation::ContentLength,
                problems: Vec::new(),
            }),
        });
        let playing = shared.clone();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| playing.serve(connection))?;
        Ok(ScriptedServer { peer, shared })
    }

    /// The URL of the service.
    pub fn url(&self) -> String {
        self.peer.url("https")
    }

    /// The certificate to trust, as PEM.
    pub fn certificate_pem(&self) -> String {
        self.shared.identity.certificate_pem()
    }

    /// Sets the events of the next call.
    pub fn play(&self, events: impl IntoIterator<Item = Event>, truncation: Truncation) {
        let mut state = self.shared.lock();
        state.events = events.into_iter().collect();
        state.truncation = truncation;
    }

    /// Checks a wait of the client's clock against the events.
    pub fn record_wait(&self, time: Duration) {
        let mut state = self.shared.lock();
        match state.events.pop_front() {
            Some(Event::Wait(expected)) if expected == time => {}
            other => state.problems.push(format!("waited {time:?}, not {other:?}")),
        }
    }

    /// Checks that the call has played all events and nothing else.
    ///
    /// # Errors
    /// The deviations, one per line.
    pub fn finish(&self) -> Result<(), String> {
        let mut state = self.shared.lock();
        let mut problems = std::mem::take(&mut state.problems);
        problems.extend(state.events.drain(..).map(|event| format!("not reached: {event:?}")));
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays the next events on a new connection.
    fn serve(&self, connection: TcpConnection) {
        let failure = self.lock().take_connection_failure();
        let identity = match failure {
            Some(Failure::NotSent) => return,
            Some(Failure::Tls) => {
                let _ = connection.respond_and_close(HANDSHAKE_FAILURE);
                return;
            }
            // If the client accepts this certificate, its request is an unexpected one.
            Some(_) => &self.untrusted_identity,
            None => &self.identity,
        };
        let _ = connection.encrypt(identity).and_then(|connection| self.serve_requests(connection));
    }

    fn serve_requests(&self, mut connection: HttpConnection) -> io::Result<()> {
        while let Some(received) = connection.request()? {
            let (reply, truncation, close) = {
                let mut state = self.lock();
                (state.next_reply(&received), state.truncation, state.must_close())
            };
            let Some(reply) = reply else { return Ok(()) };
            match reply {
                Reply::Response { status, headers, body, truncated: false } => {
                    let scripted = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection"));
                    let add_close = close && !scripted;
                    connection.write(&response(&received, status, &headers, &body, add_close))?;
                    if close || scripted {
                        return Ok(());
                    }
                }
                Reply::Response { status, headers, body, truncated: true } => {
                    return connection.write(&truncated_response(status, &headers, &body, truncation));
                }
                Reply::Failure(failure) => return fail(connection, failure),
            }
        }
        Ok(())
    }
}

impl State {
    /// Takes the next event if it is a failure of the whole connection.
    fn take_connection_failure(&mut self) -> Option<Failure> {
        match self.events.front() {
            Some(Event::Exchange(
                _,
                Reply::Failure(failure @ (Failure::NotSent | Failure::Untrusted | Failure::Tls)),
            )) => {
                let failure = *failure;
                self.events.pop_front();
                Some(failure)
            }
            _ => None,
        }
    }

    /// Whether the next exchange is a failure that requires a new connection.
    fn must_close(&self) -> bool {
        let next = self.events.iter().find(|event| matches!(event, Event::Exchange(..)));
        matches!(
            next,
            Some(Event::Exchange(_, Reply::Failure(Failure::NotSent | Failure::Untrusted | Failure::Tls)))
        )
    }

    fn next_reply(&mut self, received: &ReceivedRequest) -> Option<Reply> {
        let Some(Event::Exchange(expected, reply)) = self.events.pop_front() else {
            let ReceivedRequest { method, target, .. } = received;
            self.problems.push(format!("unexpected request: {method} {target}"));
            return None;
        };
        let headers: Vec<_> =
            received.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        self.problems.extend(expected.mismatch(&received.method, &received.target, &headers, &received.body));
        self.problems
            .extend(received.violation().map(|violation| format!("line {}: {violation}", expected.line)));
        Some(reply)
    }
}

type Headers = [(String, String)];

fn head(status: u16, headers: &Headers, framing: &str) -> String {
    let mut head = format!("HTTP/1.1 {status} \r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + framing + "\r\n"
}

fn response(received: &ReceivedRequest, status: u16, headers: &Headers, body: &[u8], close: bool) -> Vec<u8> {
    let mut framing = match status {
        // RFC 9110, section 8.6.
        204 | 304 => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    if close {
        framing.push_str("Connection: close\r\n");
    }
    let mut bytes = head(status, headers, &framing).into_bytes();
    if received.method != "HEAD" {
        bytes.extend_from_slice(body);
    }
    bytes
}

fn truncated_response(status: u16, headers: &Headers, body: &[u8], truncation: Truncation) -> Vec<u8> {
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    match truncation {
        Truncation::ContentLength => {
            let framing = format!("Content-Length: {}\r\n", body.len() + 100);
            [head(status, headers, &framing).as_bytes(), body].concat()
        }
        Truncation::Chunked if body.is_empty() => head(status, headers, CHUNKED).into_bytes(),
        Truncation::Chunked => {
            let start = head(status, headers, CHUNKED) + &format!("{:x}\r\n", body.len());
            [start.as_bytes(), body, b"\r\n"].concat()
        }
    }
}

fn fail(mut connection: HttpConnection, failure: Failure) -> io::Result<()> {
    match failure {
        Failure::Broken | Failure::NotSent | Failure::Untrusted | Failure::Tls => Ok(()),
        Failure::TimedOut => connection.wait_for_close(),
        Failure::Malformed => connection.write(b"220 not what was expected here\r\n\r\n"),
        Failure::TooLarge => {
            connection.write(b"HTTP/1.1 200 \r\n")?;
            // Far above any limit. The client closes the connection.
            (0..100_000)
                .try_for_each(|at| connection.write(format!("X-Filling-{at}: {:0>100}\r\n", at).as_bytes()))
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}
