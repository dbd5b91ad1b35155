//! What can go wrong, as a value to match and a sentence to act on.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::etag::ETag;
use crate::kind::{ErrorKind, Failure};
use crate::message::{self, Message};
use crate::redact::{Redactor, Secret};
use crate::target::Target;

/// A failed call: what failed, at which method and URI, what the service said, and what to do.
///
/// `Display` is one sentence with all of it; [`kind`](Error::kind) is what a program matches. No secret of the
/// client stands in any text of it. Cloning is cheap enough to tell many waiting callers the same.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    method: Option<Method>,
    uri: Option<String>,
    status: Option<StatusCode>,
    messages: Vec<Message>,
    text: String,
    retry_after: Option<Duration>,
    session_left: Option<Target>,
    /// Whether the URI of a session that was left contains a secret, so that it is not shown.
    secret_left: bool,
    /// A session that was opened and could not be closed, for whoever can still close it.
    unclosed: Option<Unclosed>,
    /// How it is known that the session is alive.
    session_alive: Option<&'static str>,
    etag: Option<ETag>,
    advice: Option<String>,
}

/// What it takes to close a session: its token, and its URI if that is known.
#[derive(Clone)]
pub(crate) struct Unclosed {
    pub(crate) token: Secret,
    pub(crate) location: Option<Target>,
}

impl Error {
    /// An error of that kind, for operations of one's own. The core adds method and URI.
    pub fn new(kind: ErrorKind) -> Error {
        Error(Box::new(Inner {
            kind,
            method: None,
            uri: None,
            status: None,
            messages: Vec::new(),
            text: String::new(),
            retry_after: None,
            session_left: None,
            secret_left: false,
            unclosed: None,
            session_alive: None,
            etag: None,
            advice: None,
        }))
    }

    /// The error an answer that is no success is.
    pub(crate) fn refused(
        status: StatusCode,
        retry_after: Option<Duration>,
        messages: Vec<Message>,
        text: String,
        account: impl FnOnce(&Message) -> Option<Target>,
    ) -> Error {
        let says = |key: &str| messages.iter().find(|m| m.is(key));
        let kind = if says("SessionLimitExceeded").or(says("RAC0218")).is_some() {
            ErrorKind::SessionLimit
        } else if let Some(message) =
            says("PasswordChangeRequired").filter(|_| status != StatusCode::UNAUTHORIZED)
        {
            ErrorKind::PasswordChangeRequired { account: account(message) }
        } else {
            match status.as_u16() {
                401 => ErrorKind::NotAuthenticated,
                403 => ErrorKind::Forbidden,
                404 | 410 => ErrorKind::NotFound,
                409 | 412 => ErrorKind::Conflict,
                428 => ErrorKind::PreconditionRequired,
                429 | 503 => ErrorKind::Busy,
                _ => ErrorKind::Refused,
            }
        };
        let mut error = Error::new(kind);
        (error.0.status, error.0.messages, error.0.text) = (Some(status), messages, text);
        error.0.retry_after = retry_after;
        error
    }

    /// An answer that is not what it has to be.
    pub(crate) fn malformed(at: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::new(ErrorKind::Malformed { at: at.into(), reason: reason.into() })
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Error {
        self.0.status = self.0.status.or(Some(status));
        self
    }

    /// Says that a session may be open that could not be closed, and keeps it for whoever can.
    pub(crate) fn with_unclosed(mut self, unclosed: Option<Unclosed>) -> Error {
        self.0.unclosed = unclosed;
        let text = "a session may be left open, since the service issued a token all the same";
        let separator = if self.0.text.is_empty() { "" } else { "; " };
        self.0.text = format!("{}{separator}{text}", self.0.text);
        self
    }

    pub(crate) fn take_unclosed(&mut self) -> Option<Unclosed> {
        self.0.unclosed.take()
    }

    pub(crate) fn with_session_left(mut self, session: Option<Target>) -> Error {
        self.0.session_left = session;
        self
    }

    /// A 401 although the session is alive; the text says how that is known.
    pub(crate) fn with_session_alive(mut self, how: &'static str) -> Error {
        self.0.session_alive = Some(how);
        self.with_advice(
            "Logging in does not help: check the account's privileges and the license that the resource needs."
                .to_owned(),
        )
    }

    pub(crate) fn with_etag(mut self, etag: Option<ETag>) -> Error {
        self.0.etag = etag;
        self
    }

    pub(crate) fn with_messages(mut self, messages: Vec<Message>) -> Error {
        self.0.messages = messages;
        self
    }

    /// Says what to do about it, where an operation knows better than the kind.
    pub(crate) fn with_advice(mut self, advice: String) -> Error {
        self.0.advice = Some(advice);
        self
    }

    /// Adds what to know beside what the service said.
    pub(crate) fn with_text(mut self, text: &str) -> Error {
        self.0.text = text.to_owned();
        self
    }

    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    /// Says at which exchange it happened, unless that is known, and takes out secrets once more: an operation
    /// may have made texts of its own.
    pub(crate) fn stamped(mut self, exchange: Option<(&Method, &Target)>, redactor: &Redactor) -> Error {
        let inner = &mut *self.0;
        if let Some((method, target)) = exchange {
            inner.method.get_or_insert_with(|| method.clone());
            inner.uri.get_or_insert_with(|| target.to_string());
        }
        let left_at = inner.session_left.as_ref().map(ToString::to_string).unwrap_or_default();
        if redactor.clean(&left_at) != left_at {
            inner.session_left = None;
            inner.secret_left = true;
        }
        let mut left = message::TOTAL;
        let mut clean = |text: &mut String| {
            let shown = message::shown(text, redactor, &mut left);
            if *text != shown {
                *text = shown;
            }
        };
        // A URI is bounded by itself, and of use only whole.
        if let Some(uri) = &mut inner.uri {
            *uri = redactor.clean(uri).into_owned();
        }
        clean(&mut inner.text);
        inner.advice.iter_mut().for_each(&mut clean);
        for message in &mut inner.messages {
            let Message { id, text, args, severity, resolution, related } = message;
            [id, text, severity, resolution].into_iter().chain(args).chain(related).for_each(&mut clean);
        }
        match &mut inner.kind {
            ErrorKind::OffOrigin { link } => clean(link),
            ErrorKind::Redirect { location, .. } => clean(location),
            ErrorKind::Malformed { at, reason } => [at, reason].into_iter().for_each(&mut clean),
            ErrorKind::TaskFailed { state } => clean(state),
            ErrorKind::NotOffered { offered: texts } | ErrorKind::Ambiguous { choices: texts } => {
                texts.iter_mut().for_each(&mut clean);
                texts.retain(|text| !text.is_empty());
            }
            ErrorKind::NotAllowable { parameter, allowable } => {
                [parameter].into_iter().chain(allowable.iter_mut()).for_each(&mut clean);
                allowable.retain(|text| !text.is_empty());
            }
            _ => {}
        }
        self
    }

    /// A login's failure as the failure of the call that needed it: that call's outcome is not in doubt.
    pub(crate) fn of_login(mut self) -> Error {
        if let ErrorKind::OutcomeUnknown(failure) = self.0.kind {
            self.0.kind = ErrorKind::Transport(failure);
            self.0.text = "the login may have left a session open".to_owned();
        }
        self
    }

    /// Whether it may be otherwise in a while: a connection that failed, a service that is busy. What watches or listens
    /// goes on after such an error, and ends after any other.
    pub fn may_pass(&self) -> bool {
        match self.kind() {
            ErrorKind::Busy => true,
            ErrorKind::Transport(failure) => !matches!(failure, Failure::Untrusted | Failure::Tls(_)),
            _ => false,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The method of the exchange that failed.
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// Path and query of the exchange that failed.
    pub fn uri(&self) -> Option<&str> {
        self.0.uri.as_deref()
    }

    /// The status the service answered, where it did.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What the service said.
    pub fn messages(&self) -> &[Message] {
        &self.0.messages
    }

    /// How long the service asked to wait, by seconds or a date.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// With a [`Conflict`](ErrorKind::Conflict): the ETag the resource has now, where it could be read.
    pub fn etag(&self) -> Option<&ETag> {
        self.0.etag.as_ref()
    }

    /// The URI of a session that was opened and cannot be used or closed: a login whose answer had no token.
    pub fn session_left(&self) -> Option<&Target> {
        self.0.session_left.as_ref()
    }

    /// With a 401: whether the session is known to be alive, so that the account's privileges or a license are missing
    /// and another login does not help.
    pub fn session_alive(&self) -> bool {
        self.0.session_alive.is_some()
    }

    /// What to do about it: the service's own resolutions, else what helps with this kind.
    pub fn hint(&self) -> String {
        if let Some(advice) = &self.0.advice {
            return advice.clone();
        }
        let mut said: Vec<&str> = self.0.messages.iter().map(|m| m.resolution.trim()).collect();
        said.retain(|r| !r.is_empty() && !r.eq_ignore_ascii_case("none") && !r.eq_ignore_ascii_case("none."));
        said.dedup();
        if said.is_empty() { self.0.kind.hint().to_owned() } else { said.join(" ") }
    }

    fn what(&self) -> String {
        let inner = &*self.0;
        match &inner.kind {
            ErrorKind::Transport(failure) => match inner.status {
                Some(status) => format!("the service answered {}, then {failure}", status.as_u16()),
                None if inner.text.is_empty() => failure.to_string(),
                None => format!("{failure}, and {}", inner.text),
            },
            ErrorKind::Deadline(phase) => format!("the deadline passed {phase}"),
            ErrorKind::OffOrigin { link } => format!("the answer links to another origin, {link}"),
            ErrorKind::Redirect { location, reason } if location.is_empty() => format!("a redirect {reason}"),
            ErrorKind::Redirect { location, reason } => format!("a redirect to {location} {reason}"),
            ErrorKind::TooLarge { limit } => format!("the answer is over the limit of {limit} bytes"),
            ErrorKind::Malformed { at, reason } if at.is_empty() => format!("a malformed answer: {reason}"),
            ErrorKind::Malformed { at, reason } => format!("a malformed answer: at {at}: {reason}"),
            ErrorKind::OutcomeUnknown(failure) => format!("sent, but its outcome is unknown: {failure}"),
            ErrorKind::TaskFailed { state } => {
                let said: Vec<&str> = inner.messages.iter().map(|m| m.text.trim_end_matches('.')).collect();
                format!("the task ended in {state}: {}", said.join(". "))
                    .trim_end_matches([':', ' '])
                    .to_owned()
            }
            ErrorKind::TaskGone => "the monitor is gone, and how the task ended is not known".into(),
            ErrorKind::NotOffered { offered } if offered.is_empty() => "no action is offered".into(),
            ErrorKind::NotOffered { offered } => {
                format!("not exactly one such action is offered; there are {}", offered.join(", "))
            }
            ErrorKind::Ambiguous { choices } if choices.is_empty() => "there is none".into(),
            ErrorKind::Ambiguous { choices } => format!("there are several: {}", choices.join(", ")),
            ErrorKind::NotAllowable { parameter, allowable } if allowable.is_empty() => {
                format!("the parameter {parameter} is required")
            }
            ErrorKind::NotAllowable { parameter, allowable } => {
                format!("the parameter {parameter} takes {}", allowable.join(", "))
            }
            ErrorKind::ImageTooLarge { limit } => {
                format!("the service takes images of {limit} bytes at the most")
            }
            ErrorKind::NotSupported(what) => format!("the service does not offer {what}"),
            ErrorKind::SessionUriUnknown => {
                "the session's URI is unknown, and the service marks none as ours".into()
            }
            ErrorKind::Closed => "the client is closed".into(),
            ErrorKind::CredentialsReplaced => "the credentials were replaced while the login ran".into(),
            ErrorKind::InvalidService(reason) => format!("not the URL of a service: {reason}"),
            ErrorKind::InvalidTarget(reason) => (*reason).to_owned(),
            ErrorKind::InvalidCredentials(reason) => format!("unusable credentials: {reason}"),
            ErrorKind::InvalidRequest(reason) => format!("not a request: {reason}"),
            ErrorKind::ReservedHeader(name) => format!("the header {name} is set by the client alone"),
            ErrorKind::ForeignSession => "the session belongs to another service".into(),
            ErrorKind::NotAuthenticated if inner.status.is_none() => {
                "the service has no session of ours".into()
            }
            _ => self.answered(),
        }
    }

    /// The service's own words: `the service answered 503 (IDRAC.2.8.RAC0218): the maximum number …`.
    fn answered(&self) -> String {
        let inner = &*self.0;
        let mut said = match inner.status {
            Some(status) => format!("the service answered {}", status.as_u16()),
            None => "the service refused".to_owned(),
        };
        let ids: Vec<&str> =
            inner.messages.iter().map(|m| m.id.as_str()).filter(|id| !id.is_empty()).collect();
        if !ids.is_empty() {
            said += &format!(" ({})", ids.join(", "));
        } else if let Some(reason) = inner.status.and_then(|s| s.canonical_reason()) {
            said += &format!(" ({reason})");
        }
        let mut texts: Vec<&str> = inner.messages.iter().map(|m| m.text.trim_end_matches('.')).collect();
        texts.push(&inner.text);
        texts.retain(|t| !t.is_empty());
        if !texts.is_empty() {
            said += &format!(": {}", texts.join(". "));
        }
        if let Some(how) = inner.session_alive {
            said += &format!("; {how}");
        }
        if let Some(wait) = inner.retry_after {
            said += &format!(" (it asks to wait {} s)", wait.as_secs());
        }
        said
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(method), Some(uri)) = (self.method(), self.uri()) {
            write!(f, "{method} {uri}: ")?;
        }
        f.write_str(&self.what())?;
        if let Some(session) = self.session_left() {
            write!(f, "; a session was left open at {session}")?;
        }
        if self.0.secret_left {
            f.write_str("; a session was left open at a URI that contains a secret")?;
        }
        f.write_str(".")?;
        match self.hint() {
            hint if hint.is_empty() => Ok(()),
            hint => write!(f, " {hint}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
