//! Events to their subscribers: one POST each, to loopback, without a second try.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::protocol::event::Delivery;

/// How long a subscriber may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what there is, each by itself. A subscriber that fails is not told of its event.
pub(super) fn send(deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        tokio::spawn(async move {
            let _ = tokio::time::timeout(PATIENCE, post(&delivery)).await;
        });
    }
}

async fn post(Delivery { destination, headers, body }: &Delivery) -> io::Result<()> {
    let host = destination.host().unwrap_or_default();
    let port = destination.port_u16().unwrap_or(80);
    let addresses: Vec<SocketAddr> =
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => vec![(address, port).into()],
            Err(_) => tokio::net::lookup_host((host, port)).await?.collect(),
        };
    // Whatever a name leads to, nothing leaves loopback.
    let near: Vec<SocketAddr> = addresses.into_iter().filter(|address| address.ip().is_loopback()).collect();
    if near.is_empty() {
        return Ok(());
    }
    let mut stream = TcpStream::connect(near.as_slice()).await?;
    let path = destination.path_and_query().map_or("/", |path| path.as_str());
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nOData-Version: 4.0\r\nConnection: close\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    for (name, value) in headers {
        stream.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()).await?;
    }
    stream.write_all(b"\r\n").await?;
    stream.write_all(body.as_bytes()).await?;
    // So that the subscriber is not cut off while it answers.
    let mut answer = [0; 1024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}
