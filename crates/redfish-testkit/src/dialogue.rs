//! A whole dialogue of one client with a service that answers anything, and what must hold of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header, response};
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest};
use redfish_proto::ops::{Get, Monitor, Raw, TaskOutcome};
use redfish_proto::{Body, Credentials, Error, ErrorKind, Service, Session};
use serde_json::Value;

use crate::alphabet::{ALPHABET, Reaction};
use crate::client::{Client, Wire};

const PASSWORD: &str = "canary \"päss%word";
const FIRST_TOKEN: &str = "canary-first-token";
const FIRST_SESSION: &str = "/redfish/v1/SessionService/Sessions/first";
const ORIGIN: &str = "https://bmc.example:8443";
const DEADLINE: Duration = Duration::from_secs(100);
/// More exchanges than a call can need: each stage has at most a few redirects and retries, and a logout looks at
/// at most a thousand sessions.
const MOST: usize = 1_200;

/// What a client is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Be logged in.
    Login,
    /// Read.
    Get,
    /// Change.
    Patch,
    /// Act.
    Post,
    /// Watch until it is done.
    Watch,
    /// Close a session of an earlier process.
    Logout,
}

/// All of them.
pub const TASKS: [Task; 6] = [Task::Login, Task::Get, Task::Patch, Task::Post, Task::Watch, Task::Logout];

/// What was seen of a dialogue that kept all rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Exchanges in all.
    pub exchanges: usize,
    /// Logins whose answer was lost, so that a session may be open.
    pub lost_logins: usize,
}

/// Plays one dialogue, the service answering with those rows of the [`ALPHABET`] and then well.
///
/// # Panics
/// When a rule is broken: it ends, within its deadline; no credential off the origin or where none belongs; no write
/// sent again that may have been received; one login for each renewal; each session that was opened is closed,
/// handed to the caller or named in an error; no secret in any text.
pub fn play(task: Task, answers: &mut dyn Iterator<Item = u8>) -> Report {
    let service = Arc::new(Service::new(ORIGIN).unwrap_or_else(|e| panic!("{e}")));
    let resumed = match task {
        Task::Login => None,
        _ => Session::from_token(&service, FIRST_TOKEN, Some(FIRST_SESSION)).ok(),
    };
    let mut wire = Judge::new(answers);
    wire.allowed_logins = usize::from(resumed.is_none());
    if resumed.is_some() {
        wire.sessions.insert(FIRST_TOKEN.to_owned(), Fate::Open);
        wire.uris.insert(FIRST_TOKEN.to_owned(), FIRST_SESSION.to_owned());
        wire.token = FIRST_TOKEN.to_owned();
    }
    let credentials = Arc::new(Credentials::new("admin", PASSWORD));
    let authenticator = Authenticator::session(Arc::clone(&service), credentials, resumed);
    let mut client = Client { service, authenticator, wire };
    let outcome = ask(&mut client, task);
    if let Err(error) = &outcome {
        client.wire.read(error);
        if client.wire.sent_writes() == 0 {
            let unknown = matches!(error.kind(), ErrorKind::OutcomeUnknown(_));
            assert!(!unknown, "nothing was written, and yet its outcome is unknown: {error}");
        }
    }
    client.wire.begin_closing();
    let closed = client.close();
    if let Err(error) = &closed {
        client.wire.read(error);
    }
    client.wire.settle(closed.is_err());
    client.wire.report
}

/// The same, spelled by a fuzzer: the first byte is the task, the others are what the service answers.
pub fn fuzz(data: &[u8]) {
    if let Some((task, answers)) = data.split_first() {
        play(TASKS[usize::from(*task) % TASKS.len()], &mut answers.iter().copied());
    }
}

fn ask(client: &mut Client<Judge<'_>>, task: Task) -> Result<(), Error> {
    let at = client.service.target("/redfish/v1/x")?;
    let change = || Body::from(Bytes::from_static(b"{\"a\": 1}"));
    let call = |client: &mut Client<Judge<'_>>, method| {
        let raw = client.service.call(Raw::new(method, &at).json(change())).deadline(DEADLINE);
        client.drive(raw).map(drop)
    };
    match task {
        Task::Login => client.session(&SessionRequest::any()).map(drop),
        Task::Get => {
            let get = client.service.call(Get::<Value>::new(at)).deadline(DEADLINE);
            client.drive(get).map(drop)
        }
        Task::Patch => call(client, Method::PATCH),
        Task::Post => call(client, Method::POST),
        Task::Watch => {
            let watch = client.service.call(Monitor::new(at).watch()).deadline(DEADLINE);
            match client.drive(watch)? {
                TaskOutcome::Completed(_) => Ok(()),
                TaskOutcome::Failed(error) => Err(error),
            }
        }
        Task::Logout => Ok(()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A 401 for another resource does not end it: that may be a missing privilege or license.
    Open,
    /// The service answered 401 for its own URI, and has not shown since that this means nothing.
    Denied,
    /// Its DELETE was sent, whatever came back.
    Closing,
}

/// Answers, and judges each request.
struct Judge<'a> {
    answers: &'a mut dyn Iterator<Item = u8>,
    report: Report,
    now: Duration,
    began: Duration,
    sessions: HashMap<String, Fate>,
    /// Where each is, if its login said so.
    uris: HashMap<String, String>,
    /// The token given last, and the one before, if a request is about to be replayed with it.
    token: String,
    replays_after: Option<String>,
    /// Writes of this call that may have been received.
    received: Vec<(Method, String, Bytes)>,
    writes: usize,
    /// One at the beginning without a session, and one for each 401 of a session.
    allowed_logins: usize,
    logins: usize,
    /// Sessions left by logins without a token, and those that errors named.
    left: usize,
    named: usize,
    /// An error said that a session may be left open.
    said: bool,
    closing: bool,
}

impl<'a> Judge<'a> {
    fn new(answers: &'a mut dyn Iterator<Item = u8>) -> Judge<'a> {
        Judge {
            answers,
            report: Report::default(),
            now: Duration::ZERO,
            began: Duration::ZERO,
            sessions: HashMap::new(),
            uris: HashMap::new(),
            token: String::new(),
            replays_after: None,
            received: Vec::new(),
            writes: 0,
            allowed_logins: 0,
            logins: 0,
            left: 0,
            named: 0,
            said: false,
            closing: false,
        }
    }

    fn begin_closing(&mut self) {
        self.closing = true;
        self.received.clear();
        self.began = self.now;
    }

    fn sent_writes(&self) -> usize {
        self.writes
    }

    /// No text of an error may have a secret in it.
    fn read(&mut self, error: &Error) {
        let shown = format!("{error} {error:?} {:?} {}", error.messages(), error.hint());
        self.check_text(&shown);
        self.named += usize::from(shown.contains("was left open"));
        self.said |= shown.contains("may be left open");
    }

    fn check_text(&self, shown: &str) {
        assert!(!shown.contains(PASSWORD), "the password is shown: {shown}");
        assert!(!shown.contains("-token-token") && !shown.contains(FIRST_TOKEN), "a token is shown: {shown}");
        let tokens = self.sessions.keys().find(|token| shown.contains(token.as_str()));
        assert!(tokens.is_none(), "a token is shown: {shown}");
    }

    /// At the end nothing is open that could have been closed.
    fn settle(&self, said: bool) {
        // One that was replaced and whose URI the service never said is looked for, and may not be found.
        let is_known = |token: &String| self.uris.contains_key(token) || *token == self.token;
        let is_open = |(token, fate): &(&String, &Fate)| **fate == Fate::Open && is_known(token);
        let open = self.sessions.iter().filter(is_open).count();
        assert!(open == 0 || said || self.said, "{open} sessions are open, and nobody said so");
        assert!(open <= 2, "{open} sessions are open");
        assert!(self.left <= self.named, "a login without a token left a session that no error names");
        let (logins, allowed) = (self.logins, self.allowed_logins);
        assert!(logins <= allowed, "{logins} logins where {allowed} are enough");
    }

    fn judge(&mut self, outgoing: &Outgoing) {
        let request = &outgoing.request;
        self.check_text(&format!("{outgoing} {outgoing:?} {:?}", outgoing.body()));
        assert!(request.uri().to_string().starts_with(ORIGIN), "off the origin: {outgoing}");
        assert_eq!(request.headers()[header::HOST], "bmc.example:8443");
        assert!(!request.headers().contains_key(header::AUTHORIZATION), "Basic was never asked for");
        assert!(self.report.exchanges < MOST, "it does not end");
        assert!(self.now - self.began <= DEADLINE, "sent behind the deadline: {outgoing}");
        let body = request.body().bytes().cloned().unwrap_or_default();
        if is_login(&body) {
            assert!(!request.headers().contains_key("x-auth-token"), "a login carries a token");
        }
        if !request.method().is_safe() {
            self.writes += 1;
            let write = (request.method().clone(), request.uri().path().to_owned(), body);
            // The logout's DELETE is the one write that may be sent again.
            let again = self.received.contains(&write) && *request.method() != Method::DELETE;
            assert!(!again, "a write that may have been received was sent again: {outgoing}");
        }
        if *request.method() == Method::DELETE {
            let used = request.headers().get("x-auth-token").and_then(|v| v.to_str().ok());
            let fate = used.and_then(|token| self.sessions.get_mut(token));
            *fate.unwrap_or_else(|| panic!("a logout without its session's token")) = Fate::Closing;
        }
    }

    /// Notes what a 401 says about the session whose token was sent, and about the one before.
    fn note_unauthorized(&mut self, request: &http::Request<Body>, status: StatusCode) {
        let Some(used) = request.headers().get("x-auth-token").and_then(|v| v.to_str().ok()) else { return };
        // A final slash makes no other resource.
        let path = request.uri().path().trim_end_matches('/');
        // Where the URI is not known, the search for it is the only way to ask for the session.
        let own = self
            .uris
            .get(used)
            .map_or(self.closing || path.contains("/Sessions"), |uri| uri.trim_end_matches('/') == path);
        if own {
            let fate = self.sessions.get_mut(used).filter(|fate| **fate == Fate::Open);
            if let Some(fate) = fate.filter(|_| status == StatusCode::UNAUTHORIZED) {
                *fate = Fate::Denied;
            }
            return;
        }
        let before = self.replays_after.take();
        if status == StatusCode::UNAUTHORIZED {
            self.allowed_logins += 1;
            // The replay was answered 401 too: what was denied before may be alive.
            let denied = before.and_then(|before| self.sessions.get_mut(&before));
            if let Some(fate) = denied.filter(|fate| **fate == Fate::Denied) {
                *fate = Fate::Open;
            }
        }
    }

    fn note(&mut self, outgoing: &Outgoing, reaction: &Reaction) {
        let request = &outgoing.request;
        let body = request.body().bytes().cloned().unwrap_or_default();
        let login = is_login(&body);
        match reaction {
            Ok((head, _)) => {
                self.note_unauthorized(request, head.status);
                let token = head.headers.get("x-auth-token").and_then(|v| v.to_str().ok());
                match token {
                    Some(token) if login => {
                        self.sessions.insert(token.to_owned(), Fate::Open);
                        let at = head.headers.get(header::LOCATION).and_then(|v| v.to_str().ok());
                        let path = at.and_then(|at| Some(at.get(at.find("/redfish")?..)?.to_owned()));
                        self.uris.extend(path.map(|path| (token.to_owned(), path)));
                        if head.status.is_success() {
                            self.replays_after = Some(std::mem::replace(&mut self.token, token.to_owned()));
                        }
                    }
                    None if login && head.headers.contains_key("location") && head.status == 201 => {
                        self.left += 1;
                    }
                    _ => {}
                }
                // A login is judged by what is no wrong place and no redirect.
                let elsewhere =
                    head.status.is_redirection() || matches!(head.status.as_u16(), 400 | 404 | 405);
                self.logins += usize::from(login && !elsewhere);
            }
            Err(failure) => {
                // The replay may be given up: a later 401 is then not its answer.
                self.replays_after = None;
                self.logins += usize::from(login && *failure != Failure::NotSent);
                self.report.lost_logins += usize::from(login && *failure != Failure::NotSent);
            }
        }
        let not_taken = match reaction {
            Ok((head, _)) => head.status.is_redirection() || head.status == StatusCode::UNAUTHORIZED,
            Err(failure) => failure.is_unsent(),
        };
        // A login that a watch needs anew is another one; those are counted by themselves.
        if !request.method().is_safe() && !not_taken && !login {
            self.received.push((request.method().clone(), request.uri().path().to_owned(), body));
        }
    }
}

impl Wire for Judge<'_> {
    fn exchange(
        &mut self,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, Result<Bytes, Failure>), Failure> {
        self.judge(outgoing);
        self.report.exchanges += 1;
        let n = self.report.exchanges;
        let request = &outgoing.request;
        let path = request.uri().path();
        let well = || match *request.method() {
            Method::POST if request.body().bytes().is_some_and(|body| is_login(body)) => 3,
            Method::GET => 0,
            _ => 9,
        };
        let reaction = match self.answers.next() {
            Some(FREE) => free(self.answers, n),
            Some(row) => ALPHABET[usize::from(row) % ALPHABET.len()].react(n, path, PASSWORD, &self.token),
            None => ALPHABET[well()].react(n, path, PASSWORD, &self.token),
        };
        self.note(outgoing, &reaction);
        if matches!(reaction, Err(Failure::TimedOut)) {
            self.now += outgoing.limits.timeout;
        }
        reaction
    }

    fn wait(&mut self, time: Duration) {
        assert!(time < DEADLINE, "a wait of {time:?} is over the deadline");
        self.now += time;
    }

    fn now(&self) -> Now {
        Now(self.now)
    }
}

/// Marks that the bytes after it spell an answer that is not in the table.
const FREE: u8 = 255;

/// An answer of arbitrary bytes: status, which headers, and texts, each after its length.
fn free(bytes: &mut dyn Iterator<Item = u8>, n: usize) -> Reaction {
    let mut byte = || bytes.next().unwrap_or_default();
    let status = 200 + u16::from(byte()) + u16::from(byte());
    let has = byte();
    let mut text = || -> Vec<u8> { (0..byte()).map(|_| byte()).collect() };
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(status).unwrap_or_default();
    if has & 1 != 0 {
        let token = format!("token-{n}-token");
        head.headers
            .extend(token.parse().map(|value| (http::HeaderName::from_static("x-auth-token"), value)));
    }
    for (bit, name) in [(2, header::LOCATION), (4, header::RETRY_AFTER), (8, header::DATE)] {
        if has & bit != 0 {
            head.headers.extend(http::HeaderValue::from_bytes(&text()).map(|value| (name, value)));
        }
    }
    Ok((head, if has & 16 != 0 { Err(Failure::Broken) } else { Ok(text().into()) }))
}

fn is_login(body: &[u8]) -> bool {
    body.starts_with(b"{\"UserName\"")
}
