//! `task`: waits for a task.

use clap::{Args, Subcommand};
use redfish_proto::ops::Monitor;

use super::outcome::{StartedBy, print_result, watch};
use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// The action.
#[derive(Args)]
pub(crate) struct Task {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Wait for the end of a task, up to --deadline, and print the response to its request
    ///
    /// Exits with 1 if the task failed, and with 5 if its end is unknown.
    Wait(Wait),
}

/// The task.
#[derive(Args)]
struct Wait {
    /// URI of the task or of its monitor
    uri: String,
}

impl Job for Task {
    fn paths(&self) -> Vec<&str> {
        let Action::Wait(Wait { uri }) = &self.action;
        vec![uri]
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Action::Wait(Wait { uri }) = &self.action;
        let monitor = Monitor::new(visit.service().target(uri)?);
        let written = watch(monitor, StartedBy::EarlierCommand, visit).await;
        print_result(written, visit).await
    }
}
