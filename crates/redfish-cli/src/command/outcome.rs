//! The outcome of a write: its response, or the monitor of a task.

use clap::Args;
use redfish_proto::ops::{Monitor, Outcome, TaskOutcome, Written};
use redfish_proto::{ErrorKind, Message, SafeText, json};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress;
use crate::visit::Visit;

/// Whether to wait for a task.
#[derive(Args)]
pub(crate) struct WaitOption {
    /// If the service starts a task, wait for its end, up to --deadline. Default: print the URI of the task's monitor
    #[arg(long)]
    wait: bool,
}

impl WaitOption {
    /// Prints the outcome of a write, after waiting for its task if requested. If only a part of the write was carried out,
    /// the outcome of that part is printed before the failure.
    pub(super) async fn finish(
        &self,
        outcome: Result<Outcome, Failure>,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let failure = match outcome {
            Ok(outcome) => return self.print(&outcome, visit).await,
            Err(failure) => failure,
        };
        if let Some(part) = failure.partial().cloned() {
            self.print(&part, visit).await?;
        }
        Err(failure)
    }

    async fn print(&self, outcome: &Outcome, visit: &mut Visit) -> Result<(), Failure> {
        match outcome {
            Outcome::Finished(written) => print_response(written, visit).await,
            Outcome::Accepted(monitor) => {
                report_notices(monitor.messages(), visit);
                if !self.wait {
                    return print_monitor(monitor, visit).await;
                }
                let written = watch(monitor.clone(), StartedBy::ThisCommand, visit).await;
                print_result(written, visit).await
            }
            Outcome::AcceptedWithoutMonitor(written) => {
                print_response(written, visit).await?;
                if self.wait {
                    return Err(Failure::missing(NO_MONITOR).outcome_unknown());
                }
                visit.warn(NO_MONITOR);
                Ok(())
            }
            // `Outcome` is non-exhaustive; there are no other variants.
            _ => Ok(()),
        }
    }
}

pub(super) const NO_MONITOR: &str =
    "the service has accepted the request, but does not say where it will report its end";

/// Which command has started a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StartedBy {
    /// This command, so that any failure to watch leaves the outcome of its write unknown.
    ThisCommand,
    EarlierCommand,
}

/// Prints the monitor of a task.
pub(super) async fn print_monitor(monitor: &Monitor, visit: &mut Visit) -> Result<(), Failure> {
    let uri = monitor.target().to_string();
    let json = json!({"monitor": uri, "task": monitor.task().map(ToString::to_string)});
    visit.sink.value(json, Some(&uri)).await
}

/// Waits for the end of a task. If it fails to see the end, prints the monitor for another attempt.
pub(super) async fn watch(
    monitor: Monitor,
    started_by: StartedBy,
    visit: &mut Visit,
) -> Result<Written, Failure> {
    let mut last = monitor.clone();
    if started_by == StartedBy::ThisCommand {
        visit.await_end_at(monitor.target());
    }
    let mut line = visit.sink.progress();
    let watching = visit.wait_for(
        || monitor.clone().watch(),
        |watch| {
            last = watch.monitor().clone();
            line.show(&progress::task(watch.progress()));
        },
    );
    let result = watching.await;
    drop(line);
    let is_own = started_by == StartedBy::ThisCommand;
    let failure = match result {
        Ok(TaskOutcome::Completed(written)) => return Ok(written),
        Ok(TaskOutcome::Failed(error)) => {
            let failure = Failure::from(error).with_exit(Exit::Failed);
            return Err(if is_own { failure.after_acceptance() } else { failure });
        }
        Err(failure) if failure.is_kind(&ErrorKind::MonitorGone) => return Err(failure),
        Err(failure) if failure.is_kind(&ErrorKind::MonitorNotFound) => {
            return Err(if is_own { failure.outcome_unknown() } else { failure });
        }
        Err(failure) => failure,
    };
    // For example, a 401 or a refused connection says nothing about the task of an earlier command.
    if !is_own && !failure.may_still_run() {
        return Err(failure);
    }
    print_monitor(&last, visit).await?;
    Err(failure.still_running(last.target()))
}

/// Prints the response to a write, or to the part of it that was carried out before the failure.
pub(super) async fn print_result(result: Result<Written, Failure>, visit: &mut Visit) -> Result<(), Failure> {
    match result {
        Ok(written) => print_response(&written, visit).await,
        Err(failure) => {
            if let Some(Outcome::Finished(Written { body: Some(body), .. })) = failure.partial() {
                visit.sink.document(body).await?;
            }
            Err(failure)
        }
    }
}

/// Prints the response to a write.
async fn print_response(written: &Written, visit: &mut Visit) -> Result<(), Failure> {
    let body = written.body.as_deref();
    match (body.filter(|body| !body.is_empty()), &written.created) {
        (Some(body), created) => {
            visit.sink.document(body).await?;
            if let (Some(uri), 201) = (created, written.status.as_u16()) {
                visit.note(format!("created {uri}"));
            }
        }
        (None, Some(uri)) => {
            visit.sink.value(json!({"location": uri.to_string()}), Some(uri.as_str())).await?
        }
        (None, None) => {}
    }
    report(written, visit);
    Ok(())
}

/// Reports on standard error what is to be known about the response to a write.
pub(super) fn report(written: &Written, visit: &mut Visit) {
    match &written.body {
        None => visit.warn("the write succeeded, but its response is incomplete or cannot be decoded"),
        Some(body) if !body.is_empty() && !json::is_readable(body) => {
            visit.warn("the write succeeded, but its response is not valid JSON");
        }
        Some(_) => {}
    }
    report_notices(&written.messages, visit);
    match written.task_status.as_str() {
        "" | "OK" => {}
        status => visit.warn(format!("the task is complete, with the status {status}")),
    }
}

/// Reports what the service said about a success, except that it is one. What it refused is reported as a failure.
fn report_notices(messages: &[Message], visit: &mut Visit) {
    for message in messages.iter().filter(|message| !message.is("Success") && !message.is_refusal()) {
        let about = SafeText::join(&message.related, ", ");
        let texts = [about.as_str(), message.id.as_str(), message.text.as_str()].map(str::trim);
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        if !texts.is_empty() {
            visit.note(texts.join(": "));
        }
    }
}
