//! `tree`.

use redfish_mock::Profile;
use serde_json::{Value, json};

use super::canned::Canned;
use super::common::{BOTH, Bench, SYSTEMS, run};

/// All URIs, in the order of the tree.
fn uris(node: &Value) -> Vec<String> {
    let mut found = vec![node["uri"].as_str().unwrap().to_owned()];
    found.extend(node["children"].as_array().unwrap().iter().flat_map(uris));
    found
}

#[test]
fn each_resource_appears_once_below_its_parent() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let tree = run(&mut bench.as_admin(["tree"])).exits(0).json();
        let mut found = uris(&tree);
        let systems =
            tree["children"].as_array().unwrap().iter().find(|node| node["uri"] == SYSTEMS).unwrap();
        let names: Vec<_> = systems["children"].as_array().unwrap().iter().map(|s| &s["power"]).collect();
        assert_eq!(names, [&json!("On"), &json!("Off"), &json!("On")], "{profile}");
        assert_eq!(systems["children"][2]["health"], "Warning");
        let all = found.len();
        found.sort();
        found.dedup();
        assert!(found.len() == all && all > 50, "{all}");
        let read = bench.handled("GET", &format!("{SYSTEMS}/E1D8B426/Bios"));
        assert_eq!((read, bench.server.open_sessions()), (1, 0), "{profile}");
    }
}

#[test]
fn the_table_has_branches_names_power_and_health() {
    let bench = Bench::new(Profile::Standard);
    let args = ["tree", SYSTEMS, "--depth", "1", "--output"];
    let done = run(bench.as_admin(args).arg("table")).exits(0);
    let expected = "\
RESOURCE             NAME                         POWER  HEALTH
/redfish/v1/Systems  Systems
├─ E1D8B426          db-01 (Fjord 240 Gen3)       On     OK
├─ E905C3FF          web-04 (Fjord 120 Gen3)      Off    OK
└─ EF2BF486          archive-02 (Fjord 480 Gen2)  On     Warning
";
    assert_eq!(done.out, expected);
    let done = run(bench.as_admin(args).arg("text")).exits(0);
    assert_eq!(done.out, "/redfish/v1/Systems\n├─ E1D8B426\n├─ E905C3FF\n└─ EF2BF486\n");
}

#[test]
fn the_depth_limits_the_walk() {
    let bench = Bench::new(Profile::Standard);
    let tree = run(&mut bench.as_admin(["tree", "--depth", "0"])).exits(0).json();
    assert_eq!((tree["uri"].as_str(), uris(&tree).len()), (Some("/redfish/v1/"), 1));
    let tree = run(&mut bench.as_admin(["tree", "--depth", "2"])).exits(0).json();
    assert!(uris(&tree).contains(&format!("{SYSTEMS}/E1D8B426")));
    assert_eq!(bench.handled("GET", &format!("{SYSTEMS}/E1D8B426/Memory")), 0);
}

#[test]
fn loops_fragments_pages_and_relations_repeat_no_resource() {
    let service = Canned::new(&[
        ("GET /r", "200\n\n{\"@odata.id\": \"/r\", \"Name\": \"Root\", \"A\": {\"@odata.id\": \"/r/a/\"}, \"C\": {\"@odata.id\": \"/r/c\"},
            \"Links\": {\"Up\": {\"@odata.id\": \"/up\"}, \"Only\": {\"@odata.id\": \"/r/only\"}, \"A\": {\"@odata.id\": \"/r/c/1\"}}}"),
        ("GET /r/a/", "200\n\n{\"Back\": {\"@odata.id\": \"/r/\"}, \"Fans\": [{\"@odata.id\": \"/r/a#/Fans/0\", \"RelatedItem\": [{\"@odata.id\": \"/r/c/2\"}]}],
            \"Part\": {\"@odata.id\": \"/r/c/1#/Part\"}, \"Far\": {\"@odata.id\": \"/drive\"}}"),
        ("GET /r/c", "200\n\n{\"Members\": [{\"@odata.id\": \"/r/c/1\", \"Sub\": {\"@odata.id\": \"/r/c/1/sub\"}}], \"Members@odata.nextLink\": \"/r/c?2\"}"),
        ("GET /r/c?2", "200\n\n{\"Members\": [{\"@odata.id\": \"/r/c/2\"}]}"),
        ("GET /r/c/1", "200\n\n{\"Sub\": {\"@odata.id\": \"/r/c/1/sub\"}, \"PowerState\": \"On\", \"Status\": {\"HealthRollup\": \"OK\"}}"),
        ("GET /r/c/2", "200\n\n{\"Name\": 7, \"Status\": null}"),
        ("GET /r/c/1/sub", "200\n\n{}"),
        ("GET /r/only", "200\n\n{}"),
        ("GET /drive", "200\n\n{}"),
    ]);
    let tree = run(&mut service.command(["tree", "/r"])).exits(0).json();
    assert_eq!(uris(&tree), ["/r", "/r/a/", "/drive", "/r/c", "/r/c/1", "/r/c/1/sub", "/r/c/2", "/r/only"]);
    // An expanded member has its children.
    let [one, two] = tree["children"][1]["children"].as_array().unwrap().as_slice() else { panic!("{tree}") };
    assert_eq!((&one["uri"], &two["uri"]), (&json!("/r/c/1"), &json!("/r/c/2")));
    assert_eq!((&one["power"], &one["health"], &one["name"]), (&"On".into(), &"OK".into(), &Value::Null));
}

#[test]
fn unreadable_resources_are_shown_and_other_origins_are_not_read() {
    let service = Canned::new(&[
        ("GET /r", "200\n\n{\"A\": {\"@odata.id\": \"/r/gone\"}, \"B\": {\"@odata.id\": \"http://elsewhere.invalid/r/b\"},
            \"C\": {\"@odata.id\": \"/r/c\"}, \"D\": {\"@odata.id\": \"/r/denied\"}}"),
        ("GET /r/c", "200\n\n{\"Name\": \"C\"}"),
        ("GET /r/denied", "403"),
    ]);
    let done = run(&mut service.command(["tree", "/r", "--output", "json"])).exits(0);
    let tree = done.json();
    let children: Vec<_> =
        tree["children"].as_array().unwrap().iter().map(|c| (&c["uri"], &c["error"])).collect();
    let expected = [
        (json!("/r/gone"), json!("not-found")),
        (json!("/r/c"), Value::Null),
        (json!("/r/denied"), json!("forbidden")),
        (json!("http://elsewhere.invalid/r/b"), json!("off-origin")),
    ];
    assert_eq!(children, expected.iter().map(|(uri, error)| (uri, error)).collect::<Vec<_>>());
    assert_eq!(done.err.matches("redfish: warning: ").count(), 3, "{}", done.err);
    let table = run(&mut service.command(["tree", "/r", "--output", "table"])).exits(0).out;
    assert!(table.contains("├─ gone") && table.contains("(not-found)"), "{table}");
    // With path-only, the path is read at this service.
    run(&mut service.command(["tree", "/r", "--links", "path-only"])).exits(0);
    assert!(service.requests().contains(&"GET /r/b".to_owned()));

    let done = run(&mut service.command(["tree", "/none"])).exits(1);
    assert_eq!(done.out, "");
}

#[test]
fn a_link_that_leads_to_nothing_is_a_warning_and_any_other_failure_sets_the_status() {
    let root = "200\n\n{\"A\": {\"@odata.id\": \"/r/a\"}, \"B\": {\"@odata.id\": \"/r/b\"}}";
    for (response, status) in [
        ("401", 0),
        ("403", 0),
        ("404", 0),
        ("501", 0),
        ("500", 1),
        ("503", 1),
        ("", 4),
        ("307\nLocation: //evil/", 0),
        ("200\n\n<html>", 4),
        ("200\n\n[]", 4),
        ("200\n\n{\"Reading\": nan}", 4),
    ] {
        let service = Canned::new(&[("GET /r", root), ("GET /r/a", response), ("GET /r/b", "200\n\n{}")]);
        let done = run(&mut service.command(["tree", "/r"])).exits(status);
        let tree = done.json();
        assert_eq!(uris(&tree), ["/r", "/r/a", "/r/b"], "{response}");
        assert!(tree["children"][0]["error"].is_string() && tree["children"][1]["error"].is_null(), "{tree}");
        assert_eq!(done.err.contains("warning: "), status == 0, "{}", done.err);
        assert!(done.err.contains("GET /r/a: "), "{}", done.err);
    }
}

#[test]
fn a_page_that_fails_sets_the_status_and_the_rest_is_shown() {
    let service = Canned::new(&[
        ("GET /r", "200\n\n{\"A\": {\"@odata.id\": \"/r/a\"}, \"B\": {\"@odata.id\": \"/r/b\"}}"),
        (
            "GET /r/a",
            "200\n\n{\"Members\": [{\"@odata.id\": \"/r/a/1\"}], \"Members@odata.nextLink\": \"/r/a?2\"}",
        ),
        ("GET /r/a/1", "200\n\n{}"),
        ("GET /r/b", "200\n\n{}"),
    ]);
    let done = run(&mut service.command(["tree", "/r"])).exits(1);
    assert_eq!(uris(&done.json()), ["/r", "/r/a", "/r/a/1", "/r/b"]);
    assert!(done.err.contains("GET /r/a?2: "), "{}", done.err);
}

#[test]
fn the_walk_ends_if_the_service_does_not_respond() {
    let root = "200\n\n{\"A\": {\"@odata.id\": \"/r/a\"}, \"B\": {\"@odata.id\": \"/r/b\"}}";
    let service = Canned::new(&[("GET /r", root), ("GET /r/a", ""), ("GET /redfish/v1/", "")]);
    let done = run(&mut service.command(["tree", "/r", "--in-flight", "1"])).exits(4);
    assert_eq!(uris(&done.json()), ["/r", "/r/a"]);
    assert!(done.err.contains("GET /r/a: ") && done.err.contains("GET /redfish/v1/: "), "{}", done.err);
    assert!(!service.requests().contains(&"GET /r/b".to_owned()));
}

#[test]
fn a_wrong_password_is_sent_once_and_a_401_of_one_resource_is_its_own() {
    let links = "{\"A\": {\"@odata.id\": \"/r/a\"}, \"B\": {\"@odata.id\": \"/r/b\"}}";
    let root = format!("200\n\n{links}");
    let service = Canned::new(&[("GET /redfish/v1/", &root), ("GET /r/a", "401"), ("GET /r/b", "401")]);
    let mut command = service.command(["tree", "--auth", "basic", "-u", "admin"]);
    let done = run(command.env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(uris(&done.json()), ["/redfish/v1/"]);
    assert_eq!(service.requests(), ["GET /redfish/v1/", "GET /r/a"]);

    let service = Canned::new(&[("GET /r", &root), ("GET /r/a", "401"), ("GET /r/b", "200\n\n{}")]);
    let mut command = service.command(["tree", "/r", "--auth", "basic", "-u", "admin", "--in-flight", "1"]);
    let done = run(command.env("REDFISH_PASSWORD", "right")).exits(0);
    assert_eq!(uris(&done.json()), ["/r", "/r/a", "/r/b"]);
    assert_eq!(service.requests(), ["GET /redfish/v1/", "GET /r", "GET /r/a", "GET /r", "GET /r/b"]);

    // The credentials are no longer valid.
    let service = Canned::new(&[("GET /r", &root), ("GET /r", "401"), ("GET /r/a", "401")]);
    let mut command = service.command(["tree", "/r", "--auth", "basic", "-u", "admin", "--in-flight", "1"]);
    let done = run(command.env("REDFISH_PASSWORD", "old")).exits(3);
    assert_eq!(uris(&done.json()), ["/r"]);
    assert_eq!(service.requests(), ["GET /redfish/v1/", "GET /r", "GET /r/a", "GET /r"]);
}
