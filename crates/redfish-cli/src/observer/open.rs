//! The sessions that are open at this moment, of all visits: what has to be said if the command ends at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use redfish_proto::Purpose;
use redfish_proto::driver::Trace;

/// What each visit has open. A visit that ends takes its entry away.
static VISITS: Mutex<BTreeMap<u64, Sessions>> = Mutex::new(BTreeMap::new());

/// The number of the next visit.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The sessions of one visit.
pub(super) struct OpenSessions(u64);

struct Sessions {
    service: String,
    open: Vec<Open>,
    /// The request that is not answered yet, as far as it concerns a session.
    sent: Option<Sent>,
}

/// A session that may be open.
#[derive(PartialEq, Eq)]
enum Open {
    /// Its login is not answered.
    Unanswered,
    /// The service did not say where it is.
    Somewhere,
    /// At this path, which has no secret.
    At(String),
}

enum Sent {
    Login,
    Logout(String),
}

impl OpenSessions {
    /// None, of a visit that begins.
    pub(super) fn of(service: String) -> OpenSessions {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        visits().insert(number, Sessions { service, open: Vec::new(), sent: None });
        OpenSessions(number)
    }

    /// Sees one thing that the client of the visit does. A visit sends one request after the other.
    pub(super) fn see(&self, trace: &Trace<'_>) {
        if let Some(sessions) = visits().get_mut(&self.0) {
            sessions.see(trace);
        }
    }

    /// Where sessions of the visit may be left open, a sentence each.
    pub(super) fn left(&self) -> Vec<String> {
        visits().get(&self.0).map(Sessions::left).unwrap_or_default()
    }

    /// The session is kept for later commands: it is left open on purpose.
    pub(super) fn keep(&self) {
        if let Some(sessions) = visits().get_mut(&self.0) {
            sessions.open.clear();
        }
    }
}

impl Drop for OpenSessions {
    fn drop(&mut self) {
        visits().remove(&self.0);
    }
}

/// Where sessions may be left open if the process ends now, a sentence each.
pub(crate) fn left() -> Vec<String> {
    visits().values().flat_map(Sessions::left).collect()
}

fn visits() -> MutexGuard<'static, BTreeMap<u64, Sessions>> {
    VISITS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    fn left(&self) -> Vec<String> {
        let Sessions { service, open, .. } = self;
        let sentence = |session: &Open| match session {
            Open::Unanswered => {
                format!("a login was not answered; it may have left a session open at {service}")
            }
            Open::Somewhere => format!("a session may be left open at {service}"),
            Open::At(path) => format!("a session may be left open at {service}: {path}"),
        };
        open.iter().map(sentence).collect()
    }

    fn see(&mut self, trace: &Trace<'_>) {
        match trace {
            Trace::Request(outgoing) if outgoing.purpose == Purpose::Session => {
                // The text of a request has no secret.
                let shown = outgoing.to_string();
                let uri = shown.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
                match *outgoing.request.method() {
                    Method::POST => {
                        self.open.push(Open::Unanswered);
                        self.sent = Some(Sent::Login);
                    }
                    Method::DELETE => self.closing(path_of(uri)),
                    _ => self.sent = None,
                }
            }
            Trace::Request(_) => self.sent = None,
            Trace::Response { head, .. } => match self.sent.take() {
                Some(Sent::Login) => {
                    self.open.pop();
                    if head.status().is_success() {
                        let shown = head.to_string();
                        let location = shown.lines().find_map(|line| line.strip_prefix("< location: "));
                        self.open.push(location.map_or(Open::Somewhere, |uri| Open::At(path_of(uri))));
                    }
                }
                Some(Sent::Logout(path)) => {
                    let status = head.status();
                    let gone = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::GONE];
                    if status.is_success() || gone.contains(&status) {
                        let closed = Open::At(path);
                        self.open.retain(|open| *open != closed);
                    }
                }
                None => {}
            },
            Trace::Failure { failure, .. } => {
                if let (Some(Sent::Login), true) = (self.sent.take(), failure.is_unsent()) {
                    self.open.pop();
                }
            }
            _ => {}
        }
    }

    /// A logout. Of what its login did not say, this is where it is.
    fn closing(&mut self, path: String) {
        let at = Open::At(path.clone());
        if !self.open.contains(&at) {
            match self.open.iter_mut().find(|open| !matches!(open, Open::At(_))) {
                Some(unknown) => *unknown = at,
                None => self.open.push(at),
            }
        }
        self.sent = Some(Sent::Logout(path));
    }
}

/// The path of a URL, or of what is one already.
fn path_of(uri: &str) -> String {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => uri,
    };
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_follows_the_authority() {
        for (uri, path) in
            [("https://bmc:8443/a/b", "/a/b"), ("/a/b", "/a/b"), ("https://bmc", "/"), ("c4", "c4")]
        {
            assert_eq!(path_of(uri), path);
        }
    }
}
