//! Connection setup: name resolution, TCP, TLS. After a failure here, no byte of a request was sent.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;
use std::{fmt, io, thread, vec};

use http::Uri;
use http::uri::Scheme;
use redfish_proto::driver::TransportLimits;
use redfish_proto::driver::{CONNECT_ATTEMPT_DELAY, interleave_families};
use redfish_tls::resolvable;
use rustls::ClientConfig;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use crate::cancel::Cancel;
use crate::socket::Socket;
use crate::unsent::unsent;

/// The configuration of TLS, or why TLS is not available.
type Tls = Result<Arc<ClientConfig>, redfish_tls::Error>;

/// Opens connections: TCP to the address that responds first, then TLS if the scheme is `https`.
pub(crate) struct SocketConnector {
    tls: Tls,
    limits: TransportLimits,
    cancel: Option<Cancel>,
}

impl SocketConnector {
    /// Returns a connector for connections that are reused.
    pub(crate) fn new(tls: Tls, limits: TransportLimits) -> Self {
        Self { tls, limits, cancel: None }
    }

    /// Returns a connector for a connection that `cancel` can shut down.
    pub(crate) fn cancellable(tls: Tls, limits: TransportLimits, cancel: Cancel) -> Self {
        Self { tls, limits, cancel: Some(cancel) }
    }

    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Socket, ureq::Error> {
        let started = Instant::now();
        let tcp = connect(&details.addrs, details.timeout, started)?;
        tcp.set_nodelay(true)?;
        if let Some(cancel) = &self.cancel {
            cancel.attach(tcp.try_clone()?);
        }
        let socket = if details.uri.scheme() == Some(&Scheme::HTTPS) {
            let host = details.uri.host().unwrap_or_default();
            let name = redfish_tls::server_name(host).map_err(io::Error::other)?;
            let tls = self.tls.clone().map_err(io::Error::other)?;
            Socket::encrypted(tcp, tls, name, remaining(details.timeout, started))?
        } else {
            Socket::plain(tcp)
        };
        Ok(socket.configure(&self.limits, self.cancel.clone()))
    }
}

impl Connector<()> for SocketConnector {
    type Out = Socket;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Socket>, ureq::Error> {
        self.open(details).map(Some).map_err(unsent)
    }
}

impl fmt::Debug for SocketConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketConnector")
    }
}

/// Connects to the address that responds first (RFC 8305). Each further attempt begins after a delay, or after a failure.
/// Returns the last failure.
fn connect(
    addresses: &[SocketAddr],
    timeout: NextTimeout,
    started: Instant,
) -> Result<TcpStream, ureq::Error> {
    if let [address] = addresses {
        return attempt(*address, remaining(timeout, started));
    }
    let mut addresses = addresses.iter();
    let (sender, ended) = mpsc::channel();
    let (mut running, mut last) = (0, ureq::Error::HostNotFound);
    loop {
        if let Some(address) = addresses.next() {
            let (address, sender) = (*address, sender.clone());
            let time = remaining(timeout, started);
            // An attempt cannot be interrupted. After the first success, the others are abandoned until their timeout.
            thread::Builder::new().name("connect".to_owned()).spawn(move || {
                let _ = sender.send(attempt(address, time));
            })?;
            running += 1;
        }
        let result = match (addresses.len(), running) {
            (0, 0) => return Err(last),
            (0, _) => ended.recv().ok(),
            _ => ended.recv_timeout(CONNECT_ATTEMPT_DELAY).ok(),
        };
        match result {
            // The delay has passed.
            None => {}
            Some(Ok(tcp)) => return Ok(tcp),
            Some(Err(error)) => {
                running -= 1;
                last = error;
            }
        }
    }
}

/// Connects to one address.
fn attempt(address: SocketAddr, timeout: NextTimeout) -> Result<TcpStream, ureq::Error> {
    let result = match timeout.not_zero() {
        Some(time) => TcpStream::connect_timeout(&address, *time),
        None => TcpStream::connect(address),
    };
    result.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    })
}

/// Returns what remains of a timeout that began at `started`.
fn remaining(timeout: NextTimeout, started: Instant) -> NextTimeout {
    if timeout.after.is_not_happening() {
        return timeout;
    }
    NextTimeout { after: (*timeout.after).saturating_sub(started.elapsed()).into(), ..timeout }
}

/// The system's resolver, with a timeout and with support for zones.
#[derive(Debug)]
pub(crate) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 });
        let host = resolvable(uri.host().unwrap_or_default());
        let resolved = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)].into_iter(),
            Err(_) => resolve_name(host, port, timeout).map_err(unsent)?,
        };
        let mut addresses = self.empty();
        // ureq's array holds 16 addresses.
        interleave_families(resolved).into_iter().take(16).for_each(|address| addresses.push(address));
        if addresses.is_empty() {
            return Err(unsent(ureq::Error::HostNotFound));
        }
        Ok(addresses)
    }
}

/// Resolves a name in a thread, which is abandoned after the timeout: the system's lookup cannot be interrupted.
fn resolve_name(
    host: String,
    port: u16,
    timeout: NextTimeout,
) -> Result<vec::IntoIter<SocketAddr>, ureq::Error> {
    let Some(after) = timeout.not_zero() else { return Ok((host, port).to_socket_addrs()?) };
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let _ = sender.send((host.as_str(), port).to_socket_addrs());
    })?;
    match receiver.recv_timeout(*after) {
        Ok(resolved) => Ok(resolved?),
        Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(timeout.reason)),
        Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use redfish_testkit::script::UnansweringListener;
    use ureq::Timeout;

    use super::*;
    use crate::unsent::Unsent;

    /// Connects within ten minutes.
    fn connect_any(addresses: &[SocketAddr]) -> Result<TcpStream, ureq::Error> {
        let timeout = NextTimeout {
            after: Duration::from_secs(600).into(),
            reason: Timeout::Connect,
            ..NextTimeout::default()
        };
        connect(addresses, timeout, Instant::now())
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[test]
    fn dead_addresses_do_not_cost_the_connect_timeout() {
        let dead = UnansweringListener::start().unwrap();
        let (_listener, live) = listener();
        let started = Instant::now();
        let tcp = connect_any(&[dead.address(), dead.address(), live]).unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), live);
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn an_address_that_responds_is_the_only_one() {
        let (_listener, live) = listener();
        let (other, not_needed) = listener();
        other.set_nonblocking(true).unwrap();
        let tcp = connect_any(&[live, not_needed]).unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), live);
        assert_eq!(other.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_refusal_starts_the_next_attempt_and_the_last_one_is_reported() {
        let refusing = listener().1;
        let (_listener, live) = listener();
        assert_eq!(connect_any(&[refusing, live]).unwrap().peer_addr().unwrap(), live);
        let error = connect_any(&[refusing, refusing]).unwrap_err();
        assert!(matches!(error, ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused));
        assert!(matches!(connect_any(&[]), Err(ureq::Error::HostNotFound)));
    }

    #[test]
    fn a_zone_is_resolved_by_the_system() {
        let uri: Uri = "http://[::1%25lo]:8080/".parse().unwrap();
        // Without an interface of this name, the system's lookup fails. It must have been called.
        match SystemResolver.resolve(&uri, &Config::default(), NextTimeout::default()) {
            Ok(found) => assert!(found.iter().all(|address| address.port() == 8080 && address.is_ipv6())),
            Err(ureq::Error::Other(error)) => assert!(error.is::<Unsent>()),
            Err(error) => panic!("{error}"),
        }
    }
}
