//! The front end: a [`Mock`] behind a socket, with TLS or without, in a thread of its own.

mod body;
mod certificate;
mod connection;
mod delivery;
mod plain;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io};

use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::events::{Delivery, EventStream};
use crate::mock::Mock;
use crate::settings::Settings;
use certificate::Identity;
use connection::Front;

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
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What the server's owner and its connections share.
pub(crate) struct Shared {
    mock: Mutex<Mock>,
    started: Instant,
    /// What [`Server::advance`] added to the clock.
    ahead: Mutex<Duration>,
}

impl Shared {
    fn now(&self) -> Duration {
        self.started.elapsed() + *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a stream has to send.
    fn events(&self, stream: EventStream) -> Option<String> {
        self.mock().events(stream, self.now())
    }

    /// Lets happen what is due by now; the events that have to be sent.
    fn tick(&self) -> Vec<Delivery> {
        let mut mock = self.mock();
        mock.pass(self.now());
        mock.take_deliveries()
    }

    /// A panic under the lock, in a closure of the owner's, does not end the service.
    fn mock(&self) -> MutexGuard<'_, Mock> {
        self.mock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Starts a service. It listens when this returns.
    ///
    /// # Errors
    /// The address cannot be listened on, or [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput): certificate or key
    /// cannot be used.
    pub fn start(settings: Settings, options: ServeOptions) -> io::Result<Server> {
        let ServeOptions { listen, tls, body_limit, observer } = options;
        let identity = match tls {
            Tls::None => None,
            Tls::SelfSigned => Some(Identity::self_signed(listen.ip())?),
            Tls::Given { certificate_pem, key_pem } => Some(Identity::new(certificate_pem, &key_pem)?),
        };
        let (acceptor, certificate_pem) = match identity {
            None => (None, None),
            Some(identity) => (Some(identity.acceptor()?), Some(identity.into_certificate_pem())),
        };

        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mock: Mutex::new(Mock::new(settings)),
            started: Instant::now(),
            ahead: Mutex::new(Duration::ZERO),
        });
        let (stop, stopped) = watch::channel(false);
        let front = Front { shared: shared.clone(), acceptor, address, body_limit, observer, stopped };

        // The runtime is made in the thread that it stays in: the caller may be in one of its own.
        let (report, started) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name(format!("redfish-mock {address}")).spawn(move || {
                let (runtime, listener) = match runtime(listener) {
                    Ok(made) => made,
                    Err(error) => return drop(report.send(Err(error))),
                };
                if report.send(Ok(())).is_ok() {
                    runtime.block_on(Arc::new(front).serve(listener));
                }
            })?;
        started.recv().map_err(io::Error::other)??;
        Ok(Server { shared, address, certificate_pem, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client calls it: `https://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        let scheme = if self.certificate_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate that a client has to trust, as PEM; without TLS, none.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// How many sessions are open.
    pub fn open_sessions(&self) -> usize {
        self.mock(|mock| mock.open_sessions(self.now()))
    }

    /// Looks at the service, or changes it. Requests wait meanwhile.
    pub fn mock<T>(&self, look: impl FnOnce(&mut Mock) -> T) -> T {
        look(&mut self.shared.mock())
    }

    /// The service's time: since its start, and what [`Server::advance`] added.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Lets time pass for the service, so that a session expires without anybody waiting for it.
    pub fn advance(&self, time: Duration) {
        *self.shared.ahead.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    /// Ends the service: no new connections, those that are open finish the request they are at. Returns when all is done,
    /// after five seconds at the latest.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        // No receiver means that the thread has ended already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn runtime(listener: std::net::TcpListener) -> io::Result<(Runtime, TcpListener)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let listener = TcpListener::from_std(listener)?;
    drop(inside);
    Ok((runtime, listener))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}
