//! Many services in one process, each at its own port with sessions of its own, some of which misbehave.

mod kind;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::{TcpListener, TcpStream};

pub use kind::ServiceKind;

use super::certificate::{Identity, ShownBy};
use super::connection::{Front, REST};
use super::port::Port;
use super::shared::{Clock, Shared};
use super::thread::{Stop, Thread};
use super::{ServeOptions, url};
use crate::mock::Mock;
use crate::state::random::Random;
use crate::state::settings::Settings;

/// Many services in one process, to sweep over: each at its own port, with its own sessions and its own tokens. They share a
/// thread, a certificate, and what none of them has changed, so that ten thousand are there within a second.
///
/// A fixed share of them misbehaves, see [`ServiceKind::assign`]. Dropping the fleet ends it.
///
/// Each service needs a file descriptor, and each connection one more: 10,000 services take a limit beyond 10,000.
///
/// ```
/// use redfish_mock::{Fleet, ServeOptions, ServiceKind, Settings};
///
/// let mut fleet = Fleet::start(100, Settings::default(), ServeOptions::default())?;
/// let refusing = fleet.services().iter().filter(|service| service.kind() == ServiceKind::Refusing);
/// assert_eq!(refusing.count(), 3);
/// assert!(fleet.service(0).url().starts_with("https://127.0.0.1:"));
/// fleet.shutdown();
/// assert_eq!((fleet.requests(), fleet.open_sessions()), (0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Fleet {
    services: Vec<FleetService>,
    certificate_pem: Option<String>,
    clock: Arc<Clock>,
    thread: Option<Thread>,
}

/// One of the services of a [`Fleet`].
pub struct FleetService {
    kind: ServiceKind,
    address: SocketAddr,
    is_https: bool,
    shared: Arc<Shared>,
    /// Of one that refuses: it keeps its port, and does not listen.
    _port: Option<Port>,
}

impl Fleet {
    /// Starts so many services. They listen when this returns, those that do. From [`Settings::seed`] come the seed of each
    /// and which of them misbehave; all else of the settings is the same for all.
    ///
    /// # Errors
    /// A port cannot be listened on: there are none left, or no file descriptors.
    /// [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput): certificate or key cannot be used, or a port is named, which
    /// only one of them could have.
    pub fn start(count: usize, settings: Settings, options: ServeOptions) -> io::Result<Fleet> {
        let ServeOptions { listen, tls, body_limit, observer } = options;
        if listen.port() != 0 {
            let why = "a fleet has a port for each service, and none can be named";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let identity = Identity::of(tls, listen.ip())?;
        let acceptor = identity.as_ref().map(|identity| identity.acceptor(ShownBy::Many)).transpose()?;
        let certificate_pem = identity.map(Identity::into_certificate_pem);
        let clock = Arc::new(Clock::start());
        let (is_https, time) = (acceptor.is_some(), clock.clone());
        let (thread, services) = Thread::start(move |stop| {
            let mut seeds = Random::new(settings.seed);
            let kinds = ServiceKind::assign(count, settings.seed);
            let pattern = Mock::new(settings);
            let begin = |kind: ServiceKind| {
                let seed = seeds.next();
                let mut mock = pattern.fleet_member(seed);
                kind.fault(seed).into_iter().for_each(|fault| mock.add_fault(fault));
                let shared = Arc::new(Shared::new(mock, time.clone()));
                let port = Port::bind(listen)?;
                let address = port.address()?;
                let port = match kind {
                    ServiceKind::Refusing => Some(port),
                    ServiceKind::Silent => {
                        tokio::spawn(keep_silent(port.listen()?, stop.clone()));
                        None
                    }
                    _ => {
                        let (acceptor, observer) = (acceptor.clone(), observer.clone());
                        let (shared, stop) = (shared.clone(), stop.clone());
                        let front = Front { shared, acceptor, address, body_limit, observer, stop };
                        tokio::spawn(Arc::new(front).serve(port.listen()?));
                        None
                    }
                };
                Ok(FleetService { kind, address, is_https, shared, _port: port })
            };
            kinds.into_iter().map(begin).collect::<io::Result<Vec<_>>>()
        })?;
        Ok(Fleet { services, certificate_pem, clock, thread: Some(thread) })
    }

    /// Its services.
    pub fn services(&self) -> &[FleetService] {
        &self.services
    }

    /// The service of this number, counted from zero.
    ///
    /// # Panics
    /// Where there are not so many.
    pub fn service(&self, number: usize) -> &FleetService {
        &self.services[number]
    }

    /// The certificate that all of them show, as PEM; without TLS, none.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// How many sessions are open, in all services together.
    pub fn open_sessions(&self) -> usize {
        self.services.iter().map(FleetService::open_sessions).sum()
    }

    /// How many requests there were, in all services together.
    pub fn requests(&self) -> u64 {
        self.services.iter().map(FleetService::requests).sum()
    }

    /// How many services have had a request.
    pub fn reached(&self) -> usize {
        self.services.iter().filter(|service| service.requests() > 0).count()
    }

    /// The time of all services: since the start, and what [`Fleet::advance`] added.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Lets time pass for all services.
    pub fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Ends the services: no new connections, those that are open finish the request they are at. Returns when all is done,
    /// after five seconds at the latest. What became of the services can still be asked.
    pub fn shutdown(&mut self) {
        self.thread = None;
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("services", &self.services.len()).finish_non_exhaustive()
    }
}

impl FleetService {
    /// How it behaves.
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }

    /// Where it listens, or would.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client calls it: `https://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        url(self.is_https, self.address)
    }

    /// How many sessions are open.
    pub fn open_sessions(&self) -> usize {
        self.shared.open_sessions()
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Looks at the service, or changes it. Requests wait meanwhile, those to other services of the fleet too.
    pub fn mock<T>(&self, look: impl FnOnce(&mut Mock) -> T) -> T {
        self.shared.look(look)
    }
}

impl fmt::Debug for FleetService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetService")
            .field("url", &self.url())
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Takes connections, and never answers.
async fn keep_silent(listener: TcpListener, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.told() => return,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(ignore(stream, stop.clone()))),
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

/// Reads what comes, into nowhere, until the client gives up.
async fn ignore(stream: TcpStream, mut stop: Stop) {
    loop {
        tokio::select! {
            ready = stream.readable() => if ready.is_err() { return },
            () = stop.told() => return,
        }
        // On the stack, where it is gone before the next wait: many may wait.
        match stream.try_read(&mut [0; 1024]) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}
