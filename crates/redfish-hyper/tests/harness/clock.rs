//! A clock of the shared suites, as the client takes it.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redfish_hyper::Clock;
use redfish_proto::driver::Now;
use redfish_testkit::adapter;

struct Virtual(Arc<dyn adapter::Clock>);

impl Clock for Virtual {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.sleep(time);
        Box::pin(ready(()))
    }
}

/// The same clock as the client takes it.
pub(crate) fn clock(clock: Arc<dyn adapter::Clock>) -> Arc<dyn Clock> {
    Arc::new(Virtual(clock))
}
