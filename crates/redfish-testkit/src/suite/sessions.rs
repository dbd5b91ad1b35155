//! Sessions, against the mock over TLS: opened once, renewed once, always closed.

use std::fmt::Write;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use redfish_mock::{Fault, FaultKind, ServeOptions, Server, Settings};
use redfish_proto::{Body, Credentials, Error, ErrorKind, Policy, Service, Session};
use redfish_tls::Trust;
use serde_json::Value;

use crate::adapter::{Adapter, Builder as _, Transport as _};

suite! {
    ($) sessions:
    a_scope_logs_in_on_demand_and_out_at_its_end,
    a_scope_logs_out_after_an_error_and_a_panic,
    sixteen_callers_log_in_once,
    sixteen_callers_send_a_wrong_password_once,
    sixteen_callers_share_a_failed_login,
    a_401_for_one_resource_keeps_the_session,
    sixteen_callers_share_the_check_of_a_live_session,
    a_login_with_a_full_session_table_first_closes_a_session,
    closing_a_client_during_login_leaves_no_session,
    a_check_that_hangs_does_not_delay_the_logout,
    a_logout_without_a_response_leaves_time_for_the_others,
    a_session_is_resumed_from_its_token_and_uri,
    a_write_is_not_repeated_if_its_response_is_lost,
    many_clients_share_one_transport,
    basic_opens_no_session,
    a_call_ends_at_its_deadline,
    no_trace_or_debug_output_contains_a_secret,
}

const SYSTEMS: &str = "/redfish/v1/Systems";

fn serve() -> Server {
    let settings = Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() };
    Server::start(settings, ServeOptions::default()).unwrap()
}

fn transport<A: Adapter>(server: &Server) -> A::Transport {
    let pem = server.certificate_pem().unwrap();
    A::Transport::new(&Trust::system_and_pem(pem.as_bytes()).unwrap())
}

fn client<A: Adapter>(server: &Server) -> A {
    let service = Service::new(&server.url()).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    A::builder(service).login(credentials).transport(&transport::<A>(server)).build().unwrap()
}

fn opened(server: &Server) -> u64 {
    server.mock(|mock| mock.session_count().opened)
}

fn posts(server: &Server) -> usize {
    server.mock(|mock| mock.handled().filter(|handled| handled.method == "POST").count())
}

fn a_scope_logs_in_on_demand_and_out_at_its_end<A: Adapter>() {
    let server = serve();
    let count = client::<A>(&server).scoped(|client| {
        assert_eq!(server.open_sessions(), 0, "no login before the first request");
        let systems: Value = client.get(SYSTEMS)?;
        assert_eq!(server.open_sessions(), 1);
        client.get_raw(systems["Members"][0]["@odata.id"].as_str().unwrap())?;
        Ok::<_, Error>(systems["Members@odata.count"].clone())
    });
    assert_eq!(count.unwrap(), 3);
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

fn a_scope_logs_out_after_an_error_and_a_panic<A: Adapter>() {
    let server = serve();
    let failed = client::<A>(&server).scoped(|client| client.get::<Value>("/redfish/v1/Nothing"));
    assert_eq!(*failed.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.open_sessions(), 0);

    let panicked = thread::scope(|scope| {
        let panicking = || {
            client::<A>(&server).scoped(|client| {
                client.get::<Value>(SYSTEMS)?;
                if server.open_sessions() == 1 {
                    panic!("expected by the test");
                }
                Ok::<_, Error>(())
            })
        };
        scope.spawn(panicking).join()
    });
    assert!(panicked.is_err());
    // After a panic, another task may close the session.
    while server.open_sessions() > 0 {
        thread::yield_now();
    }
    assert_eq!((server.open_sessions(), opened(&server)), (0, 2));
}

fn sixteen_callers_log_in_once<A: Adapter>() {
    let server = serve();
    let client = client::<A>(&server);
    let sixteen_reads = || {
        let barrier = Barrier::new(16);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    barrier.wait();
                    client.get::<Value>(SYSTEMS).unwrap();
                });
            }
        });
    };
    sixteen_reads();
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    server.advance(Duration::from_secs(3600));
    sixteen_reads();
    assert_eq!((server.open_sessions(), opened(&server)), (1, 2));
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn sixteen_callers_send_a_wrong_password_once<A: Adapter>() {
    let server = serve();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "difference"))
        .transport(&transport::<A>(&server))
        .build()
        .unwrap();
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                let error = client.get::<Value>(SYSTEMS).unwrap_err();
                assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
                assert!(!format!("{error} {error:?}").contains("difference"));
            });
        }
    });
    assert_eq!(posts(&server), 1);

    client.replace(Credentials::new("ada", "engine No. 1")).unwrap();
    client.get::<Value>(SYSTEMS).unwrap();
    client.close().unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

fn sixteen_callers_share_a_failed_login<A: Adapter>() {
    let server = serve();
    for fault in ["slow=300ms@/redfish/v1/*1", "session-limit"] {
        server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    }
    let client = client::<A>(&server);
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(*client.get::<Value>(SYSTEMS).unwrap_err().kind(), ErrorKind::SessionLimit);
            });
        }
    });
    assert_eq!(posts(&server), 1);

    server.mock(|mock| mock.clear_faults());
    client.scoped(|client| client.get::<Value>(SYSTEMS)).unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

/// The number of handled requests with this method and path prefix.
fn handled(server: &Server, method: &str, path: &str) -> usize {
    let matches =
        |handled: &redfish_mock::HandledRequest| handled.method == method && handled.path.starts_with(path);
    server.mock(|mock| mock.handled().filter(|handled| matches(handled)).count())
}

const SESSION: &str = "/redfish/v1/SessionService/Sessions/";

fn a_401_for_one_resource_keeps_the_session<A: Adapter>() {
    let server = serve();
    let denied = "/redfish/v1/Systems/E1D8B426";
    server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Unauthorized).at(denied)));
    client::<A>(&server)
        .scoped(|client| {
            for _ in 0..20 {
                let errors = [
                    client.get::<Value>(denied).unwrap_err(),
                    client.patch(denied, &serde_json::json!({"AssetTag": "7"})).unwrap_err(),
                ];
                for error in errors {
                    assert!(error.session_alive(), "{error}");
                    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
                }
                client.get::<Value>(SYSTEMS)?;
            }
            assert_eq!(server.open_sessions(), 1);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

fn sixteen_callers_share_the_check_of_a_live_session<A: Adapter>() {
    let server = serve();
    let denied = "/redfish/v1/Systems/E1D8B426";
    let client = client::<A>(&server);
    client.get::<Value>(SYSTEMS).unwrap();
    let own = client.current().unwrap().target().unwrap().to_string();
    for fault in [format!("401@{denied}"), format!("slow=300ms@{own}")] {
        server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    }
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                assert!(client.get::<Value>(denied).unwrap_err().session_alive());
            });
        }
    });
    // Callers share a check that is running. At most two requests to a service run at once, so there may be several checks.
    let checks = handled(&server, "GET", SESSION);
    assert!((1..=8).contains(&checks), "{checks} checks for 16 callers");
    client.close().unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (0, 1));
}

fn a_login_with_a_full_session_table_first_closes_a_session<A: Adapter>() {
    let settings = Settings {
        user: "ada".into(),
        password: "engine No. 1".into(),
        session_limit: 2,
        ..Settings::default()
    };
    let server = Server::start(settings, ServeOptions::default()).unwrap();
    let denied = "/redfish/v1/Systems/E1D8B426";
    let client = client::<A>(&server);
    for _ in 0..3 {
        // The check fails, so the client logs in although the old session may be alive.
        let own = client.session().unwrap().unwrap().target().unwrap().to_string();
        for fault in [format!("401@{denied}*1"), format!("500@{own}*1")] {
            server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
        }
        client.get::<Value>(denied).unwrap();
    }
    assert_eq!((server.open_sessions(), opened(&server)), (2, 4));
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn closing_a_client_during_login_leaves_no_session<A: Adapter>() {
    let server = serve();
    server.mock(|mock| mock.add_fault("slow=300ms@/redfish/v1/SessionService/Sessions".parse().unwrap()));
    let client = client::<A>(&server);
    thread::scope(|scope| {
        let logging_in = scope.spawn(|| client.session());
        while posts(&server) == 0 {
            thread::yield_now();
        }
        assert!(client.close().unwrap().is_none(), "no session was open");
        assert_eq!((server.open_sessions(), opened(&server)), (0, 1), "close waits for the late login");
        assert_eq!(*logging_in.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
    assert_eq!(*client.get::<Value>(SYSTEMS).unwrap_err().kind(), ErrorKind::Closed);
}

/// A client whose logouts have this time.
fn client_with_logout_deadline<A: Adapter>(server: &Server, time: Duration) -> A {
    let policy = Policy::default().with_logout_deadline(time);
    let service = Service::with_policy(&server.url(), policy).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    A::builder(service).login(credentials).transport(&transport::<A>(server)).build().unwrap()
}

fn a_check_that_hangs_does_not_delay_the_logout<A: Adapter>() {
    let server = serve();
    let denied = "/redfish/v1/Systems/E1D8B426";
    let client = client_with_logout_deadline::<A>(&server, Duration::from_secs(1));
    let own = client.session().unwrap().unwrap().target().unwrap().to_string();
    for fault in [format!("401@{denied}*1"), format!("slow=3s@{own}*1")] {
        server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    }
    thread::scope(|scope| {
        let reading = scope.spawn(|| client.get::<Value>(denied));
        while handled(&server, "GET", &own) == 0 {
            thread::yield_now();
        }
        client.close().unwrap();
        assert_eq!(server.open_sessions(), 0, "the session is closed while its check hangs");
        reading.join().unwrap().unwrap_err();
    });
}

fn a_logout_without_a_response_leaves_time_for_the_others<A: Adapter>() {
    let server = serve();
    let denied = "/redfish/v1/Systems/E1D8B426";
    let client = client_with_logout_deadline::<A>(&server, Duration::from_secs(2));
    let session = || client.session().unwrap().unwrap().target().unwrap().to_string();
    let first = session();
    // The check fails, so that the first session may be alive.
    for fault in [format!("401@{denied}*1"), format!("500@{first}*1")] {
        server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    }
    client.get::<Value>(denied).unwrap();
    let second = session();
    server.mock(|mock| mock.add_fault(format!("slow=3s@{second}").parse().unwrap()));
    client.close().unwrap_err();
    assert_eq!((handled(&server, "DELETE", &second), handled(&server, "DELETE", &first)), (1, 1));
}

fn a_session_is_resumed_from_its_token_and_uri<A: Adapter>() {
    let server = serve();
    let first = client::<A>(&server);
    let session = first.session().unwrap().unwrap();
    let (token, uri) = (session.token().to_owned(), session.target().unwrap().to_string());
    drop(first);

    let service = Service::new(&server.url()).unwrap();
    let session = Session::from_token(&service, &token, Some(&uri)).unwrap();
    let second = A::builder(service)
        .resume(session)
        .login(Credentials::new("ada", "engine No. 1"))
        .transport(&transport::<A>(&server))
        .build()
        .unwrap();
    second.get::<Value>(SYSTEMS).unwrap();
    assert_eq!((server.open_sessions(), opened(&server)), (1, 1));
    second.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn a_write_is_not_repeated_if_its_response_is_lost<A: Adapter>() {
    let server = serve();
    let systems = client::<A>(&server).scoped(|client| client.get::<Value>(SYSTEMS)).unwrap();
    let path = systems["Members"][0]["@odata.id"].as_str().unwrap().to_owned();
    server.mock(|mock| mock.add_fault(Fault::new(FaultKind::LostAnswer).at(&path).times(1)));
    let body = Body::json(&serde_json::json!({"AssetTag": "7"})).unwrap();
    let error =
        client::<A>(&server).scoped(|client| client.send(http::Method::PATCH, &path, body)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutcomeUnknown(_)), "{error}");
    assert!(error.cause().is_some());
    assert_eq!((server.mock(|mock| mock.writes(&path)), server.open_sessions()), (1, 0));
}

fn many_clients_share_one_transport<A: Adapter>() {
    let servers: Vec<Server> = (0..4).map(|_| serve()).collect();
    let pems: String = servers.iter().map(|server| server.certificate_pem().unwrap()).collect();
    let transport = A::Transport::new(&Trust::system_and_pem(pems.as_bytes()).unwrap());
    thread::scope(|scope| {
        for server in &servers {
            let transport = transport.clone();
            scope.spawn(move || {
                let client = A::builder(Service::new(&server.url()).unwrap())
                    .login(Credentials::new("ada", "engine No. 1"))
                    .transport(&transport)
                    .build()
                    .unwrap();
                client.scoped(|client| client.get::<Value>(SYSTEMS)).unwrap();
            });
        }
    });
    assert!(servers.iter().all(|server| (server.open_sessions(), opened(server)) == (0, 1)));
}

fn basic_opens_no_session<A: Adapter>() {
    let server = serve();
    let basic = |password: &str| {
        A::builder(Service::new(&server.url()).unwrap())
            .basic(Credentials::new("ada", password))
            .transport(&transport::<A>(&server))
            .build()
            .unwrap()
    };
    basic("engine No. 1").get::<Value>(SYSTEMS).unwrap();
    let error = basic("difference").get::<Value>(SYSTEMS).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
    assert_eq!(opened(&server), 0);
}

fn a_call_ends_at_its_deadline<A: Adapter>() {
    let server = serve();
    server.mock(|mock| mock.add_fault("slow=30s".parse().unwrap()));
    let policy = Policy::default().with_deadline(Duration::from_millis(100));
    let client = A::builder(Service::with_policy(&server.url(), policy).unwrap())
        .transport(&transport::<A>(&server))
        .build()
        .unwrap();
    let error = client.get::<Value>("/redfish/v1/").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_) | ErrorKind::Transport(_)), "{error}");
}

fn no_trace_or_debug_output_contains_a_secret<A: Adapter>() {
    const PASSWORD: &str = "engine \"No. 1\" 100% é";
    let settings = Settings { user: "ada".into(), password: PASSWORD.into(), ..Settings::default() };
    let server = Server::start(settings, ServeOptions::default()).unwrap();
    let output = Arc::new(Mutex::new(String::new()));
    let observed = output.clone();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", PASSWORD))
        .transport(&transport::<A>(&server))
        .observer(move |trace| {
            writeln!(observed.lock().unwrap(), "{}", format_args!("{trace} {trace:?}")).unwrap()
        })
        .build()
        .unwrap();
    let session = client.session().unwrap().unwrap();
    let token = session.token().to_owned();
    client.get_raw(session.target().unwrap().as_str()).unwrap();
    server.advance(Duration::from_secs(3600));
    client.get::<Value>(SYSTEMS).unwrap();
    let new_token = client.current().unwrap().token().to_owned();
    let errors = [
        client.get::<Value>(&format!("/redfish/v1/{token}")).unwrap_err(),
        client.send(http::Method::PATCH, SYSTEMS, Body::json(&PASSWORD).unwrap()).unwrap_err(),
    ];
    client.close().unwrap();

    let mut output = output.lock().unwrap();
    write!(output, "{errors:?} {client:?} {session:?}").unwrap();
    errors.iter().for_each(|error| write!(output, "{error}").unwrap());
    assert!(output.contains("POST"), "the observer sees the login");
    let basic = "YWRhOmVuZ2luZSAiTm8uIDEiIDEwMCUgw6k=";
    for secret in
        [PASSWORD, r#"engine \"No. 1\" 100% é"#, "engine%20%22No.%201%22%20100%25", basic, &token, &new_token]
    {
        assert!(!output.contains(secret), "{secret} in {output}");
    }
}
