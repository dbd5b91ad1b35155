//! What the response to a write means: done, accepted, refused, or carried out in part.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::answer::Answer;
use crate::base::Base;
use crate::error::Error;
use crate::etag::ETag;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::message::{self, Message};
use crate::ops::parts::{Judgment, Verdict};
use crate::outcome::{BodySource, End, Monitor, Outcome, Progress, Written};
use crate::redact::SafeText;
use crate::service::Service;
use crate::target::Target;
use crate::view::{self, Decode};

impl Outcome {
    /// Reads the response to a write or an action: 200, 201, 204, 202 with a monitor, or a Task that goes on.
    ///
    /// The messages of the service decide, not only its status: many services answer 200 and say there that they
    /// refused ([`Message::is_refusal`]). A Task is judged by its state.
    ///
    /// # Errors
    /// The refusal of the service, the failure of its Task, and [`ErrorKind::PartiallyApplied`] if only a part was carried
    /// out.
    pub fn read(answer: &Answer) -> Result<Outcome, Error> {
        if !answer.status().is_success() {
            return Err(answer.refusal());
        }
        let is_accepted = answer.status() == StatusCode::ACCEPTED;
        if is_page(answer) && !(is_accepted && answer.location_header().is_some()) {
            let unknown = Error::new(ErrorKind::OutcomeUnknown(Failure::WebPage));
            return Err(answer.stamp(unknown.with_status(answer.status())));
        }
        let document: Value = answer.json().unwrap_or_default();
        let task = started_task(&document, answer);
        let end = task.as_ref().map(|task| task.end);
        if let (Some(task), Some(Some(End::Badly))) = (&task, end) {
            return Err(task.clone().failure(answer));
        }
        let is_running = end == Some(None) || (end.is_none() && names_task(answer));
        let monitor = if is_accepted || is_running { Monitor::of(answer)? } else { None };
        let Judgment { messages, verdict } = Judgment::of(answer, monitor.is_some());
        let outcome = match (monitor, task) {
            (Some(monitor), _) => Outcome::Accepted(monitor.with_messages(messages.clone())),
            (None, Some(task)) if task.end.is_some() => Outcome::Finished(Written::of_task(answer, task)),
            // Supermicro answers 202 to what is already done.
            (None, None) if !is_accepted || document.get("Success").is_some_and(Value::is_object) => {
                Outcome::Finished(Written::of(answer, messages.clone()))
            }
            (None, _) => Outcome::AcceptedWithoutMonitor(Written::of(answer, messages.clone())),
        };
        match verdict {
            Verdict::All => Ok(outcome),
            Verdict::Nothing => Err(answer.refusal_of(messages)),
            Verdict::Part { accepted, rejected } => {
                let created = match &outcome {
                    Outcome::Finished(Written { created: Some(uri), .. }) => answer.safe(uri.as_str()),
                    _ => SafeText::default(),
                };
                let kind = ErrorKind::PartiallyApplied { accepted, rejected, created };
                Err(answer.refusal_of(messages).with_kind(kind).with_partial(outcome))
            }
        }
    }
}

impl Written {
    /// Reads the body as a type: a view, such as the response of an action or the resource that was created, or a type of serde.
    /// `service` is the one that sent it.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if there is no body, or it does not fit the type.
    pub fn decode<T: Decode>(&self, service: &Arc<Service>) -> Result<T, Error> {
        let Some(body) = self.body.as_ref().filter(|body| !body.is_empty()) else {
            return Err(
                Error::malformed("", "the response has no body that can be read").with_service(service)
            );
        };
        let BodySource { target, secrets } = &*self.source;
        let (service, redactor) = (Arc::clone(service), Arc::clone(secrets));
        let base = Arc::new(Base { service, target: target.clone(), redactor });
        view::read(body, &base).map_err(|error| error.with_service(&base.service))
    }

    /// The response to an operation whose Task says how it ended. The Task's messages do not change that.
    pub(crate) fn of_task(answer: &Answer, task: Progress) -> Written {
        let messages = task.messages.into_iter().map(Message::into_notice).collect();
        Written { task_status: task.status, ..Written::of(answer, messages) }
    }

    /// An operation whose Task has ended well, and whose monitor is gone.
    pub(crate) fn without_response(task: Progress, monitor: Target) -> Written {
        Written {
            status: StatusCode::OK,
            created: None,
            etag: None,
            body: Some(Bytes::new()),
            messages: task.messages.into_iter().map(Message::into_notice).collect(),
            task_status: task.status,
            settings: None,
            source: Arc::new(BodySource { target: monitor, secrets: Arc::default() }),
        }
    }

    pub(crate) fn of(answer: &Answer, messages: Vec<Message>) -> Written {
        let created = answer.location().and_then(Result::ok);
        let target = created.as_ref().unwrap_or(&answer.target).clone();
        Written {
            status: answer.status(),
            created,
            etag: ETag::of(answer),
            body: answer.body().ok().cloned(),
            messages,
            task_status: SafeText::default(),
            settings: None,
            source: Arc::new(BodySource { target, secrets: Arc::clone(&answer.redactor) }),
        }
    }
}

impl Answer {
    /// The response, if it is a success: a 2xx whose body is not an error. After a write, its messages decide
    /// ([`Outcome::read`]).
    ///
    /// # Errors
    /// The error that the response reports.
    pub fn success(self) -> Result<Answer, Error> {
        self.check().map(|()| self)
    }

    /// Like [`success`](Answer::success), without taking the response.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !self.requested().0.is_safe() {
            return Outcome::read(self).map(drop);
        }
        let failed =
            !self.status().is_success() || self.body.as_ref().is_ok_and(|body| message::is_error(body));
        if failed { Err(self.refusal()) } else { Ok(()) }
    }
}

/// Whether a response without a body names a Task or a Job in its `Location`, whose state is then not known.
fn names_task(answer: &Answer) -> bool {
    let is_of_task = |target: &Target| {
        let path = target.path();
        ["/TaskService/Tasks/", "/TaskService/TaskMonitors/", "/JobService/Jobs/"]
            .iter()
            .any(|part| path.contains(part))
    };
    answer.body().is_ok_and(|body| body.is_empty())
        && answer.location().and_then(Result::ok).is_some_and(|target| is_of_task(&target))
}

/// Whether the body of a response is a web page. One that did not arrive whole is known by its media type.
fn is_page(answer: &Answer) -> bool {
    match &answer.body {
        Ok(body) => message::is_web_page(body),
        Err(error) if error.failure() == Failure::Undecodable => false,
        Err(_) => answer.headers().get(CONTENT_TYPE).is_some_and(|media_type| {
            let media_type = media_type.as_bytes().trim_ascii_start();
            media_type.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"))
        }),
    }
}

/// The Task or Job that a request has started, if the response shows one. `None` if the request was about the Task itself.
fn started_task(document: &Value, answer: &Answer) -> Option<Progress> {
    let (method, requested) = answer.requested();
    let shown = link_at(document, "/@odata.id").and_then(|link| answer.resolve(link).ok());
    let is_requested = match shown {
        Some(task) => task.is_same_except_slash(requested),
        None => {
            *method != Method::POST
                && ["/Tasks/", "/Jobs/"].iter().any(|name| requested.path().contains(name))
        }
    };
    Progress::of_body(document, answer).filter(|_| !is_requested)
}
