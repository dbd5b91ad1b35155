//! The server over real sockets: keep-alive, TLS, limits, invalid requests, faults, and shutdown.

#![cfg(feature = "serve")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::wire::{
    LOGIN, connect, connect_tls, exchange, get, header, length, login, plain_server, read, read_head, status,
    with_basic,
};
use common::{SESSIONS, settings};
use redfish_mock::{Profile, ServeOptions, Server, Settings, Tls};

#[test]
fn a_connection_serves_a_whole_session() {
    let server = plain_server(&[]);
    let mut stream = connect(&server);
    let (head, body) = exchange(&mut stream, &login());
    assert_eq!(status(&head), "201", "{body}");
    assert!(header(&head, "date").is_some_and(|date| date.ends_with(" GMT")), "{head}");
    let (token, path) = (header(&head, "x-auth-token").unwrap(), header(&head, "location").unwrap());
    assert_eq!(server.open_sessions(), 1);
    let systems = format!("GET /redfish/v1/Systems HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
    let (head, body) = exchange(&mut stream, &systems);
    assert_eq!((status(&head), body.contains("E905C3FF")), ("200", true));
    // The Content-Length of a HEAD is that of the GET, and the connection stays open.
    stream.write_all(systems.replacen("GET", "HEAD", 1).as_bytes()).expect("sent");
    let head = read_head(&mut stream);
    assert_eq!((status(&head), length(&head)), ("200", body.len()));
    let delete = format!("DELETE {path} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
    assert_eq!(status(&exchange(&mut stream, &delete).0), "204");
    assert_eq!(server.open_sessions(), 0);
}

#[test]
fn the_self_signed_certificate_is_valid_for_all_names_of_loopback() {
    let server = Server::start(settings(Profile::IloAmplifier), ServeOptions::default()).expect("a server");
    assert!(server.url().starts_with("https://127.0.0.1:"));
    for name in ["localhost", "127.0.0.1", "::1"] {
        let (head, body) = exchange(&mut connect_tls(&server, name), &get("/redfish/v1/"));
        assert_eq!((status(&head), body.contains("iLO Amplifier Pack")), ("200", true), "{name}");
    }
    let error = connect_tls(&server, "elsewhere").write_all(b"GET /").unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn a_location_has_the_scheme_and_host_of_the_request() {
    let server = Server::start(settings(Profile::IloAmplifier), ServeOptions::default()).expect("a server");
    let (head, _) =
        exchange(&mut connect_tls(&server, "localhost"), &login().replace("Host: bmc", "Host: bmc:8443"));
    assert!(header(&head, "location").unwrap().starts_with("https://bmc:8443/redfish/v1/"), "{head}");
    // Without Host, which HTTP/1.0 allows, it has the address of the server.
    let old = login().replace("HTTP/1.1\r\nHost: bmc", "HTTP/1.0");
    let (head, _) = exchange(&mut connect_tls(&server, "localhost"), &old);
    assert!(header(&head, "location").unwrap().starts_with(&format!("{}/redfish", server.url())), "{head}");
}

#[test]
fn a_body_at_the_limit_is_accepted_and_a_longer_one_is_413() {
    let server = plain_server(&[]);
    let padded = |length: usize| format!("{LOGIN}{}", " ".repeat(length - LOGIN.len()));
    let sized =
        |length: usize| login().replace(&format!("Length: {}", LOGIN.len()), &format!("Length: {length}"));
    let exact = sized(64).replace(LOGIN, &padded(64));
    assert_eq!(status(&exchange(&mut connect(&server), &exact).0), "201");
    // Rejected because of its Content-Length, before the body is sent.
    let (head, body) = exchange(&mut connect(&server), &sized(65).replace(LOGIN, ""));
    assert_eq!((status(&head), header(&head, "connection")), ("413", Some("close")));
    assert!(body.contains("PayloadTooLarge"), "{body}");

    let chunked = |length: usize| {
        let head = login().replace(&format!("Content-Length: {}", LOGIN.len()), "Transfer-Encoding: chunked");
        head.replace(LOGIN, &format!("{length:x}\r\n{}\r\n0\r\n\r\n", padded(length)))
    };
    assert_eq!(status(&exchange(&mut connect(&server), &chunked(64)).0), "201");
    assert_eq!(status(&exchange(&mut connect(&server), &chunked(65)).0), "413");
    assert_eq!(server.open_sessions(), 2);
}

#[test]
fn a_head_above_the_limit_is_431() {
    let server = plain_server(&[]);
    let many = format!("GET /redfish HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(300));
    let mut long = String::from("GET /redfish HTTP/1.1\r\nX: ");
    long.push_str(&"x".repeat((64 << 10) - long.len()));
    for request in [many, long] {
        assert_eq!(status(&exchange(&mut connect(&server), &request).0), "431");
    }
    assert_eq!(status(&exchange(&mut connect(&server), &get("/redfish")).0), "200");
}

#[test]
fn an_invalid_request_closes_only_its_own_connection() {
    let http = plain_server(&[]);
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
            // Either side may close the connection first.
            let _ = stream.write_all(sent);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let refused = answer.is_empty() || !answer.starts_with(b"HTTP/1.1 2");
            assert!(refused, "{:?}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(status(&exchange(&mut kept, &get("/redfish")).0), "200");
        assert_eq!(status(&exchange(&mut connect_tls(&https, "localhost"), &get("/redfish")).0), "200");
    }
}

#[test]
fn a_cut_body_ends_after_its_first_bytes() {
    let server = plain_server(&["cut-body=20"]);
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
fn a_cut_body_ends_early_with_tls_too() {
    let faults = vec!["cut-body=20".parse().expect("a fault")];
    let settings = Settings { faults, ..settings(Profile::Standard) };
    let server = Server::start(settings, ServeOptions::default()).expect("a server");
    let mut stream = connect_tls(&server, "localhost");
    stream.write_all(get("/redfish/v1/").as_bytes()).expect("sent");
    assert_eq!(status(&read_head(&mut stream)), "200");
    let mut body = Vec::new();
    // Without close_notify, like a broken connection.
    assert_eq!(stream.read_to_end(&mut body).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(body.len(), 20);
}

#[test]
fn a_reset_resets_the_connection_and_carries_nothing_out() {
    let server = plain_server(&[&format!("reset@{SESSIONS}*1")]);
    let mut stream = connect(&server);
    stream.write_all(login().as_bytes()).expect("sent");
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.open_sessions(), 0);
    assert_eq!(status(&exchange(&mut connect(&server), &login()).0), "201");
}

#[test]
fn a_lost_answer_closes_the_connection_after_the_write() {
    let server = plain_server(&["lost-answer*1"]);
    let mut stream = connect(&server);
    stream.write_all(login().as_bytes()).expect("sent");
    assert_eq!(stream.read(&mut [0]).expect("an orderly close"), 0);
    assert_eq!(server.open_sessions(), 1);
}

#[test]
fn a_shutdown_sends_a_delayed_response_at_once() {
    let server = plain_server(&["slow=3600s"]);
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
fn a_shutdown_closes_idle_connections_and_the_port() {
    let server = plain_server(&[]);
    let address = server.address();
    let (mut used, mut fresh) = (connect(&server), connect(&server));
    assert_eq!(status(&exchange(&mut used, &get("/redfish")).0), "200");
    drop(server);
    assert_eq!(used.read(&mut [0]).expect("closed"), 0);
    // The connection is closed if it was accepted, and reset if not.
    assert!(matches!(fresh.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn the_time_can_be_advanced() {
    let server = plain_server(&[]);
    assert_eq!(status(&exchange(&mut connect(&server), &login()).0), "201");
    server.advance(Duration::from_secs(1700));
    assert_eq!(server.open_sessions(), 1);
    server.advance(Duration::from_secs(100));
    assert_eq!(server.open_sessions(), 0);
}

#[test]
fn an_observer_receives_each_request_without_secrets() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let options = ServeOptions {
        tls: Tls::None,
        observer: Some(Arc::new(move |observed| sink.lock().unwrap().push(format!("{observed:?}")))),
        ..ServeOptions::default()
    };
    let faults = vec!["reset@/redfish/v1/Systems".parse().expect("a fault")];
    let server =
        Server::start(Settings { faults, ..settings(Profile::Standard) }, options).expect("a server");
    let (head, _) = exchange(&mut connect(&server), &login());
    let token = header(&head, "x-auth-token").unwrap();
    let mut stream = connect(&server);
    stream.write_all(get("/redfish/v1/Systems?token=hidden").as_bytes()).expect("sent");
    assert!(stream.read(&mut [0]).is_err());
    let lines = lines.lock().unwrap();
    let expected = [
        format!("ObservedRequest {{ method: POST, path: \"{SESSIONS}\", status: Some(201) }}"),
        "ObservedRequest { method: GET, path: \"/redfish/v1/Systems\", status: None }".to_owned(),
    ];
    assert_eq!(*lines, expected);
    assert!(lines.iter().all(|line| !line.contains(token) && !line.contains("hidden")));
}

#[test]
fn concurrent_clients_leave_no_session() {
    let server = plain_server(&[]);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let mut stream = connect(&server);
                    let (head, _) = exchange(&mut stream, &login());
                    let (token, path) =
                        (header(&head, "x-auth-token").unwrap(), header(&head, "location").unwrap());
                    let delete =
                        format!("DELETE {path} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
                    assert_eq!(status(&exchange(&mut stream, &delete).0), "204");
                }
            });
        }
    });
    assert_eq!(server.open_sessions(), 0);
    assert_eq!(server.mock(|mock| mock.session_count().deleted), 128);
}

#[test]
fn a_server_starts_and_stops_within_another_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let server = plain_server(&[]);
        assert_eq!(status(&exchange(&mut connect(&server), &get("/redfish")).0), "200");
        drop(server);
    });
}

#[test]
fn a_port_in_use_is_an_error() {
    let server = plain_server(&[]);
    let options = ServeOptions { listen: server.address(), tls: Tls::None, ..ServeOptions::default() };
    let error = Server::start(settings(Profile::Standard), options).expect_err("a port in use");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_service_works_again_after_any_fault() {
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
        "lose-session",
        "restart=0s",
        "bare-messages",
        "500",
        "503=1",
    ];
    for fault in faults {
        let server = plain_server(&[fault]);
        for method in ["GET", "PATCH", "POST", "DELETE"] {
            let mut stream = connect(&server);
            stream.write_all(with_basic(method, common::SYSTEM).as_bytes()).expect("a request");
            // The result does not matter: a reset may arrive before our shutdown.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        server.mock(|mock| mock.clear_faults());
        let (head, _) = exchange(&mut connect(&server), &with_basic("GET", common::SYSTEM));
        assert_eq!(status(&head), "200", "{fault}");
    }
}

#[test]
fn a_search_finds_the_service() {
    let options = ServeOptions { tls: Tls::None, ssdp_port: Some(0), ..ServeOptions::default() };
    let server = Server::start(Settings::default(), options).unwrap();
    let port = server.ssdp_address().unwrap().port();
    let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
    client.send_to(search.as_bytes(), ("127.0.0.1", port)).unwrap();
    let mut answer = [0; 1024];
    let length = client.recv(&mut answer).unwrap();
    let answer = std::str::from_utf8(&answer[..length]).unwrap();
    assert!(answer.contains(&format!("\r\nAL:{}/redfish/v1/\r\n", server.url())), "{answer}");
}

#[test]
fn a_replaced_certificate_is_used_from_the_next_connection_on() {
    let server = Server::start(settings(Profile::Standard), ServeOptions::default()).unwrap();
    let service = "/redfish/v1/CertificateService/Actions/CertificateService";
    let certificates = "/redfish/v1/Managers/E1D8B426/NetworkProtocol/HTTPS/Certificates";
    let post = |action: &str, body: serde_json::Value| {
        let (name, value) = common::basic("ada");
        let body = body.to_string();
        let head = format!(
            "POST {service}.{action} HTTP/1.1\r\nHost: bmc\r\n{name}: {value}\r\nContent-Type: application/json\r\n"
        );
        exchange(
            &mut connect_tls(&server, "localhost"),
            &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
        )
    };
    let request = serde_json::json!({"CommonName": "bmc", "AlternativeNames": ["bmc.example"], "Country": "NL",
        "CertificateCollection": {"@odata.id": certificates}});
    let (head, body) = post("GenerateCSR", request);
    assert_eq!(status(&head), "200", "{body}");
    assert!(body.contains("-----BEGIN CERTIFICATE REQUEST-----") && !body.contains("PRIVATE KEY"), "{body}");

    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let replace = |text: &str| {
        let body = serde_json::json!({"CertificateUri": {"@odata.id": format!("{certificates}/1")},
            "CertificateType": "PEM", "CertificateString": text});
        post("ReplaceCertificate", body)
    };
    // Without its key, it does not belong to the request.
    let (head, body) = replace(&certificate);
    assert_eq!(status(&head), "400", "{body}");
    assert!(body.contains("ActionParameterValueFormatError") && !body.contains("MII"), "{body}");
    let (head, body) = replace(&format!("{certificate}{key}"));
    assert_eq!(status(&head), "204", "{body}");

    let trusting_new = common::wire::config(&certificate);
    let mut stream = common::wire::tls_over(&trusting_new, connect(&server), "localhost");
    let (head, body) = exchange(&mut stream, &with_basic("GET", &format!("{certificates}/1")));
    assert_eq!(status(&head), "200");
    assert!(body.contains("BEGIN CERTIFICATE") && !body.contains("PRIVATE KEY"), "{body}");
}
