//! The command at a service that misbehaves as real controllers do.

use redfish_mock::Settings;

use super::common::{Bench, Done, SYSTEMS, run};

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

/// A service with this fault.
fn bench(fault: &str) -> Bench {
    let settings = Settings { faults: vec![fault.parse().unwrap()], ..Settings::default() };
    Bench::with(settings)
}

/// Runs a command at a service with a fault, and checks that no session is left open.
fn at(fault: &str, args: &[&str]) -> Done {
    let bench = bench(fault);
    let done = run(bench.as_admin(args).args(["--timeout", "10"]));
    assert_eq!(bench.server.open_sessions(), 0, "{fault}");
    done
}

#[test]
fn pages_that_overlap_print_each_member_once_and_a_page_that_fails_hides_no_other() {
    let all = at("overlapping-pages", &["members", SYSTEMS]).exits(0);
    assert_eq!(all.out.lines().count(), 3, "{}", all.out);
    let some = at("failing-page", &["members", SYSTEMS]).exits(1);
    assert_eq!(some.out.lines().count(), 2, "{}", some.out);
}

#[test]
fn a_dead_link_is_a_warning() {
    let done = at(&format!("dead-link@{SYSTEMS}"), &["tree", SYSTEMS, "--depth", "1"]).exits(0);
    assert!(done.err.contains("/redfish/v1/Systems/Nowhere: 404"), "{}", done.err);
}

#[test]
fn what_a_write_says_decides() {
    let patch = ["patch", SYSTEM, r#"{"AssetTag": "B7"}"#, "--no-match"];
    let waiting = [&patch[..], &["--wait"]].concat();
    at("job=1s", &waiting).exits(0);
    at("critical-task=1s", &waiting).exits(1);
    at("notice", &patch).exits(0);
    at(&format!("refusal-in-200@{SYSTEM}"), &patch).exits(1);
    at(&format!("web-page@{SYSTEM}"), &patch).exits(5);
}

#[test]
fn a_read_is_repaired_or_refused() {
    let done = at(&format!("not-utf8@{SYSTEM}"), &["tree", SYSTEM, "--depth", "0"]).exits(0);
    assert!(done.out.contains("\u{fffd}") && done.err.contains("not UTF-8"), "{} {}", done.out, done.err);
    at(&format!("web-page@{SYSTEMS}"), &["members", SYSTEMS]).exits(4);
}

#[test]
fn a_401_to_a_living_session_is_final_whether_its_session_can_be_read_or_not() {
    for faults in [&["401"][..], &["401", "unreadable-session"]] {
        let faults = faults.iter().map(|name| match *name {
            "401" => format!("401@{SYSTEM}"),
            name => name.to_owned(),
        });
        let faults = faults.map(|fault| fault.parse().unwrap()).collect();
        let bench = Bench::with(Settings { faults, ..Settings::default() });
        run(&mut bench.as_admin(["get", SYSTEM])).exits(3);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn an_upload_that_is_refused_in_its_middle_ends_with_the_status() {
    let bench = Bench::standard();
    let service = run(&mut bench.as_admin(["get", "/redfish/v1/UpdateService"])).exits(0).json();
    let uri = service["MultipartHttpPushUri"].as_str().unwrap();
    bench.server.mock(|mock| mock.add_fault(format!("early-refusal=100000@{uri}").parse().unwrap()));
    let image = bench.file("image", "x".repeat(50_000_000));
    let done = run(&mut bench.as_admin(["update", &image])).exits(1);
    assert!(done.err.contains("413"), "{}", done.err);
    assert_eq!(bench.server.open_sessions(), 0);
}
