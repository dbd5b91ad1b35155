//! A listener that answers no attempt to connect.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// More than the backlog of a listener of the standard library.
const MAX_BACKLOG: usize = 8_192;

/// A listener whose backlog is full, so that the system ignores each further attempt to connect, as for a dead address.
#[derive(Debug)]
pub struct UnansweringListener {
    address: SocketAddr,
    _listener: TcpListener,
    _backlog: Vec<TcpStream>,
}

impl UnansweringListener {
    /// Listens on loopback and fills the backlog.
    ///
    /// # Errors
    /// The address is not available, or the backlog has no limit.
    pub fn start() -> io::Result<UnansweringListener> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut backlog = Vec::new();
        while let Ok(tcp) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            backlog.push(tcp);
            if backlog.len() > MAX_BACKLOG {
                return Err(io::Error::other("the backlog has no limit"));
            }
        }
        Ok(UnansweringListener { address, _listener: listener, _backlog: backlog })
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
