//! Changing a resource with PATCH, PUT, POST and DELETE, and the forms of the response.

use bytes::Bytes;
use http::header::{HeaderValue, IF_MATCH};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::body::Body;
use crate::error::Error;
use crate::etag::ETag;
use crate::message::{self, Message};
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::monitor::Monitor;
use crate::redact::{Redactor, SafeText};
use crate::target::Target;

/// A change of a resource (DSP0266, "Data modification requests").
///
/// By default it is sent without `If-Match`. A 412 ends in [`Conflict`](crate::ErrorKind::Conflict) with the current
/// ETag of the resource.
#[derive(Clone, Debug)]
pub struct Write {
    request: Request,
    if_match: IfMatch,
    stage: Stage,
}

/// The version of the resource that a [`Write`] changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfMatch {
    /// Any version.
    #[default]
    None,
    /// This version, which the caller has read.
    Exactly(ETag),
    /// The current version, which is read first. A change by another client between the two requests is not
    /// overwritten.
    Current,
    /// Any version. After a 428, the ETag is read and the write is sent again: a 428 means that the first was not
    /// carried out.
    IfRequired,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Reads the ETag before the write.
    Read,
    /// Writes, with this `If-Match`.
    Send(Option<HeaderValue>),
    /// Reads the ETag to add it to this error.
    Explain(Error),
}

/// The outcome of a request that the service may complete later.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The service has completed it.
    Finished(Written),
    /// The service has accepted it and completes it later. The monitor reports its end.
    Accepted(Monitor),
}

/// A change that was carried out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Written {
    /// The status: usually 200, 201 or 204.
    pub status: StatusCode,
    /// The URI of the new resource. `None` if the service did not return one, or one that the policy for links refuses.
    pub created: Option<Target>,
    /// The new ETag of the resource.
    pub etag: Option<ETag>,
    /// The body as the service sent it. `None` if it broke off, is too large or cannot be decoded.
    pub body: Option<Bytes>,
    /// The messages about the whole request.
    pub messages: Vec<Message>,
    /// Members that were rejected while others were accepted, each as a JSON pointer with its messages.
    pub rejected: Vec<(SafeText, Vec<Message>)>,
}

impl Write {
    /// Changes the members in the body and leaves the others.
    pub fn patch(target: &Target, body: Body) -> Write {
        Write::of(Request::patch(target).json(body))
    }

    /// Replaces the whole resource.
    pub fn put(target: &Target, body: Body) -> Write {
        Write::of(Request::new(Method::PUT, target).json(body))
    }

    /// Creates a member of a collection.
    pub fn post(target: &Target, body: Body) -> Write {
        Write::of(Request::post(target).json(body))
    }

    /// Removes a resource.
    pub fn delete(target: &Target) -> Write {
        Write::of(Request::delete(target))
    }

    fn of(request: Request) -> Write {
        Write { request, if_match: IfMatch::None, stage: Stage::Send(None) }
    }

    /// Sets the version that it changes.
    #[must_use]
    pub fn if_match(mut self, if_match: IfMatch) -> Write {
        self.stage = match &if_match {
            IfMatch::Exactly(etag) => Stage::Send(Some(etag.value())),
            IfMatch::Current => Stage::Read,
            IfMatch::None | IfMatch::IfRequired => Stage::Send(None),
        };
        self.if_match = if_match;
        self
    }

    fn after_write(mut self, answer: &Answer, etag: Option<&HeaderValue>) -> Result<Transition<Self>, Error> {
        match answer.status() {
            StatusCode::PRECONDITION_FAILED => {
                self.stage = Stage::Explain(answer.refusal());
                Ok(Transition::Next(self))
            }
            StatusCode::PRECONDITION_REQUIRED if self.if_match == IfMatch::IfRequired && etag.is_none() => {
                self.stage = Stage::Read;
                Ok(Transition::Next(self))
            }
            _ => Ok(Transition::Done(Outcome::read(answer)?)),
        }
    }
}

impl Operation for Write {
    type Output = Outcome;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Read | Stage::Explain(_) => Request::get(&self.request.target),
            Stage::Send(None) => self.request.clone(),
            Stage::Send(Some(etag)) => self.request.clone().header(IF_MATCH, etag.clone()),
        }
    }

    fn secrets(&self, known: &mut Redactor) {
        self.request.body.register_secrets(known);
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match self.stage.clone() {
            Stage::Read => {
                let answer = answer.success()?;
                let etag = ETag::of(&answer);
                let form = answer.service.policy().etag_form;
                self.stage = Stage::Send(etag.and_then(|etag| etag.in_form(form)));
                // Another 428 is final.
                self.if_match = IfMatch::Current;
                Ok(Transition::Next(self))
            }
            Stage::Send(etag) => self.after_write(&answer, etag.as_ref()),
            Stage::Explain(error) => Err(error.with_etag(ETag::of(&answer))),
        }
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        match self.stage {
            // The conflict is reported even if the ETag cannot be read.
            Stage::Explain(conflict) => Err(conflict),
            _ => Err(error),
        }
    }
}

impl Outcome {
    /// Reads the response to a write or an action: 200, 201, 204, or 202 with a monitor.
    ///
    /// # Errors
    /// The refusal of the service.
    pub fn read(answer: &Answer) -> Result<Outcome, Error> {
        if answer.status() == StatusCode::ACCEPTED {
            if let Some(monitor) = Monitor::of(answer)? {
                return Ok(Outcome::Accepted(monitor));
            }
        }
        Ok(Outcome::Finished(Written::read(answer)?))
    }
}

impl Written {
    /// Reads the response to a completed write.
    ///
    /// # Errors
    /// The refusal of the service.
    pub fn read(answer: &Answer) -> Result<Written, Error> {
        answer.check()?;
        let body = answer.body().ok().cloned();
        let has_messages =
            body.as_deref().is_some_and(|b| b.windows(21).any(|w| w == b"@Message.ExtendedInfo"));
        let document: Value = if has_messages { answer.json().unwrap_or_default() } else { Value::Null };
        let mut rejected = Vec::new();
        collect_rejected(&document, "", &answer.redactor, &mut rejected);
        Ok(Written {
            status: answer.status(),
            created: answer.location().and_then(Result::ok),
            etag: ETag::of(answer),
            messages: if has_messages { answer.messages() } else { Vec::new() },
            rejected,
            body,
        })
    }
}

/// Finds annotations such as `AssetTag@Message.ExtendedInfo`, which report that one member was rejected.
fn collect_rejected(
    document: &Value,
    pointer: &str,
    redactor: &Redactor,
    rejected: &mut Vec<(SafeText, Vec<Message>)>,
) {
    let Value::Object(members) = document else { return };
    for (name, value) in members {
        match name.strip_suffix("@Message.ExtendedInfo") {
            Some("") => {}
            Some(member) => {
                let messages = message::read_list(value, redactor);
                if !messages.is_empty() && !messages.iter().any(Message::is_success) {
                    rejected.push((redactor.clean(&format!("{pointer}/{member}")), messages));
                }
            }
            None if name != "error" => {
                collect_rejected(value, &format!("{pointer}/{name}"), redactor, rejected)
            }
            None => {}
        }
    }
}
