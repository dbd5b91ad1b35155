//! `demo`.

use std::time::{Duration, Instant};

use super::common::{redfish, run};

#[test]
fn the_demo_shows_every_step_and_closes_all_sessions() {
    let started = Instant::now();
    let done = run(&mut redfish(["demo"])).exits(0);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let shown = &done.out;
    for expected in [
        "< 401 Unauthorized",
        "> authorization: [redacted]",
        "> POST https://127.0.0.1",
        "\"Password\": \"[redacted]\"",
        "< 201 Created",
        "< x-auth-token: [redacted]",
        "> x-auth-token: [redacted]",
        "\"Members@odata.count\": 3",
        "MySession",
    ] {
        assert!(shown.contains(expected), "{expected} is missing in {shown}");
    }
    assert_eq!(shown.matches("> DELETE https://").count(), 2, "{shown}");
    assert!(shown.trim_end().lines().last().unwrap().starts_with("0 sessions open"), "{shown}");
    assert!(!shown.contains("machine-room") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(done.err, "");
}
