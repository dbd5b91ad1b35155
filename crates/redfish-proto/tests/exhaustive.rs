//! Tries every sequence of responses up to a depth, for every task, and checks the invariants.
//!
//! The depth is `REDFISH_DEPTH`, by default 2, or 4 in a release build.

#![allow(clippy::disallowed_methods, reason = "a test may read its environment")]

use redfish_testkit::dialogue::{SCENARIOS, play};
use redfish_testkit::responses::RESPONSES;

fn depth() -> usize {
    let default = if cfg!(debug_assertions) { 2 } else { 4 };
    std::env::var("REDFISH_DEPTH").map_or(default, |depth| depth.parse().expect("REDFISH_DEPTH is a number"))
}

/// A sequence of letters, which counts how many of them were read.
struct Letters<'a> {
    rows: &'a [u8],
    read: usize,
}

impl Iterator for Letters<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let row = self.rows.get(self.read).copied();
        self.read += usize::from(row.is_some());
        row
    }
}

#[test]
fn no_sequence_of_responses_breaks_a_rule() {
    let depth = depth();
    let (mut dialogues, mut exchanges, mut lost) = (0_u64, 0_u64, 0_u64);
    for task in SCENARIOS {
        let mut rows = vec![0_u8; depth];
        loop {
            let mut letters = Letters { rows: &rows, read: 0 };
            let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(task, &mut letters)));
            let read = letters.read;
            let Ok(report) = played else {
                let names: Vec<_> =
                    rows[..read].iter().map(|row| RESPONSES[usize::from(*row)].name).collect();
                panic!("{task:?} with {names:?}: see above");
            };
            dialogues += 1;
            exchanges += report.exchanges as u64;
            lost += report.lost_logins as u64;
            // The next sequence that differs in the letters that were read.
            rows[read..].fill(0);
            let Some(last) = rows[..read].iter().rposition(|row| usize::from(*row) + 1 < RESPONSES.len())
            else {
                break;
            };
            rows[last] += 1;
            rows[last + 1..].fill(0);
        }
    }
    println!(
        "depth {depth}: {dialogues} dialogues, {exchanges} exchanges, {lost} logins whose response was lost"
    );
    assert!(dialogues > 1_000);
}

#[test]
fn the_table_of_responses_is_complete() {
    assert_eq!(RESPONSES.len(), 35);
    let names: std::collections::HashSet<_> = RESPONSES.iter().map(|response| response.name).collect();
    assert_eq!(names.len(), RESPONSES.len());
}
