//! Answers searches for Redfish services (DSP0266, "Discovery"), which clients send by SSDP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

use super::shared::url;
use super::thread::StopSignal;

/// The group that searches are sent to.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// What a search for Redfish services asks for.
const SERVICE: &str = "urn:dmtf-org:service:redfish-rest:1";

/// A socket that receives searches.
pub(super) struct Ssdp(UdpSocket);

impl Ssdp {
    /// Listens for searches on this port. A service on loopback receives only those of its own machine.
    pub(super) fn bind(port: u16, service: IpAddr) -> io::Result<Ssdp> {
        let is_local = service.to_canonical().is_loopback();
        let interface = if is_local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        // A search that is sent to the group arrives only at a socket that is bound to all addresses.
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))
            .map_err(|error| io::Error::new(error.kind(), format!("UDP port {port} for SSDP: {error}")))?;
        socket.join_multicast_v4(&GROUP, &interface)?;
        socket.set_nonblocking(true)?;
        Ok(Ssdp(UdpSocket::from_std(socket)?))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers searches with the URL of the service until the server stops.
    pub(super) async fn serve(self, has_tls: bool, service: SocketAddr, uuid: String, mut stop: StopSignal) {
        let mut search = [0; 2048];
        loop {
            tokio::select! {
                () = stop.stopped() => return,
                received = self.0.recv_from(&mut search) => {
                    // A failure concerns one packet, such as an answer to a client that is gone.
                    let Ok((length, client)) = received else { continue };
                    let url = url(has_tls, reachable_by(client, service));
                    if let Some(answer) = answer(&search[..length], &url, &uuid) {
                        let _ = self.0.send_to(answer.as_bytes(), client).await;
                    }
                }
            }
        }
    }
}

/// The address of a service that a client can connect to: a service on all addresses has the one that the client's answer leaves from.
fn reachable_by(client: SocketAddr, service: SocketAddr) -> SocketAddr {
    let local = || {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(client).ok()?;
        socket.local_addr().ok()
    };
    match service.ip().is_unspecified() {
        true => local().map_or(service, |local| SocketAddr::new(local.ip(), service.port())),
        false => service,
    }
}

/// The answer to a search, if it is one for Redfish services or for everything.
fn answer(search: &[u8], url: &str, uuid: &str) -> Option<String> {
    let search = std::str::from_utf8(search).ok()?;
    let mut lines = search.lines();
    let is_search = lines.next()?.trim_end() == "M-SEARCH * HTTP/1.1";
    let header = |wanted: &str| {
        let headers = search.lines().filter_map(|line| line.split_once(':'));
        let mut values = headers.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        values.next().map(|(_, value)| value.trim().to_owned())
    };
    let is_discovery = header("MAN")? == "\"ssdp:discover\"";
    let target = header("ST")?;
    if !is_search || !is_discovery || !["ssdp:all", "upnp:rootdevice", SERVICE].contains(&target.as_str()) {
        return None;
    }
    Some(format!(
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL:max-age=1800\r\nST:{SERVICE}\r\nUSN:uuid:{uuid}::{SERVICE}\r\nAL:{url}/redfish/v1/\r\nEXT:\r\n\r\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_search_for_redfish_or_for_everything_is_answered() {
        let search = |line: &str, man: &str, target: &str| {
            format!("{line}\r\nHOST: 239.255.255.250:1900\r\nMan: {man}\r\nMX: 3\r\nst:{target}\r\n\r\n")
        };
        let (line, man) = ("M-SEARCH * HTTP/1.1", "\"ssdp:discover\"");
        for (text, expected) in [
            (search(line, man, SERVICE), true),
            (search(line, man, "ssdp:all"), true),
            (search(line, man, "urn:schemas-upnp-org:device:MediaServer:1"), false),
            (search(line, "\"ssdp:other\"", SERVICE), false),
            (search("NOTIFY * HTTP/1.1", man, SERVICE), false),
            (String::new(), false),
            ("M-SEARCH * HTTP/1.1".to_owned(), false),
        ] {
            assert_eq!(answer(text.as_bytes(), "https://bmc", "u").is_some(), expected, "{text}");
        }
        assert!(answer(b"\xff\xfe", "https://bmc", "u").is_none());
        let answered =
            answer(search(line, man, SERVICE).as_bytes(), "https://127.0.0.1:8443", "7d9a").unwrap();
        assert!(answered.contains("\r\nAL:https://127.0.0.1:8443/redfish/v1/\r\n"), "{answered}");
        assert!(
            answered.contains("\r\nUSN:uuid:7d9a::urn:dmtf-org:service:redfish-rest:1\r\n"),
            "{answered}"
        );
    }
}
