//! Failures: exit status, text and JSON, and that the session is closed.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use redfish_mock::{Account, Fault, Role, Settings};
use redfish_testkit::script::UnansweringListener;

use super::common::{Bench, SESSIONS, SYSTEMS, finish, redfish, run};

#[test]
fn each_failure_has_its_status_and_kind_and_the_session_is_closed() {
    for (fault, status, kind) in [
        ("503=1@/redfish/v1/Systems", 1, "busy"),
        ("redirect-off-origin@/redfish/v1/Systems", 4, "redirect"),
        ("cut-body@/redfish/v1/Systems", 4, "transport"),
        ("reset@/redfish/v1/Systems", 4, "transport"),
        ("slow=30s@/redfish/v1/Systems", 4, "deadline"),
        ("session-limit", 3, "session-limit"),
        ("reset@/redfish/v1/SessionService/Sessions", 4, "transport"),
        ("expire-token@/redfish/v1/Systems", 3, "not-authenticated"),
    ] {
        let fault: Fault = fault.parse().unwrap();
        let bench = Bench::with(Settings { faults: vec![fault.clone()], ..Settings::default() });
        let done =
            run(&mut bench.as_admin(["get", SYSTEMS, "--timeout", "2.5", "--output", "json"])).exits(status);
        let error = done.error();
        assert_eq!(error["error"], kind, "{fault}: {error}");
        assert!(
            ["status", "method", "uri", "messages", "hint"].iter().all(|key| error.get(key).is_some()),
            "{error}"
        );
        assert_eq!(done.out, "");
        assert_eq!(bench.server.open_sessions(), 0, "{fault}");
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    let bench = Bench::standard();
    run(bench.as_admin(["get", SYSTEMS, SYSTEMS, SYSTEMS]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(bench.handled("POST", SESSIONS), 1);
}

#[test]
fn an_error_includes_the_messages_of_the_service() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench = Bench::with(Settings { accounts, ..Settings::default() });
    let args = ["post", "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset", "{}", "-u", "reader"];
    let mut command = bench.command(args);
    command.env("REDFISH_PASSWORD", "p4ssw0rd");
    let done = run(&mut command).exits(1);
    assert!(done.err.contains("403") && done.err.contains("InsufficientPrivilege"), "{}", done.err);
    let error = run(command.args(["--output", "json"])).exits(1).error();
    assert_eq!((error["error"].as_str(), error["status"].as_u64()), (Some("forbidden"), Some(403)));
    assert_eq!(error["method"], "POST");
    let id = error["messages"][0]["MessageId"].as_str().unwrap();
    assert!(id.ends_with("InsufficientPrivilege"), "{error}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_failed_logout_is_a_warning_and_does_not_hide_the_first_error() {
    let bench = Bench::standard();
    let add = |fault: &str| bench.server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    add(&format!("slow=500ms@{SYSTEMS}"));
    add(&format!("503@{SYSTEMS}"));
    let child = bench.as_admin(["get", SYSTEMS, "--output", "json"]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    let uri = bench.server.mock(|mock| mock.sessions(Duration::ZERO).next().unwrap().path());
    add(&format!("503@{uri}"));
    let done = finish(child).exits(1);
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["uri"].as_str()), (Some("busy"), Some(SYSTEMS)));
    assert!(done.err.contains("could not be closed") && done.err.contains(&uri), "{}", done.err);
    assert_eq!(bench.server.open_sessions(), 1);
}

#[test]
fn a_logout_has_its_own_timeout() {
    let bench = Bench::standard();
    let add = |fault: &str| bench.server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    add(&format!("slow=500ms@{SYSTEMS}"));
    let child = bench.as_admin(["get", SYSTEMS, "--timeout", "30"]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    let uri = bench.server.mock(|mock| mock.sessions(Duration::ZERO).next().unwrap().path());
    add(&format!("slow=60s@{uri}"));
    let started = Instant::now();
    let done = finish(child).exits(0);
    assert_eq!(done.json()["@odata.id"], SYSTEMS);
    assert!(done.err.contains("could not be closed"), "{}", done.err);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_refused_connection_is_a_transport_error() {
    // The port is free again, so connections are refused.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let args = ["get", "/redfish/v1", "--output=json", "--timeout", "2", "-s"];
    let done = run(redfish(args).arg(format!("http://127.0.0.1:{port}"))).exits(4);
    assert_eq!(done.error()["error"], "transport");
}

#[test]
fn a_silent_service_is_a_timeout() {
    // Accepts connections and never responds.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let args = ["get", "/redfish/v1", "--timeout", "0.2", "--output=json", "-s", &url];
    let started = Instant::now();
    run(&mut redfish(args)).exits(4);
    assert!(started.elapsed() < Duration::from_secs(20));
    let args = ["login", "--timeout", "0.2", "-u", "admin", "-s", &url];
    run(redfish(args)
        .env("REDFISH_PASSWORD", "p")
        .env("REDFISH_STATE_DIR", tempfile::tempdir().unwrap().path()))
    .exits(4);
}

#[test]
fn an_error_caused_by_the_timeout_names_its_option() {
    let faults = vec!["slow=30s@/redfish/v1/Systems".parse().unwrap()];
    let bench = Bench::with(Settings { faults, ..Settings::default() });
    for (args, status, hint) in [
        (&["get", SYSTEMS][..], 4, "Allow more time with --timeout, or check the service."),
        (&["post", SYSTEMS, "{}"], 5, "--timeout allows more time."),
    ] {
        let done = run(bench.as_admin(args).args(["--timeout", "1", "--output", "json"])).exits(status);
        assert!(done.error()["hint"].as_str().unwrap().ends_with(hint), "{}", done.err);
    }
    let dead = UnansweringListener::start().unwrap();
    let url = format!("http://{}", dead.address());
    let args = ["get", "/", "--service", &url, "--timeout", "1", "--auth", "none"];
    let done = run(&mut redfish(args)).exits(4);
    assert!(done.err.contains("--timeout allows more time."), "{}", done.err);
}

#[test]
fn an_error_that_more_time_does_not_help_names_no_timeout() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let args = ["get", "/", "--service", &format!("http://{refusing}"), "--timeout", "1", "--auth", "none"];
    let done = run(&mut redfish(args)).exits(4);
    assert!(!done.err.contains("--timeout"), "{}", done.err);
}
