//! The failures of a command that goes on after one.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::visit::Visit;

/// Each is reported, one of them at the very end; the first decides the exit status.
#[derive(Default)]
pub(super) struct Failures {
    first: Option<Exit>,
    pending: Option<Failure>,
}

impl Failures {
    pub(super) fn add(&mut self, failure: Failure, visit: &Visit) {
        self.first.get_or_insert(failure.exit());
        self.pending = Some(match self.pending.take() {
            Some(earlier) => visit.report_one(earlier, failure),
            None => failure,
        });
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match (self.pending, self.first) {
            (Some(failure), Some(exit)) => Err(failure.ending(exit)),
            _ => Ok(()),
        }
    }
}
