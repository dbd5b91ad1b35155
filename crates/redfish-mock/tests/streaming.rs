//! Event streams, event deliveries, and plain HTTP on the port of TLS, over real sockets.

#![cfg(feature = "serve")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::wire::{connect, connect_tls, get, header, login, plain_server, read, read_head, with_basic};
use common::{SESSIONS, settings};
use redfish_mock::{Profile, ServeOptions, Server};

fn tls() -> Server {
    Server::start(settings(Profile::Standard), ServeOptions::default()).expect("a server")
}

#[test]
fn plain_http_on_the_port_of_tls_is_redirected_or_rejected() {
    let server = tls();
    let host = server.address();
    let exchange = |request: String| {
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("a complete response");
        answer
    };
    let answer =
        exchange(format!("GET {SESSIONS}?a=b HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic x\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert_eq!(header(&answer, "Location"), Some(format!("https://{host}{SESSIONS}?a=b").as_str()));
    assert_eq!(
        (header(&answer, "Content-Length"), header(&answer, "Connection")),
        (Some("0"), Some("close"))
    );
    let answer = exchange(login());
    assert!(answer.starts_with("HTTP/1.1 403") && header(&answer, "Location").is_none(), "{answer}");
    assert!(!answer.contains("X-Auth-Token"));
    assert_eq!(server.open_sessions(), 0);
    // A silent connection does not block others.
    let silent = connect(&server);
    let mut stream = connect_tls(&server, "localhost");
    stream.write_all(get("/redfish/v1/").as_bytes()).expect("a request");
    assert!(read(&mut stream).0.starts_with("HTTP/1.1 200"));
    drop(silent);
}

/// Reads the next chunk of a chunked body. It is empty at the end.
fn chunk(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).expect("a length");
        line.push(byte[0]);
    }
    let length = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).expect("a length");
    let mut chunk = vec![0; length + 2];
    stream.read_exact(&mut chunk).expect("a chunk");
    String::from_utf8_lossy(&chunk[..length]).into_owned()
}

const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

#[test]
fn a_stream_stays_open_until_its_subscription_is_deleted() {
    let server = tls();
    let mut stream = connect_tls(&server, "localhost");
    stream.write_all(with_basic("GET", "/redfish/v1/EventService/SSE").as_bytes()).expect("a request");
    let head = read_head(&mut stream);
    assert_eq!(header(&head, "Content-Type"), Some("text/event-stream"), "{head}");
    assert_eq!(header(&head, "Transfer-Encoding"), Some("chunked"));
    assert!(chunk(&mut stream).starts_with("id: 1\ndata: {"));
    assert!(chunk(&mut stream).starts_with(':'), "a keep-alive comment");

    let mut other = connect_tls(&server, "localhost");
    other.write_all(with_basic("DELETE", &format!("{SUBSCRIPTIONS}/1")).as_bytes()).expect("a request");
    assert!(read_head(&mut other).starts_with("HTTP/1.1 204"));
    while !chunk(&mut stream).is_empty() {}
}

#[test]
fn a_stream_is_closed_when_its_client_disconnects_and_does_not_delay_a_shutdown() {
    let server = plain_server(&[]);
    let open = || {
        let mut stream = connect(&server);
        stream.write_all(with_basic("GET", "/redfish/v1/EventService/SSE").as_bytes()).expect("a request");
        read_head(&mut stream);
        chunk(&mut stream);
        stream
    };
    let count = || {
        let request =
            http::Request::get(SUBSCRIPTIONS).header(common::basic("ada").0, common::basic("ada").1);
        let now = server.now();
        server.mock(|mock| {
            mock.handle(&request.body("").expect("a request"), now).json()["Members@odata.count"].clone()
        })
    };
    let stream = open();
    assert_eq!(count(), 1);
    drop(stream);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while count() != 0 {
        assert!(std::time::Instant::now() < deadline, "the stream is closed");
        std::thread::yield_now();
    }
    let mut stream = open();
    let started = std::time::Instant::now();
    server.shutdown();
    assert!(started.elapsed() < Duration::from_secs(4));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
}

/// Accepts a connection. Fails instead of hanging.
fn accept(listener: &std::net::TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("no blocking");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("blocking");
                return stream;
            }
            Err(_) if std::time::Instant::now() < deadline => std::thread::yield_now(),
            Err(error) => panic!("no connection: {error}"),
        }
    }
}

#[test]
fn an_event_is_posted_to_its_destination() {
    let server = plain_server(&[]);
    let subscriber = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let destination = format!("http://{}/events", subscriber.local_addr().expect("an address"));
    let system = common::SYSTEM;
    server.mock(|mock| {
        let (name, value) = common::basic("ada");
        let send = |method: &str, path: &str, body: String| {
            let request = http::Request::builder().method(method).uri(path).header(name, &value);
            request.header("Content-Type", "application/json").body(body).expect("a request")
        };
        let body = format!(r#"{{"Protocol": "Redfish", "Context": "mine", "Destination": "{destination}"}}"#);
        assert_eq!(mock.handle(&send("POST", SUBSCRIPTIONS, body), Duration::ZERO).status(), 201);
        let change = r#"{"AssetTag": "x"}"#.to_owned();
        assert_eq!(mock.handle(&send("PATCH", system, change), Duration::ZERO).status(), 200);
    });
    let mut stream = accept(&subscriber);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let (head, body) = read(&mut stream);
    assert!(head.starts_with("POST /events HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "Content-Type"), Some("application/json"));
    assert!(body.contains("ResourceChanged") && body.contains("mine"), "{body}");
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("an answer");
}
