//! `sessions`.

use redfish_mock::{Account, Fault, FaultKind, Profile, Role, Settings};
use serde_json::Value;

use super::canned::Canned;
use super::common::{BOTH, Bench, SESSIONS, SYSTEMS, run};

/// Opens a session of the same user that no saved session refers to. Returns its URI.
fn open_session(bench: &Bench, args: &[&str]) -> String {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = bench.as_admin(["login"]);
    command.args(args).env("REDFISH_STATE_DIR", elsewhere.path());
    run(&mut command).exits(0).out.trim_end().to_owned()
}

fn listed(bench: &Bench) -> Vec<Value> {
    let done = run(&mut bench.command(["sessions"])).exits(0);
    done.json().as_array().unwrap().clone()
}

#[test]
fn all_sessions_are_listed_and_the_callers_own_are_marked() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let other = open_session(&bench, &[]);
        let own = run(&mut bench.as_admin(["login"])).exits(0).out.trim_end().to_owned();
        let mut expected = vec![(own.clone(), true), (other, false)];
        expected.sort();
        let found: Vec<(String, bool)> = listed(&bench)
            .iter()
            .map(|row| (row["uri"].as_str().unwrap().to_owned(), row["mine"].as_bool().unwrap()))
            .collect();
        assert_eq!(found, expected, "{profile}");

        let table = run(&mut bench.command(["sessions", "--output", "table"])).exits(0).out;
        let line = table.lines().find(|line| line.starts_with(&own)).unwrap();
        assert!(line.contains("admin") && line.contains("yes"), "{table}");
    }
}

#[test]
fn the_given_sessions_are_closed() {
    let bench = Bench::standard();
    let (one, two, three) = (open_session(&bench, &[]), open_session(&bench, &[]), open_session(&bench, &[]));
    let done = run(&mut bench.as_admin(["sessions", "close", &one, &format!("{two}/")])).exits(0);
    assert_eq!(done.out, format!("{one}\n{two}\n"));
    assert_eq!(bench.server.open_sessions(), 1);
    let left: Vec<String> =
        bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
    assert_eq!(left, [three]);
}

#[test]
fn only_sessions_are_deleted() {
    let bench = Bench::standard();
    let stray = open_session(&bench, &[]);
    let account = "/redfish/v1/AccountService/Accounts/1";
    let done = run(&mut bench.as_admin(["sessions", "close", account, &stray, SESSIONS])).exits(1);
    assert_eq!(done.out, format!("{stray}\n"));
    assert_eq!((bench.handled("DELETE", account), bench.handled("DELETE", SESSIONS)), (0, 0));
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn mine_never_selects_by_user_name() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let other = open_session(&bench, &[]);
        // Without a saved session, the only own session is that of the command itself.
        let done = run(&mut bench.as_admin(["sessions", "close", "--mine"])).exits(0);
        assert_eq!((done.out.as_str(), bench.server.open_sessions()), ("", 1), "{profile}");

        let own = run(&mut bench.as_admin(["login"])).exits(0).out;
        let done = run(&mut bench.command(["sessions", "close", "--mine"])).exits(0);
        assert_eq!(done.out, own);
        assert!(bench.saved_sessions().is_empty(), "a closed session is not saved");
        let left: Vec<String> =
            bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
        assert_eq!(left, [other], "{profile}");
    }
}

#[test]
fn a_context_marks_sessions_of_earlier_runs() {
    let bench = Bench::standard();
    let context = ["--session-context", "night run 7"];
    let mut marked = [open_session(&bench, &context), open_session(&bench, &context)];
    marked.sort();
    let other = open_session(&bench, &["--session-context", "night run 8"]);
    let own = run(bench.as_admin(["login"]).args(context)).exits(0).out;
    let done = run(bench.command(["sessions", "close", "--mine"]).args(context)).exits(0);
    let mut closed: Vec<&str> = done.out.lines().collect();
    // Its own session is closed last, because it is needed to close the others.
    assert_eq!(closed.pop(), Some(own.trim_end()));
    assert_eq!(closed, marked);
    let left: Vec<String> =
        bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
    assert_eq!(left, [other]);
}

#[test]
fn a_failure_does_not_prevent_closing_the_others() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench = Bench::with(Settings { accounts, profile: Profile::Standard, ..Settings::default() });
    let foreign = open_session(&bench, &[]);
    let mut login = bench.command(["login", "-u", "reader"]);
    let own = run(login.env("REDFISH_PASSWORD", "p4ssw0rd")).exits(0).out.trim_end().to_owned();
    let done = run(&mut bench.command(["sessions", "close", &foreign, &own, "--output", "json"])).exits(1);
    assert_eq!(done.error()["error"], "forbidden");
    assert_eq!(done.out, format!("{own}\n"));
    assert_eq!(bench.server.open_sessions(), 1);
}

#[test]
fn the_session_is_closed_after_a_failure() {
    let bench = Bench::standard();
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::CutBody(None)).at(SESSIONS)));
    // The response to the login is cut too, but its headers suffice.
    run(&mut bench.as_admin(["sessions"])).exits(4);
    run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_failed_page_hides_no_session() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"Links\": {\"Sessions\": {\"@odata.id\": \"/s\"}}}"),
        ("GET /s", "200\n\n{\"Members\": [{\"@odata.id\": \"/s/1\", \"UserName\": \"ada\"}, {\"@odata.id\": \"/s/2\"}],
            \"Members@odata.nextLink\": \"/s?2\"}"),
        ("GET /s/2", "500"),
        ("GET /s?2", "500"),
        ("DELETE /s/1", "204"),
    ]);
    let done = run(&mut service.command(["sessions"])).exits(1);
    assert_eq!((&done.json()[0]["user"], done.json().as_array().unwrap().len()), (&"ada".into(), 1));
    assert!(done.err.contains("GET /s/2: "), "{}", done.err);
    let done = run(&mut service.command(["sessions", "close", "/s/1"])).exits(1);
    assert_eq!(done.out, "/s/1\n");
    // Without any session that could be read, there is no list.
    let service = Canned::new(&[
        ("GET /redfish/v1/SessionService/Sessions", "200\n\n{\"Members\": [{\"@odata.id\": \"/s/2\"}]}"),
        ("GET /redfish/v1/", "200\n\n{}"),
        ("GET /s/2", "500"),
    ]);
    assert_eq!(run(&mut service.command(["sessions"])).exits(1).out, "");
}
