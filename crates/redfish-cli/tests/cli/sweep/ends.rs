//! How a sweep ends before its end: signals, the deadline, a reader that leaves. Nothing is left open.

use std::time::Duration;

use redfish_mock::{Fault, FaultKind};

use super::*;
use crate::common::{finish, read_line, signal};

const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

fn slow(bench: &Bench, path: &str, time: Duration) {
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Slow(time)).at(path)));
}

#[test]
fn a_service_that_hangs_keeps_nobody_else() {
    let fleet = fleet(6);
    let (_listener, hanging) = silent();
    let list = format!("{hanging}\n{}", urls(&fleet));
    let mut child = sweep(&fleet[0], &list, &["get", SYSTEMS, "--parallel", "2"]).spawn().unwrap();
    // All the others are printed while it still hangs.
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
fn a_signal_half_way_leaves_no_session_and_a_line_for_each() {
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let fleet = fleet(6);
        fleet.iter().skip(1).for_each(|bench| slow(bench, SYSTEMS, Duration::from_secs(60)));
        let list = urls(&fleet);
        let child = sweep(&fleet[0], &list, &["get", SYSTEMS, "--parallel", "3"]).spawn().unwrap();
        fleet[..4].iter().for_each(|bench| bench.await_request("GET", SYSTEMS));
        assert!(open(&fleet) >= 3);
        signal(&child, name);
        let done = finish(child).exits(status);
        assert_eq!(open(&fleet), 0, "{name}");
        let closed: u64 = fleet.iter().map(|b| b.server.mock(|mock| mock.session_count().deleted)).sum();
        assert_eq!(closed, 4);
        let lines = lines(&done);
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[&fleet[0].server.url()]["ok"], true);
        for bench in &fleet[1..] {
            let line = &lines[&bench.server.url()];
            assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("interrupted"), &json!(4)));
        }
        assert!(fleet[4..].iter().all(|bench| bench.requests() == 0), "no new service is begun");

        // The rest is done afterwards.
        fleet.iter().for_each(|bench| bench.server.mock(|mock| mock.clear_faults()));
        let results = fleet[0].file("results", &done.out);
        let words = ["get", SYSTEMS, "--retry-failed", &results];
        let done = run(&mut sweep(&fleet[0], &list, &words)).exits(0);
        assert_eq!(done.out.lines().count(), 5);
    }
}

#[test]
fn a_login_on_its_way_is_closed_where_it_is_answered_in_time_and_said_where_not() {
    let fleet = fleet(2);
    slow(&fleet[0], SESSIONS, Duration::from_millis(700));
    slow(&fleet[1], SESSIONS, Duration::from_secs(60));
    let child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).spawn().unwrap();
    fleet.iter().for_each(|bench| bench.await_request("POST", SESSIONS));
    signal(&child, "TERM");
    let done = finish(child).exits(143);
    assert_eq!(fleet[0].server.open_sessions(), 0);
    assert_eq!(fleet[0].server.mock(|mock| mock.session_count().deleted), 1);
    let said = format!("{}: a login was not answered", fleet[1].server.url());
    assert!(done.err.contains(&said) && done.err.matches("warning").count() == 1, "{}", done.err);
    assert_eq!(done.out.lines().count(), 2);
}

#[test]
fn a_login_that_is_answered_when_the_time_is_over_is_closed() {
    let fleet = fleet(1);
    slow(&fleet[0], SESSIONS, Duration::from_millis(1500));
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS, "--timeout", "1"])).exits(1);
    let line = &lines(&done)[&fleet[0].server.url()];
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)));
    assert_eq!(fleet[0].server.mock(|mock| mock.session_count().deleted), 1);
    assert!(!done.err.contains("warning"), "{}", done.err);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let fleet = fleet(1);
    slow(&fleet[0], SESSIONS, Duration::from_secs(60));
    let child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).spawn().unwrap();
    fleet[0].await_request("POST", SESSIONS);
    signal(&child, "INT");
    signal(&child, "TERM");
    let done = finish(child);
    assert!([Some(130), Some(143)].contains(&done.status.code()), "{:?}", done.status);
    assert_eq!(done.out, "");
    let said = format!("it may have left a session open at {}", fleet[0].server.url());
    assert!(done.err.contains(&said), "{}", done.err);
}

#[test]
fn a_reset_that_was_sent_when_it_ended_has_an_unknown_outcome() {
    let fleet = fleet(2);
    slow(&fleet[0], RESET, Duration::from_secs(60));
    slow(&fleet[1], SYSTEM, Duration::from_secs(60));
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
    let words = [&reset[..], &["--retry-failed", &results]].concat();
    let done = run(&mut sweep(&fleet[0], &list, &words)).exits(1);
    assert_eq!(lines(&done).into_keys().collect::<Vec<_>>(), [fleet[1].server.url()]);
    assert_eq!((fleet[0].handled("POST", RESET), fleet[1].handled("POST", RESET)), (1, 1));
    assert_eq!(open(&fleet), 0);
}

#[test]
fn the_deadline_ends_all_and_each_that_is_left_has_a_line() {
    let fleet = fleet(2);
    let (_listener, hanging) = silent();
    let list = format!("{}\n{hanging}\n{}\n", fleet[0].server.url(), fleet[1].server.url());
    // Long enough for the first, and one at a time, so that the last is never begun.
    let words = ["get", SYSTEMS, "--parallel", "1", "--deadline", "5"];
    let done = run(&mut sweep(&fleet[0], &list, &words)).exits(1);
    let lines = lines(&done);
    assert_eq!(lines[&fleet[0].server.url()]["ok"], true);
    for url in [&hanging, &fleet[1].server.url()] {
        assert_eq!((&lines[url]["error"]["error"], &lines[url]["exit"]), (&json!("deadline"), &json!(4)));
    }
    assert_eq!(fleet[1].requests(), 0);
    assert!(done.err.contains("1 of 3 services ok, 2 failed (deadline: 2)"), "{}", done.err);
}

#[test]
fn a_service_has_the_timeout_for_all_it_is_asked() {
    let fleet = fleet(1);
    slow(&fleet[0], SYSTEMS, Duration::from_secs(60));
    let words = ["get", SYSTEMS, "/redfish/v1/Chassis", "/redfish/v1/Managers", "--timeout", "2"];
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &words)).exits(1);
    let lines = lines(&done);
    let line = &lines[&fleet[0].server.url()];
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)), "{line}");
    assert_eq!(line.get("output"), None, "what comes after has no time left");
    assert_eq!(open(&fleet), 0);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly_and_no_session_is_left() {
    let fleet = fleet(6);
    let mut child = sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS, "--parallel", "2"]).spawn().unwrap();
    drop(child.stdout.take());
    let done = finish(child).exits(0);
    assert_eq!(done.err, "");
    assert_eq!(open(&fleet), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_ends_it_as_a_failure() {
    let fleet = fleet(3);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = run(sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS]).stdout(full)).exits(1);
    assert!(done.err.contains("standard output"), "{}", done.err);
    assert_eq!(open(&fleet), 0);
}
