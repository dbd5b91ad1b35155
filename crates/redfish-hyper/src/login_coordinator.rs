//! Coordination of logins: one login serves all callers that need a new session.
//!
//! The login runs in its own task, which stores the session. Callers only await its result. So a caller that is dropped,
//! or not polled, neither stops the login, nor loses its token, nor delays other callers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redfish_proto::driver::{Authenticator, Closing};
use redfish_proto::ops::Logout;
use redfish_proto::query::Features;
use redfish_proto::{Call, Credentials, Error, Redactor, Session};
use tokio::sync::watch;
use tokio::time;

/// The authenticator and the login in progress.
///
/// The lock is held only while the authenticator's methods run, never across an await.
pub(crate) struct LoginCoordinator(Mutex<State>);

pub(crate) struct State {
    pub(crate) authenticator: Authenticator,
    /// The login in progress, including the logout of a session that was opened too late.
    pub(crate) in_progress: Option<LoginResult>,
}

/// Receives the result of a login. The channel closes without a result if the login's task is aborted.
pub(crate) type LoginResult = watch::Receiver<Option<Result<(), Error>>>;

/// Sends the result of a login.
pub(crate) type LoginResultSender = watch::Sender<Option<Result<(), Error>>>;

impl LoginCoordinator {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self(Mutex::new(State { authenticator, in_progress: None }))
    }

    /// Locks the state. A poisoned lock is usable: no holder can leave the state inconsistent.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session that calls use, if there is one.
    pub(crate) fn current(&self) -> Option<Session> {
        self.lock().authenticator.current()
    }

    /// Returns what queries the service supports, if that is known.
    pub(crate) fn features(&self) -> Option<Features> {
        self.lock().authenticator.features()
    }

    pub(crate) fn remember_features(&self, features: Option<Features>) {
        self.lock().authenticator.remember_features(features);
    }

    /// Returns what the texts of calls must not show.
    pub(crate) fn secrets(&self) -> Arc<Redactor> {
        Arc::clone(self.lock().authenticator.secrets())
    }

    /// Closes the authenticator.
    pub(crate) fn close(&self, closing: &mut Closing) {
        closing.close(&mut self.lock().authenticator);
    }

    /// Waits up to `timeout` for a login in progress, which closes its own session if the authenticator is closed.
    pub(crate) async fn login_ended(&self, timeout: Duration) {
        let in_progress = self.lock().in_progress.clone();
        if let Some(mut result) = in_progress {
            let _ = time::timeout(timeout, result.wait_for(Option::is_some)).await;
        }
    }

    /// Replaces the credentials, and returns the logout of the session that they opened.
    pub(crate) fn replace(&self, credentials: Credentials) -> Option<Call<Logout>> {
        self.lock().authenticator.replace(credentials.into())
    }
}
