//! Restarts: the service forgets its sessions, and is away for as long as it takes.
//!
//! ```text
//!  there ──► away: connections are refused, those that are open break ──► there, without a session or a stream
//! ```

use std::time::Duration;

use crate::mock::Mock;
use crate::state::schedule::Effect;

/// When the service was away, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Absence {
    until: Duration,
    count: u64,
}

impl Mock {
    /// Until when nobody can reach the service, where it restarts at `now`.
    pub fn away_until(&mut self, now: Duration) -> Option<Duration> {
        self.pass(now);
        Some(self.absence.until).filter(|until| now < *until)
    }

    /// How often the service has been away by `now`. Whenever that grows, the connections there were are broken.
    pub fn absences(&mut self, now: Duration) -> u64 {
        self.pass(now);
        self.absence.count
    }

    /// Forgets all sessions, as a service does that restarts, but is back at once. What was written stays.
    pub fn reboot(&mut self, now: Duration) {
        self.pass(now);
        self.restart(now, Duration::ZERO);
    }

    pub(crate) fn restart(&mut self, at: Duration, lasts: Duration) {
        // Nobody is there to tell of it.
        self.sessions.forget(|_| true);
        if !lasts.is_zero() {
            self.absence.until = self.absence.until.max(at + lasts);
            self.absence.count += 1;
            self.events.close_streams();
        }
    }

    /// Whether a restart that was planned takes place: the task that it belongs to may have been cancelled.
    pub(crate) fn still_restarts(&self, task: Option<u64>) -> bool {
        task.is_none_or(|id| self.tasks.running(id).is_some())
    }

    /// Whether the service will have restarted by `now`, before anybody has told it the time.
    pub(crate) fn will_restart_by(&self, now: Duration) -> bool {
        let restarts =
            |effect: &Effect| matches!(effect, Effect::Restart { task, .. } if self.still_restarts(*task));
        self.later.due(now).any(restarts)
    }
}
