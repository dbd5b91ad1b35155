//! Responses that are not what their head says, and their exit statuses.

use super::canned::Canned;
use super::common::run;

const ENCODED: &str = "Content-Encoding: zstd\n\nPK-binary-PK";

#[test]
fn a_read_in_a_coding_that_is_not_supported_is_4() {
    let service = Canned::new(&[("GET /r", &format!("200\n{ENCODED}"))]);
    let done = run(&mut service.command(["get", "/r", "--output", "json"])).exits(4);
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["status"].as_u64()), (Some("malformed"), Some(200)));
    assert!(error["text"].as_str().unwrap().contains("its Content-Encoding is zstd"), "{error}");
    assert_eq!(done.out, "");
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn an_error_in_a_coding_that_is_not_supported_keeps_its_status_and_shows_no_text() {
    let service = Canned::new(&[("GET /r", &format!("404\n{ENCODED}"))]);
    let done = run(&mut service.command(["get", "/r"])).exits(1);
    assert!(done.err.contains("404") && !done.err.contains("binary"), "{}", done.err);
}

#[test]
fn a_write_in_a_coding_that_is_not_supported_is_done_with_a_warning() {
    let reset = r#"{"Actions": {"#.to_owned()
        + r##""#ComputerSystem.Reset": {"target": "/r/Reset"}, "#R.Do": {"target": "/r/Do"}}}"##;
    let service = Canned::new(&[
        ("GET /r", &format!("200\n\n{reset}")),
        ("PATCH /r", &format!("200\n{ENCODED}")),
        ("POST /r", &format!("201\nLocation: /r/1\n{ENCODED}")),
        ("DELETE /r", &format!("200\n{ENCODED}")),
        ("POST /r/Do", &format!("200\n{ENCODED}")),
    ]);
    for (args, out) in [
        (&["patch", "/r", "{}"][..], ""),
        (&["post", "/r", "{}"], "/r/1\n"),
        (&["delete", "/r"], ""),
        (&["invoke", "/r", "Do"], ""),
    ] {
        let done = run(&mut service.command(args.iter().copied())).exits(0);
        assert_eq!(done.out, out, "{args:?}");
        assert!(done.err.contains("the write succeeded, but its response"), "{args:?}: {}", done.err);
        assert!(!done.err.contains("binary"), "{args:?}: {}", done.err);
    }
    let service =
        Canned::new(&[("GET /r", &format!("200\n\n{reset}")), ("POST /r/Reset", &format!("200\n{ENCODED}"))]);
    run(&mut service.command(["reset", "On", "--system", "/r"])).exits(0);
}

#[test]
fn a_400_with_a_web_page_hints_at_the_name_of_the_service() {
    let page = "400\nContent-Type: text/html\n\n<html><body>Bad Request</body></html>";
    let message = "400\n\n{\"error\": {\"code\": \"Base.1.8.GeneralError\"}}";
    for args in [&["get", "/r"][..], &["patch", "/r", "{}", "--no-match"]] {
        let service = Canned::new(&[("GET /r", page), ("PATCH /r", page)]);
        let hint = run(service.command(args.iter().copied()).arg("--output=json")).exits(1).error()["hint"]
            .to_string();
        for text in ["Host header", "(-s)", "DNS", "/etc/hosts"] {
            assert!(hint.contains(text), "{args:?}: {hint}");
        }
        let service = Canned::new(&[("GET /r", message), ("PATCH /r", message)]);
        let done = run(&mut service.command(args.iter().copied())).exits(1);
        assert!(!done.err.contains("Host"), "{args:?}: {}", done.err);
    }
}

#[test]
fn a_root_that_refuses_the_host_gets_no_password() {
    let page = "400\nContent-Type: text/html\n\n<html><body>Bad Request</body></html>";
    for args in [&["get", "/r"][..], &["login"], &["whoami"]] {
        let service = Canned::new(&[("GET /redfish/v1/", page)]);
        let directory = tempfile::tempdir().unwrap();
        let mut command = service.command(args.iter().copied());
        command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "pw");
        let done = run(command.env("REDFISH_STATE_DIR", directory.path())).exits(1);
        assert!(done.err.contains("400") && done.err.contains("Host header"), "{args:?}: {}", done.err);
        assert_eq!(service.requests(), ["GET /redfish/v1/"], "{args:?}");
    }
}

#[test]
fn a_location_that_is_not_ascii_closes_nothing_and_says_so() {
    let sessions = "/redfish/v1/SessionService/Sessions";
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{}"),
        (&format!("POST {sessions}"), &format!("201\nX-Auth-Token: t\nLocation: {sessions}/J\u{fc}rgen")),
        (&format!("GET {sessions}"), "200\n\n{\"Members\": []}"),
        ("GET /r", "200\n\n{}"),
    ]);
    let mut command = service.command(["get", "/r"]);
    let done = run(command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "pw")).exits(0);
    assert!(done.err.contains("a session may be left open"), "{}", done.err);
    assert!(service.requests().iter().all(|request| !request.starts_with("DELETE")));
}

#[test]
fn a_login_without_a_token_is_4() {
    let login = "POST /redfish/v1/SessionService/Sessions";
    for (response, left) in [
        ("201\nLocation: /redfish/v1/SessionService/Sessions/1", "/redfish/v1/SessionService/Sessions/1"),
        ("201", ""),
        ("201\nX-Auth-Token:", ""),
        ("200\nContent-Type: text/html\n\n<html>Welcome</html>", ""),
        ("200\n\n{}", ""),
    ] {
        for args in [&["get", "/r"][..], &["login"], &["whoami"], &["sweep", "get", "/r"]] {
            let service =
                Canned::new(&[("GET /redfish/v1/", "200\n\n{}"), (login, response), ("GET /r", "200\n\n{}")]);
            let directory = tempfile::tempdir().unwrap();
            let list = directory.path().join("list");
            std::fs::write(&list, service.url()).unwrap();
            let mut command = service.command(args.iter().copied());
            command
                .env("REDFISH_USER", "admin")
                .env("REDFISH_PASSWORD", "pw")
                .env("REDFISH_STATE_DIR", directory.path());
            if args[0] == "sweep" {
                command.env_remove("REDFISH_SERVICE").args(["--services", list.to_str().unwrap()]);
            }
            let done = run(&mut command);
            let text = format!("{args:?} {response:?} {:?}: {}{}", done.status, done.out, done.err);
            if args[0] == "sweep" {
                assert_eq!(done.json()["exit"], 4, "{text}");
            } else {
                assert_eq!(done.status.code(), Some(4), "{text}");
            }
            assert!(text.contains("without X-Auth-Token") && text.contains(left), "{text}");
        }
    }
}

#[test]
fn a_renewal_without_a_token_is_4_also_for_a_write_and_for_a_saved_session() {
    let sessions = "/redfish/v1/SessionService/Sessions";
    let (login, session) = (format!("POST {sessions}"), format!("GET {sessions}/1"));
    let opened = format!("201\nX-Auth-Token: t\nLocation: {sessions}/1");
    let without_token = format!("201\nLocation: {sessions}/2");
    for is_saved in [false, true] {
        for args in [&["get", "/r"][..], &["patch", "/r", "{}", "--no-match"], &["whoami"]] {
            let service = Canned::new(&[
                ("GET /redfish/v1/", "200\n\n{}"),
                (&login, &opened),
                (&login, &without_token),
                (&session, "401"),
                ("GET /r", "401"),
                ("PATCH /r", "401"),
            ]);
            let directory = tempfile::tempdir().unwrap();
            let command = |args: &[&'static str]| {
                let mut command = service.command(args.iter().copied());
                command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "pw");
                command.env("REDFISH_STATE_DIR", directory.path());
                command
            };
            if is_saved {
                run(&mut command(&["login"])).exits(0);
            }
            let done = run(&mut command(args)).exits(4);
            assert!(done.err.contains("without X-Auth-Token"), "{args:?}: {}", done.err);
            assert!(done.err.contains(&format!("{sessions}/2")), "{args:?}: {}", done.err);
            let logins = service.requests().iter().filter(|request| **request == login).count();
            assert_eq!(logins, 2, "{args:?}, saved: {is_saved}");
        }
    }
}

#[test]
fn a_head_with_too_many_headers_is_4_and_not_a_large_body() {
    let headers: String = (0..101).map(|n| format!("\nX-{n}: n")).collect();
    let service = Canned::new(&[("GET /r", &format!("200{headers}\n\n{{}}"))]);
    let error = run(&mut service.command(["get", "/r", "--output", "json"])).exits(4).error();
    let text = error["text"].as_str().unwrap();
    assert!(text.contains("the head of the response") && text.contains("100 headers"), "{error}");
    assert!(!error.to_string().contains("body"), "{error}");
    assert_eq!(error["error"], "head-too-large");
}
