//! `task`: waits for the end of what a service has accepted, perhaps in another process.

use clap::{Args, Subcommand};
use redfish_proto::Service;
use redfish_proto::ops::Monitor;

use super::outcome::{Began, print, watch};
use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// What to do with a task.
#[derive(Args)]
pub(crate) struct Task {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Waits for its end, --deadline at the most, and prints the answer of what it did
    ///
    /// Ends with 1 where the task ended badly, with 5 where its end was not seen.
    Wait(Wait),
}

/// Which task.
#[derive(Args)]
struct Wait {
    /// The URI of the task, or of its monitor
    uri: String,
}

impl Job for Task {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        let Action::Wait(Wait { uri }) = &self.action;
        Ok(service.target(uri).map(drop)?)
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Action::Wait(Wait { uri }) = &self.action;
        let monitor = Monitor::new(visit.service().target(uri)?);
        let written = watch(monitor, Began::Before, visit).await?;
        print(&written, visit).await
    }
}
