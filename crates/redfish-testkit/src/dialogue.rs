//! A dialogue of one client with a service that may return any response, and the rules that the client must obey.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header, response};
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest};
use redfish_proto::ops::{Get, Monitor, Raw, TaskOutcome};
use redfish_proto::{Body, Credentials, Error, ErrorKind, Service, Session};
use serde_json::Value;

use crate::client::{Client, FakeTransport};
use crate::responses::{ExchangeResult, RESPONSES};

const PASSWORD: &str = "canary \"päss%word";
const FIRST_TOKEN: &str = "canary-first-token";
const FIRST_SESSION: &str = "/redfish/v1/SessionService/Sessions/first";
const ORIGIN: &str = "https://bmc.example:8443";
const DEADLINE: Duration = Duration::from_secs(100);
/// The maximum number of exchanges of a call. Each step has a few redirects and retries, and a logout reads up to 1,000
/// sessions.
const MAX_EXCHANGES: usize = 1_200;

/// What the client does in a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Logs in.
    Login,
    /// Reads a resource.
    Get,
    /// Changes a resource.
    Patch,
    /// Sends a POST.
    Post,
    /// Watches a task until it ends.
    Watch,
    /// Closes a resumed session.
    Logout,
}

/// All scenarios.
pub const SCENARIOS: [Scenario; 6] =
    [Scenario::Login, Scenario::Get, Scenario::Patch, Scenario::Post, Scenario::Watch, Scenario::Logout];

/// Statistics of a dialogue that obeyed all rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// The number of exchanges.
    pub exchanges: usize,
    /// The number of logins whose response was lost, so that a session may be open.
    pub lost_logins: usize,
}

/// Plays one dialogue. The service returns these rows of [`RESPONSES`], and then successful responses.
///
/// # Panics
/// If the client breaks a rule: every call ends within its deadline; no credential goes to another origin or into a request
/// that needs none; a write that may have been received is not repeated; there is one login per renewal; each opened
/// session is closed, returned to the caller or reported in an error; no text contains a secret.
pub fn play(scenario: Scenario, rows: &mut dyn Iterator<Item = u8>) -> Report {
    let service = Arc::new(Service::new(ORIGIN).unwrap_or_else(|e| panic!("{e}")));
    let resumed = match scenario {
        Scenario::Login => None,
        _ => Session::from_token(&service, FIRST_TOKEN, Some(FIRST_SESSION)).ok(),
    };
    let mut transport = RuleChecker::new(rows);
    transport.allowed_logins = usize::from(resumed.is_none());
    if resumed.is_some() {
        transport.sessions.insert(FIRST_TOKEN.to_owned(), ObservedSession::Open);
        transport.uris.insert(FIRST_TOKEN.to_owned(), FIRST_SESSION.to_owned());
        transport.token = FIRST_TOKEN.to_owned();
    }
    let credentials = Arc::new(Credentials::new("admin", PASSWORD));
    let authenticator = Authenticator::session(Arc::clone(&service), credentials, resumed);
    let mut client = Client { service, authenticator, transport };
    let outcome = run(&mut client, scenario);
    if let Err(error) = &outcome {
        client.transport.check_error(error);
        if client.transport.writes == 0 {
            let unknown = matches!(error.kind(), ErrorKind::OutcomeUnknown(_));
            assert!(!unknown, "unknown outcome without a write: {error}");
        }
    }
    client.transport.begin_closing();
    let closed = client.close();
    if let Err(error) = &closed {
        client.transport.check_error(error);
    }
    client.transport.check_end(closed.is_err());
    client.transport.report
}

/// Plays a dialogue from fuzzer input: the first byte selects the scenario, the others the responses.
pub fn fuzz(data: &[u8]) {
    if let Some((scenario, rows)) = data.split_first() {
        play(SCENARIOS[usize::from(*scenario) % SCENARIOS.len()], &mut rows.iter().copied());
    }
}

fn run(client: &mut Client<RuleChecker<'_>>, scenario: Scenario) -> Result<(), Error> {
    let at = client.service.target("/redfish/v1/x")?;
    let change = || Body::from(Bytes::from_static(b"{\"a\": 1}"));
    let call = |client: &mut Client<RuleChecker<'_>>, method| {
        let raw = client.service.call(Raw::new(method, &at).json(change())).deadline(DEADLINE);
        client.drive(raw).map(drop)
    };
    match scenario {
        Scenario::Login => client.session(&SessionRequest::any()).map(drop),
        Scenario::Get => {
            let get = client.service.call(Get::<Value>::new(at)).deadline(DEADLINE);
            client.drive(get).map(drop)
        }
        Scenario::Patch => call(client, Method::PATCH),
        Scenario::Post => call(client, Method::POST),
        Scenario::Watch => {
            let watch = client.service.call(Monitor::new(at).watch()).deadline(DEADLINE);
            match client.drive(watch)? {
                TaskOutcome::Completed(_) => Ok(()),
                TaskOutcome::Failed(error) => Err(error),
            }
        }
        Scenario::Logout => Ok(()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObservedSession {
    /// A 401 for another resource does not end the session: the cause may be a missing privilege or license.
    Open,
    /// The service returned 401 for the session's URI, and has not since returned 401 to a replay.
    Denied,
    /// The DELETE was sent, with any result.
    Closing,
    /// Its token was in the response to a read without credentials. The client may close it, but need not.
    Unclaimed,
}

/// A service that checks each request against the rules.
struct RuleChecker<'a> {
    rows: &'a mut dyn Iterator<Item = u8>,
    report: Report,
    now: Duration,
    started: Duration,
    /// The state of each session, by token.
    sessions: HashMap<String, ObservedSession>,
    /// The URI of each session, by token, if the login returned one.
    uris: HashMap<String, String>,
    /// The token of the last login.
    token: String,
    /// The token before, if a request is about to be replayed with the new one.
    replaced_token: Option<String>,
    /// Writes of this call that may have been received.
    received: Vec<(Method, String, Bytes)>,
    /// Writes of this call, and logins, that were answered 429 with a `Retry-After`.
    rate_limited: Vec<(Method, String, Bytes)>,
    writes: usize,
    /// One at the start if there is no session, and one for each 401.
    allowed_logins: usize,
    logins: usize,
    /// Sessions that cannot be closed, because the login returned no token.
    unclosed: usize,
    /// Sessions that an error reports as left open.
    reported_unclosed: usize,
    /// Whether an error reports that a session may be left open.
    reported: bool,
    closing: bool,
}

impl<'a> RuleChecker<'a> {
    fn new(rows: &'a mut dyn Iterator<Item = u8>) -> RuleChecker<'a> {
        RuleChecker {
            rows,
            report: Report::default(),
            now: Duration::ZERO,
            started: Duration::ZERO,
            sessions: HashMap::new(),
            uris: HashMap::new(),
            token: String::new(),
            replaced_token: None,
            received: Vec::new(),
            rate_limited: Vec::new(),
            writes: 0,
            allowed_logins: 0,
            logins: 0,
            unclosed: 0,
            reported_unclosed: 0,
            reported: false,
            closing: false,
        }
    }

    fn begin_closing(&mut self) {
        self.closing = true;
        self.received.clear();
        self.started = self.now;
    }

    /// Checks that the texts of an error contain no secret, and records the sessions that it reports.
    fn check_error(&mut self, error: &Error) {
        let text = format!("{error} {error:?} {:?} {}", error.messages(), error.hint());
        self.check_text(&text);
        self.reported_unclosed += usize::from(text.contains("was left open"));
        self.reported |= text.contains("may be left open");
    }

    fn check_text(&self, text: &str) {
        assert!(!text.contains(PASSWORD), "the password is in a text: {text}");
        assert!(
            !text.contains("-token-token") && !text.contains(FIRST_TOKEN),
            "a token is in a text: {text}"
        );
        let tokens = self.sessions.keys().find(|token| text.contains(token.as_str()));
        assert!(tokens.is_none(), "a token is in a text: {text}");
    }

    /// Checks that no session is open that could have been closed.
    fn check_end(&self, reported: bool) {
        // The client searches for a replaced session without a URI, but may not find it.
        let is_known = |token: &String| self.uris.contains_key(token) || *token == self.token;
        let is_open = |(token, state): &(&String, &ObservedSession)| {
            **state == ObservedSession::Open && is_known(token)
        };
        let open = self.sessions.iter().filter(is_open).count();
        assert!(open == 0 || reported || self.reported, "{open} sessions are open and not reported");
        assert!(open <= 2, "{open} sessions are open");
        assert!(
            self.unclosed <= self.reported_unclosed,
            "no error names the session of a login without a token"
        );
        let (logins, allowed) = (self.logins, self.allowed_logins);
        assert!(logins <= allowed, "{logins} logins instead of {allowed}");
    }

    fn check_request(&mut self, outgoing: &Outgoing) {
        let request = &outgoing.request;
        self.check_text(&format!("{outgoing} {outgoing:?} {:?}", outgoing.body()));
        assert!(request.uri().to_string().starts_with(ORIGIN), "off the origin: {outgoing}");
        assert_eq!(request.headers()[header::HOST], "bmc.example:8443");
        assert!(!request.headers().contains_key(header::AUTHORIZATION), "unexpected Basic credentials");
        assert!(self.report.exchanges < MAX_EXCHANGES, "too many exchanges");
        assert!(self.now - self.started <= DEADLINE, "sent after the deadline: {outgoing}");
        let body = request.body().bytes().cloned().unwrap_or_default();
        if is_login(&body) {
            assert!(!request.headers().contains_key("x-auth-token"), "a login carries a token");
        }
        if !request.method().is_safe() {
            self.writes += 1;
            let write = (request.method().clone(), request.uri().path().to_owned(), body);
            // Only the DELETE of a logout may be repeated.
            let repeated = self.received.contains(&write) && *request.method() != Method::DELETE;
            assert!(!repeated, "a write that may have been received was repeated: {outgoing}");
        }
        if *request.method() == Method::DELETE {
            let used = request.headers().get("x-auth-token").and_then(|v| v.to_str().ok());
            let state = used.and_then(|token| self.sessions.get_mut(token));
            *state.unwrap_or_else(|| panic!("a logout without its session's token")) =
                ObservedSession::Closing;
        }
    }

    /// Records what a status means for the session whose token was sent, and for the replaced one.
    fn record_status(&mut self, request: &http::Request<Body>, status: StatusCode) {
        let Some(used) = request.headers().get("x-auth-token").and_then(|v| v.to_str().ok()) else { return };
        // A trailing slash does not change the resource.
        let path = request.uri().path().trim_end_matches('/');
        // If the URI is unknown, the client can only read the session by searching the collection.
        let own = self
            .uris
            .get(used)
            .map_or(self.closing || path.contains("/Sessions"), |uri| uri.trim_end_matches('/') == path);
        if own {
            let state = self.sessions.get_mut(used).filter(|state| **state == ObservedSession::Open);
            if let Some(state) = state.filter(|_| status == StatusCode::UNAUTHORIZED) {
                *state = ObservedSession::Denied;
            }
            return;
        }
        let before = self.replaced_token.take();
        if status == StatusCode::UNAUTHORIZED {
            self.allowed_logins += 1;
            // The replay got a 401 too, so the replaced session may be alive.
            let denied = before.and_then(|before| self.sessions.get_mut(&before));
            if let Some(state) = denied.filter(|state| **state == ObservedSession::Denied) {
                *state = ObservedSession::Open;
            }
        }
    }

    fn record_exchange(&mut self, outgoing: &Outgoing, result: &ExchangeResult) {
        let request = &outgoing.request;
        let body = request.body().bytes().cloned().unwrap_or_default();
        let login = is_login(&body);
        match result {
            Ok((head, _)) => {
                self.record_status(request, head.status);
                let token = head.headers.get("x-auth-token").and_then(|v| v.to_str().ok());
                match token {
                    Some(token) if login => {
                        self.sessions.insert(token.to_owned(), ObservedSession::Open);
                        let uri = head.headers.get(header::LOCATION).and_then(|v| v.to_str().ok());
                        let path = uri.and_then(|uri| Some(uri.get(uri.find("/redfish")?..)?.to_owned()));
                        self.uris.extend(path.map(|path| (token.to_owned(), path)));
                        if head.status.is_success() {
                            self.replaced_token = Some(std::mem::replace(&mut self.token, token.to_owned()));
                        }
                    }
                    // It may be the result of a login that was redirected (303).
                    Some(token) if is_anonymous_read(request) => {
                        self.sessions.entry(token.to_owned()).or_insert(ObservedSession::Unclaimed);
                    }
                    None if login && head.headers.contains_key("location") && head.status == 201 => {
                        self.unclosed += 1;
                    }
                    _ => {}
                }
                // A redirect, a wrong URI or a limit of requests does not count as a login.
                let wrong_uri =
                    head.status.is_redirection() || matches!(head.status.as_u16(), 400 | 404 | 405 | 429);
                self.logins += usize::from(login && !wrong_uri);
            }
            Err(failure) => {
                // The client may give up the replay, so a later 401 is not the response to it.
                self.replaced_token = None;
                self.logins += usize::from(login && *failure != Failure::NotSent);
                self.report.lost_logins += usize::from(login && *failure != Failure::NotSent);
            }
        }
        let write = (request.method().clone(), request.uri().path().to_owned(), body);
        let not_processed = match result {
            Ok((head, _)) => {
                head.status.is_redirection()
                    || head.status == StatusCode::UNAUTHORIZED
                    || self.is_first_limit(head, &write)
            }
            Err(failure) => failure.is_unsent(),
        };
        // A watch may log in again, so logins are counted separately.
        if !request.method().is_safe() && !not_processed && !login {
            self.received.push(write);
        }
    }

    /// Whether this is the first 429 with a `Retry-After` to a write, which may then be sent once more.
    fn is_first_limit(&mut self, head: &response::Parts, write: &(Method, String, Bytes)) -> bool {
        let is_limit = head.status == StatusCode::TOO_MANY_REQUESTS
            && head.headers.contains_key(header::RETRY_AFTER)
            && !self.rate_limited.contains(write);
        if is_limit {
            self.rate_limited.push(write.clone());
        }
        is_limit
    }
}

impl FakeTransport for RuleChecker<'_> {
    fn exchange(
        &mut self,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, Result<Bytes, Failure>), Failure> {
        self.check_request(outgoing);
        self.report.exchanges += 1;
        let n = self.report.exchanges;
        let request = &outgoing.request;
        let path = request.uri().path();
        let default_row = || match *request.method() {
            Method::POST if request.body().bytes().is_some_and(|body| is_login(body)) => 3,
            Method::GET => 0,
            _ => 9,
        };
        let result = match self.rows.next() {
            Some(ARBITRARY) => arbitrary_response(self.rows, n),
            Some(row) => RESPONSES[usize::from(row) % RESPONSES.len()].render(n, path, PASSWORD, &self.token),
            None => RESPONSES[default_row()].render(n, path, PASSWORD, &self.token),
        };
        self.record_exchange(outgoing, &result);
        if matches!(result, Err(Failure::TimedOut)) {
            self.now += outgoing.limits.timeout;
        }
        result
    }

    fn wait(&mut self, time: Duration) {
        assert!(time < DEADLINE, "a wait of {time:?} exceeds the deadline");
        self.now += time;
    }

    fn now(&self) -> Now {
        Now(self.now)
    }
}

/// Marks that the following bytes encode a response that is not in the table.
const ARBITRARY: u8 = 255;

/// Decodes a response from arbitrary bytes: status, a bit set of headers, and texts with a length prefix.
fn arbitrary_response(bytes: &mut dyn Iterator<Item = u8>, n: usize) -> ExchangeResult {
    let mut byte = || bytes.next().unwrap_or_default();
    let status = 200 + u16::from(byte()) + u16::from(byte());
    let flags = byte();
    let mut text = || -> Vec<u8> { (0..byte()).map(|_| byte()).collect() };
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(status).unwrap_or_default();
    if flags & 1 != 0 {
        let token = format!("token-{n}-token");
        head.headers
            .extend(token.parse().map(|value| (http::HeaderName::from_static("x-auth-token"), value)));
    }
    for (bit, name) in [(2, header::LOCATION), (4, header::RETRY_AFTER), (8, header::DATE)] {
        if flags & bit != 0 {
            head.headers.extend(http::HeaderValue::from_bytes(&text()).map(|value| (name, value)));
        }
    }
    Ok((head, if flags & 16 != 0 { Err(Failure::Broken) } else { Ok(text().into()) }))
}

fn is_anonymous_read(request: &http::Request<Body>) -> bool {
    request.method().is_safe() && !request.headers().contains_key("x-auth-token")
}

fn is_login(body: &[u8]) -> bool {
    body.starts_with(b"{\"UserName\"")
}
