//! The commands that speak to a service. Each is a file, written once: it runs at one service, and in a sweep at many.
//!
//! A new one is a file with a type that implements [`Job`], and its lines here: the module, the variant, the arm.

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

use std::future::Future;

use clap::Subcommand;
use redfish_proto::Service;

use crate::failure::Failure;
use crate::options::Options;
use crate::visit::Visit;

/// What a command does at a service.
pub(crate) trait Job: Send + Sync {
    /// Whether it reads standard input.
    fn reads_stdin(&self) -> bool {
        false
    }

    /// Rejects what cannot be meant for this service, such as a URL of another.
    fn check(&self, _service: &Service) -> Result<(), Failure> {
        Ok(())
    }

    /// Reads what it needs of this machine, such as a body: once, before any service is asked. It may block.
    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether it changes anything, so that a sweep does not repeat it unless it has provably not happened.
    fn writes(&self) -> bool {
        false
    }

    /// Whether it ends by itself.
    fn ends(&self) -> bool {
        true
    }

    /// Does it. Dropped half way, it has no more to do: the visit closes the session.
    fn run(&self, visit: &mut Visit) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A command that speaks to a service.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Reads resources
    ///
    /// Prints each body byte for byte, and a line end; indented on a terminal. Goes on after a failure, and ends with
    /// the status of the first.
    Get(get::Get),
    /// Changes a resource: the members that are given
    ///
    /// Reads its ETag first and sends If-Match, so that what others change meanwhile is not overwritten. Ends with 1
    /// where a part of the change was not taken.
    Patch(write::Change<write::Patch>),
    /// Creates a resource
    Post(write::Post),
    /// Replaces a resource
    ///
    /// Reads its ETag first and sends If-Match, so that what others change meanwhile is not overwritten.
    Put(write::Change<write::Put>),
    /// Deletes a resource
    Delete(write::Delete),
    /// Lists a whole collection, page after page
    ///
    /// One JSON document a line, each as the collection lists it, as it arrives.
    Members(members::Members),
    /// Walks the links, and shows what there is as a tree
    ///
    /// Each resource once, with name, power state and health. What cannot be read is shown as that, and said on
    /// standard error. No link to another service is followed. At most 100,000 resources are read, and as many links wait.
    Tree(tree::Tree),
    /// Shows what can be done with a resource
    Actions(actions::Actions),
    /// Invokes an action of a resource
    ///
    /// What is not offered, or not allowable, is not sent.
    Invoke(invoke::Invoke),
    /// Resets a system, and prints its power state
    ///
    /// The type is checked against what the system allows. Fails if there are several systems and --system is not given.
    Reset(reset::Reset),
    /// Lists the tasks of the service
    Tasks(tasks::Tasks),
    /// Waits for a task
    Task(task::Task),
    /// Pushes an image to the update service
    ///
    /// Multipart, or as it is, by what the service offers; read as it is sent.
    Update(update::Update),
    /// Prints the events of the service, one JSON document a line
    ///
    /// A connection that ends is followed by the next, after the event that came last. In a sweep it takes --count or
    /// --deadline.
    Events(events::Events),
    /// Shows the current user and session
    ///
    /// Ends with 3 if there is neither a session nor any credential, or if the service rejects them.
    Whoami(whoami::Whoami),
    /// Lists the sessions of the service, or closes some
    Sessions(sessions::Sessions),
}

/// Does the same with the job of each command.
macro_rules! each {
    ($command:expr, $job:ident => $do:expr) => {
        match $command {
            Command::Get($job) => $do,
            Command::Patch($job) => $do,
            Command::Post($job) => $do,
            Command::Put($job) => $do,
            Command::Delete($job) => $do,
            Command::Members($job) => $do,
            Command::Tree($job) => $do,
            Command::Actions($job) => $do,
            Command::Invoke($job) => $do,
            Command::Reset($job) => $do,
            Command::Tasks($job) => $do,
            Command::Task($job) => $do,
            Command::Update($job) => $do,
            Command::Events($job) => $do,
            Command::Whoami($job) => $do,
            Command::Sessions($job) => $do,
        }
    };
}

impl Job for Command {
    fn reads_stdin(&self) -> bool {
        each!(self, job => job.reads_stdin())
    }

    fn check(&self, service: &Service) -> Result<(), Failure> {
        each!(self, job => job.check(service))
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        each!(self, job => job.prepare(options))
    }

    fn writes(&self) -> bool {
        each!(self, job => job.writes())
    }

    fn ends(&self) -> bool {
        each!(self, job => job.ends())
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        each!(self, job => job.run(visit).await)
    }
}
