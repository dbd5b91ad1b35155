//! Actions: their parameters, their effects, and the time at which these take place.

mod common;

use std::time::Duration;

use common::{Client, SYSTEM, messages, settings};
use redfish_mock::{Profile, Settings};
use serde_json::json;

const RESET: &str = "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn power(client: &mut Client) -> String {
    client.get(SYSTEM).json()["PowerState"].as_str().expect("a power state").to_owned()
}

fn wait(client: &mut Client, millis: u64) {
    client.now += Duration::from_millis(millis);
}

#[test]
fn a_reset_takes_effect_some_seconds_after_its_response() {
    let mut client = admin_client();
    // The reset type, and the power states at once, after 0.5 s and after 3 s.
    let steps = [
        ("GracefulShutdown", ["PoweringOff", "PoweringOff", "Off"]),
        ("ForceOff", ["Off", "Off", "Off"]),
        ("Nmi", ["Off", "Off", "Off"]),
        ("On", ["PoweringOn", "PoweringOn", "On"]),
        ("On", ["On", "On", "On"]),
        ("GracefulRestart", ["On", "On", "On"]),
        ("ForceRestart", ["On", "On", "On"]),
        ("PowerCycle", ["PoweringOff", "Off", "On"]),
        ("ForceOff", ["PoweringOff", "Off", "Off"]),
        ("PushPowerButton", ["PoweringOn", "PoweringOn", "On"]),
        ("PushPowerButton", ["PoweringOff", "PoweringOff", "Off"]),
        ("ForceRestart", ["PoweringOn", "PoweringOn", "On"]),
    ];
    for (kind, states) in steps {
        assert_eq!(client.post(RESET, json!({"ResetType": kind})).status(), 204, "{kind}");
        let mut seen = [(); 3].map(|()| String::new());
        for (state, millis) in seen.iter_mut().zip([0, 500, 2500]) {
            wait(&mut client, millis);
            *state = power(&mut client);
        }
        assert_eq!(seen, states, "{kind}");
        wait(&mut client, 10_000);
        assert_eq!(power(&mut client), states[2], "{kind}, much later");
    }
    assert_eq!(client.mock.writes(RESET), steps.len() as u64);
}

#[test]
fn a_restarting_system_stays_on_for_a_while_then_is_off_then_on() {
    for kind in ["GracefulRestart", "ForceRestart"] {
        let mut client = admin_client();
        client.post(RESET, json!({"ResetType": kind}));
        let states = [0, 900, 200, 1800, 200].map(|millis| {
            wait(&mut client, millis);
            power(&mut client)
        });
        assert_eq!(states, ["On", "On", "Off", "Off", "On"], "{kind}");
    }
}

#[test]
fn a_reset_replaces_a_pending_one() {
    let mut client = admin_client();
    client.post(RESET, json!({"ResetType": "GracefulShutdown"}));
    wait(&mut client, 2000);
    client.post(RESET, json!({"ResetType": "On"}));
    wait(&mut client, 2000);
    assert_eq!(power(&mut client), "PoweringOn");
    wait(&mut client, 1000);
    assert_eq!(power(&mut client), "On");
}

#[test]
fn the_delay_of_a_reset_is_configurable() {
    let reset_delay = Some(Duration::from_secs(60));
    let mut client = Client::new(Settings { reset_delay, ..settings(Profile::Standard) }).basic("ada");
    client.post(RESET, json!({"ResetType": "GracefulShutdown"}));
    client.wait(59);
    assert_eq!(power(&mut client), "PoweringOff");
    client.wait(1);
    assert_eq!(power(&mut client), "Off");

    let mut client = Client::ilo_amplifier().basic("ada");
    client.post(RESET, json!({"ResetType": "ForceOff"}));
    assert_eq!(power(&mut client), "Off", "at once, without an intermediate state");
}

#[test]
fn invalid_parameters_are_rejected_and_nothing_is_done() {
    let mut client = admin_client();
    for (body, message) in [
        ("", "ActionParameterMissing"),
        ("{}", "ActionParameterMissing"),
        (r#"{"ResetType": "Explode"}"#, "ActionParameterValueNotInList"),
        (r#"{"ResetType": 1}"#, "ActionParameterValueTypeError"),
        (r#"{"ResetType": "On", "Delay": 5}"#, "ActionParameterUnknown"),
    ] {
        let answer = client.send("POST", RESET, &[], body);
        assert_eq!((answer.status().as_u16(), messages(&answer)), (400, vec![message.to_owned()]), "{body}");
    }
    assert_eq!(client.mock.writes(RESET), 0);
    assert_eq!(client.post(&format!("{SYSTEM}/Actions/ComputerSystem.Explode"), json!({})).status(), 404);
}

#[test]
fn the_parameters_of_an_action_are_in_annotations_or_in_its_action_info() {
    let mut client = admin_client();
    let entry = client.get(SYSTEM).json()["Actions"]["#ComputerSystem.Reset"].clone();
    assert_eq!(entry["target"], RESET);
    let info = client.get(entry["@Redfish.ActionInfo"].as_str().expect("an ActionInfo")).json();
    let parameter = &info["Parameters"][0];
    assert_eq!((&parameter["Name"], &parameter["Required"]), (&json!("ResetType"), &json!(true)));
    assert_eq!(parameter["DataType"], "String");
    assert_eq!(parameter["AllowableValues"], entry["ResetType@Redfish.AllowableValues"]);
    assert!(
        parameter["AllowableValues"].as_array().is_some_and(|values| values.contains(&json!("ForceOff")))
    );

    let manager = client.get("/redfish/v1/Managers/E1D8B426").json();
    let reset = &manager["Actions"]["#Manager.Reset"];
    assert!(reset["@Redfish.ActionInfo"].is_null() && reset["ResetType@Redfish.AllowableValues"].is_array());
    let defaults = &manager["Actions"]["#Manager.ResetToDefaults"];
    assert!(defaults["ResetType@Redfish.AllowableValues"].is_null());
    let info = client.get(defaults["@Redfish.ActionInfo"].as_str().expect("an ActionInfo")).json();
    assert_eq!(
        info["Parameters"][0]["AllowableValues"],
        json!(["ResetAll", "PreserveNetwork", "PreserveNetworkAndUsers"])
    );
}

#[test]
fn a_boot_override_for_one_boot_is_used_up_by_the_boot() {
    for (kind, after) in [("On", "Disabled"), ("GracefulShutdown", "Once")] {
        let mut client = admin_client();
        client.post(RESET, json!({"ResetType": "ForceOff"}));
        client.wait(3);
        let boot = json!({"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}});
        assert_eq!(client.patch(SYSTEM, boot).json()["Boot"]["BootSourceOverrideTarget"], "Pxe");
        client.post(RESET, json!({"ResetType": kind}));
        assert_eq!(client.get(SYSTEM).json()["Boot"]["BootSourceOverrideEnabled"], "Once", "{kind}");
        client.wait(3);
        assert_eq!(client.get(SYSTEM).json()["Boot"]["BootSourceOverrideEnabled"], after, "{kind}");
    }
}
