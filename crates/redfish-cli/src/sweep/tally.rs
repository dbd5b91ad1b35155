//! The tally of a sweep: how many services succeeded, and how many failed and why.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use serde_json::{Value, json};

use crate::progress;

/// The tally.
pub(super) struct Tally {
    began: Instant,
    services: usize,
    ok: usize,
    /// By the kind of the failure.
    failed: BTreeMap<&'static str, usize>,
    /// Skipped, because a write may have happened there.
    skipped: usize,
}

impl Tally {
    pub(super) fn new(services: usize, skipped: usize) -> Tally {
        Tally { began: Instant::now(), services, ok: 0, failed: BTreeMap::new(), skipped }
    }

    /// Counts a service, with the kind of its failure, if it failed.
    pub(super) fn add(&mut self, failure: Option<&'static str>) {
        match failure {
            None => self.ok += 1,
            Some(kind) => *self.failed.entry(kind).or_default() += 1,
        }
    }

    /// Whether no service failed or was skipped.
    pub(super) fn all_succeeded(&self) -> bool {
        self.failed.is_empty() && self.skipped == 0
    }

    fn failed(&self) -> usize {
        self.failed.values().sum()
    }

    /// The text of the progress line.
    pub(super) fn progress(&self, in_flight: usize) -> String {
        let done = self.ok + self.failed();
        let per_second = done as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        progress::sweep(done, self.services, self.failed(), in_flight, per_second)
    }

    /// The summary as a clause.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} of {} services ok", self.ok, self.services);
        if !self.failed.is_empty() {
            let kinds: Vec<String> =
                self.failed.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
            let _ = write!(text, ", {} failed ({})", self.failed(), kinds.join(", "));
        }
        if self.skipped > 0 {
            let _ = write!(text, ", {} skipped", self.skipped);
        }
        let _ = write!(text, ", in {:.1} s", self.began.elapsed().as_secs_f64());
        text
    }

    /// The summary as JSON.
    pub(super) fn object(&self) -> Value {
        json!({
            "services": self.services,
            "ok": self.ok,
            "failed": self.failed,
            "skipped": self.skipped,
            "ms": self.began.elapsed().as_millis() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_kind() {
        let mut tally = Tally::new(4, 0);
        tally.add(None);
        assert!(tally.all_succeeded());
        ["transport", "deadline", "transport"].into_iter().for_each(|kind| tally.add(Some(kind)));
        let text = tally.text();
        assert!(
            text.starts_with("1 of 4 services ok, 3 failed (deadline: 1, transport: 2), in 0."),
            "{text}"
        );
        assert_eq!(tally.object()["failed"], json!({"deadline": 1, "transport": 2}));
        assert!(!tally.all_succeeded() && tally.progress(0).contains("4/4  3 failed  0 in flight"));
    }
}
