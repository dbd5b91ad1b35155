//! The commands that speak to a service. Each runs alone, and in a sweep.
//!
//! To add one, write a file with a type that implements [`Job`], and add its module and its row of `commands!` here.

mod actions;
mod events;
mod failures;
mod get;
mod invoke;
pub(crate) mod login;
pub(crate) mod logout;
mod members;
mod outcome;
mod reset;
mod sessions;
mod task;
mod tasks;
mod tree;
mod update;
mod whoami;
mod write;

use clap::Subcommand;

use crate::failure::Failure;
use crate::options::Options;
use crate::visit::{Job, Visit};

/// Defines [`Command`] and its [`Job`] from one row for each command: its help, its name and its type.
macro_rules! commands {
    ($($(#[$help:meta])* $name:ident($command:ty),)+) => {
        /// A command that speaks to a service.
        #[derive(Subcommand)]
        pub(crate) enum Command {
            $($(#[$help])* $name($command),)+
        }

        impl Job for Command {
            fn reads_stdin(&self) -> bool {
                match self { $(Command::$name(job) => job.reads_stdin(),)+ }
            }

            fn paths(&self) -> Vec<&str> {
                match self { $(Command::$name(job) => job.paths(),)+ }
            }

            fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
                match self { $(Command::$name(job) => job.prepare(options),)+ }
            }

            fn writes(&self) -> bool {
                match self { $(Command::$name(job) => job.writes(),)+ }
            }

            fn ends(&self) -> bool {
                match self { $(Command::$name(job) => job.ends(),)+ }
            }

            async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
                match self { $(Command::$name(job) => job.run(visit).await,)+ }
            }
        }
    };
}

commands! {
    /// Read resources
    ///
    /// Prints each body byte for byte and a newline; indented on a terminal. Continues after a failure, and exits with the
    /// status of the first. After a failure without a response, continues only if the service root responds.
    Get(get::Get),
    /// Change members of a resource
    ///
    /// Reads the ETag first and sends If-Match, so that concurrent changes are not overwritten. Exits with 1 if a part of
    /// the change was not accepted.
    Patch(write::Change<write::Patch>),
    /// Create a resource
    Post(write::Post),
    /// Replace a resource
    ///
    /// Reads the ETag first and sends If-Match, so that concurrent changes are not overwritten.
    Put(write::Change<write::Put>),
    /// Delete a resource
    Delete(write::Delete),
    /// List a whole collection, page by page
    ///
    /// Prints one JSON document per line, as the collection lists it, as it arrives. A member that was already printed is
    /// not printed again. A page or member that cannot be read is reported, and sets the exit status.
    Members(members::Members),
    /// Walk the links and print a tree
    ///
    /// Shows each resource once, with name, power state and health. A resource that cannot be read is shown with its error
    /// and reported on standard error. A link that leads to nothing (404, 403, 401, 501) is only a warning; a page or
    /// connection that fails, or another status, sets the exit status. Links to other services are not followed. Reads at
    /// most 100,000 resources.
    Tree(tree::Tree),
    /// List the actions of a resource and their parameters
    Actions(actions::Actions),
    /// Invoke an action
    ///
    /// The action and its parameters are checked against the resource before anything is sent.
    Invoke(invoke::Invoke),
    /// Reset a system and print its power state
    ///
    /// The type is checked against the allowable values. Fails if there are several systems and --system is not given.
    Reset(reset::Reset),
    /// List the tasks of the service
    Tasks(tasks::Tasks),
    /// Wait for a task
    Task(task::Task),
    /// Push an image to the update service
    ///
    /// Uses multipart push if the service supports it, else HTTP push. The file is streamed.
    Update(update::Update),
    /// Print events as JSON lines
    ///
    /// Reconnects when the connection ends, says so, and continues after the last event. Fails if the stream cannot be opened
    /// at first. In a sweep, requires --count or --deadline.
    Events(events::Events),
    /// Show the current user and session
    ///
    /// Exits with 3 if there is neither a session nor any credential, or if the service rejects them (401). A session that
    /// the user may not read is no failure.
    Whoami(whoami::Whoami),
    /// List or close the sessions of the service
    Sessions(sessions::Sessions),
}
