//! Many services in one process: each by itself, each of its kind, and counted together.

#![cfg(feature = "serve")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::wire::{ask, config, connect_to, get, header, is_over, login, read, secured, status};
use common::{SESSIONS, settings};
use redfish_mock::{Fleet, FleetService, Profile, ServeOptions, ServiceKind, Settings, Tls};
use rustls::HandshakeKind;

/// A hundred services, in the clear.
fn hundred(seed: u64) -> Fleet {
    let settings = Settings { seed, ..settings(Profile::Standard) };
    Fleet::start(100, settings, ServeOptions { tls: Tls::None, ..ServeOptions::default() }).expect("a fleet")
}

fn of(fleet: &Fleet, kind: ServiceKind) -> impl Iterator<Item = &FleetService> {
    fleet.services().iter().filter(move |service| service.kind() == kind)
}

fn one(fleet: &Fleet, kind: ServiceKind) -> &FleetService {
    of(fleet, kind).next().expect("one of the kind")
}

/// Opens a session; its token.
fn logged_in(stream: &mut (impl Read + Write)) -> String {
    let (head, body) = ask(stream, &login());
    assert_eq!(status(&head), "201", "{body}");
    header(&head, "x-auth-token").expect("a token").to_owned()
}

fn sessions(token: &str) -> String {
    format!("GET {SESSIONS} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: {token}\r\n\r\n")
}

#[test]
fn each_has_sessions_of_its_own_and_all_are_counted() {
    let fleet = hundred(1);
    let healthy: Vec<&FleetService> = of(&fleet, ServiceKind::Healthy).collect();
    assert_eq!((healthy.len(), fleet.services().len()), (88, 100));
    let mut tokens: Vec<String> =
        healthy.iter().map(|service| logged_in(&mut connect_to(service.address()))).collect();
    assert_eq!((fleet.open_sessions(), fleet.requests(), fleet.reached()), (88, 88, 88));
    for (service, token) in healthy.iter().zip(&tokens) {
        assert_eq!(status(&ask(&mut connect_to(service.address()), &sessions(token)).0), "200");
        assert_eq!((service.open_sessions(), service.requests()), (1, 2));
    }
    let stranger = ask(&mut connect_to(healthy[0].address()), &sessions(&tokens[1]));
    assert_eq!(status(&stranger.0), "401");
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 88, "no two are alike");
    fleet.advance(Duration::from_secs(1800));
    assert_eq!(fleet.open_sessions(), 0);
}

#[test]
fn a_seed_repeats_the_fleet_at_other_ports() {
    let kinds = |fleet: &Fleet| fleet.services().iter().map(FleetService::kind).collect::<Vec<_>>();
    let (one, same, other) = (hundred(7), hundred(7), hundred(8));
    assert_eq!(kinds(&one), ServiceKind::assign(100, 7));
    assert_eq!(kinds(&one), kinds(&same));
    assert_ne!(kinds(&one), kinds(&other));
    let mut ports: Vec<u16> =
        [&one, &same].iter().flat_map(|fleet| fleet.services()).map(|one| one.address().port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 200);
    let at = kinds(&one).iter().position(|kind| *kind == ServiceKind::Healthy).expect("a healthy one");
    let token = |fleet: &Fleet| logged_in(&mut connect_to(fleet.service(at).address()));
    assert_eq!(token(&one), token(&same));
}

#[test]
fn the_dead_refuse_or_say_nothing() {
    let mut fleet = hundred(1);
    for service in of(&fleet, ServiceKind::Refusing) {
        let refused = TcpStream::connect(service.address()).expect_err("nobody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    let silent: Vec<TcpStream> = of(&fleet, ServiceKind::Silent)
        .map(|service| {
            let mut stream = connect_to(service.address());
            stream.write_all(get("/redfish").as_bytes()).expect("taken");
            stream
        })
        .collect();
    // One thread does it all: where another has answered, it had its turn.
    let healthy = one(&fleet, ServiceKind::Healthy);
    assert_eq!(status(&ask(&mut connect_to(healthy.address()), &get("/redfish")).0), "200");
    fleet.shutdown();
    for mut stream in silent {
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.is_empty());
    }
    assert_eq!(fleet.reached(), 1, "and still tells what became of it");
}

#[test]
fn the_slow_take_their_time() {
    let fleet = hundred(1);
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
fn the_forgetful_lose_each_session_after_its_first_use() {
    let fleet = hundred(1);
    let mut stream = connect_to(one(&fleet, ServiceKind::Forgetful).address());
    for _ in 0..2 {
        let token = logged_in(&mut stream);
        assert_eq!(fleet.open_sessions(), 1);
        assert_eq!(status(&ask(&mut stream, &sessions(&token)).0), "200");
        assert_eq!(fleet.open_sessions(), 0);
        assert_eq!(status(&ask(&mut stream, &sessions(&token)).0), "401");
    }
}

#[test]
fn the_rebooting_answer_once_and_are_away_then() {
    let fleet = hundred(1);
    let service = one(&fleet, ServiceKind::Rebooting);
    let mut stream = connect_to(service.address());
    let token = logged_in(&mut stream);
    assert!(is_over(&mut stream), "it breaks");
    let (since, now) = (Duration::ZERO, fleet.now());
    let until = service.mock(|mock| mock.unavailable_until(since)).expect("it has been away");
    assert!(until > Duration::from_secs(2) && until < now + Duration::from_secs(5), "{until:?} {now:?}");

    fleet.advance(Duration::from_secs(5));
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(service.address()).is_err() {
        assert!(Instant::now() < patience, "it comes back");
        std::thread::yield_now();
    }
    for _ in 0..2 {
        assert_eq!(status(&ask(&mut connect_to(service.address()), &sessions(&token)).0), "401");
    }
    logged_in(&mut connect_to(service.address()));
    let absences = service.mock(|mock| mock.outages(since));
    assert_eq!((service.open_sessions(), absences), (1, 1), "only once");
}

#[test]
fn they_share_a_certificate_and_no_connection_is_resumed_at_another() {
    let fleet = Fleet::start(9, settings(Profile::Standard), ServeOptions::default()).expect("a fleet");
    let client = config(fleet.certificate_pem().expect("a certificate"));
    for service in fleet.services() {
        assert!(service.url().starts_with("https://127.0.0.1:"), "{}", service.url());
        let mut stream = secured(&client, connect_to(service.address()), "127.0.0.1");
        stream.write_all(get("/redfish").as_bytes()).expect("sent");
        assert_eq!(status(&read(&mut stream).0), "200");
        assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Full));
    }
    assert_eq!(Arc::strong_count(&client), 1);
}

#[test]
fn what_is_set_is_set_for_each() {
    let faults = vec!["503@/redfish/v1/Chassis".parse().expect("a fault")];
    let settings = Settings { faults, ..settings(Profile::IloAmplifier) };
    let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    let fleet = Fleet::start(3, settings.clone(), options.clone()).expect("a fleet");
    for service in fleet.services() {
        let mut stream = connect_to(service.address());
        assert_eq!(status(&ask(&mut stream, &get("/redfish/v1/Chassis")).0), "503");
        assert!(ask(&mut stream, &get("/redfish/v1/")).1.contains("iLO Amplifier Pack"));
    }
    let listen = fleet.service(0).address();
    let error = Fleet::start(1, settings, ServeOptions { listen, ..options }).expect_err("a port is named");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
