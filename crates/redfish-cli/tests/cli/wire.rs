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
