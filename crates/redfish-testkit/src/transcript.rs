//! Dialogues as text files: the calls of a client, the requests it must send, the responses, and the outcomes.
//!
//! ```text
//! # The token has expired: one login, one replay
//! credentials admin pw
//! session old at /redfish/v1/SessionService/Sessions/1
//!
//! get /redfish/v1/Systems/1
//! > GET /redfish/v1/Systems/1   X-Auth-Token: old
//! < 401
//! …
//! = done {"Id": "1"}
//! ```
//!
//! The grammar is in `CONTRIBUTING.md`. The core plays a transcript in memory, and each adapter plays it over real sockets.

mod reader;

use std::time::Duration;

use redfish_proto::{Links, Policy};
use serde_json::Value;

/// One dialogue.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// The name of the file, without the extension.
    pub name: String,
    /// The first comment.
    pub title: String,
    /// The settings of the client.
    pub setup: Setup,
    /// The calls of the client, in order.
    pub calls: Vec<Call>,
}

/// The settings of a client.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// How it authenticates.
    pub authentication: Authentication,
    /// A session to resume: the token, and the URI if it is known.
    pub session: Option<(String, Option<String>)>,
    /// The `Context` of new sessions.
    pub context: Option<String>,
    /// Whether only the path of a link to another origin is used.
    pub path_only: bool,
    /// The deadline of each call.
    pub deadline: Option<Duration>,
    /// The maximum length of a body, in bytes.
    pub body_limit: Option<usize>,
    /// Whether uploads are sent without `Expect`.
    pub without_expect: bool,
}

impl Setup {
    /// The policy for the service.
    pub fn policy(&self) -> Policy {
        let policy = Policy::default().with_deadline(self.deadline);
        let policy = policy.with_expect_continue(!self.without_expect);
        let policy = if self.path_only { policy.with_links(Links::PathOnly) } else { policy };
        match self.body_limit {
            Some(limit) => policy.with_body_limit(limit),
            None => policy,
        }
    }
}

/// How the client authenticates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    #[default]
    Anonymous,
    /// With a session that it opens with user name and password.
    Credentials(String, String),
    /// With HTTP Basic: user name and password.
    Basic(String, String),
    /// With a bearer token.
    Bearer(String),
}

/// One call of the client, with its exchanges and its outcome.
#[derive(Clone, Debug)]
pub struct Call {
    /// What to call.
    pub verb: Verb,
    /// The expected exchanges and waits, in order.
    pub events: Vec<Event>,
    /// The expected outcome.
    pub outcome: Outcome,
}

/// A call without its exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads this path as JSON.
    Get(String),
    /// Sends this method to this path, with an optional JSON body.
    Send(String, String, Option<String>),
    /// Runs another operation: its name, and the rest of the line.
    Operation(String, String),
    /// Pushes an image.
    PushUpdate {
        /// The file name.
        file: String,
        /// The content.
        image: String,
        /// The resources to update. Empty: all.
        targets: Vec<String>,
        /// Whether the image can be read only once.
        once: bool,
    },
    /// Streams the body at this path, up to this number of bytes.
    Download(String, u64),
    /// Opens the event stream with an optional filter, and reads this number of events.
    Events(usize, Option<String>),
    /// Logs in.
    Login,
    /// Closes the client.
    Close,
}

/// A step of a call.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request and the reply to it.
    Exchange(Request, Reply),
    /// A wait of exactly this time.
    Wait(Duration),
}

/// An expected request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The line number in the file.
    pub line: usize,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Required headers; an empty value means that there must be none of this name. Headers with credentials are forbidden unless they are listed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The expected body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// No body.
    Empty,
    /// This JSON value.
    Json(Value),
    /// A body that contains these texts, in this order.
    Containing(Vec<String>),
}

/// The reply to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A response.
    Response {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
        /// Whether the connection breaks within the body.
        truncated: bool,
    },
    /// No response.
    Failure(Failure),
}

/// Why an exchange has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request is not sent.
    NotSent,
    /// The connection breaks.
    Broken,
    /// The service does not respond in time.
    TimedOut,
    /// The head exceeds the limit.
    TooLarge,
    /// The certificate is not trusted.
    Untrusted,
    /// The service refuses the TLS handshake.
    Tls,
    /// The response is not HTTP.
    Malformed,
}

/// The expected outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Success, with an optional JSON value.
    Done(Option<Value>),
    /// An error of this kind whose text contains each of these.
    Error(String, Vec<String>),
}

const CREDENTIALS: [&str; 4] = ["authorization", "x-auth-token", "cookie", "proxy-authorization"];

impl Request {
    /// Compares a sent request with this one. `None` if it matches.
    pub fn mismatch(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Option<String> {
        let line = self.line;
        if (method, target) != (&self.method, &self.target) {
            return Some(format!("line {line}: sent {method} {target}, not {} {}", self.method, self.target));
        }
        let find = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v);
        for (name, value) in &self.headers {
            let expected = Some(value.as_bytes()).filter(|value| !value.is_empty());
            if find(name) != expected {
                let found = find(name).map(String::from_utf8_lossy);
                return Some(format!("line {line}: {name} is {found:?}, not {value:?}"));
            }
        }
        let listed = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(name) = CREDENTIALS.into_iter().find(|name| find(name).is_some() && !listed(name)) {
            return Some(format!("line {line}: {name} was sent"));
        }
        let matches = match &self.body {
            Body::Empty => body.is_empty(),
            Body::Json(expected) => serde_json::from_slice::<Value>(body).is_ok_and(|sent| sent == *expected),
            Body::Containing(texts) => {
                let sent = String::from_utf8_lossy(body);
                let mut rest = &*sent;
                texts.iter().all(|text| match rest.split_once(text.as_str()) {
                    Some((_, after)) => {
                        rest = after;
                        true
                    }
                    None => false,
                })
            }
        };
        (!matches).then(|| format!("line {line}: the body is {:?}", String::from_utf8_lossy(body)))
    }
}

impl Outcome {
    /// Compares the value of a call, or the kind and text of its error, with this outcome.
    ///
    /// # Errors
    /// The difference.
    pub fn check(&self, found: Result<&Option<Value>, (&str, String)>) -> Result<(), String> {
        match (self, found) {
            (Outcome::Done(None), Ok(_)) => Ok(()),
            (Outcome::Done(expected), Ok(found)) if expected == found => Ok(()),
            (Outcome::Error(kind, texts), Err((found, full_text))) if kind == found => {
                match texts.iter().find(|text| !full_text.contains(text.as_str())) {
                    Some(text) => Err(format!("no {text:?} in {full_text:?}")),
                    None => Ok(()),
                }
            }
            (expected, found) => Err(format!("ended in {found:?}, not {expected:?}")),
        }
    }
}
