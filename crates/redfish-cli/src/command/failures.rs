//! The failures of a command that continues after a failure.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::visit::Visit;

/// Reports all failures, one of them at the end. The first one sets the exit status, unless the outcome of a write is
/// unknown, which must not be repeated.
#[derive(Default)]
pub(super) struct Failures {
    first: Option<Exit>,
    pending: Option<Failure>,
}

impl Failures {
    pub(super) fn add(&mut self, failure: Failure, visit: &Visit) {
        if self.first.is_none() || failure.exit() == Exit::OutcomeUnknown {
            self.first = Some(failure.exit());
        }
        self.pending = Some(match self.pending.take() {
            Some(earlier) => visit.report_one_of(earlier, failure),
            None => failure,
        });
    }

    pub(super) fn into_result(self) -> Result<(), Failure> {
        match (self.pending, self.first) {
            (Some(failure), Some(exit)) => Err(failure.with_exit(exit)),
            _ => Ok(()),
        }
    }
}
