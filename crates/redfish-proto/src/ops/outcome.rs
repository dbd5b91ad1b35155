//! What the response to a write means: done, accepted, refused, or carried out in part.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::etag::ETag;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::message::{self, Message};
use crate::ops::monitor::Monitor;
use crate::ops::progress::{End, Progress};
use crate::redact::SafeText;
use crate::task::is_task;
use crate::written::Written;

/// Maximum number of members of a request that are named in an error.
const MAX_MEMBERS: usize = 1_000;

/// The outcome of a request that the service may complete later.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The service has completed it.
    Finished(Written),
    /// The service has accepted it and completes it later. The monitor reports its end.
    Accepted(Monitor),
    /// The service has accepted it and completes it later, but does not say where its end will be reported.
    AcceptedWithoutMonitor(Written),
}

impl Outcome {
    /// Reads the response to a write or an action: 200, 201, 204, 202 with a monitor, or a Task that goes on.
    ///
    /// # Errors
    /// The refusal of the service, the failure of its Task, and [`ErrorKind::PartiallyApplied`] if only a part was carried
    /// out.
    pub fn read(answer: &Answer) -> Result<Outcome, Error> {
        let is_accepted = answer.status() == StatusCode::ACCEPTED;
        let document: Value = answer.json().unwrap_or_default();
        let is_running = started_task(&document, answer).is_some_and(|task| task.end().is_none());
        if is_accepted || is_running {
            if let Some(monitor) = Monitor::of(answer)? {
                return Ok(Outcome::Accepted(monitor));
            }
        }
        let written = Written::read(answer)?;
        // Supermicro answers 202 to what is already done.
        let is_done = document.get("Success").is_some_and(|success| success.is_object());
        if is_running || (is_accepted && !is_done && !is_task(&document)) {
            return Ok(Outcome::AcceptedWithoutMonitor(written));
        }
        Ok(Outcome::Finished(written))
    }

    /// Accepts a change of which only a part was carried out, as in
    /// `client.patch(path, &change).or_else(Outcome::accept_partial)?`.
    ///
    /// # Errors
    /// Any other error, unchanged.
    pub fn accept_partial(error: Error) -> Result<Outcome, Error> {
        error.into_partial().map(Outcome::Finished)
    }
}

impl Written {
    /// Reads the response to a completed write.
    ///
    /// The messages of the service decide, not only its status: many services answer 200 and say there that they
    /// refused ([`Message::is_refusal`]).
    ///
    /// # Errors
    /// The refusal of the service, and [`ErrorKind::PartiallyApplied`] if only a part of it was carried out.
    pub fn read(answer: &Answer) -> Result<Written, Error> {
        if !answer.status().is_success() {
            return Err(answer.refusal());
        }
        if answer.body().is_ok_and(|body| message::is_web_page(body)) {
            let unknown = Error::new(ErrorKind::OutcomeUnknown(Failure::WebPage));
            return Err(answer.stamp(unknown.with_status(answer.status())));
        }
        let document: Value = answer.json().unwrap_or_default();
        if let Some(task) = started_task(&document, answer) {
            return match task.end() {
                Some(End::Badly) => Err(task.failure(answer)),
                _ => Ok(Written::of_task(answer, task)),
            };
        }
        let mut messages = answer.messages();
        let annotations = message::annotations(&document, &answer.redactor);
        let has_annotated_refusal = annotations.iter().any(Message::is_refusal);
        messages.extend(annotations);
        let written = Written::with_messages(answer, messages);
        if !written.messages.iter().any(Message::is_refusal) {
            return Ok(written);
        }
        let is_shown = has_annotated_refusal || message::has_data(&document);
        let parts = Parts::of(answer, &written, is_shown);
        if parts.is_partial {
            let created = written.created.as_ref().map(|uri| answer.safe(uri.as_str())).unwrap_or_default();
            let Parts { accepted, rejected, .. } = parts;
            let kind = ErrorKind::PartiallyApplied { accepted, rejected, created };
            Err(answer.refusal_of(written.messages.clone()).with_kind(kind).with_partial(written))
        } else {
            Err(answer.refusal_of(written.messages))
        }
    }

    /// The response to an operation whose Task says how it ended. The Task's messages do not change that.
    pub(crate) fn of_task(answer: &Answer, task: Progress) -> Written {
        Written { task_status: task.status, ..Written::with_messages(answer, task.messages) }
    }

    pub(crate) fn with_messages(answer: &Answer, messages: Vec<Message>) -> Written {
        Written {
            status: answer.status(),
            created: answer.location().and_then(Result::ok),
            etag: ETag::of(answer),
            body: answer.body().ok().cloned(),
            messages,
            task_status: SafeText::default(),
            settings: None,
        }
    }
}

/// The Task or Job that a request has started, if the response shows one. `None` if the request was about the Task itself.
fn started_task(document: &Value, answer: &Answer) -> Option<Progress> {
    if !is_task(document) {
        return None;
    }
    let is_requested = match link_at(document, "/@odata.id").and_then(|link| answer.resolve(link).ok()) {
        Some(task) => {
            let requested = answer.target().without_final_slash();
            let task = task.without_final_slash();
            task.path() == requested.path() || task.split_member().0 == requested.path()
        }
        None => *answer.method() != Method::POST,
    };
    (!is_requested).then(|| Progress::of(document, answer))
}

impl Answer {
    /// The response, if it is a success: a 2xx whose body is not an error. After a write, its messages decide
    /// ([`Written::read`]).
    ///
    /// # Errors
    /// The error that the response reports.
    pub fn success(self) -> Result<Answer, Error> {
        self.check().map(|()| self)
    }

    /// Like [`success`](Answer::success), without taking the response.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !self.method.is_safe() {
            return Written::read(self).map(drop);
        }
        let failed = !self.status().is_success()
            || self.body.as_ref().is_ok_and(|body| message::is_error(body, &self.redactor));
        if failed { Err(self.refusal()) } else { Ok(()) }
    }
}

/// Which members of a request were accepted and which were not, as far as the response says, as JSON pointers.
struct Parts {
    accepted: Vec<SafeText>,
    rejected: Vec<SafeText>,
    /// Whether there is a sign that something was carried out.
    is_partial: bool,
}

impl Parts {
    /// `is_shown` says whether the response shows the resource, so that a member without a message was accepted.
    fn of(answer: &Answer, written: &Written, is_shown: bool) -> Parts {
        let (refusals, others): (Vec<&Message>, Vec<&Message>) =
            written.messages.iter().partition(|message| message.is_refusal());
        let successes: Vec<&Message> = others.into_iter().filter(|message| message.is_success()).collect();
        let mut rejected: Vec<SafeText> = related(&refusals).cloned().collect();
        rejected.sort_unstable();
        rejected.dedup();
        let all_named = refusals.iter().all(|message| !message.related.is_empty());
        let named: Vec<&SafeText> = related(&successes).collect();
        let is_accepted = |member: &SafeText| {
            let is_named = named.iter().any(|named| is_within(member, named));
            let is_left = all_named && (is_shown || !successes.is_empty());
            !overlaps(member, &rejected) && (is_named || is_left)
        };
        let accepted: Vec<SafeText> = sent_members(answer).into_iter().filter(is_accepted).collect();
        let was_created = written.status == StatusCode::CREATED && written.created.is_some();
        let is_partial = !accepted.is_empty()
            || !successes.is_empty()
            || was_created
            || (is_action(answer) && refusals.iter().all(|message| is_left_out(message)));
        Parts { accepted, rejected, is_partial }
    }
}

fn related<'a>(messages: &[&'a Message]) -> impl Iterator<Item = &'a SafeText> {
    messages.iter().flat_map(|message| &message.related)
}

/// Whether an action was carried out without the parameter that the message is about.
fn is_left_out(message: &Message) -> bool {
    message.is("ActionParameterUnknown") || message.is("ActionParameterNotSupported")
}

fn is_action(answer: &Answer) -> bool {
    *answer.method() == Method::POST && answer.target().path().contains("/Actions/")
}

/// Whether the member at this pointer is the other one, or a part of it.
fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn overlaps(member: &str, rejected: &[SafeText]) -> bool {
    rejected.iter().any(|rejected| is_within(member, rejected) || is_within(rejected, member))
}

/// The members of the request, without their values.
fn sent_members(answer: &Answer) -> Vec<SafeText> {
    let mut found = Vec::new();
    let sent = answer.sent.bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    if let Some(sent @ Value::Object(_)) = &sent {
        collect_members(sent, String::new(), answer, &mut found);
    }
    found
}

fn collect_members(value: &Value, pointer: String, answer: &Answer, found: &mut Vec<SafeText>) {
    match value {
        _ if found.len() >= MAX_MEMBERS => {}
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                collect_members(value, format!("{pointer}/{name}"), answer, found);
            }
        }
        _ => found.push(answer.safe(&pointer)),
    }
}
