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

mod response;

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::body::Body;
use crate::credentials::Credentials;
use crate::driver::exchange::Purpose;
use crate::driver::time::Now;
use crate::error::{Error, OpenSession};
use crate::features::Features;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::message::{self, Condition};
use crate::operation::{Auth, Operation, Request, Retry, Transition};
use crate::ops::check_session::{CHECK_TIMEOUT, CheckSession, Liveness};
use crate::ops::follow_links::root;
use crate::ops::list_sessions::{LEGACY_SESSIONS, SESSIONS, SESSIONS_LINK};
use crate::ops::logout::Logout;
use crate::redact::{Redactor, SafeText};
use crate::session::{Session, SessionDetails, SessionState};
use crate::target::Target;

use response::{is_before_1_6, session_left, session_uri, token};

/// Opens a session. Its requests carry no credentials other than the body of the login.
///
/// It succeeds if the response has a token, whatever else is missing. Each URI is tried once, or once more after a 429, and a
/// rejected password is never sent again: services lock accounts and block addresses.
#[derive(Debug)]
pub struct Login {
    credentials: Arc<Credentials>,
    context: Option<Arc<str>>,
    /// The secrets of earlier sessions.
    earlier_secrets: Arc<Redactor>,
    /// The session that this login replaces, and the result of its check.
    former: Option<Former>,
    /// A session left from an earlier login, which is closed first.
    retired: Option<Session>,
    /// The retired session, if it was closed.
    closed: Option<Session>,
    /// The collection of sessions, if an earlier login found it.
    collection: Option<Target>,
    /// What the service root says about queries, once it is read.
    features: Option<Features>,
    stage: LoginStage,
    /// The collections that have refused the login.
    tried: Vec<Target>,
}

#[derive(Debug)]
enum LoginStage {
    /// Checks whether the former session is alive.
    Check(CheckSession),
    /// Closes the retired session with its own token.
    Retire(Box<Logout>),
    /// Closes the session of a refusal that carried a token, then fails with the refusal.
    Undo(Box<Logout>, Error),
    /// Reads the service root to find the collection of sessions.
    Root,
    /// Posts the credentials there.
    Post {
        collection: Target,
        /// Whether a 400 may mean that this URI is wrong: it is the default one, at a service before Redfish 1.6.
        guessed: bool,
        /// Whether an earlier login found it, so that the root was not read.
        remembered: bool,
    },
}

/// A session that a login opened and that must be closed. An unused one is a warning, here an error:
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
#[must_use = "a session that is not closed stays open at the service"]
#[derive(Debug)]
pub struct Opened {
    pub(crate) session: Session,
    /// When the check found the former session alive, if that one is returned.
    pub(crate) alive: Option<Now>,
    /// The session that this one replaces.
    pub(crate) former: Option<Former>,
    /// The retired session, if it was closed.
    pub(crate) retired: Option<Session>,
}

/// A session that a login replaces, and the result of its check.
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) session: Session,
    pub(crate) liveness: Liveness,
}

impl Opened {
    /// Takes the session. The caller must close it.
    pub fn into_session(self) -> Session {
        self.session
    }
}

impl Login {
    /// Opens a session with these credentials.
    pub fn new(credentials: Arc<Credentials>) -> Login {
        Login {
            credentials,
            context: None,
            earlier_secrets: Arc::default(),
            former: None,
            retired: None,
            closed: None,
            collection: None,
            features: None,
            stage: LoginStage::Root,
            tried: Vec::new(),
        }
        .begin()
    }

    /// Uses a known collection of sessions instead of reading the service root.
    #[must_use]
    pub fn collection(mut self, collection: Target) -> Login {
        self.collection = Some(collection);
        self.begin()
    }

    /// Sets a `Context` (DSP0268, Session) that no other client uses, by which the session is found if its URI is
    /// lost. Services that do not support it may refuse the login.
    #[must_use]
    pub fn context(mut self, context: Arc<str>) -> Login {
        self.context = Some(context);
        self
    }

    /// Also redacts the secrets of earlier sessions.
    pub(crate) fn with_secrets(mut self, earlier: Arc<Redactor>) -> Login {
        self.earlier_secrets = earlier;
        self
    }

    /// First checks whether this session, which was answered with a 401, is alive. If so, no other is opened.
    pub(crate) fn replacing(mut self, session: Session) -> Login {
        self.former = Some(Former { session, liveness: Liveness::Unknown });
        self.begin()
    }

    /// Closes this session before it opens another one, which the service may have no room for.
    pub(crate) fn retiring(mut self, session: Session) -> Login {
        self.retired = Some(session);
        self.begin()
    }

    /// Sets the first stage: the check, if there is a session to check.
    fn begin(mut self) -> Login {
        self.stage = match self.former.as_ref().and_then(|former| CheckSession::new(&former.session)) {
            Some(check) => LoginStage::Check(check),
            None => self.after_check(),
        };
        self
    }

    fn after_check(&self) -> LoginStage {
        // A session with an unknown URI would have to be searched for, which takes too long.
        match self.retired.as_ref().filter(|retired| retired.target().is_some()) {
            Some(retired) => LoginStage::Retire(Box::new(Logout::new(retired))),
            None => self.opening(),
        }
    }

    fn opening(&self) -> LoginStage {
        match &self.collection {
            Some(sessions) => {
                LoginStage::Post { collection: sessions.clone(), guessed: false, remembered: true }
            }
            None => LoginStage::Root,
        }
    }

    /// After the check: returns the former session, or continues with another one.
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

    /// Continues after the logout of the retired session, whether or not it succeeded.
    fn retired(mut self, logout: Result<Transition<Logout>, Error>) -> Transition<Login> {
        self.stage = match logout {
            Ok(Transition::Next(logout) | Transition::Later(logout, _)) => {
                LoginStage::Retire(Box::new(logout))
            }
            Ok(Transition::Done(_)) => {
                self.closed = self.retired.take();
                self.opening()
            }
            Err(_) => self.opening(),
        };
        Transition::Next(self)
    }

    /// The session that a refusal with a token has opened.
    fn session_of_refusal(&self, answer: &Answer) -> Option<Session> {
        let details = self.session_details(answer, SessionState::Active);
        Session::opened(&answer.service, token(answer)?, details, &answer.redactor).ok()
    }

    /// Fails with this error, after the logout of the session whose token the response contains, if there is one.
    fn undo(mut self, answer: &Answer, error: Error) -> Result<Transition<Login>, Error> {
        let Some(session) = self.session_of_refusal(answer) else { return Err(error) };
        if session.target().is_none() {
            return Err(error.with_unclosed(session.unclosed()));
        }
        self.stage = LoginStage::Undo(Box::new(Logout::new(&session)), error);
        Ok(Transition::Next(self))
    }

    /// Fails with the refusal after the logout of its session, whether or not it succeeded.
    fn after_undo(
        mut self,
        logout: Result<Transition<Logout>, Error>,
        refusal: Error,
        unclosed: OpenSession,
    ) -> Result<Transition<Login>, Error> {
        match logout {
            Ok(Transition::Next(logout) | Transition::Later(logout, _)) => {
                self.stage = LoginStage::Undo(Box::new(logout), refusal);
                Ok(Transition::Next(self))
            }
            Ok(Transition::Done(_)) => Err(refusal),
            Err(_) => Err(refusal.with_unclosed(unclosed)),
        }
    }

    /// Reads the session in a response.
    fn session_details(&self, answer: &Answer, state: SessionState) -> SessionDetails {
        SessionDetails {
            target: session_uri(answer),
            collection: Some(answer.target().without_final_slash()),
            state,
            context: self.context.clone(),
            features: self.features,
        }
    }

    fn post(mut self, collection: &Target, guessed: bool) -> Transition<Login> {
        let collection = collection.without_final_slash();
        self.stage = LoginStage::Post { collection, guessed, remembered: false };
        Transition::Next(self)
    }

    /// Reads the collection of sessions from the service root.
    fn find(mut self, answer: &Answer) -> Result<Transition<Login>, Error> {
        // A root that requires credentials, or is not valid, does not prevent a login. A service that fails does, and one
        // that would refuse every request, with the password in it.
        if answer.status().is_server_error() || answer.is_host_refusal() {
            return Err(answer.refusal());
        }
        // It may be that of a portal or of another service, which must not get the password.
        if answer.status().is_success() && answer.body().is_ok_and(|body| message::is_web_page(body)) {
            let page = Error::new(ErrorKind::Transport(Failure::WebPage)).with_status(answer.status());
            return Err(answer.stamp(page));
        }
        let root: Value = answer.json().unwrap_or_default();
        self.features = answer.status().is_success().then(|| Features::of(&root));
        match link_at(&root, SESSIONS_LINK) {
            Some(link) if !answer.resolve(link)?.is_same_except_slash(answer.target()) => {
                Ok(self.post(&answer.resolve(link)?, false))
            }
            _ => Ok(self.post(&Target::well_known(SESSIONS), is_before_1_6(&root))),
        }
    }

    /// Interprets the response to the credentials.
    fn posted(
        mut self,
        answer: Answer,
        collection: Target,
        guessed: bool,
        remembered: bool,
    ) -> Result<Transition<Login>, Error> {
        if *answer.method() != Method::POST {
            // The login was carried out (303), so that a token in the result is that of a session.
            let error = Error::malformed("", "a login that was redirected to a read");
            return self.undo(&answer, answer.stamp(error.with_status(answer.status())));
        }
        if answer.status().is_success() {
            return self.opened(answer);
        }
        if token(&answer).is_some() {
            let refusal = answer.refusal();
            return self.undo(&answer, refusal);
        }
        let wrong_uri = match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => true,
            StatusCode::BAD_REQUEST => guessed,
            _ => false,
        };
        self.tried.push(collection);
        let legacy = Target::well_known(LEGACY_SESSIONS);
        if wrong_uri && remembered {
            self.stage = LoginStage::Root;
            return Ok(Transition::Next(self));
        }
        if wrong_uri && !self.tried.contains(&legacy) {
            return Ok(self.post(&legacy, false));
        }
        Err(answer.refusal())
    }

    fn opened(self, answer: Answer) -> Result<Transition<Login>, Error> {
        let Some(token) = token(&answer) else {
            let said = answer.messages();
            let refusal = answer.refusal();
            if matches!(refusal.kind(), ErrorKind::SessionLimit | ErrorKind::PasswordChangeRequired { .. }) {
                return Err(refusal);
            }
            let texts =
                said.iter().map(|message| if message.text.is_empty() { &message.id } else { &message.text });
            let texts = SafeText::join(texts.filter(|text| !text.is_empty()), "; ");
            let reason = SafeText::from("a login without X-Auth-Token");
            let reason = if texts.is_empty() {
                reason
            } else {
                reason.followed_by(format_args!(": {}", texts.clause()))
            };
            let lacking = Error::malformed("", reason).with_messages(said).with_status(answer.status());
            return Err(lacking.with_session_left(session_left(&answer)));
        };
        let required =
            answer.messages().into_iter().find(|m| m.condition() == Some(Condition::PasswordExpired));
        let state = match required {
            Some(message) => SessionState::PasswordChangeRequired { account: answer.account(&message) },
            None => SessionState::Active,
        };
        let details = self.session_details(&answer, state);
        match Session::opened(&answer.service, token, details, &answer.redactor) {
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
        match std::mem::replace(&mut self.stage, LoginStage::Root) {
            LoginStage::Check(check) => {
                let now = received.as_ref().map(Answer::now).unwrap_or_default();
                let liveness = received.map_or(Liveness::Unknown, |answer| check.judge(&answer));
                Ok(self.checked(liveness, now))
            }
            LoginStage::Retire(logout) => Ok(self.retired(resume(*logout, received))),
            LoginStage::Undo(logout, refusal) => {
                let unclosed = logout.session().unclosed();
                self.after_undo(resume(*logout, received), refusal, unclosed)
            }
            LoginStage::Root => self.find(&received?),
            LoginStage::Post { collection, guessed, remembered } => {
                self.posted(received?, collection, guessed, remembered)
            }
        }
    }
}

/// Passes the response to an operation, or the error without one.
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
            LoginStage::Root => Request::get(&root()),
            LoginStage::Check(check) => check.request(),
            LoginStage::Retire(logout) | LoginStage::Undo(logout, _) => {
                logout.request().probe(CHECK_TIMEOUT).session(logout.session())
            }
            LoginStage::Post { collection, .. } => {
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

/// The body of a login, in memory that is zeroed and never moved.
fn credentials_json(credentials: &Credentials, context: Option<&str>) -> Body {
    let members = [
        ("UserName", Some(credentials.user())),
        ("Password", Some(credentials.password())),
        ("Context", context),
    ];
    // A character needs up to six bytes. Growing the buffer would leave a copy of the password in memory.
    let length: usize =
        members.iter().map(|(name, value)| name.len() + 6 * value.map_or(0, str::len) + 8).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for (name, value) in members.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let opening: &[u8] = if text.is_empty() { b"{\"" } else { b", \"" };
        text.extend_from_slice(opening);
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\": ");
        // Writing a string to memory cannot fail.
        let _ = serde_json::to_writer(&mut *text, value);
    }
    text.push(b'}');
    Body::secret(text)
}

impl Error {
    /// Whether the service rejected the credentials, also because the password must be changed.
    pub(crate) fn is_rejection(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
            && matches!(self.kind(), ErrorKind::NotAuthenticated | ErrorKind::PasswordChangeRequired { .. })
    }
}
