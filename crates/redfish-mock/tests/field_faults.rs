//! The faults that real controllers show: pages, links, jobs, notices, and bodies that are not what they should be.

mod common;

use common::{Client, SESSIONS, SYSTEM, messages, settings};
use redfish_mock::{Begun, Profile, Settings};
use serde_json::{Value, json};

const SYSTEMS: &str = "/redfish/v1/Systems";

fn client_with_fault(fault: &str) -> Client {
    let faults = vec![fault.parse().expect("a fault")];
    Client::new(Settings { faults, ..settings(Profile::Standard) })
}

/// The members of each page of a collection, up to one that fails. Returns the status of that one, too.
fn pages(client: &mut Client, collection: &str) -> (Vec<Vec<String>>, u16) {
    let (mut pages, mut next) = (Vec::new(), Some(collection.to_owned()));
    while let Some(path) = next {
        let answer = client.get(&path);
        if answer.status() != 200 {
            return (pages, answer.status().as_u16());
        }
        let page = answer.json();
        let members = page["Members"].as_array().expect("members");
        let uri = |member: &Value| member["@odata.id"].as_str().expect("a URI").to_owned();
        pages.push(members.iter().map(uri).collect());
        next = page["Members@odata.nextLink"].as_str().map(str::to_owned);
        assert!(pages.len() < 1_000, "the pages have an end");
    }
    (pages, 200)
}

#[test]
fn a_session_that_cannot_be_read_is_open() {
    let mut client = client_with_fault("unreadable-session");
    let session = client.log_in("ada");
    assert_eq!((client.get(&session).status().as_u16(), client.get(SYSTEMS).status().as_u16()), (403, 200));
    assert_eq!(client.delete(&session).status(), 204);
    assert_eq!(client.mock.open_sessions(client.now), 0);
}

#[test]
fn overlapping_pages_repeat_a_member_and_contain_all() {
    let mut client = client_with_fault("overlapping-pages").basic("ada");
    let (found, status) = pages(&mut client, SYSTEMS);
    assert_eq!((found.iter().map(Vec::len).collect::<Vec<_>>(), status), (vec![2, 2], 200));
    assert_eq!(found[0][1], found[1][0]);
    let entries = "/redfish/v1/Managers/E1D8B426/LogServices/Log/Entries";
    let mut client = client_with_fault(&format!("overlapping-pages=40@{entries}")).basic("ada");
    let (found, _) = pages(&mut client, entries);
    let mut all: Vec<String> = found.into_iter().flatten().collect();
    let listed = all.len();
    all.sort();
    all.dedup();
    let (correct, _) = pages(&mut Client::standard().basic("ada"), entries);
    assert!(all.len() < listed && all.len() == correct.concat().len(), "{listed} {}", all.len());
}

#[test]
fn a_further_page_fails() {
    let mut client = client_with_fault("failing-page").basic("ada");
    let (found, status) = pages(&mut client, SYSTEMS);
    assert_eq!((found.iter().map(Vec::len).collect::<Vec<_>>(), status), (vec![2], 500));
    // Only what fails counts, and only pages of collections fail.
    let mut client = client_with_fault("failing-page*1").basic("ada");
    assert_eq!(client.get(&format!("{SYSTEM}?$skip=1")).status(), 400);
    assert_eq!(pages(&mut client, "/redfish/v1/Chassis").1, 500);
    assert_eq!(pages(&mut client, SYSTEMS).1, 200);
}

#[test]
fn a_page_without_members_has_no_next_one() {
    let mut client = client_with_fault("overlapping-pages").basic("ada");
    for query in ["$top=0", "$skip=7"] {
        let page = client.get(&format!("{SYSTEMS}?{query}")).json();
        assert_eq!((&page["Members"], page.get("Members@odata.nextLink")), (&json!([]), None), "{query}");
    }
}

#[test]
fn a_dead_link_leads_to_nothing() {
    let mut client = client_with_fault("dead-link").basic("ada");
    let listed = client.get(SYSTEMS).json();
    let dead = listed["Members"][3]["@odata.id"].as_str().expect("a link").to_owned();
    assert_eq!(client.get(&dead).status(), 404);
    let shown = client.get(SYSTEM).json();
    assert!(shown.get("Members").is_none());
    let dead = shown["Nowhere"]["@odata.id"].as_str().expect("a link").to_owned();
    assert_eq!(client.get(&dead).status(), 404);
}

#[test]
fn a_job_is_answered_200_while_it_runs_and_carries_out_the_write() {
    let mut client = client_with_fault("job=4s").basic("ada");
    let accepted = client.patch(SYSTEM, json!({"AssetTag": "B7"}));
    assert_eq!((accepted.status().as_u16(), accepted.response.body().len()), (202, 0));
    let job = accepted.header("Location").expect("a job").to_owned();
    client.wait(2);
    let running = client.get(&job);
    assert_eq!(running.status(), 200);
    assert_eq!((&running.json()["JobState"], &running.json()["@odata.id"]), (&json!("Running"), &json!(job)));
    client.wait(2);
    assert_eq!(client.get(&job).json()["JobState"], "Completed");
    assert_eq!(client.get(SYSTEM).json()["AssetTag"], "B7");
    let tasks = client.get("/redfish/v1/TaskService/Tasks").json();
    assert_eq!(tasks["Members@odata.count"], 0, "it is not a task");
}

#[test]
fn a_critical_task_is_completed_and_has_carried_out_nothing() {
    let mut client = client_with_fault("critical-task=4s").basic("ada");
    let before = client.get(SYSTEM).json()["AssetTag"].clone();
    let accepted = client.patch(SYSTEM, json!({"AssetTag": "B7"}));
    let monitor = accepted.header("Location").expect("a monitor").to_owned();
    let task = accepted.json()["@odata.id"].as_str().expect("a task").to_owned();
    client.wait(4);
    for uri in [task, monitor] {
        let shown = client.get(&uri);
        assert_eq!(shown.status(), 200, "{uri}");
        let shown = shown.json();
        assert_eq!((&shown["TaskState"], &shown["TaskStatus"]), (&json!("Completed"), &json!("Critical")));
        assert_ne!(shown["PercentComplete"], 100);
    }
    assert_eq!(client.get(SYSTEM).json()["AssetTag"], before);
}

#[test]
fn a_notice_does_not_change_that_a_write_succeeds() {
    let mut client = client_with_fault("notice");
    client.log_in("ada");
    let reset = format!("{SYSTEM}/Actions/ComputerSystem.Reset");
    let done = client.post(&reset, json!({"ResetType": "ForceOff"}));
    assert_eq!((done.status().as_u16(), messages(&done)), (200, vec!["Success".to_owned()]));
    let patched = client.patch(SYSTEM, json!({"AssetTag": "B7"}));
    assert_eq!((patched.status().as_u16(), &patched.json()["AssetTag"]), (200, &json!("B7")));
    assert!(
        patched.json()["@Message.ExtendedInfo"][0]["MessageId"]
            .as_str()
            .is_some_and(|id| id.ends_with(".Success"))
    );
    assert!(client.get(SYSTEM).json().get("@Message.ExtendedInfo").is_none());
}

#[test]
fn a_refusal_in_a_200_carries_nothing_out() {
    let mut client = client_with_fault(&format!("refusal-in-200@{SYSTEM}")).basic("ada");
    let refused = client.patch(SYSTEM, json!({"AssetTag": "B7"}));
    assert_eq!((refused.status().as_u16(), messages(&refused)), (200, vec!["InternalError".to_owned()]));
    assert_eq!((client.mock.writes(SYSTEM), client.get(SYSTEM).status().as_u16()), (0, 200));
}

#[test]
fn a_text_is_not_utf8() {
    let mut client = client_with_fault("not-utf8").basic("ada");
    let answer = client.get(SYSTEM);
    let body = answer.response.body();
    assert!(std::str::from_utf8(body).is_err());
    assert_eq!(answer.header("Content-Length"), Some(body.len().to_string().as_str()));
    let repaired: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0xff).collect();
    assert!(serde_json::from_slice::<Value>(&repaired).is_ok());
}

#[test]
fn a_web_page_is_in_place_of_any_response() {
    let mut client = client_with_fault("web-page");
    for (method, path, body) in [("GET", SYSTEMS, ""), ("PATCH", SYSTEM, "{}"), ("POST", SESSIONS, "{}")] {
        let answer = client.send(method, path, &[], body);
        assert_eq!((answer.status().as_u16(), answer.header("Content-Type")), (200, Some("text/html")));
        assert!(answer.response.body().starts_with(b"<!DOCTYPE html>"));
    }
    assert_eq!((client.mock.open_sessions(client.now), client.mock.writes(SYSTEM)), (0, 0));
}

#[test]
fn an_upload_is_refused_in_the_middle_of_its_body() {
    let mut client = client_with_fault("early-refusal=1000").basic("ada");
    let (name, value) = client.credentials.clone().expect("credentials");
    let request = http::Request::post("/redfish/v1/UpdateService/push").header(name, value);
    let request =
        request.header("Content-Type", "application/octet-stream").header("Content-Length", 1 << 30);
    let (head, ()) = request.body(()).expect("a request").into_parts();
    let Begun::Pending(mut pending) = client.mock.begin(head, client.now) else {
        panic!("it receives the body")
    };
    assert!(pending.push(&[7; 999]).is_continue());
    assert!(pending.push(&[7; 1]).is_break());
    assert_eq!(client.mock.end(*pending, client.now).status(), 413);
    // A shorter body arrives whole, and a login is not an upload.
    client.log_in("ada");
    assert_eq!(client.patch(SYSTEM, json!({"AssetTag": "B7"})).status(), 200);
}
