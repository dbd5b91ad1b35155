//! The error of a call.

mod host;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::cause::{Cause, SharedError, TransportError};
use crate::etag::ETag;
use crate::kind::{ErrorKind, Failure};
use crate::link::LinkError;
use crate::message::{self, Condition, Message};
use crate::origin::Origin;
use crate::outcome::Outcome;
use crate::reason::SessionAlive;
use crate::redact::{Redactor, SafeText, Secret};
use crate::target::Target;

/// A failed call: the service, the request, what happened, the service's messages, and a hint.
///
/// `Display` is one clause without the [hint](Error::hint) and the [`source`](StdError::source), which is a
/// [`Cause`]. A program matches the [`kind`](Error::kind). No text contains a secret of the client. A clone is cheap,
/// since many callers may wait for one login.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    service: Option<Arc<str>>,
    method: Option<Method>,
    uri: Option<SafeText>,
    status: Option<StatusCode>,
    messages: Vec<Message>,
    detail: SafeText,
    retry_after: Option<Duration>,
    session_left: Option<SafeText>,
    /// A session that was opened and not closed, so that the authenticator can close it.
    unclosed: Option<OpenSession>,
    /// How it is known that the session is alive.
    session_alive: Option<SessionAlive>,
    is_of_login: bool,
    is_after_write: bool,
    is_host_refusal: bool,
    etag: Option<ETag>,
    hint: Option<SafeText>,
    cause: Option<Cause>,
    /// The part of a write that was carried out.
    partial: Option<Box<Outcome>>,
    /// Removes secrets from the texts that an operation adds. `None` once the call has ended.
    redactor: Option<Arc<Redactor>>,
}

/// What is needed to close a session: its token, and its URI if it is known.
#[derive(Clone)]
pub(crate) struct OpenSession {
    pub(crate) token: Secret,
    pub(crate) target: Option<Target>,
}

impl From<serde_json::Error> for Error {
    /// JSON that is not valid, or that does not fit a type: [`ErrorKind::Malformed`].
    fn from(error: serde_json::Error) -> Error {
        Error::malformed("", Redactor::default().clean(&error.to_string()))
    }
}

impl Error {
    /// Creates an error of this kind, for custom operations. The call adds service, method and URI.
    pub fn new(kind: ErrorKind) -> Error {
        Error(Box::new(Inner {
            kind,
            service: None,
            method: None,
            uri: None,
            status: None,
            messages: Vec::new(),
            detail: SafeText::default(),
            retry_after: None,
            session_left: None,
            unclosed: None,
            session_alive: None,
            is_of_login: false,
            is_after_write: false,
            is_host_refusal: false,
            etag: None,
            hint: None,
            cause: None,
            partial: None,
            redactor: None,
        }))
    }

    /// Sets the error that caused it, such as that of a file to which a response could not be written.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        let source: SharedError = source.into().into();
        self.0.cause = Some(Cause::new(source, &Redactor::default()));
        self
    }

    /// The error of a response whose status is not a success, or whose body is an error.
    pub(crate) fn from_status(
        status: StatusCode,
        retry_after: Option<Duration>,
        messages: Vec<Message>,
        text: SafeText,
        account: impl FnOnce(&Message) -> Option<Target>,
    ) -> Error {
        let saying = |condition| messages.iter().find(|message| message.condition() == Some(condition));
        let kind = if saying(Condition::SessionLimit).is_some() {
            ErrorKind::SessionLimit
        } else if let Some(message) = saying(Condition::PasswordExpired) {
            ErrorKind::PasswordChangeRequired { account: account(message) }
        } else if status != StatusCode::UNAUTHORIZED && saying(Condition::LicenseMissing).is_some() {
            ErrorKind::LicenseRequired
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
        (error.0.status, error.0.messages, error.0.detail) = (Some(status), messages, text);
        error.0.retry_after = retry_after;
        error
    }

    /// The error of a link that cannot be resolved. `link` is its text without secrets.
    pub(crate) fn of_link(error: LinkError, link: SafeText) -> Error {
        match error {
            LinkError::CrossOrigin => Error::new(ErrorKind::CrossOrigin { link }),
            LinkError::Malformed(reason) => {
                Error::malformed("", Redactor::default().clean(&reason.to_string()))
            }
        }
    }

    /// The error of an unexpected response: the JSON pointer of what does not fit, and the reason.
    pub fn malformed(pointer: impl Into<SafeText>, reason: impl Into<SafeText>) -> Error {
        Error::new(ErrorKind::Malformed { pointer: pointer.into(), reason: reason.into() })
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Error {
        self.0.status = self.0.status.or(Some(status));
        self
    }

    /// Adds a session that may be open and was not closed.
    pub(crate) fn with_unclosed(mut self, unclosed: OpenSession) -> Error {
        self.0.unclosed = Some(unclosed);
        self.and_detail(format_args!("a session may be left open, because the refusal contained a token"))
    }

    /// Adds what was seen last of an operation whose end was not seen. `messages` are its own, not those of a response.
    pub(crate) fn with_last_seen(mut self, state: fmt::Arguments<'_>, messages: &[Message]) -> Error {
        if self.0.messages.is_empty()
            && matches!(self.kind(), ErrorKind::Deadline(_) | ErrorKind::MonitorGone)
        {
            self.0.messages = messages.to_vec();
            let hint = self.0.kind.hint();
            self = self.with_hint(hint);
        }
        self.and_detail(state)
    }

    /// Adds a clause to the detail.
    fn and_detail(mut self, clause: fmt::Arguments<'_>) -> Error {
        let separator = if self.0.detail.is_empty() { "" } else { "; " };
        self.0.detail = self.0.detail.followed_by(format_args!("{separator}{clause}"));
        self
    }

    pub(crate) fn take_unclosed(&mut self) -> Option<OpenSession> {
        self.0.unclosed.take()
    }

    pub(crate) fn with_session_left(mut self, session: Option<SafeText>) -> Error {
        self.0.session_left = session;
        self
    }

    /// Adds to a 401 that the session is alive, and how that is known. Logging in again does not help then.
    #[must_use]
    pub fn with_session_alive(mut self, how: SessionAlive) -> Error {
        self.0.session_alive = Some(how);
        match self.kind() {
            ErrorKind::NotAuthenticated => self.with_hint(
                "Logging in does not help: check the account's privileges and the license that the resource needs.",
            ),
            _ => self,
        }
    }

    pub(crate) fn after_write(mut self) -> Error {
        self.0.is_after_write = true;
        self.with_hint(
            "The write was carried out before this failed. Check its result before it is repeated.",
        )
    }

    pub(crate) fn with_cause(mut self, cause: Option<Cause>) -> Error {
        self.0.cause = cause;
        self
    }

    pub(crate) fn with_partial(mut self, outcome: Outcome) -> Error {
        self.0.partial = Some(Box::new(outcome));
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

    /// Sets the hint, if the operation knows a better one than the kind.
    pub(crate) fn with_hint(mut self, hint: impl Into<SafeText>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets a hint that may contain text of the peer.
    pub(crate) fn with_redacted_hint(self, hint: &str) -> Error {
        // Without a redactor the hint cannot be cleaned, so it is left out.
        let clean = self.0.redactor.as_ref().map(|redactor| redactor.clean(hint));
        match clean {
            Some(hint) => self.with_hint(hint),
            None => self,
        }
    }

    /// Adds a detail to the service's messages.
    pub(crate) fn with_detail(mut self, text: &'static str) -> Error {
        self.0.detail = text.into();
        self
    }

    /// Sets the service, unless it is set.
    pub(crate) fn with_origin(mut self, origin: &Origin) -> Error {
        self.0.service.get_or_insert_with(|| origin.to_string().into());
        self
    }

    /// Sets the redactor for texts that an operation adds.
    pub(crate) fn with_redactor(mut self, redactor: &Arc<Redactor>) -> Error {
        self.0.redactor = Some(Arc::clone(redactor));
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    /// Sets the exchange unless it is set, limits the total length of the texts, and removes secrets from them once
    /// more: the call may have learned secrets since the texts were made.
    pub(crate) fn stamped(mut self, exchange: Option<(&Method, &Target)>, redactor: &Redactor) -> Error {
        let inner = &mut *self.0;
        inner.redactor = None;
        if let Some((method, target)) = exchange {
            inner.method.get_or_insert_with(|| method.clone());
            inner.uri.get_or_insert_with(|| redactor.clean(&target.to_string()));
        }
        // A URI has its own limit and is useless if it is cut.
        for uri in inner.uri.iter_mut().chain(&mut inner.session_left) {
            *uri = redactor.clean(uri);
        }
        inner.cause = inner.cause.as_ref().map(|cause| cause.cleaned(redactor));
        let mut bytes_left = message::MAX_TOTAL_BYTES;
        let mut clean = |text: &mut SafeText| *text = message::redacted_text(text, redactor, &mut bytes_left);
        clean(&mut inner.detail);
        inner.hint.iter_mut().for_each(&mut clean);
        for message in &mut inner.messages {
            let Message { id, text, args, severity, resolution, related, .. } = message;
            [id, text, severity, resolution].into_iter().chain(args).chain(related).for_each(&mut clean);
        }
        match &mut inner.kind {
            ErrorKind::CrossOrigin { link: text }
            | ErrorKind::Redirect { location: text, .. }
            | ErrorKind::TaskFailed { state: text } => clean(text),
            ErrorKind::Malformed { pointer, reason } => [pointer, reason].into_iter().for_each(&mut clean),
            ErrorKind::ActionNotFound { offered: texts }
            | ErrorKind::AmbiguousTarget { choices: texts }
            | ErrorKind::PushReserved { targets: texts, .. } => {
                texts.iter_mut().for_each(&mut clean);
                texts.retain(|text| !text.is_empty());
            }
            ErrorKind::InvalidParameter { parameter, allowable } => {
                [parameter].into_iter().chain(allowable.iter_mut()).for_each(&mut clean);
                allowable.retain(|text| !text.is_empty());
            }
            ErrorKind::PartiallyApplied { accepted, rejected, created } => {
                clean(created);
                for pointers in [accepted, rejected] {
                    pointers.iter_mut().for_each(&mut clean);
                    pointers.retain(|pointer| !pointer.is_empty());
                }
            }
            _ => {}
        }
        self
    }

    /// Turns the failure of a login into that of the call that needed it, whose own outcome is certain.
    pub(crate) fn of_login(mut self) -> Error {
        self.0.is_of_login = true;
        if let ErrorKind::OutcomeUnknown(failure) = self.0.kind {
            self.0.kind = ErrorKind::Transport(failure);
            self.0.detail = "the login may have left a session open".into();
        }
        self
    }

    /// Whether a later attempt may succeed, for example after a failed connection or at a busy service. A watch or a
    /// listener continues after such an error and ends after any other.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Busy => true,
            ErrorKind::Transport(failure) => !matches!(failure, Failure::Untrusted | Failure::Tls(_)),
            _ => false,
        }
    }

    /// The kind of failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The service, such as `https://bmc.example:8443`.
    pub fn service(&self) -> Option<&str> {
        self.0.service.as_deref()
    }

    /// The method of the exchange that failed.
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// Path and query of the exchange that failed.
    pub fn uri(&self) -> Option<&str> {
        self.0.uri.as_deref()
    }

    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The messages of the service.
    pub fn messages(&self) -> &[Message] {
        &self.0.messages
    }

    /// The wait that the service asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The current ETag of the resource after a [`Conflict`](ErrorKind::Conflict), if it could be read.
    pub fn etag(&self) -> Option<&ETag> {
        self.0.etag.as_ref()
    }

    /// The URI of a session that was opened and can be neither used nor closed, because the login returned no token.
    pub fn session_left(&self) -> Option<&str> {
        self.0.session_left.as_deref()
    }

    /// Whether the session is known to be alive after a 401. Then the account lacks a privilege or the service a
    /// license, and another login does not help.
    pub fn session_alive(&self) -> bool {
        self.0.session_alive.is_some()
    }

    /// Whether a write of the call was carried out before this failed: it was answered with a success or with a redirect to
    /// its result (303), and a later request failed. It must not be repeated blindly.
    pub fn is_after_write(&self) -> bool {
        self.0.is_after_write
    }

    /// Whether a write of the call may have been carried out, in whole or in part. Then it must not be repeated before a look at
    /// its result.
    ///
    /// A refusal (4xx) says that it was not. A failure of the service or of a gateway (5xx) does not, except for 501 and 505,
    /// which refuse the request as a whole (RFC 9110, 15.6).
    pub fn may_have_written(&self) -> bool {
        let is_write = !self.0.is_of_login && self.0.method.as_ref().is_some_and(|method| !method.is_safe());
        let is_certain =
            |status: StatusCode| matches!(status.as_u16(), 501 | 505) || !status.is_server_error();
        match self.kind() {
            ErrorKind::OutcomeUnknown(_)
            | ErrorKind::TaskFailed { .. }
            | ErrorKind::MonitorGone
            | ErrorKind::PartiallyApplied { .. } => true,
            _ => self.0.is_after_write || is_write && !self.0.status.is_none_or(is_certain),
        }
    }

    /// Whether it happened to the login, so that the request that needed the session was not sent with it.
    pub fn is_of_login(&self) -> bool {
        self.0.is_of_login
    }

    /// The error that caused it, which is also its [`source`](StdError::source).
    pub fn cause(&self) -> Option<&Cause> {
        self.0.cause.as_ref()
    }

    /// The outcome of the part that was carried out, after [`ErrorKind::PartiallyApplied`].
    pub fn partial(&self) -> Option<&Outcome> {
        self.0.partial.as_deref()
    }

    /// Accepts a write of which only a part was carried out, after [`ErrorKind::PartiallyApplied`], as in
    /// `client.patch(path, &change).or_else(Error::into_partial)?`. The messages say which part.
    ///
    /// # Errors
    /// Any other error, unchanged.
    pub fn into_partial(mut self) -> Result<Outcome, Error> {
        match self.0.partial.take() {
            Some(outcome) => Ok(*outcome),
            None => Err(self),
        }
    }

    /// What to do about it: the service's own resolutions, or else what usually helps with this kind. Empty if there
    /// is no hint.
    pub fn hint(&self) -> SafeText {
        if let Some(hint) = &self.0.hint {
            return hint.clone();
        }
        let resolutions = self.0.messages.iter().map(|message| message.resolution.clone());
        let mut hints: Vec<SafeText> = resolutions
            .filter(|text| !text.is_empty() && !text.clause().eq_ignore_ascii_case("none"))
            .collect();
        hints.dedup();
        match self.0.retry_after.filter(|_| self.0.kind == ErrorKind::Busy) {
            Some(wait) => {
                let wait = text::in_seconds(wait);
                hints.push(SafeText::default().followed_by(format_args!("Try again after {wait}.")));
            }
            None if hints.is_empty() => hints.push(self.0.kind.hint().into()),
            None => {}
        }
        // A failure of the service says nothing about a write.
        if self.may_have_written() && self.0.status.is_some_and(|status| status.is_server_error()) {
            hints.insert(0, "Check first whether it was carried out.".into());
        }
        hints.retain(|hint| !hint.is_empty());
        SafeText::join(&hints, " ")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self}", self.0.kind)?;
        match &self.0.cause {
            Some(cause) => write!(f, ": {cause})"),
            None => f.write_str(")"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl TransportError {
    /// The error of a body that did not arrive within this limit, or that is not data.
    pub(crate) fn body_error(&self, limit: usize, redactor: &Redactor) -> Error {
        let cause = self.cause(redactor);
        match (self.failure(), &cause) {
            (Failure::TooLarge, _) => Error::new(ErrorKind::TooLarge { limit }).with_cause(cause),
            (failure @ Failure::Undecodable, Some(cause)) => {
                Error::malformed("", redactor.clean(&format!("{failure}: {cause}")))
            }
            (failure @ (Failure::Undecodable | Failure::Partial), None) => {
                Error::malformed("", redactor.clean(&failure.to_string()))
            }
            (failure, _) => Error::new(ErrorKind::Transport(failure)).with_cause(cause),
        }
    }
}
