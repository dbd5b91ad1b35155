//! The use of the runtime: a single thread, logins in their own tasks, timers, and no runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use redfish_hyper::{Builder, Client, Credentials, Service, Trust};
use redfish_mock::{ServeOptions, Server, Settings};
use redfish_proto::ErrorKind;
use redfish_proto::driver::{Phase, Trace};
use redfish_proto::ops::Raw;
use redfish_testkit::bmc::Bmc;
use serde_json::Value;
use tokio::task::JoinSet;

const SYSTEMS: &str = "/redfish/v1/Systems";

fn serve() -> Server {
    let settings = Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() };
    Server::start(settings, ServeOptions::default()).unwrap()
}

fn builder(server: &Server) -> Builder {
    let pem = server.certificate_pem().unwrap();
    Client::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .trust(&Trust::system_and_pem(pem.as_bytes()).unwrap())
}

fn opened(server: &Server) -> u64 {
    server.mock(|mock| mock.session_count().opened)
}

#[tokio::test]
async fn one_thread_is_enough() {
    let server = serve();
    let client = builder(&server).build().unwrap();
    let systems = client.scoped(async |client| client.get::<Value>(SYSTEMS).await).await.unwrap();
    assert_eq!(systems["Members@odata.count"], 3);
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_for_a_login_until_its_own_deadline() {
    let server = serve();
    let slow = "slow=300ms@/redfish/v1/SessionService/Sessions".parse().unwrap();
    server.mock(|mock| mock.add_fault(slow));
    let client = builder(&server).build().unwrap();
    let systems = client.service().target(SYSTEMS).unwrap();
    let call = client.service().call(Raw::get(&systems)).deadline(Duration::from_millis(50));
    let error = client.run_call(call).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Session));
    // The login that it started continues and serves the next call.
    client.get::<Value>(SYSTEMS).await.unwrap();
    client.close().await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_login_fails_only_the_caller_that_started_it() {
    let server = serve();
    server.mock(|mock| mock.add_fault("slow=200ms@/redfish/v1/*1".parse().unwrap()));
    let panicked = AtomicBool::new(false);
    let observer = move |trace: &Trace<'_>| {
        let logs_in = matches!(trace, Trace::Request(outgoing) if outgoing.request.method() == "POST");
        if logs_in && !panicked.swap(true, Ordering::SeqCst) {
            panic!("expected by the test");
        }
    };
    let client = builder(&server).observer(observer).build().unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let client = client.clone();
        callers.spawn(async move { client.get::<Value>(SYSTEMS).await.unwrap() });
    }
    let mut succeeded = Vec::new();
    while let Some(caller) = callers.join_next().await {
        succeeded.push(caller.is_ok());
    }
    succeeded.sort();
    assert_eq!(succeeded, [false, true, true, true]);
    client.close().await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[test]
#[should_panic(expected = "no reactor running")]
fn without_a_runtime_a_call_panics_and_does_not_hang() {
    let service = Service::new("http://127.0.0.1:9").unwrap();
    let client = Client::builder(service).login(Credentials::new("ada", "engine No. 1")).build().unwrap();
    let mut call = pin!(client.get::<Value>(SYSTEMS));
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_timeout() {
    let (closed, was_closed) = mpsc::channel();
    let bmc = Bmc::start(move |connection, _| {
        connection.respond("200 OK", "", "{}")?;
        let end = connection.wait_for_close();
        let _ = closed.send(());
        end
    });
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    client.get_raw("/redfish/v1/").await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(was_closed.try_recv().is_err(), "the connection is kept for reuse");
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    was_closed.recv_timeout(Duration::from_secs(60)).unwrap();
}
