//! `--retry-failed`: repeats what failed, but not a write with an unknown outcome.

use super::*;

const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

#[test]
fn only_failed_services_are_visited_again() {
    let fleet = fleet(3);
    let password = fleet[1].file("password", "wrong\n");
    let list = format!(
        "{}\n{}\n{}\n",
        fleet[0].server.url(),
        json!({"service": fleet[1].server.url(), "password_file": password}),
        fleet[2].server.url()
    );
    fleet[2].server.mock(|mock| mock.add_fault(format!("500@{SYSTEMS}").parse().unwrap()));
    let first = run(&mut sweep(&fleet[0], &list, &["get", SYSTEMS])).exits(1);
    let results = fleet[0].file("results", &first.out);
    let before = fleet[0].requests();

    fleet[1].file("password", "machine-room\n");
    let again = ["get", SYSTEMS, "--retry-failed", &results];
    let second = run(&mut sweep(&fleet[0], &list, &again)).exits(1);
    let lines = lines(&second);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[&fleet[1].server.url()]["ok"], fleet[0].requests()), (&json!(true), before));

    // Of several results of a service, the last one counts.
    fleet[2].server.mock(|mock| mock.clear_faults());
    let results = fleet[0].file("results", first.out + &second.out);
    let again = ["get", SYSTEMS, "--retry-failed", &results];
    let third = run(&mut sweep(&fleet[0], &list, &again)).exits(0);
    assert_eq!(third.out.lines().count(), 1, "{}", third.out);
    let results = fleet[0].file("results", second.out + &third.out);
    let again = ["get", SYSTEMS, "--retry-failed", &results];
    let done = run(&mut sweep(&fleet[0], &list, &again)).exits(0);
    assert!(done.out.is_empty() && done.err.contains("0 of 0 services ok"), "{}{}", done.out, done.err);
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn invalid_results_are_rejected() {
    let bench = Bench::standard();
    let url = bench.server.url();
    for (results, reason) in [
        (format!("{{\"service\": \"{url}\", \"ok\": false}}\nhunter2\n"), "line 2 of the earlier results"),
        (
            "{\"service\": \"https://admin:hunter2@bmc\", \"ok\": false}".to_owned(),
            "line 1 of the earlier results",
        ),
        ("{\"service\": \"https://hunter2\", \"ok\": false}".to_owned(), "not in the services file"),
        ("\n".to_owned(), "empty"),
    ] {
        let results = bench.file("results", results);
        let done = run(&mut sweep(&bench, &url, &["get", SYSTEMS, "--retry-failed", &results])).exits(2);
        assert!(done.err.contains(reason) && !done.err.contains("hunter2"), "{}", done.err);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_reset_of_unknown_outcome_is_not_repeated() {
    let fleet = fleet(3);
    let fault =
        |bench: &Bench, fault: String| bench.server.mock(|mock| mock.add_fault(fault.parse().unwrap()));
    fault(&fleet[0], format!("lost-answer@{RESET}"));
    fault(&fleet[1], format!("500@{RESET}*1"));
    let list = urls(&fleet);
    let reset = ["reset", "ForceOff", "--system", SYSTEM];
    let done = run(&mut sweep(&fleet[0], &list, &reset)).exits(1);
    let lines = lines(&done);
    let line = &lines[&fleet[0].server.url()];
    assert_eq!((&line["exit"], &line["error"]["error"]), (&json!(5), &json!("outcome-unknown")));
    assert_eq!(lines[&fleet[1].server.url()]["exit"], 1);
    assert_eq!(lines[&fleet[2].server.url()]["exit"], 0);

    let results = fleet[0].file("results", &done.out);
    let again = |args: &[&str]| sweep(&fleet[0], &list, &[args, &["--retry-failed", &results]].concat());
    let done = run(&mut again(&reset)).exits(1);
    assert_eq!(done.out.lines().count(), 0, "{}", done.out);
    assert!(
        done.err.contains("2 services are skipped") && done.err.contains("Look at each first"),
        "{}",
        done.err
    );
    let posts = |bench: &Bench| bench.handled("POST", RESET);
    assert_eq!(fleet.iter().map(posts).collect::<Vec<_>>(), [1, 1, 1]);
    // A read is repeated there.
    let done = run(&mut again(&["get", SYSTEM])).exits(0);
    assert_eq!(done.out.lines().count(), 2, "{}", done.out);
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_write_whose_task_ended_badly_is_not_repeated() {
    let failed = json!({"TaskState": "Completed", "TaskStatus": "Critical"});
    for end in [&format!("200\n\n{failed}"), "403", "500\n\n<html></html>"] {
        let service = Canned::new(&[("POST /c", "202\nLocation: /m"), ("GET /m", end)]);
        let (bench, write) = (Bench::standard(), ["post", "/c", "{}", "--wait", "--auth", "none"]);
        let done = run(&mut sweep(&bench, &service.url(), &write)).exits(1);
        let line = &lines(&done)[&service.url()];
        assert_eq!((&line["exit"], &line["sent"]), (&json!(1), &json!(true)), "{line}");
        let results = bench.file("results", &done.out);
        run(&mut sweep(&bench, &service.url(), &[&write[..], &["--retry-failed", &results]].concat()))
            .exits(1);
        assert_eq!(service.requests(), ["POST /c", "GET /m"], "{end}");
    }
}

#[test]
fn a_write_whose_own_response_is_a_failed_task_is_not_repeated_and_a_refusal_is() {
    let failed = json!({"@odata.id": "/t/1", "TaskState": "Exception"});
    let refused = json!({"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.ResourceInUse"}]}});
    for (response, writes) in
        [(format!("200\n\n{failed}"), 1), (format!("202\n\n{failed}"), 1), (format!("200\n\n{refused}"), 2)]
    {
        let service = Canned::new(&[("POST /c", &response)]);
        let (bench, write) = (Bench::standard(), ["post", "/c", "{}", "--auth", "none"]);
        let done = run(&mut sweep(&bench, &service.url(), &write)).exits(1);
        let results = bench.file("results", &done.out);
        run(&mut sweep(&bench, &service.url(), &[&write[..], &["--retry-failed", &results]].concat()))
            .exits(1);
        assert_eq!(service.requests().len(), writes, "{response}");
    }
}

#[test]
fn a_write_is_repeated_after_a_refusal_and_not_after_a_failure_of_the_service() {
    for (status, writes) in [
        ("400", 2),
        ("408", 2),
        ("409", 2),
        ("429", 2),
        ("501", 2),
        ("500", 1),
        ("502", 1),
        ("503\nRetry-After: 7", 1),
        ("504", 1),
        ("507", 1),
    ] {
        let service = Canned::new(&[("POST /c", status)]);
        let (bench, write) = (Bench::standard(), ["post", "/c", "{}", "--auth", "none"]);
        let done = run(&mut sweep(&bench, &service.url(), &write)).exits(1);
        let line = &lines(&done)[&service.url()];
        assert_eq!((&line["exit"], line["sent"] == true), (&json!(1), writes == 1), "{line}");
        let results = bench.file("results", &done.out);
        run(&mut sweep(&bench, &service.url(), &[&write[..], &["--retry-failed", &results]].concat()))
            .exits(1);
        assert_eq!(service.requests().len(), writes, "{status}");
    }
}

#[test]
fn a_refusal_in_a_success_was_not_carried_out_although_it_is_explained() {
    let resource = "200\n\n{\"@Redfish.Settings\": {\"SettingsObject\": {\"@odata.id\": \"/s/Settings\"}}}";
    let refused = json!({"error": {"@Message.ExtendedInfo": [
        {"MessageId": "Base.1.8.PropertyNotWritable", "Severity": "Critical"}]}});
    let service = Canned::new(&[
        ("GET /s", resource),
        ("PATCH /s", &format!("200\n\n{refused}")),
        ("GET /s/Settings", "200\n\n{\"A\": 1}"),
    ]);
    let (bench, write) = (Bench::standard(), ["patch", "/s", "{\"A\": 2}", "--auth", "none"]);
    let line =
        lines(&run(&mut sweep(&bench, &service.url(), &write)).exits(1)).remove(&service.url()).unwrap();
    assert_eq!((&line["exit"], &line["sent"]), (&json!(1), &json!(null)), "{line}");
    assert!(line["error"]["hint"].as_str().unwrap().contains("/s/Settings"), "{line}");
}

#[test]
fn a_look_beside_the_write_does_not_change_its_line() {
    let resource = "200\n\n{\"@Redfish.Settings\": {\"SettingsObject\": {\"@odata.id\": \"/s/Settings\"}}}";
    let service = Canned::new(&[("GET /s", resource), ("PATCH /s", "204"), ("GET /s/Settings", "401")]);
    let (bench, write) = (Bench::standard(), ["patch", "/s", "{\"A\": 2}", "--auth", "none"]);
    let line =
        lines(&run(&mut sweep(&bench, &service.url(), &write)).exits(0)).remove(&service.url()).unwrap();
    assert_eq!(line["status"], 204, "{line}");
}

#[test]
fn a_stop_while_a_rate_limited_write_waits_is_not_a_sent_write() {
    let service = Canned::new(&[("POST /c", "429\nRetry-After: 20")]);
    let (bench, write) = (Bench::standard(), ["post", "/c", "{}", "--auth", "none"]);
    let mut command = sweep(&bench, &service.url(), &write);
    let line = lines(&run(command.args(["--deadline", "1"])).exits(1)).remove(&service.url()).unwrap();
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("deadline"), &json!(4)), "{line}");
    assert_eq!(line["sent"], json!(null), "{line}");
}
