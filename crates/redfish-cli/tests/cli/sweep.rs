//! `sweep`.

mod commands;
mod ends;
mod list;
mod retry;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;

use redfish_mock::{Account, Profile, Role, ServeOptions, Settings};
use serde_json::{Value, json};

use super::canned::Canned;
use super::common::{BOTH, Bench, Done, SESSIONS, SYSTEMS, redfish, run, run_with_input};
use super::secret;
#[cfg(target_os = "linux")]
use super::terminal::Terminal;

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

/// Several services with the default user.
fn fleet(count: usize) -> Vec<Bench> {
    (0..count).map(|_| Bench::standard()).collect()
}

/// The services file of a fleet.
fn urls(fleet: &[Bench]) -> String {
    fleet.iter().map(|bench| bench.server.url() + "\n").collect()
}

/// Number of open sessions of all services.
fn open_sessions(fleet: &[Bench]) -> usize {
    fleet.iter().map(|bench| bench.server.open_sessions()).sum()
}

/// The sweep of a services file, as the default user.
fn sweep(bench: &Bench, list: &str, args: &[&str]) -> Command {
    let mut command = redfish(["sweep", "--services", &bench.file("services", list)]);
    command.args(args).env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "machine-room");
    command
}

/// The lines by service. Asserts the members of each.
#[track_caller]
fn lines(done: &Done) -> BTreeMap<String, Value> {
    let mut lines = BTreeMap::new();
    for text in done.out.lines() {
        let line: Value = serde_json::from_str(text).unwrap();
        let object = line.as_object().unwrap();
        let ok = line["ok"].as_bool().unwrap();
        assert_eq!(ok, line["exit"] == 0, "{line}");
        assert_eq!(ok, !object.contains_key("error"), "{line}");
        assert!(object.contains_key("status") && line["ms"].is_u64(), "{line}");
        if !ok {
            let error = &line["error"];
            assert_eq!(error["status"], line["status"], "{line}");
            for member in ["error", "method", "uri", "messages", "hint"] {
                assert!(error.get(member).is_some(), "{line}");
            }
        }
        let service = line["service"].as_str().unwrap().to_owned();
        assert!(lines.insert(service, line).is_none(), "twice: {text}");
    }
    lines
}

/// The URL of a port that refuses connections.
fn refusing_url() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

/// A listener that accepts connections and never responds, and its URL.
fn silent_service() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn each_service_has_one_line_and_gets_four_requests() {
    for profile in BOTH {
        let fleet: Vec<Bench> = (0..5).map(|_| Bench::new(profile)).collect();
        let done = run(&mut sweep(&fleet[0], &urls(&fleet), &["get", SYSTEMS])).exits(0);
        let lines = lines(&done);
        assert_eq!(lines.len(), 5);
        let single = run(&mut fleet[0].as_admin(["get", SYSTEMS])).exits(0);
        for bench in &fleet {
            let line = &lines[&bench.server.url()];
            assert_eq!((&line["ok"], &line["status"], &line["exit"]), (&json!(true), &json!(200), &json!(0)));
            assert_eq!(line["output"], single.json());
        }
        // Root, login, read, logout.
        assert!(fleet[1..].iter().all(|bench| bench.requests() == 4), "{profile}");
        assert_eq!(open_sessions(&fleet), 0);
        assert!(done.err.starts_with("redfish: 5 of 5 services ok, in "), "{}", done.err);
    }
}

#[test]
fn each_service_gets_one_connection() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{}"),
        (
            "POST /redfish/v1/SessionService/Sessions",
            "201\nX-Auth-Token: t0ken\nLocation: /redfish/v1/Sessions/1\n\n{}",
        ),
        ("GET /c", "200\n\n{\"Members\": []}"),
        ("DELETE /redfish/v1/Sessions/1", "204"),
    ]);
    let bench = Bench::standard();
    let done = run(&mut sweep(&bench, &service.url(), &["members", "/c"])).exits(0);
    assert_eq!(lines(&done)[&service.url()]["output"], json!([]));
    assert_eq!(service.requests().len(), 4, "{:?}", service.requests());
    assert_eq!(service.connections(), 1);
}

#[test]
fn documents_change_only_in_white_space() {
    let service = Canned::new(&[
        ("GET /a", "200\n\n{ \"N\": 9007199254740993.10,\n \"b\": \"x  y\\n\", \"a\": 1E300 }"),
        ("GET /b", "200\n\n<p>\n\"no\" JSON"),
        (
            "GET /c",
            "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\", \"@odata.type\": \"T.T\", \"Id\": \"1\", \"Name\": \"n\", \"N\": 1.0},\n {\"@odata.id\": \"/a\"}]}",
        ),
    ]);
    let (bench, url) = (Bench::standard(), service.url());
    let sweep = |args: &[&str]| run(sweep(&bench, &url, args).args(["--auth", "none"])).exits(0);
    let a = r#"{"N":9007199254740993.10,"b":"x  y\n","a":1E300}"#;
    let done = sweep(&["get", "/a"]);
    assert!(done.out.contains(&format!(r#""output":{a},"ms":"#)), "{}", done.out);
    let done = sweep(&["get", "/a", "/b"]);
    assert!(done.out.contains(&format!(r#""output":[{a},"<p>\n\"no\" JSON"],"ms":"#)), "{}", done.out);
    let done = sweep(&["members", "/c"]);
    let listed =
        r#"[{"@odata.id":"/c/1","@odata.type":"T.T","Id":"1","Name":"n","N":1.0},{"@odata.id":"/a"}]"#;
    assert!(done.out.contains(&format!(r#""output":{listed},"ms":"#)), "{}", done.out);
    let done = sweep(&["members", "/c", "--fetch"]);
    assert!(
        done.out.contains(&format!(
            r#""output":[{{"@odata.id":"/c/1","@odata.type":"T.T","Id":"1","Name":"n","N":1.0}},{a}],"ms":"#
        )),
        "{}",
        done.out
    );
}

#[test]
fn a_partial_failure_has_both_output_and_error() {
    let page = "200\n\n{\"Members\": [{\"@odata.id\": \"/gone\"}, {\"@odata.id\": \"/a\"}],
        \"Members@odata.nextLink\": \"/c\"}";
    let service = Canned::new(&[("GET /a", "200\n\n{\"Id\": 1}"), ("GET /c", page)]);
    let (bench, url) = (Bench::standard(), service.url());
    let sweep = |args: &[&str]| {
        let done = run(sweep(&bench, &url, args).args(["--auth", "none"])).exits(1);
        lines(&done).remove(&url).unwrap()
    };
    let line = sweep(&["get", "/gone", "/a"]);
    assert_eq!((&line["output"], &line["error"]["error"]), (&json!([null, {"Id": 1}]), &json!("not-found")));
    assert_eq!((&line["status"], &line["exit"]), (&json!(404), &json!(1)));
    let line = sweep(&["get", "/gone", "/gone"]);
    assert_eq!(line.get("output"), None);
    let line = sweep(&["members", "/c"]);
    let listed = json!([{"@odata.id": "/gone"}, {"@odata.id": "/a"}]);
    assert_eq!((&line["output"], &line["error"]["error"]), (&listed, &json!("malformed")));
    let line = sweep(&["members", "/c", "--fetch"]);
    assert_eq!((&line["output"], &line["error"]["error"]), (&json!([{"Id": 1}]), &json!("not-found")));
}

#[test]
fn an_error_is_the_json_of_the_single_command() {
    let fleet = fleet(3);
    fleet[1].server.mock(|mock| mock.add_fault("503=1@/redfish/v1/Systems".parse().unwrap()));
    let wrong = fleet[2].file("wrong", "wrong\n");
    let dead = refusing_url();
    let list = format!(
        "{}\n{}\n{}\n{dead}\n",
        fleet[0].server.url(),
        fleet[1].server.url(),
        json!({"service": fleet[2].server.url(), "password_file": wrong})
    );
    let get = ["get", SYSTEMS, "--timeout", "3"];
    let done = run(&mut sweep(&fleet[0], &list, &get)).exits(1);
    let lines = lines(&done);
    assert_eq!(lines[&fleet[0].server.url()]["ok"], true);
    for (url, password, exit) in [
        (fleet[1].server.url(), "machine-room", 1),
        (fleet[2].server.url(), "wrong", 3),
        (dead, "machine-room", 4),
    ] {
        let mut single = redfish(["-s", &url, "-u", "admin", "--output", "json"]);
        let mut expected = run(single.args(get).env("REDFISH_PASSWORD", password)).exits(exit).error();
        let mut line = lines[&url].clone();
        assert_eq!(line["exit"], exit);
        // The text may contain the remaining time.
        expected["text"].take();
        line["error"]["text"].take();
        assert_eq!(line["error"], expected, "{url}");
    }
    let text = "1 of 4 services ok, 3 failed (busy: 1, not-authenticated: 1, transport: 1), in ";
    assert!(done.err.contains(text), "{}", done.err);
    assert_eq!(fleet[2].handled("POST", SESSIONS), 2, "a wrong password is tried once");
    assert_eq!(open_sessions(&fleet), 0);

    let done = run(sweep(&fleet[0], &list, &get).arg("--output=json")).exits(1);
    let error = done.error();
    assert_eq!(error["error"], "failed");
    assert_eq!(error["services"]["failed"], json!({"busy": 1, "not-authenticated": 1, "transport": 1}));
}

#[test]
fn a_line_sets_credentials_and_certificate() {
    let tls = |user: &str, password: &str| {
        let settings = Settings { user: user.into(), password: password.into(), ..Settings::default() };
        Bench::serving(settings, ServeOptions::default())
    };
    let (first, second, third) = (tls("admin", "one"), tls("root", "two"), tls("admin", "three"));
    let plain = Bench::standard();
    let pin = |bench: &Bench| run(&mut bench.command(["pin"])).exits(0).out.trim_end().to_owned();
    let cert = first.file("cert.pem", first.server.certificate_pem().unwrap());
    let wrong = format!("sha256:{}", "0".repeat(64));
    let list = [
        "# a comment, and a blank line".to_owned(),
        String::new(),
        json!({"service": first.server.url(), "password_file": first.file("p", "one\n"), "cacert": cert})
            .to_string(),
        json!({"service": second.server.url(), "user": "root", "password_file": first.file("q", "two"),
            "pin": pin(&second), "cacert": cert})
        .to_string(),
        json!({"service": third.server.url(), "pin": wrong}).to_string(),
        format!("  {}/redfish/v1/\r", plain.server.url()),
    ];
    let done = run(&mut sweep(&plain, &list.join("\n"), &["whoami"])).exits(1);
    let found = lines(&done);
    assert_eq!(found[&first.server.url()]["output"]["user"], "admin");
    assert_eq!(found[&second.server.url()]["output"]["user"], "root");
    assert_eq!(found[&plain.server.url()]["output"]["auth"], "session");
    assert_eq!(found[&third.server.url()]["error"]["error"], "untrusted");
    assert_eq!(third.requests(), 0);

    // The line takes precedence over the options.
    let list = format!("{}\n{}", json!({"service": third.server.url(), "pin": wrong}), second.server.url());
    let done = run(sweep(&plain, &list, &["whoami"]).args(["--pin", &pin(&third)])).exits(1);
    assert!(lines(&done).values().all(|line| line["error"]["error"] == "untrusted"), "{}", done.out);
    let done =
        run(sweep(&plain, &list, &["get", "/redfish/v1"]).args(["--insecure", "--auth", "none"])).exits(1);
    assert_eq!(lines(&done)[&second.server.url()]["ok"], true, "{}", done.out);
    assert_eq!(lines(&done)[&third.server.url()]["error"]["error"], "untrusted");
    assert_eq!(done.err.matches("warning").count(), 1, "{}", done.err);
    for bench in [first, second, third, plain] {
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn authentication_is_that_of_the_single_command() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench =
        Bench::with(Settings { accounts, bearer_token: Some("bearer".into()), ..Settings::default() });
    let url = bench.server.url();
    let who = |command: &mut Command, status| lines(&run(command).exits(status)).remove(&url).unwrap();
    let line = who(sweep(&bench, &url, &["whoami"]).args(["--auth", "basic"]), 0);
    assert_eq!((&line["output"]["auth"], &line["output"]["user"]), (&json!("basic"), &json!("admin")));
    let line = who(sweep(&bench, &url, &["whoami"]).env("REDFISH_TOKEN", "bearer"), 0);
    assert_eq!(line["output"]["auth"], "bearer");
    let line = who(sweep(&bench, &url, &["whoami"]).args(["--auth", "none"]), 1);
    assert_eq!((&line["exit"], &line["error"]["error"]), (&json!(3), &json!("not-authenticated")));
    // The user of a line takes precedence over the token of the options.
    let own =
        json!({"service": url, "user": "reader", "password_file": bench.file("p", "p4ssw0rd")}).to_string();
    let line = who(sweep(&bench, &own, &["whoami"]).env("REDFISH_TOKEN", "bearer"), 0);
    assert_eq!((&line["output"]["auth"], &line["output"]["user"]), (&json!("session"), &json!("reader")));
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_saved_session_is_used_and_not_changed() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let before = std::fs::read(&bench.saved_sessions()[0]).unwrap();
    let list = bench.file("services", bench.server.url());
    let args = ["sweep", "--services", &list, "whoami"];
    let line = run(&mut bench.command(args)).exits(0).json();
    assert_eq!((&line["output"]["kept"], &line["output"]["user"]), (&json!(true), &json!("admin")));
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (1, 1));

    // After the session has expired, the sweep opens its own with the password.
    bench.server.mock(|mock| mock.add_fault("expire-token*1".parse().unwrap()));
    run(&mut bench.command(args)).exits(1);
    let line = run(&mut bench.as_admin(args)).exits(0).json();
    assert_eq!(line["output"]["kept"], false);
    assert_eq!(std::fs::read(&bench.saved_sessions()[0]).unwrap(), before);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_reset_is_checked_at_each_service() {
    let fleet = fleet(2);
    let list = urls(&fleet);
    let reset = |kind| sweep(&fleet[0], &list, &["reset", kind, "--system", SYSTEM]);
    let done = run(&mut reset("Sideways")).exits(1);
    assert!(lines(&done).values().all(|line| line["error"]["error"] == "not-allowable" && line["exit"] == 2));
    let posted =
        |bench: &Bench| bench.server.mock(|mock| mock.handled().filter(|one| one.method == "POST").count());
    assert_eq!(fleet.iter().map(posted).sum::<usize>(), 2, "only logins");
    let done = run(reset("ForceOff").args(["--wait"])).exits(0);
    let expected = json!({"system": SYSTEM, "power": "Off"});
    assert!(lines(&done).values().all(|line| line["output"] == expected), "{}", done.out);
    let done = run(&mut sweep(&fleet[0], &list, &["reset", "On"])).exits(1);
    assert!(lines(&done).values().all(|line| line["error"]["error"] == "ambiguous"), "{}", done.out);
    assert_eq!(open_sessions(&fleet), 0);
}

#[test]
fn a_reset_that_is_a_task_is_waited_for_on_request() {
    let system =
        "200\n\n{\"PowerState\": \"On\", \"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}";
    let service = Canned::new(&[
        ("GET /s/1", system),
        ("POST /s/1/r", "202\nLocation: /m/1"),
        ("GET /m/1", "202\nRetry-After: 1"),
        ("GET /m/1", "204"),
        ("GET /m/1", "404"),
    ]);
    let bench = Bench::standard();
    let reset = |args: &[&str], status| {
        let args = [&["reset", "On", "--system", "/s/1", "--auth", "none"], args].concat();
        lines(&run(&mut sweep(&bench, &service.url(), &args)).exits(status)).remove(&service.url()).unwrap()
    };
    assert_eq!(reset(&[], 0)["output"], json!({"monitor": "/m/1", "task": null}));
    assert_eq!(reset(&["--wait"], 0)["output"], json!({"system": "/s/1", "power": "On"}));
    let line = reset(&["--wait"], 1);
    assert_eq!((&line["error"]["error"], &line["exit"]), (&json!("task-not-found"), &json!(5)));
}

#[test]
fn an_accepted_reset_is_never_a_failure_to_retry() {
    let system = "200\n\n{\"PowerState\": \"Off\", \"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}";
    for (args, exit) in [(&[][..], 0), (&["--wait"], 5)] {
        let service = Canned::new(&[("GET /s/1", system), ("GET /s/1", "500"), ("POST /s/1/r", "204")]);
        let bench = Bench::standard();
        let args = [&["reset", "On", "--system", "/s/1", "--auth", "none"], args].concat();
        let done = run(&mut sweep(&bench, &service.url(), &args)).exits(i32::from(exit != 0));
        let line = &lines(&done)[&service.url()];
        assert_eq!(line["exit"], exit, "{line}");
        assert_eq!(
            done.err.contains("the reset was accepted, but the power state cannot be read"),
            exit == 0,
            "{}",
            done.err
        );
    }
}

#[test]
fn secrets_are_redacted() {
    let url = secret::echo();
    let bench = Bench::new(Profile::Standard);
    for args in
        ["get /echo", "get /page /elsewhere", "members /links --fetch", "whoami", "get /echo --auth basic"]
    {
        let args: Vec<&str> = args.split(' ').collect();
        let mut command = sweep(&bench, &url, &args);
        let done = run(command.arg("--trace").env("REDFISH_PASSWORD", secret::PASSWORD));
        let hidden = if args.contains(&"basic") { secret::of_password() } else { secret::all() };
        secret::is_clean(&done, &hidden, &args.join(" "));
        assert!(done.err.contains(&format!("{url} > ")), "{}", done.err);
    }
}

#[test]
fn standard_input_is_the_services_file_or_the_password() {
    let bench = Bench::standard();
    let mut command = bench.as_admin(["sweep", "--services", "-", "--parallel", "1", "get", SYSTEMS]);
    run_with_input(&mut command, &(bench.server.url() + "\n")).exits(0);
    run_with_input(command.args(["--password-file", "-"]), "").exits(2);
    run_with_input(command.args(["--retry-failed", "-"]), "").exits(2);
}

#[cfg(target_os = "linux")]
#[test]
fn progress_is_shown_on_a_terminal() {
    let bench = Bench::standard();
    let shown = Terminal::new().show(&sweep(&bench, &bench.server.url(), &["get", SYSTEMS]), 0);
    assert!(shown.contains("]   0 %  0/1  0 failed  1 in flight"), "{shown:?}");
    assert!(shown.ends_with(" s\r\n") && shown.contains("1 of 1 services ok"), "{shown:?}");
}

#[test]
fn any_json_parser_can_read_a_line() {
    for depth in [100, 125, 126, 127, 128, 5000] {
        let document = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        is_readable(document.as_bytes());
    }
    for document in
        [&b"[1e999]"[..], br#"["\ud800"]"#, b"\xff{", b"{\"a\": \"\xff\"}", b"[1,]", b"NaN", b"\0"]
    {
        is_readable(document);
    }
}

/// Asserts that the line of a service with this document is JSON, for one document and for a list.
fn is_readable(document: &[u8]) {
    // Not `Canned`, whose bodies are text.
    let document = document.to_vec();
    let peer = redfish_testkit::script::Peer::start(
        std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        move |connection| {
            let Ok(mut wire) = connection.plain() else { return };
            while let Ok(Some(_)) = wire.request() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len());
                if wire.write(&[head.as_bytes(), &document].concat()).is_err() {
                    return;
                }
            }
        },
    )
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("services");
    std::fs::write(&list, peer.url("http")).unwrap();
    for paths in [&["/a"][..], &["/a", "/b"]] {
        let args = [&["sweep", "--services", list.to_str().unwrap(), "get"][..], paths].concat();
        let done = run(&mut crate::common::redfish(args)).exits(0);
        let line = serde_json::from_str::<Value>(done.out.trim_end());
        assert!(line.is_ok_and(|line| line["ok"] == true), "{}", done.out);
    }
}
