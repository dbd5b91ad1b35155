//! `sessions`: the list, and what is closed of it.

use redfish_mock::{Account, Fault, FaultKind, Profile, Role, Settings};
use serde_json::Value;

use super::common::{BOTH, Bench, SESSIONS, SYSTEMS, run};

/// Leaves a session of the same user open, as a program does that forgot it; its URI.
fn stray(bench: &Bench, words: &[&str]) -> String {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = bench.as_admin(["login"]);
    command.args(words).env("REDFISH_STATE_DIR", elsewhere.path());
    run(&mut command).exits(0).out.trim_end().to_owned()
}

fn listed(bench: &Bench) -> Vec<Value> {
    let done = run(&mut bench.command(["sessions"])).exits(0);
    done.json().as_array().unwrap().clone()
}

#[test]
fn all_sessions_are_listed_and_ones_own_is_marked() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let other = stray(&bench, &[]);
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
fn those_that_are_named_are_closed() {
    let bench = Bench::standard();
    let (one, two, three) = (stray(&bench, &[]), stray(&bench, &[]), stray(&bench, &[]));
    let done = run(&mut bench.as_admin(["sessions", "close", &one, &format!("{two}/")])).exits(0);
    assert_eq!(done.out, format!("{one}\n{two}\n"));
    assert_eq!(bench.server.open_sessions(), 1);
    let left: Vec<String> =
        bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
    assert_eq!(left, [three]);
}

#[test]
fn nothing_but_a_session_is_deleted() {
    let bench = Bench::standard();
    let stray = stray(&bench, &[]);
    let account = "/redfish/v1/AccountService/Accounts/1";
    let done = run(&mut bench.as_admin(["sessions", "close", account, &stray, SESSIONS])).exits(1);
    assert_eq!(done.out, format!("{stray}\n"));
    assert_eq!((bench.handled("DELETE", account), bench.handled("DELETE", SESSIONS)), (0, 0));
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn mine_are_those_that_are_marked_and_never_others_of_the_same_name() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let other = stray(&bench, &[]);
        // Without a kept session there is only the command's own, which ends with it.
        let done = run(&mut bench.as_admin(["sessions", "close", "--mine"])).exits(0);
        assert_eq!((done.out.as_str(), bench.server.open_sessions()), ("", 1), "{profile}");

        let own = run(&mut bench.as_admin(["login"])).exits(0).out;
        let done = run(&mut bench.command(["sessions", "close", "--mine"])).exits(0);
        assert_eq!(done.out, own);
        assert!(bench.kept().is_empty(), "a closed session is not kept");
        let left: Vec<String> =
            bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
        assert_eq!(left, [other], "{profile}");
    }
}

#[test]
fn a_context_marks_sessions_of_earlier_runs() {
    let bench = Bench::standard();
    let context = ["--session-context", "night run 7"];
    let mut marked = [stray(&bench, &context), stray(&bench, &context)];
    marked.sort();
    let other = stray(&bench, &["--session-context", "night run 8"]);
    let own = run(bench.as_admin(["login"]).args(context)).exits(0).out;
    let done = run(bench.command(["sessions", "close", "--mine"]).args(context)).exits(0);
    let mut closed: Vec<&str> = done.out.lines().collect();
    // With its own session gone first, the others could not be closed.
    assert_eq!(closed.pop(), Some(own.trim_end()));
    assert_eq!(closed, marked);
    let left: Vec<String> =
        bench.server.mock(|mock| mock.sessions(std::time::Duration::ZERO).map(|s| s.path()).collect());
    assert_eq!(left, [other]);
}

#[test]
fn a_refusal_does_not_keep_from_closing_the_others() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench = Bench::with(Settings { accounts, profile: Profile::Standard, ..Settings::default() });
    let foreign = stray(&bench, &[]);
    let mut login = bench.command(["login", "-u", "reader"]);
    let own = run(login.env("REDFISH_PASSWORD", "p4ssw0rd")).exits(0).out.trim_end().to_owned();
    let done = run(&mut bench.command(["sessions", "close", &foreign, &own, "--output", "json"])).exits(1);
    assert_eq!(done.error()["error"], "forbidden");
    assert_eq!(done.out, format!("{own}\n"));
    assert_eq!(bench.server.open_sessions(), 1);
}

#[test]
fn a_failure_leaves_no_session_behind() {
    let bench = Bench::standard();
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::CutBody(None)).at(SESSIONS)));
    // The answer to the login is cut too, and is a success all the same.
    run(&mut bench.as_admin(["sessions"])).exits(4);
    run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}
