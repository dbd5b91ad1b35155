//! Exchanges: features of HTTP libraries, broken connections, slow peers.

use std::io;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use super::{
    Call, Case, GET, LOOPBACK, POST, RequestLog, TrustConfig, always, always_then_close, chunked, ok,
    with_length,
};
use crate::script::{HttpConnection, Peer, ReceivedRequest, ServerIdentity, TcpConnection};

/// Features of the HTTP library that an adapter must turn off or must have.
pub(super) fn library_features(cases: &mut Vec<Case>) -> io::Result<()> {
    let other = Peer::start(LOOPBACK, TcpConnection::wait_for_close)?;
    let location = format!("Location: {}/redfish/v1/a\r\n", other.url("https"));
    let redirect = always(with_length("302 Found", &location, b""));
    let calls = vec![Call::error(GET, "redirect", "to another origin"), Call::error(POST, "redirect", "")];
    let case = Case::new("the library does not follow a redirect", calls, redirect)?;
    cases.push(Case { other: Some(other), ..case.requests(2) });

    let calls = vec![Call::error(GET, "refused", "418"), Call::error(POST, "refused", "short and stout")];
    let teapot = always(with_length("418 I'm a teapot", "", b"short and stout"));
    let name = "an error status is a response, not an error of the library";
    cases.push(Case::new(name, calls, teapot)?.requests(2));

    let calls = vec![Call::done(GET, b"{}")];
    cases.push(Case::new("an informational response is skipped", calls, |connection, _, _| {
        connection.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")?;
        connection.write(&ok(b"{}")).map(|()| true)
    })?);
    Ok(())
}

/// Broken connections.
pub(super) fn broken(cases: &mut Vec<Case>) -> io::Result<()> {
    let truncated = |connection: &mut HttpConnection, _: &ReceivedRequest, earlier| match earlier {
        0 => connection.write(&chunked("", b"{\"a\":", "")).map(|()| false),
        _ => connection.write(&ok(b"{\"a\": 1}")).map(|()| true),
    };
    let calls = vec![Call::done(GET, b"{\"a\": 1}")];
    cases.push(Case::new("a read with a truncated chunked body is retried", calls, truncated)?.requests(2));
    let calls = vec![Call::done(POST, b"")];
    let name = "a write with a truncated chunked body is not retried, and its status counts";
    cases.push(Case::new(name, calls, truncated)?.requests(1));

    let refused = b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"error\":\r\n";
    let calls = vec![Call::error(GET, "not-authenticated", "401")];
    let name = "an error status is returned even if the body is truncated";
    cases.push(Case::new(name, calls, always_then_close(refused))?.requests(1));

    let closed = |connection: &mut HttpConnection, _: &ReceivedRequest, earlier| match earlier {
        0 => Ok(false),
        _ => connection.write(&ok(b"{}")).map(|()| true),
    };
    let calls = vec![Call::done(GET, b"{}")];
    cases.push(Case::new("a read is retried if the connection closes", calls, closed)?.requests(2));
    let calls = vec![Call::error(POST, "outcome-unknown", "")];
    cases.push(Case::new("a write is not retried if the connection closes", calls, closed)?.requests(1));

    let unknown = Call::error(POST, "outcome-unknown", "");
    for (name, call, requests) in [
        ("a read is retried if an idle connection is reset", Call::done(GET, b"{}"), 2),
        ("a write is not retried if an idle connection is reset", unknown, 1),
    ] {
        let identity = ServerIdentity::self_signed(&["127.0.0.1"])?;
        let (trust, log) = (TrustConfig::Pem(identity.certificate_pem()), RequestLog::default());
        let peer_log = log.clone();
        let reset_second = move |connection: TcpConnection| -> io::Result<()> {
            let first = connection.number == 0;
            let mut connection = connection.encrypt(&identity)?;
            while let Some(received) = connection.request()? {
                peer_log.lock().unwrap_or_else(PoisonError::into_inner).push(received);
                connection.write(&ok(b"{}"))?;
                if first {
                    return connection.reset();
                }
            }
            Ok(())
        };
        let peer = Peer::start(LOOPBACK, move |connection| drop(reset_second(connection)))?;
        let case = Case::with_peer(name, peer, log, trust, vec![Call::done(GET, b"{}"), call]);
        // The peer does not read the request that it resets.
        cases.push(case.requests(requests).connections(requests));
    }
    Ok(())
}

/// Slow peers.
pub(super) fn slow(cases: &mut Vec<Case>) -> io::Result<()> {
    let calls = vec![Call::done(POST, b"")];
    let case = Case::new(
        "the timeout ends a slow body, and the status of a write counts",
        calls,
        |connection, _, _| {
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
            (0..1000).try_for_each(|_| {
                thread::sleep(Duration::from_millis(20));
                connection.write(b" ")
            })?;
            Ok(true)
        },
    )?;
    cases.push(Case { timeout: Duration::from_millis(300), ..case.requests(1) });

    let calls = vec![Call::error(POST, "outcome-unknown", "in time")];
    let case = Case::new("the timeout ends a missing response", calls, |connection, _, _| {
        connection.wait_for_close().map(|()| false)
    })?;
    cases.push(Case { timeout: Duration::from_millis(300), ..case.requests(1) });

    for (name, timeout, connect_timeout) in [
        ("a write is retried if the peer does not complete the TLS handshake", 20_000, 100),
        ("also if the timeout of the exchange is shorter", 100, 10_000),
    ] {
        let peer = Peer::start(LOOPBACK, TcpConnection::wait_for_close)?;
        let calls = vec![Call::error(POST, "transport", "no connection could be made")];
        let case = Case::with_peer(name, peer, RequestLog::default(), TrustConfig::System, calls)
            .requests(0)
            .connections(4);
        let (timeout, connect_timeout) =
            (Duration::from_millis(timeout), Duration::from_millis(connect_timeout));
        cases.push(Case { timeout, connect_timeout, ..case });
    }
    Ok(())
}
