//! `task`: waits for the end of what a service has accepted, perhaps in another process.

use clap::{Args, Subcommand};
use redfish_proto::Monitor;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::Options;
use crate::outcome::{Began, print, watch};

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

impl Task {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        let Action::Wait(Wait { uri }) = &self.action;
        options.check_stdin(false)?;
        let monitor = Monitor::at(options.service()?.target(uri)?);
        Connection::scoped(options, |connection| {
            let written = watch(monitor, Began::Before, connection, options)?;
            print(&written, options)
        })
    }
}
