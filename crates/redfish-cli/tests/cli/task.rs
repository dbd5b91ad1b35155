//! `tasks`, `task wait`, and `--wait`.

use redfish_mock::Settings;
use serde_json::json;

use super::canned::Canned;
use super::common::{Bench, finish, run, signal};

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";
const CHANGE: [&str; 3] = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#];

fn with(fault: &str) -> Bench {
    Bench::with(Settings { faults: vec![fault.parse().unwrap()], ..Settings::default() })
}

#[test]
fn a_task_is_waited_for_by_its_monitor_or_its_uri() {
    let bench = with(&format!("task=300ms@{SYSTEM}"));
    for args in [&["--wait"][..], &[]] {
        let done = run(bench.as_admin(CHANGE).args(args)).exits(0);
        let done = match args {
            [] => run(&mut bench.as_admin(["task", "wait", done.out.trim_end()])).exits(0),
            _ => done,
        };
        assert_eq!(done.json()["AssetTag"], "B7");
        assert_eq!(done.err, "", "silent in a pipe");
    }
    let done = run(bench.as_admin(CHANGE).args(["--output", "json"])).exits(0);
    let (monitor, task) = (done.json()["monitor"].clone(), done.json()["task"].as_str().unwrap().to_owned());
    assert!(monitor.as_str().unwrap().contains("TaskMonitors"), "{monitor}");
    run(&mut bench.as_admin(["task", "wait", &task])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_failed_task_is_1() {
    let bench = with(&format!("failing-task=200ms@{SYSTEM}"));
    let done = run(bench.as_admin(CHANGE).args(["--wait", "--output", "json"])).exits(1);
    assert!(done.error()["messages"].as_array().is_some_and(|messages| !messages.is_empty()), "{}", done.err);
    assert_eq!(done.out, "");
    let listed = run(&mut bench.as_admin(["tasks"])).exits(0).json();
    let task = listed[0]["uri"].as_str().unwrap();
    let done = run(&mut bench.as_admin(["task", "wait", task, "--output", "json"])).exits(1);
    assert_eq!(done.error()["error"], "task-failed");
}

#[test]
fn a_task_that_is_still_running_at_the_deadline_is_5_with_its_monitor() {
    let bench = with(&format!("task=1h@{SYSTEM}").replace("1h", "3600s"));
    let done = run(bench.as_admin(CHANGE).args(["--wait", "--deadline", "0.5"])).exits(5);
    let monitor = done.out.trim_end().to_owned();
    assert!(monitor.contains("TaskMonitors") && done.err.contains(&monitor), "{} {}", done.out, done.err);
    let args = ["task", "wait", &monitor, "--deadline", "0.5", "--output", "json"];
    let done = run(&mut bench.as_admin(args)).exits(5);
    assert_eq!(done.json()["monitor"], monitor);
    assert_eq!((&done.error()["error"], &done.error()["monitor"]), (&json!("deadline"), &json!(monitor)));
    assert_eq!(bench.server.open_sessions(), 0);
    // Options may come before the command.
    let mut command = bench.as_admin(["--deadline", "0.5"]);
    run(command.args(CHANGE).arg("--wait")).exits(5);
}

#[test]
fn without_its_monitor_the_task_is_read_and_without_both_it_is_5() {
    let bench = with(&format!("task=200ms@{SYSTEM}"));
    bench.server.mock(|mock| mock.add_fault("monitor-gone".parse().unwrap()));
    run(bench.as_admin(CHANGE).arg("--wait")).exits(0);

    let service = Canned::new(&[(
        "DELETE /r",
        "202\nLocation: /m/1\n\n{\"@odata.type\": \"#Task.v1_0_0.Task\", \"@odata.id\": \"/t/1\"}",
    )]);
    let done = run(&mut service.command(["delete", "/r", "--wait", "--output", "json"])).exits(5);
    assert_eq!((done.error()["error"].as_str(), done.out.as_str()), (Some("task-gone"), ""));
    assert_eq!(service.requests(), ["DELETE /r", "GET /m/1", "GET /t/1"]);
}

#[test]
fn a_monitor_at_another_origin_is_5_and_not_read() {
    let service =
        Canned::new(&[("POST /r", "202\nLocation: http://elsewhere.invalid/m/1"), ("GET /m/1", "204")]);
    for args in [&[][..], &["--wait"]] {
        let mut command = service.command(["post", "/r", "{}", "--output", "json"]);
        let done = run(command.args(args)).exits(5);
        assert_eq!(done.error()["error"], "off-origin");
        assert!(done.err.contains("http://elsewhere.invalid/m/1"), "{}", done.err);
    }
    assert_eq!(service.requests(), ["POST /r", "POST /r"]);
    run(&mut service.command(["post", "/r", "{}", "--wait", "--links", "path-only"])).exits(0);
}

#[test]
fn a_401_of_the_monitor_is_5_after_a_write_and_3_in_task_wait() {
    let service = Canned::new(&[("POST /r", "202\nLocation: /m/1"), ("GET /m/1", "401")]);
    let done = run(&mut service.command(["post", "/r", "{}", "--wait"])).exits(5);
    assert_eq!(done.out, "/m/1\n");
    let done = run(&mut service.command(["task", "wait", "/m/1"])).exits(3);
    assert_eq!(done.out, "");
}

#[test]
fn tasks_are_listed() {
    let bench = with(&format!("task=3600s@{SYSTEM}"));
    assert_eq!(run(&mut bench.as_admin(["tasks"])).exits(0).json(), json!([]));
    let monitor = run(&mut bench.as_admin(CHANGE)).exits(0).out;
    let listed = run(&mut bench.as_admin(["tasks"])).exits(0).json();
    let task = &listed[0];
    assert_eq!((&task["state"], &task["monitor"]), (&json!("Running"), &json!(monitor.trim_end())));
    let uri = task["uri"].as_str().unwrap();
    let table = run(&mut bench.as_admin(["tasks", "--output", "table"])).exits(0).out;
    assert!(table.starts_with("URI ") && table.contains(uri) && table.contains("Running"), "{table}");
    assert_eq!(run(&mut bench.as_admin(["tasks", "--output", "text"])).exits(0).out, format!("{uri}\n"));
    // A service without tasks.
    let service = Canned::new(&[("GET /redfish/v1/", "200\n\n{}")]);
    assert_eq!(
        run(&mut service.command(["tasks", "--output", "json"])).exits(1).error()["error"],
        "not-found"
    );
}

#[test]
fn a_job_is_waited_for_like_a_task() {
    let job = |state: &str| {
        format!("200\n\n{}", json!({"@odata.type": "#DellJob.v1_1_0.DellJob", "JobState": state}))
    };
    let service = Canned::new(&[
        ("GET /jobs/1", &job("Scheduled")),
        ("GET /jobs/1", &job("Completed")),
        ("GET /jobs/2", &job("CompletedWithErrors")),
    ]);
    run(&mut service.command(["task", "wait", "/jobs/1"])).exits(0);
    let done = run(&mut service.command(["task", "wait", "/jobs/2"])).exits(1);
    assert!(done.err.contains("CompletedWithErrors"), "{}", done.err);
}

#[test]
fn a_complete_task_may_have_failed_or_have_a_warning() {
    let task = |status: &str| {
        let message = json!({"MessageId": "Acme.1.0.Odd", "Message": "One drive was left out.", "Severity": "Critical"});
        let task = json!({"TaskState": "Completed", "TaskStatus": status, "Messages": [message]});
        format!("200\n\n{task}")
    };
    let service = Canned::new(&[("GET /tasks/1", &task("Critical")), ("GET /tasks/2", &task("Warning"))]);
    let done = run(&mut service.command(["task", "wait", "/tasks/1"])).exits(1);
    assert!(done.err.contains("One drive was left out"), "{}", done.err);
    let done = run(&mut service.command(["task", "wait", "/tasks/2"])).exits(0);
    assert!(
        done.err.contains("One drive was left out") && done.err.contains("status Warning"),
        "{}",
        done.err
    );
}

#[test]
fn what_is_no_task_is_not_done() {
    let resource = "200\n\n{\"@odata.id\": \"/b\", \"Id\": \"1\"}";
    let service = Canned::new(&[("GET /a", "200\n\n[]"), ("GET /b", resource)]);
    for uri in ["/a", "/b"] {
        run(&mut service.command(["task", "wait", uri])).exits(4);
    }
}

#[test]
fn a_monitor_that_was_never_seen_is_1_if_it_was_typed_and_5_after_a_write() {
    let missing = ["404"; 4].map(|status| ("GET /monitor", status));
    let mut answers = vec![("POST /a", "202\nLocation: /monitor")];
    answers.extend(missing);
    answers.extend(missing);
    let service = Canned::new(&answers);
    let done = run(&mut service.command(["post", "/a", "{}", "--wait"])).exits(5);
    assert!(done.err.contains("never seen"), "{}", done.err);
    run(&mut service.command(["task", "wait", "/monitor"])).exits(1);
}

#[test]
fn a_task_in_the_response_to_a_write_is_waited_for() {
    let task = |state: &str| format!("200\n\n{}", json!({"@odata.id": "/tasks/1", "TaskState": state}));
    let service = Canned::new(&[
        ("POST /a", &task("Running")),
        ("GET /tasks/1", &task("Exception")),
        ("POST /a", &task("Exception")),
        ("POST /a", &task("Running")),
    ]);
    run(&mut service.command(["post", "/a", "{}", "--wait"])).exits(1);
    run(&mut service.command(["post", "/a", "{}", "--wait"])).exits(1);
    assert_eq!(run(&mut service.command(["post", "/a", "{}"])).exits(0).out, "/tasks/1\n");
}

#[test]
fn jobs_are_listed_beside_tasks_and_nothing_twice() {
    let list = |ids: &[&str]| {
        let members: Vec<_> = ids.iter().map(|id| json!({"@odata.id": id})).collect();
        format!("200\n\n{}", json!({"Members": members}))
    };
    let root = json!({"Tasks": {"@odata.id": "/ts"}, "JobService": {"@odata.id": "/js"}});
    let service = Canned::new(&[
        ("GET /redfish/v1/", &format!("200\n\n{root}")),
        ("GET /ts", "200\n\n{\"Tasks\": {\"@odata.id\": \"/tasks\"}}"),
        ("GET /tasks", &list(&["/tasks/1"])),
        ("GET /tasks/1", "200\n\n{\"TaskState\": \"Running\"}"),
        ("GET /js", "200\n\n{\"Jobs\": {\"@odata.id\": \"/jobs\"}}"),
        ("GET /jobs", &list(&["/tasks/1", "/jobs/7"])),
        ("GET /jobs/7", "200\n\n{\"JobState\": \"Scheduled\"}"),
    ]);
    let listed = run(&mut service.command(["tasks", "--output", "json"])).exits(0).json();
    let listed: Vec<_> =
        listed.as_array().unwrap().iter().map(|task| [&task["uri"], &task["state"]]).collect();
    assert_eq!(listed, [["/tasks/1", "Running"], ["/jobs/7", "Scheduled"]]);
}

#[test]
fn a_failed_page_or_task_hides_no_other_task() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"Tasks\": {\"@odata.id\": \"/ts\"}}"),
        ("GET /ts", "200\n\n{\"Tasks\": {\"@odata.id\": \"/t\"}}"),
        ("GET /t", "200\n\n{\"Members\": [{\"@odata.id\": \"/t/1\"}, {\"@odata.id\": \"/t/2\"}, {\"Name\": \"no link\"},
            {\"@odata.id\": \"/t/gone\"}], \"Members@odata.nextLink\": \"/t?2\"}"),
        ("GET /t/1", "500"),
        ("GET /t/2", "200\n\n{\"Name\": \"two\"}"),
        ("GET /t?2", ""),
    ]);
    let done = run(&mut service.command(["tasks"])).exits(1);
    let listed: Vec<_> =
        done.json().as_array().unwrap().iter().map(|t| (t["uri"].clone(), t["name"].clone())).collect();
    assert_eq!(listed, [(json!("/t/2"), json!("two")), (json!(null), json!("no link"))]);
    assert!(done.err.contains("GET /t/1: ") && done.err.contains("GET /t?2: "), "{}", done.err);
}

#[test]
fn a_signal_while_waiting_names_the_monitor() {
    let service = Canned::new(&[("POST /a", "202\nLocation: /m"), ("GET /m", "202")]);
    let child = service.command(["post", "/a", "{}", "--wait"]).spawn().unwrap();
    while !service.requests().contains(&"GET /m".to_owned()) {
        std::thread::yield_now();
    }
    signal(&child, "INT");
    let done = finish(child).exits(130);
    assert!(done.err.contains("redfish task wait '/m'"), "{}", done.err);
}

#[test]
fn the_last_state_and_messages_of_a_task_are_reported_at_the_deadline() {
    let task = r##"200

{"@odata.type": "#Task.v1_4_3.Task", "Id": "9", "TaskState": "Pending",
        "Messages": [{"MessageId": "IDRAC.2.8.JCP001", "Message": "Task successfully scheduled."}]}"##;
    let service = Canned::new(&[("GET /t/9", task)]);
    let args = ["task", "wait", "/t/9", "--deadline", "0.3", "--output", "json"];
    let done = run(&mut service.command(args)).exits(5);
    let error = done.error();
    assert_eq!((&error["error"], &error["monitor"]), (&json!("deadline"), &json!("/t/9")));
    let text = error["text"].as_str().unwrap();
    assert!(text.contains("its last state was Pending: Task successfully scheduled"), "{text}");
    assert_eq!(error["messages"][0]["MessageId"], "IDRAC.2.8.JCP001");
}
