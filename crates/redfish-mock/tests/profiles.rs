//! The profiles `older` and `slots`: where they differ from the current standard.

mod common;

use common::{Client, SYSTEM, messages, settings};
use redfish_mock::Profile;
use serde_json::json;

const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";

fn client(profile: Profile) -> Client {
    Client::new(settings(profile)).basic("ada")
}

#[test]
fn an_older_service_has_its_sessions_at_the_first_uri() {
    let mut client = client(Profile::Older);
    client.credentials = None;
    let root = client.get("/redfish/v1/").json();
    assert_eq!(root["Links"]["Sessions"]["@odata.id"], "/redfish/v1/Sessions");
    let body = json!({"UserName": "ada", "Password": "analytical"});
    let answer = client.post("/redfish/v1/Sessions", body);
    assert_eq!(answer.status(), 201);
    let session = answer.header("Location").unwrap().to_owned();
    assert!(session.starts_with("/redfish/v1/Sessions/"), "{session}");
    assert_eq!(answer.json()["@odata.id"], session.as_str());
    client.credentials = Some(("X-Auth-Token", common::token(&answer)));
    let sessions = client.get("/redfish/v1/Sessions").json();
    assert_eq!(sessions["Members"], json!([{"@odata.id": session}]));
    assert_eq!(client.delete(&session).status(), 204);
    assert_eq!(client.mock.open_sessions(client.now), 0);
}

#[test]
fn an_older_service_has_no_etags_sensors_and_queries() {
    let mut client = client(Profile::Older);
    let system = client.get(SYSTEM);
    assert_eq!(system.header("ETag"), None);
    let system = system.json();
    assert!(system.get("@odata.etag").is_none() && system.get("LocationIndicatorActive").is_none());
    assert_eq!(system["@odata.type"], "#ComputerSystem.v1_1_0.ComputerSystem");
    let lit = client.send("PATCH", SYSTEM, &[("If-Match", "\"any\"")], r#"{"IndicatorLED": "Lit"}"#);
    assert_eq!(lit.json()["IndicatorLED"], "Lit");
    let unknown = client.patch(SYSTEM, json!({"LocationIndicatorActive": true}));
    assert_eq!(messages(&unknown), ["PropertyUnknown"]);
    let entries = client.get("/redfish/v1/Managers/E1D8B426/LogServices/Log/Entries").json();
    assert_eq!(entries["Members"].as_array().unwrap().len(), 120, "one page, since it ignores $skip");
    let chassis = client.get("/redfish/v1/Chassis/E1D8B426").json();
    assert!(
        chassis.get("Sensors").is_none() && chassis["Thermal"].is_object() && chassis["Power"].is_object()
    );
    let expanded = client.get("/redfish/v1/Systems?$expand=.").json();
    assert_eq!(expanded["Members"][0].as_object().unwrap().len(), 1, "the query is ignored");
}

#[test]
fn accounts_in_slots_are_changed_but_not_created() {
    let mut client = client(Profile::Slots);
    let accounts = client.get(ACCOUNTS);
    assert_eq!(
        (accounts.header("Allow"), &accounts.json()["Members@odata.count"]),
        (Some("GET, HEAD"), &json!(16))
    );
    let body = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "Operator"});
    assert_eq!(client.post(ACCOUNTS, body.clone()).status(), 405);
    let slot = format!("{ACCOUNTS}/4");
    let empty = client.get(&slot).json();
    assert_eq!((&empty["UserName"], &empty["Enabled"]), (&json!(""), &json!(false)));
    let anonymous = Client {
        credentials: Some(("Authorization", "Basic Og==".to_owned())),
        ..Client::new(settings(Profile::Slots))
    };
    let mut anonymous = anonymous;
    assert_eq!(anonymous.get(SYSTEM).status(), 401, "an empty slot is no account");

    let mut filled = body;
    filled["Enabled"] = json!(true);
    assert_eq!(client.patch(&slot, filled).status(), 200);
    let login = client.post(common::SESSIONS, json!({"UserName": "eve", "Password": "eavesdrop"}));
    assert_eq!(login.status(), 201);
    let taken = client.patch(&format!("{ACCOUNTS}/5"), json!({"UserName": "eve"}));
    assert_eq!((taken.status().as_u16(), messages(&taken)), (409, vec!["ResourceAlreadyExists".to_owned()]));
    assert_eq!(client.delete(&slot).status(), 405);
    let cleared = client.patch(&slot, json!({"UserName": ""})).json();
    assert_eq!((&cleared["UserName"], &cleared["RoleId"]), (&json!(""), &json!("")));
    assert_eq!(client.mock.open_sessions(client.now), 0, "the sessions of the account end with it");
    assert_eq!(client.get(ACCOUNTS).json()["Members@odata.count"], 16);
}

#[test]
fn a_long_operation_is_a_job_in_the_profile_slots() {
    let mut client = client(Profile::Slots);
    assert!(client.get("/redfish/v1/").json().get("Tasks").is_none());
    let erase = format!("{SYSTEM}/Storage/1/Drives/2/Actions/Drive.SecureErase");
    let accepted = client.post(&erase, json!({}));
    assert_eq!(accepted.status(), 202);
    let job = common::path_of(accepted.header("Location").unwrap());
    assert!(job.starts_with("/redfish/v1/JobService/Jobs/"), "{job}");
    assert_eq!(client.get("/redfish/v1/JobService/Jobs").json()["Members"], json!([{"@odata.id": job}]));
    assert_eq!(client.get(&job).json()["JobState"], "Running");
    client.wait(10);
    assert_eq!(client.get(&job).json()["JobState"], "Completed");
}
