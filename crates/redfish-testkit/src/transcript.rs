//! A dialogue as a text file: what is asked of a client, what it must send, what it is answered, how it ends.
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
//! The grammar is in `CONTRIBUTING.md`. A transcript is played against the pure core, and by each adapter over real
//! sockets; what they share, limits one and comparing a request with it, is here.

mod reader;

use std::time::Duration;

use serde_json::Value;

/// One dialogue.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// The name of its file, without the ending.
    pub name: String,
    /// Its first line.
    pub title: String,
    /// How the client is set up.
    pub setup: Setup,
    /// What is asked of it, in order.
    pub calls: Vec<Call>,
}

/// How the client is set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Who it is.
    pub user: User,
    /// A session it begins with: token, and perhaps URI.
    pub resumed: Option<(String, Option<String>)>,
    /// A `Context` for its sessions.
    pub context: Option<String>,
    /// Whether links to other origins are used by their path.
    pub path_only: bool,
    /// The deadline of each call.
    pub deadline: Option<Duration>,
    /// Bytes a body may have.
    pub limit: Option<usize>,
}

/// Who the client is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// Nobody.
    #[default]
    Anonymous,
    /// A user with a password, who logs in.
    Credentials(String, String),
    /// A user with a password, by Basic.
    Basic(String, String),
    /// The holder of somebody's token.
    Bearer(String),
}

/// One call of the client, what happens on the wire meanwhile, and its outcome.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked.
    pub verb: Verb,
    /// What must happen, in order.
    pub events: Vec<Event>,
    /// How it must end.
    pub outcome: Outcome,
}

/// What a client can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read this path as JSON.
    Get(String),
    /// Send this method to this path, perhaps with a JSON body.
    Send(String, String, Option<String>),
    /// Run another operation: its name, and the rest of the line.
    Ask(String, String),
    /// Push an image.
    PushUpdate {
        /// The name of its file.
        file: String,
        /// Its bytes.
        image: String,
        /// For which resources; none is for all.
        targets: Vec<String>,
        /// Whether it can be read only once.
        once: bool,
    },
    /// Read the body at this path as it comes, up to that many bytes.
    Download(String, u64),
    /// Find the stream of events, filter it, and read that many.
    Events(usize, Option<String>),
    /// Be logged in.
    Session,
    /// Close.
    Close,
}

/// What happens during a call.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request, and what becomes of it.
    Exchange(Request, Reaction),
    /// A wait of exactly that time.
    Wait(Duration),
}

/// A request that must be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The line of the file.
    pub line: usize,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Headers it must have. Of those that carry credentials it must have no other.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Body,
}

/// The body that a request must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// This JSON.
    Json(Value),
    /// One that contains these texts, in this order.
    Containing(Vec<String>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
        /// Whether the connection breaks before the body's end.
        cut: bool,
    },
    /// No answer.
    Failure(Failure),
}

/// How an exchange fails before its head is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not leave.
    NotSent,
    /// The connection breaks.
    Broken,
    /// Nothing comes in time.
    TimedOut,
    /// The head does not end.
    TooLarge,
    /// The certificate is not the one that is trusted.
    Untrusted,
    /// The service refuses the handshake.
    Tls,
    /// What comes is not HTTP.
    Malformed,
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well, perhaps with this JSON value.
    Done(Option<Value>),
    /// With an error of that kind, whose text contains each of these.
    Error(String, Vec<String>),
}

const CREDENTIALS: [&str; 4] = ["authorization", "x-auth-token", "cookie", "proxy-authorization"];

impl Request {
    /// What is wrong with a request that was sent in place of this one; `None`: nothing.
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
            if find(name) != Some(value.as_bytes()) {
                let found = find(name).map(String::from_utf8_lossy);
                return Some(format!("line {line}: {name} is {found:?}, not {value:?}"));
            }
        }
        let listed = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(name) = CREDENTIALS.into_iter().find(|name| find(name).is_some() && !listed(name)) {
            return Some(format!("line {line}: {name} was sent"));
        }
        let as_wanted = match &self.body {
            Body::Empty => body.is_empty(),
            Body::Json(wanted) => serde_json::from_slice::<Value>(body).is_ok_and(|sent| sent == *wanted),
            Body::Containing(texts) => {
                let sent = String::from_utf8_lossy(body);
                let mut rest = &*sent;
                texts.iter().all(|text| match rest.split_once(text.as_str()) {
                    Some((_, behind)) => {
                        rest = behind;
                        true
                    }
                    None => false,
                })
            }
        };
        (!as_wanted).then(|| format!("line {line}: the body is {:?}", String::from_utf8_lossy(body)))
    }
}

impl Outcome {
    /// Compares how a call ended with this: its value, or the kind and the text of its error.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, found: Result<&Option<Value>, (&str, String)>) -> Result<(), String> {
        match (self, found) {
            (Outcome::Done(None), Ok(_)) => Ok(()),
            (Outcome::Done(wanted), Ok(found)) if wanted == found => Ok(()),
            (Outcome::Error(kind, texts), Err((found, shown))) if kind == found => {
                match texts.iter().find(|text| !shown.contains(text.as_str())) {
                    Some(text) => Err(format!("no {text:?} in {shown:?}")),
                    None => Ok(()),
                }
            }
            (wanted, found) => Err(format!("ended in {found:?}, not {wanted:?}")),
        }
    }
}
