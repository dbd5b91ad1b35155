//! `patch`, `put`, `post`, `delete`.

use redfish_mock::{Fault, FaultKind};

use serde_json::json;

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
fn a_body_that_is_not_json_is_not_sent() {
    let bench = Bench::standard();
    for body in ["{'ResetType': 'On'}", "{", "", "@/no such file", "{} {}"] {
        let done = run(&mut bench.as_admin(["post", RESET, body])).exits(2);
        assert!(body.is_empty() || !done.err.contains(body), "{}", done.err);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_lost_response_is_an_unknown_outcome_and_the_write_is_not_repeated() {
    let bench = Bench::standard();
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::LostAnswer).at(RESET)));
    let done = run(&mut bench.as_admin(["post", RESET, BODY, "--output", "json"])).exits(5);
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["uri"].as_str()), (Some("outcome-unknown"), Some(RESET)));
    assert_eq!(bench.server.mock(|mock| mock.writes(RESET)), 1);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn delete_removes_a_session_and_reports_a_405() {
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
fn the_response_is_printed() {
    let bench = Bench::standard();
    let account = r#"{"UserName": "new", "Password": "Pa55 w0rd", "RoleId": "ReadOnly"}"#;
    let done = run(&mut bench.as_admin(["post", "/redfish/v1/AccountService/Accounts", account])).exits(0);
    assert_eq!(done.json()["UserName"], "new");
    assert_eq!(bench.handled("POST", SESSIONS), 1);
}

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

#[test]
fn patch_and_put_send_if_match_except_with_no_match() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        for (args, reads) in [(&[][..], 1), (&["--no-match"], 1)] {
            let mut command = bench.as_admin(["patch", SYSTEM, r#"{"AssetTag": "B7"}"#]);
            run(command.args(args)).exits(0);
            assert_eq!(bench.handled("GET", SYSTEM), reads, "{profile} {args:?}");
        }
        assert_eq!(bench.server.mock(|mock| mock.writes(SYSTEM)), 2);
        assert_eq!(bench.server.open_sessions(), 0);
    }
    let service =
        Canned::new(&[("GET /r", "200\nETag: W/\"7\"\n\n{}"), ("PATCH /r", "204"), ("PUT /r", "204")]);
    for (method, args) in [("PATCH", ["patch", "/r", "{}"]), ("PUT", ["put", "/r", "{}"])] {
        assert_eq!(run(&mut service.command(args)).exits(0).out, "");
        assert_eq!(service.header(method, "If-Match").as_deref(), Some("W/\"7\""));
        run(service.command(args).arg("--no-match")).exits(0);
        assert_eq!(service.header(method, "If-Match"), None);
    }
    assert_eq!(service.requests().iter().filter(|request| *request == "GET /r").count(), 2);
}

#[test]
fn a_conflict_has_the_current_etag() {
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
fn a_partly_rejected_change_is_1_with_the_messages() {
    let bench = Bench::standard();
    let change = r#"{"AssetTag": "B7", "Boot": {"BootOrder": ["x"]}, "Color": "red"}"#;
    let done = run(&mut bench.as_admin(["patch", SYSTEM, change, "--output", "json"])).exits(1);
    assert_eq!(done.json()["AssetTag"], "B7", "the response is printed too");
    let error = done.error();
    assert_eq!((error["error"].as_str(), error["status"].as_u64()), (Some("partially-applied"), Some(200)));
    let text = error["messages"].to_string();
    assert!(text.contains("PropertyUnknown") && text.contains("Color"), "{text}");
    let done = run(&mut bench.as_admin(["patch", SYSTEM, change])).exits(1);
    assert!(done.err.contains("/Color") && done.err.contains("PropertyUnknown"), "{}", done.err);

    // A message beside a member names it, and what was accepted is named too.
    let annotated = r#"{"A": 1, "B@Message.ExtendedInfo": [{"MessageId": "Base.1.0.PropertyUnknown"}]}"#;
    let service = Canned::new(&[("PATCH /r", &format!("200\n\n{annotated}"))]);
    let change = r#"{"A": 1, "B": 2}"#;
    let done = run(&mut service.command(["patch", "/r", change, "--no-match", "--output=json"])).exits(1);
    let error = done.error();
    assert_eq!(error["messages"][0]["RelatedProperties"][0], "/B");
    assert_eq!((&error["accepted"], &error["rejected"]), (&json!(["/A"]), &json!(["/B"])));
}

#[test]
fn a_success_with_a_notice_is_done_and_the_notice_is_shown() {
    let notice = |id: &str, text: &str| {
        let message = json!({"MessageId": id, "Message": text, "Severity": "Warning"});
        format!("200\n\n{}", json!({"error": {"@Message.ExtendedInfo": [message]}}))
    };
    let done_later = notice("Base.1.8.ResetRequired", "Reset it.");
    let refused = notice("Base.1.8.PropertyNotWritable", "It is read-only.");
    let service =
        Canned::new(&[("PATCH /a", &done_later), ("DELETE /a", &done_later), ("PATCH /b", &refused)]);
    let patch = ["patch", "/a", "{}", "--no-match"];
    for write in [&patch[..], &["delete", "/a"]] {
        let done = run(&mut service.command(write.iter().copied())).exits(0);
        assert_eq!(done.err.trim_end(), "redfish: Base.1.8.ResetRequired: Reset it.");
    }
    let done = run(&mut service.command(["patch", "/b", "{}", "--no-match", "--output=json"])).exits(1);
    assert_eq!(done.error()["error"], "refused");
    assert_eq!(done.out, "");
}

#[test]
fn a_web_page_does_not_answer_a_write() {
    let page = "200\nContent-Type: text/html\n\n<!doctype html><html></html>";
    let service =
        Canned::new(&[("POST /a", page), ("DELETE /a", page), ("PATCH /a", page), ("GET /a", page)]);
    for write in [&["post", "/a", "{}"][..], &["delete", "/a"], &["patch", "/a", "{}", "--no-match"]] {
        let done = run(&mut service.command(write.iter().copied())).exits(5);
        assert!(done.err.contains("web page"), "{}", done.err);
    }
    run(&mut service.command(["get", "/a"])).exits(0);
    run(&mut service.command(["members", "/a"])).exits(4);
}

#[test]
fn an_accepted_write_without_a_monitor_is_not_done() {
    let service =
        Canned::new(&[("POST /a", "202"), ("POST /a", "202"), ("POST /b", "202\n\n{\"Success\": {}}")]);
    let done = run(&mut service.command(["post", "/a", "{}"])).exits(0);
    assert!(done.err.contains("warning: the service has accepted the request"), "{}", done.err);
    let done = run(&mut service.command(["post", "/a", "{}", "--wait"])).exits(5);
    assert!(done.err.contains("does not say where"), "{}", done.err);
    assert_eq!(run(&mut service.command(["post", "/b", "{}", "--wait"])).exits(0).err, "");
}

#[test]
fn the_location_is_printed_if_there_is_no_body() {
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
fn delete_sends_if_match_only_if_required() {
    let service =
        Canned::new(&[("DELETE /r", "428"), ("DELETE /r", "204"), ("GET /r", "200\nETag: \"1\"\n\n{}")]);
    run(&mut service.command(["delete", "/r"])).exits(0);
    assert_eq!(service.header("DELETE", "If-Match").as_deref(), Some("\"1\""));
    assert_eq!(service.requests(), ["DELETE /r", "GET /r", "DELETE /r"]);
}

#[test]
fn the_etag_is_sent_back_in_the_form_that_is_chosen() {
    for (form, expected) in [("as-sent", Some("W/\"7\"")), ("unquoted", Some("7")), ("none", None)] {
        let service = Canned::new(&[("GET /x", "200\nETag: W/\"7\"\n\n{}"), ("PATCH /x", "204")]);
        run(&mut service.command(["patch", "/x", "{\"a\": 1}", "--etag", form])).exits(0);
        assert_eq!(service.header("PATCH", "If-Match").as_deref(), expected, "{form}");
    }
}

#[test]
fn the_status_of_a_write_decides() {
    for (response, status) in [
        ("302\nLocation: /elsewhere", 4),
        ("301\nLocation: https://elsewhere.invalid/w", 4),
        ("307\nLocation: https://elsewhere.invalid/w", 4),
        // It was carried out, and its result cannot be read.
        ("303\nLocation: https://elsewhere.invalid/w", 5),
        ("303", 5),
        ("400", 1),
        ("500", 1),
        ("503", 1),
        ("504", 1),
    ] {
        let service = Canned::new(&[("POST /w", response)]);
        run(&mut service.command(["post", "/w", "{}"])).exits(status);
        assert_eq!(service.requests().len(), 1, "{response}");
    }
}

#[test]
fn a_change_of_an_unknown_version_is_4_and_not_sent() {
    for read in [
        "200\n\n{\"@odata.etag\": 7}",
        "200\nContent-Type: text/html\n\n<html></html>",
        "200\n\n{\"a\": nan}",
    ] {
        let service = Canned::new(&[("GET /r", read), ("PATCH /r", "204")]);
        let done = run(&mut service.command(["patch", "/r", "{}"])).exits(4);
        assert!(done.err.contains("hint: Nothing was sent"), "{}", done.err);
        assert_eq!(service.requests(), ["GET /r"]);
        run(&mut service.command(["patch", "/r", "{}", "--no-match"])).exits(0);
    }
}

#[test]
fn an_accepted_change_that_was_refused_in_part_is_watched_and_is_1() {
    let refused = r#"{"X@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PropertyUnknown"}]}"#;
    let service = Canned::new(&[
        ("PATCH /r", &format!("202\nLocation: /m\n\n{refused}")),
        ("GET /m", "200\n\n{\"Id\": \"1\"}"),
    ]);
    let patch = ["patch", "/r", "{\"X\": 1}", "--no-match"];
    let done = run(&mut service.command(patch)).exits(1);
    assert_eq!(done.out, "/m\n");
    assert!(done.err.contains("/X (Base.1.8.PropertyUnknown)"), "{}", done.err);
    let done = run(service.command(patch).arg("--wait")).exits(1);
    assert_eq!(done.json(), json!({"Id": "1"}));
    assert!(done.err.contains("/X (Base.1.8.PropertyUnknown)"), "{}", done.err);
}

#[test]
fn a_response_that_cannot_be_read_is_a_warning() {
    for (response, warning) in
        [("200\n\n{\"a\": nan}", "not valid JSON"), ("200\nContent-Encoding: br\n\nxxx", "decoded")]
    {
        let service = Canned::new(&[
            ("POST /r", response),
            (
                "GET /s",
                "200\n\n{\"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/r\"}}, \"PowerState\": \"On\"}",
            ),
        ]);
        for write in [&["post", "/r", "{}"][..], &["reset", "On", "--system", "/s"]] {
            let done = run(&mut service.command(write.iter().copied())).exits(0);
            assert!(done.err.contains(warning), "{}", done.err);
        }
    }
}

#[test]
fn a_write_to_a_busy_service_is_not_repeated_and_its_hint_says_when_to_try_again() {
    let service = Canned::new(&[
        ("POST /r", "503\nRetry-After: 7"),
        ("POST /limited", "429\nRetry-After: 0"),
        ("POST /limited", "204"),
    ]);
    let done = run(&mut service.command(["post", "/r", "{}", "--output", "json"])).exits(1);
    let hint = done.error()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("whether it was carried out") && hint.contains("after 7 s"), "{hint}");
    run(&mut service.command(["post", "/limited", "{}"])).exits(0);
    assert_eq!(service.requests(), ["POST /r", "POST /limited", "POST /limited"]);
}

#[test]
fn a_patch_says_if_the_change_belongs_to_the_settings_resource() {
    let system = "200\n\n{\"@Redfish.Settings\": {\"SettingsObject\": {\"@odata.id\": \"/s/Settings\"}}}";
    let settings = "200\n\n{\"Boot\": {\"BootSourceOverrideTarget\": \"None\"}}";
    let change = "{\"Boot\": {\"BootSourceOverrideTarget\": \"Pxe\"}}";
    let service = Canned::new(&[
        ("GET /s", system),
        ("GET /s/Settings", settings),
        ("PATCH /s", "204"),
        ("PATCH /s", "400"),
        ("PATCH /s", "500"),
        ("GET /r", "200\n\n{}"),
        ("PATCH /r", "204"),
    ]);
    let done = run(&mut service.command(["patch", "/s", change])).exits(0);
    assert!(done.err.contains("the settings resource /s/Settings holds this"), "{}", done.err);
    let refused = run(&mut service.command(["patch", "/s", change, "--output", "json"])).exits(1);
    assert!(refused.error()["hint"].as_str().unwrap().contains("/s/Settings"), "{}", refused.err);
    assert_eq!(refused.error()["method"], "PATCH");
    // A failure of the service has nothing to do with it.
    let failed = run(&mut service.command(["patch", "/s", change, "--output", "json"])).exits(1);
    assert!(!failed.err.contains("/s/Settings"), "{}", failed.err);
    // A resource without settings costs no request.
    let before = service.requests().len();
    assert_eq!(run(&mut service.command(["patch", "/r", change])).exits(0).err, "");
    assert_eq!(service.requests()[before..], ["GET /r", "PATCH /r"]);
}

#[test]
fn a_delete_may_have_a_body() {
    let service = Canned::new(&[("DELETE /r", "204")]);
    run(&mut service.command(["delete", "/r"])).exits(0);
    assert_eq!(service.body("DELETE"), b"");
    let body = r#"{"@Redfish.OperationApplyTime": "OnReset"}"#;
    run(&mut service.command(["delete", "/r", body])).exits(0);
    assert_eq!(service.body("DELETE"), body.as_bytes());
    run_with_input(&mut service.command(["delete", "/r", "-"]), body).exits(0);
    run(&mut service.command(["delete", "/r", "{"])).exits(2);
    assert_eq!(service.requests().len(), 3);
}

#[test]
fn a_body_may_begin_with_a_byte_order_mark() {
    let service = Canned::new(&[("POST /r", "204")]);
    run_with_input(&mut service.command(["post", "/r", "-"]), "\u{feff}{}").exits(0);
    assert_eq!(service.body("POST"), b"{}");
}
