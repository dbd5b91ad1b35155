//! Who answers [`Step::Session`](crate::driver::Step::Session): holds the current session, and says when to log in.
//!
//! A plain value. Drivers put their own lock round it, hold that for its methods alone, and let one login run at a
//! time for all who wait.

use std::sync::Arc;

use crate::credentials::Credentials;
use crate::driver::call::Call;
use crate::driver::session_request::SessionRequest;
use crate::driver::time::Now;
use crate::error::{Error, OpenSession};
use crate::identity::Identity;
use crate::kind::ErrorKind;
use crate::ops::check_session::Liveness;
use crate::ops::login::{Login, Opened};
use crate::ops::logout::Logout;
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::{Found, Session};
use crate::target::Target;

/// Sessions that are kept to be closed, at a service that fails to close them.
const RETIRED: usize = 8;

/// The session that calls share, and how it is renewed.
///
/// ```
/// # use std::sync::Arc;
/// use redfish_proto::{Credentials, Service, Session};
/// use redfish_proto::driver::{Authenticator, SessionSource};
///
/// let service = Arc::new(Service::new("bmc.example")?);
/// let credentials = Arc::new(Credentials::new("admin", "secret"));
/// let mut authenticator = Authenticator::session(service, credentials, None);
/// assert!(authenticator.current().is_none());
/// assert!(authenticator.close().is_none(), "nothing was opened, so nothing is to be closed");
/// # Ok::<(), redfish_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct Authenticator {
    service: Arc<Service>,
    state: State,
    current: Option<Session>,
    /// When the service last confirmed that the current session is alive, after it had answered a 401.
    alive: Option<Now>,
    /// The session before the current one, if the service answered 401 to its check: closed only if a 401 turns out to
    /// prove nothing at this service.
    replaced: Option<Session>,
    /// Sessions that were replaced and may be alive, each to be closed with its own token. There is one at the most, unless
    /// the service fails to close it.
    retired: Vec<Session>,
    /// The credentials of the login in progress.
    logging_in: Option<Arc<Credentials>>,
    /// The secrets of credentials and sessions; those that the current one knows, where it knows them all.
    known: Arc<Redactor>,
    /// Where sessions are, once the one that told is gone.
    sessions: Option<Box<Target>>,
    context: Option<Arc<str>>,
    /// Whether a login's answer was lost, so that a session of ours may be open that nobody knows.
    lost: bool,
}

#[derive(Debug)]
enum State {
    /// One identity that is never renewed and never closed.
    Fixed(Identity),
    /// Sessions opened as needed. `rejected`: the service judged these credentials and did not take them.
    Session {
        credentials: Arc<Credentials>,
        rejected: Option<Error>,
    },
    Closed,
}

/// What becomes of a call that wants a session.
#[must_use]
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and a login is moved once")]
pub enum SessionSource {
    /// The call continues with this identity.
    Ready(Identity),
    /// This login has to run first; its outcome goes to [`Authenticator::accept`]. A driver that runs it on the
    /// caller's own thread gives it the caller's time: `login.deadline(wanted.remaining(now))`.
    Login(Call<Login>),
    /// There is no other: [`decline`](crate::driver::SessionReply::decline).
    Unavailable,
}

impl Authenticator {
    /// One identity for all calls: unauthenticated, Basic, a bearer token, or a session that somebody else manages.
    pub fn fixed(service: Arc<Service>, identity: impl Into<Identity>) -> Authenticator {
        Authenticator::new(service, State::Fixed(identity.into()), None)
    }

    /// Sessions of these credentials, opened when first needed; perhaps beginning with one of an earlier process.
    pub fn session(
        service: Arc<Service>,
        credentials: Arc<Credentials>,
        resumed: Option<Session>,
    ) -> Authenticator {
        let mut known = Redactor::default();
        known.add_credentials(&credentials);
        let mut known = Arc::new(known);
        let resumed = resumed.map(|session| session.knowing(&known));
        if let Some(session) = &resumed {
            known = Arc::clone(session.redactor());
        }
        let state = State::Session { credentials, rejected: None };
        Authenticator { known, ..Authenticator::new(service, state, resumed) }
    }

    fn new(service: Arc<Service>, state: State, current: Option<Session>) -> Authenticator {
        let known = Arc::default();
        Authenticator {
            service,
            state,
            current,
            alive: None,
            replaced: None,
            retired: Vec::new(),
            logging_in: None,
            known,
            sessions: None,
            context: None,
            lost: false,
        }
    }

    /// Marks its sessions with a `Context` that no other client uses, so that one whose login's answer was lost
    /// can be found and closed at the end. See [`Login::context`].
    #[must_use]
    pub fn context(mut self, context: impl Into<Arc<str>>) -> Authenticator {
        self.context = Some(context.into());
        self
    }

    /// Knows where sessions are from before, so that the service root is read only where that is no longer true: a login, a
    /// read and a logout are then three requests.
    #[must_use]
    pub fn sessions(mut self, at: Target) -> Authenticator {
        self.sessions = Some(Box::new(at));
        self
    }

    /// The session that calls use now.
    pub fn current(&self) -> Option<Session> {
        match &self.state {
            State::Fixed(identity) => identity.session(),
            State::Session { .. } | State::Closed => self.current.clone(),
        }
    }

    /// Finds a session for a call. While a login that this asked for runs, it must not be asked again.
    ///
    /// A 401 does not prove that the session is dead: some services answer it for a missing privilege or license. So the
    /// login asks for the session itself first, and opens no other if that is alive; the 401 is then the answer, also
    /// for the calls that waited.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] after [`close`](Authenticator::close); the rejection of credentials that the service
    /// did not take, until they are [replaced](Authenticator::replace).
    pub fn renew(&mut self, wanted: &SessionRequest) -> Result<SessionSource, Error> {
        if wanted.is_replay {
            // The new session did not help, so that the 401 said nothing about the one before.
            match &self.current {
                Some(current) if wanted.rejected() != Some(current.identity()) => {
                    return Ok(SessionSource::Ready(current.clone().into()));
                }
                _ => {}
            }
            if let Some(replaced) = self.replaced.take() {
                self.retire(replaced);
            }
            return Ok(SessionSource::Unavailable);
        }
        match &self.state {
            State::Closed => return Err(Error::new(ErrorKind::Closed)),
            State::Fixed(identity) if wanted.rejected() != Some(identity) => {
                return Ok(SessionSource::Ready(identity.clone()));
            }
            _ => {}
        }
        if let Some(current) = &self.current {
            // A late 401 of an older session: the newer one is there already.
            let is_other = wanted.rejected() != Some(current.identity());
            // The service confirmed the session after this 401: the call gets its own session back, and ends with the 401.
            let is_alive = self.alive.is_some_and(|alive| wanted.refused_at <= alive);
            if is_other || is_alive {
                return Ok(SessionSource::Ready(current.clone().into()));
            }
        }
        let State::Session { credentials, rejected } = &self.state else {
            return Ok(SessionSource::Unavailable);
        };
        if let Some(error) = rejected {
            return Err(error.clone());
        }
        let mut login = Login::new(Arc::clone(credentials));
        self.logging_in = Some(Arc::clone(credentials));
        // It stays the current one until there is another, so that it is closed whatever becomes of the login.
        if let Some(former) = self.current.clone() {
            self.remember(&former);
            login = login.replacing(former);
        }
        if let Some(retired) = self.retired.iter().find(|retired| retired.target().is_some()) {
            login = login.retiring(retired.clone());
        }
        login = login.knowing(Arc::clone(&self.known));
        if let Some(sessions) = &self.sessions {
            login = login.collection(Target::clone(sessions));
        }
        if let Some(context) = &self.context {
            login = login.context(Arc::clone(context));
        }
        Ok(SessionSource::Login(self.service.call(login)))
    }

    /// Takes the outcome of a login.
    ///
    /// # Errors
    /// The login's. [`ErrorKind::CredentialsReplaced`] if others were [given](Authenticator::replace) while it ran: whoever
    /// waited asks again. After [`close`](Authenticator::close) it is [`ErrorKind::Closed`], and a session that was
    /// opened in the meantime is kept for one more `close`.
    pub fn accept(&mut self, login: Result<Opened, Error>) -> Result<Session, Error> {
        let login = self.of_these_credentials(login);
        match login {
            Ok(opened) => {
                let session = self.take(opened);
                match self.state {
                    State::Closed => Err(Error::new(ErrorKind::Closed)),
                    _ => Ok(session),
                }
            }
            Err(mut error) => {
                // A refusal came with a token, and its session is still open: it is closed later.
                if let Some(OpenSession { token, target }) = error.take_unclosed() {
                    let found = Found { target, ..Found::default() };
                    let session = Session::opened(&self.service, token.text(), found, &self.known);
                    session.into_iter().for_each(|session| self.retire(session));
                }
                self.lost |= matches!(error.kind(), ErrorKind::OutcomeUnknown(_));
                if let (State::Session { rejected, .. }, true) = (&mut self.state, error.is_rejection()) {
                    *rejected = Some(error.clone());
                }
                Err(error.of_login())
            }
        }
    }

    /// Takes what a login opened, and sorts out the session before.
    fn take(&mut self, Opened { session, alive, former, retired }: Opened) -> Session {
        if alive.is_some() {
            // It is closed or replaced by now, or it is the current one still.
            if self.current.as_ref() == Some(&session) {
                self.alive = alive;
            }
            return session;
        }
        if let Some(closed) = retired {
            self.retired.retain(|retired| *retired != closed);
        }
        self.known = self.known.and(session.redactor());
        self.alive = None;
        self.replaced = None;
        let before = self.current.replace(session.clone());
        // Whoever closed it meanwhile has it no longer here.
        if let Some(former) = former.filter(|former| before.as_ref() == Some(&former.session)) {
            match former.liveness {
                Liveness::Dead => self.replaced = Some(former.session),
                Liveness::Alive | Liveness::Unknown => self.retire(former.session),
            }
        }
        session
    }

    /// The outcome of a login, if the credentials are still those that it had. A session of others is to be closed, and what
    /// the service said of them says nothing about these.
    fn of_these_credentials(&mut self, login: Result<Opened, Error>) -> Result<Opened, Error> {
        let had = self.logging_in.take();
        let is_same = match (&had, &self.state) {
            (Some(had), State::Session { credentials, .. }) => Arc::ptr_eq(had, credentials),
            _ => true,
        };
        if is_same {
            return login;
        }
        if let Ok(Opened { session, alive: None, retired, .. }) = login {
            if let Some(closed) = retired {
                self.retired.retain(|retired| *retired != closed);
            }
            self.known = self.known.and(session.redactor());
            self.retire(session);
        }
        Err(Error::new(ErrorKind::CredentialsReplaced))
    }

    /// Keeps a session to be closed.
    fn retire(&mut self, session: Session) {
        self.retired.push(session);
        if self.retired.len() > RETIRED {
            self.retired.remove(0);
        }
    }

    /// Takes other credentials, which are tried even where the former were rejected. Returns how to close the
    /// session of the former.
    #[must_use = "the session of the former credentials stays open"]
    pub fn replace(&mut self, credentials: Arc<Credentials>) -> Option<Call<Logout>> {
        match self.state {
            State::Session { .. } => {
                let mut known = Redactor::clone(&self.known);
                known.add_credentials(&credentials);
                self.known = Arc::new(known);
                self.state = State::Session { credentials, rejected: None };
                self.logout()
            }
            State::Fixed(_) | State::Closed => None,
        }
    }

    /// Ends it: no call gets a session any more. Returns how to close a session that is open, if it is ours. There can be
    /// two, so it is called until it returns `None`.
    pub fn close(&mut self) -> Option<Call<Logout>> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Fixed(_) => None,
            State::Session { .. } | State::Closed => self.logout(),
        }
    }

    /// Keeps what is to be known of a session that goes.
    fn remember(&mut self, session: &Session) {
        self.known = self.known.and(session.redactor());
        if let Some(sessions) = session.collection() {
            self.sessions = Some(Box::new(sessions.clone()));
        }
    }

    fn logout(&mut self) -> Option<Call<Logout>> {
        let session = self.current.take().or_else(|| self.retired.pop())?;
        self.remember(&session);
        // The service may echo the token of another session.
        let session = session.knowing(&self.known);
        let mut logout = Logout::new(&session);
        if let Some(context) = self.context.as_ref().filter(|_| self.lost) {
            logout = logout.sweeping(Arc::clone(context));
        }
        let deadline = self.service.policy().logout_deadline;
        Some(self.service.call(logout).with(session).deadline(deadline))
    }
}
