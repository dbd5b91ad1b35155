//! The end of a client: the logouts of its sessions, within one time limit.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::driver::authenticator::Authenticator;
use crate::driver::call::Call;
use crate::driver::time::Now;
use crate::error::Error;
use crate::ops::{Logout, LogoutOutcome};
use crate::service::Service;

/// The logouts of a client that is closed, all within [`logout_deadline`](crate::Policy::logout_deadline).
///
/// A driver closes the authenticator and runs the logouts first, so that no known session waits for a login in progress.
/// It then waits for that login, up to the time that is left, and closes the authenticator again.
pub struct Closing {
    limit: Duration,
    started: Now,
    logouts: VecDeque<Call<Logout>>,
    outcome: Result<Option<LogoutOutcome>, Error>,
}

impl Closing {
    /// Starts the time limit.
    pub fn new(service: &Service, now: Now) -> Closing {
        let limit = service.policy().logout_deadline;
        Closing { limit, started: now, logouts: VecDeque::new(), outcome: Ok(None) }
    }

    /// Closes the authenticator, and takes the logouts of its sessions.
    pub fn close(&mut self, authenticator: &mut Authenticator) {
        self.logouts.extend(std::iter::from_fn(|| authenticator.close()));
    }

    /// The next logout. It gets a share of the time that is left: one without a response leaves time for the others.
    pub fn next_logout(&mut self, now: Now) -> Option<Call<Logout>> {
        let number = u32::try_from(self.logouts.len()).unwrap_or(u32::MAX).max(1);
        let share = self.remaining(now) / number;
        self.logouts.pop_front().map(|logout| logout.deadline(share))
    }

    /// Takes the result of the last logout.
    pub fn record(&mut self, result: Result<LogoutOutcome, Error>) {
        let outcome = std::mem::replace(&mut self.outcome, Ok(None));
        self.outcome = outcome.and_then(|first| result.map(|next| first.or(Some(next))));
    }

    /// The time that is left.
    pub fn remaining(&self, now: Now) -> Duration {
        self.limit.saturating_sub(now.since(self.started))
    }

    /// The first outcome, or the first failure. `None` if there was nothing to close.
    ///
    /// # Errors
    /// That of a logout that failed.
    pub fn outcome(self) -> Result<Option<LogoutOutcome>, Error> {
        self.outcome
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Closing({} logouts)", self.logouts.len())
    }
}
