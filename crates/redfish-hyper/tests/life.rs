//! The life of sessions, against the mock over TLS: opened once, renewed once, closed always.

use std::fmt::Write;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use redfish_hyper::{Body, Client, Credentials, Error, ErrorKind, Service, Session, Trace, Transport, Trust};
use redfish_mock::{Fault, FaultKind, ServeOptions, Server, Settings};
use redfish_proto::{Phase, Policy, Raw};
use serde_json::Value;
use tokio::task::JoinSet;

const SYSTEMS: &str = "/redfish/v1/Systems";

fn serve() -> Server {
    let settings = Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() };
    Server::start(settings, ServeOptions::default()).unwrap()
}

fn transport(server: &Server) -> Transport {
    let pem = server.certificate_pem().unwrap();
    Transport::new(&Trust::with_pem(pem.as_bytes()).unwrap())
}

fn client(server: &Server) -> Client {
    let service = Service::new(&server.url()).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    Client::builder(service).login(credentials).transport(&transport(server)).build().unwrap()
}

fn opened(server: &Server) -> u64 {
    server.mock(|mock| mock.session_count().opened)
}

/// Closed by a task that nobody waits for.
async fn closed(server: &Server, opened_in_all: u64) {
    while server.open_sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(opened(server), opened_in_all);
}

fn slow_logins(server: &Server, time: &str) {
    let fault = format!("slow={time}@/redfish/v1/SessionService/Sessions");
    server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
}

fn posts(server: &Server) -> usize {
    server.mock(|mock| mock.handled().filter(|handled| handled.method == "POST").count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_logs_in_when_needed_and_out_at_its_end() {
    let server = serve();
    let count = client(&server)
        .scoped(async |client| {
            assert_eq!(server.open_sessions(), 0, "nothing was needed yet");
            let systems: Value = client.get(SYSTEMS).await?;
            assert_eq!(server.open_sessions(), 1);
            client.get_raw(systems["Members"][0]["@odata.id"].as_str().unwrap()).await?;
            Ok::<_, Error>(systems["Members@odata.count"].clone())
        })
        .await;
    assert_eq!(count.unwrap(), 3);
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_logs_out_after_an_error_and_a_panic() {
    let server = serve();
    let failed =
        client(&server).scoped(async |client| client.get::<Value>("/redfish/v1/Nothing").await).await;
    assert_eq!(*failed.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.open_sessions(), 0);

    let panicking = client(&server);
    let panicked = tokio::spawn(panicking.scoped(async |client| {
        client.get::<Value>(SYSTEMS).await?;
        if client.current().is_some() {
            panic!("as the test wants");
        }
        Ok::<_, Error>(())
    }));
    assert!(panicked.await.is_err());
    closed(&server, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_is_dropped_logs_out_on_the_runtime() {
    let server = serve();
    let working = client(&server).scoped(async |client| {
        client.get::<Value>(SYSTEMS).await?;
        pending::<Result<(), Error>>().await
    });
    let mut working = Box::pin(working);
    while server.open_sessions() == 0 {
        let _ = tokio::time::timeout(Duration::from_millis(10), &mut working).await;
    }
    drop(working);
    closed(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_is_dropped_or_not_polled_holds_up_no_other() {
    let server = serve();
    slow_logins(&server, "100ms");
    let client = client(&server);
    // Each begins a call, is polled until the login is on its way, and then never again.
    let mut stuck = Box::pin(client.get::<Value>(SYSTEMS));
    let mut dropped = Box::pin(client.get::<Value>(SYSTEMS));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut stuck).await.is_err());
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut dropped).await.is_err());
    drop(dropped);
    client.get::<Value>(SYSTEMS).await.unwrap();
    drop(stuck);
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    client.close().await.unwrap();
    assert_eq!(server.open_sessions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_is_dropped_closes_all_the_same() {
    let server = serve();
    let client = client(&server);
    client.session().await.unwrap();
    let mut closing = Box::pin(client.close());
    let _ = tokio::time::timeout(Duration::ZERO, &mut closing).await;
    drop(closing);
    closed(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_callers_log_in_once() {
    let server = serve();
    let client = client(&server);
    let together = async || {
        let mut callers = JoinSet::new();
        for _ in 0..16 {
            let client = client.clone();
            callers.spawn(async move { client.get::<Value>(SYSTEMS).await.unwrap() });
        }
        callers.join_all().await;
    };
    together().await;
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    server.advance(Duration::from_secs(3600));
    together().await;
    assert_eq!((server.open_sessions(), opened(&server)), (1, 2));
    client.close().await.unwrap();
    assert_eq!(server.open_sessions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_callers_try_a_wrong_password_once() {
    let server = serve();
    let client = Client::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "difference"))
        .transport(&transport(&server))
        .build()
        .unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        callers.spawn(async move {
            let error = client.get::<Value>(SYSTEMS).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
            assert!(!format!("{error} {error:?}").contains("difference"));
        });
    }
    callers.join_all().await;
    assert_eq!(posts(&server), 1);

    client.replace(Credentials::new("ada", "engine No. 1")).await.unwrap();
    client.get::<Value>(SYSTEMS).await.unwrap();
    client.close().await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_callers_share_a_login_that_fails() {
    let server = serve();
    for fault in ["slow=300ms@/redfish/v1/*1", "session-limit"] {
        server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    }
    let client = client(&server);
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        callers.spawn(async move { client.get::<Value>(SYSTEMS).await.unwrap_err().kind().clone() });
    }
    assert!(callers.join_all().await.iter().all(|kind| *kind == ErrorKind::SessionLimit));
    assert_eq!(posts(&server), 1);

    server.mock(|mock| mock.clear_faults());
    client.scoped(async |client| client.get::<Value>(SYSTEMS).await).await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_for_a_login_until_its_own_deadline() {
    let server = serve();
    slow_logins(&server, "300ms");
    let client = client(&server);
    let systems = client.service().target(SYSTEMS).unwrap();
    let call = client.service().call(Raw::get(&systems)).deadline(Duration::from_millis(50));
    let error = client.run_call(call).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Session));
    // The login it began goes on, and serves the next.
    client.get::<Value>(SYSTEMS).await.unwrap();
    client.close().await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_panics_takes_down_who_began_it_and_leaves_the_turn_to_another() {
    let server = serve();
    server.mock(|mock| mock.add_fault("slow=200ms@/redfish/v1/*1".parse().unwrap()));
    let panicked = AtomicBool::new(false);
    let observer = move |trace: &Trace<'_>| {
        let logs_in = matches!(trace, Trace::Request(outgoing) if outgoing.request.method() == "POST");
        if logs_in && !panicked.swap(true, Ordering::SeqCst) {
            panic!("as the test wants");
        }
    };
    let client = Client::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .transport(&transport(&server))
        .observer(observer)
        .build()
        .unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let client = client.clone();
        callers.spawn(async move { client.get::<Value>(SYSTEMS).await.unwrap() });
    }
    let mut ended = Vec::new();
    while let Some(caller) = callers.join_next().await {
        ended.push(caller.is_ok());
    }
    ended.sort();
    assert_eq!(ended, [false, true, true, true]);
    client.close().await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_closed_while_it_logs_in_leaves_no_session() {
    let server = serve();
    slow_logins(&server, "300ms");
    let client = client(&server);
    let logging_in = tokio::spawn({
        let client = client.clone();
        async move { client.session().await }
    });
    while posts(&server) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(client.close().await.unwrap().is_none(), "there was no session yet");
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1), "close waits for the late login");
    assert_eq!(*logging_in.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(*client.get::<Value>(SYSTEMS).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_from_one_process_to_the_next() {
    let server = serve();
    let first = client(&server);
    let session = first.session().await.unwrap();
    let (token, at) = (session.expose().unwrap().to_owned(), session.location().unwrap().to_string());
    drop(first);

    let service = Service::new(&server.url()).unwrap();
    let session = Session::issued(&service, &token, Some(&at)).unwrap();
    let second = Client::builder(service)
        .resume(session)
        .login(Credentials::new("ada", "engine No. 1"))
        .transport(&transport(&server))
        .build()
        .unwrap();
    second.get::<Value>(SYSTEMS).await.unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    second.close().await.unwrap();
    assert_eq!(server.open_sessions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_is_lost_is_not_repeated() {
    let server = serve();
    let systems = client(&server).scoped(async |client| client.get::<Value>(SYSTEMS).await).await.unwrap();
    let path = systems["Members"][0]["@odata.id"].as_str().unwrap().to_owned();
    server.mock(|mock| mock.add_fault(Fault::new(FaultKind::LostAnswer).at(&path).times(1)));
    let body = Body::json(&serde_json::json!({"AssetTag": "7"})).unwrap();
    let error = client(&server)
        .scoped(async |client| client.send(http::Method::PATCH, &path, body).await)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutcomeUnknown(_)), "{error}");
    assert!(error.cause().is_some());
    assert_eq!((server.mock(|mock| mock.writes(&path)), server.open_sessions()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_share_one_transport() {
    let servers: Vec<Server> = (0..4).map(|_| serve()).collect();
    let pems: String = servers.iter().map(|server| server.certificate_pem().unwrap()).collect();
    let transport = Transport::new(&Trust::with_pem(pems.as_bytes()).unwrap());
    let mut callers = JoinSet::new();
    for server in &servers {
        let client = Client::builder(Service::new(&server.url()).unwrap())
            .login(Credentials::new("ada", "engine No. 1"))
            .transport(&transport)
            .build()
            .unwrap();
        callers.spawn(client.scoped(async |client| client.get::<Value>(SYSTEMS).await));
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    assert!(servers.iter().all(|server| (server.open_sessions(), opened(server)) == (0, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_goes_without_a_session() {
    let server = serve();
    let basic = |password: &str| {
        Client::builder(Service::new(&server.url()).unwrap())
            .basic(Credentials::new("ada", password))
            .transport(&transport(&server))
            .build()
            .unwrap()
    };
    basic("engine No. 1").get::<Value>(SYSTEMS).await.unwrap();
    let error = basic("difference").get::<Value>(SYSTEMS).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
    assert_eq!(opened(&server), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_at_its_deadline() {
    let server = serve();
    server.mock(|mock| mock.add_fault("slow=30s".parse().unwrap()));
    let mut policy = Policy::default();
    policy.deadline = Some(Duration::from_millis(100));
    let client = Client::builder(Service::with_policy(&server.url(), policy).unwrap())
        .transport(&transport(&server))
        .build()
        .unwrap();
    let error = client.get::<Value>("/redfish/v1/").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_) | ErrorKind::Transport(_)), "{error}");
}

#[test]
#[should_panic(expected = "no reactor running")]
fn without_a_runtime_a_call_panics_and_does_not_hang() {
    let service = Service::new("http://127.0.0.1:9").unwrap();
    let client = Client::builder(service).login(Credentials::new("ada", "engine No. 1")).build().unwrap();
    let mut call = pin!(client.get::<Value>(SYSTEMS));
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_shown_has_a_secret_in_it() {
    const PASSWORD: &str = "engine \"No. 1\" 100% é";
    let settings = Settings { user: "ada".into(), password: PASSWORD.into(), ..Settings::default() };
    let server = Server::start(settings, ServeOptions::default()).unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let seen = shown.clone();
    let client = Client::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", PASSWORD))
        .transport(&transport(&server))
        .observer(move |trace| writeln!(seen.lock().unwrap(), "{trace} {trace:?}").unwrap())
        .build()
        .unwrap();
    let session = client.session().await.unwrap();
    let token = session.expose().unwrap().to_owned();
    client.get_raw(session.location().unwrap().as_str()).await.unwrap();
    server.advance(Duration::from_secs(3600));
    client.get::<Value>(SYSTEMS).await.unwrap();
    let new_token = client.current().unwrap().expose().unwrap().to_owned();
    let errors = [
        client.get::<Value>(&format!("/redfish/v1/{token}")).await.unwrap_err(),
        client.send(http::Method::PATCH, SYSTEMS, Body::json(&PASSWORD).unwrap()).await.unwrap_err(),
    ];
    client.close().await.unwrap();

    let mut shown = shown.lock().unwrap();
    write!(shown, "{errors:?} {client:?} {session:?}").unwrap();
    errors.iter().for_each(|error| write!(shown, "{error}").unwrap());
    assert!(shown.contains("POST"), "the login was seen");
    let basic = "YWRhOmVuZ2luZSAiTm8uIDEiIDEwMCUgw6k=";
    for secret in
        [PASSWORD, r#"engine \"No. 1\" 100% é"#, "engine%20%22No.%201%22%20100%25", basic, &token, &new_token]
    {
        assert!(!shown.contains(secret), "{secret} is shown in {shown}");
    }
}
