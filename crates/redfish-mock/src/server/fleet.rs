//! A fleet: many services in one process, each with its own port and sessions. Some of them misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::{TcpListener, TcpStream};

use super::certificate::{Identity, SharedBy};
use super::connection::{ACCEPT_RETRY_DELAY, Frontend};
use super::limits::Limits;
use super::options::ServeOptions;
use super::port::Port;
use super::service_kind::ServiceKind;
use super::shared::{Clock, SharedMock, url};
use super::thread::{ServerThread, StopSignal};
use crate::mock::Mock;
use crate::state::random::Random;
use crate::state::settings::Settings;

/// Many services in one process, each with its own port, sessions and tokens. They share a thread, a certificate, and the
/// resources that none of them has changed, so that 10,000 services start within a second.
///
/// A fixed share of them misbehaves, see [`ServiceKind::assign`]. Dropping the fleet stops it.
///
/// Each service and each connection needs a file descriptor: 10,000 services need a limit above 10,000.
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
    thread: Option<ServerThread>,
}

/// One of the services of a [`Fleet`].
pub struct FleetService {
    kind: ServiceKind,
    address: SocketAddr,
    is_https: bool,
    shared: Arc<SharedMock>,
    /// The port of a refusing service, which keeps it without listening.
    _port: Option<Port>,
}

impl Fleet {
    /// Starts `count` services. All except the refusing ones listen when this returns. [`Settings::seed`] determines the seed
    /// and the kind of each service. The other settings are the same for all.
    ///
    /// # Errors
    /// Fails if there are not enough ports or file descriptors, or with
    /// [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) if the certificate or the key is not valid, or if
    /// [`ServeOptions::listen`] has a fixed port.
    pub fn start(count: usize, settings: Settings, options: ServeOptions) -> io::Result<Fleet> {
        let ServeOptions { listen, tls, body_limit, max_connections, stall_timeout, observer, ssdp_port: _ } =
            options;
        if listen.port() != 0 {
            let error = "a fleet uses a port for each service, so the port must be 0";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let identity = Identity::from_tls(tls, listen.ip())?;
        let acceptor = identity.as_ref().map(|identity| identity.acceptor(SharedBy::Fleet)).transpose()?;
        let certificate_pem = identity.map(Identity::into_certificate_pem);
        let clock = Arc::new(Clock::start());
        let (is_https, shared_clock) = (acceptor.is_some(), clock.clone());
        let (thread, services) = ServerThread::start(move |stop| {
            let mut seeds = Random::new(&settings.seed);
            let kinds = ServiceKind::assign(count, &settings.seed);
            let mut template = Mock::new(settings);
            template.limit_body(body_limit);
            let limits = Limits::new(max_connections, stall_timeout, body_limit);
            let start = |kind: ServiceKind| {
                let seed = seeds.seed();
                let mut mock = template.fleet_member(&seed);
                kind.fault(&seed).into_iter().for_each(|fault| mock.add_fault(fault));
                let shared = Arc::new(SharedMock::new(mock, shared_clock.clone()));
                let port = Port::bind(listen)?;
                let address = port.address()?;
                let port = match kind {
                    ServiceKind::Refusing => Some(port),
                    ServiceKind::Silent => {
                        tokio::spawn(accept_silently(port.listen()?, stop.clone()));
                        None
                    }
                    _ => {
                        let (acceptor, observer) = (acceptor.clone(), observer.clone());
                        let (shared, stop) = (shared.clone(), stop.clone());
                        let limits = limits.for_another_service();
                        let frontend = Frontend { shared, acceptor, address, limits, observer, stop };
                        tokio::spawn(Arc::new(frontend).serve(port.listen()?));
                        None
                    }
                };
                Ok(FleetService { kind, address, is_https, shared, _port: port })
            };
            kinds.into_iter().map(start).collect::<io::Result<Vec<_>>>()
        })?;
        Ok(Fleet { services, certificate_pem, clock, thread: Some(thread) })
    }

    /// The services.
    pub fn services(&self) -> &[FleetService] {
        &self.services
    }

    /// The service with this number, counted from zero.
    ///
    /// # Panics
    /// If there is no such service.
    pub fn service(&self, number: usize) -> &FleetService {
        &self.services[number]
    }

    /// The certificate of all services, as PEM. `None` without TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// The number of open sessions of all services.
    pub fn open_sessions(&self) -> usize {
        self.services.iter().map(FleetService::open_sessions).sum()
    }

    /// The number of requests to all services.
    pub fn requests(&self) -> u64 {
        self.services.iter().map(FleetService::requests).sum()
    }

    /// The number of services that have received a request.
    pub fn reached(&self) -> usize {
        self.services.iter().filter(|service| service.requests() > 0).count()
    }

    /// The time of all services: the time since the start, plus the time of all calls of [`Fleet::advance`].
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Advances the time of all services.
    pub fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Stops the services. They accept no more connections, and complete the current requests. Returns when this is done, after
    /// 5 s at the latest. The services can still be inspected.
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
    /// Its behavior.
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }

    /// The address of its port, even if it does not listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL: `https://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        url(self.is_https, self.address)
    }

    /// The number of open sessions.
    pub fn open_sessions(&self) -> usize {
        self.shared.open_sessions()
    }

    /// The number of requests.
    pub fn requests(&self) -> u64 {
        self.shared.request_count()
    }

    /// Calls a function that reads or changes the service. Requests to all services of the fleet wait until it returns.
    pub fn mock<T>(&self, call: impl FnOnce(&mut Mock) -> T) -> T {
        self.shared.with_mock(call)
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

/// Accepts connections, and never answers.
async fn accept_silently(listener: TcpListener, mut stop: StopSignal) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.stopped() => return,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(discard(stream, stop.clone()))),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
        }
    }
}

/// Reads and discards all data until the client disconnects.
async fn discard(stream: TcpStream, mut stop: StopSignal) {
    loop {
        tokio::select! {
            ready = stream.readable() => if ready.is_err() { return },
            () = stop.stopped() => return,
        }
        // The buffer is not held across an await, because many connections may wait.
        match stream.try_read(&mut [0; 1024]) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}
