//! A visit with a saved session, which is used, renewed if it has expired, and written by `login`.

use std::time::{Duration, Instant};

use redfish_proto::ops::Liveness;
use redfish_proto::reason::SessionAlive;
use redfish_proto::{Credentials, ErrorKind, Session};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Visit;
use crate::authentication::{AuthMethod, Authentication};
use crate::failure::Failure;
use crate::runtime::blocking;
use crate::state::{self, SavedSession, SessionSlot, Store};

/// The outcome of the renewal of a saved session, after a 401.
enum Renewal {
    /// Another process has renewed the session.
    TakenOver,
    /// This process has logged in.
    LoggedIn,
    /// There is no saved session, or no password.
    Impossible,
    /// The session is alive, so that the 401 is final: how this is known.
    Alive(SessionAlive),
}

/// The sessions that a visit has replaced, and must close with their own tokens.
#[derive(Default)]
pub(super) struct Replaced {
    /// Sessions that may be alive.
    retired: Vec<Session>,
    /// The last session, if its own URI returned 401. Closed only if the new session gets a 401 too, because a 401 then
    /// proves nothing at this service.
    dead: Option<Session>,
}

impl Visit {
    /// Opens a session and saves it, so that it is not closed at the end of the visit.
    pub(crate) async fn save(&mut self, slot: &SessionSlot) -> Result<(SavedSession, Session), Failure> {
        let session = self.open_session().await?;
        self.register_token();
        let user = self.auth.user().unwrap_or_default();
        let saved = SavedSession::new(&self.service, user, &session);
        // There is no await point here: a signal comes either before, and the session is closed, or after, and it is saved.
        slot.write(&saved)?;
        self.observer.keep();
        self.authenticate(Authentication::saved(saved.clone(), None, &self.service)?)?;
        Ok((saved, session))
    }

    /// Removes the saved session after it was closed.
    pub(crate) async fn remove_saved(&self) -> Result<(), Failure> {
        let AuthMethod::Saved(saved, _) = &self.auth else { return Ok(()) };
        let saved = saved.clone();
        let timeout = self.options.timeout;
        blocking(move || state::remove(&saved, timeout)).await
    }

    /// Renews the saved session if `result` is a 401. Returns `None` if there is a new session, so that the caller tries
    /// again.
    pub(super) async fn renew_after<T>(
        &mut self,
        result: Result<T, Failure>,
        logged_in: &mut bool,
    ) -> Result<Option<T>, Failure> {
        self.register_token();
        let failure = match result {
            // After a write, running the operation again would repeat the write.
            Err(failure) if failure.is_kind(&ErrorKind::NotAuthenticated) && !failure.is_after_write() => {
                failure
            }
            result => return result.map(Some),
        };
        match self.renew(*logged_in).await? {
            Renewal::TakenOver => {}
            Renewal::LoggedIn => *logged_in = true,
            Renewal::Impossible => return Err(failure),
            Renewal::Alive(how) => return Err(failure.with_session_alive(how)),
        }
        Ok(None)
    }

    /// Replaces a saved session that has expired: by the one that another process has saved, else by a login, if there is a
    /// password. A 401 does not prove that the session has expired, so this reads the session's own URI first, without the
    /// lock. A sweep does not change the saved session, but opens its own. If the login fails, the saved session and its
    /// file stay: the service may be wrong, and the next command checks again.
    async fn renew(&mut self, logged_in: bool) -> Result<Renewal, Failure> {
        let AuthMethod::Saved(saved, password) = &self.auth else { return Ok(Renewal::Impossible) };
        let (saved, password) = (saved.clone(), password.clone());
        let current = saved.clone();
        match blocking(move || state::read_again(&current)).await? {
            Some(newer) if !newer.is_same(&saved) => return self.take_over(newer, password),
            _ => {}
        }
        if logged_in {
            // A 401 for a new session proves nothing about the previous one.
            self.replaced.retired.extend(self.replaced.dead.take());
            return Ok(Renewal::Alive(SessionAlive::NewSessionRefused));
        }
        let session = saved.session(&self.service)?;
        let liveness = self.check(&session).await;
        if liveness == Liveness::Alive {
            return Ok(Renewal::Alive(SessionAlive::Confirmed));
        }
        let Some(password) = password else { return Ok(Renewal::Impossible) };
        let credentials = Credentials::new(saved.user(), password.as_str());
        let login = Authentication::session(credentials, self.options.session_context());
        if self.is_in_sweep() {
            self.authenticate(login)?;
            return Ok(Renewal::LoggedIn);
        }
        // The service may have reached its session limit.
        self.close_replaced(self.time_left().min(self.service.policy().logout_deadline)).await;
        let (origin, user) = (self.service.to_string(), saved.user().to_owned());
        let timeout = self.time_left();
        let locked = blocking(move || {
            let slot = Store::required()?.lock(&origin, &user, timeout)?;
            let current = slot.read()?;
            Ok::<_, Failure>((slot, current))
        });
        let (slot, current) = locked.await?;
        if let Some(newer) = current.as_ref().filter(|newer| !newer.is_same(&saved)) {
            return self.take_over(newer.clone(), Some(password));
        }
        self.authenticate(login)?;
        match current {
            Some(_) => {
                let (renewed, _) = self.save(&slot).await?;
                self.authenticate(Authentication::saved(renewed, Some(password), &self.service)?)?;
            }
            // The user has logged out meanwhile, so the new session is not saved.
            None => drop(self.open_session().await?),
        }
        match liveness {
            Liveness::Dead => self.replaced.dead = Some(session),
            Liveness::Alive | Liveness::Unknown => self.replaced.retired.push(session),
        }
        Ok(Renewal::LoggedIn)
    }

    /// Continues with the session that another process has saved. That process closes the previous one.
    fn take_over(
        &mut self,
        newer: SavedSession,
        password: Option<Zeroizing<String>>,
    ) -> Result<Renewal, Failure> {
        self.authenticate(Authentication::saved(newer, password, &self.service)?)?;
        Ok(Renewal::TakenOver)
    }

    /// Checks whether a session is alive.
    async fn check(&self, session: &Session) -> Liveness {
        let Some(check) = session.check(&self.service) else { return Liveness::Unknown };
        let result = timeout(self.time_left(), self.client.run_call(check)).await;
        result.ok().and_then(Result::ok).unwrap_or(Liveness::Unknown)
    }

    /// Closes the replaced sessions that may be alive, within `limit` for all of them. Those for which no time is left, or
    /// before which it is dropped, are kept.
    pub(super) async fn close_replaced(&mut self, limit: Duration) {
        let began = Instant::now();
        while let number @ 1.. = self.replaced.retired.len() {
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            let session = self.replaced.retired.remove(0);
            // A logout without a response leaves time for the others.
            let logout = session.logout(&self.service).deadline(left / number as u32);
            if let Err(failure) = self.run_logout(logout).await {
                self.warn(format!("the previous session could not be closed: {failure}"));
            }
        }
    }
}
