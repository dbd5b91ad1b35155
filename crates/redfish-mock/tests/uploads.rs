//! Uploads and slow clients over real sockets: early answers, images in chunks, and clients that stall.

#![cfg(feature = "serve")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use common::wire::{connect, exchange, get, header, is_over, plain_server, read, status};
use common::{SESSIONS, SYSTEM, basic, settings};
use redfish_mock::{Mockup, Profile, ServeOptions, Server, Settings, Tls};

const PUSH: &str = "/redfish/v1/UpdateService/push";
const MULTIPART: &str = "/redfish/v1/UpdateService/multipart-push";

/// A server that allows images of 1 MiB, and closes connections that stall for 300 ms.
fn server() -> Server {
    server_with(|_| {})
}

fn server_with(change: impl FnOnce(&mut ServeOptions)) -> Server {
    let settings = Settings { max_image: 1 << 20, ..settings(Profile::Standard) };
    let stall_timeout = Duration::from_millis(300);
    let mut options = ServeOptions { tls: Tls::None, stall_timeout, ..ServeOptions::default() };
    change(&mut options);
    Server::start(settings, options).expect("a server")
}

fn head(method: &str, path: &str, user: Option<&str>, headers: &str) -> String {
    let authorization = user.map(|user| format!("Authorization: {}\r\n", basic(user).1)).unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: bmc\r\n{authorization}{headers}\r\n")
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[test]
fn what_the_head_decides_is_answered_before_the_body_is_sent() {
    let server = server();
    let (json, form) =
        ("Content-Type: application/json\r\n", "Content-Type: multipart/form-data; boundary=x\r\n");
    for (method, path, user, headers, length, expected) in [
        ("POST", PUSH, None, "", 1 << 20, "401"),
        ("POST", PUSH, Some("bob"), "", 1 << 20, "403"),
        ("PUT", PUSH, Some("ada"), "", 1 << 20, "405"),
        ("POST", "/redfish/v1/Nothing", Some("ada"), json, 1 << 20, "404"),
        ("POST", MULTIPART, Some("ada"), json, 1 << 20, "415"),
        ("PATCH", SYSTEM, Some("ada"), form, 1 << 20, "415"),
        ("PATCH", SYSTEM, Some("ada"), "If-Match: \"x\"\r\n", 1 << 20, "412"),
        ("POST", PUSH, Some("ada"), "", (1 << 20) + 1, "413"),
        ("POST", MULTIPART, Some("ada"), form, 4 << 20, "413"),
        ("PATCH", SYSTEM, Some("ada"), json, (16 << 20) + 1, "413"),
        ("POST", SESSIONS, None, json, (16 << 20) + 1, "413"),
    ] {
        let headers = format!("{headers}Content-Length: {length}\r\n");
        let mut stream = connect(&server);
        let (head, _) = exchange(&mut stream, &head(method, path, user, &headers));
        assert_eq!(
            (status(&head), header(&head, "connection")),
            (expected, Some("close")),
            "{method} {path}"
        );
        assert!(is_over(&mut stream));
    }
}

#[test]
fn an_early_answer_reaches_a_client_that_sends_its_body_first() {
    let server = server();
    let headers = "Content-Length: 8388608\r\n";
    for (user, expected) in [(None, "401"), (Some("ada"), "413")] {
        let mut stream = connect(&server);
        stream.write_all(head("POST", PUSH, user, headers).as_bytes()).expect("sent");
        // The response is not read before the whole body is sent.
        stream.write_all(&vec![7; 8 << 20]).expect("received");
        assert_eq!(status(&read(&mut stream).0), expected);
        assert!(is_over(&mut stream));
    }
}

#[test]
fn a_short_body_that_is_refused_leaves_the_connection_open() {
    let server = server();
    let mut stream = connect(&server);
    for user in [None, Some("bob")] {
        let refused = head("PATCH", SYSTEM, user, "Content-Type: application/json\r\nContent-Length: 20\r\n");
        let (head, _) = exchange(&mut stream, &refused);
        let expected = if user.is_none() { "401" } else { "403" };
        assert_eq!((status(&head), header(&head, "connection")), (expected, None));
        stream.write_all(br#"{"AssetTag": "long"}"#).expect("sent");
        assert_eq!(status(&exchange(&mut stream, &get("/redfish")).0), "200");
    }
}

#[test]
fn a_client_that_expects_100_gets_it_only_if_the_body_is_wanted() {
    let server = server();
    let headers = "Expect: 100-continue\r\nContent-Length: 5\r\n";
    let mut refused = connect(&server);
    let (answer, _) = exchange(&mut refused, &head("POST", PUSH, None, headers));
    assert_eq!((status(&answer), header(&answer, "connection")), ("401", Some("close")));
    let mut wanted = connect(&server);
    wanted.write_all(head("POST", PUSH, Some("ada"), headers).as_bytes()).expect("sent");
    assert_eq!(status(&common::wire::read_head(&mut wanted)), "100");
    assert_eq!(status(&exchange(&mut wanted, "image").0), "202");
}

#[test]
fn an_image_is_refused_when_its_chunks_exceed_the_limit() {
    let server = server();
    let mut stream = connect(&server);
    stream
        .write_all(head("POST", PUSH, Some("ada"), "Transfer-Encoding: chunked\r\n").as_bytes())
        .expect("sent");
    for _ in 0..16 {
        stream.write_all(&chunk(&[7; 64 << 10])).expect("sent");
    }
    stream.set_nonblocking(true).expect("non-blocking");
    assert!(stream.read(&mut [0]).is_err(), "no answer at the limit");
    stream.set_nonblocking(false).expect("blocking");
    stream.write_all(&chunk(b"7")).expect("sent");
    assert_eq!(status(&read(&mut stream).0), "413");
    assert!(is_over(&mut stream));

    let mut exact = connect(&server);
    exact
        .write_all(head("POST", PUSH, Some("ada"), "Transfer-Encoding: chunked\r\n").as_bytes())
        .expect("sent");
    exact.write_all(&[chunk(&[7; 1 << 20]), b"0\r\n\r\n".to_vec()].concat()).expect("sent");
    assert_eq!(status(&read(&mut exact).0), "202");
}

#[test]
fn the_update_service_reports_the_limit_of_images() {
    let server = server();
    let (_, body) =
        exchange(&mut connect(&server), &head("GET", "/redfish/v1/UpdateService", Some("ada"), ""));
    assert!(body.contains("\"MaxImageSizeBytes\":1048576"), "{body}");
}

/// The time until the server closes a connection.
fn time_until_over(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    assert!(is_over(stream));
    started.elapsed()
}

#[test]
fn a_body_that_stalls_or_trickles_ends_its_connection() {
    let server = server();
    for path in [PUSH, SYSTEM] {
        let headers = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
        let method = if path == PUSH { "POST" } else { "PATCH" };
        let request = head(method, path, Some("ada"), headers);
        let mut stalled = connect(&server);
        stalled.write_all(request.as_bytes()).expect("sent");
        let time = time_until_over(&mut stalled);
        assert!(time >= Duration::from_millis(250) && time < Duration::from_secs(10), "{time:?}");
        // Less than 1 KiB/s over twice the time.
        let mut trickling = connect(&server);
        trickling.write_all(request.as_bytes()).expect("sent");
        trickling.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let started = Instant::now();
        // Waits for the end between two bytes.
        while trickling.write_all(b" ").is_ok() && !matches!(trickling.read(&mut [0]), Ok(0)) {
            assert!(started.elapsed() < Duration::from_secs(10), "it is cut off");
        }
        assert!(started.elapsed() >= Duration::from_millis(500));
    }
    assert_eq!(server.mock(|mock| mock.handled().len()), 0, "nothing was handled");
    assert_eq!(status(&exchange(&mut connect(&server), &get("/redfish")).0), "200");
}

#[test]
fn a_client_that_does_not_read_its_responses_is_cut_off() {
    let server = server();
    let mut stream = connect(&server);
    let large = head("GET", "/redfish/v1/Systems?$expand=*($levels=3)", Some("ada"), "");
    let started = Instant::now();
    // Requests without end: at some time, the responses fill the buffers, and then the requests do.
    while stream.write_all(large.as_bytes()).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(20), "it is cut off");
    }
}

#[test]
fn bodies_that_are_received_share_a_budget() {
    let server = server_with(|options| options.stall_timeout = Duration::from_secs(30));
    let headers = "Content-Type: application/json\r\nContent-Length: 16000000\r\n";
    let request = head("PATCH", SYSTEM, Some("ada"), headers);
    // Each client sends almost all of its body, and waits.
    let mut clients: Vec<TcpStream> = Vec::new();
    for _ in 0..8 {
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).expect("sent");
        let _ = stream.write_all(&vec![b' '; 15_900_000]);
        clients.push(stream);
    }
    let answered = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
        let mut start = [0; 12];
        stream.read_exact(&mut start).is_ok().then(|| String::from_utf8_lossy(&start).into_owned())
    };
    let answers: Vec<String> = clients.iter_mut().filter_map(answered).collect();
    assert!(answers.len() >= 4 && answers.iter().all(|start| start == "HTTP/1.1 503"), "{answers:?}");
    drop(clients);
    let patch =
        head("PATCH", SYSTEM, Some("ada"), "Content-Type: application/json\r\nContent-Length: 17\r\n");
    let (head, _) = exchange(&mut connect(&server), &(patch + r#"{"AssetTag": "x"}"#));
    assert_eq!(status(&head), "200", "the budget is returned");
}

#[test]
fn responses_that_are_sent_share_a_budget() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large");
    fs::create_dir_all(&folder).expect("a folder");
    let text = "x".repeat(16 << 20);
    let root = format!(
        r##"{{"@odata.id": "/redfish/v1/", "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot", "Text": "{text}"}}"##
    );
    fs::write(folder.join("index.json"), root).expect("a file");
    let mockup = Some(Mockup::read(&folder).expect("a mockup"));
    let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    let server =
        Server::start(Settings { mockup, ..settings(Profile::Standard) }, options).expect("a server");
    // The clients read only the first line of their responses.
    let statuses: Vec<(TcpStream, String)> = (0..6)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(get("/redfish/v1/").as_bytes()).expect("sent");
            let mut start = [0; 12];
            stream.read_exact(&mut start).expect("a response");
            (stream, String::from_utf8_lossy(&start[9..]).into_owned())
        })
        .collect();
    let codes: Vec<&str> = statuses.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(codes, ["200", "200", "200", "503", "503", "503"], "of 16 MiB and a little in 64 MiB");
    drop(statuses);
    let (head, _) = exchange(&mut connect(&server), &get("/redfish/v1/"));
    assert_eq!(status(&head), "200", "the budget is returned");
}

#[test]
fn an_idle_connection_makes_room_for_another() {
    let server = server_with(|options| options.max_connections = 3);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(&server)).collect();
    // The second one sends half a head, which counts as idle.
    clients[1].write_all(b"GET /redfish HTTP/1.1\r\n").expect("sent");
    for at in [2, 0] {
        assert_eq!(status(&exchange(&mut clients[at], &get("/redfish")).0), "200");
    }
    let mut fourth = connect(&server);
    assert_eq!(status(&exchange(&mut fourth, &get("/redfish")).0), "200");
    assert!(is_over(&mut clients[1]));
    for at in [2, 0] {
        assert_eq!(status(&exchange(&mut clients[at], &get("/redfish")).0), "200");
    }
}

#[test]
fn other_bodies_have_their_own_limit() {
    let server = plain_server(&[]);
    let large = head("POST", PUSH, Some("ada"), "Content-Length: 1000\r\n");
    let (head, _) = exchange(&mut connect(&server), &(large + &"7".repeat(1000)));
    assert_eq!(status(&head), "202", "the limit of 64 bytes is not that of images");
}
