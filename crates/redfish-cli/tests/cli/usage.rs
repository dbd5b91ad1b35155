//! Wrong usage: exit status 2, nothing is sent, and no typed value is repeated.

use redfish_mock::Settings;

use super::common::{Bench, redfish, run};

/// A misplaced secret.
const TYPED: &str = "hunter2";

#[test]
fn a_misplaced_secret_is_not_repeated() {
    let bench = Bench::standard();
    for line in [
        "--password hunter2 get /",
        "--password=hunter2 get /",
        "-phunter2 get /",
        "-p hunter2 get /",
        "--token hunter2 get /",
        "--hunter2",
        "-u admin hunter2",
        "get",
        "get / --auth hunter2",
        "get / --auth=hunter2",
        "get / --timeout hunter2",
        "get / --timeout=-hunter2",
        "get / --max-body hunter2",
        "get / --links hunter2",
        "get / --output hunter2",
        "get / --insecure=hunter2",
        "get / --trace=hunter2",
        "get / --user a --user hunter2",
        "get / --pin hunter2",
        "get / --pin sha256:hunter2",
        "get / --cacert hunter2",
        "get / --password-file hunter2 -u a",
        "get / --token-file hunter2",
        "get / --service https://admin:hunter2@bmc",
        "get / --service ftp://hunter2",
        "get / --service https://bmc/hunter2",
        "get / --service bmc?hunter2",
        "get / --service bmc:hunter2",
        "get https://hunter2/redfish/v1",
        "get https://admin:hunter2@127.0.0.1/redfish/v1",
        "login hunter2",
        "logout hunter2",
        "whoami hunter2",
        "sessions hunter2",
        "sessions close",
        "sessions close --mine hunter2",
        "sessions close https://hunter2/",
        "post /",
        "post / hunter2",
        "post / @hunter2",
        "post / {} hunter2",
        "patch / hunter2",
        "patch / {} --no-match=hunter2",
        "patch / {} --wait=hunter2",
        "patch / {} --wait --deadline hunter2",
        "members",
        "members https://hunter2/",
        "members / hunter2",
        "tree / hunter2",
        "tree --depth hunter2",
        "actions / hunter2",
        "invoke / hunter2 hunter2",
        "invoke / Reset hunter2",
        "invoke https://hunter2/ Reset",
        "reset On hunter2",
        "reset On --system https://hunter2/",
        "reset",
        "tasks hunter2",
        "task",
        "task hunter2",
        "task wait",
        "task wait https://hunter2/",
        "completions hunter2",
        "man hunter2",
        "help hunter2",
        "demo hunter2",
        "sweep hunter2",
        "sweep get /",
        "sweep --services hunter2 get /",
        "sweep --services hunter2 hunter2",
        "sweep --parallel hunter2 get /",
        "sweep --retry-failed hunter2 --services hunter2 get /",
        "serve hunter2",
        "serve --listen hunter2",
        "serve --fault hunter2",
        "serve --fault slow=hunter2",
        "serve --profile hunter2",
        "serve --seed hunter2",
        "serve --mockup hunter2",
        "serve --reset-delay hunter2",
        "serve --cert hunter2",
        "serve --http --cert hunter2 --key hunter2",
        "serve --cert hunter2 --key hunter2",
        "serve --user hunter2",
    ] {
        for json in [false, true] {
            let mut command = bench.command(line.split(' '));
            if json {
                command.arg("--output=json");
            }
            let done = run(&mut command).exits(2);
            assert!(!done.err.contains(TYPED) && !done.out.contains(TYPED), "{line}: {}", done.err);
            assert!(!done.err.is_empty() && done.out.is_empty(), "{line}");
            if json && !line.contains("--output") {
                let error = done.error();
                assert!(error["error"].is_string() && error["hint"].is_string(), "{line}: {error}");
                assert!(error["messages"].as_array().unwrap().is_empty(), "{line}: {error}");
            }
        }
    }
    assert_eq!(bench.requests(), 0, "nothing is sent");
}

#[test]
fn values_of_the_environment_are_not_repeated() {
    for name in ["REDFISH_SERVICE", "REDFISH_AUTH", "REDFISH_CACERT", "REDFISH_PIN"] {
        let mut command = redfish(["get", "/redfish/v1"]);
        command.env("REDFISH_SERVICE", "bmc").env(name, format!("x://{TYPED}"));
        let done = run(&mut command).exits(2);
        assert!(!done.err.contains(TYPED), "{name}: {}", done.err);
    }
    let help = run(redfish(["--help"]).env("REDFISH_SERVICE", TYPED).env("REDFISH_USER", TYPED)).exits(0);
    assert!(help.out.contains("REDFISH_SERVICE") && !help.out.contains(TYPED), "{}", help.out);
}

#[test]
fn the_nearest_name_is_suggested() {
    for name in ["patch", "events", "whoami", "members", "--timeout"] {
        let mut typed: Vec<char> = name.chars().collect();
        typed.swap(2, 3);
        let done = run(&mut redfish([typed.into_iter().collect::<String>().as_str()])).exits(2);
        assert!(done.err.contains(&format!("did you mean {name}?")), "{name}: {}", done.err);
    }
}

#[test]
fn a_user_name_with_a_colon_is_rejected_for_basic() {
    let bench = Bench::with(Settings { user: "a:b".into(), ..Settings::default() });
    let get = ["get", "/redfish/v1/Systems", "-u", "a:b"];
    run(bench.as_admin(get).args(["--auth", "basic"])).exits(2);
    assert_eq!(bench.requests(), 0);
    // A session login accepts it.
    run(&mut bench.as_admin(get)).exits(0);
}

#[test]
fn standard_input_may_be_used_once() {
    let bench = Bench::standard();
    for line in [
        "post /redfish/v1/Systems - --password-file - -u admin",
        "put /redfish/v1/Systems - --token-file -",
        "get /redfish/v1/Systems --password-file - --token-file -",
    ] {
        run(&mut bench.command(line.split(' '))).exits(2);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn insecure_conflicts_with_a_pin_or_a_ca() {
    let bench = Bench::standard();
    let file = bench.file("ca.pem", "");
    let get = ["get", "/redfish/v1", "--insecure"];
    run(bench.command(get).args(["--pin", "sha256:00"])).exits(2);
    run(bench.command(get).args(["--cacert", &file])).exits(2);
    run(bench.command(get).env("REDFISH_PIN", "sha256:00")).exits(2);
    run(bench.command(get).env("REDFISH_CACERT", &file)).exits(2);
    assert_eq!(bench.requests(), 0);
    let done = run(&mut bench.command(get)).exits(0);
    assert!(done.err.contains("warning") && done.err.contains("--insecure"), "{}", done.err);
}

#[test]
fn an_option_with_an_empty_value_is_wrong_usage() {
    let bench = Bench::standard();
    let file = bench.file("file", "");
    for (line, option) in [
        ("get / --pin EMPTY", "--pin"),
        ("get / --pin=EMPTY --insecure", "--pin"),
        ("--pin EMPTY get / --cacert FILE", "--pin"),
        ("get / --cacert EMPTY", "--cacert"),
        ("get / --cacert=EMPTY --insecure", "--cacert"),
        ("get / --user EMPTY", "--user"),
        ("get / -u EMPTY", "--user"),
        ("get / --password-file EMPTY", "--password-file"),
        ("get / --token-file EMPTY", "--token-file"),
        ("get / --auth EMPTY", "--auth"),
        ("get / --links EMPTY", "--links"),
        ("get / --timeout EMPTY", "--timeout"),
        ("get / --deadline EMPTY", "--deadline"),
        ("get / --max-body EMPTY", "--max-body"),
        ("get / --session-context EMPTY", "--session-context"),
        ("events --filter EMPTY", "--filter"),
        ("events --count EMPTY", "--count"),
        ("reset On --system EMPTY", "--system"),
        ("tree --depth EMPTY", "--depth"),
        ("update FILE --target EMPTY", "--target"),
        ("update FILE --target / --target EMPTY", "--target"),
        ("sweep --services EMPTY get /", "--services"),
        ("sweep --services FILE --retry-failed EMPTY get /", "--retry-failed"),
        ("sweep --services FILE get / --pin EMPTY", "--pin"),
        ("sweep --services FILE events --filter EMPTY", "--filter"),
        ("serve --cert-out EMPTY", "--cert-out"),
        ("serve --mockup EMPTY", "--mockup"),
        ("serve --fault EMPTY", "--fault"),
        ("serve --user EMPTY", "--user"),
        ("pin --pin EMPTY", "--pin"),
    ] {
        let args = line.split(' ').map(|word| word.replace("EMPTY", "").replace("FILE", &file));
        let done = run(bench.command(args).args(["--output", "json"])).exits(2);
        let error = done.error();
        assert_eq!(error["error"], "usage", "{line}: {error}");
        assert!(error["text"].as_str().unwrap().contains(option), "{line}: {error}");
    }
    assert_eq!(bench.requests(), 0);
    run(redfish(["get", "/redfish/v1"]).args(["-s", ""])).exits(2);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let bench = Bench::standard();
    for name in ["USER", "PASSWORD", "TOKEN", "AUTH", "CACERT", "PIN", "SESSION_CONTEXT"] {
        let name = format!("REDFISH_{name}");
        run(bench.command(["get", "/redfish/v1"]).env(name, "")).exits(0);
    }
    let done = run(bench.command(["get", "/redfish/v1"]).env("REDFISH_SERVICE", "")).exits(2);
    assert!(done.err.contains("no service is given"), "{}", done.err);
    // It does not conflict with other options either.
    run(bench.command(["get", "/redfish/v1", "--insecure"]).env("REDFISH_PIN", "").env("REDFISH_CACERT", ""))
        .exits(0);
}

#[test]
fn options_may_come_before_and_after_the_command() {
    let bench = Bench::standard();
    let url = bench.server.url();
    run(&mut redfish(["--service", &url, "get", "/redfish/v1"])).exits(0);
    run(&mut redfish(["get", "/redfish/v1", "--service", &url])).exits(0);
    run(&mut redfish(["get", "--service", &url, "/redfish/v1"])).exits(0);
    run(&mut redfish(["get", "/redfish/v1"])).exits(2);
}

#[test]
fn help_lists_all_commands() {
    let help = run(&mut redfish(["--help"])).exits(0).out;
    for command in [
        "demo",
        "serve",
        "get",
        "patch",
        "post",
        "put",
        "delete",
        "members",
        "tree",
        "actions",
        "invoke",
        "reset",
        "tasks",
        "task",
        "update",
        "events",
        "login",
        "logout",
        "whoami",
        "sessions",
        "sweep",
        "pin",
        "completions",
        "man",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in {help}");
    }
    let version = run(&mut redfish(["--version"])).exits(0).out;
    assert_eq!(version, concat!("redfish ", env!("CARGO_PKG_VERSION"), "\n"));
    run(&mut redfish::<&str>([])).exits(2);
    assert!(run(&mut redfish(["help", "serve"])).exits(0).out.contains("--cert-out"));
}

#[test]
fn the_manual_and_the_completions_are_printed() {
    let page = run(&mut redfish(["man"])).exits(0).out;
    assert!(page.contains(".TH redfish 1") && page.contains("REDFISH_STATE_DIR"), "{page}");
    let page = run(&mut redfish(["man", "serve"])).exits(0).out;
    assert!(page.contains("cert\\-out"), "{page}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&mut redfish(["completions", shell])).exits(0).out;
        assert!(script.contains("whoami"), "{shell}");
    }
}
