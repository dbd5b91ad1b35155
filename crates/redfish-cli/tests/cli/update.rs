//! `update`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use redfish_mock::{ServeOptions, Settings};

use super::canned::Canned;
use super::common::{Bench, finish, run};

const INVENTORY: &str = "/redfish/v1/UpdateService/FirmwareInventory";

/// Writes an image file.
fn image(bench: &Bench) -> String {
    let path = bench.directory.path().join("bios 1.bin");
    fs::write(&path, b"an image".repeat(40_000)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn versions(bench: &Bench) -> Vec<String> {
    let listed = run(&mut bench.as_admin(["members", INVENTORY, "--fetch"])).exits(0);
    let version =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["Version"].to_string();
    listed.out.lines().map(version).collect()
}

#[test]
fn an_image_is_pushed_once_and_its_task_can_be_waited_for() {
    let bench = Bench::standard();
    let before = versions(&bench);
    let done = run(&mut bench.as_admin(["update", &image(&bench)])).exits(0);
    let monitor = done.out.trim_end().to_owned();
    assert!(monitor.contains("TaskMonitors"), "{}", done.out);
    assert_eq!(done.err, "", "silent in a pipe");
    assert_eq!(versions(&bench), before, "nothing is new before the task is done");
    bench.server.advance(Duration::from_secs(60));
    run(&mut bench.as_admin(["task", "wait", &monitor])).exits(0);
    assert_ne!(versions(&bench), before);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn an_unknown_target_is_rejected_and_nothing_changes() {
    let bench = Bench::standard();
    let before = versions(&bench);
    let args = ["update", &image(&bench), "--target", "/redfish/v1/Nowhere", "--output", "json"];
    let done = run(&mut bench.as_admin(args)).exits(1);
    assert_eq!(done.error()["status"], 400, "{}", done.err);
    assert_eq!(versions(&bench), before);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn the_push_of_another_client_is_refused_unless_the_targets_are_named() {
    let update_service =
        "200\n\n{\"HttpPushUri\": \"/push\", \"HttpPushUriTargets\": [\"/redfish/v1/Systems/2\"],
        \"HttpPushUriTargetsBusy\": true}";
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"UpdateService\": {\"@odata.id\": \"/u\"}}"),
        ("GET /u", update_service),
        ("PATCH /u", "204"),
        ("POST /push", "204"),
    ]);
    let bench = Bench::standard();
    let refused = run(&mut service.command(["update", &image(&bench), "--output", "json"])).exits(1);
    let error = refused.error();
    assert_eq!(error["error"], "push-reserved");
    let text = error["text"].as_str().unwrap();
    assert!(
        text.contains("HttpPushUriTargets is [/redfish/v1/Systems/2], HttpPushUriTargetsBusy is true"),
        "{text}"
    );
    assert!(error["hint"].as_str().unwrap().contains("--target"), "{}", refused.err);
    let writes = || service.requests().into_iter().filter(|r| !r.starts_with("GET")).collect::<Vec<_>>();
    assert_eq!(writes(), [""; 0]);
    run(&mut service.command(["update", &image(&bench), "--target", "/redfish/v1/Systems/1"])).exits(0);
    assert_eq!(writes(), ["PATCH /u", "POST /push"]);
    assert_eq!(service.body("PATCH"), br#"{"HttpPushUriTargets":["/redfish/v1/Systems/1"]}"#);
}

#[test]
fn an_unreadable_image_is_wrong_usage() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["update", "/nowhere/image.bin"])).exits(2);
    assert!(done.err.contains("the image cannot be read"), "{}", done.err);
    assert_eq!(bench.server.mock(|mock| mock.handled().len()), 0);
}

#[test]
fn wait_continues_through_the_restart_of_the_service() {
    let times = Settings {
        update_time: Duration::from_secs(600),
        restart_time: Duration::from_secs(3600),
        ..Settings::default()
    };
    let bench = Bench::serving(times, ServeOptions::default());
    let certificate = bench.file("cert.pem", bench.server.certificate_pem().unwrap());
    let trusting = |args: &[&str]| {
        let mut command = bench.as_admin(args);
        command.args(["--cacert", &certificate]);
        command
    };
    let listed = ["members", INVENTORY, "--fetch"];
    let before = run(&mut trusting(&listed)).exits(0).out;

    let mut command = trusting(&["update", &image(&bench), "--wait", "--deadline", "100000", "--trace"]);
    let mut child = command.spawn().unwrap();
    let mut trace = BufReader::new(child.stderr.take().unwrap());
    let mut read_until = |what: &str| {
        let mut read = String::new();
        while !read.lines().last().is_some_and(|line| line.contains(what)) {
            assert!(trace.read_line(&mut read).unwrap() > 0, "no {what}: {read}");
        }
    };
    read_until("= waiting");
    bench.server.advance(Duration::from_secs(600));
    read_until("Connection refused");
    assert_eq!(bench.server.open_sessions(), 0, "the sessions are lost");
    bench.server.advance(Duration::from_secs(3600));
    let mut rest = String::new();
    trace.read_to_string(&mut rest).unwrap();
    let done = finish(child);
    assert_eq!(done.status.code(), Some(0), "{rest}");

    let after = run(&mut trusting(&listed)).exits(0).out;
    assert!(!before.contains("\"Version\":\"U-"), "{before}");
    let updateable = after.matches("\"Updateable\":true").count();
    assert_eq!(after.matches("\"Version\":\"U-").count(), updateable, "{after}");
    let count = bench.server.mock(|mock| mock.session_count());
    // Two of the update, one of which was lost, and one of each listing.
    assert_eq!((count.opened, count.forgotten, count.deleted, bench.server.open_sessions()), (4, 1, 3, 0));
}

/// A service that accepts any push.
fn accepting() -> Canned {
    Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"UpdateService\": {\"@odata.id\": \"/u\"}}"),
        ("GET /u", "200\n\n{\"MultipartHttpPushUri\": \"/push\"}"),
        ("POST /push", "204"),
    ])
}

#[test]
fn parameters_and_parts_are_sent_with_the_image() {
    let service = accepting();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (image, json, text) = (file("bios.bin", "an image"), file("a", "{\"a\": 1}"), file("b", "\u{feff}b"));
    let parts = [format!("OemJson={json}"), format!("OemText={text}")];
    let parameters = r#"{"ForceUpdate": true, "Targets": []}"#;
    let args = ["update", &image, "--parameters", parameters, "--part", &parts[0], "--part", &parts[1]];
    run(&mut service.command(args)).exits(0);
    let body = String::from_utf8(service.body("POST")).unwrap();
    for text in [
        "name=\"UpdateParameters\"\r\nContent-Type: application/json\r\n\r\n{\"ForceUpdate\":true,\"Targets\":[]}\r\n",
        "name=\"OemJson\"\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}\r\n",
        "name=\"OemText\"\r\nContent-Type: application/octet-stream\r\n\r\n\u{feff}b\r\n",
    ] {
        assert!(body.contains(text), "{text:?} in {body}");
    }
}

#[test]
fn unusable_parameters_and_parts_are_wrong_usage() {
    let service = accepting();
    let image = tempfile::NamedTempFile::new().unwrap();
    let image = image.path().to_str().unwrap();
    for args in [
        &["--parameters", "{"][..],
        &["--parameters", "[]"],
        &["--parameters", "@/nowhere"],
        &["--parameters", r#"{"Targets": []}"#, "--target", "/r"],
        &["--parameters", r#"{"Targets": null}"#],
        &["--parameters", r#"{"Targets": "/r"}"#],
        &["--parameters", r#"{"Targets": [1]}"#],
        &["--part", "OemA"],
        &["--part", "=/etc/hostname"],
        &["--part", "OemA="],
        &["--part", "OemA=/nowhere"],
        &["--part", "UpdateFile=/etc/hostname"],
    ] {
        run(service.command(["update", image]).args(args)).exits(2);
    }
    assert_eq!(service.requests(), [""; 0]);
}

#[test]
fn a_secret_in_a_part_is_not_shown() {
    let service = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{\"UpdateService\": {\"@odata.id\": \"/u\"}}"),
        ("GET /u", "200\n\n{\"MultipartHttpPushUri\": \"/push\"}"),
        ("POST /push", "400\n\n{\"error\": {\"message\": \"bad password Engine-1837\"}}"),
    ]);
    let bench = Bench::standard();
    let part = format!("OemA={}", bench.file("part", r#"{"Password": "Engine-1837"}"#));
    let done = run(&mut service.command(["update", &image(&bench), "--part", &part])).exits(1);
    assert!(done.err.contains("bad password [redacted]"), "{}", done.err);
}
