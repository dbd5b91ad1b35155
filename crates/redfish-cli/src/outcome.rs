//! What became of a write: its answer, or what the service accepted and goes on with, which can be waited for.

use clap::Args;
use redfish_proto::{Ended, ErrorKind, Monitor, Outcome, Written};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::document;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::progress::{self, Line};

/// Whether to wait for the end.
#[derive(Args)]
pub(crate) struct Waiting {
    /// Wait for the end of what the service accepts as a task, --deadline at the most. Without it, the URI of the
    /// task's monitor is printed
    #[arg(long)]
    wait: bool,
}

impl Waiting {
    /// Prints what became of a write.
    pub(crate) fn finish(
        &self,
        outcome: Outcome,
        connection: &mut Connection<'_>,
        options: &Options,
    ) -> Result<(), Failure> {
        match outcome {
            Outcome::Finished(written) => print(&written, options),
            Outcome::Accepted(monitor) if self.wait => {
                print(&watch(monitor, Began::Here, connection, options)?, options)
            }
            Outcome::Accepted(monitor) => accepted(&monitor, options),
            // There are no others yet.
            _ => Ok(()),
        }
    }
}

/// Which command began what is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    /// This one: whatever keeps from seeing its end leaves the outcome of a write unknown.
    Here,
    /// An earlier one.
    Before,
}

/// Says where the end will be told.
pub(crate) fn accepted(monitor: &Monitor, options: &Options) -> Result<(), Failure> {
    match options.errors_as_json() {
        true => output::line(object(monitor)),
        false => output::line(monitor.target()),
    }
}

/// The same for programs.
pub(crate) fn object(monitor: &Monitor) -> Value {
    json!({
        "monitor": monitor.target().to_string(),
        "task": monitor.task().map(ToString::to_string),
    })
}

/// Watches until the end. Where that is not seen, the monitor is printed for another try.
pub(crate) fn watch(
    monitor: Monitor,
    began: Began,
    connection: &mut Connection<'_>,
    options: &Options,
) -> Result<Written, Failure> {
    let mut last = monitor.clone();
    let mut line = Line::new(options);
    let ended = connection.run_for(
        options.patience(),
        |_| Ok(monitor.clone().watch()),
        |watch| {
            last = watch.monitor().clone();
            line.show(&progress::of_task(watch.progress()));
        },
    );
    drop(line);
    let failure = match ended {
        Ok(Ended::Completed(written)) => return Ok(written),
        Ok(Ended::Failed(error)) => return Err(Failure::from(error).ending(Exit::Failed)),
        Err(failure) if failure.is_kind(&ErrorKind::TaskGone) => return Err(failure),
        Err(failure) => failure,
    };
    // Who it is, or whether there is a service, is no news of an earlier task.
    if began == Began::Before && !failure.leaves_open() {
        return Err(failure);
    }
    accepted(&last, options)?;
    Err(failure.unfinished(last.target()))
}

/// Prints the answer to a write that is done. What was not taken of it is a failure.
pub(crate) fn print(written: &Written, options: &Options) -> Result<(), Failure> {
    let body = written.body.as_deref();
    match (body.filter(|body| !body.is_empty()), &written.location) {
        (Some(body), location) => {
            document::print(body, options)?;
            if let (Some(at), 201) = (location, written.status.as_u16()) {
                output::note(format_args!("redfish: created at {at}."));
            }
        }
        (None, Some(at)) if options.errors_as_json() => output::line(json!({"location": at.to_string()}))?,
        (None, Some(at)) => output::line(at)?,
        (None, None) => {}
    }
    if body.is_none() {
        output::note("redfish: warning: it was done, but the answer broke off.");
    }
    match written.rejected.is_empty() {
        true => Ok(()),
        false => Err(Failure::rejected(written)),
    }
}
