//! From a service's name to a connection: resolving, TCP, TLS. Whatever fails here, no byte of a request was sent.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;
use std::{fmt, io, thread, vec};

use http::Uri;
use http::uri::Scheme;
use redfish_tls::resolvable;
use rustls::ClientConfig;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use crate::cancel::Cancel;
use crate::wire::Socket;

/// A failure before the first byte of a request: the request may be sent again, whatever it is.
#[derive(Debug)]
pub(crate) struct Unsent(pub(crate) ureq::Error);

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Unsent {}

pub(crate) fn unsent(error: ureq::Error) -> ureq::Error {
    ureq::Error::Other(Box::new(Unsent(error)))
}

/// How to make sure of a service, or why that can't be done.
type Tls = Result<Arc<ClientConfig>, redfish_tls::Error>;

/// Makes connections: TCP to one of the addresses, then TLS where the scheme asks for it.
pub(crate) struct SocketConnector {
    tls: Tls,
    head_limit: usize,
    cancel: Option<Cancel>,
}

impl SocketConnector {
    /// For connections that are kept and reused.
    pub(crate) fn new(tls: Tls, head_limit: usize) -> Self {
        Self { tls, head_limit, cancel: None }
    }

    /// For one connection, which others may end.
    pub(crate) fn once(tls: Tls, head_limit: usize, cancel: Cancel) -> Self {
        Self { tls, head_limit, cancel: Some(cancel) }
    }

    fn dial(&self, details: &ConnectionDetails<'_>) -> Result<Socket, ureq::Error> {
        let started = Instant::now();
        let tcp = connect(&details.addrs, details.timeout, started)?;
        tcp.set_nodelay(true)?;
        if let Some(cancel) = &self.cancel {
            cancel.attach(tcp.try_clone()?);
        }
        let wire = match details.uri.scheme() == Some(&Scheme::HTTPS) {
            false => Socket::plain(tcp),
            true => {
                let host = details.uri.host().unwrap_or_default();
                let name = redfish_tls::server_name(host).map_err(io::Error::other)?;
                let tls = self.tls.clone().map_err(io::Error::other)?;
                Socket::encrypted(tcp, tls, name, less(details.timeout, started))?
            }
        };
        Ok(wire.with(self.head_limit, self.cancel.clone()))
    }
}

impl Connector<()> for SocketConnector {
    type Out = Socket;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Socket>, ureq::Error> {
        self.dial(details).map(Some).map_err(unsent)
    }
}

impl fmt::Debug for SocketConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketConnector")
    }
}

/// Tries the addresses in turn, each with its share of the time, and reports the last failure.
fn connect(
    addresses: &[SocketAddr],
    timeout: NextTimeout,
    started: Instant,
) -> Result<TcpStream, ureq::Error> {
    let mut last = ureq::Error::HostNotFound;
    for (at, address) in addresses.iter().enumerate() {
        let left = less(timeout, started).not_zero().map(|left| *left / (addresses.len() - at) as u32);
        let tried = match left {
            Some(left) => TcpStream::connect_timeout(address, left),
            None => TcpStream::connect(address),
        };
        match tried {
            Ok(tcp) => return Ok(tcp),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                last = ureq::Error::Timeout(timeout.reason)
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// What is left of a time-out that began then.
fn less(timeout: NextTimeout, started: Instant) -> NextTimeout {
    if timeout.after.is_not_happening() {
        return timeout;
    }
    NextTimeout { after: (*timeout.after).saturating_sub(started.elapsed()).into(), ..timeout }
}

/// The system's resolver, with a time-out and zones.
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
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)].into_iter(),
            Err(_) => look_up(host, port, timeout).map_err(unsent)?,
        };
        let mut addresses = self.empty();
        // The array holds sixteen, more than any service has.
        found.take(16).for_each(|address| addresses.push(address));
        match addresses.is_empty() {
            false => Ok(addresses),
            true => Err(unsent(ureq::Error::HostNotFound)),
        }
    }
}

/// The system's look-up can't be interrupted: past the time-out its thread is left to itself.
fn look_up(host: String, port: u16, timeout: NextTimeout) -> Result<vec::IntoIter<SocketAddr>, ureq::Error> {
    let Some(after) = timeout.not_zero() else { return Ok((host, port).to_socket_addrs()?) };
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let _ = answer.send((host.as_str(), port).to_socket_addrs());
    })?;
    match answered.recv_timeout(*after) {
        Ok(found) => Ok(found?),
        Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(timeout.reason)),
        Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_of_this_machine_is_found() {
        let uri: Uri = "http://[::1%25lo]:8080/".parse().unwrap();
        // Where there is no interface of that name, the system says so; what matters is that it was asked.
        match SystemResolver.resolve(&uri, &Config::default(), NextTimeout::default()) {
            Ok(found) => assert!(found.iter().all(|address| address.port() == 8080 && address.is_ipv6())),
            Err(ureq::Error::Other(error)) => assert!(error.is::<Unsent>()),
            Err(error) => panic!("{error}"),
        }
    }
}
