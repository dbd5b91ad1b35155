//! The login of a client: in its own task, for all callers that wait.

use std::panic::resume_unwind;

use redfish_proto::driver::{SessionRequest, SessionSource};
use redfish_proto::ops::Login;
use redfish_proto::{Call, Error, ErrorKind, Identity};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time;

use crate::client::Client;
use crate::login_coordinator::LoginResultSender;

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
