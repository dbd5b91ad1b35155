//! A service that answers what a test says, for what no sound service does.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::{Arc, Mutex};

use redfish_testkit::script::{Peer, ReceivedRequest as Received};

use super::common::bare;

/// The service. It knows nobody, and lets everybody in.
pub(crate) struct Canned {
    peer: Peer,
    seen: Arc<Mutex<Vec<Received>>>,
}

impl Canned {
    /// By method and target, what is answered: a status, headers by `\n`, an empty line and a body. Those of one
    /// target come one after the other, the last of them for good; what is not there is 404.
    pub(crate) fn new(answers: &[(&str, &str)]) -> Canned {
        let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (asked, answer) in answers {
            table.entry((*asked).to_owned()).or_default().push((*answer).to_owned());
        }
        let (table, seen) = (Arc::new(Mutex::new(table)), Arc::new(Mutex::new(Vec::new())));
        let log = seen.clone();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
            let Ok(mut wire) = connection.plain() else { return };
            while let Ok(Some(received)) = wire.request() {
                let asked = format!("{} {}", received.method, received.target);
                log.lock().unwrap().push(received);
                let answer = match table.lock().unwrap().get_mut(&asked) {
                    Some(answers) if answers.len() > 1 => answers.remove(0),
                    Some(answers) => answers[0].clone(),
                    None => "404".to_owned(),
                };
                let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
                let head = head.replace('\n', "\r\n");
                let length = body.len();
                let text = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
                if wire.write(text.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Canned { peer: peer.unwrap(), seen }
    }

    /// The command, with this service's address.
    pub(crate) fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = bare(words);
        command.env("REDFISH_SERVICE", self.url());
        command
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.peer.url("http")
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.peer.connections()
    }

    /// What was asked, as method and target.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    /// The body of the last request of this method.
    pub(crate) fn body(&self, method: &str) -> Vec<u8> {
        let seen = self.seen.lock().unwrap();
        seen.iter().rev().find(|seen| seen.method == method).unwrap().body.clone()
    }

    /// A header of the last request of this method.
    pub(crate) fn header(&self, method: &str, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let last = seen.iter().rev().find(|seen| seen.method == method)?;
        let found = last.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8(found.1.clone()).unwrap())
    }
}
