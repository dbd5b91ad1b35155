//! A server that plays one dialogue over real sockets and real TLS, faults and all: what adapters are tried against.
//!
//! [`Script`] plays the events of a [transcript](crate::transcript), and notes whatever departs from them. [`Peer`]
//! is what it stands on, a listener whose connections each test treats as it likes, and [`cases`] is a table of
//! what HTTP can do to a client that has nothing to do with Redfish.
//!
//! A failure of a transcript becomes the real thing: what is not sent finds the connection closed before TLS; what
//! breaks, breaks after the request was read; what is not answered waits until the client gives up.

pub mod cases;
mod gzip;
mod identity;
mod peer;
mod version_1;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

pub use identity::Identity;
pub use peer::{Connection, Peer, Received, Wire};
pub use version_1::{certificate_of_version_1, rsa_key_info};

use crate::transcript::{Event, Failure, Reaction};

/// The alert of a service that finds nothing in common with the client: fatal, handshake_failure.
pub(crate) const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// How a body breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Shorter than its `Content-Length`.
    Short,
    /// Chunked, and without the last chunk: as iDRAC 8 does it.
    Unended,
}

/// A server that plays the events of one call after the other.
#[derive(Debug)]
pub struct Script {
    peer: Peer,
    shared: Arc<Shared>,
}

struct Shared {
    own: Identity,
    other: Identity,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    cut: Cut,
    problems: Vec<String>,
}

impl Script {
    /// Listens on loopback, with a new certificate.
    ///
    /// # Errors
    /// There is no loopback, or no randomness for a key.
    pub fn start() -> io::Result<Script> {
        let shared = Arc::new(Shared {
            own: Identity::self_signed(&["localhost", "127.0.0.1"])?,
            other: Identity::self_signed(&["localhost", "127.0.0.1"])?,
            state: Mutex::new(State { events: VecDeque::new(), cut: Cut::Short, problems: Vec::new() }),
        });
        let playing = shared.clone();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| playing.serve(connection))?;
        Ok(Script { peer, shared })
    }

    /// What a client calls it.
    pub fn url(&self) -> String {
        self.peer.url("https")
    }

    /// The certificate to trust, as PEM.
    pub fn certificate_pem(&self) -> String {
        self.shared.own.certificate_pem()
    }

    /// Takes the events of the next call.
    pub fn play(&self, events: impl IntoIterator<Item = Event>, cut: Cut) {
        let mut state = self.shared.lock();
        state.events = events.into_iter().collect();
        state.cut = cut;
    }

    /// The client's clock was asked to wait so long.
    pub fn waited(&self, time: Duration) {
        let mut state = self.shared.lock();
        match state.events.pop_front() {
            Some(Event::Wait(wanted)) if wanted == time => {}
            other => state.problems.push(format!("waited {time:?}, not {other:?}")),
        }
    }

    /// Whether the call did all that was in the script, and nothing else.
    ///
    /// # Errors
    /// What it did otherwise, a line each.
    pub fn finish(&self) -> Result<(), String> {
        let mut state = self.shared.lock();
        let mut problems = std::mem::take(&mut state.problems);
        problems.extend(state.events.drain(..).map(|event| format!("not reached: {event:?}")));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems.join("\n")),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays what is due on a new connection, which may be that it fails.
    fn serve(&self, connection: Connection) {
        let due = self.lock().due();
        match due {
            Some(Failure::NotSent) => drop(connection),
            Some(Failure::Tls) => {
                let _ = connection.answer(HANDSHAKE_FAILURE);
            }
            // The client refuses it, or else its request comes as a surprise.
            Some(_) => {
                let _ = connection.encrypt(&self.other).and_then(|wire| self.converse(wire));
            }
            None => {
                let _ = connection.encrypt(&self.own).and_then(|wire| self.converse(wire));
            }
        }
    }

    fn converse(&self, mut wire: Wire) -> io::Result<()> {
        while let Some(received) = wire.request()? {
            let (reaction, cut, close) = {
                let mut state = self.lock();
                (state.react(&received), state.cut, state.closes_now())
            };
            let Some(reaction) = reaction else { return Ok(()) };
            match reaction {
                Reaction::Answer { status, headers, body, cut: false } => {
                    let asked = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection"));
                    let close = close && !asked;
                    wire.write(&answer(&received, status, &headers, &body, close))?;
                    if close || asked {
                        return Ok(());
                    }
                }
                Reaction::Answer { status, headers, body, cut: true } => {
                    return wire.write(&broken_off(status, &headers, &body, cut));
                }
                Reaction::Failure(failure) => return fail(wire, failure),
            }
        }
        Ok(())
    }
}

impl State {
    /// How the next connection fails as a whole, if it does.
    fn due(&mut self) -> Option<Failure> {
        match self.events.front() {
            Some(Event::Exchange(
                _,
                Reaction::Failure(failure @ (Failure::NotSent | Failure::Untrusted | Failure::Tls)),
            )) => {
                let failure = *failure;
                self.events.pop_front();
                Some(failure)
            }
            _ => None,
        }
    }

    /// Whether a kept connection would keep the next failure from happening.
    fn closes_now(&self) -> bool {
        let next = self.events.iter().find(|event| matches!(event, Event::Exchange(..)));
        matches!(
            next,
            Some(Event::Exchange(_, Reaction::Failure(Failure::NotSent | Failure::Untrusted | Failure::Tls)))
        )
    }

    fn react(&mut self, received: &Received) -> Option<Reaction> {
        let Some(Event::Exchange(wanted, reaction)) = self.events.pop_front() else {
            let Received { method, target, .. } = received;
            self.problems.push(format!("{method} {target} is not in the script"));
            return None;
        };
        let headers: Vec<_> =
            received.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        self.problems.extend(wanted.mismatch(&received.method, &received.target, &headers, &received.body));
        self.problems.extend(received.oddity().map(|oddity| format!("line {}: {oddity}", wanted.line)));
        Some(reaction)
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

fn answer(received: &Received, status: u16, headers: &Headers, body: &str, close: bool) -> Vec<u8> {
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
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes
}

fn broken_off(status: u16, headers: &Headers, body: &str, cut: Cut) -> Vec<u8> {
    match cut {
        Cut::Short => head(status, headers, &format!("Content-Length: {}\r\n", body.len() + 100)) + body,
        Cut::Unended if body.is_empty() => head(status, headers, "Transfer-Encoding: chunked\r\n"),
        Cut::Unended => {
            head(status, headers, "Transfer-Encoding: chunked\r\n")
                + &format!("{:x}\r\n{body}\r\n", body.len())
        }
    }
    .into_bytes()
}

fn fail(mut wire: Wire, failure: Failure) -> io::Result<()> {
    match failure {
        Failure::Broken | Failure::NotSent | Failure::Untrusted | Failure::Tls => Ok(()),
        Failure::TimedOut => wire.silence(),
        Failure::Malformed => wire.write(b"220 not what was expected here\r\n\r\n"),
        Failure::TooLarge => {
            wire.write(b"HTTP/1.1 200 \r\n")?;
            // Far beyond any limit; the client ends it by closing.
            (0..100_000).try_for_each(|at| wire.write(format!("X-Filling-{at}: {:0>100}\r\n", at).as_bytes()))
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}
