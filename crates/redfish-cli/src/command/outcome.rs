//! What became of a write: its answer, or what the service accepted and goes on with, which can be waited for.

use clap::Args;
use redfish_proto::ErrorKind;
use redfish_proto::ops::{Monitor, Outcome, TaskOutcome, Written};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress;
use crate::visit::Visit;

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
    pub(super) async fn finish(&self, outcome: Outcome, visit: &mut Visit) -> Result<(), Failure> {
        match outcome {
            Outcome::Finished(written) => print(&written, visit).await,
            Outcome::Accepted(monitor) if self.wait => {
                let written = watch(monitor, Began::Here, visit).await?;
                print(&written, visit).await
            }
            Outcome::Accepted(monitor) => accepted(&monitor, visit).await,
            // There are no others yet.
            _ => Ok(()),
        }
    }
}

/// Which command began what is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    /// This one: whatever keeps it from seeing the end leaves the outcome of a write unknown.
    Here,
    /// An earlier one.
    Before,
}

/// Prints where the end will be reported.
pub(super) async fn accepted(monitor: &Monitor, visit: &mut Visit) -> Result<(), Failure> {
    let monitored = monitor.target().to_string();
    let json = json!({"monitor": monitored, "task": monitor.task().map(ToString::to_string)});
    visit.sink.value(json, Some(&monitored)).await
}

/// Watches until the end. If that is not seen, the monitor is printed for another try.
pub(super) async fn watch(monitor: Monitor, began: Began, visit: &mut Visit) -> Result<Written, Failure> {
    let mut last = monitor.clone();
    let mut line = visit.progress();
    let watching = visit.wait_for(
        || monitor.clone().watch(),
        |watch| {
            last = watch.monitor().clone();
            line.show(&progress::of_task(watch.progress()));
        },
    );
    let ended = watching.await;
    drop(line);
    let failure = match ended {
        Ok(TaskOutcome::Completed(written)) => return Ok(written),
        Ok(TaskOutcome::Failed(error)) => return Err(Failure::from(error).ending(Exit::Failed)),
        Err(failure) if failure.is_kind(&ErrorKind::MonitorGone) => return Err(failure),
        Err(failure) => failure,
    };
    // Who the client is, or whether there is a service, says nothing about an earlier task.
    if began == Began::Before && !failure.leaves_open() {
        return Err(failure);
    }
    accepted(&last, visit).await?;
    Err(failure.unfinished(last.target()))
}

/// Prints the response to a write that is done. What was not accepted of it is a failure.
pub(super) async fn print(written: &Written, visit: &mut Visit) -> Result<(), Failure> {
    let body = written.body.as_deref();
    match (body.filter(|body| !body.is_empty()), &written.location) {
        (Some(body), location) => {
            visit.sink.document(body).await?;
            if let (Some(at), 201) = (location, written.status.as_u16()) {
                visit.note(format!("created at {at}."));
            }
        }
        (None, Some(at)) => visit.sink.value(json!({"location": at.to_string()}), Some(at.as_str())).await?,
        (None, None) => {}
    }
    if body.is_none() {
        visit.warn("it was done, but the answer broke off.");
    }
    match written.rejected.is_empty() {
        true => Ok(()),
        false => Err(Failure::rejected(written)),
    }
}
