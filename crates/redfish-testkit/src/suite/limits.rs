//! The limits a transport sets: heads, headers, and connections that are kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use http::Method;
use redfish_proto::driver::TransportLimits;
use redfish_proto::{Body, Credentials, Error, ErrorKind, Service};

use crate::adapter::{Adapter, Builder as _, Transport, TransportBuilder};
use crate::bmc::Bmc;

suite! {
    ($) limits:
    a_head_may_be_as_large_as_the_limit_and_no_larger,
    there_may_be_as_many_headers_as_the_limit_and_no_more,
    so_many_connections_are_kept,
    two_requests_go_to_a_service_at_once_and_one_write,
    no_connection_is_kept_to_an_http_1_0_peer,
    calls_one_after_the_other_go_over_one_connection,
    a_session_takes_four_requests_or_three_over_one_connection,
}

/// What the heads of answers are filled with.
fn head(length: usize) -> String {
    let before = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Filling: ";
    format!("{before}{}\r\n\r\n", "x".repeat(length - before.len() - 4))
}

fn headers(count: usize) -> String {
    let more: String = (2..=count).map(|n| format!("X-{n}: x\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{more}\r\n")
}

fn read<A: Adapter>(builder: <A::Transport as Transport>::Builder, head: String) -> Result<usize, Error> {
    let bmc = Bmc::start(move |line, _| {
        line.write(&head)?;
        line.write("{}")
    });
    let transport = builder.build();
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    client.get_raw("/redfish/v1/").map(|answer| answer.headers().len())
}

fn too_large<T: std::fmt::Debug>(read: Result<T, Error>) -> bool {
    matches!(read.unwrap_err().kind(), ErrorKind::TooLarge { .. })
}

fn a_head_may_be_as_large_as_the_limit_and_no_larger<A: Adapter>() {
    for limit in [200, 9_000, 64 << 10, 200_000] {
        let builder = || A::Transport::builder().limits(TransportLimits::default().head(limit));
        assert_eq!(read::<A>(builder(), head(limit)).unwrap(), 2, "{limit}");
        assert!(too_large(read::<A>(builder(), head(limit + 1))), "{limit}");
    }
    assert!(too_large(read::<A>(A::Transport::builder(), head((64 << 10) + 1))), "by default");
}

fn there_may_be_as_many_headers_as_the_limit_and_no_more<A: Adapter>() {
    for limit in [3, 100, 128] {
        let builder = || A::Transport::builder().limits(TransportLimits::default().headers(limit));
        assert_eq!(read::<A>(builder(), headers(limit)).unwrap(), limit);
        assert!(too_large(read::<A>(builder(), headers(limit + 1))), "{limit}");
    }
    assert!(too_large(read::<A>(A::Transport::builder(), headers(101))), "by default");
}

fn so_many_connections_are_kept<A: Adapter>() {
    for (kept, connections) in [(0, 6), (1, 5), (3, 3)] {
        // Answers when all three are there, so that there are three connections at once.
        let (together, counted) = (Barrier::new(3), Arc::new(AtomicUsize::new(0)));
        let counting = counted.clone();
        let bmc = Bmc::start(move |line, _| {
            if line.is_new() {
                counting.fetch_add(1, Ordering::SeqCst);
            }
            together.wait();
            line.answer("200 OK", "", "{}")
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
        assert_eq!(counted.load(Ordering::SeqCst), connections, "{kept} kept");
    }
}

fn two_requests_go_to_a_service_at_once_and_one_write<A: Adapter>() {
    for (method, at_once) in [(Method::GET, 2), (Method::POST, 1)] {
        // Answers when so many are there, and counts how many are.
        let together = Barrier::new(at_once);
        let (busy, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let counting = most.clone();
        let bmc = Bmc::start(move |line, _| {
            counting.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            busy.fetch_sub(1, Ordering::SeqCst);
            line.answer("200 OK", "", "{}")
        });
        let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| client.send(method.clone(), "/redfish/v1/Systems/1", Body::empty()).unwrap());
            }
        });
        assert_eq!((bmc.seen().len(), most.load(Ordering::SeqCst)), (8, at_once), "{method}");
    }
}

fn no_connection_is_kept_to_an_http_1_0_peer<A: Adapter>() {
    let counted = Arc::new(AtomicUsize::new(0));
    let counting = counted.clone();
    let bmc = Bmc::start(move |line, _| {
        counting.fetch_add(usize::from(line.is_new()), Ordering::SeqCst);
        // Some serve one connection at a time, and offer to keep it all the same.
        line.write("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}")
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    for asked in 1..=3 {
        client.get_raw("/redfish/v1/").unwrap();
        assert_eq!(counted.load(Ordering::SeqCst), asked);
    }
}

fn calls_one_after_the_other_go_over_one_connection<A: Adapter>() {
    let counted = Arc::new(AtomicUsize::new(0));
    let counting = counted.clone();
    let bmc = Bmc::start(move |line, _| {
        counting.fetch_add(usize::from(line.is_new()), Ordering::SeqCst);
        // In pieces, so that the end comes apart from the beginning.
        line.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")?;
        line.write("1\r\n}\r\n")?;
        line.write("0\r\n\r\n")
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    for _ in 0..100 {
        client.get_raw("/redfish/v1/").unwrap();
    }
    assert_eq!(counted.load(Ordering::SeqCst), 1);
}

fn a_session_takes_four_requests_or_three_over_one_connection<A: Adapter>() {
    let sessions = "/redfish/v1/SessionService/Sessions";
    let (post, delete) = (format!("POST {sessions}"), format!("DELETE {sessions}/1"));
    let whole = ["GET /redfish/v1/", &post, "GET /redfish/v1/Systems", &delete];
    for (remembered, requests) in [(None, &whole[..]), (Some(sessions), &whole[1..])] {
        let counted = Arc::new(AtomicUsize::new(0));
        let counting = counted.clone();
        let bmc = Bmc::start(move |line, head| {
            counting.fetch_add(usize::from(line.is_new()), Ordering::SeqCst);
            line.body(head)?;
            let opened = format!("X-Auth-Token: t\r\nLocation: {sessions}/1\r\n");
            match head.method.as_str() {
                "POST" => line.answer("201 Created", &opened, "{}"),
                _ => line.answer("200 OK", "", "{}"),
            }
        });
        let client = A::builder(Service::new(&bmc.url()).unwrap()).login(Credentials::new("ada", "pw"));
        let client = match remembered {
            Some(sessions) => client.sessions(sessions),
            None => client,
        };
        let client = client.build().unwrap();
        client.get_raw("/redfish/v1/Systems").unwrap();
        client.close().unwrap();
        assert_eq!(bmc.seen(), requests);
        assert_eq!(counted.load(Ordering::SeqCst), 1);
    }
}
