//! What a Task or a Job reports about its operation (DSP0268, Task and Job). Some services have Jobs in place of Tasks.

use serde_json::Value;

use crate::answer::Answer;
use crate::enumerations::{Health, JobState, TaskState};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message;
use crate::outcome::{End, Progress};
use crate::task::is_task;
use crate::view::Enumeration as _;

/// The names of the state of a Task and of a Job, each with that of its status.
const STATES: [(&str, &str); 2] = [("TaskState", "TaskStatus"), ("JobState", "JobStatus")];

impl Progress {
    /// The state as that of a Task. A Job has some other states.
    pub fn task_state(&self) -> TaskState {
        TaskState::of(&self.state)
    }

    /// The state as that of a Job.
    pub fn job_state(&self) -> JobState {
        JobState::of(&self.state)
    }

    /// The health that the operation reports, if it reports one.
    pub fn health(&self) -> Option<Health> {
        (!self.status.is_empty()).then(|| Health::of(&self.status))
    }

    /// Reads a Task or Job.
    pub(crate) fn of(task: &Value, answer: &Answer) -> Progress {
        let text = |name: &str| task.get(name).and_then(Value::as_str).unwrap_or_default().trim();
        let first =
            |[task, job]: [&str; 2]| answer.safe(if text(task).is_empty() { text(job) } else { text(task) });
        let percent = task.get("PercentComplete").and_then(Value::as_f64);
        let messages = match task.get("Messages") {
            Some(messages) => message::read_list(messages, &answer.redactor),
            None if task.get("Message").is_some() => message::read_list(task, &answer.redactor),
            None => Vec::new(),
        };
        // A secret of the request may be a part of a state, so that only the text of the service tells it.
        let states = STATES.iter().filter(|(state, _)| task.get(state).is_some());
        let ends: Vec<Option<End>> = states.map(|(state, status)| end(text(state), text(status))).collect();
        Progress {
            state: first(STATES.map(|(state, _)| state)),
            status: first(STATES.map(|(_, status)| status)),
            percent: percent.map(|percent| percent.clamp(0.0, 100.0) as u8),
            messages,
            end: match ends.as_slice() {
                ends if ends.contains(&Some(End::Badly)) => Some(End::Badly),
                ends if ends.contains(&None) => None,
                [] => None,
                _ => Some(End::Well),
            },
        }
    }

    /// Reads the body of a response, if it is a Task or a Job.
    pub(crate) fn of_body(body: &Value, answer: &Answer) -> Option<Progress> {
        is_task(body).then(|| Progress::of(body, answer))
    }

    /// Adds what was seen last to the error of a watch that did not see the end, for example that the task waits for a restart.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match &self.state {
            state if state.is_empty() => error,
            state => error.with_last_seen(format_args!("its last state was {state}"), &self.messages),
        }
    }

    /// The error of an operation that ended badly.
    pub(crate) fn failure(self, answer: &Answer) -> Error {
        let state = match self.state.as_str() {
            "Completed" => self.state.followed_by(format_args!(" with the status {}", self.status)),
            _ => self.state,
        };
        answer.stamp(Error::new(ErrorKind::TaskFailed { state }).with_messages(self.messages))
    }
}

/// How an operation with this state ended. iDRAC reports a failed update as `Completed` with the status `Critical`.
fn end(state: &str, status: &str) -> Option<End> {
    match state.to_ascii_lowercase().as_str() {
        "completed" if status.eq_ignore_ascii_case("critical") => Some(End::Badly),
        "completed" => Some(End::Well),
        "completedwitherrors" | "failed" | "exception" | "killed" | "cancelled" => Some(End::Badly),
        _ => None,
    }
}
