//! A 401 for a resource while the session is alive: the session is not replaced, and no other one is left open.

use std::fs;
use std::process::Child;
use std::time::Duration;

use redfish_mock::{Fault, FaultKind, Profile};

use super::canned::Canned;
use super::common::{Bench, Done, SESSIONS, SYSTEMS, finish, run};

const CHASSIS: &str = "/redfish/v1/Chassis";
const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";
const TASK: &str = "/redfish/v1/TaskService/Tasks/1";
const EVENTS: &str = "/redfish/v1/EventService";

fn deny(bench: &Bench, paths: &[&str]) {
    bench.server.mock(|mock| {
        paths.iter().for_each(|path| mock.add_fault(Fault::new(FaultKind::Unauthorized).at(*path)));
    });
}

fn fail(bench: &Bench, path: &str, kind: FaultKind) {
    bench.server.mock(|mock| mock.add_fault(Fault::new(kind).at(path).times(1)));
}

/// The denied path and the arguments of each command.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (SYSTEMS, vec!["get", SYSTEMS, SYSTEMS, SYSTEMS]),
        (SYSTEM, vec!["patch", SYSTEM, r#"{"AssetTag": "a"}"#]),
        (SYSTEMS, vec!["tree", SYSTEMS]),
        (EVENTS, vec!["events", "--count", "1"]),
        (SESSIONS, vec!["sessions"]),
        (TASK, vec!["task", "wait", TASK]),
    ]
}

#[test]
fn a_denied_resource_needs_one_login_and_the_session_is_closed() {
    for (path, args) in commands() {
        // This path would deny the login too.
        if path == SESSIONS {
            continue;
        }
        let bench = Bench::standard();
        deny(&bench, &[path]);
        let done = run(&mut bench.as_admin(&args)).exits(3);
        assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 0), "{args:?}");
        assert!(done.err.contains("alive"), "{args:?}: {}", done.err);
        let done = run(bench.as_admin(&args).args(["--output", "json"])).exits(3);
        assert_eq!(done.error()["session_alive"], true, "{args:?}");
    }
}

#[test]
fn a_denied_link_of_a_tree_is_a_warning() {
    let bench = Bench::standard();
    deny(&bench, &[CHASSIS]);
    let done = run(&mut bench.as_admin(["tree", "--output", "text", "--depth", "1"])).exits(0);
    assert!(done.out.contains("Systems") && done.out.contains("Managers"), "{}", done.out);
    assert!(done.err.contains(CHASSIS) && done.err.contains("alive"), "{}", done.err);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 0));
}

#[test]
fn twenty_denied_resources_need_one_login() {
    let paths: Vec<String> = (0..20).map(|number| format!("{SYSTEMS}/{number}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let args = [&["get"][..], &paths].concat();
    let bench = Bench::standard();
    deny(&bench, &paths);
    run(&mut bench.as_admin(&args)).exits(3);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 0));

    run(&mut bench.as_admin(["login"])).exits(0);
    run(&mut bench.as_admin(&args)).exits(3);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (2, 1));
}

#[test]
fn a_saved_session_that_is_alive_is_not_renewed() {
    for (path, args) in commands() {
        let bench = Bench::standard();
        run(&mut bench.as_admin(["login"])).exits(0);
        let saved = fs::read(&bench.saved_sessions()[0]).unwrap();
        deny(&bench, &[path]);
        for mut command in [bench.as_admin(&args), bench.command(&args)] {
            let done = run(command.args(["--output", "json"])).exits(3);
            let error = done.error();
            assert_eq!(error["session_alive"], true, "{args:?}: {error}");
            assert!(error["text"].as_str().unwrap().contains("alive"), "{args:?}: {error}");
        }
        assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 1), "{args:?}");
        assert_eq!(fs::read(&bench.saved_sessions()[0]).unwrap(), saved);
    }
}

#[test]
fn a_write_whose_result_is_denied_is_not_repeated_with_another_session() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{}"),
        (
            "POST /redfish/v1/SessionService/Sessions",
            "201\nX-Auth-Token: token-1\nLocation: /redfish/v1/SessionService/Sessions/1\n\n{}",
        ),
        ("POST /w", "303\nLocation: /result"),
        ("PATCH /w", "303\nLocation: /result"),
        ("GET /result", "401"),
    ]);
    let bench = Bench::standard();
    let url = service.url();
    let command = |args: &[&str]| {
        let mut command = bench.as_admin(args);
        command.env("REDFISH_SERVICE", &url);
        command
    };
    run(&mut command(&["login"])).exits(0);
    for args in [["post", "/w", "{}"].as_slice(), &["patch", "/w", "{}", "--no-match"]] {
        let done = run(&mut command(args)).exits(5);
        assert!(done.err.contains("The write was carried out"), "{}", done.err);
    }
    let list = bench.file("services", &url);
    let sweep = ["sweep", "--services", &list, "post", "/w", "{}"];
    let result = bench.file("results", run(&mut command(&sweep)).exits(1).out);
    run(&mut command(&["sweep", "--services", &list, "--retry-failed", &result, "post", "/w", "{}"]))
        .exits(1);
    let writes = service.requests().iter().filter(|request| request.ends_with(" /w")).count();
    assert_eq!(writes, 3, "{:?}", service.requests());
}

#[test]
fn a_sweep_does_not_renew_a_session_that_is_alive() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    deny(&bench, &[SYSTEMS]);
    let list = bench.file("services", bench.server.url());
    let done = run(&mut bench.as_admin(["sweep", "--services", &list, "get", SYSTEMS])).exits(1);
    assert_eq!(done.json()["error"]["session_alive"], true);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 1));
}

#[test]
fn a_replaced_session_that_may_be_alive_is_closed_at_the_end() {
    // The check of the session fails, or the new session gets a 401 too.
    for kind in [FaultKind::InternalError, FaultKind::Unauthorized] {
        let bench = Bench::standard();
        let old = run(&mut bench.as_admin(["login"])).exits(0).out;
        deny(&bench, &[SYSTEMS]);
        fail(&bench, old.trim_end(), kind);
        let done = run(&mut bench.as_admin(["get", SYSTEMS, CHASSIS, "--output", "json"])).exits(3);
        assert!(done.err.contains("also with a new session"), "{}", done.err);
        assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (2, 1));
        assert_eq!(bench.handled("DELETE", old.trim_end()), 1, "with its own token");
        run(&mut bench.command(["get", CHASSIS])).exits(0);
        run(&mut bench.command(["logout"])).exits(0);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn a_session_without_a_uri_is_replaced_and_closed_at_the_end() {
    let bench = Bench::new(Profile::IloAmplifier);
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::NoLocation)));
    run(&mut bench.as_admin(["login"])).exits(0);
    deny(&bench, &[SYSTEMS]);
    run(&mut bench.as_admin(["get", SYSTEMS])).exits(3);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (2, 1));
}

#[test]
fn a_failed_login_does_not_change_the_saved_session() {
    for (kind, status) in [
        (FaultKind::Unauthorized, 3),
        (FaultKind::SessionLimit, 3),
        (FaultKind::InternalError, 1),
        (FaultKind::Unavailable(None), 1),
        (FaultKind::Reset, 4),
    ] {
        let bench = Bench::standard();
        let old = run(&mut bench.as_admin(["login"])).exits(0).out;
        let saved = fs::read(&bench.saved_sessions()[0]).unwrap();
        // The service reports a live session as expired.
        deny(&bench, &[SYSTEMS, CHASSIS, old.trim_end()]);
        bench.server.mock(|mock| mock.add_fault(Fault::new(kind.clone()).at(SESSIONS)));
        run(&mut bench.as_admin(["get", SYSTEMS, CHASSIS])).exits(status);
        assert!(bench.handled("POST", SESSIONS) > 1, "{kind:?}: it tried to log in");
        assert_eq!(fs::read(&bench.saved_sessions()[0]).unwrap(), saved, "{kind:?}");
        assert_eq!(
            (bench.handled("DELETE", old.trim_end()), bench.server.open_sessions()),
            (0, 1),
            "{kind:?}"
        );

        // The next command checks again.
        bench.server.mock(|mock| mock.clear_faults());
        let logins = bench.handled("POST", SESSIONS);
        run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
        assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (logins, 1), "{kind:?}");
    }
}

#[test]
fn one_of_two_processes_renews_the_session_for_both() {
    let bench = Bench::standard();
    let old = run(&mut bench.as_admin(["login"])).exits(0).out;
    bench.server.mock(|mock| {
        // Both get the 401 before the first one can renew the session.
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).at(SYSTEMS).times(2));
        mock.add_fault(Fault::new(FaultKind::Unauthorized).at(SYSTEMS));
        mock.add_fault(Fault::new(FaultKind::InternalError).at(old.trim_end()).times(1));
    });
    let children: Vec<Child> = (0..2).map(|_| bench.as_admin(["get", SYSTEMS]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(3);
    }
    assert!(bench.handled("POST", SESSIONS) <= 2);
    assert_eq!(bench.server.open_sessions(), 1);
    run(&mut bench.command(["get", CHASSIS])).exits(0);
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}
