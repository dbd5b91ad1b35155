//! Streamed bodies.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redfish_proto::driver::{BodyMode, TransportLimits};
use redfish_proto::{
    Answer, Auth, Error, ErrorKind, Operation, Policy, Request, Service, Target, Transition,
};

use crate::adapter::{Adapter, Builder as _, Stream, Transport as _, TransportBuilder as _};
use crate::script::{HttpConnection, Peer, TcpConnection};

suite! {
    ($) stream:
    a_chunk_is_read_before_the_next_is_sent,
    a_stream_outlasts_the_timeout_of_an_exchange,
    a_compressed_stream_is_decoded,
    the_idle_timeout_ends_a_silent_stream,
    a_truncated_stream_is_an_error,
    a_stream_that_cannot_be_decoded_is_an_error_and_the_status_of_a_write_counts,
    an_error_response_is_read_completely_within_the_timeout,
}

/// Opens a stream.
struct OpenStream(Target);

impl Operation for OpenStream {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.0).body_mode(BodyMode::Streamed)
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, redfish_proto::Error> {
        answer.success().map(|_| Transition::Done(()))
    }
}

fn serve(handler: impl Fn(HttpConnection) -> io::Result<()> + Send + Sync + 'static) -> Peer {
    let handle = move |connection: TcpConnection| drop(connection.plain().and_then(&handler));
    Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), handle).unwrap()
}

fn open_stream<A: Adapter>(peer: &Peer, idle: Duration) -> Result<Stream, Error> {
    let policy = Policy::default().with_timeout(Duration::from_millis(500)).with_retries(0);
    let service = Service::with_policy(&peer.url("http"), policy).unwrap();
    let transport = A::Transport::builder().limits(TransportLimits::default().stream_idle(idle)).build();
    let client = A::builder(service).transport(&transport).build().unwrap();
    let events = client.service().target("/events").unwrap();
    client.stream(OpenStream(events)).map(|((), stream)| stream.expect("a stream"))
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

fn a_chunk_is_read_before_the_next_is_sent<A: Adapter>() {
    let (received, next) = mpsc::channel::<()>();
    let next = Mutex::new(next);
    let peer = serve(move |mut connection| {
        let request = connection.request()?.unwrap();
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        connection.write(HEAD)?;
        connection.write(b"9\r\ndata: 1\n\n\r\n")?;
        next.lock().unwrap().recv().unwrap();
        connection.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    });
    let mut stream = open_stream::<A>(&peer, LONG_TIMEOUT).unwrap();
    let mut first = [0; 9];
    stream.read_exact(&mut first).unwrap();
    received.send(()).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!((&first[..], rest.as_str()), (&b"data: 1\n\n"[..], "data: 2\n\n"));
}

fn a_stream_outlasts_the_timeout_of_an_exchange<A: Adapter>() {
    let peer = serve(|mut connection| {
        connection.request()?;
        connection.write(HEAD)?;
        thread::sleep(Duration::from_millis(700));
        connection.write(b"5\r\nlate!\r\n0\r\n\r\n")
    });
    let mut text = String::new();
    open_stream::<A>(&peer, LONG_TIMEOUT).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "late!");
}

fn a_compressed_stream_is_decoded<A: Adapter>() {
    let zipped: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o', 0x86, 0xa6,
        0x10, 0x36, 5, 0, 0, 0,
    ];
    let peer = serve(move |mut connection| {
        connection.request()?;
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 28\r\n\r\n")?;
        zipped.chunks(7).try_for_each(|piece| connection.write(piece))
    });
    let mut text = String::new();
    open_stream::<A>(&peer, LONG_TIMEOUT).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

fn the_idle_timeout_ends_a_silent_stream<A: Adapter>() {
    let peer = serve(|mut connection| {
        connection.request()?;
        connection.write(HEAD)?;
        connection.wait_for_close()
    });
    let mut stream = open_stream::<A>(&peer, Duration::from_millis(50)).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
}

fn a_truncated_stream_is_an_error<A: Adapter>() {
    let peer = serve(|mut connection| {
        connection.request()?;
        connection.write(HEAD)?;
        connection.write(b"9\r\ndata: 1\n\n\r\n")
    });
    let mut text = String::new();
    assert!(open_stream::<A>(&peer, LONG_TIMEOUT).unwrap().read_to_string(&mut text).is_err());
    assert_eq!(text, "data: 1\n\n");
}

/// Opens a stream with a POST.
struct PostForStream(Target);

impl Operation for PostForStream {
    type Output = ();

    fn request(&self) -> Request {
        Request::post(&self.0).body_mode(BodyMode::Streamed)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, redfish_proto::Error> {
        answer.success().map(|_| Transition::Done(()))
    }
}

fn a_stream_that_cannot_be_decoded_is_an_error_and_the_status_of_a_write_counts<A: Adapter>() {
    for coding in ["Content-Encoding: br", "Transfer-Encoding: gzip, chunked"] {
        let peer = serve(move |mut connection| {
            connection.request()?;
            connection.write(format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\nnot data").as_bytes())
        });
        let error = open_stream::<A>(&peer, LONG_TIMEOUT).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }) && !error.is_after_write(), "{error}");

        let client = A::builder(Service::new(&peer.url("http")).unwrap()).build().unwrap();
        let target = client.service().target("/dump").unwrap();
        let error = client.stream(PostForStream(target)).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }) && error.is_after_write(), "{error}");
        assert_eq!(error.status().unwrap().as_u16(), 200);
    }
}

fn an_error_response_is_read_completely_within_the_timeout<A: Adapter>() {
    let peer = serve(|mut connection| {
        connection.request()?;
        connection.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno such luck")
    });
    let error = open_stream::<A>(&peer, LONG_TIMEOUT).err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("no such luck"), "{error}");

    let peer = serve(|mut connection| {
        connection.request()?;
        connection.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno ")?;
        connection.wait_for_close()
    });
    let before = Instant::now();
    assert_eq!(*open_stream::<A>(&peer, LONG_TIMEOUT).err().unwrap().kind(), ErrorKind::Refused);
    assert!(before.elapsed() < LONG_TIMEOUT / 2);
}
