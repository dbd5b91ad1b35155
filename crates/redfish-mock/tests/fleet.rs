//! Fleets: independent services of each kind, and their totals.

#![cfg(feature = "serve")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::wire::{config, connect_to, exchange, get, header, is_over, login, read, status, tls_over};
use common::{SESSIONS, settings};
use redfish_mock::{Fleet, FleetService, Profile, ServeOptions, ServiceKind, Settings, Tls};
use rustls::HandshakeKind;

/// A fleet of 100 services without TLS.
fn fleet_of_100(seed: u64) -> Fleet {
    let settings = Settings { seed: seed.into(), ..settings(Profile::Standard) };
    Fleet::start(100, settings, ServeOptions { tls: Tls::None, ..ServeOptions::default() }).expect("a fleet")
}

fn services_of(fleet: &Fleet, kind: ServiceKind) -> impl Iterator<Item = &FleetService> {
    fleet.services().iter().filter(move |service| service.kind() == kind)
}

fn first_of(fleet: &Fleet, kind: ServiceKind) -> &FleetService {
    services_of(fleet, kind).next().expect("a service of this kind")
}

/// Opens a session and returns its token.
fn log_in(stream: &mut (impl Read + Write)) -> String {
    let (head, body) = exchange(stream, &login());
    assert_eq!(status(&head), "201", "{body}");
    header(&head, "x-auth-token").expect("a token").to_owned()
}

fn sessions(token: &str) -> String {
    format!("GET {SESSIONS} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n")
}

#[test]
fn each_service_has_its_own_sessions_and_the_fleet_counts_them() {
    let fleet = fleet_of_100(1);
    let healthy: Vec<&FleetService> = services_of(&fleet, ServiceKind::Healthy).collect();
    assert_eq!((healthy.len(), fleet.services().len()), (88, 100));
    let mut tokens: Vec<String> =
        healthy.iter().map(|service| log_in(&mut connect_to(service.address()))).collect();
    assert_eq!((fleet.open_sessions(), fleet.requests(), fleet.reached()), (88, 88, 88));
    for (service, token) in healthy.iter().zip(&tokens) {
        assert_eq!(status(&exchange(&mut connect_to(service.address()), &sessions(token)).0), "200");
        assert_eq!((service.open_sessions(), service.requests()), (1, 2));
    }
    let other = exchange(&mut connect_to(healthy[0].address()), &sessions(&tokens[1]));
    assert_eq!(status(&other.0), "401");
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 88, "the tokens differ");
    fleet.advance(Duration::from_secs(1800));
    assert_eq!(fleet.open_sessions(), 0);
}

#[test]
fn the_same_seed_gives_the_same_fleet_at_other_ports() {
    let kinds = |fleet: &Fleet| fleet.services().iter().map(FleetService::kind).collect::<Vec<_>>();
    let (one, same, other) = (fleet_of_100(7), fleet_of_100(7), fleet_of_100(8));
    assert_eq!(kinds(&one), ServiceKind::assign(100, &7.into()));
    assert_eq!(kinds(&one), kinds(&same));
    assert_ne!(kinds(&one), kinds(&other));
    let mut ports: Vec<u16> =
        [&one, &same].iter().flat_map(|fleet| fleet.services()).map(|one| one.address().port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 200);
    let at = kinds(&one).iter().position(|kind| *kind == ServiceKind::Healthy).expect("a healthy one");
    let token = |fleet: &Fleet| log_in(&mut connect_to(fleet.service(at).address()));
    assert_eq!(token(&one), token(&same));
}

#[test]
fn unreachable_services_refuse_connections_or_never_answer() {
    let mut fleet = fleet_of_100(1);
    for service in services_of(&fleet, ServiceKind::Refusing) {
        let refused = TcpStream::connect(service.address()).expect_err("a refused connection");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    let silent: Vec<TcpStream> = services_of(&fleet, ServiceKind::Silent)
        .map(|service| {
            let mut stream = connect_to(service.address());
            stream.write_all(get("/redfish").as_bytes()).expect("sent");
            stream
        })
        .collect();
    // All services share a thread, so the silent ones have had their turn when another has answered.
    let healthy = first_of(&fleet, ServiceKind::Healthy);
    assert_eq!(status(&exchange(&mut connect_to(healthy.address()), &get("/redfish")).0), "200");
    fleet.shutdown();
    for mut stream in silent {
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        assert!(received.is_empty());
    }
    assert_eq!(fleet.reached(), 1, "the counts are available after the shutdown");
}

#[test]
fn only_slow_services_delay_their_responses() {
    let fleet = fleet_of_100(1);
    for service in fleet.services() {
        let now = fleet.now();
        let delay = service.mock(|mock| {
            mock.handle(&http::Request::get("/redfish").body("").expect("a request"), now).delay
        });
        let is_slow = (Duration::from_millis(300)..=Duration::from_secs(2)).contains(&delay);
        assert_eq!(
            (is_slow, delay.is_zero()),
            match service.kind() {
                ServiceKind::Slow => (true, false),
                _ => (false, true),
            }
        );
    }
}

#[test]
fn forgetful_services_lose_each_session_after_its_first_use() {
    let fleet = fleet_of_100(1);
    let mut stream = connect_to(first_of(&fleet, ServiceKind::Forgetful).address());
    for _ in 0..2 {
        let token = log_in(&mut stream);
        assert_eq!(fleet.open_sessions(), 1);
        assert_eq!(status(&exchange(&mut stream, &sessions(&token)).0), "200");
        assert_eq!(fleet.open_sessions(), 0);
        assert_eq!(status(&exchange(&mut stream, &sessions(&token)).0), "401");
    }
}

#[test]
fn rebooting_services_restart_once_after_their_first_response() {
    let fleet = fleet_of_100(1);
    let service = first_of(&fleet, ServiceKind::Rebooting);
    let mut stream = connect_to(service.address());
    let token = log_in(&mut stream);
    assert!(is_over(&mut stream), "the connection breaks");
    let (since, now) = (Duration::ZERO, fleet.now());
    let until = service.mock(|mock| mock.unavailable_until(since)).expect("an outage");
    assert!(until > Duration::from_secs(2) && until < now + Duration::from_secs(5), "{until:?} {now:?}");

    fleet.advance(Duration::from_secs(5));
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(service.address()).is_err() {
        assert!(Instant::now() < deadline, "the service is available again");
        std::thread::yield_now();
    }
    for _ in 0..2 {
        assert_eq!(status(&exchange(&mut connect_to(service.address()), &sessions(&token)).0), "401");
    }
    log_in(&mut connect_to(service.address()));
    let outages = service.mock(|mock| mock.outages(since));
    assert_eq!((service.open_sessions(), outages), (1, 1), "only once");
}

#[test]
fn services_share_a_certificate_but_not_tls_sessions() {
    let fleet = Fleet::start(9, settings(Profile::Standard), ServeOptions::default()).expect("a fleet");
    let client = config(fleet.certificate_pem().expect("a certificate"));
    for service in fleet.services() {
        assert!(service.url().starts_with("https://127.0.0.1:"), "{}", service.url());
        let mut stream = tls_over(&client, connect_to(service.address()), "127.0.0.1");
        stream.write_all(get("/redfish").as_bytes()).expect("sent");
        assert_eq!(status(&read(&mut stream).0), "200");
        assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Full));
    }
    assert_eq!(Arc::strong_count(&client), 1);
}

#[test]
fn the_settings_apply_to_each_service() {
    let faults = vec!["503@/redfish/v1/Chassis".parse().expect("a fault")];
    let settings = Settings { faults, ..settings(Profile::IloAmplifier) };
    let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    let fleet = Fleet::start(3, settings.clone(), options.clone()).expect("a fleet");
    for service in fleet.services() {
        let mut stream = connect_to(service.address());
        assert_eq!(status(&exchange(&mut stream, &get("/redfish/v1/Chassis")).0), "503");
        assert!(exchange(&mut stream, &get("/redfish/v1/")).1.contains("iLO Amplifier Pack"));
    }
    let listen = fleet.service(0).address();
    let error =
        Fleet::start(1, settings, ServeOptions { listen, ..options }).expect_err("a fixed port is rejected");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
