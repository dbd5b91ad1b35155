//! Coordination of logins: one login serves all callers that need a new session.
//!
//! The login runs in its own task, which stores the session. Callers only await its result. So a caller that is dropped,
//! or not polled, neither stops the login, nor loses its token, nor delays other callers.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redfish_proto::driver::{Authenticator, SessionRequest, SessionSource};
use redfish_proto::ops::{Login, Logout};
use redfish_proto::query::Features;
use redfish_proto::{Call, Credentials, Error, ErrorKind, Identity, Redactor, Session};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time;

use crate::client::Client;

/// The authenticator and the login in progress.
///
/// The lock is held only while the authenticator's methods run, never across an await.
pub(crate) struct LoginCoordinator(Mutex<State>);

struct State {
    authenticator: Authenticator,
    /// The login in progress, including the logout of a session that was opened too late.
    in_progress: Option<LoginResult>,
}

/// Receives the result of a login. The channel closes without a result if the login's task is aborted.
type LoginResult = watch::Receiver<Option<Result<(), Error>>>;

/// Sends the result of a login.
type LoginResultSender = watch::Sender<Option<Result<(), Error>>>;

impl LoginCoordinator {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self(Mutex::new(State { authenticator, in_progress: None }))
    }

    /// Locks the state. A poisoned lock is usable: no holder can leave the state inconsistent.
    fn lock(&self) -> MutexGuard<'_, State> {
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

    /// Closes the authenticator, and returns the logout of an open session. Waits up to `timeout` for a login in progress,
    /// which closes its own session.
    pub(crate) async fn close(&self, timeout: Duration) -> Option<Call<Logout>> {
        let (logout, in_progress) = {
            let mut state = self.lock();
            (state.authenticator.close(), state.in_progress.clone())
        };
        if let Some(mut result) = in_progress {
            let _ = time::timeout(timeout, result.wait_for(Option::is_some)).await;
        }
        logout
    }

    /// Replaces the credentials, and returns the logout of the session that they opened.
    pub(crate) fn replace(&self, credentials: Credentials) -> Option<Call<Logout>> {
        self.lock().authenticator.replace(credentials.into())
    }
}

impl Client {
    /// Returns a session for a call: the current one, or that of a login, which this caller starts or which is already in
    /// progress. Returns `None` if there is no other session than the one that the call had.
    ///
    /// # Errors
    /// Fails if the login fails, and with [`ErrorKind::Deadline`] if the call's deadline passes first.
    pub(crate) async fn find_session(&self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        loop {
            let (mut result, new_login) = {
                let mut state = self.coordinator().lock();
                match &state.in_progress {
                    Some(result) => (result.clone(), None),
                    None => match state.authenticator.renew(request)? {
                        SessionSource::Ready(session) => return Ok(Some(session)),
                        SessionSource::Unavailable => return Ok(None),
                        SessionSource::Login(login) => {
                            let (sender, result) = watch::channel(None);
                            state.in_progress = Some(result.clone());
                            (result, Some((login, sender)))
                        }
                    },
                }
            };
            // Outside the lock: without a runtime this panics, and the guard needs the lock.
            let task = new_login.map(|(login, sender)| self.spawn_login(login, sender));
            let result =
                async { result.wait_for(Option::is_some).await.ok().and_then(|result| result.clone()) };
            let result = match request.remaining(self.clock().now()) {
                None => result.await,
                Some(remaining) => time::timeout(remaining, result).await.map_err(|_| request.expired())?,
            };
            if let Some(result) = result {
                result?;
                continue;
            }
            // An aborted or panicked task has no result. The caller that started it fails too, and another one retries: so
            // a login that always panics is started at most once per caller.
            let Some(task) = task else { continue };
            if let Err(error) = task.await {
                match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The runtime is shutting down.
                    Err(_) => return Err(Error::new(ErrorKind::Closed)),
                }
            }
        }
    }

    /// Starts a login in its own task.
    fn spawn_login(&self, login: Call<Login>, sender: LoginResultSender) -> JoinHandle<()> {
        let guard = LoginGuard { client: self.clone(), sender };
        tokio::spawn(async move {
            let guard = guard;
            let result = guard.client.run_login(login).await;
            let sender = guard.sender.clone();
            // No login is in progress any more when callers receive the result.
            drop(guard);
            sender.send_replace(Some(result));
        })
    }

    async fn run_login(&self, login: Call<Login>) -> Result<(), Error> {
        let opened = self.log_in(login).await;
        let (accepted, late) = {
            let mut state = self.coordinator().lock();
            let accepted = state.authenticator.accept(opened);
            let late = match &accepted {
                Err(error) if *error.kind() == ErrorKind::Closed => state.authenticator.close(),
                _ => None,
            };
            (accepted, late)
        };
        // The client was closed during the login. Nothing else closes its session.
        if let Some(logout) = late {
            self.close_late_session(logout).await;
        }
        match accepted {
            Ok(_) => Ok(()),
            // All waiting callers try again, with the new credentials.
            Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Ends the login in progress, also when its task is aborted.
struct LoginGuard {
    client: Client,
    sender: LoginResultSender,
}

impl Drop for LoginGuard {
    fn drop(&mut self) {
        self.client.coordinator().lock().in_progress = None;
    }
}
