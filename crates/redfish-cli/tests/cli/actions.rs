//! `actions`.

use redfish_mock::Profile;
use serde_json::json;

use super::canned::Canned;
use super::common::{Bench, run};

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

#[test]
fn actions_are_listed_with_their_parameters() {
    let bench = Bench::new(Profile::Standard);
    let listed = run(&mut bench.as_admin(["actions", SYSTEM])).exits(0).json();
    let reset = &listed[0];
    assert_eq!(reset["name"], "ComputerSystem.Reset");
    assert_eq!(reset["target"], format!("{SYSTEM}/Actions/ComputerSystem.Reset"));
    assert_eq!(reset["parameters"][0]["name"], "ResetType");
    assert!(reset["parameters"][0]["allowable"].as_array().unwrap().contains(&json!("GracefulRestart")));

    let table = run(&mut bench.as_admin(["actions", SYSTEM, "--output", "table"])).exits(0).out;
    assert!(table.starts_with("ACTION ") && table.contains("\nComputerSystem.Reset  ResetType "), "{table}");
    assert!(table.contains("On, ForceOff"), "{table}");
    let text = run(&mut bench.as_admin(["actions", SYSTEM, "--output", "text"])).exits(0).out;
    assert_eq!(text, "ComputerSystem.Reset\n");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn oem_actions_and_action_info_are_included() {
    let service = Canned::new(&[
        (
            "GET /r",
            "200\n\n{\"Actions\": {\"#A.One\": {\"target\": \"/r/one\"}, \"Oem\": {\"#V.Two\": {
            \"target\": \"/r/two\", \"@Redfish.ActionInfo\": \"/r/info\"}}}}",
        ),
        (
            "GET /r/info",
            "200\n\n{\"Parameters\": [{\"Name\": \"P\", \"Required\": true, \"AllowableValues\": [\"x\", 1]}, {\"Name\": \"Q\"}]}",
        ),
        ("GET /none", "200\n\n{}"),
    ]);
    let listed = run(&mut service.command(["actions", "/r"])).exits(0).json();
    let expected = json!([
        {"name": "A.One", "key": "#A.One", "target": "/r/one", "parameters": []},
        {"name": "V.Two", "key": "#V.Two", "target": "/r/two", "parameters": [
            {"name": "P", "required": true, "allowable": ["x", "1"]},
            {"name": "Q", "required": false, "allowable": []},
        ]},
    ]);
    assert_eq!(listed, expected);
    let table = run(&mut service.command(["actions", "/r", "--output", "table"])).exits(0).out;
    assert_eq!(
        table,
        "ACTION  PARAMETER  REQUIRED  VALUES\nA.One\nV.Two   P          yes       x, 1\n        Q\n"
    );
    assert_eq!(run(&mut service.command(["actions", "/none"])).exits(0).json(), json!([]));
}

#[test]
fn an_action_is_named_by_the_text_after_the_last_number_sign_of_its_key() {
    let resource = r##"200

{"Actions": {"#A.Reset": {"target": "/r/reset"}, "Oem": {"V": {"http://v.example/s#V.Reset": {"target": "/r/v"},
        "V.v1_0_0#V.Export": {"target": "/r/one"}, "W.v1_0_0#V.Export": {"target": "/r/two"}}}}}"##;
    let posts = ["POST /r/reset", "POST /r/v", "POST /r/one", "POST /r/two"].map(|post| (post, "204"));
    let service = Canned::new(&[&[("GET /r", resource)], posts.as_slice()].concat());
    let text = run(&mut service.command(["actions", "/r", "--output", "text"])).exits(0).out;
    assert_eq!(text, "A.Reset\nV.v1_0_0#V.Export\nW.v1_0_0#V.Export\nV.Reset\n");
    for name in text.lines() {
        run(&mut service.command(["invoke", "/r", name])).exits(0);
    }
    let sent: Vec<String> =
        service.requests().into_iter().filter(|request| request.starts_with("POST")).collect();
    let targets: Vec<&str> = sent.iter().filter_map(|request| request.split(' ').nth(1)).collect();
    assert_eq!(targets, ["/r/reset", "/r/one", "/r/two", "/r/v"]);
    let refused = run(&mut service.command(["invoke", "/r", "V.Export"])).exits(2);
    assert!(refused.err.contains("W.v1_0_0#V.Export"), "{}", refused.err);
}

#[test]
fn an_action_of_another_service_is_listed_with_a_warning_and_refused() {
    let resource = "200\n\n{\"Actions\": {\"#A.Away\": {\"target\": \"https://elsewhere.invalid/x\"},
        \"#A.Empty\": {\"target\": \"\"}, \"#A.Here\": {\"target\": \"/r/here\"}}}";
    let service = Canned::new(&[("GET /r", resource), ("POST /r/here", "204")]);
    let done = run(&mut service.command(["actions", "/r"])).exits(0);
    let expected = json!([
        {"name": "A.Away", "key": "#A.Away", "target": null, "parameters": []},
        {"name": "A.Here", "key": "#A.Here", "target": "/r/here", "parameters": []},
    ]);
    assert_eq!(done.json(), expected);
    assert!(done.err.starts_with("redfish: warning: the action A.Away cannot be invoked: "), "{}", done.err);
    run(&mut service.command(["invoke", "/r", "Here"])).exits(0);
    let refused = run(&mut service.command(["invoke", "/r", "Away", "--output", "json"])).exits(4);
    assert_eq!(refused.error()["error"], "off-origin");
    run(&mut service.command(["invoke", "/r", "Empty"])).exits(2);
    assert_eq!(service.requests().iter().filter(|request| request.starts_with("POST")).count(), 1);
}
