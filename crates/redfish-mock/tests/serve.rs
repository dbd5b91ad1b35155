//! The front end over real sockets: keep-alive, TLS, limits, garbage, faults as they arrive, an orderly end.

#![cfg(feature = "serve")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{SESSIONS, settings};
use redfish_mock::{Profile, ServeOptions, Server, Settings, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const LOGIN: &str = r#"{"UserName": "ada", "Password": "analytical"}"#;

fn plain(faults: &[&str]) -> Server {
    let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let options = ServeOptions { tls: Tls::None, body_limit: 64, ..ServeOptions::default() };
    Server::start(Settings { faults, ..settings(Profile::Standard) }, options).expect("a server")
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a connection");
    // A test that would hang fails instead.
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    stream
}

fn trusting(server: &Server, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let pem = server.certificate_pem().expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a trust anchor");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a client"), connect(server))
}

fn login() -> String {
    format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: bmc\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bmc\r\n\r\n")
}

/// Reads one response; its head, and its body by `Content-Length`.
fn read(stream: &mut impl Read) -> (String, String) {
    let head = read_head(stream);
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).expect("a body");
    (head, String::from_utf8(body).expect("a body of text"))
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("a head of text")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

fn length(head: &str) -> usize {
    header(head, "content-length").map_or(0, |text| text.parse().expect("a number"))
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
}

fn ask(stream: &mut (impl Read + Write), request: &str) -> (String, String) {
    stream.write_all(request.as_bytes()).expect("sent");
    read(stream)
}

#[test]
fn a_connection_serves_a_whole_session() {
    let server = plain(&[]);
    let mut stream = connect(&server);
    let (head, body) = ask(&mut stream, &login());
    assert_eq!(status(&head), "201", "{body}");
    assert!(header(&head, "date").is_some_and(|date| date.ends_with(" GMT")), "{head}");
    let (token, path) = (header(&head, "x-auth-token").unwrap(), header(&head, "location").unwrap());
    assert_eq!(server.open_sessions(), 1);
    let systems = format!("GET /redfish/v1/Systems HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
    let (head, body) = ask(&mut stream, &systems);
    assert_eq!((status(&head), body.contains("E905C3FF")), ("200", true));
    // A HEAD promises the length of a body that does not come; the connection goes on.
    stream.write_all(systems.replacen("GET", "HEAD", 1).as_bytes()).expect("sent");
    let head = read_head(&mut stream);
    assert_eq!((status(&head), length(&head)), ("200", body.len()));
    let delete = format!("DELETE {path} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
    assert_eq!(status(&ask(&mut stream, &delete).0), "204");
    assert_eq!(server.open_sessions(), 0);
}

#[test]
fn its_own_certificate_is_good_for_each_name_of_loopback() {
    let server = Server::start(settings(Profile::IloAmplifier), ServeOptions::default()).expect("a server");
    assert!(server.url().starts_with("https://127.0.0.1:"));
    for name in ["localhost", "127.0.0.1", "::1"] {
        let (head, body) = ask(&mut trusting(&server, name), &get("/redfish/v1/"));
        assert_eq!((status(&head), body.contains("iLO Amplifier Pack")), ("200", true), "{name}");
    }
    let error = trusting(&server, "elsewhere").write_all(b"GET /").unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn a_location_says_the_scheme_and_host_of_the_request() {
    let server = Server::start(settings(Profile::IloAmplifier), ServeOptions::default()).expect("a server");
    let (head, _) = ask(&mut trusting(&server, "localhost"), &login().replace("Host: bmc", "Host: bmc:8443"));
    assert!(header(&head, "location").unwrap().starts_with("https://bmc:8443/redfish/v1/"), "{head}");
    // Without Host, as HTTP/1.0 may be, it is the address.
    let old = login().replace("HTTP/1.1\r\nHost: bmc", "HTTP/1.0");
    let (head, _) = ask(&mut trusting(&server, "localhost"), &old);
    assert!(header(&head, "location").unwrap().starts_with(&format!("{}/redfish", server.url())), "{head}");
}

#[test]
fn a_body_at_the_limit_is_taken_and_one_beyond_is_413() {
    let server = plain(&[]);
    let padded = |length: usize| format!("{LOGIN}{}", " ".repeat(length - LOGIN.len()));
    let sized =
        |length: usize| login().replace(&format!("Length: {}", LOGIN.len()), &format!("Length: {length}"));
    let exact = sized(64).replace(LOGIN, &padded(64));
    assert_eq!(status(&ask(&mut connect(&server), &exact).0), "201");
    // Refused by its length alone, before a byte of it was sent.
    let (head, body) = ask(&mut connect(&server), &sized(65).replace(LOGIN, ""));
    assert_eq!((status(&head), header(&head, "connection")), ("413", Some("close")));
    assert!(body.contains("PayloadTooLarge"), "{body}");

    let chunked = |length: usize| {
        let head = login().replace(&format!("Content-Length: {}", LOGIN.len()), "Transfer-Encoding: chunked");
        head.replace(LOGIN, &format!("{length:x}\r\n{}\r\n0\r\n\r\n", padded(length)))
    };
    assert_eq!(status(&ask(&mut connect(&server), &chunked(64)).0), "201");
    assert_eq!(status(&ask(&mut connect(&server), &chunked(65)).0), "413");
    assert_eq!(server.open_sessions(), 2);
}

#[test]
fn a_head_beyond_the_limit_is_431() {
    let server = plain(&[]);
    let many = format!("GET /redfish HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(300));
    let mut long = String::from("GET /redfish HTTP/1.1\r\nX: ");
    long.push_str(&"x".repeat((64 << 10) - long.len()));
    for request in [many, long] {
        assert_eq!(status(&ask(&mut connect(&server), &request).0), "431");
    }
    assert_eq!(status(&ask(&mut connect(&server), &get("/redfish")).0), "200");
}

#[test]
fn garbage_ends_its_own_connection_alone() {
    let http = plain(&[]);
    let https = Server::start(settings(Profile::Standard), ServeOptions::default()).expect("a server");
    let garbage: [&[u8]; 6] = [
        b"\x16\x03\x01\x00\x05hello",
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /redfish HTTP/9.9\r\n\r\n",
        b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nContent-Length: 99\r\n\r\nthe rest never comes",
    ];
    let mut kept = connect(&http);
    for sent in garbage {
        for server in [&http, &https] {
            let mut stream = connect(server);
            // Either side may end it first; how is all the same here.
            let _ = stream.write_all(sent);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let refused = answer.is_empty() || !answer.starts_with(b"HTTP/1.1 2");
            assert!(refused, "{:?}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(status(&ask(&mut kept, &get("/redfish")).0), "200");
        assert_eq!(status(&ask(&mut trusting(&https, "localhost"), &get("/redfish")).0), "200");
    }
}

#[test]
fn a_cut_body_breaks_off_after_what_was_sent() {
    let server = plain(&["cut-body=20"]);
    let mut stream = connect(&server);
    stream.write_all(get("/redfish/v1/").as_bytes()).expect("sent");
    let head = read_head(&mut stream);
    assert_eq!(status(&head), "200");
    assert!(length(&head) > 500, "{head}");
    let mut body = Vec::new();
    stream.read_to_end(&mut body).expect("an orderly close");
    assert_eq!(body.len(), 20);
}

#[test]
fn a_cut_body_breaks_off_in_tls_too() {
    let faults = vec!["cut-body=20".parse().expect("a fault")];
    let settings = Settings { faults, ..settings(Profile::Standard) };
    let server = Server::start(settings, ServeOptions::default()).expect("a server");
    let mut stream = trusting(&server, "localhost");
    stream.write_all(get("/redfish/v1/").as_bytes()).expect("sent");
    assert_eq!(status(&read_head(&mut stream)), "200");
    let mut body = Vec::new();
    // Without TLS's own farewell, as a connection that breaks.
    assert_eq!(stream.read_to_end(&mut body).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(body.len(), 20);
}

#[test]
fn a_reset_is_one_and_carries_nothing_out() {
    let server = plain(&[&format!("reset@{SESSIONS}*1")]);
    let mut stream = connect(&server);
    stream.write_all(login().as_bytes()).expect("sent");
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.open_sessions(), 0);
    assert_eq!(status(&ask(&mut connect(&server), &login()).0), "201");
}

#[test]
fn a_lost_answer_is_a_close_after_the_work() {
    let server = plain(&["lost-answer*1"]);
    let mut stream = connect(&server);
    stream.write_all(login().as_bytes()).expect("sent");
    assert_eq!(stream.read(&mut [0]).expect("an orderly close"), 0);
    assert_eq!(server.open_sessions(), 1);
}

#[test]
fn a_slow_answer_waits_and_an_end_of_the_service_lets_it_go() {
    let server = plain(&["slow=3600s"]);
    let mut stream = connect(&server);
    stream.write_all(get("/redfish").as_bytes()).expect("sent");
    while server.mock(|mock| mock.handled().len()) == 0 {
        std::thread::yield_now();
    }
    stream.set_nonblocking(true).expect("non-blocking");
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("blocking");
    server.shutdown();
    assert_eq!(status(&read(&mut stream).0), "200");
    assert_eq!(stream.read(&mut [0]).expect("closed"), 0);
}

#[test]
fn an_end_closes_idle_connections_and_the_port() {
    let server = plain(&[]);
    let address = server.address();
    let (mut used, mut fresh) = (connect(&server), connect(&server));
    assert_eq!(status(&ask(&mut used, &get("/redfish")).0), "200");
    drop(server);
    assert_eq!(used.read(&mut [0]).expect("closed"), 0);
    // Never accepted, it is reset; accepted, it is closed.
    assert!(matches!(fresh.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn time_can_be_advanced() {
    let server = plain(&[]);
    assert_eq!(status(&ask(&mut connect(&server), &login()).0), "201");
    server.advance(Duration::from_secs(1700));
    assert_eq!(server.open_sessions(), 1);
    server.advance(Duration::from_secs(100));
    assert_eq!(server.open_sessions(), 0);
}

#[test]
fn an_observer_hears_of_each_request_and_of_no_secret() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    let options = ServeOptions {
        tls: Tls::None,
        observer: Some(Arc::new(move |observed| ear.lock().unwrap().push(format!("{observed:?}")))),
        ..ServeOptions::default()
    };
    let faults = vec!["reset@/redfish/v1/Systems".parse().expect("a fault")];
    let server =
        Server::start(Settings { faults, ..settings(Profile::Standard) }, options).expect("a server");
    let (head, _) = ask(&mut connect(&server), &login());
    let token = header(&head, "x-auth-token").unwrap();
    let mut stream = connect(&server);
    stream.write_all(get("/redfish/v1/Systems?token=hidden").as_bytes()).expect("sent");
    assert!(stream.read(&mut [0]).is_err());
    let heard = heard.lock().unwrap();
    let expected = [
        format!("Observed {{ method: POST, path: \"{SESSIONS}\", status: Some(201) }}"),
        "Observed { method: GET, path: \"/redfish/v1/Systems\", status: None }".to_owned(),
    ];
    assert_eq!(*heard, expected);
    assert!(heard.iter().all(|line| !line.contains(token) && !line.contains("hidden")));
}

#[test]
fn many_clients_at_once_leave_no_session() {
    let server = plain(&[]);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let mut stream = connect(&server);
                    let (head, _) = ask(&mut stream, &login());
                    let (token, path) =
                        (header(&head, "x-auth-token").unwrap(), header(&head, "location").unwrap());
                    let delete =
                        format!("DELETE {path} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
                    assert_eq!(status(&ask(&mut stream, &delete).0), "204");
                }
            });
        }
    });
    assert_eq!(server.open_sessions(), 0);
    assert_eq!(server.mock(|mock| mock.session_count().deleted), 128);
}

#[test]
fn it_starts_and_ends_within_another_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let server = plain(&[]);
        assert_eq!(status(&ask(&mut connect(&server), &get("/redfish")).0), "200");
        drop(server);
    });
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = plain(&[]);
    let options = ServeOptions { listen: server.address(), tls: Tls::None, ..ServeOptions::default() };
    let error = Server::start(settings(Profile::Standard), options).expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

fn tls() -> Server {
    Server::start(settings(Profile::Standard), ServeOptions::default()).expect("a server")
}

#[test]
fn plain_http_on_the_port_of_tls_is_sent_to_the_right_scheme() {
    let server = tls();
    let host = server.address();
    let ask = |request: String| {
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer, and the end");
        answer
    };
    let answer =
        ask(format!("GET {SESSIONS}?a=b HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic x\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert_eq!(header(&answer, "Location"), Some(format!("https://{host}{SESSIONS}?a=b").as_str()));
    assert_eq!(
        (header(&answer, "Content-Length"), header(&answer, "Connection")),
        (Some("0"), Some("close"))
    );
    let answer = ask(login());
    assert!(answer.starts_with("HTTP/1.1 403") && header(&answer, "Location").is_none(), "{answer}");
    assert!(!answer.contains("X-Auth-Token"));
    assert_eq!(server.open_sessions(), 0);
    // And who says nothing at all keeps nobody waiting.
    let silent = connect(&server);
    let mut stream = trusting(&server, "localhost");
    stream.write_all(get("/redfish/v1/").as_bytes()).expect("a request");
    assert!(read(&mut stream).0.starts_with("HTTP/1.1 200"));
    drop(silent);
}

/// The next chunk of a chunked body; nothing at its end.
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

fn with_basic(method: &str, path: &str) -> String {
    let (name, value) = common::basic("ada");
    format!("{method} {path} HTTP/1.1\r\nHost: bmc\r\n{name}: {value}\r\n\r\n")
}

const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

#[test]
fn a_stream_goes_on_until_its_subscription_is_deleted() {
    let server = tls();
    let mut stream = trusting(&server, "localhost");
    stream.write_all(with_basic("GET", "/redfish/v1/EventService/SSE").as_bytes()).expect("a request");
    let head = read_head(&mut stream);
    assert_eq!(header(&head, "Content-Type"), Some("text/event-stream"), "{head}");
    assert_eq!(header(&head, "Transfer-Encoding"), Some("chunked"));
    assert!(chunk(&mut stream).starts_with("id: 1\ndata: {"));
    assert!(chunk(&mut stream).starts_with(':'), "it is still there");

    let mut other = trusting(&server, "localhost");
    other.write_all(with_basic("DELETE", &format!("{SUBSCRIPTIONS}/1")).as_bytes()).expect("a request");
    assert!(read_head(&mut other).starts_with("HTTP/1.1 204"));
    while !chunk(&mut stream).is_empty() {}
}

#[test]
fn a_stream_whose_client_goes_is_closed_and_one_that_is_open_holds_up_no_end() {
    let server = plain(&[]);
    let begin = || {
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
    let stream = begin();
    assert_eq!(count(), 1);
    drop(stream);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while count() != 0 {
        assert!(std::time::Instant::now() < until, "the stream is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut stream = begin();
    let began = std::time::Instant::now();
    server.shutdown();
    assert!(began.elapsed() < Duration::from_secs(4));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
}

#[test]
fn a_service_with_any_fault_is_there_afterwards() {
    let faults = [
        "expire-token",
        "cut-body",
        "reset",
        "slow=1ms",
        "redirect-off-origin",
        "session-limit",
        "no-location",
        "lost-answer",
        "task=1ms",
        "failing-task=1ms",
        "monitor-gone",
        "bare-messages",
        "500",
        "503=1",
    ];
    for fault in faults {
        let server = plain(&[fault]);
        for method in ["GET", "PATCH", "POST", "DELETE"] {
            let mut stream = connect(&server);
            stream.write_all(with_basic(method, common::SYSTEM).as_bytes()).expect("a request");
            stream.shutdown(std::net::Shutdown::Write).expect("an end");
            // Whatever comes, or does not.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        server.mock(|mock| mock.clear_faults());
        let (head, _) = ask(&mut connect(&server), &with_basic("GET", common::SYSTEM));
        assert_eq!(status(&head), "200", "{fault}");
    }
}

/// The next connection; a test that would hang fails instead.
fn accepted(listener: &std::net::TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("no blocking");
    let until = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("blocking");
                return stream;
            }
            Err(_) if std::time::Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => panic!("nobody connects: {error}"),
        }
    }
}

#[test]
fn an_event_is_posted_to_its_destination() {
    let server = plain(&[]);
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
    let mut stream = accepted(&subscriber);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let (head, body) = read(&mut stream);
    assert!(head.starts_with("POST /events HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "Content-Type"), Some("application/json"));
    assert!(body.contains("ResourceChanged") && body.contains("mine"), "{body}");
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("an answer");
}
