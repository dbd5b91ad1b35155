//! What HTTP can do to a client that has nothing to do with Redfish: a table that each adapter plays.
//!
//! A [`Case`] listens, and lists what to ask of it and what must come of that. The runner (`suite::conformance`) makes a
//! client by [`Case::trust`], [`Case::limit`] and the timeouts, asks, and hands each outcome back.

mod bodies;
mod connections;
mod exchanges;
mod handshakes;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Identity, Peer, Received, Wire};

/// Where a case listens unless it says otherwise.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One of them.
pub struct Case {
    /// What must hold.
    pub name: &'static str,
    /// Which certificate the client trusts.
    pub trust: Trusting,
    /// The client's limit of a body.
    pub limit: usize,
    /// The client's timeout of an exchange.
    pub timeout: Duration,
    /// The client's timeout of connecting.
    pub connect_timeout: Duration,
    /// Whether the client has credentials to log in with.
    pub credentials: bool,
    /// What to ask, in order.
    pub asks: Vec<Ask>,
    url: String,
    peer: Peer,
    /// Another listener, which must hear nothing.
    other: Option<Peer>,
    heard: Heard,
    requests: Option<usize>,
    connections: Option<usize>,
    within: Duration,
}

/// Which certificate a client trusts.
#[derive(Clone, Debug)]
pub enum Trusting {
    /// What the system's roots vouch for.
    System,
    /// That, and this certificate, as PEM.
    Pem(String),
    /// Exactly this certificate, as DER, by its pin.
    Pinned(Vec<u8>),
}

/// Something to ask of a client.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What.
    pub verb: Verb,
    wanted: SessionRequest,
}

/// What a client is asked.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// To send this method, to this path, with this JSON body if it is not empty.
    Send(&'static str, &'static str, &'static str),
    /// Nothing, but the runner calls [`Case::settle`] now.
    Settle,
    /// To log in.
    Session,
    /// To close.
    Close,
}

#[derive(Clone, Debug)]
enum SessionRequest {
    Body(Vec<u8>),
    Error(&'static str, &'static str),
}

/// What came of asking.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was done, with this body.
    Done(Vec<u8>),
    /// An error of the kind of that name, and how it is shown.
    Error(String, String),
}

type Heard = Arc<Mutex<Vec<Received>>>;
/// Answers a request: the connection, the request, and how many came before it. `false` ends the connection.
type Answering = dyn Fn(&mut Wire, &Received, usize) -> io::Result<bool> + Send + Sync;

impl Case {
    /// What a client calls it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the service has closed each connection that there was.
    pub fn settle(&self) {
        while self.peer.ended() < self.peer.connections() {
            thread::yield_now();
        }
    }

    /// What is wrong once everything has been asked, and took so long.
    ///
    /// # Errors
    /// More or fewer requests or connections than there should have been, or one at the other listener; more time.
    pub fn finish(&self, took: Duration) -> Result<(), String> {
        if took > self.within {
            return Err(format!("it took {took:?}, not {:?}", self.within));
        }
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(oddity) = heard.iter().find_map(Received::oddity) {
            return Err(oddity);
        }
        if self.requests.is_some_and(|wanted| wanted != heard.len()) {
            return Err(format!("{} requests, not {:?}", heard.len(), self.requests));
        }
        let connections = self.peer.connections();
        if self.connections.is_some_and(|wanted| wanted != connections) {
            return Err(format!("{connections} connections, not {:?}", self.connections));
        }
        match self.other.as_ref().map(Peer::connections) {
            Some(heard) if heard > 0 => Err("the other listener was spoken to".to_owned()),
            _ => Ok(()),
        }
    }

    fn new(
        name: &'static str,
        asks: Vec<Ask>,
        answer: impl Fn(&mut Wire, &Received, usize) -> io::Result<bool> + Send + Sync + 'static,
    ) -> io::Result<Case> {
        let identity = Identity::self_signed(&["127.0.0.1"])?;
        let trust = Trusting::Pem(identity.certificate_pem());
        Case::at(LOOPBACK, name, identity, trust, asks, answer)
    }

    fn at(
        address: IpAddr,
        name: &'static str,
        identity: Identity,
        trust: Trusting,
        asks: Vec<Ask>,
        answer: impl Fn(&mut Wire, &Received, usize) -> io::Result<bool> + Send + Sync + 'static,
    ) -> io::Result<Case> {
        let heard = Heard::default();
        let (listening, counted) = (heard.clone(), AtomicUsize::new(0));
        let peer = Peer::start(address, move |connection| {
            // A client that gives up breaks the connection, as it should.
            let _ =
                connection.encrypt(&identity).and_then(|wire| converse(wire, &listening, &counted, &answer));
        })?;
        Ok(Case::over(name, peer, heard, trust, asks))
    }

    fn over(name: &'static str, peer: Peer, heard: Heard, trust: Trusting, asks: Vec<Ask>) -> Case {
        Case {
            name,
            trust,
            limit: 1 << 20,
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            credentials: false,
            asks,
            url: peer.url("https"),
            peer,
            other: None,
            heard,
            requests: None,
            connections: None,
            within: Duration::from_secs(10),
        }
    }

    fn requests(self, wanted: usize) -> Case {
        Case { requests: Some(wanted), ..self }
    }

    fn connections(self, wanted: usize) -> Case {
        Case { connections: Some(wanted), ..self }
    }
}

fn converse(mut wire: Wire, heard: &Heard, counted: &AtomicUsize, answer: &Answering) -> io::Result<()> {
    while let Some(received) = wire.request()? {
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
        if !answer(&mut wire, &received, counted.fetch_add(1, Ordering::SeqCst))? {
            break;
        }
    }
    Ok(())
}

impl Ask {
    /// What is wrong with that outcome.
    ///
    /// # Errors
    /// What should have come of it.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        match (&self.wanted, outcome) {
            (SessionRequest::Body(wanted), Outcome::Done(found)) if wanted == found => Ok(()),
            (SessionRequest::Error(kind, text), Outcome::Error(found, shown))
                if kind == found && shown.contains(text) =>
            {
                Ok(())
            }
            (SessionRequest::Body(wanted), _) => Err(format!("a body of {} bytes was to come", wanted.len())),
            (SessionRequest::Error(kind, text), _) => Err(format!("{kind} with {text:?} was to come")),
        }
    }

    fn done(verb: Verb, body: &[u8]) -> Ask {
        Ask { verb, wanted: SessionRequest::Body(body.to_vec()) }
    }

    fn error(verb: Verb, kind: &'static str, text: &'static str) -> Ask {
        Ask { verb, wanted: SessionRequest::Error(kind, text) }
    }
}

const GET: Verb = Verb::Send("GET", "/redfish/v1/a", "");
const POST: Verb = Verb::Send("POST", "/redfish/v1/a", "{}");

fn sized(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    sized("200 OK", "", body)
}

fn chunked(headers: &str, body: &[u8], end: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n", end.as_bytes()].concat()
}

/// All of them, listening.
///
/// # Errors
/// There is no loopback, or no randomness for a key.
pub fn all() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    exchanges::left_alone(&mut cases)?;
    bodies::limits(&mut cases)?;
    exchanges::broken(&mut cases)?;
    exchanges::slow(&mut cases)?;
    bodies::framed(&mut cases)?;
    connections::trusted(&mut cases)?;
    handshakes::refused(&mut cases)?;
    handshakes::of_version_1(&mut cases)?;
    connections::reused(&mut cases)?;
    Ok(cases)
}
