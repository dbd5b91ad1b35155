//! The limits of a transport: heads, headers, connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use http::Method;
use redfish_proto::driver::{HeadLimits, TransportLimits};
use redfish_proto::{Body, Credentials, Error, ErrorKind, Service};

use crate::adapter::{Adapter, Builder as _, Transport, TransportBuilder};
use crate::bmc::Bmc;

suite! {
    ($) limits:
    a_head_up_to_the_limit_is_accepted,
    headers_up_to_the_limit_are_accepted,
    the_head_of_a_response_to_a_write_leaves_its_outcome_unknown,
    idle_connections_up_to_the_limit_are_kept,
    two_requests_and_one_write_per_service_run_at_once,
    an_http_1_0_connection_is_not_kept,
    sequential_calls_share_one_connection,
    a_session_needs_four_requests_or_three_on_one_connection,
}

/// A response head with this length.
fn head(length: usize) -> String {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Filling: ";
    format!("{start}{}\r\n\r\n", "x".repeat(length - start.len() - 4))
}

fn headers(count: usize) -> String {
    let more: String = (2..=count).map(|n| format!("X-{n}: x\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{more}\r\n")
}

fn read<A: Adapter>(builder: <A::Transport as Transport>::Builder, head: String) -> Result<usize, Error> {
    let bmc = Bmc::start(move |connection, _| {
        connection.write(&head)?;
        connection.write("{}")
    });
    let transport = builder.build();
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    client.get_raw("/redfish/v1/").map(|response| response.headers().len())
}

/// Whether a read fails because of these limits of the head, which its text names.
fn is_refused(read: Result<usize, Error>, bytes: usize, headers: usize) -> bool {
    let error = read.unwrap_err();
    let text = format!("larger than {bytes} bytes or has more than {headers} headers");
    *error.kind() == ErrorKind::HeadTooLarge(HeadLimits { bytes, headers })
        && error.to_string().ends_with(&text)
}

fn a_head_up_to_the_limit_is_accepted<A: Adapter>() {
    for limit in [200, 9_000, 64 << 10, 200_000] {
        let builder = || A::Transport::builder().limits(TransportLimits::default().head(limit));
        assert_eq!(read::<A>(builder(), head(limit)).unwrap(), 2, "{limit}");
        assert!(is_refused(read::<A>(builder(), head(limit + 1)), limit, 100), "{limit}");
    }
    assert!(
        is_refused(read::<A>(A::Transport::builder(), head((64 << 10) + 1)), 64 << 10, 100),
        "by default"
    );
}

fn headers_up_to_the_limit_are_accepted<A: Adapter>() {
    for limit in [3, 100, 128] {
        let builder = || A::Transport::builder().limits(TransportLimits::default().headers(limit));
        assert_eq!(read::<A>(builder(), headers(limit)).unwrap(), limit);
        assert!(is_refused(read::<A>(builder(), headers(limit + 1)), 64 << 10, limit), "{limit}");
    }
    for count in [101, 129, 500] {
        assert!(is_refused(read::<A>(A::Transport::builder(), headers(count)), 64 << 10, 100), "{count}");
    }
}

fn the_head_of_a_response_to_a_write_leaves_its_outcome_unknown<A: Adapter>() {
    let bmc = Bmc::start(|connection, _| connection.write(&headers(101)));
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let error = client.send(Method::POST, "/redfish/v1/Systems/1", Body::empty()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::OutcomeUnknown(TransportLimits::default().head_too_large()));
    assert_eq!(bmc.requests().len(), 1);
}

fn idle_connections_up_to_the_limit_are_kept<A: Adapter>() {
    for (kept, connections) in [(0, 6), (1, 5), (3, 3)] {
        // Responds when three requests have arrived, so there are three connections at once.
        let (barrier, connection_count) = (Barrier::new(3), Arc::new(AtomicUsize::new(0)));
        let count = connection_count.clone();
        let bmc = Bmc::start(move |connection, _| {
            if connection.is_first_request() {
                count.fetch_add(1, Ordering::SeqCst);
            }
            barrier.wait();
            connection.respond("200 OK", "", "{}")
        });
        let transport = A::Transport::builder()
            .limits(TransportLimits::default().idle_connections(kept).per_service(3))
            .build();
        let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
        for _ in 0..2 {
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| client.get_raw("/redfish/v1/").unwrap());
                }
            });
        }
        assert_eq!(connection_count.load(Ordering::SeqCst), connections, "{kept} kept");
    }
}

fn two_requests_and_one_write_per_service_run_at_once<A: Adapter>() {
    for (method, at_once) in [(Method::GET, 2), (Method::POST, 1)] {
        // Responds when `at_once` requests have arrived, and records the maximum.
        let barrier = Barrier::new(at_once);
        let (busy, max) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let count = max.clone();
        let bmc = Bmc::start(move |connection, _| {
            count.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            barrier.wait();
            busy.fetch_sub(1, Ordering::SeqCst);
            connection.respond("200 OK", "", "{}")
        });
        let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| client.send(method.clone(), "/redfish/v1/Systems/1", Body::empty()).unwrap());
            }
        });
        assert_eq!((bmc.requests().len(), max.load(Ordering::SeqCst)), (8, at_once), "{method}");
    }
}

fn an_http_1_0_connection_is_not_kept<A: Adapter>() {
    let connection_count = Arc::new(AtomicUsize::new(0));
    let count = connection_count.clone();
    let bmc = Bmc::start(move |connection, _| {
        count.fetch_add(usize::from(connection.is_first_request()), Ordering::SeqCst);
        // Some services handle one connection at a time, but offer to keep it alive.
        connection.write("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}")
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    for request in 1..=3 {
        client.get_raw("/redfish/v1/").unwrap();
        assert_eq!(connection_count.load(Ordering::SeqCst), request);
    }
}

fn sequential_calls_share_one_connection<A: Adapter>() {
    let connection_count = Arc::new(AtomicUsize::new(0));
    let count = connection_count.clone();
    let bmc = Bmc::start(move |connection, _| {
        count.fetch_add(usize::from(connection.is_first_request()), Ordering::SeqCst);
        // In separate writes, so that the last chunk arrives on its own.
        connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")?;
        connection.write("1\r\n}\r\n")?;
        connection.write("0\r\n\r\n")
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    for _ in 0..100 {
        client.get_raw("/redfish/v1/").unwrap();
    }
    assert_eq!(connection_count.load(Ordering::SeqCst), 1);
}

fn a_session_needs_four_requests_or_three_on_one_connection<A: Adapter>() {
    let sessions = "/redfish/v1/SessionService/Sessions";
    let (post, delete) = (format!("POST {sessions}"), format!("DELETE {sessions}/1"));
    let all_requests = ["GET /redfish/v1/", &post, "GET /redfish/v1/Systems", &delete];
    for (known_collection, requests) in [(None, &all_requests[..]), (Some(sessions), &all_requests[1..])] {
        let connection_count = Arc::new(AtomicUsize::new(0));
        let count = connection_count.clone();
        let bmc = Bmc::start(move |connection, head| {
            count.fetch_add(usize::from(connection.is_first_request()), Ordering::SeqCst);
            connection.body(head)?;
            let opened = format!("X-Auth-Token: t\r\nLocation: {sessions}/1\r\n");
            match head.method.as_str() {
                "POST" => connection.respond("201 Created", &opened, "{}"),
                _ => connection.respond("200 OK", "", "{}"),
            }
        });
        let client = A::builder(Service::new(&bmc.url()).unwrap()).login(Credentials::new("ada", "pw"));
        let client = match known_collection {
            Some(sessions) => client.sessions(sessions),
            None => client,
        };
        let client = client.build().unwrap();
        client.get_raw("/redfish/v1/Systems").unwrap();
        client.close().unwrap();
        assert_eq!(bmc.requests(), requests);
        assert_eq!(connection_count.load(Ordering::SeqCst), 1);
    }
}
