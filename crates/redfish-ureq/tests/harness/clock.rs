//! A clock of the shared suites, as the client takes it.

use std::sync::Arc;
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_testkit::adapter;
use redfish_ureq::Clock;

struct Virtual(Arc<dyn adapter::Clock>);

impl Clock for Virtual {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, time: Duration) {
        self.0.sleep(time);
    }
}

/// The same clock as the client takes it.
pub(crate) fn clock(clock: Arc<dyn adapter::Clock>) -> Arc<dyn Clock> {
    Arc::new(Virtual(clock))
}
