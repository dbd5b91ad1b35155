//! The front end: a [`Mock`] behind a socket, with TLS or without, in a thread of its own.

mod body;
mod certificate;
mod connection;
mod delivery;
mod fleet;
mod plain;
mod port;
mod shared;
mod thread;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use http::{Method, StatusCode};

pub use fleet::{Fleet, FleetService, ServiceKind};

use crate::mock::Mock;
use crate::state::settings::Settings;
use certificate::{Identity, ShownBy};
use connection::Front;
use port::Port;
use shared::{Clock, Shared};
use thread::Thread;

/// How a [`Server`] listens.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where. A port of 0, the default on loopback, is any that is free.
    pub listen: SocketAddr,
    /// With which certificate.
    pub tls: Tls,
    /// The longest body that is taken; a longer one is answered 413.
    pub body_limit: usize,
    /// Who is told of each request.
    pub observer: Option<Observer>,
}

/// Who is told of each request, from the server's thread.
pub type Observer = Arc<dyn Fn(&Observed<'_>) + Send + Sync>;

/// A request and what came of it, without anything secret.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's path, without its query.
    pub path: &'a str,
    /// The answer's status; without one, the connection is closed before any answer.
    pub status: Option<StatusCode>,
}

/// With which certificate a [`Server`] listens.
#[derive(Clone)]
pub enum Tls {
    /// None: plain HTTP.
    None,
    /// One made at the start, for `localhost`, `127.0.0.1`, `::1` and the address that is listened on.
    SelfSigned,
    /// This one.
    Given {
        /// The certificate and those that it needs to be trusted, as PEM.
        certificate_pem: String,
        /// Its private key, as PEM.
        key_pem: String,
    },
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: Tls::SelfSigned,
            body_limit: 16 << 20,
            observer: None,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tls::None => "None",
            Tls::SelfSigned => "SelfSigned",
            Tls::Given { .. } => "Given",
        })
    }
}

/// A [`Mock`] that is being served. Dropping it ends the service.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    certificate_pem: Option<String>,
    // The last to go: it ends the service.
    thread: Thread,
}

impl Server {
    /// Starts a service. It listens when this returns.
    ///
    /// # Errors
    /// The address cannot be listened on, or [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput): certificate or key
    /// cannot be used.
    pub fn start(settings: Settings, options: ServeOptions) -> io::Result<Server> {
        let ServeOptions { listen, tls, body_limit, observer } = options;
        let identity = Identity::of(tls, listen.ip())?;
        let acceptor = identity.as_ref().map(|identity| identity.acceptor(ShownBy::One)).transpose()?;
        let certificate_pem = identity.map(Identity::into_certificate_pem);
        let shared = Arc::new(Shared::new(Mock::new(settings), Arc::new(Clock::start())));
        let served = shared.clone();
        let (thread, address) = Thread::start(move |stop| {
            let port = Port::bind(listen)?;
            let address = port.address()?;
            let listener = port.listen()?;
            let front = Front { shared: served, acceptor, address, body_limit, observer, stop };
            tokio::spawn(Arc::new(front).serve(listener));
            Ok(address)
        })?;
        Ok(Server { shared, address, certificate_pem, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client calls it: `https://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        url(self.certificate_pem.is_some(), self.address)
    }

    /// The certificate that a client has to trust, as PEM; without TLS, none.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// How many sessions are open.
    pub fn open_sessions(&self) -> usize {
        self.shared.open_sessions()
    }

    /// Looks at the service, or changes it. Requests wait meanwhile.
    pub fn mock<T>(&self, look: impl FnOnce(&mut Mock) -> T) -> T {
        self.shared.look(look)
    }

    /// The service's time: since its start, and what [`Server::advance`] added.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Lets time pass for the service, so that a session expires, or a restart is over, without anybody waiting for it.
    pub fn advance(&self, time: Duration) {
        self.shared.clock.advance(time);
    }

    /// Ends the service: no new connections, those that are open finish the request they are at. Returns when all is done,
    /// after five seconds at the latest.
    pub fn shutdown(self) {
        drop(self.thread);
    }
}

fn url(is_https: bool, address: SocketAddr) -> String {
    format!("{}://{address}", if is_https { "https" } else { "http" })
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}
