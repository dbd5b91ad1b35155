//! `patch`, `put`, `post`, `delete`.

use redfish_mock::{Fault, FaultKind};

use super::canned::Canned;
use super::common::{BOTH, Bench, SESSIONS, SYSTEMS, run, run_with_input};

const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";
const BODY: &str = r#"{"ResetType": "GracefulRestart"}"#;

#[test]
fn a_body_is_text_a_file_or_standard_input() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let file = bench.file("body", BODY);
        run(&mut bench.as_admin(["post", RESET, BODY])).exits(0);
        run(&mut bench.as_admin(["post", RESET, &format!("@{file}")])).exits(0);
        run_with_input(&mut bench.as_admin(["post", RESET, "-"]), BODY).exits(0);
        assert_eq!(bench.server.mock(|mock| mock.writes(RESET)), 3);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn what_is_no_json_is_not_sent() {
    let bench = Bench::standard();
    for body in ["{'ResetType': 'On'}", "{", "", "@/no such file", "{} {}"] {
        let done = run(&mut bench.as_admin(["post", RESET, body])).exits(2);
        assert!(body.is_empty() || !done.err.contains(body), "{}", done.err);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_lost_answer_is_an_unknown_outcome_and_no_second_write() {
    let bench = Bench::standard();
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::LostAnswer).at(RESET)));
    let done = run(&mut bench.as_admin(["post", RESET, BODY, "--output", "json"])).exits(5);
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["uri"].as_str()), (Some("outcome-unknown"), Some(RESET)));
    assert_eq!(bench.server.mock(|mock| mock.writes(RESET)), 1);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_session_is_deleted_and_what_cannot_be_is_refused() {
    let bench = Bench::standard();
    let uri = run(&mut bench.as_admin(["login"])).exits(0).out.trim_end().to_owned();
    run(&mut bench.as_admin(["delete", &uri, "--auth", "basic"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
    run(&mut bench.as_admin(["delete", SYSTEMS, "--auth", "basic"])).exits(1);
    let done =
        run(&mut bench.as_admin(["put", SYSTEMS, "{}", "--auth", "basic", "--output", "json"])).exits(1);
    assert_eq!(done.error()["status"], 405);
}

#[test]
fn the_answer_is_printed() {
    let bench = Bench::standard();
    let account = r#"{"UserName": "new", "Password": "Pa55 w0rd", "RoleId": "ReadOnly"}"#;
    let done = run(&mut bench.as_admin(["post", "/redfish/v1/AccountService/Accounts", account])).exits(0);
    assert_eq!(done.json()["UserName"], "new");
    assert_eq!(bench.handled("POST", SESSIONS), 1);
}

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

#[test]
fn a_patch_is_for_the_version_that_was_read_unless_told_otherwise() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        for (words, reads) in [(&[][..], 1), (&["--no-match"], 1)] {
            let mut command = bench.as_admin(["patch", SYSTEM, r#"{"AssetTag": "B7"}"#]);
            run(command.args(words)).exits(0);
            assert_eq!(bench.handled("GET", SYSTEM), reads, "{profile} {words:?}");
        }
        assert_eq!(bench.server.mock(|mock| mock.writes(SYSTEM)), 2);
        assert_eq!(bench.server.open_sessions(), 0);
    }
    let service =
        Canned::new(&[("GET /r", "200\nETag: W/\"7\"\n\n{}"), ("PATCH /r", "204"), ("PUT /r", "204")]);
    for (method, words) in [("PATCH", ["patch", "/r", "{}"]), ("PUT", ["put", "/r", "{}"])] {
        assert_eq!(run(&mut service.command(words)).exits(0).out, "");
        assert_eq!(service.header(method, "If-Match").as_deref(), Some("W/\"7\""));
        run(service.command(words).arg("--no-match")).exits(0);
        assert_eq!(service.header(method, "If-Match"), None);
    }
    assert_eq!(service.asked().iter().filter(|asked| *asked == "GET /r").count(), 2);
}

#[test]
fn a_conflict_shows_the_version_that_is_there_now() {
    let service = Canned::new(&[
        ("GET /r", "200\nETag: \"1\"\n\n{}"),
        ("GET /r", "200\nETag: \"2\"\n\n{}"),
        ("PATCH /r", "412"),
    ]);
    let done = run(&mut service.command(["patch", "/r", "{}", "--output", "json"])).exits(1);
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["etag"].as_str()), (Some("conflict"), Some("\"2\"")));
    assert!(error["text"].as_str().unwrap().contains("now \"2\""), "{error}");
}

#[test]
fn what_was_not_taken_beside_what_was_is_said() {
    let bench = Bench::standard();
    let change = r#"{"AssetTag": "B7", "Boot": {"BootOrder": ["x"]}, "Colour": "red"}"#;
    let done = run(&mut bench.as_admin(["patch", SYSTEM, change, "--output", "json"])).exits(1);
    assert_eq!(done.json()["AssetTag"], "B7", "the answer is printed all the same");
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["status"].as_u64()), (Some("rejected"), Some(200)));
    let said = error["messages"].to_string();
    assert!(said.contains("PropertyUnknown") && said.contains("Colour"), "{said}");
    let done = run(&mut bench.as_admin(["patch", SYSTEM, change])).exits(1);
    assert!(done.err.contains("/Colour") && done.err.contains("PropertyUnknown"), "{}", done.err);

    // A message that does not name what it is about stands beside it.
    let beside =
        r#"{"A": 1, "B@Message.ExtendedInfo": [{"MessageId": "X.1.0.No", "MessageSeverity": "Warning"}]}"#;
    let service = Canned::new(&[("PATCH /r", &format!("200\n\n{beside}"))]);
    let done = run(&mut service.command(["patch", "/r", "{}", "--no-match", "--output=json"])).exits(1);
    assert_eq!(done.error()["messages"][0]["RelatedProperties"][0], "/B");
}

#[test]
fn where_something_was_created_is_printed_if_nothing_else_is() {
    let service = Canned::new(&[
        ("POST /c", "201\nLocation: /c/1"),
        ("POST /d", "201\nLocation: /d/1\n\n{\"Id\": \"1\"}"),
    ]);
    assert_eq!(run(&mut service.command(["post", "/c", "{}"])).exits(0).out, "/c/1\n");
    let done = run(&mut service.command(["post", "/c", "{}", "--output", "json"])).exits(0);
    assert_eq!(done.json()["location"], "/c/1");
    let done = run(&mut service.command(["post", "/d", "{}"])).exits(0);
    assert_eq!(done.out, "{\"Id\": \"1\"}\n");
    assert!(done.err.contains("/d/1"), "{}", done.err);
}

#[test]
fn a_delete_is_for_the_version_there_is_where_the_service_insists() {
    let service =
        Canned::new(&[("DELETE /r", "428"), ("DELETE /r", "204"), ("GET /r", "200\nETag: \"1\"\n\n{}")]);
    run(&mut service.command(["delete", "/r"])).exits(0);
    assert_eq!(service.header("DELETE", "If-Match").as_deref(), Some("\"1\""));
    assert_eq!(service.asked(), ["DELETE /r", "GET /r", "DELETE /r"]);
}
