//! The services file: it is checked before anything is sent.

use super::*;

#[test]
fn a_wrong_line_is_named_by_its_number_and_not_repeated() {
    let bench = Bench::standard();
    let url = bench.server.url();
    let line = |members: Value| members.to_string();
    let pair = |member: &str, value: Value| line(json!({"service": "bmc.example", member: value}));
    for (wrong, reason) in [
        ("https://admin:hunter2@bmc".to_owned(), "user info"),
        ("https://bmc/hunter2".to_owned(), "path"),
        ("ftp://hunter2".to_owned(), "scheme"),
        ("hunter2 hunter2".to_owned(), "character"),
        ("[\"hunter2\"]".to_owned(), "not a valid service URL"),
        ("{\"service\": \"hunter2\"".to_owned(), "not a JSON object, at column"),
        (line(json!({"user": "hunter2"})), "service is missing"),
        (pair("password", json!("hunter2")), "\"password\" is unknown"),
        (pair("usr", json!("hunter2")), "\"usr\" is unknown"),
        (pair("user", json!(["hunter2"])), "user is not a string"),
        (pair("pin", json!("sha256:hunter2")), "pin"),
        (pair("cacert", json!("/hunter2")), "the CA file cannot be read"),
        (pair("cacert", json!(bench.file("text", "hunter2"))), "certificate"),
        (pair("password_file", json!("/hunter2")), "the file with the password cannot be read"),
        (pair("password_file", json!(bench.file("empty", ""))), "is empty"),
        (pair("password_file", json!("-")), "standard input"),
        (format!("{url}/redfish/v1/"), "the same service as in line 2"),
    ] {
        let list = format!("# hunter2\n{url}\n\n{wrong}\n");
        for json in [false, true] {
            let mut command = sweep(&bench, &list, &["get", SYSTEMS]);
            if json {
                command.arg("--output=json");
            }
            let done = run(&mut command).exits(2);
            assert!(done.err.contains("line 4 of the services file: "), "{wrong}: {}", done.err);
            let text =
                if json { done.error()["text"].as_str().unwrap().to_owned() } else { done.err.clone() };
            assert!(text.contains(reason), "{wrong}: {text}");
            assert!(!done.err.contains("hunter2") && done.out.is_empty(), "{wrong}: {}", done.err);
        }
    }
    assert_eq!(bench.requests(), 0, "nothing is sent");
}

#[test]
fn wrong_usage_is_rejected_before_anything_is_sent() {
    let bench = Bench::standard();
    let url = bench.server.url();
    let empty = bench.file("nothing", "");
    for (list, args) in [
        ("", &["get", SYSTEMS][..]),
        ("# nothing\n\n", &["get", SYSTEMS]),
        (&url, &["get", "https://hunter2/redfish/v1"]),
        (&url, &["members", "https://hunter2/redfish/v1"]),
        (&url, &["reset", "On", "--system", "https://hunter2/"]),
        (&url, &["get", SYSTEMS, "--parallel", "0"]),
        (&url, &["get", SYSTEMS, "--parallel", "hunter2"]),
        (&url, &["get", SYSTEMS, "--deadline", "hunter2"]),
        (&url, &["get", SYSTEMS, "--auth", "bearer"]),
        (&url, &["get", SYSTEMS, "--insecure", "--pin", "sha256:00"]),
        (&url, &["get", SYSTEMS, "--retry-failed", "/hunter2"]),
        (&url, &["get", SYSTEMS, "--retry-failed", &empty]),
        (&url, &["get"]),
        (&url, &["tree", "https://hunter2/redfish/v1"]),
        (&url, &["patch", "https://hunter2/redfish/v1", "{}"]),
        (&url, &["patch", SYSTEMS, "hunter2"]),
        (&url, &["post", SYSTEMS, "@/hunter2"]),
        (&url, &["update", "/hunter2"]),
        (&url, &["task", "wait", "https://hunter2/"]),
        (&url, &["sessions", "close", "https://hunter2/"]),
        (&url, &["invoke", SYSTEMS, "Reset", "ResetType=On", "ResetType=Off"]),
        (&url, &["events"]),
        (&url, &["login"]),
        (&url, &["logout"]),
        (&url, &["pin"]),
        (&url, &["serve"]),
        (&url, &["demo"]),
        (&url, &["sweep"]),
        (&url, &["hunter2"]),
        (&url, &[]),
    ] {
        let done = run(&mut sweep(&bench, list, args)).exits(2);
        assert!(!done.err.is_empty() && !done.err.contains("hunter2"), "{args:?}: {}", done.err);
    }
    for args in [&["sweep", "get", SYSTEMS][..], &["sweep", "--services", "/hunter2", "get", SYSTEMS]] {
        let done = run(&mut bench.as_admin(args)).exits(2);
        assert!(done.err.contains("services") && !done.err.contains("hunter2"), "{}", done.err);
    }
    // Without a terminal there is no prompt for a password, and there is no default user.
    let list = bench.file("services", &url);
    run(&mut bench.command(["sweep", "--services", &list, "-u", "admin", "get", SYSTEMS])).exits(2);
    let named = json!({"service": url, "password_file": bench.file("p", "p")}).to_string();
    let list = bench.file("services", named);
    run(&mut bench.command(["sweep", "--services", &list, "get", SYSTEMS])).exits(2);
    assert_eq!(bench.requests(), 0, "nothing is sent");
}

#[test]
fn options_may_come_before_and_after_the_command() {
    let bench = Bench::standard();
    let list = bench.file("services", bench.server.url());
    for args in [
        ["sweep", "--services", &list, "--parallel", "2", "get", SYSTEMS],
        ["sweep", "get", SYSTEMS, "--services", &list, "--parallel", "2"],
        ["sweep", "--parallel", "2", "get", "--services", &list, SYSTEMS],
        ["sweep", "--timeout", "1e18", "get", "--services", &list, SYSTEMS],
    ] {
        run(&mut bench.as_admin(args)).exits(0);
    }
}
