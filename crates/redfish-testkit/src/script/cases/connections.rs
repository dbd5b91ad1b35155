//! Connections: whose they are, and how long they last.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::{Ask, Case, GET, LOOPBACK, POST, Trusting, Verb, ok, sized};
use crate::script::{Identity, Received, Wire};

/// Certificates.
pub(super) fn trusted(cases: &mut Vec<Case>) -> io::Result<()> {
    const HERE: &[&str] = &["127.0.0.1"];
    const ELSEWHERE: &[&str] = &["bmc.example"];
    let answer = |wire: &mut Wire, _: &Received, _| wire.write(&ok(b"{}")).map(|()| true);
    let pem = |identity: &Identity| Trusting::Pem(identity.certificate_pem());
    let pin = |identity: &Identity| Trusting::Pinned(identity.certificate_der().to_vec());
    let authority = Identity::authority()?;
    let (by_it, for_another) = (authority.sign(HERE)?, authority.sign(ELSEWHERE)?);
    let (own, own_for_another) = (Identity::self_signed(HERE)?, Identity::self_signed(ELSEWHERE)?);
    let (expired, expired_too) = (Identity::expired(HERE)?, Identity::expired(ELSEWHERE)?);
    let (unknown, not_pinned, impostor) =
        (Identity::self_signed(HERE)?, Identity::self_signed(HERE)?, Identity::self_signed(HERE)?);
    let trusted = [
        ("what the given CA signed is accepted", pem(&authority), by_it),
        ("the given certificate is accepted", pem(&own), own),
        ("a pinned certificate is accepted whatever its name and dates", pin(&expired_too), expired_too),
    ];
    for (name, trust, identity) in trusted {
        cases.push(
            Case::at(LOOPBACK, name, identity, trust, vec![Ask::done(GET, b"{}")], answer)?.requests(1),
        );
    }
    let refused = [
        (
            "what the given CA signed for another is refused",
            "not valid for name",
            pem(&authority),
            for_another,
        ),
        ("what nobody vouches for is refused", "nobody who is trusted", Trusting::System, unknown),
        ("another certificate of the same name is refused", "", pem(&not_pinned), impostor),
        (
            "the given certificate for another name is refused",
            "not valid for name",
            pem(&own_for_another),
            own_for_another,
        ),
        ("the given certificate past its time is refused", "expired", pem(&expired), expired),
        ("another than the pinned certificate is refused", "pinned", pin(&authority), not_pinned),
    ];
    for (name, text, trust, identity) in refused {
        let case =
            Case::at(LOOPBACK, name, identity, trust, vec![Ask::error(POST, "untrusted", text)], answer)?;
        cases.push(case.requests(0).connections(1));
    }
    Ok(())
}

/// Connections and how long they last.
pub(super) fn reused(cases: &mut Vec<Case>) -> io::Result<()> {
    let life = |wire: &mut Wire, received: &Received, _| {
        wire.write(&match received.method.as_str() {
            "POST" => sized(
                "201 Created",
                "X-Auth-Token: t\r\nLocation: /redfish/v1/SessionService/Sessions/1\r\n",
                b"{}",
            ),
            "DELETE" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            _ => ok(b"{\"RedfishVersion\": \"1.15.0\"}"),
        })?;
        Ok(true)
    };
    let root = b"{\"RedfishVersion\": \"1.15.0\"}";
    let asks = vec![
        Ask::done(Verb::Session, b""),
        Ask::done(GET, root),
        Ask::done(GET, root),
        Ask::done(Verb::Close, b""),
    ];
    let case = Case::new("login, reads and logout go over one connection", asks, life)?;
    cases.push(Case { credentials: true, ..case.requests(5).connections(1) });

    let old = |wire: &mut Wire, _: &Received, _| {
        wire.write(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}").map(|()| true)
    };
    let asks = vec![Ask::done(GET, b"{}"), Ask::done(GET, b"{}")];
    cases.push(Case::new("no connection is kept to HTTP/1.0", asks, old)?.requests(2).connections(2));

    let closes = |wire: &mut Wire, _: &Received, _| wire.write(&ok(b"{}")).map(|()| false);
    let asks = vec![Ask::done(POST, b"{}"), Ask::done(Verb::Settle, b""), Ask::done(POST, b"{}")];
    let name = "a kept connection that was closed meanwhile is not used, for a write either";
    cases.push(Case::new(name, asks, closes)?.requests(2).connections(2));

    let identity = Identity::self_signed(&["::1"])?;
    let trust = Trusting::Pem(identity.certificate_pem());
    let answer = |wire: &mut Wire, received: &Received, _| {
        let host = received.header("host").unwrap_or_default().to_owned();
        wire.write(&ok(if host.starts_with("[::1]:") { b"{}" } else { b"no" })).map(|()| true)
    };
    let name = "a service may have an IPv6 address";
    match Case::at(
        IpAddr::V6(Ipv6Addr::LOCALHOST),
        name,
        identity,
        trust,
        vec![Ask::done(GET, b"{}")],
        answer,
    ) {
        Ok(case) => cases.push(case.requests(1)),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => eprintln!("no IPv6 here: {name}"),
        Err(error) => return Err(error),
    }
    Ok(())
}
