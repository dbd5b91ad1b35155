//! A visit with a saved session: it is used, renewed once the service has forgotten it, and written by `login`.

use std::time::{Duration, Instant};

use redfish_proto::ops::Liveness;
use redfish_proto::{Credentials, ErrorKind, Session};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Visit;
use crate::authentication::{AuthMethod, Authentication};
use crate::failure::Failure;
use crate::runtime::blocking;
use crate::state::{self, SavedSession, SessionSlot, Store};

/// What became of a saved session that a 401 answered.
enum Renewal {
    /// Another process has renewed it.
    TakenOver,
    /// This one did.
    LoggedIn,
    /// The 401 is the answer: it stays as it is.
    Impossible,
    /// The same, since the session is alive.
    Alive(&'static str),
}

/// The sessions that a visit has replaced, and has to close with their own tokens.
#[derive(Default)]
pub(super) struct Replaced {
    /// Those that may be alive.
    retired: Vec<Session>,
    /// The last one, which its own URI answered with 401: closed only if the new session is refused as well, since a
    /// 401 then proves nothing at this service.
    dead: Option<Session>,
}

impl Visit {
    /// Opens a session and saves it: from then on it is not closed at the end of the visit.
    pub(crate) async fn save(&mut self, slot: &SessionSlot) -> Result<(SavedSession, Session), Failure> {
        let session = self.open_session().await?;
        self.register_token();
        let user = self.auth.user().unwrap_or_default();
        let saved = SavedSession::new(&self.service, user, &session);
        // Nothing is awaited here: a signal comes before, and the session is closed, or after, and it is saved.
        slot.write(&saved)?;
        self.observer.keep();
        self.authenticate(Authentication::saved(saved.clone(), None, &self.service)?)?;
        Ok((saved, session))
    }

    /// Removes the saved session, which is closed.
    pub(crate) async fn forget(&self) -> Result<(), Failure> {
        let AuthMethod::Saved(saved, _) = &self.auth else { return Ok(()) };
        let saved = saved.clone();
        let patience = self.options.timeout;
        blocking(move || state::forget(&saved, patience)).await
    }

    /// What was done; `None` if it is to be done again since there is another session in place of a saved one that the
    /// service has forgotten.
    pub(super) async fn renew_after<T>(
        &mut self,
        done: Result<T, Failure>,
        logged_in: &mut bool,
    ) -> Result<Option<T>, Failure> {
        self.register_token();
        let failure = match done {
            Err(failure) if failure.is_kind(&ErrorKind::NotAuthenticated) => failure,
            done => return done.map(Some),
        };
        match self.renew(*logged_in).await? {
            Renewal::TakenOver => {}
            Renewal::LoggedIn => *logged_in = true,
            Renewal::Impossible => return Err(failure),
            Renewal::Alive(how) => return Err(failure.with_session_alive(how)),
        }
        Ok(None)
    }

    /// Finds another session in place of a saved one: another process may have renewed it, else it is renewed here, if a
    /// password is at hand. A 401 does not prove that the session is dead, so the service is asked for the session itself
    /// first, without the lock. A sweep leaves the saved one as it is, and opens one of its own: only a command that names
    /// the one service renews it. If the login fails, the saved one and its file stay as they are: the service may be wrong,
    /// and the next command checks again.
    async fn renew(&mut self, logged_in: bool) -> Result<Renewal, Failure> {
        let AuthMethod::Saved(saved, password) = &self.auth else { return Ok(Renewal::Impossible) };
        let (saved, password) = (saved.clone(), password.clone());
        let seen = saved.clone();
        match blocking(move || state::read_again(&seen)).await? {
            Some(newer) if !newer.is(&saved) => return self.take_over(newer, password),
            _ => {}
        }
        if logged_in {
            // The 401 to a session that was opened just now says nothing about the one before.
            self.replaced.retired.extend(self.replaced.dead.take());
            return Ok(Renewal::Alive("also with a new session"));
        }
        let session = saved.session(&self.service)?;
        let liveness = self.check(&session).await;
        if liveness == Liveness::Alive {
            return Ok(Renewal::Alive("the session is alive"));
        }
        let Some(password) = password else { return Ok(Renewal::Impossible) };
        let credentials = Credentials::new(saved.user(), password.as_str());
        let login = Authentication::session(credentials, self.options.session_context());
        if self.is_in_sweep() {
            self.authenticate(login)?;
            return Ok(Renewal::LoggedIn);
        }
        // The service may have no room for several sessions.
        self.close_replaced(self.left().min(self.service.policy().logout_deadline)).await;
        let (origin, user) = (self.service.to_string(), saved.user().to_owned());
        let patience = self.left();
        let locked = blocking(move || {
            let slot = Store::required()?.lock(&origin, &user, patience)?;
            let present = slot.read()?;
            Ok::<_, Failure>((slot, present))
        });
        let (slot, present) = locked.await?;
        if let Some(newer) = present.as_ref().filter(|newer| !newer.is(&saved)) {
            return self.take_over(newer.clone(), Some(password));
        }
        self.authenticate(login)?;
        match present {
            Some(_) => {
                let (renewed, _) = self.save(&slot).await?;
                self.authenticate(Authentication::saved(renewed, Some(password), &self.service)?)?;
            }
            // The user has logged out meanwhile: nothing is saved again.
            None => drop(self.open_session().await?),
        }
        match liveness {
            Liveness::Dead => self.replaced.dead = Some(session),
            Liveness::Alive | Liveness::Unknown => self.replaced.retired.push(session),
        }
        Ok(Renewal::LoggedIn)
    }

    /// Goes on with the session that another process has put in place of this one. That process closes this one.
    fn take_over(
        &mut self,
        newer: SavedSession,
        password: Option<Zeroizing<String>>,
    ) -> Result<Renewal, Failure> {
        self.authenticate(Authentication::saved(newer, password, &self.service)?)?;
        Ok(Renewal::TakenOver)
    }

    /// Asks the service whether a session is alive.
    async fn check(&self, session: &Session) -> Liveness {
        let Some(check) = session.check(&self.service) else { return Liveness::Unknown };
        let checked = timeout(self.left(), self.client.run_call(check)).await;
        checked.ok().and_then(Result::ok).unwrap_or(Liveness::Unknown)
    }

    /// Closes the sessions that this visit has replaced, unless the service has said that they are dead. All of them
    /// share the time.
    pub(super) async fn close_replaced(&mut self, time: Duration) {
        let began = Instant::now();
        for session in std::mem::take(&mut self.replaced.retired) {
            let left = time.saturating_sub(began.elapsed());
            let logout = session.logout(&self.service).deadline(left);
            if let Err(failure) = self.run_logout(logout).await {
                self.warn(format!("the session before could not be closed: {failure}"));
            }
        }
    }
}
