//! `get`.

use std::fs::File;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use redfish_mock::{Fault, FaultKind, Settings};

use super::canned::Canned;
use super::common::{BOTH, Bench, SESSIONS, SYSTEMS, finish, run, run_with_input};

#[test]
fn a_body_is_printed_byte_for_byte_and_the_session_is_closed() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let done = run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
        let login = format!("Basic {}", STANDARD.encode("admin:machine-room"));
        let request = Request::get(SYSTEMS).header("Authorization", login).body("").unwrap();
        let answer = bench.server.mock(|mock| mock.handle(&request, Duration::ZERO));
        let body = answer.response.into_body();
        assert_eq!(done.out.as_bytes(), [&body[..], b"\n"].concat(), "{profile}");
        assert_eq!(done.err, "");
        assert_eq!(bench.server.mock(|mock| mock.session_count().deleted), 1, "{profile}");
        assert_eq!(bench.server.open_sessions(), 0, "{profile}");
    }
}

#[test]
fn it_continues_after_a_failure_and_exits_with_the_first_status() {
    let bench = Bench::standard();
    bench.server.mock(|mock| {
        mock.add_fault(Fault::new(FaultKind::RedirectOffOrigin(None)).at("/redfish/v1/Chassis"))
    });
    let args = ["get", "/redfish/v1/None", SYSTEMS, "/redfish/v1/Chassis", "--output", "json"];
    let done = run(&mut bench.as_admin(args)).exits(1);
    assert_eq!(done.json()["@odata.id"], SYSTEMS);
    let errors: Vec<serde_json::Value> =
        done.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(errors.len(), 2, "{}", done.err);
    assert_eq!((&errors[0]["error"], &errors[1]["error"]), (&"not-found".into(), &"redirect".into()));
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn after_a_failure_without_a_response_the_root_shows_whether_the_rest_makes_sense() {
    let service = Canned::new(&[("GET /a", ""), ("GET /b", "200\n\n{}")]);
    let mut command = service.command(["get", "/a", "/b", "/a", "--output", "json"]);
    let done = run(command.env("REDFISH_TOKEN", "t0ken")).exits(4);
    assert_eq!(done.out, "{}\n");
    let errors: Vec<serde_json::Value> =
        done.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(errors.iter().map(|error| &error["uri"]).collect::<Vec<_>>(), ["/a", "/a"]);
    let requests = service.requests();
    assert_eq!(requests.iter().filter(|request| *request == "GET /redfish/v1/").count(), 1, "{requests:?}");
    assert_eq!(service.header_of("GET /redfish/v1/", "authorization"), None);
    assert!(service.header_of("GET /b", "authorization").is_some());

    // A service that does not respond is not asked for the rest.
    let service = Canned::new(&[("GET /a", "404"), ("GET /b", ""), ("GET /redfish/v1/", "")]);
    let done = run(&mut service.command(["get", "/b", "/a"])).exits(4);
    assert!(
        done.err.contains("GET /b: ") && done.err.contains("the service does not respond"),
        "{}",
        done.err
    );
    assert!(!service.requests().contains(&"GET /a".to_owned()));
    run(&mut service.command(["get", "/a", "/b", "/a"])).exits(1);
}

#[test]
fn a_wrong_basic_password_is_tried_once() {
    let bench = Bench::standard();
    let args = ["get", SYSTEMS, SYSTEMS, "--auth", "basic"];
    run(bench.as_admin(args).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(bench.handled("GET", SYSTEMS), 1);
}

#[test]
fn an_absolute_url_must_be_of_this_service() {
    let bench = Bench::standard();
    let url = format!("{}{SYSTEMS}", bench.server.url());
    run(&mut bench.as_admin(["get", &url])).exits(0);
    let before = bench.requests();
    let done = run(&mut bench.as_admin(["get", SYSTEMS, "https://192.0.2.1/redfish/v1/Systems"])).exits(2);
    assert_eq!((done.out.as_str(), bench.requests()), ("", before));
    assert!(!done.err.contains("192.0.2.1"), "{}", done.err);
}

#[test]
fn each_way_to_authenticate_is_accepted() {
    let token = "a-bearer-token";
    let bench = Bench::with(Settings { bearer_token: Some(token.into()), ..Settings::default() });
    let file = bench.file("password", "machine-room\n");
    let tokens = bench.file("token", format!("{token}\n"));
    let get = ["get", SYSTEMS];

    run(bench.command(["-u", "admin", "--password-file", &file]).args(get)).exits(0);
    run(bench.command(["--auth", "basic", "-u", "admin", "--password-file", &file]).args(get)).exits(0);
    run(bench.command(get).args(["--token-file", &tokens])).exits(0);
    run(bench.command(get).env("REDFISH_TOKEN", token)).exits(0);
    run_with_input(bench.command(get).args(["-u", "admin", "--password-file", "-"]), "machine-room\n")
        .exits(0);
    assert_eq!(bench.handled("POST", SESSIONS), 2, "logins only for session authentication");

    // The option takes precedence over the variable.
    run(bench.command(get).args(["-u", "admin", "--password-file", &file]).env("REDFISH_PASSWORD", "wrong"))
        .exits(0);
    run(bench.as_admin(get).args(["--auth", "none"])).exits(3);
    run(&mut bench.command(get)).exits(3);
    // An empty variable counts as not set.
    run(bench.command(["get", "/redfish/v1"]).env("REDFISH_USER", "").env("REDFISH_TOKEN", "")).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_broken_pipe_is_not_an_error_and_the_session_is_closed() {
    let bench = Bench::standard();
    let mut child = bench.as_admin(["get", SYSTEMS, "/redfish/v1"]).spawn().unwrap();
    drop(child.stdout.take());
    let done = finish(child).exits(0);
    assert_eq!(done.err, "");
    assert_eq!(bench.server.mock(|mock| mock.session_count().deleted), 1);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let bench = Bench::standard();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let done = run(bench.as_admin(["get", SYSTEMS]).stdout(full)).exits(1);
    assert!(done.err.contains("standard output"), "{}", done.err);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_body_over_the_limit_is_rejected() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["get", SYSTEMS, "--max-body", "100", "--output=json"])).exits(4);
    assert_eq!(done.error()["error"], "too-large");
}

#[test]
fn what_is_wrong_with_a_body_is_a_warning_and_the_body_is_unchanged() {
    for (body, warning) in [
        ("{\"Name\": \"a\tb\"}", "/r is not valid JSON: a control character"),
        ("{\"a\": 1, \"a\": 2}", "/r is not valid JSON: a member that occurs again"),
        (
            r#"{"error": {"code": "IDRAC.2.8.LIC501", "message": "No license."}} {"Id": "1"}"#,
            "an error beside /r: IDRAC.2.8.LIC501: No license.",
        ),
        (
            r#"{"Id": "1", "error": {"code": "Base.1.8.InternalError"}}"#,
            "an error beside /r: Base.1.8.InternalError",
        ),
    ] {
        let service = Canned::new(&[("GET /r", &format!("200\n\n{body}"))]);
        let done = run(&mut service.command(["get", "/r"])).exits(0);
        assert_eq!(done.out.trim_end_matches('\n'), body);
        assert!(done.err.contains("warning: ") && done.err.contains(warning), "{}", done.err);
        let done = run(&mut service.command(["actions", "/r"])).exits(0);
        assert!(done.err.contains(warning), "{}", done.err);
        // A sweep prints JSON that any parser reads.
        let bench = Bench::standard();
        let services = bench.file("services", service.url());
        let args = ["sweep", "--services", &services, "get", "/r", "--auth", "none"];
        let done = run(&mut bench.command(args)).exits(0);
        assert!(done.json()["output"].is_object(), "{}", done.out);
    }
    // Not every resource is JSON.
    let service = Canned::new(&[("GET /r", "200\n\n<a b=\"c\td\"/>")]);
    assert_eq!(run(&mut service.command(["get", "/r"])).exits(0).err, "");
}
