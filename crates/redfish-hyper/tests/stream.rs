//! Bodies that are read as they come.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redfish_hyper::{Client, Error, ErrorKind, Service, Stream, Transport};
use redfish_proto::{Access, Answer, Delivery, Operation, Policy, Request, Target, Verdict};
use redfish_testkit::script::{Connection, Peer, Wire};

/// Opens a stream.
struct Follow(Target);

impl Operation for Follow {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.0).delivery(Delivery::Streamed)
    }

    fn access(&self) -> Access {
        Access::Open
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, redfish_proto::Error> {
        answer.success().map(|_| Verdict::Done(()))
    }
}

fn serve(handler: impl Fn(Wire) -> io::Result<()> + Send + Sync + 'static) -> Peer {
    let handle = move |connection: Connection| drop(connection.plain().and_then(&handler));
    Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), handle).unwrap()
}

async fn follow(peer: &Peer, idle: Duration) -> Result<Stream, Error> {
    let mut policy = Policy::default();
    (policy.timeout, policy.retries) = (Duration::from_millis(500), 0);
    let service = Service::with_policy(&peer.url("http"), policy).unwrap();
    let transport = Transport::builder().stream_idle(idle).build();
    let client = Client::builder(service).transport(&transport).build().unwrap();
    let events = client.service().target("/events").unwrap();
    client.stream(Follow(events)).await.map(|((), stream)| stream.expect("a stream"))
}

/// The rest of it, and how it ended.
async fn rest(stream: &mut Stream) -> (String, io::Result<()>) {
    let mut text = String::new();
    loop {
        match stream.chunk().await {
            Ok(Some(piece)) => text.push_str(std::str::from_utf8(&piece).unwrap()),
            Ok(None) => return (text, Ok(())),
            Err(error) => return (text, Err(error)),
        }
    }
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_piece_is_read_before_the_next_is_sent() {
    let (seen, go_on) = mpsc::channel::<()>();
    let go_on = Mutex::new(go_on);
    let peer = serve(move |mut wire| {
        let asked = wire.request()?.unwrap();
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        wire.write(HEAD)?;
        wire.write(b"9\r\ndata: 1\n\n\r\n")?;
        go_on.lock().unwrap().recv().unwrap();
        wire.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    });
    let mut stream = follow(&peer, LONG).await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: 1\n\n");
    seen.send(()).unwrap();
    let (text, ended) = rest(&mut stream).await;
    assert!(ended.is_ok());
    assert_eq!(text, "data: 2\n\n");
}

#[tokio::test]
async fn a_stream_outlives_the_time_out_of_an_exchange() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        thread::sleep(Duration::from_millis(700));
        wire.write(b"5\r\nlate!\r\n0\r\n\r\n")
    });
    let (text, ended) = rest(&mut follow(&peer, LONG).await.unwrap()).await;
    assert!(ended.is_ok());
    assert_eq!(text, "late!");
}

#[tokio::test]
async fn a_stream_that_came_compressed_unasked_is_undone() {
    let zipped: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o', 0x86, 0xa6,
        0x10, 0x36, 5, 0, 0, 0,
    ];
    let peer = serve(move |mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 28\r\n\r\n")?;
        zipped.chunks(7).try_for_each(|piece| wire.write(piece))
    });
    let (text, ended) = rest(&mut follow(&peer, LONG).await.unwrap()).await;
    assert!(ended.is_ok());
    assert_eq!(text, "hello");
}

#[tokio::test]
async fn silence_ends_with_the_idle_time() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        wire.silence()
    });
    let mut stream = follow(&peer, Duration::from_millis(50)).await.unwrap();
    assert_eq!(stream.chunk().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        wire.write(b"9\r\ndata: 1\n\n\r\n")
    });
    let (text, ended) = rest(&mut follow(&peer, LONG).await.unwrap()).await;
    assert!(ended.is_err());
    assert_eq!(text, "data: 1\n\n");
}

#[tokio::test]
async fn a_refusal_is_read_whole_and_within_the_time_of_an_exchange() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno such luck")
    });
    let error = follow(&peer, LONG).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("no such luck"), "{error}");

    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno ")?;
        wire.silence()
    });
    let before = Instant::now();
    assert_eq!(*follow(&peer, LONG).await.unwrap_err().kind(), ErrorKind::Refused);
    assert!(before.elapsed() < LONG / 2);
}

/// A peer that waits until the client closes, and says so.
fn waits_for_the_end(head: &'static [u8]) -> (Peer, mpsc::Receiver<()>) {
    let (closed, was_closed) = mpsc::channel();
    let closed = Mutex::new(closed);
    let peer = serve(move |mut wire| {
        wire.request()?;
        wire.write(head)?;
        wire.silence()?;
        closed.lock().unwrap().send(()).map_err(io::Error::other)
    });
    (peer, was_closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_is_dropped_closes_its_connection() {
    let (peer, was_closed) = waits_for_the_end(HEAD);
    drop(follow(&peer, LONG).await.unwrap());
    was_closed.recv_timeout(LONG).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_that_is_dropped_closes_its_connection() {
    for head in [b"", &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..]] {
        let (peer, was_closed) = waits_for_the_end(head);
        let client = Client::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
        let call = client.get_raw("/redfish/v1/");
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
        was_closed.recv_timeout(LONG).unwrap();
        assert_eq!(peer.connections(), 1);
    }
}
