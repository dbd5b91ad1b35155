//! Converts a clock of the shared tests into the adapter's clock.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redfish_hyper::Clock;
use redfish_proto::driver::Now;
use redfish_testkit::adapter;

struct VirtualClock(Arc<dyn adapter::Clock>);

impl Clock for VirtualClock {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.sleep(time);
        Box::pin(ready(()))
    }
}

/// Wraps a clock for the client.
pub(crate) fn clock(clock: Arc<dyn adapter::Clock>) -> Arc<dyn Clock> {
    Arc::new(VirtualClock(clock))
}
