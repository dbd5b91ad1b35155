//! `reset`.

use std::time::Duration;

use redfish_mock::Settings;

use super::canned::Canned;
use super::common::{Bench, run};

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";
const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

fn slow(seconds: u64) -> Bench {
    Bench::with(Settings { reset_delay: Some(Duration::from_secs(seconds)), ..Settings::default() })
}

#[test]
fn wait_ends_at_the_new_power_state() {
    let bench = slow(2);
    let reset = |kind| {
        let args = ["reset", kind, "--system", SYSTEM, "--wait", "--deadline", "30"];
        run(&mut bench.as_admin(args)).exits(0)
    };
    assert_eq!(reset("GracefulShutdown").out, "Off\n");
    assert_eq!(reset("On").out, "On\n");
    assert_eq!(reset("PowerCycle").out, "On\n");
    // Without --wait, it is the state right after the reset.
    let args = ["reset", "GracefulShutdown", "--system", SYSTEM, "--output=json"];
    let done = run(&mut bench.as_admin(args)).exits(0);
    assert_eq!(done.json(), serde_json::json!({"system": SYSTEM, "power": "PoweringOff"}));
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_state_that_is_not_reached_is_an_unknown_outcome() {
    let bench = slow(60);
    let args =
        ["reset", "GracefulShutdown", "--system", SYSTEM, "--wait", "--deadline", "0.5", "--output=json"];
    let done = run(&mut bench.as_admin(args)).exits(5);
    assert_eq!((done.error()["error"].as_str(), done.out.as_str()), (Some("deadline"), ""));
    assert_eq!(done.error()["hint"], "Allow more time with --deadline, or check the service.");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_wrong_type_and_an_ambiguous_system_are_not_sent() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["reset", "Sideways", "--system", SYSTEM, "--output=json"])).exits(2);
    assert_eq!(done.error()["error"], "not-allowable");
    assert!(done.err.contains("ForceOff") && !done.err.contains("Sideways"), "{}", done.err);
    let done = run(&mut bench.as_admin(["reset", "On", "--output=json"])).exits(2);
    assert_eq!(done.error()["error"], "ambiguous");
    assert!(done.err.contains(SYSTEM), "{}", done.err);
    assert_eq!(bench.server.mock(|mock| mock.handled().filter(|one| one.path == RESET).count()), 0);
}

#[test]
fn the_only_system_is_the_default_and_its_task_is_waited_for() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"Systems\": {\"@odata.id\": \"/s\"}}"),
        ("GET /s", "200\n\n{\"Members\": [{\"@odata.id\": \"/s/1\"}]}"),
        (
            "GET /s/1",
            "200\n\n{\"PowerState\": \"On\", \"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}",
        ),
        ("POST /s/1/r", "202\nLocation: /m/1"),
        ("GET /m/1", "202\nRetry-After: 1"),
        ("GET /m/1", "204"),
    ]);
    let done = run(&mut service.command(["reset", "On"])).exits(0);
    assert_eq!(done.out, "/m/1\n");
    let done = run(&mut service.command(["reset", "On", "--wait", "--deadline", "30"])).exits(0);
    assert_eq!(done.out, "On\n");
    assert_eq!(service.requests().iter().filter(|request| *request == "GET /m/1").count(), 2);
}

#[test]
fn a_restart_waits_until_the_system_has_gone_down() {
    let system = "Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}";
    let shown = |state: &str| format!("200\n\n{{\"PowerState\": \"{state}\", \"{system}");
    let (on, off) = (shown("On"), shown("Off"));
    let service = Canned::new(&[
        ("GET /s/1", &on),
        ("GET /s/1", &on),
        ("GET /s/1", &off),
        ("GET /s/1", &on),
        ("POST /s/1/r", "204"),
    ]);
    let args = ["reset", "GracefulRestart", "--system", "/s/1", "--wait", "--deadline", "60"];
    assert_eq!(run(&mut service.command(args)).exits(0).out, "On\n");
    let requests = service.requests();
    assert_eq!(requests, ["GET /s/1", "POST /s/1/r", "GET /s/1", "GET /s/1", "GET /s/1"]);
}

#[test]
fn a_reset_to_an_unknown_state_is_not_waited_for() {
    let bench = slow(0);
    let done = run(&mut bench.as_admin(["reset", "PushPowerButton", "--system", SYSTEM, "--wait"])).exits(0);
    assert!(done.err.contains("the power state after this reset type is not known"), "{}", done.err);
    assert!(["On\n", "Off\n"].contains(&done.out.as_str()), "{}", done.out);
}

#[test]
fn an_unreadable_state_after_a_reset_is_a_warning() {
    let system = "200\n\n{\"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}";
    let service = Canned::new(&[("GET /s/1", system), ("GET /s/1", "500"), ("POST /s/1/r", "204")]);
    let done = run(&mut service.command(["reset", "On", "--system", "/s/1"])).exits(0);
    assert_eq!(done.out, "unknown\n");
    assert!(done.err.contains("was accepted"), "{}", done.err);
}

#[test]
fn a_failed_look_at_an_accepted_reset_is_an_unknown_outcome() {
    let system = "200\n\n{\"PowerState\": \"Off\", \"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}}";
    for look in ["401", "403", "404", "200\n\nno JSON"] {
        let service = Canned::new(&[("GET /s/1", system), ("GET /s/1", look), ("POST /s/1/r", "204")]);
        run(&mut service.command(["reset", "On", "--system", "/s/1", "--wait"])).exits(5);
        assert_eq!(service.requests().iter().filter(|request| *request == "POST /s/1/r").count(), 1);
    }
}

const ACTIONS: &str = "\"Actions\": {\"#ComputerSystem.Reset\": {\"target\": \"/s/1/r\"}}";

#[test]
fn a_system_without_a_power_state_is_reset_and_not_waited_for() {
    let system = format!("200\n\n{{{ACTIONS}}}");
    let service = Canned::new(&[("GET /s/1", &system), ("POST /s/1/r", "204")]);
    let args = ["reset", "ForceRestart", "--system", "/s/1", "--wait", "--deadline", "3600"];
    let done = run(&mut service.command(args)).exits(0);
    assert!(done.err.contains("the system reports no PowerState"), "{}", done.err);
    assert_eq!(done.out, "unknown\n");
    // A state that is missing only during the reset is waited for.
    let before = format!("200\n\n{{\"PowerState\": \"Off\", {ACTIONS}}}");
    let service = Canned::new(&[
        ("GET /s/1", &before),
        ("GET /s/1", &system),
        ("GET /s/1", "200\n\n{\"PowerState\": \"On\"}"),
        ("POST /s/1/r", "204"),
    ]);
    let done = run(&mut service.command(["reset", "On", "--system", "/s/1", "--wait"])).exits(0);
    assert_eq!((done.out.as_str(), done.err.as_str()), ("On\n", ""));
}

#[test]
fn a_system_in_the_requested_state_already_is_done() {
    let system = format!("200\n\n{{\"PowerState\": \"On\", {ACTIONS}}}");
    let refusal = "409\n\n{\"error\": {\"@Message.ExtendedInfo\": [{\"MessageId\": \"IDRAC.2.8.PSU501\"}]}}";
    let service = Canned::new(&[("GET /s/1", &system), ("POST /s/1/r", refusal)]);
    for wait in [None, Some("--wait")] {
        let args = ["reset", "On", "--system", "/s/1"].into_iter().chain(wait);
        let done = run(&mut service.command(args)).exits(0);
        assert_eq!(done.out, "On\n");
        assert!(done.err.contains("PSU501"), "{}", done.err);
    }
}
