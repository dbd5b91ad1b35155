//! The clock that calls wait by.

use std::thread;
use std::time::{Duration, Instant};

use redfish_proto::driver::Now;

use crate::cancel::Cancel;

/// Tells the time to the core, and waits for it. A test brings its own, and waits for nothing.
///
/// The time-outs of connections are not its business: those are the system's.
pub trait Clock: Send + Sync + 'static {
    /// The time since any moment this clock likes. It never goes back.
    fn now(&self) -> Now;

    /// Waits at least that long.
    fn sleep(&self, time: Duration);

    /// The same, or until that is used. A clock whose `sleep` takes no time needs none of its own.
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
    fn a_wait_that_is_cancelled_is_over() {
        let cancel = Cancel::default();
        cancel.cancel();
        SystemClock::default().sleep_cancellable(Duration::from_secs(3600), &cancel);
    }
}
