//! The monitor of an operation that was accepted (202).

use std::sync::Arc;

use http::header::LINK;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::link::link_at;
use crate::message::{Message, RawMessage};
use crate::outcome::{Acceptance, Monitor, Progress};
use crate::target::Target;
use crate::task::is_task;

impl Monitor {
    /// A monitor at a known target, which may also be that of a Task or a Job.
    pub fn new(target: Target) -> Monitor {
        Monitor { target, task: None, is_accepted: false, acceptance: Acceptance::default() }
    }

    /// The monitor in a response: its `Location`, not the URI of the Task in its body, whose GET returns 200 from the
    /// beginning. Some services name the Task only in a `Link` header or in a message. `None` if there is nothing of it.
    pub(crate) fn of(answer: &Answer) -> Result<Option<Monitor>, Error> {
        let body: Value = answer.json().unwrap_or_default();
        let link = |pointer: &str| link_at(&body, pointer).map(|link| answer.resolve(link));
        let in_body = if is_task(&body) { link("/@odata.id").transpose()? } else { None };
        let task = in_body.or_else(|| linked_task(answer)).or_else(|| task_in_messages(&body, answer));
        let target = match answer.location() {
            Some(location) => Some(location?),
            None => link("/TaskMonitor").transpose()?.or_else(|| task.clone()),
        };
        let acceptance = Acceptance {
            secrets: Arc::clone(&answer.redactor),
            messages: Vec::new(),
            progress: Progress::of_body(&body, answer).unwrap_or_default(),
        };
        Ok(target.map(|target| Monitor { target, task, is_accepted: true, acceptance }))
    }

    /// Keeps what the service said when it accepted the operation.
    pub(crate) fn with_messages(mut self, messages: Vec<Message>) -> Monitor {
        self.acceptance.messages = messages;
        self
    }

    /// The target that is polled.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What the service said when it accepted the operation.
    pub fn messages(&self) -> &[Message] {
        &self.acceptance.messages
    }

    /// The Task, if it is known.
    pub fn task(&self) -> Option<&Target> {
        self.task.as_ref()
    }
}

/// The Task in a `Link` header.
fn linked_task(answer: &Answer) -> Option<Target> {
    let lines = answer.headers().get_all(LINK).into_iter().filter_map(|line| line.to_str().ok());
    let mut links = lines.flat_map(|line| line.split('<').skip(1).filter_map(|link| link.split_once('>')));
    links.find_map(|(link, _)| task_at(link, answer))
}

/// The Task among the arguments of a message that says that it was started.
fn task_in_messages(body: &Value, answer: &Answer) -> Option<Target> {
    let messages = RawMessage::all_of(body);
    let accepting = messages.iter().filter(|message| message.says_accepted());
    accepting.flat_map(RawMessage::arguments).find_map(|argument| task_at(argument, answer))
}

fn task_at(link: &str, answer: &Answer) -> Option<Target> {
    let target = answer.resolve(link).ok()?;
    let (_, below) = target.path().split_once("/TaskService/")?;
    (link.contains('/') && !below.is_empty()).then_some(target)
}
