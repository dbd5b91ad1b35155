//! Connections: trust and reuse.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::{
    Action, Call, Case, GET, LOOPBACK, POST, TrustConfig, always, always_then_close, ok, with_length,
};
use crate::script::{HttpConnection, ReceivedRequest, ServerIdentity};

/// Trusted and untrusted certificates.
pub(super) fn trust(cases: &mut Vec<Case>) -> io::Result<()> {
    const NAME: &[&str] = &["127.0.0.1"];
    const OTHER_NAME: &[&str] = &["bmc.example"];
    let self_signed_for = ServerIdentity::self_signed;
    let pem = |identity: &ServerIdentity| TrustConfig::Pem(identity.certificate_pem());
    let pin = |identity: &ServerIdentity| TrustConfig::Pinned(identity.certificate_der().to_vec());
    let authority = ServerIdentity::authority()?;
    let (signed, signed_for_other) = (authority.sign(NAME)?, authority.sign(OTHER_NAME)?);
    let (self_signed, self_signed_for_other) = (self_signed_for(NAME)?, self_signed_for(OTHER_NAME)?);
    let (expired, pinned_expired) = (ServerIdentity::expired(NAME)?, ServerIdentity::expired(OTHER_NAME)?);
    let (unknown, not_pinned, impostor) =
        (self_signed_for(NAME)?, self_signed_for(NAME)?, self_signed_for(NAME)?);
    let trusted = [
        ("a certificate that the given CA signed is accepted", pem(&authority), signed),
        ("the given certificate is accepted", pem(&self_signed), self_signed),
        ("a pinned certificate is accepted with any name and dates", pin(&pinned_expired), pinned_expired),
    ];
    for (name, trust, identity) in trusted {
        let calls = vec![Call::done(GET, b"{}")];
        let case = Case::with_identity(LOOPBACK, name, identity, trust, calls, always(ok(b"{}")))?;
        cases.push(case.requests(1));
    }
    let refused = [
        (
            "a certificate that the given CA signed for another name is refused",
            "not valid for name",
            pem(&authority),
            signed_for_other,
        ),
        (
            "a certificate without a trusted CA is refused",
            "not signed by a trusted CA",
            TrustConfig::System,
            unknown,
        ),
        ("another certificate of the same name is refused", "", pem(&not_pinned), impostor),
        (
            "the given certificate for another name is refused",
            "not valid for name",
            pem(&self_signed_for_other),
            self_signed_for_other,
        ),
        ("the given certificate is refused after it expires", "expired", pem(&expired), expired),
        ("a certificate other than the pinned one is refused", "pinned", pin(&authority), not_pinned),
    ];
    for (name, text, trust, identity) in refused {
        let calls = vec![Call::error(POST, "untrusted", text)];
        let case = Case::with_identity(LOOPBACK, name, identity, trust, calls, always(ok(b"{}")))?;
        cases.push(case.requests(0).connections(1));
    }
    Ok(())
}

/// Reused and new connections.
pub(super) fn reuse(cases: &mut Vec<Case>) -> io::Result<()> {
    let root = b"{\"RedfishVersion\": \"1.15.0\"}";
    let calls = vec![
        Call::done(Action::Login, b""),
        Call::done(GET, root),
        Call::done(GET, root),
        Call::done(Action::Close, b""),
    ];
    let name = "login, reads and logout use one connection";
    let case = Case::new(name, calls, |connection, received, _| {
        let session = "X-Auth-Token: t\r\nLocation: /redfish/v1/SessionService/Sessions/1\r\n";
        connection.write(&match received.method.as_str() {
            "POST" => with_length("201 Created", session, b"{}"),
            "DELETE" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            _ => ok(b"{\"RedfishVersion\": \"1.15.0\"}"),
        })?;
        Ok(true)
    })?;
    cases.push(Case { credentials: true, ..case.requests(5).connections(1) });

    let response = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let calls = vec![Call::done(GET, b"{}"), Call::done(GET, b"{}")];
    let case = Case::new("an HTTP/1.0 connection is not reused", calls, always(response))?;
    cases.push(case.requests(2).connections(2));

    let calls = vec![Call::done(POST, b"{}"), Call::done(Action::WaitForClose, b""), Call::done(POST, b"{}")];
    let name = "an idle connection that the peer has closed is not used, even for a write";
    cases.push(Case::new(name, calls, always_then_close(ok(b"{}")))?.requests(2).connections(2));

    let identity = ServerIdentity::self_signed(&["::1"])?;
    let trust = TrustConfig::Pem(identity.certificate_pem());
    let handler = |connection: &mut HttpConnection, received: &ReceivedRequest, _| {
        let host = received.header("host").unwrap_or_default().to_owned();
        connection.write(&ok(if host.starts_with("[::1]:") { b"{}" } else { b"no" })).map(|()| true)
    };
    let name = "a service may have an IPv6 address";
    let (address, calls) = (IpAddr::V6(Ipv6Addr::LOCALHOST), vec![Call::done(GET, b"{}")]);
    match Case::with_identity(address, name, identity, trust, calls, handler) {
        Ok(case) => cases.push(case.requests(1)),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            eprintln!("skipped without IPv6: {name}")
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
