//! Progress and tables on a terminal.

use redfish_mock::Settings;

use super::common::{Bench, SYSTEMS, run};
use super::terminal::Terminal;

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

#[test]
fn a_task_is_a_progress_bar_until_it_ends() {
    let fault = format!("task=1500ms@{SYSTEM}").parse().unwrap();
    let bench = Bench::with(Settings { faults: vec![fault], ..Settings::default() });
    let change = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#, "--wait", "--deadline", "30"];
    let shown = Terminal::new().show(&bench.as_admin(change), 0);
    let (bar, rest) = shown.split_once("Running").unwrap();
    assert!(bar.starts_with("\r[") && bar.contains(" %"), "{bar:?}");
    // The line is cleared before the response is printed.
    let (_, response) = rest.rsplit_once(" \r").unwrap();
    assert!(response.starts_with("{\r\n") && response.contains("\"AssetTag\": \"B7\""), "{response:?}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_trace_disables_the_progress_line() {
    let bench = Bench::standard();
    let shown = Terminal::new().show(&bench.as_admin(["tree", SYSTEM, "--depth", "1", "--trace"]), 0);
    assert!(shown.contains(SYSTEM) && !shown.contains("resources read"), "{shown}");
    let shown = Terminal::new().show(&bench.as_admin(["tree", SYSTEM, "--depth", "1"]), 0);
    assert!(shown.contains("\r1 of ") && shown.contains(" resources read"), "{shown}");
}

#[test]
fn a_terminal_gets_tables() {
    let bench = Bench::standard();
    for (args, heading) in [
        (&["tree", SYSTEMS, "--depth", "0"][..], "RESOURCE"),
        (&["actions", SYSTEM], "ACTION"),
        (&["tasks"], "URI"),
        (&["sessions"], "URI"),
    ] {
        let shown = Terminal::new().show(&bench.as_admin(args), 0);
        assert!(shown.contains(heading), "{shown}");
        assert!(
            serde_json::from_str::<serde_json::Value>(&run(&mut bench.as_admin(args)).exits(0).out).is_ok()
        );
    }
}
