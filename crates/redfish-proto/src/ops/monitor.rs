//! The monitor of an operation that was accepted (202).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::link::link_at;
use crate::operation::Answer;
use crate::redact::Redactor;
use crate::target::Target;

/// The monitor of an accepted operation, which reports its end. It can be saved as JSON and watched by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    #[serde(rename = "at")]
    pub(crate) target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<Target>,
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
    /// A monitor at a known target.
    pub fn new(target: Target) -> Monitor {
        Monitor { target, task: None, secrets: Secrets::default() }
    }

    /// The monitor of a 202: its `Location`, not the URI of the Task in its body, whose GET returns 200 from the
    /// beginning. `None` if there is neither.
    pub(crate) fn of(answer: &Answer) -> Result<Option<Monitor>, Error> {
        let body: Value = answer.json().unwrap_or_default();
        let link = |pointer: &str| link_at(&body, pointer).map(|link| answer.resolve(link));
        let task = if is_task(&body) { link("/@odata.id").transpose()? } else { None };
        let target = match answer.location() {
            Some(location) => Some(location?),
            None => link("/TaskMonitor").transpose()?.or_else(|| task.clone()),
        };
        let secrets = Secrets(Arc::clone(&answer.redactor));
        Ok(target.map(|target| Monitor { target, task, secrets }))
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

pub(crate) fn is_task(body: &Value) -> bool {
    let named = body.get("@odata.type").and_then(Value::as_str).is_some_and(|t| t.starts_with("#Task."));
    named || body.get("TaskState").is_some()
}
