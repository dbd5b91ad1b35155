//! What is dropped half way: calls, closes, scopes, streams.

#[path = "harness/clock.rs"]
mod clock;

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
use redfish_testkit::adapter::Waits;
use redfish_testkit::bmc::Bmc;
use redfish_testkit::script::{Connection, Peer};
use serde_json::Value;

use clock::clock;

const SYSTEMS: &str = "/redfish/v1/Systems";
const LONG: Duration = Duration::from_secs(60);

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

/// LogoutOutcome by a task that nobody waits for.
async fn closed(server: &Server, opened_in_all: u64) {
    while server.open_sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(opened(server), opened_in_all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_is_dropped_logs_out_on_the_runtime() {
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
    closed(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_is_dropped_or_not_polled_holds_up_no_other() {
    let server = serve();
    let slow = "slow=100ms@/redfish/v1/SessionService/Sessions".parse().unwrap();
    server.mock(|mock| mock.add_fault(slow));
    let client = client(&server);
    // Each begins a call, is polled until the login is on its way, and then never again.
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
async fn a_close_that_is_dropped_closes_all_the_same() {
    let server = serve();
    let client = client(&server);
    client.session().await.unwrap();
    let mut closing = Box::pin(client.close());
    let _ = tokio::time::timeout(Duration::ZERO, &mut closing).await;
    drop(closing);
    closed(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_that_is_dropped_closes_its_connection() {
    for head in [b"", &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..]] {
        let (peer, was_closed) = silent_after(head);
        let client = Client::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
        let call = client.get_raw("/redfish/v1/");
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
        was_closed.recv_timeout(LONG).unwrap();
        assert_eq!(peer.connections(), 1);
    }
}

/// A peer that sends this and then waits until the client closes, and reports it.
fn silent_after(head: &'static [u8]) -> (Peer, mpsc::Receiver<()>) {
    let (closed, was_closed) = mpsc::channel();
    let closed = Mutex::new(closed);
    let handle = move |connection: Connection| -> io::Result<()> {
        let mut wire = connection.plain()?;
        wire.request()?;
        wire.write(head)?;
        wire.silence()?;
        closed.lock().unwrap().send(()).map_err(io::Error::other)
    };
    let at = IpAddr::V4(Ipv4Addr::LOCALHOST);
    (Peer::start(at, move |connection| drop(handle(connection))).unwrap(), was_closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_is_dropped_closes_its_connection() {
    let (peer, was_closed) = silent_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let client = Client::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
    let dump = client.service().target("/dump").unwrap();
    let (_, stream) = client.stream(Download::new(dump)).await.unwrap();
    drop(stream.expect("a stream"));
    was_closed.recv_timeout(LONG).unwrap();
}

fn listen(bmc: &Bmc) -> (Events, Arc<Waits>) {
    let waits = Arc::<Waits>::default();
    let transport = Transport::builder().clock(clock(waits.clone())).build();
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    (client.events_at(EventSource::new(client.service().target("/sse").unwrap())), waits)
}

fn shown(incoming: Result<StreamItem, Error>) -> String {
    match incoming {
        Ok(StreamItem::Event(event)) => format!("{} {}", event.id, event.data),
        Ok(StreamItem::Gap { after, before }) => format!("{after}..{before}"),
        Err(error) => error.kind().name().to_owned(),
    }
}

/// A service that waits for the client's end behind that, and says so.
fn waits_for_the_end(text: &'static str) -> (Bmc, mpsc::Receiver<()>) {
    let (ended, has_ended) = mpsc::channel();
    let ended = Mutex::new(ended);
    let bmc = Bmc::counting(move |_, line| {
        line.begin_stream("")?;
        line.piece(text)?;
        let end = line.wait_for_the_end();
        ended.lock().unwrap().send(()).map_err(io::Error::other)?;
        end
    });
    (bmc, has_ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_that_are_dropped_close_their_connection() {
    let (bmc, has_ended) = waits_for_the_end("id: 1\ndata: a\n\n");
    let (mut events, waits) = listen(&bmc);
    assert_eq!(shown(events.next().await.unwrap()), "1 a");
    drop(events);
    has_ended.recv().unwrap();
    assert_eq!((bmc.seen().len(), waits.seconds().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_that_are_dropped_unread_open_nothing() {
    let (bmc, _) = waits_for_the_end("data: a\n\n");
    drop(listen(&bmc));
    assert_eq!(bmc.seen(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_who_looks_in_now_and_then_starves_nothing() {
    let bmc = Bmc::counting(|number, line| match number {
        0 => line.broken_stream("id: 1\ndata: a\n\n"),
        1 => line.broken_stream("id: 2\ndata: b\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let (mut events, waits) = listen(&bmc);
    let mut seen = Vec::new();
    loop {
        // A future of its own for each look, as in a `select!` whose other arm is always ready.
        let looked = std::pin::pin!(events.next()).poll(&mut Context::from_waker(Waker::noop()));
        match looked {
            Poll::Ready(Some(incoming)) => seen.push(shown(incoming)),
            Poll::Ready(None) => break,
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    assert_eq!(seen, ["1 a", "2 b", "not-found"]);
    assert_eq!((bmc.seen().len(), waits.seconds()), (3, vec![1., 1.]));
}
