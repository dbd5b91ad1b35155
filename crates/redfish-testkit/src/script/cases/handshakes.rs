//! Peers with which there is no TLS, byte by byte: one connection each, whatever is asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use super::{Ask, Case, GET, Heard, POST, Trusting};
use crate::script::{HANDSHAKE_FAILURE, Peer};

/// Handshakes that another try does not help.
pub(super) fn refused(cases: &mut Vec<Case>) -> io::Result<()> {
    const NOTHING_IN_COMMON: &str = "offers no TLS 1.2 with forward secrecy";
    let table: [(&str, &[u8], &str); 8] = [
        ("a service that offers only RSA key exchange is asked once", HANDSHAKE_FAILURE, NOTHING_IN_COMMON),
        // Such a service writes the version that it knows: 3.1 is TLS 1.0.
        ("a service that refuses new versions is asked once", &[21, 3, 1, 0, 2, 2, 70], NOTHING_IN_COMMON),
        (
            "a service that refuses what is not secret is asked once",
            &[21, 3, 3, 0, 2, 2, 71],
            NOTHING_IN_COMMON,
        ),
        ("a service that goes on in TLS 1.0 is asked once", &hello([3, 1], [0xc0, 0x13]), NOTHING_IN_COMMON),
        (
            "a service that chooses RSA key exchange unasked is asked once",
            &hello([3, 3], [0x00, 0x9c]),
            NOTHING_IN_COMMON,
        ),
        (
            "a service that refuses the client is asked once",
            &[21, 3, 3, 0, 2, 2, 49],
            "the TLS handshake failed",
        ),
        (
            "a port that speaks plain HTTP is named as such",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "does not speak TLS. It may be plain HTTP: write http://",
        ),
        (
            "a port that speaks something else is not taken for TLS",
            b"SSH-2.0-dropbear\r\n",
            "does not speak TLS",
        ),
    ];
    for (name, bytes, text) in table {
        let bytes = bytes.to_vec();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
            let _ = connection.answer(&bytes);
        })?;
        let asks = vec![Ask::error(GET, "tls", text), Ask::error(POST, "tls", text)];
        let case = Case::over(name, peer, Heard::default(), Trusting::System, asks);
        cases.push(case.requests(0).connections(2));
    }
    Ok(())
}

/// A record with a ServerHello of this version and cipher suite, without extensions (RFC 5246, section 7.4.1.3).
fn hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let body = [&version[..], &[0x5a; 32], &[0], &suite, &[0]].concat();
    let record = [22, version[0], version[1], 0, body.len() as u8 + 4];
    [&record[..], &[2, 0, 0, body.len() as u8], &body].concat()
}
