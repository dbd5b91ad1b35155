//! What can go wrong, as a value to match and a sentence to act on.

use std::fmt;
use std::time::Duration;

use http::header::HeaderName;
use http::{Method, StatusCode};

use crate::etag::ETag;
use crate::message::Message;
use crate::redact::Redactor;
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
    etag: Option<ETag>,
}

/// The kinds of failure a program can tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A 401 that stays: no session, a wrong password, or a token that could not be renewed.
    NotAuthenticated,
    /// A 403: the account may not do this. Never a reason to log in again.
    Forbidden,
    /// The service has no room for another session (iDRAC: 503 with `RAC0218`; XCC: 403, XCC3: 503 with
    /// `SessionLimitExceeded`).
    SessionLimit,
    /// The account must change its password first (DSP0266, "Password change required handling").
    PasswordChangeRequired {
        /// The account to change it at, where the service named it.
        account: Option<Target>,
    },
    /// A 404 or 410.
    NotFound,
    /// A 409 or 412: the resource is not in the state the request was made for. With a 412 it has changed.
    Conflict,
    /// A 428: the service takes this write only with an `If-Match`.
    PreconditionRequired,
    /// A 429 or 503; [`Error::retry_after`] says for how long, where the service did.
    Busy,
    /// Any other status that is no success, or a success whose body is an error.
    Refused,
    /// No answer that can be used came over the connection.
    Transport(Failure),
    /// The call's deadline passed.
    Deadline(Phase),
    /// A link to another origin, which is not followed.
    OffOrigin {
        /// Where it pointed.
        link: String,
    },
    /// A redirect that is not followed: off the origin, of a write, without end or without a place.
    Redirect {
        /// Where it pointed; empty where it did not say.
        location: String,
        /// Why it was not followed.
        reason: &'static str,
    },
    /// An answer larger than the limit that was set.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// An answer that is not what it has to be.
    Malformed {
        /// The JSON pointer of the member in question; empty for the whole.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A write was sent and no answer came: it may have happened. It was not sent again.
    OutcomeUnknown(Failure),
    /// An accepted operation ended badly.
    TaskFailed {
        /// The `TaskState` it ended in.
        state: String,
    },
    /// The monitor of an accepted operation is gone, and its Task too or unknown: how it ended is not known.
    TaskGone,
    /// The resource offers no such action, or several of that short name. Nothing was sent.
    NotOffered {
        /// What it offers.
        offered: Vec<String>,
    },
    /// Not exactly one resource is there where one was meant. Nothing was sent.
    Ambiguous {
        /// Those that are there.
        choices: Vec<String>,
    },
    /// A parameter that the action does not take, or that it needs and was not given. Nothing was sent.
    NotAllowable {
        /// The parameter.
        parameter: String,
        /// What it may be, where the service says.
        allowable: Vec<String>,
    },
    /// An image is larger than the service takes. Nothing was sent.
    ImageTooLarge {
        /// What it takes, in bytes.
        limit: usize,
    },
    /// The service does not offer what is asked for.
    NotSupported(&'static str),
    /// A session could not be closed since its URI is unknown and the service does not mark it.
    SessionUriUnknown,
    /// The client is closed.
    Closed,
    /// A service URL that is none; it is not repeated here, as it may contain a password.
    InvalidService(&'static str),
    /// A path that cannot be sent.
    InvalidTarget(&'static str),
    /// A user name, password or token that cannot be sent.
    InvalidCredentials(&'static str),
    /// A request that cannot be made of what the caller gave.
    InvalidRequest(&'static str),
    /// A header that only the core may set.
    ReservedHeader(HeaderName),
    /// A session of another service.
    ForeignSession,
}

/// How an exchange failed, as far as the driver can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The request provably did not leave: no name, no connection, no TLS. Safe to send again, whatever it is.
    NotSent,
    /// The connection broke after the request may have been received.
    Broken,
    /// No answer in time, after the request may have been received.
    TimedOut,
    /// The answer, or its head, is over the limit.
    TooLarge,
    /// The service's certificate is not trusted; nothing was sent.
    Untrusted,
    /// What came is no HTTP.
    Malformed,
}

/// What a call was doing when its deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for a session.
    Session,
    /// Waiting for an answer.
    Answer,
    /// Waiting before another try, as the service asked or after a failure.
    Retry,
    /// Waiting before the next poll of something that takes its time.
    Poll,
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
            etag: None,
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

    pub(crate) fn with_session_left(mut self, session: Option<Target>) -> Error {
        self.0.session_left = session;
        self
    }

    pub(crate) fn with_etag(mut self, etag: Option<ETag>) -> Error {
        self.0.etag = etag;
        self
    }

    pub(crate) fn with_messages(mut self, messages: Vec<Message>) -> Error {
        self.0.messages = messages;
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
        let clean = |text: &mut String| {
            if let std::borrow::Cow::Owned(shown) = redactor.clean(text) {
                *text = shown;
            }
        };
        inner.uri.iter_mut().for_each(clean);
        clean(&mut inner.text);
        for message in &mut inner.messages {
            let Message { id, text, args, severity, resolution, related } = message;
            [id, text, severity, resolution].into_iter().chain(args).chain(related).for_each(clean);
        }
        match &mut inner.kind {
            ErrorKind::OffOrigin { link } => clean(link),
            ErrorKind::Redirect { location, .. } => clean(location),
            ErrorKind::Malformed { at, reason } => [at, reason].into_iter().for_each(clean),
            ErrorKind::TaskFailed { state } => clean(state),
            ErrorKind::NotOffered { offered: texts } | ErrorKind::Ambiguous { choices: texts } => {
                texts.iter_mut().for_each(clean);
            }
            ErrorKind::NotAllowable { parameter, allowable } => {
                allowable.iter_mut().chain([parameter]).for_each(clean);
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

    /// What to do about it: the service's own resolutions, else what helps with this kind.
    pub fn hint(&self) -> String {
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
            ErrorKind::InvalidService(reason) => format!("not the URL of a service: {reason}"),
            ErrorKind::InvalidTarget(reason) => format!("not a path of the service: {reason}"),
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
        if let Some(wait) = inner.retry_after {
            said += &format!(" (it asks to wait {} s)", wait.as_secs());
        }
        said
    }
}

impl ErrorKind {
    /// A word for the kind that does not change: `not-authenticated`, `busy`, …
    pub fn name(&self) -> &'static str {
        match self {
            ErrorKind::NotAuthenticated => "not-authenticated",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::SessionLimit => "session-limit",
            ErrorKind::PasswordChangeRequired { .. } => "password-change-required",
            ErrorKind::NotFound => "not-found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::PreconditionRequired => "precondition-required",
            ErrorKind::Busy => "busy",
            ErrorKind::Refused => "refused",
            ErrorKind::Transport(Failure::Untrusted) => "untrusted",
            ErrorKind::Transport(_) => "transport",
            ErrorKind::Deadline(_) => "deadline",
            ErrorKind::OffOrigin { .. } => "off-origin",
            ErrorKind::Redirect { .. } => "redirect",
            ErrorKind::TooLarge { .. } => "too-large",
            ErrorKind::Malformed { .. } => "malformed",
            ErrorKind::OutcomeUnknown(_) => "outcome-unknown",
            ErrorKind::TaskFailed { .. } => "task-failed",
            ErrorKind::TaskGone => "task-gone",
            ErrorKind::NotOffered { .. } => "not-offered",
            ErrorKind::Ambiguous { .. } => "ambiguous",
            ErrorKind::NotAllowable { .. } => "not-allowable",
            ErrorKind::ImageTooLarge { .. } => "image-too-large",
            ErrorKind::NotSupported(_) => "not-supported",
            ErrorKind::SessionUriUnknown => "session-uri-unknown",
            ErrorKind::Closed => "closed",
            ErrorKind::InvalidService(_) => "invalid-service",
            ErrorKind::InvalidTarget(_) => "invalid-target",
            ErrorKind::InvalidCredentials(_) => "invalid-credentials",
            ErrorKind::InvalidRequest(_) => "invalid-request",
            ErrorKind::ReservedHeader(_) => "reserved-header",
            ErrorKind::ForeignSession => "foreign-session",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            ErrorKind::NotAuthenticated => "Check user and password, or log in.",
            ErrorKind::Forbidden => "Use an account that has the privilege.",
            ErrorKind::SessionLimit => "Close sessions, or raise the limit, then try again.",
            ErrorKind::PasswordChangeRequired { .. } => "Change the account's password, then try again.",
            ErrorKind::NotFound => "Check the path; the resource may be gone.",
            ErrorKind::Conflict => "Read the resource again, then decide anew.",
            ErrorKind::PreconditionRequired => "Read the resource first and send its ETag in If-Match.",
            ErrorKind::Busy => "Try again later.",
            ErrorKind::Transport(Failure::Untrusted) => "Trust its CA or pin its certificate.",
            ErrorKind::Transport(Failure::NotSent) => "Check the address, and that the service runs.",
            ErrorKind::Deadline(_) => "Allow more time, or check the service.",
            ErrorKind::OffOrigin { .. } => {
                "Use the address the service knows itself by, or follow paths only."
            }
            ErrorKind::Redirect { .. } => "Use the address the service redirects to, if you trust it.",
            ErrorKind::TooLarge { .. } => "Raise the limit, or ask for less.",
            ErrorKind::OutcomeUnknown(_) => "Read the resource to find out whether it happened.",
            ErrorKind::Ambiguous { .. } => "Name one.",
            ErrorKind::TaskGone => "Read what it was to change, and the list of tasks.",
            ErrorKind::SessionUriUnknown => "Close it by hand, or let it expire.",
            ErrorKind::ReservedHeader(_) => "Leave it out.",
            ErrorKind::ForeignSession => "Use each session with the service that gave it.",
            _ => "",
        }
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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::NotSent => "no connection could be made",
            Failure::Broken => "the connection broke",
            Failure::TimedOut => "no answer came in time",
            Failure::TooLarge => "the answer is over the limit",
            Failure::Untrusted => "the service's certificate is not trusted",
            Failure::Malformed => "what came is no HTTP",
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Session => "while waiting for a session",
            Phase::Answer => "while waiting for an answer",
            Phase::Retry => "before another try could be made",
            Phase::Poll => "before the work was done",
        })
    }
}
