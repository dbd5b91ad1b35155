//! The open sessions of all visits, which are reported if the command ends at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use redfish_proto::driver::{Purpose, Trace};

/// The sessions of each visit that has not ended.
static VISITS: Mutex<BTreeMap<u64, Sessions>> = Mutex::new(BTreeMap::new());

/// The key of the next visit.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The sessions of one visit.
pub(super) struct OpenSessions(u64);

struct Sessions {
    service: String,
    open: Vec<OpenSession>,
    /// The login or logout without a response so far.
    pending: Option<Pending>,
}

/// A session that may be open.
#[derive(PartialEq, Eq)]
enum OpenSession {
    /// Its login has no response.
    LoginPending,
    /// The response to the login had no `Location`.
    UnknownUri,
    /// The session has this path, which contains no secret.
    At(String),
}

enum Pending {
    Login,
    Logout(String),
}

impl OpenSessions {
    /// The sessions of a new visit: none.
    pub(super) fn new(service: String) -> OpenSessions {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        visits().insert(number, Sessions { service, open: Vec::new(), pending: None });
        OpenSessions(number)
    }

    /// Observes one event of the visit's client. Of the requests in flight, at most one opens or closes a session.
    pub(super) fn observe(&self, trace: &Trace<'_>) {
        if let Some(sessions) = visits().get_mut(&self.0) {
            sessions.observe(trace);
        }
    }

    /// A clause for each session of the visit that may be left open.
    pub(super) fn left_open(&self) -> Vec<String> {
        visits().get(&self.0).map(Sessions::left_open).unwrap_or_default()
    }

    /// Notes that the session stays open for later commands.
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

/// A clause for each session that may be left open if the process ends now.
pub(crate) fn left_open() -> Vec<String> {
    visits().values().flat_map(Sessions::left_open).collect()
}

fn visits() -> MutexGuard<'static, BTreeMap<u64, Sessions>> {
    VISITS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    fn left_open(&self) -> Vec<String> {
        let Sessions { service, open, .. } = self;
        let clause = |session: &OpenSession| match session {
            OpenSession::LoginPending => {
                format!("a login had no response and may have left a session open at {service}")
            }
            OpenSession::UnknownUri => format!("a session may be left open at {service}"),
            OpenSession::At(path) => format!("a session may be left open at {service}: {path}"),
        };
        open.iter().map(clause).collect()
    }

    fn observe(&mut self, trace: &Trace<'_>) {
        match trace {
            Trace::Request(outgoing) if outgoing.purpose == Purpose::Session => {
                // The text of a request contains no secret.
                let text = outgoing.to_string();
                let uri = text.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
                match *outgoing.request.method() {
                    Method::POST => {
                        self.open.push(OpenSession::LoginPending);
                        self.pending = Some(Pending::Login);
                    }
                    Method::DELETE => self.logout(path_of(uri)),
                    _ => self.pending = None,
                }
            }
            Trace::Response { head, .. } if head.request().purpose == Purpose::Session => {
                match self.pending.take() {
                    Some(Pending::Login) => {
                        self.open.pop();
                        if head.status().is_success() {
                            let text = head.to_string();
                            let location = text.lines().find_map(|line| line.strip_prefix("< location: "));
                            // Another form is known once the session is closed.
                            let path = location.map(path_of).filter(|path| is_plain(path));
                            self.open.push(path.map_or(OpenSession::UnknownUri, OpenSession::At));
                        } else if head.status() == StatusCode::SEE_OTHER {
                            // The login was carried out, and its result is elsewhere.
                            self.open.push(OpenSession::UnknownUri);
                        }
                    }
                    Some(Pending::Logout(path)) => {
                        let status = head.status();
                        let gone = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::GONE];
                        if status.is_success() || gone.contains(&status) {
                            let closed = OpenSession::At(path);
                            self.open.retain(|open| *open != closed);
                        }
                    }
                    None => {}
                }
            }
            Trace::Failure { request, failure, .. } if request.purpose == Purpose::Session => {
                if let (Some(Pending::Login), true) = (self.pending.take(), failure.is_unsent()) {
                    self.open.pop();
                }
            }
            _ => {}
        }
    }

    /// Notes a logout. If a session has an unknown URI, it is this one.
    fn logout(&mut self, path: String) {
        let session = OpenSession::At(path.clone());
        if !self.open.contains(&session) {
            match self.open.iter_mut().find(|open| !matches!(open, OpenSession::At(_))) {
                Some(unknown) => *unknown = session,
                None => self.open.push(session),
            }
        }
        self.pending = Some(Pending::Logout(path));
    }
}

/// The path of a URL or of a path.
fn path_of(uri: &str) -> String {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => uri,
    };
    path.to_owned()
}

/// Whether a path is sent as it is.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && !path.contains("/.") && !path.contains("//") && !path.contains(['#', ' '])
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
