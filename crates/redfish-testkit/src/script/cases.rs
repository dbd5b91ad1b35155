//! A table of HTTP and TLS behavior that is independent of Redfish, which each adapter plays.
//!
//! A [`Case`] is a listener with a list of calls and their expected outcomes. The runner (`suite::conformance`) creates a
//! client with the settings of the case, performs the calls and checks the outcomes.

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

use super::{HttpConnection, Peer, ReceivedRequest, ServerIdentity};

/// The default address of a case.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A listener, and what a client must do with it.
pub struct Case {
    /// The claim.
    pub name: &'static str,
    /// The certificates that the client trusts.
    pub trust: TrustConfig,
    /// The client's limit of a body, in bytes.
    pub body_limit: usize,
    /// The client's timeout of an exchange.
    pub timeout: Duration,
    /// The client's connect timeout.
    pub connect_timeout: Duration,
    /// Whether the client has credentials.
    pub credentials: bool,
    /// The calls, in order.
    pub calls: Vec<Call>,
    url: String,
    peer: Peer,
    /// Another listener, which must not get a connection.
    other: Option<Peer>,
    log: RequestLog,
    requests: Option<usize>,
    connections: Option<usize>,
    time_limit: Duration,
}

/// The certificates that a client trusts.
#[derive(Clone, Debug)]
pub enum TrustConfig {
    /// Those signed by the system's roots.
    System,
    /// Also those that this PEM certificate allows.
    Pem(String),
    /// Only this DER certificate, by its pin.
    Pinned(Vec<u8>),
}

/// A call of a client and its expected outcome.
#[derive(Clone, Debug)]
pub struct Call {
    /// What to do.
    pub action: Action,
    expected: Expected,
}

/// What a client does.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Sends this method to this path, with this JSON body if it is not empty.
    Send(&'static str, &'static str, &'static str),
    /// Waits with [`Case::wait_for_close`] until the service has closed all connections.
    WaitForClose,
    /// Logs in.
    Login,
    /// Closes the client.
    Close,
}

#[derive(Clone, Debug)]
enum Expected {
    Body(Vec<u8>),
    Error(&'static str, &'static str),
}

/// The outcome of a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Success, with this body.
    Done(Vec<u8>),
    /// The name of an error's kind, and its full text.
    Error(String, String),
}

type RequestLog = Arc<Mutex<Vec<ReceivedRequest>>>;
/// Responds to a request, given the number of earlier requests. Returns whether to keep the connection.
type Handler = dyn Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync;

impl Case {
    /// The URL of the service.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the service has closed all connections.
    pub fn wait_for_close(&self) {
        while self.peer.finished() < self.peer.connections() {
            thread::yield_now();
        }
    }

    /// Checks the requests, the connections and the elapsed time after the last call.
    ///
    /// # Errors
    /// The deviation from the expected numbers.
    pub fn finish(&self, elapsed: Duration) -> Result<(), String> {
        if elapsed > self.time_limit {
            return Err(format!("took {elapsed:?}, more than {:?}", self.time_limit));
        }
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(violation) = log.iter().find_map(ReceivedRequest::violation) {
            return Err(violation);
        }
        if self.requests.is_some_and(|expected| expected != log.len()) {
            return Err(format!("{} requests, not {:?}", log.len(), self.requests));
        }
        let connections = self.peer.connections();
        if self.connections.is_some_and(|expected| expected != connections) {
            return Err(format!("{connections} connections, not {:?}", self.connections));
        }
        match self.other.as_ref().map(Peer::connections) {
            Some(connections) if connections > 0 => Err("a connection to the other listener".to_owned()),
            _ => Ok(()),
        }
    }

    fn new(
        name: &'static str,
        calls: Vec<Call>,
        handler: impl Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync + 'static,
    ) -> io::Result<Case> {
        let identity = ServerIdentity::self_signed(&["127.0.0.1"])?;
        let trust = TrustConfig::Pem(identity.certificate_pem());
        Case::with_identity(LOOPBACK, name, identity, trust, calls, handler)
    }

    fn with_identity(
        address: IpAddr,
        name: &'static str,
        identity: ServerIdentity,
        trust: TrustConfig,
        calls: Vec<Call>,
        handler: impl Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync + 'static,
    ) -> io::Result<Case> {
        let log = RequestLog::default();
        let (peer_log, count) = (log.clone(), AtomicUsize::new(0));
        let peer = Peer::start(address, move |connection| {
            // A client that gives up closes the connection.
            let _ = connection
                .encrypt(&identity)
                .and_then(|connection| serve_requests(connection, &peer_log, &count, &handler));
        })?;
        Ok(Case::with_peer(name, peer, log, trust, calls))
    }

    fn with_peer(
        name: &'static str,
        peer: Peer,
        log: RequestLog,
        trust: TrustConfig,
        calls: Vec<Call>,
    ) -> Case {
        Case {
            name,
            trust,
            body_limit: 1 << 20,
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            credentials: false,
            calls,
            url: peer.url("https"),
            peer,
            other: None,
            log,
            requests: None,
            connections: None,
            time_limit: Duration::from_secs(10),
        }
    }

    fn requests(self, expected: usize) -> Case {
        Case { requests: Some(expected), ..self }
    }

    fn connections(self, expected: usize) -> Case {
        Case { connections: Some(expected), ..self }
    }
}

fn serve_requests(
    mut connection: HttpConnection,
    log: &RequestLog,
    count: &AtomicUsize,
    handler: &Handler,
) -> io::Result<()> {
    while let Some(received) = connection.request()? {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
        if !handler(&mut connection, &received, count.fetch_add(1, Ordering::SeqCst))? {
            break;
        }
    }
    Ok(())
}

impl Call {
    /// Compares an outcome with the expected one.
    ///
    /// # Errors
    /// The expected outcome.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        match (&self.expected, outcome) {
            (Expected::Body(expected), Outcome::Done(found)) if expected == found => Ok(()),
            (Expected::Error(kind, text), Outcome::Error(found, full_text))
                if kind == found && full_text.contains(text) =>
            {
                Ok(())
            }
            (Expected::Body(expected), _) => Err(format!("expected a body of {} bytes", expected.len())),
            (Expected::Error(kind, text), _) => Err(format!("expected {kind} with {text:?}")),
        }
    }

    fn done(action: Action, body: &[u8]) -> Call {
        Call { action, expected: Expected::Body(body.to_vec()) }
    }

    fn error(action: Action, kind: &'static str, text: &'static str) -> Call {
        Call { action, expected: Expected::Error(kind, text) }
    }
}

const GET: Action = Action::Send("GET", "/redfish/v1/a", "");
const POST: Action = Action::Send("POST", "/redfish/v1/a", "{}");

fn with_length(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    with_length("200 OK", "", body)
}

fn chunked(headers: &str, body: &[u8], end: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n", end.as_bytes()].concat()
}

/// A handler that sends these bytes for each request and keeps the connection.
fn always(
    response: impl Into<Vec<u8>>,
) -> impl Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync + 'static {
    let response = response.into();
    move |connection, _, _| connection.write(&response).map(|()| true)
}

/// A handler that sends these bytes for each request and closes the connection.
fn always_then_close(
    response: impl Into<Vec<u8>>,
) -> impl Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync + 'static {
    let response = response.into();
    move |connection, _, _| connection.write(&response).map(|()| false)
}

/// Creates all cases and starts their listeners.
///
/// # Errors
/// A port cannot be bound, or a certificate cannot be generated.
pub fn all() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    exchanges::library_features(&mut cases)?;
    bodies::limits(&mut cases)?;
    exchanges::broken(&mut cases)?;
    exchanges::slow(&mut cases)?;
    bodies::framing(&mut cases)?;
    connections::trust(&mut cases)?;
    handshakes::refused(&mut cases)?;
    handshakes::version_1(&mut cases)?;
    connections::reuse(&mut cases)?;
    Ok(cases)
}
