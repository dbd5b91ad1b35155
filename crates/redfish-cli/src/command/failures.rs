//! The failures of a command that continues after a failure.
//!
//! ```text
//!   a part fails ──┬─ with a response ──────────────────────────▶ the next part
//!                  ├─ without one ──▶ service root ──┬─ responds ──▲
//!                  │                                 └─ does not ──▶ the end
//!                  └─ at the login, or locally ────────────────────▲
//! ```

use redfish_proto::ErrorKind;
use redfish_proto::ops::CheckService;

use crate::exit::Exit;
use crate::failure::{Extent, Failure};
use crate::visit::Visit;

/// Reports all failures, one of them at the end. The first one sets the exit status, unless the outcome of a write is
/// unknown, which must not be repeated.
#[derive(Default)]
pub(super) struct Failures {
    first: Option<Exit>,
    pending: Option<Failure>,
    /// The largest extent of the failures since the service last responded.
    extent: Option<Extent>,
}

impl Failures {
    pub(super) fn add(&mut self, failure: Failure, visit: &mut Visit) {
        if self.first.is_none() || failure.exit() == Exit::OutcomeUnknown {
            self.first = Some(failure.exit());
        }
        self.extent = self.extent.max(Some(extent(&failure, visit)));
        self.pending = Some(match self.pending.take() {
            Some(earlier) => visit.report_one_of(earlier, failure),
            None => failure,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_none()
    }

    /// Whether the next part of the work makes sense. After a failure without a response, reads the service root.
    pub(super) async fn allow_more(&mut self, visit: &mut Visit) -> bool {
        match self.extent {
            None | Some(Extent::OneResource) => true,
            Some(Extent::Unknown) => {
                let responds = visit.run(CheckService::default).await.is_ok();
                self.extent = (!responds).then_some(Extent::Everything);
                if !responds {
                    visit.warn("the service does not respond, so the rest is left out");
                }
                responds
            }
            Some(Extent::Everything) => false,
        }
    }

    pub(super) fn into_result(self) -> Result<(), Failure> {
        match (self.pending, self.first) {
            (Some(failure), Some(exit)) => Err(failure.with_exit(exit)),
            _ => Ok(()),
        }
    }
}

/// What a failure concerns.
pub(super) fn extent(failure: &Failure, visit: &Visit) -> Extent {
    // With a wrong password, each further request would count as a failed login, which may lock the account.
    if failure.is_kind(&ErrorKind::NotAuthenticated) && visit.auth().name() == Some("basic") {
        return Extent::Everything;
    }
    failure.extent()
}
