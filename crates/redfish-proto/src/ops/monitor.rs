//! The monitor of an operation that was accepted (202).

use std::sync::Arc;

use http::header::LINK;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::link::link_at;
use crate::message;
use crate::redact::Redactor;
use crate::target::Target;
use crate::task::is_task;

/// The monitor of an accepted operation, which reports its end. It can be saved as JSON and watched by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    #[serde(rename = "at")]
    pub(crate) target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<Target>,
    /// Whether a 202 named it.
    #[serde(default, rename = "accepted", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_accepted: bool,
    #[serde(skip)]
    pub(crate) secrets: Secrets,
}

/// The secrets of the accepted request, which the service may echo at the end. They do not count when two monitors
/// are compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(pub(crate) Arc<Redactor>);

impl PartialEq for Secrets {
    fn eq(&self, _: &Secrets) -> bool {
        true
    }
}

impl Eq for Secrets {}

impl Monitor {
    /// A monitor at a known target, which may also be that of a Task or a Job.
    pub fn new(target: Target) -> Monitor {
        Monitor { target, task: None, is_accepted: false, secrets: Secrets::default() }
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
        let secrets = Secrets(Arc::clone(&answer.redactor));
        Ok(target.map(|target| Monitor { target, task, is_accepted: true, secrets }))
    }

    /// The target that is polled.
    pub fn target(&self) -> &Target {
        &self.target
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
    let messages = message::messages_of(body, &answer.redactor);
    let accepting = messages.iter().filter(|message| message.is("Accepted") || message.is("TaskAccepted"));
    accepting.flat_map(|message| &message.args).find_map(|argument| task_at(argument, answer))
}

fn task_at(link: &str, answer: &Answer) -> Option<Target> {
    let target = answer.resolve(link).ok()?;
    let (_, below) = target.path().split_once("/TaskService/")?;
    (link.contains('/') && !below.is_empty()).then_some(target)
}
