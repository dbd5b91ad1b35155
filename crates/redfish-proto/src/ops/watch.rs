//! Waiting for asynchronous operations (DSP0266, "Asynchronous operations").
//!
//! ```text
//!   202 + Location ──▶ Monitor ── watch ──▶ 202, or a Task that goes on: later ⟲
//!                                           a Task that has ended: its state ──▶ TaskOutcome
//!                                           else: the operation's own response ──▶ TaskOutcome
//!                                           404, 410: the Task, if it is known ──▶ TaskOutcome
//! ```

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::message;
use crate::operation::{Operation, Request, Transition};
use crate::outcome::{End, Monitor, Outcome, Progress, Written};
use crate::redact::Redactor;
use crate::target::Target;
use crate::task::is_task;

/// Maximum number of consecutive failed polls, for example while the controller reboots for a firmware update. The
/// wait between them grows to 10 s, so they take about half an hour, if the deadline allows.
const MAX_FAILED_POLLS: u32 = 200;

/// Maximum number of consecutive polls whose response is not valid JSON.
const MAX_UNREADABLE_POLLS: u32 = 5;

/// Maximum number of 404s before the first 202: iDRAC responds before the job exists.
const MAX_EARLY_NOT_FOUND: u32 = 3;

/// The time between two polls of a resource.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The end of an accepted operation.
#[derive(Clone, Debug)]
pub enum TaskOutcome {
    /// It succeeded. The operation's own response, or its Task if the monitor is gone.
    Completed(Written),
    /// It failed, with this error of the service. The watch itself did not fail.
    Failed(Error),
}

impl Outcome {
    /// Continues with the monitor of an operation that the service carries out later. Ends with what was carried out, or with
    /// [`ErrorKind::MonitorNotFound`] if the service does not say where it reports the end.
    pub fn into_monitor(self) -> ControlFlow<Result<Written, Error>, Monitor> {
        match self {
            Outcome::Accepted(monitor) => ControlFlow::Continue(monitor),
            Outcome::Finished(written) => ControlFlow::Break(Ok(written)),
            Outcome::AcceptedWithoutMonitor(_) => {
                ControlFlow::Break(Err(Error::new(ErrorKind::MonitorNotFound)))
            }
        }
    }
}

impl TaskOutcome {
    /// What was carried out.
    ///
    /// # Errors
    /// The error of an operation that has failed.
    pub fn into_result(self) -> Result<Written, Error> {
        match self {
            TaskOutcome::Completed(written) => Ok(written),
            TaskOutcome::Failed(error) => Err(error),
        }
    }
}

impl Monitor {
    /// Watches the operation until its end, up to the deadline of the call.
    pub fn watch(self) -> Watch {
        let progress = self.acceptance.progress.clone();
        Watch { monitor: self, polls_task: false, progress, polls: 0, failures: 0 }
    }
}

/// Polls a [`Monitor`] until the operation has ended.
///
/// The monitor may also be a Task or a Job, whose state then decides. The watch continues after failed connections, failed
/// logins, web pages and responses of a busy service or a gateway, and waits for the `Retry-After`, between 1 s and 60 s.
/// [`Timer::operation`](crate::driver::Timer::operation) gives access to its [`progress`](Watch::progress).
#[derive(Debug)]
pub struct Watch {
    monitor: Monitor,
    polls_task: bool,
    progress: Progress,
    /// Number of polls that found it running.
    polls: u32,
    /// Number of consecutive failed polls since then.
    failures: u32,
}

impl Watch {
    /// The progress at the last poll.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    fn still_running(mut self, answer: &Answer) -> Result<Transition<Self>, Error> {
        let body: Value = answer.json().unwrap_or_default();
        if let Some(progress) = Progress::of_body(&body, answer) {
            if progress.end == Some(End::Badly) {
                return Ok(Transition::Done(TaskOutcome::Failed(progress.failure(answer))));
            }
            self.progress = progress;
            if let (None, Some(link)) = (&self.monitor.task, link_at(&body, "/@odata.id")) {
                self.monitor.task = answer.resolve(link).ok();
            }
        }
        if let Some(Ok(moved)) = answer.location().filter(|_| !self.polls_task) {
            self.monitor.target = moved;
        }
        self.polls += 1;
        self.failures = 0;
        Ok(Transition::Later(self, None))
    }

    /// Interprets the response to a poll.
    fn polled(self, answer: &Answer) -> Result<Transition<Self>, Error> {
        match answer.status().as_u16() {
            202 => self.still_running(answer),
            // A busy service, or a gateway that does not reach it.
            408 | 429 | 502..=504 => self.poll_failed(answer.refusal(), MAX_FAILED_POLLS),
            401 => Err(answer.refusal()),
            404 | 410 => self.monitor_gone(answer),
            // A part of a Task does not report its state.
            200 | 206 => self.judge(answer),
            _ => Ok(finish(answer)),
        }
    }

    fn poll_failed(mut self, error: Error, limit: u32) -> Result<Transition<Self>, Error> {
        self.failures += 1;
        if self.failures > limit {
            return Err(error);
        }
        let wait = Duration::from_secs(u64::from(self.failures.min(10)));
        Ok(Transition::Later(
            self,
            Some(wait.max(error.retry_after().unwrap_or_default().min(Duration::from_secs(60)))),
        ))
    }

    /// Continues without the monitor: iDRAC deletes finished ones within seconds. The Task may still report the
    /// outcome.
    fn monitor_gone(mut self, answer: &Answer) -> Result<Transition<Self>, Error> {
        if self.polls == 0 && self.failures < MAX_EARLY_NOT_FOUND && self.monitor.task.is_none() {
            return self.poll_failed(answer.refusal(), MAX_FAILED_POLLS);
        }
        if self.monitor.task.is_none() || self.polls_task {
            if self.progress.end == Some(End::Well) {
                let written = Written::without_response(self.progress, answer.target().clone());
                return Ok(Transition::Done(TaskOutcome::Completed(written)));
            }
            let was_seen = self.polls > 0 || self.monitor.task.is_some();
            let kind = if was_seen { ErrorKind::MonitorGone } else { ErrorKind::MonitorNotFound };
            return Err(answer.refusal().with_kind(kind));
        }
        self.polls_task = true;
        Ok(Transition::Next(self))
    }

    /// Judges a 200: a Task or Job by its state, anything else as the operation's own response.
    fn judge(self, answer: &Answer) -> Result<Transition<Self>, Error> {
        let unreadable = match answer.json::<Value>() {
            Ok(body) if is_task(&body) => return self.judge_task(Progress::of(&body, answer), answer),
            Ok(body) if self.is_of_operation() || is_response(&body, answer) => return Ok(finish(answer)),
            Ok(_) => return Err(answer.malformed("", "neither a task nor the response to an operation")),
            Err(error) => error,
        };
        // The status has arrived, and decides if it is that of the operation itself.
        if self.is_of_operation() && answer.body().is_ok_and(|body| body.is_empty()) {
            return Ok(finish(answer));
        }
        let limit = if unreadable.is_transient() { MAX_FAILED_POLLS } else { MAX_UNREADABLE_POLLS };
        self.poll_failed(unreadable, limit)
    }

    /// Whether the monitor is known to be that of an operation, because a 202 named it or it was answered with one. A URI
    /// from elsewhere may be that of any resource.
    fn is_of_operation(&self) -> bool {
        !self.polls_task && (self.monitor.is_accepted || self.polls > 0)
    }

    fn judge_task(self, progress: Progress, answer: &Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(match progress.end {
            Some(End::Well) => TaskOutcome::Completed(Written::of_task(answer, progress)),
            Some(End::Badly) => TaskOutcome::Failed(progress.failure(answer)),
            None => return self.still_running(answer),
        }))
    }
}

/// Whether a body can be the response to an operation: messages, or a resource other than the one that was polled.
fn is_response(body: &Value, answer: &Answer) -> bool {
    let shown = link_at(body, "/@odata.id").and_then(|link| answer.resolve(link).ok());
    let polled = answer.requested().1.path().trim_end_matches('/');
    let is_other =
        shown.is_some_and(|shown| !shown.path().trim_end_matches('/').eq_ignore_ascii_case(polled));
    message::is_only_messages(body) || (is_other && message::has_data(body))
}

/// Ends with the operation's own response.
fn finish(answer: &Answer) -> Transition<Watch> {
    Transition::Done(match Outcome::read(answer) {
        Ok(Outcome::Finished(written) | Outcome::AcceptedWithoutMonitor(written)) => {
            TaskOutcome::Completed(written)
        }
        // Its Task goes on.
        Ok(Outcome::Accepted(monitor)) => return Transition::Later(monitor.watch(), None),
        Err(refusal) => match answer.json().ok().and_then(|body| Progress::of_body(&body, answer)) {
            Some(task) if task.end == Some(End::Badly) => TaskOutcome::Failed(task.failure(answer)),
            _ => TaskOutcome::Failed(refusal),
        },
    })
}

impl Operation for Watch {
    type Output = TaskOutcome;

    fn secrets(&self, known: &mut Redactor) {
        known.extend(&self.monitor.acceptance.secrets);
    }

    fn request(&self) -> Request {
        match (&self.monitor.task, self.polls_task) {
            (Some(task), true) => Request::get(task),
            _ => Request::get(self.monitor.target()),
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let last = self.progress.clone();
        self.polled(&answer).map_err(|error| last.explain(error))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        // A web server that is still starting may refuse TLS for a while.
        let is_starting = self.polls > 0 && matches!(error.kind(), ErrorKind::Transport(Failure::Tls(_)));
        let last = self.progress.clone();
        if error.is_transient() || is_starting || *error.kind() == ErrorKind::SessionLimit {
            self.poll_failed(error, MAX_FAILED_POLLS).map_err(|error| last.explain(error))
        } else {
            Err(last.explain(error))
        }
    }
}

/// Polls a resource until a predicate is true, up to the deadline of the call. For example, a reset takes effect
/// seconds after its 204.
#[derive(Debug)]
pub struct WaitUntil<P> {
    target: Target,
    predicate: P,
    failures: u32,
}

impl<P: Fn(&Value) -> bool> WaitUntil<P> {
    /// Reads the resource at this target until the predicate is true.
    pub fn new(target: Target, predicate: P) -> WaitUntil<P> {
        WaitUntil { target, predicate, failures: 0 }
    }
}

impl<P: Fn(&Value) -> bool> Operation for WaitUntil<P> {
    type Output = Bytes;

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let resource = match answer.check().and_then(|()| answer.json()) {
            Ok(resource) => resource,
            Err(error) => return self.fail(error),
        };
        if (self.predicate)(&resource) {
            Ok(Transition::Done(answer.body()?.clone()))
        } else {
            Ok(Transition::Later(WaitUntil { failures: 0, ..self }, Some(POLL_INTERVAL)))
        }
    }

    fn fail(mut self, error: Error) -> Result<Transition<Self>, Error> {
        let wait = next_poll(&mut self.failures, error)?;
        Ok(Transition::Later(self, Some(wait)))
    }
}

/// Counts a failed poll and returns the wait before the next one, if the failure is transient.
pub(crate) fn next_poll(failures: &mut u32, error: Error) -> Result<Duration, Error> {
    *failures += 1;
    if error.is_transient() && *failures <= MAX_FAILED_POLLS {
        Ok(Duration::from_secs(2))
    } else {
        Err(error)
    }
}
