//! `post`, `put`, `delete`.

use redfish_mock::{Fault, FaultKind};

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
