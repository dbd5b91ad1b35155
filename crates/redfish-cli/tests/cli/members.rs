//! `members`.

use redfish_mock::Profile;
use serde_json::{Value, json};

use super::canned::Canned;
use super::common::{BOTH, Bench, SYSTEMS, run};

const IDS: [&str; 3] = ["E1D8B426", "E905C3FF", "EF2BF486"];

fn links(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("{{\"@odata.id\":\"{SYSTEMS}/{id}\"}}\n")).collect()
}

#[test]
fn each_member_is_one_unchanged_line() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let done = run(&mut bench.as_admin(["members", SYSTEMS])).exits(0);
        assert_eq!(done.out, links(&IDS), "{profile}");
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn fetch_reads_members_that_are_links() {
    let bench = Bench::new(Profile::Standard);
    let done = run(&mut bench.as_admin(["members", SYSTEMS, "--fetch"])).exits(0);
    let found: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = found.iter().map(|system| system["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, IDS);
    assert!(found.iter().all(|system| system["PowerState"].is_string()));
}

#[test]
fn a_resource_that_is_not_a_collection_is_malformed() {
    let bench = Bench::new(Profile::Standard);
    let system = format!("{SYSTEMS}/{}", IDS[0]);
    let done = run(&mut bench.as_admin(["members", &system, "--output", "json"])).exits(4);
    assert_eq!((done.out.as_str(), done.error()["error"].as_str()), ("", Some("malformed")));
}

#[test]
fn without_expand_members_are_read_one_by_one() {
    let service = Canned::new(&[
        ("GET /c?$expand=.", "501"),
        ("GET /c", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\"}]}"),
        ("GET /c/1", "200\n\n{\"Id\": 1}"),
    ]);
    let done = run(&mut service.command(["members", "/c?$expand=.", "--fetch"])).exits(0);
    assert_eq!(done.out, "{\"Id\":1}\n");
    assert_eq!(service.requests(), ["GET /redfish/v1/", "GET /c?$expand=.", "GET /c", "GET /c/1"]);
}

#[test]
fn a_member_without_a_link_is_left_out_with_a_warning() {
    let page =
        "200\n\n{\"Members\": [null, {\"@odata.id\": \"\"}, {\"@odata.id\": 7}, {\"@odata.id\": \"/c/1\"}]}";
    let service = Canned::new(&[("GET /c", page), ("GET /c/1", "200\n\n{\"Id\": 1}")]);
    let warning = "redfish: warning: members without a link are left out of /c: 3\n";
    for (args, out) in [
        (vec!["members", "/c"], "{\"@odata.id\":\"/c/1\"}\n"),
        (vec!["members", "/c", "--fetch"], "{\"Id\":1}\n"),
    ] {
        let done = run(&mut service.command(args)).exits(0);
        assert_eq!((done.out.as_str(), done.err.as_str()), (out, warning));
    }
    let done = run(&mut service.command(["tree", "/c"])).exits(0);
    assert_eq!(done.err, warning);
    assert!(done.out.contains("/c/1"), "{}", done.out);
}

#[test]
fn all_pages_are_listed_unchanged() {
    let service = Canned::new(&[
        ("GET /c", "200\n\n{\"Members\": [ {\"@odata.id\": \"/c/1\", \"@odata.type\": \"T.T\", \"Id\": \"1\", \"Name\": \"n\", \"N\": 9007199254740993.10},\n {\"a\": \"x  y\\n\"} ],
            \"Members@odata.nextLink\": \"/c?p=2\", \"Members@odata.count\": 99}"),
        ("GET /c?p=2", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/3\"}]}"),
        ("GET /c/3", "200\n\n{ \"Id\": 3 }"),
    ]);
    let lines = "{\"@odata.id\":\"/c/1\",\"@odata.type\":\"T.T\",\"Id\":\"1\",\"Name\":\"n\",\"N\":9007199254740993.10}\n{\"a\":\"x  y\\n\"}\n";
    let done = run(&mut service.command(["members", "/c"])).exits(0);
    assert_eq!(done.out, format!("{lines}{{\"@odata.id\":\"/c/3\"}}\n"));
    // A member that the page contains as a whole is not read again.
    let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(0);
    assert_eq!(done.out, format!("{lines}{{\"Id\":3}}\n"));
}

#[test]
fn a_loop_of_pages_exits_with_4_after_their_members() {
    let service = Canned::new(&[
        (
            "GET /c",
            "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\"}], \"Members@odata.nextLink\": \"/c?$skip=0&$top=0\"}",
        ),
        (
            "GET /c?$skip=0&$top=0",
            "200\n\n{\"Members\": [], \"Members@odata.nextLink\": \"/c?$skip=0&$top=0\"}",
        ),
    ]);
    let done = run(&mut service.command(["members", "/c", "--output", "json"])).exits(4);
    assert_eq!(done.out, "{\"@odata.id\":\"/c/1\"}\n");
    assert_eq!(done.error()["error"], "malformed");
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn an_unreadable_member_does_not_hide_the_others() {
    let service = Canned::new(&[
        ("GET /c", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/gone\"}, {\"@odata.id\": \"https://elsewhere.invalid/c/2\"},
            {\"@odata.id\": \"/c/3\"}]}"),
        ("GET /c/3", "200\n\n{\"Id\": 3}"),
    ]);
    let done = run(&mut service.command(["members", "/c", "--fetch", "--output", "json"])).exits(1);
    assert_eq!(done.out, "{\"Id\":3}\n");
    let error = done.error();
    assert_eq!(
        (&error["error"], &error["uri"]),
        (&"off-origin".into(), &"https://elsewhere.invalid/c/2".into())
    );
    assert!(error["text"].as_str().unwrap().ends_with("(https://elsewhere.invalid/c/2)"), "{error}");
    // Without --fetch, all links are listed.
    let done = run(&mut service.command(["members", "/c"])).exits(0);
    assert_eq!(done.out.lines().count(), 3);
}

#[test]
fn members_on_overlapping_pages_are_listed_once() {
    let page = |from: usize, next: usize| {
        let links: Vec<String> = (from..264).map(|n| format!("{{\"@odata.id\": \"/c/{n}\"}}")).collect();
        format!("200\n\n{{\"Members\": [{}], \"Members@odata.nextLink\": \"/c?{next}\"}}", links.join(","))
    };
    let service = Canned::new(&[
        ("GET /c", &page(0, 75)),
        ("GET /c?75", &page(75, 261)),
        ("GET /c?261", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/263\"}, {\"@odata.id\": \"/c/264\"}]}"),
    ]);
    let done = run(&mut service.command(["members", "/c"])).exits(0);
    let expected: String = (0..=264).map(|n| format!("{{\"@odata.id\":\"/c/{n}\"}}\n")).collect();
    assert_eq!(done.out, expected);
}

#[test]
fn an_empty_collection_may_lack_its_members_and_members_may_lack_their_ids() {
    let service = Canned::new(&[
        ("GET /empty", "200\n\n{\"Members@odata.count\": 0}"),
        ("GET /c", "200\n\n{\"Members\": [{\"Name\": \"A\"}, {\"Name\": \"A\"}]}"),
    ]);
    let done = run(&mut service.command(["members", "/empty"])).exits(0);
    assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""));
    let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(0);
    assert_eq!(done.out, "{\"Name\":\"A\"}\n{\"Name\":\"A\"}\n");
}

#[test]
fn a_failed_page_or_member_loses_nothing_else() {
    let service = Canned::new(&[
        ("GET /c", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\"}, {\"@odata.id\": \"/c/2\"}, {\"@odata.id\": \"/c/3\"},
            {\"@odata.id\": \"/c/4\"}], \"Members@odata.nextLink\": \"/c?2\"}"),
        ("GET /c/1", "401"),
        ("GET /c/2", ""),
        ("GET /c/3", "200\n\n{\"Id\": 3}"),
        ("GET /c/4", "200\n\n{\"Id\": 4}"),
        ("GET /c?2", "500"),
    ]);
    let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(3);
    assert_eq!(done.out, "{\"Id\":3}\n{\"Id\":4}\n");
    for uri in ["/c/1: ", "/c/2: ", "/c?2: "] {
        assert!(done.err.contains(&format!("GET {uri}")), "{}", done.err);
    }
    assert!(service.requests().contains(&"GET /redfish/v1/".to_owned()));
    let done = run(&mut service.command(["members", "/c"])).exits(1);
    assert_eq!(done.out.lines().count(), 4);
}

#[test]
fn members_that_must_be_repaired_are_json_and_reported() {
    let service = Canned::new(&[
        ("GET /c", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\"}, {\"Name\": \"a\tb\"}]}"),
        ("GET /c/1", "200\n\n{\"error\": {\"code\": \"A.1.0.X\"}} {\"Name\": \"a\tb\"}"),
    ]);
    let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(0);
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [json!({"Name": "a\tb"}), json!({"Name": "a\tb"})]);
    for uri in ["/c", "/c/1"] {
        assert!(done.err.contains(&format!("warning: {uri} is not valid JSON")), "{}", done.err);
    }
}

#[test]
fn a_member_that_is_no_resource_is_a_failure_and_no_line() {
    for response in ["204", "200\n\n<html></html>", "200\n\n[]", "200", "206\n\n{\"Id\": 1}"] {
        let service = Canned::new(&[
            ("GET /c", "200\n\n{\"Members\": [{\"@odata.id\": \"/c/1\"}, {\"@odata.id\": \"/c/2\"}]}"),
            ("GET /c/1", response),
            ("GET /c/2", "200\n\n{\"Id\": \"2\"}"),
        ]);
        let done = run(&mut service.command(["members", "/c", "--fetch"])).exits(4);
        assert_eq!(done.out, "{\"Id\":\"2\"}\n");
        assert!(done.err.contains("GET /c/1"), "{}", done.err);
    }
}
