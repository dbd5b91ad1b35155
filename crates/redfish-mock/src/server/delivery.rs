//! Sends events to the destinations of subscriptions: one POST each, only to loopback, without retries.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::protocol::event::Delivery;

/// Timeout of a delivery.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of deliveries in progress.
pub(super) const MAX_DELIVERIES: usize = 256;

/// Sends each event independently. An event is lost if its delivery fails, or if too many are in progress.
pub(super) fn send(deliveries: Vec<Delivery>, permits: &Arc<Semaphore>) {
    for delivery in deliveries {
        let Ok(permit) = permits.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _permit = permit;
            let _ = tokio::time::timeout(DELIVERY_TIMEOUT, post(&delivery)).await;
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
    // A name may resolve to other addresses. Nothing is sent to them.
    let loopback: Vec<SocketAddr> =
        addresses.into_iter().filter(|address| address.ip().is_loopback()).collect();
    if loopback.is_empty() {
        return Ok(());
    }
    let mut stream = TcpStream::connect(loopback.as_slice()).await?;
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
    // Reads the response, so that the subscriber can complete it.
    let mut response = [0; 1024];
    while stream.read(&mut response).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn deliveries_in_progress_have_a_limit() {
        let subscriber = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let destination = format!("http://{}/", subscriber.local_addr().unwrap()).parse().unwrap();
        let delivery = Delivery { destination, headers: HeaderMap::new(), body: "{}".into() };
        let permits = Arc::new(Semaphore::new(2));
        send(vec![delivery.clone(), delivery.clone(), delivery.clone()], &permits);
        let (first, second) = (subscriber.accept().await, subscriber.accept().await);
        send(vec![delivery], &permits);
        let third = tokio::time::timeout(Duration::from_secs(5), subscriber.accept()).await;
        assert!(first.is_ok() && second.is_ok() && third.is_err());
        tokio::time::sleep(DELIVERY_TIMEOUT).await;
        assert_eq!(permits.available_permits(), 2, "a subscriber that does not answer is given up");
    }
}
