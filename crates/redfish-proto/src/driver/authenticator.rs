//! The authenticator, which answers [`Step::Session`](crate::driver::Step::Session): it holds the current session and
//! decides when to log in.
//!
//! A plain value. A driver adds its own lock, holds it only during a method, and runs one login at a time.

use std::sync::Arc;

use crate::credentials::Credentials;
use crate::driver::call::Call;
use crate::driver::session_request::SessionRequest;
use crate::driver::time::Now;
use crate::error::{Error, OpenSession};
use crate::features::Features;
use crate::identity::Identity;
use crate::kind::ErrorKind;
use crate::ops::check_session::Liveness;
use crate::ops::login::{Login, Opened};
use crate::ops::logout::Logout;
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::{Session, SessionDetails};
use crate::target::Target;

/// Maximum number of retired sessions that are kept to be closed, at a service that fails to close them.
const MAX_RETIRED: usize = 8;

/// Holds the session that calls share, and renews it.
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
    /// When the service last confirmed that the current session is alive, after a 401.
    alive: Option<Now>,
    /// The previous session, if its check was answered with a 401. It is closed only if a 401 turns out to prove
    /// nothing at this service.
    replaced: Option<Session>,
    /// Sessions that were replaced and may be alive, each to be closed with its own token. At most one, unless the
    /// service fails to close it.
    retired: Vec<Session>,
    /// The credentials of the login in progress.
    logging_in: Option<Arc<Credentials>>,
    /// The secrets of credentials and sessions; shared with the current session if that knows all of them.
    known: Arc<Redactor>,
    /// The collection of sessions, if it is known.
    sessions: Option<Box<Target>>,
    context: Option<Arc<str>>,
    /// Whether the response to a login was lost, so that an unknown session may be open.
    lost: bool,
    features: Option<Features>,
}

#[derive(Debug)]
enum State {
    /// One identity that is never renewed and never closed.
    Fixed(Identity),
    /// Sessions that are opened as needed. `rejected` is set if the service rejected these credentials.
    Session {
        credentials: Arc<Credentials>,
        rejected: Option<Error>,
    },
    Closed,
}

/// The source of a call's session.
#[must_use]
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and a login is moved once")]
pub enum SessionSource {
    /// The call continues with this identity.
    Ready(Identity),
    /// This login must run first; its result goes to [`Authenticator::accept`]. A driver that runs it on the caller's
    /// thread limits it to the caller's time: `login.deadline(request.remaining(now))`.
    Login(Call<Login>),
    /// There is no other session: [`decline`](crate::driver::SessionReply::decline).
    Unavailable,
}

impl Authenticator {
    /// Uses one identity for all calls: unauthenticated, Basic, a bearer token, or a session that another program
    /// manages.
    pub fn fixed(service: Arc<Service>, identity: impl Into<Identity>) -> Authenticator {
        let identity = identity.into();
        let known = Arc::clone(identity.redactor());
        Authenticator { known, ..Authenticator::new(service, State::Fixed(identity), None) }
    }

    /// Opens sessions with these credentials when they are needed. Can start with a session of an earlier process.
    pub fn session(
        service: Arc<Service>,
        credentials: Arc<Credentials>,
        resumed: Option<Session>,
    ) -> Authenticator {
        let mut known = Redactor::default();
        known.add_credentials(&credentials);
        let mut known = Arc::new(known);
        let resumed = resumed.map(|session| session.with_secrets(&known));
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
            features: None,
        }
    }

    /// Hides these secrets as well, in every text of its calls.
    #[must_use]
    pub fn redacting(mut self, secrets: Redactor) -> Authenticator {
        self.known = self.known.merged(&Arc::new(secrets));
        self
    }

    /// The secrets that the texts of calls must not show: of credentials, of sessions, and those that it was
    /// [given](Authenticator::redacting).
    pub fn secrets(&self) -> &Arc<Redactor> {
        &self.known
    }

    /// Sets a `Context` for its sessions that no other client uses, so that a session whose login response was lost
    /// can be found and closed at the end. See [`Login::context`].
    #[must_use]
    pub fn context(mut self, context: impl Into<Arc<str>>) -> Authenticator {
        self.context = Some(context.into());
        self
    }

    /// Sets the known collection of sessions. The service root is read only if the collection is no longer there, so
    /// a login, a read and a logout take three requests.
    #[must_use]
    pub fn sessions(mut self, collection: Target) -> Authenticator {
        self.sessions = Some(Box::new(collection));
        self
    }

    /// The session that calls currently use.
    pub fn current(&self) -> Option<Session> {
        match &self.state {
            State::Fixed(identity) => identity.session(),
            State::Session { .. } | State::Closed => self.current.clone(),
        }
    }

    /// What queries the service supports, if the service root was read: at the login of the current session, or by a driver
    /// that [remembers](Authenticator::remember_features) it.
    pub fn features(&self) -> Option<Features> {
        self.features
    }

    /// Remembers what queries the service supports until the session is replaced, or forgets it: an update may change it.
    pub fn remember_features(&mut self, features: Option<Features>) {
        self.features = features;
    }

    /// Provides a session for a call. It must not be called again while a login that it returned is running.
    ///
    /// A 401 does not prove that the session is dead: some services send it for a missing privilege or license. So
    /// the login first checks the session itself, and opens no other if it is alive. The 401 is then final, also for
    /// the calls that waited.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] after [`close`](Authenticator::close). The rejection of the credentials, until they are
    /// [replaced](Authenticator::replace).
    pub fn renew(&mut self, request: &SessionRequest) -> Result<SessionSource, Error> {
        if request.is_replay {
            // The new session was refused too, so the 401 says nothing about the previous one.
            match &self.current {
                Some(current) if request.rejected() != Some(current.identity()) => {
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
            State::Closed => return Err(self.service.error(ErrorKind::Closed)),
            State::Fixed(identity) if request.rejected() != Some(identity) => {
                return Ok(SessionSource::Ready(identity.clone()));
            }
            _ => {}
        }
        if let Some(current) = &self.current {
            // A late 401 of an older session: there is already a newer one.
            let is_other = request.rejected() != Some(current.identity());
            // The service confirmed the session after this 401, so the call gets its own session back and ends with
            // the 401.
            let is_alive = self.alive.is_some_and(|alive| request.refused_at <= alive);
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
        // It stays the current session until there is another one, so that it is closed even if the login fails.
        if let Some(former) = self.current.clone() {
            self.remember(&former);
            login = login.replacing(former);
        }
        if let Some(retired) = self.retired.iter().find(|retired| retired.target().is_some()) {
            login = login.retiring(retired.clone());
        }
        login = login.with_secrets(Arc::clone(&self.known));
        if let Some(sessions) = &self.sessions {
            login = login.collection(Target::clone(sessions));
        }
        if let Some(context) = &self.context {
            login = login.context(Arc::clone(context));
        }
        Ok(SessionSource::Login(self.service.call(login)))
    }

    /// Takes the result of a login.
    ///
    /// # Errors
    /// That of the login. [`ErrorKind::CredentialsReplaced`] if the credentials were
    /// [replaced](Authenticator::replace) while it ran: the calls that waited try again. [`ErrorKind::Closed`] after
    /// [`close`](Authenticator::close); a session that was opened in the meantime is kept for one more `close`.
    pub fn accept(&mut self, login: Result<Opened, Error>) -> Result<Session, Error> {
        let login = self.of_these_credentials(login);
        match login {
            Ok(opened) => {
                let session = self.take(opened);
                match self.state {
                    State::Closed => Err(self.service.error(ErrorKind::Closed)),
                    _ => Ok(session),
                }
            }
            Err(mut error) => {
                // The refusal came with a token, whose session is still open and is closed later.
                if let Some(OpenSession { token, target }) = error.take_unclosed() {
                    let details = SessionDetails { target, ..SessionDetails::default() };
                    let session = Session::opened(&self.service, token.text(), details, &self.known);
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

    /// Takes the session that a login opened, and keeps or drops the previous one.
    fn take(&mut self, Opened { session, alive, former, retired }: Opened) -> Session {
        if alive.is_some() {
            // It may have been closed or replaced in the meantime.
            if self.current.as_ref() == Some(&session) {
                self.alive = alive;
            }
            return session;
        }
        if let Some(closed) = retired {
            self.retired.retain(|retired| *retired != closed);
        }
        self.known = self.known.merged(session.redactor());
        self.alive = None;
        self.replaced = None;
        self.features = session.features();
        let before = self.current.replace(session.clone());
        // If it was closed in the meantime, it is no longer the current session.
        if let Some(former) = former.filter(|former| before.as_ref() == Some(&former.session)) {
            match former.liveness {
                Liveness::Dead => self.replaced = Some(former.session),
                Liveness::Alive | Liveness::Unknown => self.retire(former.session),
            }
        }
        session
    }

    /// The result of a login, unless its credentials were replaced. Then its session is to be closed, and its
    /// rejection says nothing about the new credentials.
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
            self.known = self.known.merged(session.redactor());
            self.retire(session);
        }
        Err(self.service.error(ErrorKind::CredentialsReplaced))
    }

    /// Keeps a session to be closed.
    fn retire(&mut self, session: Session) {
        self.retired.push(session);
        if self.retired.len() > MAX_RETIRED {
            self.retired.remove(0);
        }
    }

    /// Replaces the credentials, also after a rejection. Returns the logout of the session of the former ones.
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

    /// Closes the authenticator: no call gets a session any more. Returns the logout of an open session that this
    /// authenticator opened or resumed. There can be several, so it is called until it returns `None`.
    pub fn close(&mut self) -> Option<Call<Logout>> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Fixed(_) => None,
            State::Session { .. } | State::Closed => self.logout(),
        }
    }

    /// Keeps the secrets and the collection of a session that is replaced or closed.
    fn remember(&mut self, session: &Session) {
        self.known = self.known.merged(session.redactor());
        if let Some(sessions) = session.collection() {
            self.sessions = Some(Box::new(sessions.clone()));
        }
    }

    fn logout(&mut self) -> Option<Call<Logout>> {
        let session = self.current.take().or_else(|| self.retired.pop())?;
        self.remember(&session);
        // The service may echo the token of another session.
        let session = session.with_secrets(&self.known);
        let mut logout = Logout::new(&session);
        if let Some(context) = self.context.as_ref().filter(|_| self.lost) {
            logout = logout.deleting_others_with(Arc::clone(context));
        }
        let deadline = self.service.policy().logout_deadline;
        Some(self.service.call(logout).with_identity(session).deadline(deadline))
    }
}
