//! Walks of the command: saved sessions, several requests in flight, logs, sweeps.

use std::time::Duration;

use redfish_mock::{Profile, Settings};
use serde_json::{Value, json};

use super::canned::Canned;
use super::common::{BOTH, Bench, SYSTEMS, run};

fn count(node: &Value) -> usize {
    1 + node["children"].as_array().unwrap().iter().map(count).sum::<usize>()
}

fn saved_then(faults: &[&str]) -> Bench {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let bench = Bench::with(Settings { faults, ..Settings::default() });
    run(&mut bench.as_admin(["login"])).exits(0);
    bench
}

fn opened(bench: &Bench) -> u64 {
    bench.server.mock(|mock| mock.session_count().opened)
}

#[test]
fn a_saved_session_that_has_expired_is_renewed_once_for_the_walk() {
    let bench = saved_then(&[]);
    bench.server.advance(Duration::from_secs(24 * 3600));
    let tree = run(&mut bench.as_admin(["tree"])).exits(0).json();
    assert!(count(&tree) > 100);
    assert_eq!((opened(&bench), bench.server.open_sessions()), (2, 1));
    run(&mut bench.as_admin(["members", SYSTEMS, "--fetch"])).exits(0);
    assert_eq!(opened(&bench), 2);
    // Without a password, the session cannot be renewed.
    bench.server.advance(Duration::from_secs(24 * 3600));
    let done = run(&mut bench.command(["tree", "-u", "admin", SYSTEMS])).exits(3);
    assert_eq!(done.out, "");
}

#[test]
fn a_resource_that_is_denied_to_a_living_saved_session_is_a_warning() {
    // The second one is the first that is read with the session.
    for (denied, reason) in [
        ("/redfish/v1/AccountService", "other resources accept the same credentials"),
        ("/redfish/v1/Chassis", "the session is alive"),
    ] {
        let bench = saved_then(&[&format!("401@{denied}")]);
        let done = run(&mut bench.as_admin(["tree"])).exits(0);
        assert!(done.err.contains(&format!("GET {denied}")) && done.err.contains(reason), "{}", done.err);
        assert!(count(&done.json()) > 100);
        assert_eq!((opened(&bench), bench.server.open_sessions()), (1, 1), "{denied}");
    }
}

#[test]
fn a_session_that_is_lost_several_times_costs_no_resource() {
    let whole = count(&run(&mut Bench::standard().as_admin(["tree"])).exits(0).json());
    for fault in ["expire-token*1", "expire-token*2"] {
        let bench = Bench::with(Settings { faults: vec![fault.parse().unwrap()], ..Settings::default() });
        let done = run(&mut bench.as_admin(["tree"])).exits(0);
        // The sessions that were lost may still be listed.
        assert!(count(&done.json()) >= whole && !done.err.contains("401"), "{fault}: {}", done.err);
    }
}

#[test]
fn the_tree_is_the_same_with_any_number_in_flight() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let run_with = |in_flight: &str| {
            let args = ["tree", "--output", "text", "--in-flight", in_flight];
            // The last segment of the session's own URI differs.
            let out = run(&mut bench.as_admin(args)).exits(0).out;
            let lines =
                out.lines().zip(out.lines().skip(1)).filter(|(before, _)| !before.contains("Sessions"));
            lines.map(|(_, line)| line.to_owned()).collect::<Vec<String>>()
        };
        assert_eq!(run_with("1"), run_with("7"), "{profile}");
    }
}

#[test]
fn further_pages_of_logs_are_read_on_request() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["tree"])).exits(0);
    assert!(done.err.contains("older entries of 3 logs are left out; --logs reads them"), "{}", done.err);
    let some = (count(&done.json()), bench.requests());
    let done = run(&mut bench.as_admin(["tree", "--logs"])).exits(0);
    assert_eq!(done.err, "");
    let all = (count(&done.json()), bench.requests() - some.1);
    assert_eq!((all.0 - some.0, all.1 - some.1), (210, 6));
    // A login, a logout, and at most one request for each page and for each resource that no page contains.
    assert!(some.1 <= 178 && all.1 <= 184, "{some:?} {all:?}");
}

#[test]
fn the_options_limit_the_number_in_flight() {
    let root = json!({"ProtocolFeaturesSupported": {"MultipleHTTPRequests": false},
        "Parts": (0..8).map(|n| json!({"@odata.id": format!("/p/{n}")})).collect::<Vec<Value>>()});
    let root = format!("200\n\n{root}");
    let mut responses = vec![("GET /redfish/v1/".to_owned(), root.as_str())];
    responses.extend((0..8).map(|n| (format!("GET /p/{n}"), "200\n\n{}")));
    let responses: Vec<(&str, &str)> = responses.iter().map(|(key, body)| (key.as_str(), *body)).collect();
    for args in [vec!["tree"], vec!["tree", "--in-flight", "1"], vec!["tree", "--in-flight", "8"]] {
        let service = Canned::new(&responses);
        run(&mut service.command(args)).exits(0);
        assert_eq!(service.connections(), 1);
    }
    let service = Canned::new(&responses);
    run(&mut service.command(["tree", "--in-flight", "0"])).exits(2);
    assert_eq!(service.connections(), 0);
}

#[test]
fn a_tree_that_is_deeper_than_the_limit_is_an_error_unless_a_depth_was_chosen() {
    let uri = |n: usize| if n == 0 { "/redfish/v1/".to_owned() } else { format!("/p/{n}") };
    let chain: Vec<(String, String)> = (0..60)
        .map(|n| {
            let body = json!({"Part": {"@odata.id": uri(n + 1)}});
            (format!("GET {}", uri(n)), format!("200\n\n{body}"))
        })
        .collect();
    let responses: Vec<(&str, &str)> =
        chain.iter().map(|(key, body)| (key.as_str(), body.as_str())).collect();
    for (args, exit) in
        [(&["tree"][..], 4), (&["tree", "--depth", "200"], 4), (&["tree", "--depth", "48"], 0)]
    {
        let done = run(&mut Canned::new(&responses).command(args.to_vec())).exits(exit);
        assert_eq!(done.out.matches("\"uri\"").count(), 49, "{args:?}");
        if exit == 0 {
            assert_eq!(done.err, "");
        } else {
            assert!(
                done.err.contains("GET /p/49: ") && done.err.contains("limit of 48 links"),
                "{}",
                done.err
            );
        }
    }
}

#[test]
fn members_after_which_the_service_is_away_are_named() {
    // The second one is to be requested again later.
    let links = [0, 1, 2, 3].map(|n| json!({"@odata.id": format!("/c/{n}")}));
    let page = format!("200\n\n{}", json!({"Members": links}));
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{}"),
        ("GET /redfish/v1/", ""),
        ("GET /c", &page),
        ("GET /c/0", "200\n\n{\"Id\": \"0\"}"),
        ("GET /c/1", "503\nRetry-After: 20\n\n{}"),
        ("GET /c/2", ""),
        ("GET /c/3", "200\n\n{\"Id\": \"3\"}"),
    ]);
    let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(4);
    assert_eq!(done.out.lines().count(), 2, "{}", done.out);
    for text in ["GET /c/2: ", "GET /redfish/v1/: ", "the walk has ended early, so the rest is left out"] {
        assert!(done.err.contains(text), "{}", done.err);
    }
}

#[test]
fn a_warning_of_a_sweep_names_the_service_once() {
    let root = format!("200\n\n{}", json!({"Part": {"@odata.id": "/p"}}));
    let service = Canned::new(&[("GET /redfish/v1/", &root)]);
    let bench = Bench::standard();
    let list = bench.file("services", service.url());
    let done = run(&mut bench.command(["sweep", "--services", &list, "tree"])).exits(0);
    let warning = done.err.lines().find(|line| line.contains("GET /p")).unwrap();
    assert_eq!(warning.matches("http://").count(), 1, "{warning}");
}

#[test]
fn a_sweep_walks_each_service_within_its_time() {
    let slow =
        Settings { faults: vec!["slow=60s@/redfish/v1/Chassis".parse().unwrap()], ..Settings::default() };
    let benches = [Bench::new(Profile::Standard), Bench::with(slow)];
    let urls: Vec<String> = benches.iter().map(|bench| bench.server.url().to_owned()).collect();
    let list = benches[0].file("services", urls.join("\n"));
    let args = ["sweep", "--services", &list, "--timeout", "8", "tree"];
    let done = run(&mut benches[0].as_admin(args)).exits(1);
    let mut lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["ok"] == false);
    assert!(count(&lines[0]["output"]) > 100, "{}", lines[0]);
    assert_eq!((&lines[1]["ok"], &lines[1]["exit"]), (&json!(false), &json!(4)), "{}", lines[1]);
    for bench in &benches {
        assert_eq!((opened(bench), bench.server.open_sessions()), (1, 0));
    }
}
