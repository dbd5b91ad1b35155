//! Tasks and their monitors: 202, progress, responses, failures and cancellation.

mod common;

use std::time::Duration;

use common::{Client, SYSTEM, messages, path_of, settings};
use redfish_mock::{Answer, Profile, Settings};
use serde_json::{Value, json};

const TASKS: &str = "/redfish/v1/TaskService/Tasks";
const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";
const BIOS: &str = "/redfish/v1/Systems/E1D8B426/Bios";

fn client_with_fault(fault: &str) -> Client {
    let faults = vec![fault.parse().expect("a fault")];
    Client::new(Settings { faults, ..settings(Profile::Standard) }).basic("ada")
}

/// The paths of the monitor and the task in a 202.
fn accepted(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status(), 202, "{}", answer.json());
    let monitor = path_of(answer.header("Location").expect("a monitor"));
    let task = answer.json()["@odata.id"].as_str().expect("a task").to_owned();
    assert_ne!(monitor, task);
    assert_eq!(answer.header("ETag"), None, "clients would mistake it for that of the resource");
    assert!(answer.header("Retry-After").is_some_and(|after| after.parse::<u64>().is_ok_and(|n| n > 0)));
    (monitor, task)
}

/// The keys of the messages of a task.
fn message_keys(task: &Value) -> Vec<&str> {
    let messages = task["Messages"].as_array().expect("messages");
    messages.iter().filter_map(|entry| entry["MessageId"].as_str()?.rsplit('.').next()).collect()
}

#[test]
fn a_long_running_action_is_a_task() {
    let mut client = Client::standard().basic("ada");
    client.patch(&format!("{BIOS}/Settings"), json!({"Attributes": {"BootRetries": 7}}));
    client.post(&format!("{SYSTEM}/Actions/ComputerSystem.Reset"), json!({"ResetType": "ForceRestart"}));
    client.wait(3);
    let reset = format!("{BIOS}/Actions/Bios.ResetBios");
    let (monitor, task) = accepted(&client.post(&reset, json!({})));
    assert_eq!(client.mock.writes(&reset), 0, "not yet");
    assert_eq!(client.get(TASKS).json()["Members"], json!([{"@odata.id": task}]));

    client.wait(2);
    let poll = client.get(&monitor);
    assert_eq!(accepted(&poll), (monitor.clone(), task.clone()));
    let running = poll.json();
    assert_eq!((&running["TaskState"], &running["PercentComplete"]), (&json!("Running"), &json!(40)));
    assert_eq!(message_keys(&running), ["TaskStarted", "TaskProgressChanged"]);
    assert_eq!(running["TaskMonitor"], monitor.as_str());
    assert_eq!(running["StartTime"], "2026-01-01T00:00:03Z");
    assert_eq!(running["EstimatedDuration"], "PT5S");
    assert_eq!(running["Payload"], json!({"HttpOperation": "POST", "TargetUri": reset}));
    assert_eq!(client.get(BIOS).json()["Attributes"]["BootRetries"], 7);

    client.wait(3);
    assert_eq!(client.get(BIOS).json()["Attributes"]["BootRetries"], 3);
    assert_eq!(client.mock.writes(&reset), 1);
    assert_eq!(client.send("HEAD", &monitor, &[], "").status(), 204, "a HEAD does not consume the response");
    assert_eq!(client.get(&monitor).status(), 204);
    assert_eq!(client.get(&monitor).status(), 404, "the response was read");

    let done = client.get(&task).json();
    assert_eq!((&done["TaskState"], &done["TaskStatus"]), (&json!("Completed"), &json!("OK")));
    assert_eq!((&done["PercentComplete"], &done["EndTime"]), (&json!(100), &json!("2026-01-01T00:00:08Z")));
    assert_eq!(message_keys(&done), ["TaskStarted", "TaskCompletedOK"]);
    assert!(done.get("TaskMonitor").is_none());
    client.wait(3600);
    assert_eq!(client.get(&task).status(), 404);
    assert_eq!(client.get(TASKS).json()["Members@odata.count"], 0);
}

#[test]
fn reset_to_defaults_restores_a_manager() {
    let manager = "/redfish/v1/Managers/E1D8B426";
    let mut client = Client::standard().basic("ada");
    let first = client.get(manager);
    client.patch(manager, json!({"LocationIndicatorActive": true}));
    let action = format!("{manager}/Actions/Manager.ResetToDefaults");
    let (monitor, _) = accepted(&client.post(&action, json!({"ResetType": "ResetAll"})));
    client.wait(8);
    assert_eq!(client.get(&monitor).status(), 204);
    let after = client.get(manager);
    assert_eq!(after.json()["LocationIndicatorActive"], false);
    assert_ne!(after.header("ETag"), first.header("ETag"), "it was written twice");
    let refused = client.post(&action, json!({}));
    assert_eq!((refused.status().as_u16(), messages(&refused)), (400, vec!["ActionParameterMissing".into()]));
}

#[test]
fn the_task_fault_makes_any_write_a_task() {
    let mut client = client_with_fault(&format!("task=10s@{SYSTEM}*1"));
    let (monitor, _) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "later"})));
    client.now += Duration::from_millis(9999);
    assert_ne!(client.get(SYSTEM).json()["AssetTag"], "later");
    client.now += Duration::from_millis(1);
    let answer = client.get(&monitor);
    assert_eq!((answer.status().as_u16(), &answer.json()["AssetTag"]), (200, &json!("later")));
    assert_eq!(answer.header("ETag"), client.get(SYSTEM).header("ETag"));
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "now"})).status(), 200, "the fault took effect once");
}

#[test]
fn the_monitor_returns_the_location_of_a_created_resource() {
    for profile in [Profile::Standard, Profile::IloAmplifier] {
        let faults = vec![format!("task=1s@{ACCOUNTS}").parse().expect("a fault")];
        let mut client = Client::new(Settings { faults, ..settings(profile) }).basic("ada");
        let eve = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "ReadOnly"});
        let answer = client.post(ACCOUNTS, eve);
        assert!(!answer.json().to_string().contains("eavesdrop"));
        let (monitor, task) = accepted(&answer);
        client.wait(1);
        let created = client.get(&monitor);
        assert_eq!(created.status(), 201);
        let account = path_of(created.header("Location").expect("a location"));
        assert_eq!(client.get(&account).json()["UserName"], "eve");
        assert!(!client.get(&task).json().to_string().contains("eavesdrop"));
    }
}

#[test]
fn an_invalid_request_is_rejected_at_once() {
    let mut client = client_with_fault("task");
    assert_eq!(client.patch(SYSTEM, json!({"Color": "red"})).status(), 400);
    assert_eq!(client.patch("/redfish/v1/", json!({})).status(), 405);
    assert_eq!(client.send("PATCH", SYSTEM, &[("If-Match", "\"no\"")], "{}").status(), 412);
    assert_eq!(client.get(SYSTEM).status(), 200);
    client.credentials = Some(common::basic("bob"));
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "x"})).status(), 403);
    assert_eq!(client.get(TASKS).json()["Members@odata.count"], 0);
    let session = client.log_in("bob");
    assert_eq!(client.delete(&session).status(), 204, "logins and logouts are not tasks");
}

#[test]
fn a_failed_task_is_reported_by_its_monitor_and_its_state() {
    let mut client = client_with_fault("failing-task=2s");
    let (monitor, task) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "never"})));
    client.wait(2);
    let answer = client.get(&monitor);
    assert_eq!((answer.status().as_u16(), messages(&answer)), (500, vec!["InternalError".to_owned()]));
    let task = client.get(&task).json();
    assert_eq!((&task["TaskState"], &task["TaskStatus"]), (&json!("Exception"), &json!("Critical")));
    assert_eq!(message_keys(&task), ["TaskStarted", "TaskAborted", "InternalError"]);
    assert_eq!(task["PercentComplete"], 99);
    assert_eq!(client.mock.writes(SYSTEM), 0);
}

#[test]
fn a_task_fails_if_its_resource_was_deleted() {
    let account = format!("{ACCOUNTS}/3");
    let mut client = client_with_fault(&format!("task=5s@{account}*1"));
    let (monitor, task) = accepted(&client.patch(&account, json!({"Enabled": false})));
    assert_eq!(client.delete(&account).status(), 204);
    client.wait(5);
    assert_eq!(client.get(&monitor).status(), 404);
    let task = client.get(&task).json();
    assert_eq!((&task["TaskState"], message_keys(&task)[2]), (&json!("Exception"), "ResourceMissingAtURI"));
}

#[test]
fn deleting_a_monitor_cancels_its_task_and_deleting_a_task_removes_it() {
    let mut client = client_with_fault("task=5s");
    let (monitor, task) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "never"})));
    assert_eq!(client.delete(&monitor).status(), 204);
    assert_eq!(client.get(&monitor).status(), 404);
    let cancelled = client.get(&task).json();
    assert_eq!((&cancelled["TaskState"], &cancelled["TaskStatus"]), (&json!("Cancelled"), &json!("Warning")));
    let (other, second) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "never"})));
    assert_eq!(client.delete(&second).status(), 204);
    assert_eq!((client.get(&other).status().as_u16(), client.get(&second).status().as_u16()), (404, 404));
    client.wait(5);
    assert_eq!(client.get(&task).json()["TaskState"], "Cancelled");
    assert_eq!(client.mock.writes(SYSTEM), 0);
    // Without the privilege ConfigureManager, callers may only cancel their own tasks.
    let (monitor, _) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "never"})));
    client.credentials = Some(common::basic("olga"));
    assert_eq!(client.delete(&monitor).status(), 403);
    let (own, _) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "never"})));
    assert_eq!(client.delete(&own).status(), 204);
}

#[test]
fn a_missing_monitor_does_not_stop_its_task() {
    let mut client = client_with_fault("task=5s");
    client.mock.add_fault("monitor-gone".parse().expect("a fault"));
    let (monitor, task) = accepted(&client.patch(SYSTEM, json!({"AssetTag": "done"})));
    assert_eq!(client.get(&monitor).status(), 404);
    assert_eq!(client.get(&task).json()["TaskState"], "Running");
    client.wait(5);
    assert_eq!(client.get(&task).json()["TaskState"], "Completed");
    assert_eq!(client.get(SYSTEM).json()["AssetTag"], "done");
}
