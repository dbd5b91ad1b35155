//! Shared by the tests of calls: a service, its responses, and the steps of a call.

use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, response};
use redfish_proto::driver::{Now, Outgoing, Reply, Step};
use redfish_proto::{Error, Operation, Service};

/// The time at which a test starts.
pub(crate) const START: Now = Now(Duration::from_secs(1_000));

pub(crate) fn service() -> Arc<Service> {
    Arc::new(Service::new("bmc:8443").unwrap())
}

pub(crate) fn at(seconds: u64) -> Now {
    START.after(Duration::from_secs(seconds))
}

pub(crate) fn head(status: u16, headers: &[(&'static str, &str)]) -> response::Parts {
    let mut head = http::Response::new(()).into_parts().0;
    head.status = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        head.headers.append(*name, value.parse().unwrap());
    }
    head
}

pub(crate) fn sent<O: Operation>(step: Step<O>) -> (Outgoing, Reply<O>) {
    match step {
        Step::Send(outgoing, reply) => (outgoing, reply),
        other => panic!("it does not send: {other:?}"),
    }
}

pub(crate) fn failed<O: Operation>(step: Step<O>) -> Error {
    match step {
        Step::Done(Err(error)) => error,
        other => panic!("it does not fail: {other:?}"),
    }
}
