//! Who answers [`Step::Session`](crate::Step::Session): holds the current session, and says when to log in.
//!
//! A plain value. Drivers put their own lock round it, hold that for its methods alone, and let one login run at a
//! time for all who wait.

use std::sync::Arc;

use crate::call::{Call, Wanted};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::login::{Login, Opened};
use crate::logout::Logout;
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::{Credentials, Session};
use crate::target::Target;

/// The session that calls share, and how it is renewed.
///
/// ```
/// # use std::sync::Arc;
/// use redfish_proto::{Authenticator, Credentials, Renewed, Service, Session};
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
    /// One session that is never renewed and never closed.
    Fixed,
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
pub enum Renewed {
    /// It goes on with this one.
    Ready(Session),
    /// This login has to run first; its outcome goes to [`Authenticator::accept`]. A driver that runs it on the
    /// caller's own thread gives it the caller's time: `login.deadline(wanted.remaining(now))`.
    Login(Call<Login>),
    /// There is no other: [`decline`](crate::Grant::decline).
    Unavailable,
}

impl Authenticator {
    /// One session for all calls: anonymous, Basic, a bearer token, or a session that somebody else looks after.
    pub fn fixed(service: Arc<Service>, session: Session) -> Authenticator {
        Authenticator::new(service, State::Fixed, Some(session))
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
        Authenticator { service, state, current, known, sessions: None, context: None, lost: false }
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
    pub fn current(&self) -> Option<&Session> {
        self.current.as_ref()
    }

    /// Finds a session for a call. While a login that this asked for runs, it must not be asked again.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] after [`close`](Authenticator::close); the rejection of credentials that the service
    /// did not take, until they are [replaced](Authenticator::replace).
    pub fn renew(&mut self, wanted: &Wanted) -> Result<Renewed, Error> {
        if matches!(self.state, State::Closed) {
            return Err(Error::new(ErrorKind::Closed));
        }
        match &self.current {
            // A late 401 of an older session: the newer one is there already.
            Some(current) if wanted.rejected() != Some(current) => {
                return Ok(Renewed::Ready(current.clone()));
            }
            _ => {}
        }
        let State::Session { credentials, rejected } = &self.state else { return Ok(Renewed::Unavailable) };
        if let Some(error) = rejected {
            return Err(error.clone());
        }
        let login = Login::new(Arc::clone(credentials));
        // It has expired, so it is forgotten, not closed.
        if let Some(expired) = self.current.take() {
            self.forget(&expired);
        }
        let mut login = login.knowing(Arc::clone(&self.known));
        if let Some(sessions) = &self.sessions {
            login = login.at(Target::clone(sessions));
        }
        if let Some(context) = &self.context {
            login = login.context(Arc::clone(context));
        }
        Ok(Renewed::Login(self.service.call(login)))
    }

    /// Takes the outcome of a login.
    ///
    /// # Errors
    /// The login's. After [`close`](Authenticator::close) it is [`ErrorKind::Closed`], and a session that was
    /// opened in the meantime is kept for one more `close`.
    pub fn accept(&mut self, login: Result<Opened, Error>) -> Result<Session, Error> {
        match login {
            Ok(opened) => {
                let session = opened.into_session();
                self.known = self.known.and(session.redactor());
                self.current = Some(session.clone());
                match self.state {
                    State::Closed => Err(Error::new(ErrorKind::Closed)),
                    _ => Ok(session),
                }
            }
            Err(error) => {
                self.lost |= matches!(error.kind(), ErrorKind::OutcomeUnknown(_));
                if let (State::Session { rejected, .. }, true) = (&mut self.state, error.is_rejection()) {
                    *rejected = Some(error.clone());
                }
                Err(error.of_login())
            }
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
            State::Fixed | State::Closed => None,
        }
    }

    /// Ends it: no call gets a session any more. Returns how to close the one that was open, if it is ours.
    pub fn close(&mut self) -> Option<Call<Logout>> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Fixed => {
                self.current = None;
                None
            }
            State::Session { .. } | State::Closed => self.logout(),
        }
    }

    /// Keeps what is to be known of a session that goes.
    fn forget(&mut self, session: &Session) {
        self.known = self.known.and(session.redactor());
        if let Some(sessions) = session.collection() {
            self.sessions = Some(Box::new(sessions.clone()));
        }
    }

    fn logout(&mut self) -> Option<Call<Logout>> {
        let session = self.current.take()?;
        self.forget(&session);
        let mut logout = Logout::new(&session);
        if let Some(context) = self.context.as_ref().filter(|_| self.lost) {
            logout = logout.sweeping(Arc::clone(context));
        }
        let deadline = self.service.policy().logout_deadline;
        Some(self.service.call(logout).with(session).deadline(deadline))
    }
}
