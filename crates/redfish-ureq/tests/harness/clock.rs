//! Converts a clock of the shared tests into the adapter's clock.

use std::sync::Arc;
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_testkit::adapter;
use redfish_ureq::Clock;

struct VirtualClock(Arc<dyn adapter::Clock>);

impl Clock for VirtualClock {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, time: Duration) {
        self.0.sleep(time);
    }
}

/// Wraps a clock for the client.
pub(crate) fn clock(clock: Arc<dyn adapter::Clock>) -> Arc<dyn Clock> {
    Arc::new(VirtualClock(clock))
}
