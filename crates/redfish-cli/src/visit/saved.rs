//! A visit with a saved session: it is used, renewed once the service has forgotten it, and written by `login`.

use redfish_proto::{Credentials, ErrorKind, Session};

use super::{AuthState, Visit};
use crate::access::Identity;
use crate::failure::Failure;
use crate::runtime::blocking;
use crate::state::{self, SavedSession, SessionSlot, Store};

/// What became of a saved session that the service has forgotten.
enum Renewal {
    /// Another process has renewed it.
    TakenOver,
    /// This one did.
    LoggedIn,
    /// It stays as it is.
    Impossible,
}

impl Visit {
    /// Opens a session and saves it: from then on it is not closed at the end of the visit.
    pub(crate) async fn save(&mut self, slot: &SessionSlot) -> Result<(SavedSession, Session), Failure> {
        let session = self.open_session().await?;
        self.register_token();
        let user = self.user().unwrap_or_default();
        let Some(saved) = SavedSession::new(&self.service, user, &session) else {
            return Err(Failure::nobody());
        };
        // Nothing is awaited here: a signal comes before, and the session is closed, or after, and it is saved.
        slot.write(&saved)?;
        self.authenticate(Identity::Saved(saved.clone(), None))?;
        Ok((saved, session))
    }

    /// Removes the saved session, which is closed.
    pub(crate) async fn forget(&self) -> Result<(), Failure> {
        let AuthState::Saved(saved, _) = &self.auth else { return Ok(()) };
        let saved = saved.clone();
        blocking(move || state::forget(&saved)).await
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
        // A 401 to a session that was opened just now is final.
        match self.renew(!*logged_in).await? {
            Renewal::TakenOver => {}
            Renewal::LoggedIn => *logged_in = true,
            Renewal::Impossible => return Err(failure),
        }
        Ok(None)
    }

    /// Finds another session in place of a saved one: another process may have renewed it, else it is renewed here, if a
    /// password is at hand. A sweep leaves the saved one as it is, and opens one of its own: only a command that names the
    /// one service renews it.
    async fn renew(&mut self, may_log_in: bool) -> Result<Renewal, Failure> {
        let AuthState::Saved(saved, password) = &self.auth else { return Ok(Renewal::Impossible) };
        let (saved, password) = (saved.clone(), password.clone());
        let credentials = password
            .as_ref()
            .filter(|_| may_log_in)
            .map(|password| Identity::Session(Credentials::new(saved.user(), password.as_str())));
        if self.is_in_sweep() {
            let Some(identity) = credentials else { return Ok(Renewal::Impossible) };
            self.authenticate(identity)?;
            return Ok(Renewal::LoggedIn);
        }
        let (origin, user) = (self.service.to_string(), saved.user().to_owned());
        let locked = blocking(move || {
            let slot = Store::required()?.lock(&origin, &user)?;
            let present = slot.read()?;
            Ok::<_, Failure>((slot, present))
        });
        let (slot, present) = locked.await?;
        match present {
            Some(newer) if !newer.is(&saved) => {
                self.authenticate(Identity::Saved(newer, password))?;
                Ok(Renewal::TakenOver)
            }
            present => {
                let Some(identity) = credentials else { return Ok(Renewal::Impossible) };
                self.authenticate(identity)?;
                // If the user has logged out meanwhile, nothing is saved again.
                if present.is_some() {
                    let (renewed, _) = self.save(&slot).await?;
                    self.authenticate(Identity::Saved(renewed, password))?;
                }
                Ok(Renewal::LoggedIn)
            }
        }
    }
}
