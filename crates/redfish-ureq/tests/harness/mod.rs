//! The client as the shared suites see it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_testkit::adapter;
use redfish_ureq::{Client, Clock, Stream};

redfish_testkit::adapter!(redfish_ureq, "ureq");

/// Every method has done its work when it returns.
fn wait<T>(done: T) -> T {
    done
}

struct Virtual(Arc<dyn adapter::Clock>);

impl Clock for Virtual {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, time: Duration) {
        self.0.sleep(time);
    }
}

fn clock(clock: Arc<dyn adapter::Clock>) -> Arc<dyn Clock> {
    Arc::new(Virtual(clock))
}

fn reader<R: Read>(reader: R) -> R {
    reader
}

fn writer<W: Write>(writer: W) -> W {
    writer
}

fn stream(stream: Stream) -> Stream {
    stream
}

fn scoped<T, E>(client: Client, work: impl FnOnce(Client) -> Result<T, E>) -> Result<T, E> {
    client.scoped(work)
}
