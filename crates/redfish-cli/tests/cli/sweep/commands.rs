//! Every command that speaks to a service has the same output and exit status in a sweep as alone.

use std::time::Duration;

use redfish_mock::{Account, Role, Settings};

use super::*;
use crate::canned::Canned;

/// A system that is off.
const OTHER: &str = "/redfish/v1/Systems/E905C3FF";

/// Runs a sweep, asserts its exit status, and returns the lines in the order of the fleet.
fn in_order(fleet: &[Bench], args: &[&str], status: i32) -> Vec<Value> {
    let done = run(&mut sweep(&fleet[0], &urls(fleet), args)).exits(status);
    let mut lines = lines(&done);
    fleet.iter().map(|bench| lines.remove(&bench.server.url()).unwrap()).collect()
}

#[test]
fn a_read_has_the_output_of_the_single_command() {
    let fleet = fleet(2);
    for args in [
        &["tree", SYSTEMS, "--depth", "1"][..],
        &["actions", SYSTEM],
        &["tasks"],
        &["get", "/redfish/v1/", "--auth", "none"],
    ] {
        let single = run(&mut fleet[0].as_admin(args)).exits(0).json();
        for line in in_order(&fleet, args, 0) {
            assert_eq!((&line["output"], &line["status"]), (&single, &json!(200)), "{args:?}");
        }
    }
    for line in in_order(&fleet, &["sessions"], 0) {
        let [session] = line["output"].as_array().unwrap().as_slice() else { panic!("{line}") };
        assert_eq!((&session["user"], &session["mine"]), (&json!("admin"), &json!(true)));
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_failure_is_that_of_the_single_command() {
    let fleet = fleet(1);
    for (args, exit) in [
        (&["tree", "/redfish/v1/None"][..], 1),
        (&["patch", "/redfish/v1/None", "{}"], 1),
        (&["patch", SYSTEM, r#"{"NoSuchMember": 1}"#], 1),
        (&["post", "/redfish/v1/None", "{}"], 1),
        (&["delete", SYSTEM], 1),
        (&["invoke", SYSTEM, "NoSuchAction"], 2),
        (&["invoke", SYSTEM, "Reset", "ResetType=Sideways"], 2),
        (&["task", "wait", "/redfish/v1/TaskService/TaskMonitors/None"], 1),
        (&["sessions", "close", "/redfish/v1/SessionService/Sessions/None"], 1),
        (&["events", "--count", "1", "--filter", "Color eq 'red'"], 2),
        (&["whoami", "--auth", "none"], 3),
    ] {
        let single = run(fleet[0].as_admin(args).arg("--output=json")).exits(exit).error();
        let line = in_order(&fleet, args, 1).remove(0);
        assert_eq!((&line["error"]["error"], &line["exit"]), (&single["error"], &json!(exit)), "{args:?}");
        assert_eq!(line["error"]["messages"], single["messages"], "{args:?}");
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn after_a_failed_part_the_rest_is_done_at_each_service() {
    let fleet = fleet(1);
    let service = Canned::new(&[("GET /a", ""), ("GET /b", "200\n\n{}")]);
    let args = ["get", "/a", "/b", "/c", "--auth", "none"];
    let done = run(&mut sweep(&fleet[0], &service.url(), &args)).exits(1);
    let line = &lines(&done)[&service.url()];
    assert_eq!((&line["output"], &line["exit"]), (&json!([null, {}, null]), &json!(4)));
    assert_eq!(line["error"]["uri"], "/a");
    assert!(done.err.contains("GET /c: "), "{}", done.err);

    let service = Canned::new(&[("GET /a", ""), ("GET /redfish/v1/", "")]);
    let done = run(&mut sweep(&fleet[0], &service.url(), &args)).exits(1);
    assert_eq!(lines(&done)[&service.url()]["exit"], 4);
    assert!(!service.requests().contains(&"GET /b".to_owned()));
}

#[test]
fn a_change_is_made_at_each_service_once() {
    let fleet = fleet(3);
    let body = fleet[0].file("body", r#"{"AssetTag": "B7"}"#);
    for args in [&["patch", SYSTEM, &format!("@{body}")][..], &["patch", SYSTEM, r#"{"AssetTag": "B8"}"#]] {
        for line in in_order(&fleet, args, 0) {
            assert!(line["output"]["AssetTag"].as_str().unwrap().starts_with('B'), "{line}");
        }
    }
    // Standard input is read once for all services.
    let list = fleet[0].file("services", urls(&fleet));
    let mut command = fleet[0].as_admin(["sweep", "--services", &list, "patch", SYSTEM, "-"]);
    let done = run_with_input(&mut command, r#"{"AssetTag": "B9"}"#).exits(0);
    assert!(lines(&done).values().all(|line| line["output"]["AssetTag"] == "B9"), "{}", done.out);
    let mut command = fleet[0].as_admin(["sweep", "--services", "-", "patch", SYSTEM, "-"]);
    run_with_input(&mut command, "").exits(2);
    assert!(fleet.iter().all(|bench| bench.handled("PATCH", SYSTEM) == 3));

    let account = r#"{"UserName": "new", "Password": "p4ssw0rd", "RoleId": "ReadOnly"}"#;
    let args = ["post", "/redfish/v1/AccountService/Accounts", account];
    let created: Vec<String> = in_order(&fleet, &args, 0)
        .iter()
        .map(|line| line["output"]["@odata.id"].as_str().unwrap().to_owned())
        .collect();
    in_order(&fleet, &["delete", &created[0], "{}"], 0);
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn an_action_is_invoked_and_a_task_is_a_monitor() {
    let fleet = fleet(2);
    for line in in_order(&fleet, &["invoke", OTHER, "Reset", "ResetType=On"], 0) {
        assert_eq!((&line["exit"], line.get("output")), (&json!(0), None), "{line}");
    }
    fleet.iter().for_each(|bench| {
        bench.server.mock(|mock| mock.add_fault(format!("task=200ms@{SYSTEM}").parse().unwrap()));
    });
    let change = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#];
    for (bench, line) in fleet.iter().zip(in_order(&fleet, &change, 0)) {
        let monitor = line["output"]["monitor"].as_str().unwrap();
        let one = std::slice::from_ref(bench);
        let waited = in_order(one, &["task", "wait", monitor], 0).remove(0);
        assert_eq!(waited["output"]["AssetTag"], "B7");
    }
    for line in in_order(&fleet, &[&change[..], &["--wait"]].concat(), 0) {
        assert_eq!(line["output"]["AssetTag"], "B7");
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_task_that_is_still_running_is_5_with_its_monitor() {
    let fleet = fleet(1);
    fleet[0].server.mock(|mock| mock.add_fault(format!("task=3600s@{SYSTEM}").parse().unwrap()));
    let change = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#];
    let monitor = in_order(&fleet, &change, 0)[0]["output"]["monitor"].clone();
    let wait = ["task", "wait", monitor.as_str().unwrap(), "--deadline", "20"];
    let line = in_order(&fleet, &wait, 1).remove(0);
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(5)));
    assert_eq!((&line["error"]["monitor"], &line["output"]["monitor"]), (&monitor, &monitor));
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn an_image_is_pushed_to_each_service() {
    let fleet = fleet(2);
    let image = fleet[0].file("image", b"an image".repeat(40_000));
    for (bench, line) in fleet.iter().zip(in_order(&fleet, &["update", &image, "--parameters", "{}"], 0)) {
        let monitor = line["output"]["monitor"].as_str().unwrap().to_owned();
        bench.server.advance(Duration::from_secs(60));
        run(&mut bench.as_admin(["task", "wait", &monitor])).exits(0);
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn events_are_a_list_up_to_their_count_or_the_deadline() {
    let fleet = fleet(2);
    for line in in_order(&fleet, &["events", "--count", "2"], 0) {
        assert_eq!(line["output"].as_array().unwrap().len(), 2, "{line}");
    }
    // Events before the deadline are printed.
    for line in in_order(&fleet, &["events", "--deadline", "3"], 1) {
        assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)));
        assert!(!line["output"].as_array().unwrap().is_empty(), "{line}");
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn sessions_are_closed_at_each_service() {
    let fleet = fleet(2);
    for bench in &fleet {
        run(&mut bench.as_admin(["login", "--session-context", "lost"])).exits(0);
    }
    let args = ["sessions", "close", "--mine", "--session-context", "lost"];
    for line in in_order(&fleet, &args, 0) {
        assert_eq!(line["output"].as_array().unwrap().len(), 1, "{line}");
    }
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_write_that_may_have_happened_is_not_repeated() {
    let fleet = fleet(4);
    let add = |bench: &Bench, fault: &str| {
        bench.server.mock(|mock| mock.add_fault(format!("{fault}@{SYSTEM}*1").parse().unwrap()));
    };
    // Without reading the ETag, so that the write is the first request.
    let change = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#, "--no-match"];
    add(&fleet[0], "lost-answer");
    add(&fleet[1], "500");
    add(&fleet[2], "expire-token");
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &change)).exits(1);
    let found = lines(&done);
    let exits: Vec<_> =
        fleet.iter().map(|bench| found[&bench.server.url()]["exit"].as_u64().unwrap()).collect();
    assert_eq!(exits, [5, 1, 0, 0], "{}", done.out);

    let results = fleet[0].file("results", &done.out);
    let again = [&change[..], &["--retry-failed", &results]].concat();
    let done = run(&mut sweep(&fleet[0], &urls(&fleet), &again)).exits(1);
    assert!(done.out.is_empty() && done.err.contains("2 services are skipped"), "{} {}", done.out, done.err);
    // A write with a 401 has not happened.
    let writes: Vec<_> = fleet.iter().map(|bench| bench.handled("PATCH", SYSTEM)).collect();
    assert_eq!(writes, [1, 1, 2, 1]);
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_write_that_was_partly_rejected_is_not_repeated() {
    let refused = r#"{"A": 1, "B@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PropertyNotWritable"}]}"#;
    let service = Canned::new(&[("PATCH /r", &format!("200\n\n{refused}"))]);
    let change = r#"{"A": 1, "B": 2}"#;
    let (bench, change) = (Bench::standard(), ["patch", "/r", change, "--no-match", "--auth", "none"]);
    let done = run(&mut sweep(&bench, &service.url(), &change)).exits(1);
    let line = &lines(&done)[&service.url()];
    assert_eq!((&line["exit"], &line["error"]["error"]), (&json!(1), &json!("partially-applied")));
    let results = bench.file("results", &done.out);
    run(&mut sweep(&bench, &service.url(), &[&change[..], &["--retry-failed", &results]].concat())).exits(1);
    assert_eq!(service.requests(), ["PATCH /r"]);
}

#[test]
fn a_write_replaces_an_expired_saved_session() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench = Bench::with(Settings { accounts, ..Settings::default() });
    run(&mut bench.as_admin(["login"])).exits(0);
    let saved = std::fs::read(&bench.saved_sessions()[0]).unwrap();
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    let list = bench.file("services", bench.server.url());
    let args = ["sweep", "--services", &list, "patch", SYSTEM, r#"{"AssetTag": "B7"}"#];
    let line = run(&mut bench.as_admin(args)).exits(0).json();
    assert_eq!((&line["output"]["AssetTag"], bench.handled("PATCH", SYSTEM)), (&json!("B7"), 1));
    assert_eq!(std::fs::read(&bench.saved_sessions()[0]).unwrap(), saved);
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (2, 0));
}
