//! What a person sees while something takes its time, and what in place of JSON.

use redfish_mock::Settings;

use super::common::{Bench, SYSTEMS, run};
use super::terminal::Terminal;

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

#[test]
fn a_task_is_a_bar_while_it_runs_and_gone_when_it_has_ended() {
    let fault = format!("task=1500ms@{SYSTEM}").parse().unwrap();
    let bench = Bench::with(Settings { faults: vec![fault], ..Settings::default() });
    let change = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#, "--wait", "--deadline", "30"];
    let shown = Terminal::new().show(&bench.as_admin(change), 0);
    let (bar, rest) = shown.split_once("Running").unwrap();
    assert!(bar.starts_with("\r[") && bar.contains(" %"), "{bar:?}");
    // What stood there is blank before the answer comes.
    let (_, behind) = rest.rsplit_once(" \r").unwrap();
    assert!(behind.starts_with("{\r\n") && behind.contains("\"AssetTag\": \"B7\""), "{behind:?}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_trace_has_the_terminal_to_itself() {
    let bench = Bench::standard();
    let shown = Terminal::new().show(&bench.as_admin(["tree", SYSTEM, "--depth", "1", "--trace"]), 0);
    assert!(shown.contains(SYSTEM) && !shown.contains("resources read"), "{shown}");
    let shown = Terminal::new().show(&bench.as_admin(["tree", SYSTEM, "--depth", "1"]), 0);
    assert!(shown.contains("\r1 resources read"), "{shown}");
}

#[test]
fn what_has_a_table_is_one_on_a_terminal() {
    let bench = Bench::standard();
    for (words, heading) in [
        (&["tree", SYSTEMS, "--depth", "0"][..], "RESOURCE"),
        (&["actions", SYSTEM], "ACTION"),
        (&["tasks"], "URI"),
        (&["sessions"], "URI"),
    ] {
        let shown = Terminal::new().show(&bench.as_admin(words), 0);
        assert!(shown.contains(heading), "{shown}");
        assert!(
            serde_json::from_str::<serde_json::Value>(&run(&mut bench.as_admin(words)).exits(0).out).is_ok()
        );
    }
}
