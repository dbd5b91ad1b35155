//! Opening a session (DSP0266, "Redfish session login authentication").
//!
//! ```text
//!   Check ── the former session is alive ──▶ Opened
//!     │ else
//!     ▼
//!   Retire, if a session is left from an earlier login
//!     ▼
//!   Root ── Links.Sessions, else the default ──▶ Post ── token ──▶ Opened
//!                                                 │ 404, 405: the URI of Redfish before 1.6
//!                                                 └──▶ Post
//! ```

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::body::Body;
use crate::credentials::Credentials;
use crate::driver::exchange::Purpose;
use crate::driver::time::Now;
use crate::error::{Error, OpenSession};
use crate::headers::X_AUTH_TOKEN;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Auth, Operation, Request, Retry, Transition};
use crate::ops::check_session::{CHECK_TIMEOUT, CheckSession, Liveness};
use crate::ops::follow_links::{link, root};
use crate::ops::get_page;
use crate::ops::list_sessions::{LEGACY_SESSIONS, SESSIONS, SESSIONS_LINK, is_session};
use crate::ops::logout::Logout;
use crate::redact::{Redactor, SafeText};
use crate::session::{Found, Session, SessionState};
use crate::target::Target;

/// Opens a session. Neither of its requests carries credentials other than the login's own body.
///
/// It has succeeded once there is a token, whatever else the answer lacks. Each URI is tried once, and a judged
/// password is never tried again: services lock accounts and block addresses.
#[derive(Debug)]
pub struct Login {
    credentials: Arc<Credentials>,
    context: Option<Arc<str>>,
    /// The secrets of earlier sessions.
    earlier_secrets: Arc<Redactor>,
    /// The session that this login replaces, and what the check says about it.
    former: Option<Former>,
    /// A session left from an earlier login, which is closed first.
    retired: Option<Session>,
    /// The same session once it is closed.
    closed: Option<Session>,
    /// The collection of sessions, if an earlier login found it.
    collection: Option<Target>,
    stage: Stage,
    /// The collections that have refused the login.
    tried: Vec<Target>,
}

#[derive(Debug)]
enum Stage {
    /// Asks whether the former session is alive.
    Check(CheckSession),
    /// Closes the retired session with its own token.
    Retire(Box<Logout>),
    /// Closes the session that a refusal came with, then fails with the refusal.
    Undo(Box<Logout>, Error),
    /// Reads the service root to find the Sessions URI.
    Root,
    /// Posts the credentials there.
    Post {
        collection: Target,
        /// Whether a 400 may mean that this is the wrong URI: a guess, at a service older than 1.6.
        guessed: bool,
        /// Whether it was found by an earlier login, and the root not read.
        remembered: bool,
    },
}

/// A session that a login opened, and that somebody must close. To let one go unseen is a warning, here an error:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use redfish_proto::{Error, Session};
/// # use redfish_proto::ops::Opened;
/// fn ends(login: Opened) -> Opened { login }
/// # fn with(login: Opened) {
/// ends(login);
/// # }
/// ```
#[must_use = "a session that nobody closes stays open at the service"]
#[derive(Debug)]
pub struct Opened {
    pub(crate) session: Session,
    /// When the check found the session alive that is returned again, if no other was opened.
    pub(crate) alive: Option<Now>,
    /// The session that this one replaces.
    pub(crate) former: Option<Former>,
    /// The retired session, if it was closed.
    pub(crate) retired: Option<Session>,
}

/// A session that a login replaces, and what the service says about it.
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) session: Session,
    pub(crate) liveness: Liveness,
}

impl Opened {
    /// The session; closing it is now the caller's.
    pub fn into_session(self) -> Session {
        self.session
    }
}

impl Login {
    /// Opens a session of that user.
    pub fn new(credentials: Arc<Credentials>) -> Login {
        Login {
            credentials,
            context: None,
            earlier_secrets: Arc::default(),
            former: None,
            retired: None,
            closed: None,
            collection: None,
            stage: Stage::Root,
            tried: Vec::new(),
        }
        .begin()
    }

    /// At a Sessions URI that is known from before; the service root is not read.
    #[must_use]
    pub fn collection(mut self, collection: Target) -> Login {
        self.collection = Some(collection);
        self.begin()
    }

    /// With a `Context` (DSP0268, Session) that no other client uses, by which the session can be told from others
    /// when its URI is lost. Services that do not know it may refuse the login.
    #[must_use]
    pub fn context(mut self, context: Arc<str>) -> Login {
        self.context = Some(context);
        self
    }

    /// Knows the secrets of earlier sessions too.
    pub(crate) fn knowing(mut self, earlier: Arc<Redactor>) -> Login {
        self.earlier_secrets = earlier;
        self
    }

    /// Asks first whether that session is alive, which the service answered with a 401: then no other is opened.
    pub(crate) fn replacing(mut self, session: Session) -> Login {
        self.former = Some(Former { session, liveness: Liveness::Unknown });
        self.begin()
    }

    /// Closes that session before it opens another, which the service may have no room for.
    pub(crate) fn retiring(mut self, session: Session) -> Login {
        self.retired = Some(session);
        self.begin()
    }

    /// The first stage: the check, if there is something to check.
    fn begin(mut self) -> Login {
        self.stage = match self.former.as_ref().and_then(|former| CheckSession::new(&former.session)) {
            Some(check) => Stage::Check(check),
            None => self.after_check(),
        };
        self
    }

    fn after_check(&self) -> Stage {
        // One whose URI is not known would have to be searched for, which takes its time.
        match self.retired.as_ref().filter(|retired| retired.target().is_some()) {
            Some(retired) => Stage::Retire(Box::new(Logout::new(retired))),
            None => self.opening(),
        }
    }

    fn opening(&self) -> Stage {
        match &self.collection {
            Some(sessions) => Stage::Post { collection: sessions.clone(), guessed: false, remembered: true },
            None => Stage::Root,
        }
    }

    /// What the check says: the former session goes on, or another is opened.
    fn checked(mut self, liveness: Liveness, now: Now) -> Transition<Login> {
        match self.former.take() {
            Some(former) if liveness == Liveness::Alive => {
                let alive = Some(now);
                return Transition::Done(Opened {
                    session: former.session,
                    alive,
                    former: None,
                    retired: None,
                });
            }
            former => self.former = former.map(|former| Former { liveness, ..former }),
        }
        self.stage = self.after_check();
        Transition::Next(self)
    }

    /// The retired session is closed, or could not be: either way the login goes on.
    fn retired(mut self, logout: Result<Transition<Logout>, Error>) -> Transition<Login> {
        self.stage = match logout {
            Ok(Transition::Next(logout) | Transition::Later(logout, _)) => Stage::Retire(Box::new(logout)),
            Ok(Transition::Done(_)) => {
                self.closed = self.retired.take();
                self.opening()
            }
            Err(_) => self.opening(),
        };
        Transition::Next(self)
    }

    /// The session whose token a refusal carries: the service opened it all the same.
    fn unwanted(&self, answer: &Answer) -> Option<Session> {
        let found = self.found(answer, SessionState::Active);
        Session::opened(&answer.service, token(answer)?, found, &answer.redactor).ok()
    }

    /// The session that a refusal came with is closed, or could not be: either way the login has failed.
    fn undone(
        mut self,
        logout: Result<Transition<Logout>, Error>,
        refusal: Error,
        unclosed: OpenSession,
    ) -> Result<Transition<Login>, Error> {
        match logout {
            Ok(Transition::Next(logout) | Transition::Later(logout, _)) => {
                self.stage = Stage::Undo(Box::new(logout), refusal);
                Ok(Transition::Next(self))
            }
            Ok(Transition::Done(_)) => Err(refusal),
            Err(_) => Err(refusal.with_unclosed(unclosed)),
        }
    }

    /// What an answer says about the session that it opened.
    fn found(&self, answer: &Answer, state: SessionState) -> Found {
        Found {
            target: session_uri(answer),
            collection: Some(answer.target().without_final_slash()),
            state,
            context: self.context.clone(),
        }
    }

    fn post(mut self, collection: &Target, guessed: bool) -> Transition<Login> {
        let collection = collection.without_final_slash();
        self.stage = Stage::Post { collection, guessed, remembered: false };
        Transition::Next(self)
    }

    /// Where sessions are, as the service root says.
    fn find(self, answer: &Answer) -> Result<Transition<Login>, Error> {
        // A root that asks for credentials, or is broken, does not stop a login; a service that is down does.
        if answer.status().is_server_error() {
            return Err(answer.refusal());
        }
        let root: Value = answer.json().unwrap_or_default();
        match link(&root, SESSIONS_LINK) {
            Some(link) => Ok(self.post(&answer.resolve(link)?, false)),
            None => Ok(self.post(&Target::well_known(SESSIONS), is_before_1_6(&root))),
        }
    }

    /// What the answer to the credentials means.
    fn posted(
        mut self,
        answer: Answer,
        collection: Target,
        guessed: bool,
        remembered: bool,
    ) -> Result<Transition<Login>, Error> {
        if *answer.method() != Method::POST {
            return Err(Error::malformed("", "a login that was redirected to a read"));
        }
        if answer.status().is_success() {
            return self.opened(answer);
        }
        if let Some(session) = self.unwanted(&answer) {
            if session.target().is_none() {
                return Err(answer.refusal().with_unclosed(session.unclosed()));
            }
            self.stage = Stage::Undo(Box::new(Logout::new(&session)), answer.refusal());
            return Ok(Transition::Next(self));
        }
        let wrong_uri = match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => true,
            StatusCode::BAD_REQUEST => guessed,
            _ => false,
        };
        self.tried.push(collection);
        let legacy = Target::well_known(LEGACY_SESSIONS);
        if wrong_uri && remembered {
            self.stage = Stage::Root;
            return Ok(Transition::Next(self));
        }
        if wrong_uri && !self.tried.contains(&legacy) {
            return Ok(self.post(&legacy, false));
        }
        Err(answer.refusal())
    }

    fn opened(self, answer: Answer) -> Result<Transition<Login>, Error> {
        let Some(token) = token(&answer) else {
            let lacking = Error::malformed("", "a login without X-Auth-Token");
            return Err(lacking.with_status(answer.status()).with_session_left(session_left(&answer)));
        };
        let required = answer.messages().into_iter().find(|m| m.is("PasswordChangeRequired"));
        let state = match required {
            Some(message) => SessionState::PasswordChangeRequired { account: answer.account(&message) },
            None => SessionState::Active,
        };
        let found = self.found(&answer, state);
        match Session::opened(&answer.service, token, found, &answer.redactor) {
            Ok(session) => {
                let (former, retired) = (self.former, self.closed);
                Ok(Transition::Done(Opened { session, alive: None, former, retired }))
            }
            Err(_) => {
                let odd = Error::malformed("", "a login whose X-Auth-Token cannot be sent back");
                Err(odd.with_status(answer.status()).with_session_left(session_left(&answer)))
            }
        }
    }

    fn resume(mut self, received: Result<Answer, Error>) -> Result<Transition<Self>, Error> {
        match std::mem::replace(&mut self.stage, Stage::Root) {
            Stage::Check(check) => {
                let now = received.as_ref().map(Answer::now).unwrap_or_default();
                let liveness = received.map_or(Liveness::Unknown, |answer| check.judge(&answer));
                Ok(self.checked(liveness, now))
            }
            Stage::Retire(logout) => Ok(self.retired(resume(*logout, received))),
            Stage::Undo(logout, refusal) => {
                let unclosed = logout.session().unclosed();
                self.undone(resume(*logout, received), refusal, unclosed)
            }
            Stage::Root => self.find(&received?),
            Stage::Post { collection, guessed, remembered } => {
                self.posted(received?, collection, guessed, remembered)
            }
        }
    }
}

/// Gives an operation the answer, or the error if there is none.
fn resume<O: Operation>(operation: O, received: Result<Answer, Error>) -> Result<Transition<O>, Error> {
    match received {
        Ok(answer) => operation.respond(answer),
        Err(error) => operation.fail(error),
    }
}

impl Operation for Login {
    type Output = Opened;

    fn request(&self) -> Request {
        let request = match &self.stage {
            Stage::Root => Request::get(&root()),
            Stage::Check(check) => check.request(),
            Stage::Retire(logout) | Stage::Undo(logout, _) => {
                logout.request().probe(CHECK_TIMEOUT).session(logout.session())
            }
            Stage::Post { collection, .. } => {
                let body = credentials_json(&self.credentials, self.context.as_deref());
                Request::post(collection).json(body).retry(Retry::Never)
            }
        };
        request.purpose(Purpose::Session)
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn secrets(&self, known: &mut Redactor) {
        known.add_credentials(&self.credentials);
        known.extend(&self.earlier_secrets);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        self.resume(Ok(answer))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        self.resume(Err(error))
    }
}

/// The body of a login, in memory that is zeroed and was never moved.
fn credentials_json(credentials: &Credentials, context: Option<&str>) -> Body {
    let members = [
        ("UserName", Some(credentials.user())),
        ("Password", Some(credentials.password())),
        ("Context", context),
    ];
    // A character needs six bytes at the most: growing would leave a copy of the password behind.
    let length: usize =
        members.iter().map(|(name, value)| name.len() + 6 * value.map_or(0, str::len) + 8).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for (name, value) in members.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let opening: &[u8] = if text.is_empty() { b"{\"" } else { b", \"" };
        text.extend_from_slice(opening);
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\": ");
        // Writing a string to memory has no way to fail.
        let _ = serde_json::to_writer(&mut *text, value);
    }
    text.push(b'}');
    Body::secret(text)
}

fn is_before_1_6(root: &Value) -> bool {
    let version = root.get("RedfishVersion").and_then(Value::as_str).unwrap_or_default();
    let mut numbers = version.split('.').map(|n| n.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < (1, 6),
        _ => false,
    }
}

fn token(answer: &Answer) -> Option<&str> {
    let values = answer.headers().get_all(&X_AUTH_TOKEN);
    values.iter().filter_map(|v| v.to_str().ok()).map(str::trim).find(|t| !t.is_empty())
}

/// Where the new session is left.
fn session_left(answer: &Answer) -> Option<SafeText> {
    session_uri(answer).map(|session| answer.safe(session.as_str()))
}

/// Where the new session is.
fn session_uri(answer: &Answer) -> Option<Target> {
    let collection = answer.target().without_final_slash();
    get_page::created_uri(answer, &collection, |target| is_session(target, &collection))
}

impl Error {
    /// Whether the service judged the credentials, and did not take them.
    pub(crate) fn is_rejection(&self) -> bool {
        *self.kind() == ErrorKind::NotAuthenticated && self.status().is_some()
    }
}
