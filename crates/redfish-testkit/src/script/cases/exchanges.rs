//! Exchanges: what a library would do by itself, what breaks, what takes its time.

use std::io;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use super::{Ask, Case, GET, Heard, LOOPBACK, POST, Trusting, chunked, ok, sized};
use crate::script::{Connection, Identity, Peer, Received, Wire};

/// What the HTTP library would do by itself.
pub(super) fn left_alone(cases: &mut Vec<Case>) -> io::Result<()> {
    let other = Peer::start(LOOPBACK, Connection::silence)?;
    let location = format!("Location: {}/redfish/v1/a\r\n", other.url("https"));
    let redirect = move |wire: &mut Wire, _: &Received, _| {
        wire.write(&sized("302 Found", &location, b"")).map(|()| true)
    };
    let asks = vec![Ask::error(GET, "redirect", "to another origin"), Ask::error(POST, "redirect", "")];
    let case = Case::new("a redirect is not the library's to follow", asks, redirect)?;
    cases.push(Case { other: Some(other), ..case.requests(2) });

    let asks = vec![Ask::error(GET, "refused", "418"), Ask::error(POST, "refused", "short and stout")];
    let teapot = |wire: &mut Wire, _: &Received, _| {
        wire.write(&sized("418 I'm a teapot", "", b"short and stout")).map(|()| true)
    };
    cases.push(Case::new("a status is not an error of the library", asks, teapot)?.requests(2));

    let asks = vec![Ask::done(GET, b"{}")];
    let hint = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")?;
        wire.write(&ok(b"{}")).map(|()| true)
    };
    cases.push(Case::new("an interim answer is passed over", asks, hint)?);
    Ok(())
}

/// Connections that break, and when.
pub(super) fn broken(cases: &mut Vec<Case>) -> io::Result<()> {
    let cut = |wire: &mut Wire, _: &Received, before| match before {
        0 => wire.write(&chunked("", b"{\"a\":", "")).map(|()| false),
        _ => wire.write(&ok(b"{\"a\": 1}")).map(|()| true),
    };
    let asks = vec![Ask::done(GET, b"{\"a\": 1}")];
    cases.push(Case::new("a read whose chunks break off is tried again", asks, cut)?.requests(2));
    let asks = vec![Ask::error(POST, "transport", ": 200")];
    cases
        .push(Case::new("a write whose chunks break off has its status, and is not", asks, cut)?.requests(1));

    let refused = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"error\":\r\n")
            .map(|()| false)
    };
    let asks = vec![Ask::error(GET, "not-authenticated", "401")];
    cases.push(Case::new("a status counts even where its body breaks off", asks, refused)?.requests(1));

    let closed = |wire: &mut Wire, _: &Received, before| match before {
        0 => Ok(false),
        _ => wire.write(&ok(b"{}")).map(|()| true),
    };
    let asks = vec![Ask::done(GET, b"{}")];
    cases.push(Case::new("a read that is closed upon is tried again", asks, closed)?.requests(2));
    let asks = vec![Ask::error(POST, "outcome-unknown", "")];
    cases.push(Case::new("a write that is closed upon is not", asks, closed)?.requests(1));

    for (name, ask, requests) in [
        ("a read that is reset on a kept connection is tried again", Ask::done(GET, b"{}"), 2),
        ("a write that is reset on a kept connection is not", Ask::error(POST, "outcome-unknown", ""), 1),
    ] {
        let identity = Identity::self_signed(&["127.0.0.1"])?;
        let (trust, heard) = (Trusting::Pem(identity.certificate_pem()), Heard::default());
        let listening = heard.clone();
        let reset_second = move |connection: Connection| -> io::Result<()> {
            let first = connection.number == 0;
            let mut wire = connection.encrypt(&identity)?;
            while let Some(received) = wire.request()? {
                listening.lock().unwrap_or_else(PoisonError::into_inner).push(received);
                wire.write(&ok(b"{}"))?;
                if first {
                    return wire.reset();
                }
            }
            Ok(())
        };
        let peer = Peer::start(LOOPBACK, move |connection| drop(reset_second(connection)))?;
        let case = Case::over(name, peer, heard, trust, vec![Ask::done(GET, b"{}"), ask]);
        // The one that is reset was not read.
        cases.push(case.requests(requests).connections(requests));
    }
    Ok(())
}

/// Peers that take their time.
pub(super) fn slow(cases: &mut Vec<Case>) -> io::Result<()> {
    let drip = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
        (0..1000).try_for_each(|_| {
            thread::sleep(Duration::from_millis(20));
            wire.write(b" ")
        })?;
        Ok(true)
    };
    let case = Case::new(
        "a body that drips ends with the time-out",
        vec![Ask::error(POST, "transport", "in time")],
        drip,
    )?;
    cases.push(Case { timeout: Duration::from_millis(300), ..case.requests(1) });

    let silent = |wire: &mut Wire, _: &Received, _| wire.silence().map(|()| false);
    let case = Case::new(
        "silence ends with the time-out",
        vec![Ask::error(POST, "outcome-unknown", "in time")],
        silent,
    )?;
    cases.push(Case { timeout: Duration::from_millis(300), ..case.requests(1) });

    for (name, timeout, connect_timeout) in [
        ("a peer that never speaks TLS was sent nothing: a write is tried again", 20_000, 100),
        ("also where the exchange's time-out is the shorter one", 100, 10_000),
    ] {
        let peer = Peer::start(LOOPBACK, Connection::silence)?;
        let asks = vec![Ask::error(POST, "transport", "no connection could be made")];
        let case =
            Case::over(name, peer, Heard::default(), Trusting::System, asks).requests(0).connections(4);
        let (timeout, connect_timeout) =
            (Duration::from_millis(timeout), Duration::from_millis(connect_timeout));
        cases.push(Case { timeout, connect_timeout, ..case });
    }
    Ok(())
}
