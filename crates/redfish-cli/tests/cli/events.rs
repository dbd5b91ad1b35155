//! `events`.

use serde_json::Value;

use super::common::{Bench, run};

#[test]
fn events_are_a_document_a_line_and_end_with_their_count() {
    let bench = Bench::standard();
    // The stream begins with an event and a report.
    let done = run(&mut bench.as_admin(["events", "--count", "2"])).exits(0);
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["@odata.type"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "{}", done.out);
    assert!(kinds.iter().any(|kind| kind.starts_with("#Event.")), "{kinds:?}");
    assert_eq!(done.err, "");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn no_event_is_waited_for_where_none_is_wanted() {
    let bench = Bench::standard();
    assert_eq!(run(&mut bench.as_admin(["events", "--count", "0"])).exits(0).out, "");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn whoever_may_not_listen_is_told_so() {
    let bench = Bench::standard();
    let mut command = bench.command(["events", "--count", "1", "--output", "json"]);
    let done = run(command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "wrong words")).exits(3);
    assert_eq!(done.error()["error"], "not-authenticated");
}
