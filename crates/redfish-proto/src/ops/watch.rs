//! Waiting for asynchronous operations (DSP0266, "Asynchronous operations").
//!
//! ```text
//!   202 + Location ──▶ Monitor ── watch ──▶ 202: later ⟲
//!                                           else: the operation's own response ──▶ TaskOutcome
//!                                           404, 410: the Task, if it is known ──▶ TaskOutcome
//! ```

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use crate::error::Error;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::message::{self, Message};
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::monitor::{Monitor, is_task};
use crate::ops::write::Written;
use crate::redact::{Redactor, SafeText};
use crate::target::Target;

/// Maximum number of consecutive failed polls, for example while the controller reboots for a firmware update. The
/// wait between them grows to 10 s, so they take about half an hour, if the deadline allows.
const MAX_FAILED_POLLS: u32 = 200;

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

/// The progress of an operation, from its Task. Missing values are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// `TaskState`: `Running`, `Completed`, …
    pub state: SafeText,
    /// `PercentComplete`.
    pub percent: Option<u8>,
    /// `Messages`.
    pub messages: Vec<Message>,
}

impl Monitor {
    /// Watches the operation until its end, up to the deadline of the call.
    pub fn watch(self) -> Watch {
        Watch { monitor: self, polls_task: false, progress: Progress::default(), polls: 0, failures: 0 }
    }
}

/// Polls a [`Monitor`] until the operation has ended.
///
/// It continues after failed connections, failed logins and responses of a busy service, and waits for the
/// `Retry-After`, between 1 s and 60 s. [`Timer::operation`](crate::driver::Timer::operation) gives access to its
/// [`progress`](Watch::progress).
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
        if is_task(&body) {
            self.progress = Progress::of(&body, answer);
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

    fn poll_failed(mut self, error: Error) -> Result<Transition<Self>, Error> {
        self.failures += 1;
        if self.failures > MAX_FAILED_POLLS {
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
            return self.poll_failed(answer.refusal());
        }
        if self.monitor.task.is_none() || self.polls_task {
            return Err(answer.refusal().with_kind(ErrorKind::MonitorGone));
        }
        self.polls_task = true;
        Ok(Transition::Next(self))
    }

    fn judge_task(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let answer = answer.success()?;
        let task: Value = answer.json()?;
        let progress = Progress::of(&task, &answer);
        match progress.state.as_str() {
            "Completed" => Ok(Transition::Done(TaskOutcome::Completed(Written::read(&answer)?))),
            "Exception" | "Killed" | "Cancelled" => {
                let failed = Error::new(ErrorKind::TaskFailed { state: progress.state })
                    .with_messages(progress.messages);
                Ok(Transition::Done(TaskOutcome::Failed(answer.stamp(failed))))
            }
            _ => self.still_running(&answer),
        }
    }
}

impl Operation for Watch {
    type Output = TaskOutcome;

    fn secrets(&self, known: &mut Redactor) {
        known.extend(&self.monitor.secrets.0);
    }

    fn request(&self) -> Request {
        match (&self.monitor.task, self.polls_task) {
            (Some(task), true) => Request::get(task),
            _ => Request::get(self.monitor.target()),
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        // It may be a Task, whose state is not known without the body.
        if let (StatusCode::OK, Err(error)) = (answer.status(), answer.body()) {
            return self.fail(answer.stamp(error));
        }
        match answer.status() {
            StatusCode::ACCEPTED => self.still_running(&answer),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                self.poll_failed(answer.refusal())
            }
            StatusCode::UNAUTHORIZED => Err(answer.refusal()),
            StatusCode::NOT_FOUND | StatusCode::GONE => self.monitor_gone(&answer),
            // The monitor is itself a Task. Its state decides, not its 200.
            StatusCode::OK if self.polls_task || is_task(&answer.json().unwrap_or_default()) => {
                self.judge_task(answer)
            }
            _ => Ok(Transition::Done(match Written::read(&answer) {
                Ok(written) => TaskOutcome::Completed(written),
                Err(refusal) => TaskOutcome::Failed(refusal),
            })),
        }
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        // A web server that is still starting may refuse TLS for a while.
        let is_starting = self.polls > 0 && matches!(error.kind(), ErrorKind::Transport(Failure::Tls(_)));
        if error.is_transient() || is_starting || *error.kind() == ErrorKind::SessionLimit {
            self.poll_failed(error)
        } else {
            Err(error)
        }
    }
}

impl Progress {
    fn of(task: &Value, answer: &Answer) -> Progress {
        let state = task.get("TaskState").and_then(Value::as_str).unwrap_or_default();
        let percent = task.get("PercentComplete").and_then(Value::as_f64);
        Progress {
            state: answer.safe(state),
            percent: percent.map(|percent| percent.clamp(0.0, 100.0) as u8),
            messages: task
                .get("Messages")
                .map(|m| message::read_list(m, &answer.redactor))
                .unwrap_or_default(),
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
        let answer = match answer.success() {
            Ok(answer) => answer,
            Err(refusal) => return self.fail(refusal),
        };
        if (self.predicate)(&answer.json()?) {
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
