//! The port of a service, which stays its own while nobody listens there.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait where the port is not ours yet.
const REST: Duration = Duration::from_millis(20);

/// A port that is bound, and refuses connections: nobody listens there.
pub(super) struct Port(TcpSocket);

impl Port {
    /// Takes a port. Must be called within a runtime, as [`Port::listen`].
    pub(super) fn bind(address: SocketAddr) -> io::Result<Port> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of before may linger on the port. One that is free has none, and where thousands are taken it is found
        // far sooner without.
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

    /// Takes a port again, however long that takes.
    pub(super) async fn again(address: SocketAddr) -> Port {
        loop {
            match Port::bind(address) {
                Ok(port) => return port,
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }
}

/// Lets the port be taken where connections of before linger on it. Elsewhere than on Unix that lets others take it as well.
fn reuse(socket: &TcpSocket) -> io::Result<()> {
    if cfg!(unix) { socket.set_reuseaddr(true) } else { Ok(()) }
}
