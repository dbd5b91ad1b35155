//! Outages: the times at which the service is unavailable because it restarts.
//!
//! ```text
//!  available ──► unavailable: connections are refused or broken ──► available, without sessions and streams
//! ```

use std::time::Duration;

/// The latest outage, and the number of outages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outage {
    until: Duration,
    count: u64,
}

impl Outage {
    /// Starts an outage, or extends the current one.
    pub(crate) fn start(&mut self, at: Duration, duration: Duration) {
        self.until = self.until.max(at + duration);
        self.count += 1;
    }

    /// The end of the outage, if there is one at `now`.
    pub(crate) fn until(&self, now: Duration) -> Option<Duration> {
        Some(self.until).filter(|until| now < *until)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}
