//! The clock of the calls.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use redfish_proto::driver::Now;

/// Provides the time and sleeps for calls. A test can implement it with virtual time.
///
/// Timeouts of connections and exchanges use Tokio's timer instead.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time since an arbitrary start. Never goes back.
    fn now(&self) -> Now;

    /// Sleeps for at least `time`.
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The system's monotonic clock, and Tokio's timer.
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

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }
}
