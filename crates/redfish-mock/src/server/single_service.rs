//! A server of one service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use super::certificate::{Identity, SharedBy};
use super::connection::Frontend;
use super::limits::Limits;
use super::options::ServeOptions;
use super::port::Port;
use super::shared::{Clock, SharedMock, url};
use super::ssdp::Ssdp;
use super::thread::ServerThread;
use crate::mock::Mock;
use crate::state::settings::Settings;

/// A [`Mock`] behind a socket. Dropping it stops the service.
pub struct Server {
    shared: Arc<SharedMock>,
    address: SocketAddr,
    ssdp: Option<SocketAddr>,
    certificate_pem: Option<String>,
    // The last field, so that it is dropped last: this stops the service.
    thread: ServerThread,
}

impl Server {
    /// Starts a service, which listens when this returns.
    ///
    /// # Errors
    /// Fails if it cannot listen on the address, or with [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) if the
    /// certificate or the key is not valid.
    pub fn start(settings: Settings, options: ServeOptions) -> io::Result<Server> {
        let ServeOptions { listen, tls, body_limit, max_connections, stall_timeout, ssdp_port, observer } =
            options;
        let identity = Identity::from_tls(tls, listen.ip())?;
        let acceptor = identity.as_ref().map(|identity| identity.acceptor(SharedBy::None)).transpose()?;
        let certificate_pem = identity.map(Identity::into_certificate_pem);
        let mut mock = Mock::new(settings);
        mock.limit_body(body_limit);
        if ssdp_port.is_some() {
            mock.enable_ssdp();
        }
        if certificate_pem.is_some() {
            mock.enable_tls();
        }
        let uuid = mock.uuid();
        let shared = Arc::new(SharedMock::new(mock, Arc::new(Clock::start())));
        let limits = Limits::new(max_connections, stall_timeout, body_limit);
        let served = shared.clone();
        let has_tls = certificate_pem.is_some();
        let (thread, (address, ssdp)) = ServerThread::start(move |stop| {
            let port = Port::bind(listen)?;
            let address = port.address()?;
            let listener = port.listen()?;
            let ssdp = ssdp_port.map(|port| Ssdp::bind(port, address.ip())).transpose()?;
            let ssdp_address = ssdp.as_ref().map(Ssdp::address).transpose()?;
            if let Some(ssdp) = ssdp {
                tokio::spawn(ssdp.serve(has_tls, address, uuid, stop.clone()));
            }
            let frontend = Frontend { shared: served, acceptor, address, limits, observer, stop };
            tokio::spawn(Arc::new(frontend).serve(listener));
            Ok((address, ssdp_address))
        })?;
        Ok(Server { shared, address, ssdp, certificate_pem, thread })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address on which it answers searches, if it does.
    pub fn ssdp_address(&self) -> Option<SocketAddr> {
        self.ssdp
    }

    /// The URL of the service: `https://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        url(self.certificate_pem.is_some(), self.address)
    }

    /// The certificate that a client must trust, as PEM. `None` without TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// The number of open sessions.
    pub fn open_sessions(&self) -> usize {
        self.shared.open_sessions()
    }

    /// Calls a function that reads or changes the service. Requests wait until it returns.
    pub fn mock<T>(&self, call: impl FnOnce(&mut Mock) -> T) -> T {
        self.shared.with_mock(call)
    }

    /// The time of the service: the time since its start, plus the time of all calls of [`Server::advance`].
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// Advances the time of the service, so that a test does not have to wait for a session to expire or for a restart to end.
    pub fn advance(&self, time: Duration) {
        self.shared.clock.advance(time);
    }

    /// Stops the service. It accepts no more connections, and completes the current requests. Returns when this is done, after
    /// 5 s at the latest.
    pub fn shutdown(self) {
        drop(self.thread);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}
