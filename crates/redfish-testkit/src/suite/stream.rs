//! Bodies that are read as they come.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redfish_proto::driver::TransportLimits;
use redfish_proto::{
    Answer, Auth, BodyMode, Error, ErrorKind, Operation, Policy, Request, Service, Target, Transition,
};

use crate::adapter::{Adapter, Builder as _, Stream, Transport as _, TransportBuilder as _};
use crate::script::{Connection, Peer, Wire};

suite! {
    ($) stream:
    a_piece_is_read_before_the_next_is_sent,
    a_stream_outlives_the_time_out_of_an_exchange,
    a_stream_that_came_compressed_unasked_is_undone,
    silence_ends_with_the_idle_time,
    a_stream_that_breaks_off_is_an_error,
    a_refusal_is_read_whole_and_within_the_time_of_an_exchange,
}

/// Opens a stream.
struct Follow(Target);

impl Operation for Follow {
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

fn serve(handler: impl Fn(Wire) -> io::Result<()> + Send + Sync + 'static) -> Peer {
    let handle = move |connection: Connection| drop(connection.plain().and_then(&handler));
    Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), handle).unwrap()
}

fn follow<A: Adapter>(peer: &Peer, idle: Duration) -> Result<Stream, Error> {
    let mut policy = Policy::default();
    (policy.timeout, policy.retries) = (Duration::from_millis(500), 0);
    let service = Service::with_policy(&peer.url("http"), policy).unwrap();
    let transport = A::Transport::builder().limits(TransportLimits::default().stream_idle(idle)).build();
    let client = A::builder(service).transport(&transport).build().unwrap();
    let events = client.service().target("/events").unwrap();
    client.stream(Follow(events)).map(|((), stream)| stream.expect("a stream"))
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG: Duration = Duration::from_secs(60);

fn a_piece_is_read_before_the_next_is_sent<A: Adapter>() {
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
    let mut stream = follow::<A>(&peer, LONG).unwrap();
    let mut first = [0; 9];
    stream.read_exact(&mut first).unwrap();
    seen.send(()).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!((&first[..], rest.as_str()), (&b"data: 1\n\n"[..], "data: 2\n\n"));
}

fn a_stream_outlives_the_time_out_of_an_exchange<A: Adapter>() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        thread::sleep(Duration::from_millis(700));
        wire.write(b"5\r\nlate!\r\n0\r\n\r\n")
    });
    let mut text = String::new();
    follow::<A>(&peer, LONG).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "late!");
}

fn a_stream_that_came_compressed_unasked_is_undone<A: Adapter>() {
    let zipped: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o', 0x86, 0xa6,
        0x10, 0x36, 5, 0, 0, 0,
    ];
    let peer = serve(move |mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 28\r\n\r\n")?;
        zipped.chunks(7).try_for_each(|piece| wire.write(piece))
    });
    let mut text = String::new();
    follow::<A>(&peer, LONG).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

fn silence_ends_with_the_idle_time<A: Adapter>() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        wire.silence()
    });
    let mut stream = follow::<A>(&peer, Duration::from_millis(50)).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
}

fn a_stream_that_breaks_off_is_an_error<A: Adapter>() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(HEAD)?;
        wire.write(b"9\r\ndata: 1\n\n\r\n")
    });
    let mut text = String::new();
    assert!(follow::<A>(&peer, LONG).unwrap().read_to_string(&mut text).is_err());
    assert_eq!(text, "data: 1\n\n");
}

fn a_refusal_is_read_whole_and_within_the_time_of_an_exchange<A: Adapter>() {
    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno such luck")
    });
    let error = follow::<A>(&peer, LONG).err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("no such luck"), "{error}");

    let peer = serve(|mut wire| {
        wire.request()?;
        wire.write(b"HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nno ")?;
        wire.silence()
    });
    let before = Instant::now();
    assert_eq!(*follow::<A>(&peer, LONG).err().unwrap().kind(), ErrorKind::Refused);
    assert!(before.elapsed() < LONG / 2);
}
