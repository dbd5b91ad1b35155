//! A service with canned responses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::{Arc, Mutex};

use redfish_testkit::script::{Peer, ReceivedRequest as Received};

use super::common::redfish;

/// The service. It requires no authentication.
pub(crate) struct Canned {
    peer: Peer,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Canned {
    /// Maps method and target to a response: a status, headers separated by `\n`, an empty line and a body. Several
    /// responses of one target are sent in order, the last one repeatedly. The default is 404. Without a status, the
    /// connection is closed.
    pub(crate) fn new(responses: &[(&str, &str)]) -> Canned {
        let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (request, response) in responses {
            table.entry((*request).to_owned()).or_default().push((*response).to_owned());
        }
        let (table, received) = (Arc::new(Mutex::new(table)), Arc::new(Mutex::new(Vec::new())));
        let log = received.clone();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
            let Ok(mut wire) = connection.plain() else { return };
            while let Ok(Some(request)) = wire.request() {
                let key = format!("{} {}", request.method, request.target);
                log.lock().unwrap().push(request);
                let response = match table.lock().unwrap().get_mut(&key) {
                    Some(responses) if responses.len() > 1 => responses.remove(0),
                    Some(responses) => responses[0].clone(),
                    None => "404".to_owned(),
                };
                if response.is_empty() {
                    return;
                }
                let (head, body) = response.split_once("\n\n").unwrap_or((&response, ""));
                let head = head.replace('\n', "\r\n");
                let length = body.len();
                let text = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
                if wire.write(text.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Canned { peer: peer.unwrap(), received }
    }

    /// The command for this service.
    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = redfish(args);
        command.env("REDFISH_SERVICE", self.url());
        command
    }

    /// The URL of the service.
    pub(crate) fn url(&self) -> String {
        self.peer.url("http")
    }

    /// Number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.peer.connections()
    }

    /// The method and target of each request.
    pub(crate) fn requests(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }

    /// The body of the last request of this method.
    pub(crate) fn body(&self, method: &str) -> Vec<u8> {
        let received = self.received.lock().unwrap();
        received.iter().rev().find(|request| request.method == method).unwrap().body.clone()
    }

    /// A header of the last request of this method.
    pub(crate) fn header(&self, method: &str, name: &str) -> Option<String> {
        self.header_where(|request| request.method == method, name)
    }

    /// A header of the last request with this method and target.
    pub(crate) fn header_of(&self, request: &str, name: &str) -> Option<String> {
        self.header_where(|received| format!("{} {}", received.method, received.target) == request, name)
    }

    fn header_where(&self, is_meant: impl Fn(&Received) -> bool, name: &str) -> Option<String> {
        let received = self.received.lock().unwrap();
        let last = received.iter().rev().find(|request| is_meant(request))?;
        let (_, value) = last.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8(value.clone()).unwrap())
    }
}
