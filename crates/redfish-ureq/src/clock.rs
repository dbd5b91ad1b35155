//! The clock of the calls.

use std::thread;
use std::time::{Duration, Instant};

use redfish_proto::driver::Now;

use crate::cancel::Cancel;

/// Provides the time and sleeps for calls. A test can implement it with virtual time.
///
/// Timeouts of connections and exchanges use the system's clock instead.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time since an arbitrary start. Never goes back.
    fn now(&self) -> Now;

    /// Sleeps for at least `time`.
    fn sleep(&self, time: Duration);

    /// Sleeps for at least `time`, or until cancelled. The default calls `sleep`, which suits virtual time.
    fn sleep_cancellable(&self, time: Duration, cancel: &Cancel) {
        let _ = cancel;
        self.sleep(time);
    }
}

/// The system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now(self.0.elapsed())
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }

    fn sleep_cancellable(&self, time: Duration, cancel: &Cancel) {
        cancel.wait(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_sleep_ends_at_once() {
        let cancel = Cancel::default();
        cancel.cancel();
        SystemClock::default().sleep_cancellable(Duration::from_secs(3600), &cancel);
    }
}
