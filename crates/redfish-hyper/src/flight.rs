//! Single flight: of all callers that need a new session, one login serves them.
//!
//! It runs in a task of its own, which owns the turn and stores the session; callers await its outcome alone. So
//! a caller that is dropped, or alive but not polled, neither stops a login, nor loses its token, nor holds up the
//! others.

use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redfish_proto::driver::{Authenticator, SessionRequest, SessionSource};
use redfish_proto::ops::{Login, Logout};
use redfish_proto::query::Features;
use redfish_proto::{Call, Credentials, Error, ErrorKind, Identity, Session};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::Client;

/// The authenticator, and the login that is on its way.
///
/// The lock is held for the authenticator's own methods alone, never across an await.
pub(crate) struct LoginCoordinator(Mutex<State>);

struct State {
    authenticator: Authenticator,
    /// A login on its way, or the logout of one that came too late.
    flying: Option<LoginResult>,
}

/// How a login ended, once it has. Closed without a word where its task was ended by force.
type LoginResult = watch::Receiver<Option<Result<(), Error>>>;

/// The other end of that.
type Outcome = watch::Sender<Option<Result<(), Error>>>;

impl LoginCoordinator {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self(Mutex::new(State { authenticator, flying: None }))
    }

    /// What holds the lock has no way to leave it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that calls use now.
    pub(crate) fn current(&self) -> Option<Session> {
        self.lock().authenticator.current()
    }

    /// What queries the service supports, if that is known.
    pub(crate) fn features(&self) -> Option<Features> {
        self.lock().authenticator.features()
    }

    pub(crate) fn remember_features(&self, features: Option<Features>) {
        self.lock().authenticator.remember_features(features);
    }

    /// Ends it, and returns how to close the session that was open. A login on its way is waited for, this long
    /// at the most: it closes its session itself.
    pub(crate) async fn close(&self, patience: Duration) -> Option<Call<Logout>> {
        let (logout, flying) = {
            let mut state = self.lock();
            (state.authenticator.close(), state.flying.clone())
        };
        if let Some(mut landing) = flying {
            let _ = timeout(patience, landing.wait_for(Option::is_some)).await;
        }
        logout
    }

    /// Takes other credentials, and returns how to close the session of the former.
    pub(crate) fn replace(&self, credentials: Credentials) -> Option<Call<Logout>> {
        self.lock().authenticator.replace(credentials.into())
    }
}

impl Client {
    /// The session for a call that wants one: the present one, or a new one, by a login that this caller begins or
    /// that is on its way already. `None` where there is no other than the one it had.
    ///
    /// # Errors
    /// Those of the login, for all who waited while it ran; [`ErrorKind::Deadline`] for one whose time is over.
    pub(crate) async fn find_session(&self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        loop {
            let (mut landing, begun) = {
                let mut state = self.flight().lock();
                match &state.flying {
                    Some(landing) => (landing.clone(), None),
                    None => match state.authenticator.renew(request)? {
                        SessionSource::Ready(session) => return Ok(Some(session)),
                        SessionSource::Unavailable => return Ok(None),
                        SessionSource::Login(login) => {
                            let (outcome, landing) = watch::channel(None);
                            state.flying = Some(landing.clone());
                            (landing, Some((login, outcome)))
                        }
                    },
                }
            };
            // Behind the lock: where there is no runtime this panics, and then gives the turn back.
            let own = begun.map(|(login, outcome)| self.spawn_login(login, outcome));
            let landed =
                async { landing.wait_for(Option::is_some).await.ok().and_then(|landed| landed.clone()) };
            let landed = match request.remaining(self.clock().now()) {
                None => landed.await,
                Some(left) => timeout(left, landed).await.map_err(|_| request.expired())?,
            };
            if let Some(outcome) = landed {
                outcome?;
                continue;
            }
            // A task that was ended by force has no outcome. Who began it goes down with it, another tries: so a
            // login that always panics is begun no more often than there are callers.
            let Some(task) = own else { continue };
            if let Err(ended) = task.await {
                match ended.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The runtime is shutting down.
                    Err(_) => return Err(Error::new(ErrorKind::Closed)),
                }
            }
        }
    }

    /// Begins a login in a task of its own.
    fn spawn_login(&self, login: Call<Login>, outcome: Outcome) -> JoinHandle<()> {
        let turn = LoginGuard { client: self.clone(), outcome };
        tokio::spawn(async move {
            let turn = turn;
            let result = turn.client.run_login(login).await;
            let outcome = turn.outcome.clone();
            // The turn is given back first, so that who hears of the outcome finds it so.
            drop(turn);
            outcome.send_replace(Some(result));
        })
    }

    async fn run_login(&self, login: Call<Login>) -> Result<(), Error> {
        let opened = self.log_in(login).await;
        let (accepted, late) = {
            let mut state = self.flight().lock();
            let accepted = state.authenticator.accept(opened);
            let late = match &accepted {
                Err(error) if *error.kind() == ErrorKind::Closed => state.authenticator.close(),
                _ => None,
            };
            (accepted, late)
        };
        // The client was closed while the login ran: nobody else will close its session.
        if let Some(logout) = late {
            self.log_out_late(logout).await;
        }
        match accepted {
            Ok(_) => Ok(()),
            // All who wait ask again, with the new credentials.
            Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Gives the turn back, also when the login's task is ended by force.
struct LoginGuard {
    client: Client,
    outcome: Outcome,
}

impl Drop for LoginGuard {
    fn drop(&mut self) {
        self.client.flight().lock().flying = None;
    }
}
