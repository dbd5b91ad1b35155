//! The text of an error: one clause.

use std::fmt;
use std::time::Duration;

use super::Error;
use crate::kind::{ErrorKind, Failure};
use crate::message::Message;
use crate::redact::SafeText;

impl Error {
    fn description(&self) -> String {
        let inner = &*self.0;
        let join = |texts: &[SafeText]| SafeText::join(texts, ", ");
        match &inner.kind {
            ErrorKind::Transport(failure @ Failure::WebPage) => failure.to_string(),
            ErrorKind::Transport(failure) => match inner.status {
                Some(status) => format!("{}, but then {failure}", status.as_u16()),
                None if inner.detail.is_empty() => failure.to_string(),
                None => format!("{failure}, and {}", inner.detail),
            },
            ErrorKind::Deadline(phase) => format!("the deadline passed {phase}{}", self.last_seen()),
            ErrorKind::CrossOrigin { link } if link.is_empty() => "a link to another origin".into(),
            ErrorKind::CrossOrigin { link } => format!("a link to another origin, {link}"),
            ErrorKind::Redirect { location, reason } if location.is_empty() => format!("redirect {reason}"),
            ErrorKind::Redirect { location, reason } => format!("redirect {reason}: {location}"),
            ErrorKind::HeadTooLarge(limits) => limits.to_string(),
            ErrorKind::TooLarge { limit } => format!("the response exceeds the limit of {limit} bytes"),
            ErrorKind::Malformed { pointer, reason } if pointer.is_empty() => {
                format!("malformed response: {reason}")
            }
            ErrorKind::Malformed { pointer, reason } => format!("malformed response: at {pointer}: {reason}"),
            ErrorKind::PartiallyApplied { accepted, created, .. } => self.partial_text(accepted, created),
            ErrorKind::OutcomeUnknown(failure) => format!("sent, but its outcome is unknown: {failure}"),
            ErrorKind::TaskFailed { state } => {
                let texts: Vec<&str> = inner.messages.iter().map(|m| m.text.clause()).collect();
                format!("the task ended in {state}: {}", texts.join("; "))
                    .trim_end_matches([':', ' '])
                    .to_owned()
            }
            ErrorKind::MonitorGone => {
                format!("the monitor is gone, and the outcome of the task is unknown{}", self.last_seen())
            }
            ErrorKind::MonitorNotFound => "the monitor was never seen".into(),
            ErrorKind::ActionNotFound { offered } if offered.is_empty() => "no action is offered".into(),
            ErrorKind::ActionNotFound { offered } => {
                format!("the action is not unique or not offered among {}", join(offered))
            }
            ErrorKind::AmbiguousTarget { choices } if choices.is_empty() => {
                "the collection has no members".into()
            }
            ErrorKind::AmbiguousTarget { choices } => {
                format!("the collection has several members: {}", join(choices))
            }
            ErrorKind::InvalidParameter { parameter, allowable } if allowable.is_empty() => {
                format!("the parameter {parameter} is required")
            }
            ErrorKind::InvalidParameter { parameter, allowable } => {
                format!("the parameter {parameter} accepts {}", join(allowable))
            }
            ErrorKind::ImageTooLarge { limit } => {
                format!("the service accepts images of up to {limit} bytes")
            }
            ErrorKind::PushReserved { targets, busy } => format!(
                "another client has {} the push: HttpPushUriTargets is [{}], HttpPushUriTargetsBusy is {busy}",
                if *busy { "reserved" } else { "set targets of" },
                join(targets)
            ),
            ErrorKind::NotSupported(what) => format!("the service does not support {what}"),
            ErrorKind::SessionUriUnknown => {
                "a session may be left open: its URI is unknown, and the service does not mark it".into()
            }
            ErrorKind::Closed => "the client is closed".into(),
            ErrorKind::CredentialsReplaced => "the credentials were replaced during the login".into(),
            ErrorKind::InvalidService(reason) => format!("not a valid service URL: {reason}"),
            ErrorKind::InvalidTarget(reason) => reason.to_string(),
            ErrorKind::InvalidCredentials(reason) => format!("unusable credentials: {reason}"),
            ErrorKind::InvalidRequest(reason) => reason.to_string(),
            ErrorKind::ReservedHeader(name) => format!("only the client sets the header {name}"),
            ErrorKind::ForeignSession => "the session belongs to another service".into(),
            ErrorKind::NotAuthenticated if inner.status.is_none() => "not logged in".into(),
            ErrorKind::LicenseRequired => format!("no valid license: {}", self.response_text()),
            _ => self.response_text(),
        }
    }

    /// What was seen last of an operation: `; its last state was Pending: Task successfully scheduled`. May be empty.
    fn last_seen(&self) -> String {
        if self.0.detail.is_empty() {
            return String::new();
        }
        let mut texts: Vec<&str> = self.0.messages.iter().map(|m| m.text.clause()).collect();
        texts.retain(|text| !text.is_empty());
        join_filled([&format!("; {}", self.0.detail), &texts.join("; ")], ": ")
    }

    /// A partially applied write as a clause: `a part of the change was not accepted: /Id (Base.1.8.PropertyNotWritable):
    /// the property …; accepted: /AssetTag`.
    fn partial_text(&self, accepted: &[SafeText], created: &SafeText) -> String {
        let refusal = |message: &Message| {
            let id = if message.id.is_empty() { String::new() } else { format!("({})", message.id) };
            let about = join_filled([SafeText::join(&message.related, ", ").as_str(), &id], " ");
            join_filled([&about, message.text.clause()], ": ")
        };
        let refusals = self.0.messages.iter().filter(|message| message.is_refusal());
        let mut parts: Vec<String> = refusals.map(refusal).collect();
        parts.dedup();
        if !accepted.is_empty() {
            parts.push(format!("accepted: {}", SafeText::join(accepted, ", ")));
        }
        if !created.is_empty() {
            parts.push(format!("created: {created}"));
        }
        format!("a part of the change was not accepted: {}", parts.join("; "))
    }

    /// The response as a clause: `503 (IDRAC.2.8.RAC0218): the maximum number …`.
    fn response_text(&self) -> String {
        let inner = &*self.0;
        let mut text = inner.status.map_or_else(|| "refused".to_owned(), |s| s.as_u16().to_string());
        let ids: Vec<&SafeText> = inner.messages.iter().map(|m| &m.id).filter(|id| !id.is_empty()).collect();
        if !ids.is_empty() {
            text += &format!(" ({})", SafeText::join(ids, ", "));
        } else if let Some(reason) = inner.status.and_then(|s| s.canonical_reason()) {
            text += &format!(" {reason}");
        }
        let mut texts: Vec<&str> = inner.messages.iter().map(|m| m.text.clause()).collect();
        texts.push(&inner.detail);
        texts.retain(|t| !t.is_empty());
        if !texts.is_empty() {
            text += &format!(": {}", texts.join("; "));
        }
        if let Some(how) = inner.session_alive {
            text += &format!("; {how}");
        }
        if let Some(wait) = inner.retry_after {
            text += &format!(" (retry after {})", in_seconds(wait));
        }
        text
    }
}

/// A wait in seconds, with the fraction that few services send. Some send the largest number for "never".
pub(super) fn in_seconds(wait: Duration) -> String {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    match wait.subsec_nanos() {
        _ if wait > YEAR => "more than a year".to_owned(),
        0 => format!("{} s", wait.as_secs()),
        _ => format!("{} s", wait.as_secs_f64()),
    }
}

/// Joins two texts, of which either may be empty.
fn join_filled(texts: [&str; 2], separator: &str) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(separator)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service) = self.service() {
            write!(f, "{}: ", service.strip_prefix("https://").unwrap_or(service))?;
        }
        if let (Some(method), Some(uri)) = (self.method(), self.uri()) {
            write!(f, "{method} {uri}: ")?;
        }
        f.write_str(&self.description())?;
        match self.session_left() {
            Some(session) => write!(f, "; a session was left open at {session}"),
            None => Ok(()),
        }
    }
}
