//! `events`.

use std::time::Duration;

use redfish_mock::Settings;
use serde_json::Value;

use super::canned::Canned;
use super::common::{Bench, finish, read_line, run};

const STREAM: &str = "/redfish/v1/EventService/SSE";

/// The message keys of events in JSON lines.
fn keys(out: &str) -> Vec<String> {
    let key = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["Events"][0]["MessageId"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()
    };
    out.lines().map(key).collect()
}

#[test]
fn events_are_json_lines_up_to_the_count() {
    let bench = Bench::standard();
    // The stream starts with an event and a metric report.
    let done = run(&mut bench.as_admin(["events", "--count", "2"])).exits(0);
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["@odata.type"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "{}", done.out);
    assert!(kinds.iter().any(|kind| kind.starts_with("#Event.")), "{kinds:?}");
    assert_eq!(done.err, "");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_count_of_zero_ends_at_once() {
    let bench = Bench::standard();
    assert_eq!(run(&mut bench.as_admin(["events", "--count", "0"])).exits(0).out, "");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_wrong_password_is_an_authentication_error() {
    let bench = Bench::standard();
    let mut command = bench.command(["events", "--count", "1", "--output", "json"]);
    let done = run(command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(done.error()["error"], "not-authenticated");
}

#[test]
fn only_events_that_match_the_filter_are_printed() {
    let bench = Bench::standard();
    let args = ["events", "--count", "2", "--filter", "ResourceType eq 'Session'"];
    let child = bench.as_admin(args).spawn().unwrap();
    bench.await_request("GET", STREAM);
    run(&mut bench.as_admin(["patch", "/redfish/v1/Systems/E1D8B426", r#"{"AssetTag": "x"}"#])).exits(0);
    assert_eq!(keys(&finish(child).exits(0).out), ["ResourceCreated", "ResourceRemoved"]);

    let filtered =
        |filter| run(&mut bench.as_admin(["events", "--count", "1", "--output", "json", "--filter", filter]));
    // The service advertises its filter properties; other errors come from its response.
    assert_eq!(filtered("Color eq 'red'").exits(2).error()["error"], "not-allowable");
    assert_eq!(filtered("ResourceType eq").exits(1).error()["status"], 400);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_restart_of_the_service_loses_or_repeats_no_event() {
    let times = Settings {
        update_time: Duration::from_secs(600),
        restart_time: Duration::from_secs(3600),
        ..Settings::default()
    };
    let bench = Bench::with(times);
    let args = ["events", "--count", "5", "--filter", "RegistryPrefix eq 'TaskEvent'"];
    let mut child = bench.as_admin(args).spawn().unwrap();
    bench.await_request("GET", STREAM);
    run(&mut bench.as_admin(["update", &bench.file("image", "an image")])).exits(0);
    // The stream works before the connection breaks.
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

const ROOT: (&str, &str) = ("GET /redfish/v1/", "200\n\n{\"EventService\": {\"@odata.id\": \"/events\"}}");
const EVENTS: (&str, &str) = ("GET /events", "200\n\n{\"ServerSentEventUri\": \"/sse\"}");

/// A service whose event stream responds in this way, each time in the next one.
fn streaming(responses: &[&str]) -> Canned {
    let streams = responses.iter().map(|response| ("GET /sse", *response));
    Canned::new(&[ROOT, EVENTS].into_iter().chain(streams).collect::<Vec<_>>())
}

#[test]
fn an_event_with_a_control_character_is_json_on_one_line() {
    let service = streaming(&[concat!(
        "200\nContent-Type: text/event-stream\n\n",
        "data: {\"Message\": \"a\tb\u{1}c\"}\n\ndata: {\"Message\": \"a\ndata: b\"}\n\ndata: no \u{1} JSON\n\n"
    )]);
    let done = run(&mut service.command(["events", "--count", "3"])).exits(0);
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        serde_json::json!({"Message": "a\tb\u{1}c"}),
        serde_json::json!({"Message": "a\nb"}),
        serde_json::json!("no \u{1} JSON"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_stream_that_never_opens_is_4_after_the_retries_of_the_call() {
    let service = streaming(&[""]);
    let done = run(&mut service.command(["events", "--output", "json"])).exits(4);
    assert_eq!(done.error()["error"], "transport");
    assert_eq!(service.requests().iter().filter(|request| *request == "GET /sse").count(), 4);
}

#[test]
fn a_further_connection_is_reported() {
    let ended = "200\nContent-Type: text/event-stream\n\ndata: 1\n\n";
    let service = streaming(&[ended, "403"]);
    let done = run(&mut service.command(["events"])).exits(1);
    assert_eq!(done.out, "1\n");
    assert!(done.err.contains("ended the stream of events; it is opened again in 1 s"), "{}", done.err);
}
