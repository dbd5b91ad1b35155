//! The clock that calls wait by.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use redfish_proto::driver::Now;

/// Tells the time to the core, and waits for it. A test brings its own, and waits for nothing.
///
/// The time-outs of connections are not its business: those are Tokio's.
pub trait Clock: Send + Sync + 'static {
    /// The time since any moment this clock likes. It never goes back.
    fn now(&self) -> Now;

    /// Waits at least that long.
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
