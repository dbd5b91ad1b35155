//! Requests and responses over real sockets, for the tests of the server.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use redfish_mock::{Profile, ServeOptions, Server, Settings, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{SESSIONS, settings};

pub const LOGIN: &str = r#"{"UserName": "ada", "Password": "analytical"}"#;

pub fn plain_server(faults: &[&str]) -> Server {
    let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let options = ServeOptions { tls: Tls::None, body_limit: 64, ..ServeOptions::default() };
    Server::start(Settings { faults, ..settings(Profile::Standard) }, options).expect("a server")
}

pub fn connect(server: &Server) -> TcpStream {
    connect_to(server.address())
}

pub fn connect_to(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    // Fails instead of hanging.
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

/// Whether a connection was closed or reset. A timeout does not count.
pub fn is_over(stream: &mut impl Read) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => ![ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()),
    }
}

pub fn connect_tls(server: &Server, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let config = config(server.certificate_pem().expect("a certificate"));
    tls_over(&config, connect(server), name)
}

/// The configuration of a client that trusts this certificate.
pub fn config(pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a trust anchor");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

pub fn tls_over(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
    name: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    StreamOwned::new(ClientConnection::new(config.clone(), name).expect("a client"), stream)
}

pub fn login() -> String {
    format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: bmc\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    )
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bmc\r\n\r\n")
}

/// Reads a response with `Content-Length`. Returns its head and its body.
pub fn read(stream: &mut impl Read) -> (String, String) {
    let head = read_head(stream);
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).expect("a body");
    (head, String::from_utf8(body).expect("a body of text"))
}

pub fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("a head of text")
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

pub fn length(head: &str) -> usize {
    header(head, "content-length").map_or(0, |text| text.parse().expect("a number"))
}

pub fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
}

pub fn exchange(stream: &mut (impl Read + Write), request: &str) -> (String, String) {
    stream.write_all(request.as_bytes()).expect("sent");
    read(stream)
}

pub fn with_basic(method: &str, path: &str) -> String {
    let (name, value) = super::basic("ada");
    format!("{method} {path} HTTP/1.1\r\nHost: bmc\r\n{name}: {value}\r\n\r\n")
}
