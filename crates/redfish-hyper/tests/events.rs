//! Events over many connections: nothing twice, nothing missed unsaid, and an end whenever it is wanted.

use std::future::{Future, ready};
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use redfish_hyper::{Client, Clock, Credentials, Error, ErrorKind, Events, Service, Session, Transport};
use redfish_proto::{EventSource, Incoming, Now};
use redfish_testkit::bmc::{Bmc, Head, Line};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";

/// A clock whose waits take no time, and are kept.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

impl Waits {
    fn seconds(&self) -> Vec<f32> {
        self.0.lock().unwrap().iter().map(Duration::as_secs_f32).collect()
    }
}

impl Clock for Waits {
    fn now(&self) -> Now {
        Now(self.0.lock().unwrap().iter().sum())
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap().push(time);
        Box::pin(ready(()))
    }
}

/// A service that treats its first stream so, its second so.
fn serve(streams: impl Fn(usize, &mut Line) -> io::Result<()> + Send + Sync + 'static) -> Bmc {
    let count = AtomicUsize::new(0);
    Bmc::start(move |line, _| streams(count.fetch_add(1, Ordering::SeqCst), line))
}

fn send(line: &mut Line, text: &str) -> io::Result<()> {
    line.write(&format!("{:x}\r\n{text}\r\n", text.len()))
}

/// A stream of that text, which then breaks off.
fn stream(line: &mut Line, text: &str) -> io::Result<()> {
    line.write(&format!("{HEAD}\r\n"))?;
    send(line, text)?;
    Err(io::ErrorKind::ConnectionAborted.into())
}

fn listen_by(bmc: &Bmc, transport: &Transport) -> Events {
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(transport).build().unwrap();
    client.events_at(EventSource::at(client.service().target("/sse").unwrap()))
}

fn listen(bmc: &Bmc) -> (Events, Arc<Waits>) {
    let waits = Arc::<Waits>::default();
    let transport = Transport::builder().clock(waits.clone()).build();
    (listen_by(bmc, &transport), waits)
}

fn shown(incoming: Result<Incoming, Error>) -> String {
    match incoming {
        Ok(Incoming::Event(event)) => format!("{} {}", event.id, event.data),
        Ok(Incoming::Gap { after, before }) => format!("{after}..{before}"),
        Err(error) => error.kind().name().to_owned(),
    }
}

async fn all(mut events: Events) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(incoming) = events.next().await {
        all.push(shown(incoming));
    }
    assert!(events.next().await.is_none());
    all
}

fn last_ids(heads: &[Head]) -> Vec<Option<&str>> {
    heads.iter().map(|head| head.header("last-event-id")).collect()
}

#[tokio::test]
async fn a_connection_that_ends_is_followed_by_the_next_until_the_service_refuses() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: ha"),
        1 => stream(line, "id: 2\ndata: b\n\nid: 5\ndata: e\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let (events, waits) = listen(&bmc);
    assert_eq!(all(events).await, ["1 a", "2 b", "2..5", "5 e", "not-found"]);
    let heads = bmc.heads();
    assert_eq!(last_ids(&heads), [None, Some("2"), Some("5")]);
    assert!(heads.iter().all(|head| head.header("accept") == Some("text/event-stream")));
    assert!(heads.iter().all(|head| head.header("accept-encoding") == Some("identity")));
    assert_eq!(waits.seconds(), [1., 1.]);
}

#[tokio::test]
async fn the_wait_between_connections_grows_until_an_event_comes() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "retry: 3000\n\n"),
        4 => stream(line, "data: at last\n\n"),
        6 => line.answer("403 Forbidden", "", ""),
        _ => stream(line, ": still here\n"),
    });
    let (events, waits) = listen(&bmc);
    assert_eq!(all(events).await, [" at last", "forbidden"]);
    assert_eq!(waits.seconds(), [3., 6., 12., 24., 3., 6.]);
}

#[tokio::test]
async fn a_service_that_is_away_for_a_while_is_waited_for() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "id: 1\ndata: a\n\n"),
        1..8 => Err(io::ErrorKind::ConnectionAborted.into()),
        8 => stream(line, "id: 2\ndata: b\n\n"),
        _ => line.answer("410 Gone", "", ""),
    });
    let (events, _) = listen(&bmc);
    assert_eq!(all(events).await, ["1 a", "2 b", "not-found"]);
}

#[tokio::test]
async fn a_session_that_has_died_meanwhile_is_renewed() {
    let bmc = Bmc::start(|line, head| {
        let (token, behind) = (head.header("x-auth-token"), head.header("last-event-id"));
        match (head.method.as_str(), head.target.as_str(), token, behind) {
            ("POST", ..) => {
                line.body(head)?;
                line.answer("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
            }
            (_, "/redfish/v1/", ..) => {
                line.answer("200 OK", "", r#"{"Links": {"Sessions": {"@odata.id": "/S"}}}"#)
            }
            (_, "/sse", Some("old"), None) => stream(line, "id: 1\ndata: a\n\n"),
            (_, "/sse", Some("old"), _) => line.answer("401 Unauthorized", "", ""),
            (_, "/sse", Some("new"), Some("1")) => stream(line, "id: 2\ndata: b\n\n"),
            _ => line.answer("404 Not Found", "", ""),
        }
    });
    let service = Service::new(&bmc.url()).unwrap();
    let session = Session::issued(&service, "old", None).unwrap();
    let transport = Transport::builder().clock(Arc::<Waits>::default()).build();
    let client = Client::builder(service).login(Credentials::new("ada", "engine No. 1")).resume(session);
    let client = client.transport(&transport).build().unwrap();
    let source = EventSource::at(client.service().target("/sse").unwrap());
    assert_eq!(all(client.events_at(source)).await, ["1 a", "2 b", "not-found"]);
    let sent = ["GET /sse", "GET /sse", "GET /redfish/v1/", "POST /S", "GET /sse", "GET /sse"];
    assert_eq!(bmc.seen(), sent);
}

#[tokio::test]
async fn a_stream_that_is_silent_for_too_long_is_opened_again() {
    let bmc = serve(|number, line| match number {
        0 => {
            line.write(&format!("{HEAD}\r\n"))?;
            send(line, "id: 1\ndata: a\n\n")?;
            line.wait_for_the_end()
        }
        1 => stream(line, "id: 2\ndata: b\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let clock = Arc::<Waits>::default();
    let transport = Transport::builder().clock(clock).stream_idle(Duration::from_millis(100)).build();
    assert_eq!(all(listen_by(&bmc, &transport)).await, ["1 a", "2 b", "not-found"]);
}

#[tokio::test]
async fn what_is_no_stream_of_events_is_refused() {
    let bmc = serve(|_, line| line.answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    assert_eq!(all(listen(&bmc).0).await, ["malformed"]);
    assert_eq!(bmc.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_that_came_compressed_unasked_hands_out_each_event_as_it_comes() {
    let (seen, go_on) = mpsc::channel::<()>();
    let go_on = Mutex::new(go_on);
    let bmc = serve(move |number, line| {
        if number > 0 {
            return line.answer("404 Not Found", "", "");
        }
        line.write(&format!("{HEAD}Content-Encoding: gzip\r\n\r\n"))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        for text in ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n"] {
            gzip.write_all(text.as_bytes())?;
            gzip.flush()?;
            let piece = std::mem::take(gzip.get_mut());
            line.write_bytes(&[format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat())?;
            go_on.lock().unwrap().recv().map_err(io::Error::other)?;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let (mut events, _) = listen(&bmc);
    for text in ["1 a", "2 b"] {
        assert_eq!(shown(events.next().await.unwrap()), text);
        seen.send(()).unwrap();
    }
}

const SERVICE: &str =
    r#"{"ServerSentEventUri": "/sse", "SSEFilterPropertiesSupported": {"EventFormatType": true}}"#;

#[tokio::test]
async fn the_stream_is_found_and_filtered() {
    let bmc = Bmc::start(|line, head| match head.target.as_str() {
        "/redfish/v1/" => line.answer("200 OK", "", r#"{"EventService": {"@odata.id": "/events"}}"#),
        "/events" => line.answer("200 OK", "", SERVICE),
        _ => line.answer("404 Not Found", "", ""),
    });
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let refused = client.events(Some("MessageId eq 'x'")).await.err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::NotAllowable { .. }), "{refused}");
    let events = client.events(Some("EventFormatType eq 'Event'")).await.unwrap();
    assert_eq!(bmc.seen().len(), 4, "nothing is opened before it is asked for");
    assert_eq!(all(events).await, ["not-found"]);
    assert_eq!(bmc.seen()[4], "GET /sse?$filter=EventFormatType%20eq%20'Event'");
    let none = Bmc::start(|line, _| line.answer("200 OK", "", "{}"));
    let client = Client::builder(Service::new(&none.url()).unwrap()).build().unwrap();
    assert!(matches!(client.events(None).await.err().unwrap().kind(), ErrorKind::NotSupported(_)));
}

/// A service that waits for the client's end behind that, and says so.
fn waits_for_the_end(text: &'static str) -> (Bmc, mpsc::Receiver<()>) {
    let (ended, has_ended) = mpsc::channel();
    let ended = Mutex::new(ended);
    let bmc = serve(move |_, line| {
        line.write(&format!("{HEAD}\r\n"))?;
        send(line, text)?;
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
    let bmc = serve(|number, line| match number {
        0 => stream(line, "id: 1\ndata: a\n\n"),
        1 => stream(line, "id: 2\ndata: b\n\n"),
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
