//! Bodies and heads: their limits, their framing, their coding.

use std::io;

use super::{Ask, Case, GET, Heard, LOOPBACK, POST, Trusting, Verb, chunked, ok, sized};
use crate::script::{Connection, Identity, Peer, Received, Wire, gzip};

/// Bodies and heads at their limits, in each framing.
pub(super) fn limits(cases: &mut Vec<Case>) -> io::Result<()> {
    const LIMIT: usize = 100_000;
    type Framing = fn(&[u8]) -> Vec<u8>;
    let framings: [(&'static str, Framing); 4] = [
        ("a body with its length, at the limit and over it", ok),
        ("a chunked body, at the limit and over it", |body| chunked("", body, "0\r\n\r\n")),
        ("a body up to the connection's end, at the limit and over it", |body| {
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body].concat()
        }),
        ("a gzip, at the limit and over it", |body| {
            sized("200 OK", "Content-Encoding: gzip\r\n", &gzip::stored(body))
        }),
    ];
    for (name, framing) in framings {
        let asks = vec![Ask::done(GET, &[b'1'; LIMIT]), Ask::error(GET, "too-large", "100000")];
        let answer = move |wire: &mut Wire, _: &Received, before| {
            wire.write(&framing(&vec![b'1'; LIMIT + before])).map(|()| false)
        };
        let case = Case::new(name, asks, answer)?;
        cases.push(Case { limit: LIMIT, ..case.requests(2) });
    }

    let bomb = gzip::bomb(1_000_000);
    let answer = move |wire: &mut Wire, _: &Received, _| {
        wire.write(&sized("200 OK", "Content-Encoding: gzip\r\n", &bomb)).map(|()| false)
    };
    cases.push(
        Case::new("a gzip bomb is over the limit", vec![Ask::error(GET, "too-large", "")], answer)?
            .requests(1),
    );

    let empty = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let archive = gzip::stored(b"");
        let chunk = [format!("{:x}\r\n", archive.len()).as_bytes(), &archive, b"\r\n"].concat();
        (0..10_000_000).try_for_each(|_| wire.write(&chunk)).map(|()| false)
    };
    cases.push(
        Case::new(
            "a gzip without end or content is over the limit",
            vec![Ask::error(GET, "too-large", "")],
            empty,
        )?
        .requests(1),
    );

    let endless = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let chunk = [b"400\r\n", &[b' '; 0x400][..], b"\r\n"].concat();
        (0..1_000_000).try_for_each(|_| wire.write(&chunk)).map(|()| false)
    };
    cases.push(
        Case::new("a body without end is over the limit", vec![Ask::error(GET, "too-large", "")], endless)?
            .requests(1),
    );

    let endless = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\n")?;
        (0..100_000)
            .try_for_each(|at| wire.write(format!("X-{at}: {:0>200}\r\n", at).as_bytes()))
            .map(|()| false)
    };
    cases.push(
        Case::new("a head without end is over the limit", vec![Ask::error(GET, "too-large", "")], endless)?
            .requests(1),
    );

    let endless = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nX-Long: ")?;
        (0..100_000).try_for_each(|_| wire.write(&[b'x'; 1000])).map(|()| false)
    };
    cases.push(
        Case::new("a header without end is over the limit", vec![Ask::error(GET, "too-large", "")], endless)?
            .requests(1),
    );

    let many = |wire: &mut Wire, _: &Received, _| {
        let headers: String = (0..200).map(|at| format!("X-{at}: {at}\r\n")).collect();
        wire.write(&sized("200 OK", &headers, b"{}")).map(|()| false)
    };
    cases.push(
        Case::new("two hundred headers are over the limit", vec![Ask::error(GET, "too-large", "")], many)?
            .requests(1),
    );
    Ok(())
}

/// Bodies in every framing and coding.
pub(super) fn framed(cases: &mut Vec<Case>) -> io::Result<()> {
    let zipped = |wire: &mut Wire, received: &Received, _| {
        let asked = received.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
        let body = if asked { &b"{\"asked\": true}"[..] } else { b"{\"asked\": false}" };
        wire.write(&sized("200 OK", "Content-Encoding: gzip\r\n", &gzip::stored(body))).map(|()| true)
    };
    let asks = vec![Ask::done(GET, b"{\"asked\": true}"), Ask::done(GET, b"{\"asked\": true}")];
    cases.push(Case::new("a gzip that was asked for is undone", asks, zipped)?.connections(1));

    let cut = |wire: &mut Wire, _: &Received, before| {
        let whole = gzip::stored(b"{\"a\": 1}");
        let body = if before == 0 { &whole[..whole.len() - 9] } else { &whole };
        wire.write(&sized("200 OK", "Content-Encoding: gzip\r\n", body)).map(|()| true)
    };
    let asks = vec![Ask::done(GET, b"{\"a\": 1}")];
    cases.push(Case::new("a gzip that breaks off is a body that breaks off", asks, cut)?.requests(2));

    let no_gzip = |wire: &mut Wire, _: &Received, _| {
        wire.write(&sized("200 OK", "Content-Encoding: gzip\r\n", b"{\"a\": 1, \"b\": \"not compressed\"}"))
            .map(|()| true)
    };
    cases.push(
        Case::new(
            "what only calls itself a gzip is malformed",
            vec![Ask::error(POST, "transport", "")],
            no_gzip,
        )?
        .requests(1),
    );

    let empty = |wire: &mut Wire, received: &Received, before| {
        let head: &[u8] = match (received.method.as_str(), before) {
            ("HEAD", _) => b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 55\r\n\r\n",
            (_, 1) => b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        };
        wire.write(head).map(|()| true)
    };
    let asks = vec![
        Ask::done(Verb::Send("HEAD", "/redfish/v1/a", ""), b""),
        Ask::done(POST, b""),
        Ask::done(POST, b""),
    ];
    cases.push(Case::new("no body is no gzip either", asks, empty)?.requests(3).connections(1));

    let odd = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n{\"a\":\r\n")
            .map(|()| false)
    };
    cases.push(
        Case::new(
            "a chunk whose length is none is malformed",
            vec![Ask::error(POST, "transport", "not HTTP")],
            odd,
        )?
        .requests(1),
    );

    let twice = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}   ").map(|()| false)
    };
    cases.push(
        Case::new("two lengths are malformed", vec![Ask::error(POST, "outcome-unknown", "not HTTP")], twice)?
            .requests(1),
    );

    codings(cases)?;

    let identity = Identity::self_signed(&["127.0.0.1"])?;
    let trust = Trusting::Pem(identity.certificate_pem());
    let unsaid = move |connection: Connection| -> io::Result<()> {
        let mut wire = connection.encrypt(&identity)?;
        wire.request()?;
        wire.write(b"HTTP/1.1 200 OK\r\n\r\n{\"a\": 1}")?;
        wire.close_abruptly()
    };
    let peer = Peer::start(LOOPBACK, move |connection| drop(unsaid(connection)))?;
    let asks = vec![Ask::done(GET, b"{\"a\": 1}")];
    cases.push(Case::over(
        "a body up to the connection's end needs no farewell of TLS",
        peer,
        Heard::default(),
        trust,
        asks,
    ));
    Ok(())
}

/// Transfer codings (RFC 9112, section 6.3).
fn codings(cases: &mut Vec<Case>) -> io::Result<()> {
    let both = |wire: &mut Wire, _: &Received, _| {
        wire.write(&chunked("Content-Length: 3\r\n", b"{\"a\": 1}", "0\r\n\r\n")).map(|()| true)
    };
    let asks = vec![Ask::done(GET, b"{\"a\": 1}"), Ask::done(GET, b"{\"a\": 1}")];
    let name = "chunked takes precedence over a length, and the connection is not used again";
    cases.push(Case::new(name, asks, both)?.requests(2).connections(2));

    let identity = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{\"a\": 1}").map(|()| false)
    };
    let asks = vec![Ask::done(GET, b"{\"a\": 1}"), Ask::done(POST, b"{\"a\": 1}")];
    let name = "a body in the coding identity goes up to the connection's end";
    cases.push(Case::new(name, asks, identity)?.requests(2).connections(2));

    for coding in ["gzip", "gzip, chunked", "compress"] {
        let other = move |wire: &mut Wire, _: &Received, _| {
            let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n");
            wire.write(&[head.as_bytes(), b"9\r\n{\"a\": 1} \r\n0\r\n\r\n"].concat()).map(|()| false)
        };
        let asks = vec![Ask::error(GET, "transport", "200"), Ask::error(POST, "transport", "200")];
        let name = "a body in another transfer coding cannot be read, and is not asked for again";
        cases.push(Case::new(name, asks, other)?.requests(2).connections(2));
    }
    Ok(())
}
