//! Bodies and heads: limits, framing, codings.

use std::io;

use super::{
    Action, Call, Case, GET, LOOPBACK, POST, RequestLog, TrustConfig, always, always_then_close, chunked, ok,
    with_length,
};
use crate::script::{HttpConnection, Peer, ReceivedRequest, ServerIdentity, TcpConnection, gzip};

const GZIP: &str = "Content-Encoding: gzip\r\n";

/// Limits of bodies and heads, in each framing.
pub(super) fn limits(cases: &mut Vec<Case>) -> io::Result<()> {
    const LIMIT: usize = 100_000;
    type Framing = fn(&[u8]) -> Vec<u8>;
    let framings: [(&'static str, Framing); 4] = [
        ("a body with a length, at the limit and over it", ok),
        ("a chunked body, at the limit and over it", |body| chunked("", body, "0\r\n\r\n")),
        ("a body until the connection closes, at the limit and over it", |body| {
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body].concat()
        }),
        ("a gzip body, at the limit and over it", |body| with_length("200 OK", GZIP, &gzip::stored(body))),
    ];
    for (name, framing) in framings {
        let calls = vec![Call::done(GET, &[b'1'; LIMIT]), Call::error(GET, "too-large", "100000")];
        let case = Case::new(name, calls, move |connection, _, earlier| {
            connection.write(&framing(&vec![b'1'; LIMIT + earlier])).map(|()| false)
        })?;
        cases.push(Case { body_limit: LIMIT, ..case.requests(2) });
    }

    let bomb = with_length("200 OK", GZIP, &gzip::bomb(1_000_000));
    cases.push(over_limit("too-large", "a gzip bomb is over the limit", always_then_close(bomb))?);

    let name = "an endless gzip body without content is over the limit";
    cases.push(over_limit("too-large", name, |connection, _, _| {
        connection
            .write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let archive = gzip::stored(b"");
        let chunk = [format!("{:x}\r\n", archive.len()).as_bytes(), &archive, b"\r\n"].concat();
        (0..10_000_000).try_for_each(|_| connection.write(&chunk)).map(|()| false)
    })?);

    cases.push(over_limit("too-large", "an endless body is over the limit", |connection, _, _| {
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let chunk = [b"400\r\n", &[b' '; 0x400][..], b"\r\n"].concat();
        (0..1_000_000).try_for_each(|_| connection.write(&chunk)).map(|()| false)
    })?);

    cases.push(over_limit("head-too-large", "an endless head is over the limit", |connection, _, _| {
        connection.write(b"HTTP/1.1 200 OK\r\n")?;
        let mut headers = (0..100_000).map(|n| format!("X-{n}: {n:0>200}\r\n"));
        headers.try_for_each(|header| connection.write(header.as_bytes())).map(|()| false)
    })?);

    cases.push(over_limit("head-too-large", "an endless header is over the limit", |connection, _, _| {
        connection.write(b"HTTP/1.1 200 OK\r\nX-Long: ")?;
        (0..100_000).try_for_each(|_| connection.write(&[b'x'; 1000])).map(|()| false)
    })?);

    let headers: String = (0..200).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let response = with_length("200 OK", &headers, b"{}");
    cases.push(over_limit(
        "head-too-large",
        "two hundred headers are over the limit",
        always_then_close(response),
    )?);
    Ok(())
}

/// A case in which one request fails because the response is over the limit.
fn over_limit(
    kind: &'static str,
    name: &'static str,
    handler: impl Fn(&mut HttpConnection, &ReceivedRequest, usize) -> io::Result<bool> + Send + Sync + 'static,
) -> io::Result<Case> {
    Ok(Case::new(name, vec![Call::error(GET, kind, "")], handler)?.requests(1))
}

/// Bodies in each framing and coding.
pub(super) fn framing(cases: &mut Vec<Case>) -> io::Result<()> {
    let calls = vec![Call::done(GET, b"{\"asked\": true}"), Call::done(GET, b"{\"asked\": true}")];
    let case = Case::new("a requested gzip body is decoded", calls, |connection, received, _| {
        let asked = received.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
        let body = if asked { &b"{\"asked\": true}"[..] } else { b"{\"asked\": false}" };
        connection.write(&with_length("200 OK", GZIP, &gzip::stored(body))).map(|()| true)
    })?;
    cases.push(case.connections(1));

    let calls = vec![Call::done(GET, b"{\"a\": 1}")];
    let case = Case::new("a truncated gzip body is a truncated body", calls, |connection, _, earlier| {
        let whole = gzip::stored(b"{\"a\": 1}");
        let body = if earlier == 0 { &whole[..whole.len() - 9] } else { &whole };
        connection.write(&with_length("200 OK", GZIP, body)).map(|()| true)
    })?;
    cases.push(case.requests(2));

    let not_gzip = with_length("200 OK", GZIP, b"{\"a\": 1, \"b\": \"not compressed\"}");
    let calls = vec![Call::error(GET, "malformed", "the body cannot be decoded"), Call::done(POST, b"")];
    let name = "a body that is not gzip is malformed after a read, and does not matter after a write";
    cases.push(Case::new(name, calls, always(not_gzip))?.requests(2));

    let calls = vec![
        Call::done(Action::Send("HEAD", "/redfish/v1/a", ""), b""),
        Call::done(POST, b""),
        Call::done(POST, b""),
    ];
    let case = Case::new("an empty body needs no gzip header", calls, |connection, received, earlier| {
        let head: &[u8] = match (received.method.as_str(), earlier) {
            ("HEAD", _) => b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 55\r\n\r\n",
            (_, 1) => b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        };
        connection.write(head).map(|()| true)
    })?;
    cases.push(case.requests(3).connections(1));

    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}   ";
    let calls = vec![Call::error(POST, "outcome-unknown", "not HTTP")];
    cases.push(Case::new("two lengths are malformed", calls, always_then_close(response))?.requests(1));

    content_codings(cases)?;
    transfer_codings(cases)?;
    invalid_chunks(cases)?;

    let identity = ServerIdentity::self_signed(&["127.0.0.1"])?;
    let trust = TrustConfig::Pem(identity.certificate_pem());
    let serve = move |connection: TcpConnection| -> io::Result<()> {
        let mut connection = connection.encrypt(&identity)?;
        connection.request()?;
        connection.write(b"HTTP/1.1 200 OK\r\n\r\n{\"a\": 1}")?;
        connection.close_without_notify()
    };
    let peer = Peer::start(LOOPBACK, move |connection| drop(serve(connection)))?;
    let calls = vec![Call::done(GET, b"{\"a\": 1}")];
    let name = "a body until the connection closes needs no close_notify";
    cases.push(Case::with_peer(name, peer, RequestLog::default(), trust, calls));
    Ok(())
}

/// Content codings (RFC 9110, section 8.4.1).
fn content_codings(cases: &mut Vec<Case>) -> io::Result<()> {
    let zipped = gzip::stored(b"{\"a\": 1}");
    let calls = vec![Call::done(GET, b"{\"a\": 1}"); 3];
    let case =
        Case::new("gzip has two names, and identity adds nothing", calls, move |connection, _, earlier| {
            let headers = ["X-GZIP", "gzip, identity", "identity\r\nContent-Encoding: gzip"];
            let headers = format!("Content-Encoding: {}\r\n", headers[earlier]);
            connection.write(&with_length("200 OK", &headers, &zipped)).map(|()| true)
        })?;
    cases.push(case.requests(3).connections(1));

    for (coding, text) in [
        ("zstd", "its Content-Encoding is zstd"),
        ("br", "its Content-Encoding is br"),
        ("gzip, br", "its Content-Encoding is gzip, br"),
        ("br\r\nContent-Encoding: gzip", "its Content-Encoding is br, gzip"),
    ] {
        let response = with_length("200 OK", &format!("Content-Encoding: {coding}\r\n"), b"{\"a\": 1}");
        let calls = vec![Call::error(GET, "malformed", text), Call::done(POST, b"")];
        let name = "a body in a coding that is not supported is not data";
        cases.push(Case::new(name, calls, always(response))?.requests(2).connections(1));
    }
    Ok(())
}

/// Transfer codings (RFC 9112, section 6.3).
fn transfer_codings(cases: &mut Vec<Case>) -> io::Result<()> {
    let response = chunked("Content-Length: 3\r\n", b"{\"a\": 1}", "0\r\n\r\n");
    let calls = vec![Call::done(GET, b"{\"a\": 1}"), Call::done(GET, b"{\"a\": 1}")];
    let name = "chunked takes precedence over a length, and the connection is not reused";
    cases.push(Case::new(name, calls, always(response))?.requests(2).connections(2));

    let response = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let calls = vec![
        Call::error(GET, "transport", "a: the response is not HTTP"),
        Call::error(POST, "outcome-unknown", "the response is not HTTP"),
    ];
    let name = "a transfer coding in HTTP/1.0 is malformed";
    cases.push(Case::new(name, calls, always_then_close(response))?.requests(2));

    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{\"a\": 1}";
    let calls = vec![Call::done(GET, b"{\"a\": 1}"), Call::done(POST, b"{\"a\": 1}")];
    let name = "a body with the transfer coding identity ends when the connection closes";
    cases.push(Case::new(name, calls, always_then_close(response))?.requests(2).connections(2));

    for coding in ["gzip", "gzip, chunked", "compress"] {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n");
        let response = [head.as_bytes(), b"9\r\n{\"a\": 1} \r\n0\r\n\r\n"].concat();
        let calls = vec![Call::error(GET, "malformed", coding), Call::done(POST, b"")];
        let name = "a body with another transfer coding is not data and is not requested again";
        cases.push(Case::new(name, calls, always_then_close(response))?.requests(2).connections(2));
    }
    Ok(())
}

/// Bodies that are not what `Transfer-Encoding: chunked` says (RFC 9112, section 7.1): a read fails in the same way in each
/// client, and the status of a write counts.
fn invalid_chunks(cases: &mut Vec<Case>) -> io::Result<()> {
    const MALFORMED: (&str, &str, usize) = ("transport", "200, but then the response is not HTTP", 1);
    const BROKEN: (&str, &str, usize) = ("transport", "200, but then the connection broke", 4);
    for (name, body, (kind, text, attempts)) in [
        ("a body that is not chunked although its head says so", "{\"a\": 1}", MALFORMED),
        ("the same, with an end of a line", "{\r\n  \"a\": 1\r\n}", MALFORMED),
        ("an invalid size of the first chunk", "five\r\n{\"a\":\r\n", MALFORMED),
        ("an invalid size of a later chunk", "5\r\n{\"a\":\r\nx\r\n 1}\r\n0\r\n\r\n", MALFORMED),
        ("a chunk that is longer than its size", "4\r\n{\"a\": 1}\r\n0\r\n\r\n", MALFORMED),
        ("a size of a chunk that overflows", "fffffffffffffffff\r\n{\"a\": 1}\r\n0\r\n\r\n", MALFORMED),
        ("an empty size of a chunk", "\r\n{\"a\": 1}\r\n0\r\n\r\n", MALFORMED),
        ("a chunk that is shorter than its size", "ff\r\n{\"a\": 1}", BROKEN),
        ("a missing last chunk", "8\r\n{\"a\": 1}\r\n", BROKEN),
        ("a body without any chunk", "", BROKEN),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let calls = vec![Call::error(GET, kind, text), Call::done(POST, b"")];
        cases.push(Case::new(name, calls, always_then_close(response))?.requests(attempts + 1));
    }

    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{\"a\": 1}";
    let calls = vec![Call::error(GET, MALFORMED.0, MALFORMED.1), Call::done(POST, b"")];
    let name = "a body that is not chunked is not waited for";
    cases.push(Case::new(name, calls, always(response))?.requests(2));
    Ok(())
}
