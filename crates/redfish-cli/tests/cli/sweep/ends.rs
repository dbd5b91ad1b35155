//! The early end of a sweep: signals, the deadline, a broken pipe. All sessions are closed.

use std::time::Duration;

use super::*;
use crate::common::{finish, read_line, signal};

const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

#[test]
fn a_hanging_service_does_not_delay_the_others() {
    let fleet = fleet(6);
    let (_listener, hanging) = silent_service();
    let list = format!("{hanging}\n{}", urls(&fleet));
    let mut child = sweep(&fleet[0], &list, &["get", SYSTEMS, "--parallel", "2"]).spawn().unwrap();
    // The other lines are printed while it still hangs.
    let out = child.stdout.as_mut().unwrap();
    let printed: Vec<String> = fleet.iter().map(|_| read_line(out)).collect();
    assert!(printed.iter().all(|line| line.contains("\"ok\":true")), "{printed:?}");
    signal(&child, "INT");
    let done = finish(child).exits(130);
    let line = &lines(&done)[&hanging];
    assert_eq!((&line["error"]["error"], &line["status"]), (&json!("interrupted"), &Value::Null));
    assert!(done.err.contains("6 of 7 services ok, 1 failed (interrupted: 1)"), "{}", done.err);
}

#[test]
fn after_a_signal_all_sessions_are_closed_and_all_services_have_a_line() {
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let fleet = fleet(6);
        fleet.iter().skip(1).for_each(|bench| bench.slow(SYSTEMS, Duration::from_secs(60)));
        let list = urls(&fleet);
        let child = sweep(&fleet[0], &list, &["get", SYSTEMS, "--parallel", "3"]).spawn().unwrap();
        fleet[..4].iter().for_each(|bench| bench.await_request("GET", SYSTEMS));
        assert!(open_sessions(&fleet) >= 3);
        signal(&child, name);
        let done = finish(child).exits(status);
        assert_eq!(open_sessions(&fleet), 0, "{name}");
        let closed: u64 = fleet.iter().map(|b| b.server.mock(|mock| mock.session_count().deleted)).sum();
        assert_eq!(closed, 4);
        let lines = lines(&done);
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[&fleet[0].server.url()]["ok"], true);
        for bench in &fleet[1..] {
            let line = &lines[&bench.server.url()];
            assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("interrupted"), &json!(4)));
        }
        assert!(fleet[4..].iter().all(|bench| bench.requests() == 0), "no new service is started");

        // A retry visits the rest.
        fleet.iter().for_each(|bench| bench.server.mock(|mock| mock.clear_faults()));
        let results = fleet[0].file("results", &done.out);
        let args = ["get", SYSTEMS, "--retry-failed", &results];
        let done = run(&mut sweep(&fleet[0], &list, &args)).exits(0);
        assert_eq!(done.out.lines().count(), 5);
    }
}

#[test]
fn a_login_in_flight_is_closed_or_a_warning() {
    let fleet = fleet(2);
    fleet[0].slow(SESSIONS, Duration::from_millis(700));
    fleet[1].slow(SESSIONS, Duration::from_secs(60));
    let child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).spawn().unwrap();
    fleet.iter().for_each(|bench| bench.await_request("POST", SESSIONS));
    signal(&child, "TERM");
    let done = finish(child).exits(143);
    assert_eq!(fleet[0].server.open_sessions(), 0);
    assert_eq!(fleet[0].server.mock(|mock| mock.session_count().deleted), 1);
    let text = format!("{}: a login had no response", fleet[1].server.url());
    assert!(done.err.contains(&text) && done.err.matches("warning").count() == 1, "{}", done.err);
    assert_eq!(done.out.lines().count(), 2);
}

#[test]
fn the_session_of_a_login_after_the_timeout_is_closed() {
    let fleet = fleet(1);
    fleet[0].slow(SESSIONS, Duration::from_millis(1500));
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS, "--timeout", "1"])).exits(1);
    let line = &lines(&done)[&fleet[0].server.url()];
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)));
    assert_eq!(fleet[0].server.mock(|mock| mock.session_count().deleted), 1);
    assert!(!done.err.contains("warning"), "{}", done.err);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let fleet = fleet(1);
    fleet[0].slow(SESSIONS, Duration::from_secs(60));
    let child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).spawn().unwrap();
    fleet[0].await_request("POST", SESSIONS);
    signal(&child, "INT");
    signal(&child, "TERM");
    let done = finish(child);
    assert!([Some(130), Some(143)].contains(&done.status.code()), "{:?}", done.status);
    assert_eq!(done.out, "");
    let text = format!("may have left a session open at {}", fleet[0].server.url());
    assert!(done.err.contains(&text), "{}", done.err);
}

#[test]
fn an_interrupted_reset_has_an_unknown_outcome() {
    let fleet = fleet(2);
    fleet[0].slow(RESET, Duration::from_secs(60));
    fleet[1].slow(SYSTEM, Duration::from_secs(60));
    let reset = ["reset", "ForceOff", "--system", SYSTEM];
    let list = urls(&fleet);
    let child = sweep(&fleet[0], &list, &reset).spawn().unwrap();
    fleet[0].await_request("POST", RESET);
    fleet[1].await_request("GET", SYSTEM);
    signal(&child, "INT");
    let done = finish(child).exits(130);
    let ended = lines(&done);
    let line = &ended[&fleet[0].server.url()];
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("interrupted"), &json!(5)));
    assert!(line["error"]["hint"].as_str().unwrap().contains("check whether it happened"), "{line}");
    assert_eq!(ended[&fleet[1].server.url()]["exit"], 4);

    fleet.iter().for_each(|bench| bench.server.mock(|mock| mock.clear_faults()));
    let results = fleet[0].file("results", &done.out);
    let args = [&reset[..], &["--retry-failed", &results]].concat();
    let done = run(&mut sweep(&fleet[0], &list, &args)).exits(1);
    assert_eq!(lines(&done).into_keys().collect::<Vec<_>>(), [fleet[1].server.url()]);
    assert_eq!((fleet[0].handled("POST", RESET), fleet[1].handled("POST", RESET)), (1, 1));
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn at_the_deadline_the_remaining_services_have_a_line() {
    let fleet = fleet(2);
    let (_listener, hanging) = silent_service();
    let list = format!("{}\n{hanging}\n{}\n", fleet[0].server.url(), fleet[1].server.url());
    // Long enough for the first service. One at a time, so that the last is never started.
    let args = ["get", SYSTEMS, "--parallel", "1", "--deadline", "5"];
    let done = run(&mut sweep(&fleet[0], &list, &args)).exits(1);
    let lines = lines(&done);
    assert_eq!(lines[&fleet[0].server.url()]["ok"], true);
    for url in [&hanging, &fleet[1].server.url()] {
        assert_eq!((&lines[url]["error"]["error"], &lines[url]["exit"]), (&json!("deadline"), &json!(4)));
    }
    assert_eq!(fleet[1].requests(), 0);
    assert!(done.err.contains("1 of 3 services ok, 2 failed (deadline: 2)"), "{}", done.err);
}

#[test]
fn the_timeout_applies_to_all_requests_to_a_service() {
    let fleet = fleet(1);
    fleet[0].slow(SYSTEMS, Duration::from_secs(60));
    let args = ["get", SYSTEMS, "/redfish/v1/Chassis", "/redfish/v1/Managers", "--timeout", "2"];
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &args)).exits(1);
    let lines = lines(&done);
    let line = &lines[&fleet[0].server.url()];
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)), "{line}");
    assert_eq!(line.get("output"), None, "no time is left for the other paths");
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn after_a_broken_pipe_the_sweep_reports_how_many_services_were_not_visited_and_all_sessions_are_closed() {
    let fleet = fleet(6);
    let mut child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS, "--parallel", "2"]).spawn().unwrap();
    drop(child.stdout.take());
    let done = finish(child).exits(1);
    assert!(done.err.contains("standard output has no reader; "), "{}", done.err);
    assert_eq!(open_sessions(&fleet), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let fleet = fleet(3);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = run(sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).stdout(full)).exits(1);
    assert!(done.err.contains("standard output"), "{}", done.err);
    assert_eq!(open_sessions(&fleet), 0);
}
