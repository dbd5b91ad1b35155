//! `invoke`.

use redfish_mock::Settings;

use super::canned::Canned;
use super::common::{BOTH, Bench, run};

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";
const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

#[test]
fn an_action_is_found_by_its_full_and_its_short_name() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        for name in ["ComputerSystem.Reset", "#ComputerSystem.Reset", "Reset"] {
            run(&mut bench.as_admin(["invoke", SYSTEM, name, "ResetType=GracefulRestart"])).exits(0);
        }
        assert_eq!(bench.server.mock(|mock| mock.writes(RESET)), 3, "{profile}");
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn an_unknown_action_or_value_is_not_sent() {
    let bench = Bench::standard();
    for (args, kind) in [
        (&["Explode"][..], "not-offered"),
        (&["Reset", "ResetType=Sideways"], "not-allowable"),
        (&["Reset", "ResetType=[\"On\",\"Sideways\"]"], "not-allowable"),
        (&["Reset", "ResetType=On", "ResetType=On"], "usage"),
        (&["Reset", "ResetType"], "usage"),
        (&["Reset", "ResetType=99999999999999999999"], "usage"),
    ] {
        let mut command = bench.as_admin(["invoke", "--output", "json", SYSTEM]);
        let done = run(command.args(args)).exits(2);
        assert_eq!(done.error()["error"], kind, "{args:?}");
        assert!(!done.err.contains("Sideways"), "{}", done.err);
    }
    assert_eq!(bench.handled("POST", RESET), 0);
}

#[test]
fn values_are_json_and_an_ambiguous_name_is_rejected() {
    let service = Canned::new(&[
        (
            "GET /r",
            "200\n\n{\"Actions\": {\"#A.Do\": {\"target\": \"/r/do\"}, \"#A.Twice\": {\"target\": \"/1\"},
            \"Oem\": {\"#B.Twice\": {\"target\": \"/2\"}}}}",
        ),
        ("POST /r/do", "200\n\n{\"done\": [1.50]}"),
    ]);
    let args = ["invoke", "/r", "Do", "n=1", "t=text", "q=\"1\"", "o={\"a\": [true]}"];
    let done = run(&mut service.command(args)).exits(0);
    assert_eq!(done.out, "{\"done\": [1.50]}\n");
    let sent: serde_json::Value = serde_json::from_slice(&service.body("POST")).unwrap();
    assert_eq!(sent, serde_json::json!({"n": 1, "t": "text", "q": "1", "o": {"a": [true]}}));
    run(&mut service.command(["invoke", "/r", "Twice"])).exits(2);
    run(&mut service.command(["invoke", "/none", "Do"])).exits(1);
    // An unset variable of a shell names no action, whatever the keys are.
    let nameless = Canned::new(&[("GET /r", "200\n\n{\"Actions\": {\"#\": {\"target\": \"/r/do\"}}}")]);
    for name in ["", "#"] {
        run(&mut nameless.command(["invoke", "/r", name])).exits(2);
    }
}

#[test]
fn a_task_is_a_monitor_or_waited_for() {
    let fault = format!("task=200ms@{RESET}").parse().unwrap();
    let bench = Bench::with(Settings { faults: vec![fault], ..Settings::default() });
    let args = ["invoke", SYSTEM, "Reset", "ResetType=ForceOff"];
    let done = run(&mut bench.as_admin(args)).exits(0);
    assert!(done.out.starts_with("/redfish/v1/TaskService/TaskMonitors/"), "{}", done.out);
    run(bench.as_admin(args).arg("--wait")).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}
