//! Restarts over real sockets: connections are refused, open ones break, and the service is available again afterwards.

#![cfg(feature = "serve")]

mod common;

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::settings;
use common::wire::{
    connect, connect_tls, exchange, get, header, is_over, login, plain_server, read_head, status, with_basic,
};
use redfish_mock::{Profile, ServeOptions, Server};

/// Pushes an image, which restarts the service after 10 s.
fn push(server: &Server) {
    let now = server.now();
    server.mock(|mock| {
        let (name, value) = common::basic("ada");
        let push = http::Request::post("/redfish/v1/UpdateService/push").header(name, value);
        assert_eq!(mock.handle(&push.body("image").expect("a request"), now).status(), 202);
    });
}

/// Connects until the result is as expected. Fails instead of hanging.
fn wait_until(server: &Server, condition: &str, is_met: impl Fn(std::io::Result<TcpStream>) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_met(TcpStream::connect(server.address())) {
        assert!(Instant::now() < deadline, "{condition}");
        std::thread::yield_now();
    }
}

fn refused(connected: std::io::Result<TcpStream>) -> bool {
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn a_restarting_service_refuses_connections_and_returns_at_its_port() {
    let server = Server::start(settings(Profile::Standard), ServeOptions::default()).expect("a server");
    let mut used = connect_tls(&server, "localhost");
    assert_eq!(status(&exchange(&mut used, &login()).0), "201");
    let mut stream = connect_tls(&server, "localhost");
    stream.write_all(with_basic("GET", "/redfish/v1/EventService/SSE").as_bytes()).expect("sent");
    read_head(&mut stream);
    push(&server);

    server.advance(Duration::from_secs(10));
    wait_until(&server, "the service refuses connections", refused);
    for connection in [&mut used, &mut stream] {
        assert!(is_over(connection));
    }
    assert_eq!(server.open_sessions(), 0);
    server.advance(Duration::from_secs(4));
    assert!(refused(TcpStream::connect(server.address())));

    server.advance(Duration::from_secs(1));
    wait_until(&server, "the service accepts connections", |connected| connected.is_ok());
    let (head, _) = exchange(&mut connect_tls(&server, "localhost"), &login());
    let token = header(&head, "x-auth-token").expect("a token").to_owned();
    let tasks =
        format!("GET /redfish/v1/TaskService/Tasks/1 HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n");
    let (_, task) = exchange(&mut connect_tls(&server, "localhost"), &tasks);
    assert!(task.contains(r#""TaskState":"Completed""#), "{task}");
}

#[test]
fn a_restart_that_is_already_over_breaks_connections() {
    let server = plain_server(&[]);
    let mut used = connect(&server);
    assert_eq!(status(&exchange(&mut used, &get("/redfish")).0), "200");
    push(&server);
    server.advance(Duration::from_secs(3600));
    assert!(is_over(&mut used));
    assert_eq!(status(&exchange(&mut connect(&server), &get("/redfish")).0), "200");
}

#[test]
fn a_service_can_be_stopped_during_an_outage() {
    let server = plain_server(&[]);
    push(&server);
    server.advance(Duration::from_secs(10));
    wait_until(&server, "the service refuses connections", refused);
    let address = server.address();
    server.shutdown();
    assert!(refused(TcpStream::connect(address)));
}
