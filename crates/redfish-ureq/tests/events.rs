//! Events over many connections: nothing twice, nothing missed unsaid, and an end whenever it is wanted.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use redfish_proto::{EventSource, Incoming, Now};
use redfish_testkit::bmc::{Bmc, Head, Line};
use redfish_ureq::{
    Cancel, Client, Clock, Credentials, Error, ErrorKind, Events, Service, Session, Transport,
};

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

    fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
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

fn all(mut events: Events) -> Vec<String> {
    let mut all = Vec::new();
    for incoming in events.by_ref() {
        all.push(shown(incoming));
    }
    assert!(events.next().is_none());
    all
}

fn last_ids(heads: &[Head]) -> Vec<Option<&str>> {
    heads.iter().map(|head| head.header("last-event-id")).collect()
}

#[test]
fn a_connection_that_ends_is_followed_by_the_next_until_the_service_refuses() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: ha"),
        1 => stream(line, "id: 2\ndata: b\n\nid: 5\ndata: e\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let (events, waits) = listen(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "2..5", "5 e", "not-found"]);
    let heads = bmc.heads();
    assert_eq!(last_ids(&heads), [None, Some("2"), Some("5")]);
    assert!(heads.iter().all(|head| head.header("accept") == Some("text/event-stream")));
    assert!(heads.iter().all(|head| head.header("accept-encoding") == Some("identity")));
    assert_eq!(waits.seconds(), [1., 1.]);
}

#[test]
fn the_wait_between_connections_grows_until_an_event_comes() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "retry: 3000\n\n"),
        4 => stream(line, "data: at last\n\n"),
        6 => line.answer("403 Forbidden", "", ""),
        _ => stream(line, ": still here\n"),
    });
    let (events, waits) = listen(&bmc);
    assert_eq!(all(events), [" at last", "forbidden"]);
    assert_eq!(waits.seconds(), [3., 6., 12., 24., 3., 6.]);
}

#[test]
fn a_service_that_is_away_for_a_while_is_waited_for() {
    let bmc = serve(|number, line| match number {
        0 => stream(line, "id: 1\ndata: a\n\n"),
        1..8 => Err(io::ErrorKind::ConnectionAborted.into()),
        8 => stream(line, "id: 2\ndata: b\n\n"),
        _ => line.answer("410 Gone", "", ""),
    });
    let (events, _) = listen(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "not-found"]);
}

#[test]
fn a_session_that_has_died_meanwhile_is_renewed() {
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
    assert_eq!(all(client.events_at(source)), ["1 a", "2 b", "not-found"]);
    let sent = ["GET /sse", "GET /sse", "GET /redfish/v1/", "POST /S", "GET /sse", "GET /sse"];
    assert_eq!(bmc.seen(), sent);
}

#[test]
fn a_stream_that_is_silent_for_too_long_is_opened_again() {
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
    assert_eq!(all(listen_by(&bmc, &transport)), ["1 a", "2 b", "not-found"]);
}

#[test]
fn what_is_no_stream_of_events_is_refused() {
    let bmc = serve(|_, line| line.answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    assert_eq!(all(listen(&bmc).0), ["malformed"]);
    assert_eq!(bmc.seen().len(), 1);
}

#[test]
fn a_stream_that_came_compressed_unasked_hands_out_each_event_as_it_comes() {
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
        assert_eq!(shown(events.next().unwrap()), text);
        seen.send(()).unwrap();
    }
}

const SERVICE: &str =
    r#"{"ServerSentEventUri": "/sse", "SSEFilterPropertiesSupported": {"EventFormatType": true}}"#;

#[test]
fn the_stream_is_found_and_filtered() {
    let bmc = Bmc::start(|line, head| match head.target.as_str() {
        "/redfish/v1/" => line.answer("200 OK", "", r#"{"EventService": {"@odata.id": "/events"}}"#),
        "/events" => line.answer("200 OK", "", SERVICE),
        _ => line.answer("404 Not Found", "", ""),
    });
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let refused = client.events(Some("MessageId eq 'x'")).err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::NotAllowable { .. }), "{refused}");
    let events = client.events(Some("EventFormatType eq 'Event'")).unwrap();
    assert_eq!(bmc.seen().len(), 4, "nothing is opened before it is asked for");
    assert_eq!(all(events), ["not-found"]);
    assert_eq!(bmc.seen()[4], "GET /sse?$filter=EventFormatType%20eq%20'Event'");
    let none = Bmc::start(|line, _| line.answer("200 OK", "", "{}"));
    let client = Client::builder(Service::new(&none.url()).unwrap()).build().unwrap();
    assert!(matches!(client.events(None).err().unwrap().kind(), ErrorKind::NotSupported(_)));
}

#[test]
fn events_that_are_cancelled_before_they_begin_never_do() {
    let bmc = serve(|_, line| stream(line, "data: a\n\n"));
    let (events, _) = listen(&bmc);
    events.cancel().cancel();
    assert_eq!(all(events), [""; 0]);
    assert_eq!(bmc.seen(), [""; 0]);
}

#[test]
fn a_read_that_waits_is_cancelled() {
    let bmc = serve(|_, line| {
        line.write(&format!("{HEAD}\r\n"))?;
        send(line, "id: 1\ndata: a\n\n")?;
        line.wait_for_the_end()
    });
    let (mut events, waits) = listen(&bmc);
    assert_eq!(shown(events.next().unwrap()), "1 a");
    let cancel = events.cancel();
    let cancelling = thread::spawn(move || cancel.cancel());
    assert_eq!(all(events), [""; 0]);
    cancelling.join().unwrap();
    assert_eq!((bmc.seen().len(), waits.seconds().len()), (1, 0));
}

/// Says that it waits, and waits without end.
struct Endless(mpsc::SyncSender<()>);

impl Clock for Endless {
    fn now(&self) -> Now {
        Now::default()
    }

    fn sleep(&self, _: Duration) {
        panic!("nothing would end it");
    }

    fn sleep_unless(&self, _: Duration, cancel: &Cancel) {
        self.0.send(()).unwrap();
        cancel.wait(Duration::MAX);
    }
}

#[test]
fn a_wait_between_two_connections_or_two_tries_is_cancelled() {
    for busy in [false, true] {
        let bmc = serve(move |_, line| match busy {
            true => line.answer("503 Service Unavailable", "Retry-After: 5\r\n", ""),
            false => stream(line, "retry: 60000\n\n"),
        });
        let (waits, waiting) = mpsc::sync_channel(1);
        let transport = Transport::builder().clock(Arc::new(Endless(waits))).build();
        let events = listen_by(&bmc, &transport);
        let cancel = events.cancel();
        let cancelling = thread::spawn(move || {
            waiting.recv().unwrap();
            cancel.cancel();
        });
        assert_eq!(all(events), [""; 0]);
        cancelling.join().unwrap();
        assert_eq!(bmc.seen().len(), 1);
    }
}
