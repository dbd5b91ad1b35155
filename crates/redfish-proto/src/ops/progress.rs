//! What a Task or a Job reports about its operation (DSP0268, Task and Job). Some services have Jobs in place of Tasks.

use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message::{self, Message};
use crate::redact::SafeText;

/// The progress of an operation, from its Task or Job. Missing values are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// `TaskState` or `JobState`: `Running`, `Completed`, …
    pub state: SafeText,
    /// `TaskStatus` or `JobStatus`: `OK`, `Warning` or `Critical`.
    pub status: SafeText,
    /// `PercentComplete`.
    pub percent: Option<u8>,
    /// `Messages`, or the only `Message` of a Job.
    pub messages: Vec<Message>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Badly,
}

impl Progress {
    /// Reads a Task or Job.
    pub(crate) fn of(task: &Value, answer: &Answer) -> Progress {
        let text = |task_member: &str, job_member: &str| {
            let value = task.get(task_member).or_else(|| task.get(job_member)).and_then(Value::as_str);
            answer.safe(value.unwrap_or_default().trim())
        };
        let percent = task.get("PercentComplete").and_then(Value::as_f64);
        let messages = match task.get("Messages") {
            Some(messages) => message::read_list(messages, &answer.redactor),
            None if task.get("Message").is_some() => message::read_list(task, &answer.redactor),
            None => Vec::new(),
        };
        Progress {
            state: text("TaskState", "JobState"),
            status: text("TaskStatus", "JobStatus"),
            percent: percent.map(|percent| percent.clamp(0.0, 100.0) as u8),
            messages,
        }
    }

    /// How it ended. `None` while it goes on. iDRAC reports a failed update as `Completed` with the status `Critical`.
    pub(crate) fn end(&self) -> Option<End> {
        match self.state.to_ascii_lowercase().as_str() {
            "completed" if self.is_critical() => Some(End::Badly),
            "completed" => Some(End::Well),
            "completedwitherrors" | "failed" | "exception" | "killed" | "cancelled" => Some(End::Badly),
            _ => None,
        }
    }

    /// Adds what was seen last to the error of a watch that did not see the end, for example that the task waits for a restart.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match &self.state {
            state if state.is_empty() => error,
            state => error.with_last_seen(format_args!("its last state was {state}"), &self.messages),
        }
    }

    fn is_critical(&self) -> bool {
        self.status.eq_ignore_ascii_case("critical")
    }

    /// The error of an operation that ended badly.
    pub(crate) fn failure(self, answer: &Answer) -> Error {
        let is_critical = self.is_critical();
        let state = if is_critical {
            self.state.followed_by(format_args!(" with the status Critical"))
        } else {
            self.state
        };
        answer.stamp(Error::new(ErrorKind::TaskFailed { state }).with_messages(self.messages))
    }
}
