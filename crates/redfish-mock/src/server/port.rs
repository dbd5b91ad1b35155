//! The port of a service, which it keeps while it does not listen.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// The delay before another attempt to bind the port.
const REBIND_DELAY: Duration = Duration::from_millis(20);

/// A port that is bound but does not listen, so that it refuses connections.
pub(super) struct Port(TcpSocket);

impl Port {
    /// Binds a port. Like [`Port::listen`], it must be called within a runtime.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Port> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Old connections may linger on a fixed port, but not on one that the system chooses. Without SO_REUSEADDR the system
        // chooses much faster if thousands of ports are in use.
        if address.port() == 0 {
            socket.bind(address)?;
            reuse(&socket)?;
        } else {
            reuse(&socket)?;
            socket.bind(address)?;
        }
        Ok(Port(socket))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub(super) fn listen(self) -> io::Result<TcpListener> {
        self.0.listen(BACKLOG)
    }

    /// Binds a port again, and retries until it succeeds.
    pub(super) async fn rebind(address: SocketAddr) -> Port {
        loop {
            match Port::bind(address) {
                Ok(port) => return port,
                Err(_) => tokio::time::sleep(REBIND_DELAY).await,
            }
        }
    }
}

/// Allows binding a port on which old connections linger. Only on Unix: elsewhere it lets other processes bind the port, too.
fn reuse(socket: &TcpSocket) -> io::Result<()> {
    if cfg!(unix) { socket.set_reuseaddr(true) } else { Ok(()) }
}
