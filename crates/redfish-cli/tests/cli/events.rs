//! `events`.

use std::time::Duration;

use redfish_mock::Settings;
use serde_json::Value;

use super::common::{Bench, finish, read_line, run};

const STREAM: &str = "/redfish/v1/EventService/SSE";

/// The keys of the messages of events, a document a line.
fn keys(out: &str) -> Vec<String> {
    let key = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["Events"][0]["MessageId"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()
    };
    out.lines().map(key).collect()
}

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

#[test]
fn only_what_was_asked_for_is_told() {
    let bench = Bench::standard();
    let words = ["events", "--count", "2", "--filter", "ResourceType eq 'Session'"];
    let child = bench.as_admin(words).spawn().unwrap();
    bench.await_request("GET", STREAM);
    run(&mut bench.as_admin(["patch", "/redfish/v1/Systems/E1D8B426", r#"{"AssetTag": "x"}"#])).exits(0);
    assert_eq!(keys(&finish(child).exits(0).out), ["ResourceCreated", "ResourceRemoved"]);

    let filtered =
        |filter| run(&mut bench.as_admin(["events", "--count", "1", "--output", "json", "--filter", filter]));
    // What the service does not filter by it says of itself; that another is none, it has to be asked.
    assert_eq!(filtered("Colour eq 'red'").exits(2).error()["error"], "not-allowable");
    assert_eq!(filtered("ResourceType eq").exits(1).error()["status"], 400);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn no_event_is_lost_or_told_twice_while_the_service_restarts() {
    let times = Settings {
        update_time: Duration::from_secs(600),
        restart_time: Duration::from_secs(3600),
        ..Settings::default()
    };
    let bench = Bench::with(times);
    let words = ["events", "--count", "5", "--filter", "RegistryPrefix eq 'TaskEvent'"];
    let mut child = bench.as_admin(words).spawn().unwrap();
    bench.await_request("GET", STREAM);
    run(&mut bench.as_admin(["update", &bench.file("image", "an image")])).exits(0);
    // Known to be under way before the connection breaks.
    let first = read_line(child.stdout.as_mut().unwrap());
    bench.server.advance(Duration::from_secs(600));
    bench.server.advance(Duration::from_secs(3600));
    let done = finish(child).exits(0);
    let seen = keys(&format!("{first}\n{}", done.out));
    let progress = "TaskProgressChanged";
    assert_eq!(seen, ["TaskStarted", progress, progress, progress, "TaskCompletedOK"]);
    let count = bench.server.mock(|mock| mock.session_count());
    assert_eq!((bench.server.open_sessions(), count.forgotten), (0, 1));
}
