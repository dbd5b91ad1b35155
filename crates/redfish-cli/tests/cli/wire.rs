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
