//! `update`.

use std::fs;
use std::time::Duration;

use super::common::{Bench, run};

const INVENTORY: &str = "/redfish/v1/UpdateService/FirmwareInventory";

/// A file with an image of some size.
fn image(bench: &Bench) -> String {
    let path = bench.place.path().join("bios 1.bin");
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
fn a_target_that_is_not_there_is_refused_and_nothing_changes() {
    let bench = Bench::standard();
    let before = versions(&bench);
    let words = ["update", &image(&bench), "--target", "/redfish/v1/Nowhere", "--output", "json"];
    let done = run(&mut bench.as_admin(words)).exits(1);
    assert_eq!(done.error()["status"], 400, "{}", done.err);
    assert_eq!(versions(&bench), before);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn an_image_that_cannot_be_read_is_wrong_usage_and_nothing_is_sent() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["update", "/nowhere/image.bin"])).exits(2);
    assert!(done.err.contains("the image cannot be read"), "{}", done.err);
    assert_eq!(bench.server.mock(|mock| mock.handled().len()), 0);
}
