//! The query features in the service root: read once and cached with the session.

use std::sync::{Arc, Mutex};

use redfish_proto::driver::Trace;
use redfish_proto::ops::Monitor;
use redfish_proto::query::{Expand, Query};
use redfish_proto::{Credentials, Service};

use crate::adapter::{Adapter, Builder as _};
use crate::bmc::Bmc;

suite! {
    ($) features:
    the_root_is_read_by_the_login_and_not_by_queries,
    without_a_session_the_root_is_read_once_and_again_after_a_watched_task,
}

const ROOT: &str = r#"{"Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}},
    "ProtocolFeaturesSupported": {"ExpandQuery": {"Links": true, "Levels": true, "MaxLevels": 1}}}"#;

/// A service, a client, and the number of times that the client reads the service root.
fn count_root_reads<A: Adapter>(log_in: bool) -> (Bmc, A, Arc<Mutex<usize>>) {
    let bmc = Bmc::start(|connection, head| match head.target.as_str() {
        "/redfish/v1/" => connection.respond("200 OK", "", ROOT),
        "/redfish/v1/SessionService/Sessions" => connection.respond_and_close(
            "201 Created",
            "X-Auth-Token: t0ken\r\nLocation: /redfish/v1/SessionService/Sessions/1\r\n",
            "{}",
        ),
        "/monitor" => connection.respond("204 No Content", "", ""),
        "/c?$expand=~($levels=1)" => connection.respond("200 OK", "", r#"{"Members": []}"#),
        _ => connection.respond("200 OK", "", "{}"),
    });
    let count = Arc::<Mutex<usize>>::default();
    let reads = count.clone();
    let builder = A::builder(Service::new(&bmc.url()).unwrap()).observer(move |trace| {
        if let Trace::Request(outgoing) = trace {
            *reads.lock().unwrap() += usize::from(outgoing.request.uri().path() == "/redfish/v1/");
        }
    });
    let builder = if log_in { builder.login(Credentials::new("ada", "pw")) } else { builder };
    (bmc, builder.build().unwrap(), count)
}

fn query<A: Adapter>(client: &A) {
    let mut members = client.query("/c", Query::new().expand(Expand::Links, 1)).unwrap();
    let member = members.next();
    assert!(member.is_none(), "{member:?}");
}

fn the_root_is_read_by_the_login_and_not_by_queries<A: Adapter>() {
    let (_bmc, client, root_reads) = count_root_reads::<A>(true);
    for _ in 0..3 {
        query(&client);
    }
    assert_eq!(*root_reads.lock().unwrap(), 1);
}

fn without_a_session_the_root_is_read_once_and_again_after_a_watched_task<A: Adapter>() {
    let (_bmc, client, root_reads) = count_root_reads::<A>(false);
    for _ in 0..3 {
        query(&client);
    }
    assert_eq!(*root_reads.lock().unwrap(), 1);
    let monitor = Monitor::new(client.service().target("/monitor").unwrap());
    client.watch(monitor, std::time::Duration::from_secs(30), |_| {}).unwrap();
    for _ in 0..3 {
        query(&client);
    }
    assert_eq!(*root_reads.lock().unwrap(), 2);
}
