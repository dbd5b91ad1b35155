//! Futures and streams that are dropped before they complete.

mod harness {
    pub(crate) mod clock;
}

use std::future::{Future, pending};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redfish_hyper::{Client, Credentials, Error, Events, Service, Transport, Trust};
use redfish_mock::{ServeOptions, Server, Settings};
use redfish_proto::events::{EventSource, StreamItem};
use redfish_proto::ops::Download;
use redfish_testkit::adapter::RecordingClock;
use redfish_testkit::bmc::Bmc;
use redfish_testkit::script::{Peer, TcpConnection};
use serde_json::Value;

use harness::clock::clock;

const SYSTEMS: &str = "/redfish/v1/Systems";
const TIMEOUT: Duration = Duration::from_secs(60);

fn serve() -> Server {
    let settings = Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() };
    Server::start(settings, ServeOptions::default()).unwrap()
}

fn client(server: &Server) -> Client {
    let pem = server.certificate_pem().unwrap();
    let trust = Trust::system_and_pem(pem.as_bytes()).unwrap();
    let service = Service::new(&server.url()).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    Client::builder(service).login(credentials).trust(&trust).build().unwrap()
}

fn opened(server: &Server) -> u64 {
    server.mock(|mock| mock.session_count().opened)
}

/// Waits until a background task has closed all sessions, and checks how many were opened.
async fn wait_for_logout(server: &Server, expected: u64) {
    while server.open_sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(opened(server), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_scope_logs_out_on_the_runtime() {
    let server = serve();
    let working = client(&server).scoped(async |client| {
        client.get::<Value>(SYSTEMS).await?;
        pending::<Result<(), Error>>().await
    });
    let mut working = Box::pin(working);
    while server.open_sessions() == 0 {
        let _ = tokio::time::timeout(Duration::from_millis(10), &mut working).await;
    }
    drop(working);
    wait_for_logout(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_or_unpolled_call_does_not_block_others() {
    let server = serve();
    let slow = "slow=100ms@/redfish/v1/SessionService/Sessions".parse().unwrap();
    server.mock(|mock| mock.add_fault(slow));
    let client = client(&server);
    // Both calls are polled until the login has started, and then never again.
    let mut stuck = Box::pin(client.get::<Value>(SYSTEMS));
    let mut dropped = Box::pin(client.get::<Value>(SYSTEMS));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut stuck).await.is_err());
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut dropped).await.is_err());
    drop(dropped);
    client.get::<Value>(SYSTEMS).await.unwrap();
    drop(stuck);
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    client.close().await.unwrap();
    assert_eq!(server.open_sessions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_close_still_closes() {
    let server = serve();
    let client = client(&server);
    client.session().await.unwrap();
    let mut closing = Box::pin(client.close());
    let _ = tokio::time::timeout(Duration::ZERO, &mut closing).await;
    drop(closing);
    wait_for_logout(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dropped_call_closes_its_connection() {
    for head in [b"", &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..]] {
        let (peer, was_closed) = silent_after(head);
        let client = Client::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
        let call = client.get_raw("/redfish/v1/");
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
        was_closed.recv_timeout(TIMEOUT).unwrap();
        assert_eq!(peer.connections(), 1);
    }
}

/// A peer that sends this, waits until the client closes, and reports the close.
fn silent_after(head: &'static [u8]) -> (Peer, mpsc::Receiver<()>) {
    let (closed, was_closed) = mpsc::channel();
    let closed = Mutex::new(closed);
    let handle = move |connection: TcpConnection| -> io::Result<()> {
        let mut connection = connection.plain()?;
        connection.request()?;
        connection.write(head)?;
        connection.wait_for_close()?;
        closed.lock().unwrap().send(()).map_err(io::Error::other)
    };
    let at = IpAddr::V4(Ipv4Addr::LOCALHOST);
    (Peer::start(at, move |connection| drop(handle(connection))).unwrap(), was_closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dropped_stream_closes_its_connection() {
    let (peer, was_closed) = silent_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let client = Client::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
    let dump = client.service().target("/dump").unwrap();
    let (_, stream) = client.stream(Download::new(dump)).await.unwrap();
    drop(stream.expect("a stream"));
    was_closed.recv_timeout(TIMEOUT).unwrap();
}

fn listen(bmc: &Bmc) -> (Events, Arc<RecordingClock>) {
    let waits = Arc::<RecordingClock>::default();
    let transport = Transport::builder().clock(clock(waits.clone())).build();
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    (client.events_at(EventSource::new(client.service().target("/sse").unwrap())), waits)
}

fn item_text(item: Result<StreamItem, Error>) -> String {
    match item {
        Ok(StreamItem::Event(event)) => format!("{} {}", event.id, event.data),
        Ok(StreamItem::Gap { after, before }) => format!("{after}..{before}"),
        Ok(StreamItem::Reconnecting(reconnection)) => match reconnection.error {
            Some(error) => format!("again after {}", error.kind().name()),
            None => "again".to_owned(),
        },
        Err(error) => error.kind().name().to_owned(),
    }
}

/// A service that sends this event stream text, waits until the client closes, and reports the close.
fn silent_stream_after(text: &'static str) -> (Bmc, mpsc::Receiver<()>) {
    let (closed, was_closed) = mpsc::channel();
    let closed = Mutex::new(closed);
    let bmc = Bmc::start_counting(move |_, connection| {
        connection.start_stream("")?;
        connection.chunk(text)?;
        let end = connection.wait_for_close();
        closed.lock().unwrap().send(()).map_err(io::Error::other)?;
        end
    });
    (bmc, was_closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dropped_events_close_their_connection() {
    let (bmc, was_closed) = silent_stream_after("id: 1\ndata: a\n\n");
    let (mut events, waits) = listen(&bmc);
    assert_eq!(item_text(events.next().await.unwrap()), "1 a");
    drop(events);
    was_closed.recv().unwrap();
    assert_eq!((bmc.requests().len(), waits.seconds().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_dropped_before_the_first_read_open_no_connection() {
    let (bmc, _) = silent_stream_after("data: a\n\n");
    drop(listen(&bmc));
    assert_eq!(bmc.requests(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_progress_if_each_future_is_polled_once() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => connection.truncated_stream("id: 1\ndata: a\n\n"),
        1 => connection.truncated_stream("id: 2\ndata: b\n\n"),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    let (mut events, waits) = listen(&bmc);
    let mut items = Vec::new();
    loop {
        // A new future for each poll, as in a `select!` whose other arm is always ready.
        let polled = std::pin::pin!(events.next()).poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(Some(item)) => items.push(item_text(item)),
            Poll::Ready(None) => break,
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    let again = "again after transport";
    assert_eq!(items, ["1 a", again, "2 b", again, "forbidden"]);
    assert_eq!((bmc.requests().len(), waits.seconds()), (3, vec![1., 1.]));
}
