//! The limits a transport sets: heads, headers, and connections that are kept.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use redfish_ureq::{Client, Error, ErrorKind, Service, Transport, TransportBuilder};
use support::Bmc;

/// What the heads of answers are filled with.
fn head(length: usize) -> String {
    let before = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Filling: ";
    format!("{before}{}\r\n\r\n", "x".repeat(length - before.len() - 4))
}

fn headers(count: usize) -> String {
    let more: String = (2..=count).map(|n| format!("X-{n}: x\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{more}\r\n")
}

fn read(builder: TransportBuilder, head: String) -> Result<usize, Error> {
    let bmc = Bmc::start(move |line, _| {
        line.write(&head)?;
        line.write("{}")
    });
    let transport = builder.build();
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    client.get_raw("/redfish/v1/").map(|answer| answer.headers().len())
}

fn too_large<T: std::fmt::Debug>(read: Result<T, Error>) -> bool {
    matches!(read.unwrap_err().kind(), ErrorKind::TooLarge { .. })
}

#[test]
fn a_head_may_be_as_large_as_the_limit_and_no_larger() {
    for limit in [200, 9_000, 64 << 10, 200_000] {
        let builder = || Transport::builder().head_limit(limit);
        assert_eq!(read(builder(), head(limit)).unwrap(), 2, "{limit}");
        assert!(too_large(read(builder(), head(limit + 1))), "{limit}");
    }
    assert!(too_large(read(Transport::builder(), head((64 << 10) + 1))), "by default");
}

#[test]
fn there_may_be_as_many_headers_as_the_limit_and_no_more() {
    for limit in [3, 100, 128] {
        let builder = || Transport::builder().headers_limit(limit);
        assert_eq!(read(builder(), headers(limit)).unwrap(), limit);
        assert!(too_large(read(builder(), headers(limit + 1))), "{limit}");
    }
    assert!(too_large(read(Transport::builder(), headers(129))), "by default");
}

#[test]
fn so_many_connections_are_kept() {
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
        let transport = Transport::builder().kept_per_service(kept).build();
        let client =
            Client::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
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
