//! TCP connections: the addresses of a name, tried side by side (RFC 8305, "Happy Eyeballs").
//!
//! hyper-util's connector tries the addresses of one family in turn, so that a dead one costs the connect timeout.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use redfish_proto::driver::{CONNECT_ATTEMPT_DELAY, interleave_families};
use redfish_tls::resolvable;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;

/// Connects to the service of a URI.
#[derive(Clone)]
pub(crate) struct TcpConnector;

impl Service<Uri> for TcpConnector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(async move {
            let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 });
            let addresses = lookup_host((resolvable(uri.host().unwrap_or_default()), port)).await?;
            let tcp = connect(interleave_families(addresses)).await?;
            tcp.set_nodelay(true)?;
            Ok(TokioIo::new(tcp))
        })
    }
}

/// Connects to the address that responds first. Each further attempt begins after a delay, or after a failure. Returns the
/// last failure.
async fn connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    if let [address] = addresses[..] {
        return TcpStream::connect(address).await;
    }
    let mut addresses = addresses.into_iter();
    // Dropped with the attempts that are left.
    let mut attempts = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let ended = match addresses.len() {
            0 => attempts.join_next().await,
            _ => match timeout(CONNECT_ATTEMPT_DELAY, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            None => return Err(last),
            Some(Ok(Ok(tcp))) => return Ok(tcp),
            Some(Ok(Err(error))) => last = error,
            Some(Err(error)) => last = io::Error::other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use redfish_testkit::script::UnansweringListener;

    use super::*;

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn dead_addresses_do_not_cost_the_connect_timeout() {
        let dead = UnansweringListener::start().unwrap();
        let (_listener, live) = listener();
        let started = Instant::now();
        let tcp = connect(vec![dead.address(), dead.address(), live]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), live);
        // The system's own timeout is minutes.
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn an_address_that_responds_is_the_only_one() {
        let (_listener, live) = listener();
        let (other, not_needed) = listener();
        other.set_nonblocking(true).unwrap();
        let tcp = connect(vec![live, not_needed]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), live);
        assert_eq!(other.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_refusal_starts_the_next_attempt_and_the_last_one_is_reported() {
        let refusing = listener().1;
        let (_listener, live) = listener();
        assert_eq!(connect(vec![refusing, live]).await.unwrap().peer_addr().unwrap(), live);
        let error = connect(vec![refusing, refusing]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(connect(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
