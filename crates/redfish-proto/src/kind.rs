//! The kinds of failure, with their names and hints.

use std::fmt;

use http::header::HeaderName;

use crate::reason::{CredentialsError, Feature, RedirectError, RequestError, ServiceUrlError, TargetError};
use crate::redact::SafeText;
use crate::target::Target;

/// The kinds of failure that a program can distinguish.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A 401 that persists: no session, a wrong password, or a token that could not be renewed.
    NotAuthenticated,
    /// A 403: the account may not do this. Never a reason to log in again.
    Forbidden,
    /// The service has no room for another session (iDRAC: 503 with `RAC0218`; XCC: 403, XCC3: 503 with
    /// `SessionLimitExceeded`).
    SessionLimit,
    /// The account must change its password first (DSP0266, "Password change required handling").
    #[non_exhaustive]
    PasswordChangeRequired {
        /// The account to change it at, if the service named it.
        account: Option<Target>,
    },
    /// The service lacks the license that the request needs.
    LicenseRequired,
    /// A 404 or 410.
    NotFound,
    /// A 409 or 412: the resource is not in the state that the request expects. After a 412 it has changed.
    Conflict,
    /// A 428: the service accepts this write only with an `If-Match`.
    PreconditionRequired,
    /// A 429 or 503, or something that must end first. [`Error::retry_after`](crate::Error::retry_after) returns for how long, if the service said so.
    Busy,
    /// Any other status that is not a success, or a success whose body is an error.
    Refused,
    /// A write of which only a part was carried out. The service's messages say why. A caller that accepts this calls
    /// [`Error::into_partial`](crate::Error::into_partial).
    #[non_exhaustive]
    PartiallyApplied {
        /// The members of the request that were accepted, as JSON pointers, as far as the service says.
        accepted: Vec<SafeText>,
        /// The members that were not accepted, likewise.
        rejected: Vec<SafeText>,
        /// The URI of the new resource; empty if there is none.
        created: SafeText,
    },
    /// No usable response arrived.
    Transport(Failure),
    /// The call's deadline passed.
    Deadline(Phase),
    /// A link to another origin, which is not followed.
    #[non_exhaustive]
    CrossOrigin {
        /// The link; empty if it is not known to be safe to show.
        link: SafeText,
    },
    /// A redirect that is not followed.
    #[non_exhaustive]
    Redirect {
        /// Its `Location`; empty if it has none.
        location: SafeText,
        /// Why it is not followed.
        reason: RedirectError,
    },
    /// The head of a response larger than the transport allows. After a write it is
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown).
    HeadTooLarge(HeadLimits),
    /// The body of a response, or an event of a stream, larger than the limit.
    #[non_exhaustive]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A response that is not what it must be.
    #[non_exhaustive]
    Malformed {
        /// The JSON pointer of the member in question; empty for the whole.
        pointer: SafeText,
        /// What is wrong with it.
        reason: SafeText,
    },
    /// A write was sent and no response arrived: it may have happened. It was not repeated.
    OutcomeUnknown(Failure),
    /// An accepted operation failed.
    #[non_exhaustive]
    TaskFailed {
        /// The `TaskState` it ended in.
        state: SafeText,
    },
    /// The monitor of an accepted operation is gone, and its Task is gone or unknown: the outcome is not known.
    MonitorGone,
    /// There is no such monitor, and never was while it was watched. After a 202 that named it, the outcome is not known.
    MonitorNotFound,
    /// The resource does not offer this action, or several with this short name. Nothing was sent.
    #[non_exhaustive]
    ActionNotFound {
        /// The actions that it offers.
        offered: Vec<SafeText>,
    },
    /// There is no such resource, or there are several. Nothing was sent.
    #[non_exhaustive]
    AmbiguousTarget {
        /// The resources that exist.
        choices: Vec<SafeText>,
    },
    /// A parameter that the action does not accept, or a required one that is missing. Nothing was sent.
    #[non_exhaustive]
    InvalidParameter {
        /// The parameter.
        parameter: SafeText,
        /// Its allowable values, if the service lists them.
        allowable: Vec<SafeText>,
    },
    /// An image is larger than the service accepts. Nothing was sent.
    #[non_exhaustive]
    ImageTooLarge {
        /// The largest size that it accepts, in bytes.
        limit: usize,
    },
    /// Another client has reserved the push of images, or has left targets that the image would be applied to. Nothing was
    /// sent.
    #[non_exhaustive]
    PushReserved {
        /// The `HttpPushUriTargets`.
        targets: Vec<SafeText>,
        /// The `HttpPushUriTargetsBusy`.
        busy: bool,
    },
    /// The service does not support what was requested.
    NotSupported(Feature),
    /// A session could not be closed, because its URI is unknown and the service does not mark it.
    SessionUriUnknown,
    /// The client is closed.
    Closed,
    /// The credentials were replaced during a login with the previous ones.
    CredentialsReplaced,
    /// Not a valid service URL. It is not repeated here, because it may contain a password.
    InvalidService(ServiceUrlError),
    /// A path that cannot be sent, or a URI that is not what it must be.
    InvalidTarget(TargetError),
    /// A user name, password or token that cannot be sent.
    InvalidCredentials(CredentialsError),
    /// A request that cannot be made of what the caller passed, or a response that cannot be handed over.
    InvalidRequest(RequestError),
    /// A header that only the client may set.
    ReservedHeader(HeaderName),
    /// A session of another service.
    ForeignSession,
}

/// How an exchange failed, as far as the driver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The request was certainly not sent: no address, no connection, no TLS. Safe to send again, whatever it is.
    NotSent,
    /// The connection broke after the request may have been received.
    Broken,
    /// No response in time, after the request may have been received.
    TimedOut,
    /// The body of the response exceeds the limit.
    TooLarge,
    /// The head of the response exceeds one of these limits.
    HeadTooLarge(HeadLimits),
    /// The service's certificate is not trusted; nothing was sent.
    Untrusted,
    /// The TLS handshake failed in a way that another attempt would repeat; nothing was sent.
    Tls(TlsFailure),
    /// The response is not HTTP.
    Malformed,
    /// The response is a web page in place of JSON, for example of a portal, of a load balancer, or of a controller that is
    /// starting. It does not say whether a write was carried out.
    WebPage,
    /// The body of a response has a coding that is not supported, or is not what its coding says.
    Undecodable,
    /// The response to a read is a part of the resource (206), which was not requested.
    Partial,
    /// The service responded with a success and then read no more of an upload, so that the rest was not sent.
    PayloadCut,
    /// The caller's payload could not be read, so the request was not sent completely: the service cannot have acted on
    /// it.
    Unreadable,
}

/// The limits of the head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeadLimits {
    /// Its size in bytes.
    pub bytes: usize,
    /// Its number of headers.
    pub headers: usize,
}

/// Why there is no TLS with a service, other than for its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The service offers only what is not supported: TLS 1.0 or 1.1, or RSA key exchange.
    NoCommonProtocol,
    /// What answers at the port is not TLS.
    NotTls,
    /// The key of the service's certificate has a length that cannot be used, whatever is trusted.
    UnusableKey,
    /// The handshake failed in another way.
    Other,
}

/// What a call was waiting for when its deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for a session.
    Session,
    /// Waiting for a response.
    Answer,
    /// Waiting before another attempt, as the service asked or after a failure.
    Retry,
    /// Waiting before the next poll of an operation that takes time.
    Poll,
}

impl ErrorKind {
    /// A stable name of the kind: `not-authenticated`, `busy`, …
    pub fn name(&self) -> &'static str {
        match self {
            ErrorKind::NotAuthenticated => "not-authenticated",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::SessionLimit => "session-limit",
            ErrorKind::PasswordChangeRequired { .. } => "password-change-required",
            ErrorKind::LicenseRequired => "license-required",
            ErrorKind::NotFound => "not-found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::PreconditionRequired => "precondition-required",
            ErrorKind::Busy => "busy",
            ErrorKind::Refused => "refused",
            ErrorKind::PartiallyApplied { .. } => "partially-applied",
            ErrorKind::Transport(Failure::Untrusted) => "untrusted",
            ErrorKind::Transport(Failure::Tls(_)) => "tls",
            ErrorKind::Transport(_) => "transport",
            ErrorKind::Deadline(_) => "deadline",
            ErrorKind::CrossOrigin { .. } => "off-origin",
            ErrorKind::Redirect { .. } => "redirect",
            ErrorKind::TooLarge { .. } => "too-large",
            ErrorKind::HeadTooLarge(_) => "head-too-large",
            ErrorKind::Malformed { .. } => "malformed",
            ErrorKind::OutcomeUnknown(_) => "outcome-unknown",
            ErrorKind::TaskFailed { .. } => "task-failed",
            ErrorKind::MonitorGone => "task-gone",
            ErrorKind::MonitorNotFound => "task-not-found",
            ErrorKind::ActionNotFound { .. } => "not-offered",
            ErrorKind::AmbiguousTarget { .. } => "ambiguous",
            ErrorKind::InvalidParameter { .. } => "not-allowable",
            ErrorKind::ImageTooLarge { .. } => "image-too-large",
            ErrorKind::PushReserved { .. } => "push-reserved",
            ErrorKind::NotSupported(_) => "not-supported",
            ErrorKind::SessionUriUnknown => "session-uri-unknown",
            ErrorKind::Closed => "closed",
            ErrorKind::CredentialsReplaced => "credentials-replaced",
            ErrorKind::InvalidService(_) => "invalid-service",
            ErrorKind::InvalidTarget(_) => "invalid-target",
            ErrorKind::InvalidCredentials(_) => "invalid-credentials",
            ErrorKind::InvalidRequest(_) => "invalid-request",
            ErrorKind::ReservedHeader(_) => "reserved-header",
            ErrorKind::ForeignSession => "foreign-session",
        }
    }

    /// What to do about it, if the service does not say.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            ErrorKind::NotAuthenticated => "Check user and password, or log in.",
            ErrorKind::Forbidden => "Use an account that has the privilege.",
            ErrorKind::SessionLimit => "Close sessions, or raise the limit, then try again.",
            ErrorKind::PasswordChangeRequired { .. } => "Change the account's password, then try again.",
            ErrorKind::LicenseRequired => "Install the license that this needs on the service.",
            ErrorKind::NotFound => "Check the path. The resource may be gone.",
            ErrorKind::Conflict => "Read the resource again, then decide.",
            ErrorKind::PreconditionRequired => "Read the resource first and send its ETag in If-Match.",
            ErrorKind::PartiallyApplied { .. } => {
                "Read the resource to see what changed. Correct the rest, and send only that again."
            }
            ErrorKind::Busy => "Try again later.",
            ErrorKind::Transport(Failure::Untrusted) => "Trust its CA or pin its certificate.",
            ErrorKind::Transport(Failure::Tls(TlsFailure::NoCommonProtocol)) => {
                "Enable TLS 1.2 with forward secrecy (ECDHE), or TLS 1.3, on the service, with an RSA, P-256, P-384 or Ed25519 key."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::NotTls)) => {
                "It may be plain HTTP: write http:// if that is intended."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::UnusableKey)) => {
                "Replace the certificate on the service."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::Other)) => {
                "Check the TLS settings of the service, and of any proxy in between."
            }
            ErrorKind::Transport(Failure::NotSent) => "Check the address, and that the service is running.",
            ErrorKind::Deadline(_) => "Allow more time, or check the service.",
            ErrorKind::CrossOrigin { .. } => {
                "Use the address that the service uses for itself, or follow paths only."
            }
            ErrorKind::Redirect { .. } => "Use the address the service redirects to, if you trust it.",
            ErrorKind::HeadTooLarge(_) => {
                "Check what responds at this address: a service needs no head of this size."
            }
            ErrorKind::TooLarge { .. } => "Raise the limit, or request less.",
            ErrorKind::OutcomeUnknown(_) => {
                "Read the resource, or the list of tasks, to find out whether it happened."
            }
            ErrorKind::AmbiguousTarget { .. } => "Name one.",
            ErrorKind::PushReserved { busy: true, .. } => {
                "Wait until the other client has finished, or name the resources to update."
            }
            ErrorKind::PushReserved { busy: false, .. } => {
                "Without resources of its own, the image would be applied to these: name the resources to update."
            }
            ErrorKind::MonitorGone | ErrorKind::MonitorNotFound => {
                "Read what it was supposed to change, and the list of tasks."
            }
            ErrorKind::SessionUriUnknown => "Close it manually, or let it expire.",
            ErrorKind::InvalidService(ServiceUrlError::UserInfo) => {
                "Pass the user and the password separately."
            }
            ErrorKind::CredentialsReplaced => "Try again: the new credentials will be used.",
            ErrorKind::ReservedHeader(_) => "Leave it out.",
            ErrorKind::ForeignSession => "Use each session with the service that issued it.",
            _ => "",
        }
    }
}

impl Failure {
    /// Whether it is certain that no part of the request reached the service.
    pub fn is_unsent(self) -> bool {
        matches!(self, Failure::NotSent | Failure::Untrusted | Failure::Tls(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::NotSent => "no connection could be made",
            Failure::Broken => "the connection broke",
            Failure::TimedOut => "no response in time",
            Failure::TooLarge => "the response exceeds the limit",
            Failure::HeadTooLarge(limits) => return limits.fmt(f),
            Failure::Untrusted => "the service's certificate is not trusted",
            Failure::Tls(TlsFailure::NoCommonProtocol) => {
                "the service offers no TLS 1.2 with forward secrecy, and no TLS 1.3"
            }
            Failure::Tls(TlsFailure::NotTls) => "the port does not speak TLS",
            Failure::Tls(TlsFailure::UnusableKey) => "TLS cannot use the key of the service's certificate",
            Failure::Tls(TlsFailure::Other) => "the TLS handshake failed",
            Failure::Malformed => "the response is not HTTP",
            Failure::WebPage => "the response is a web page",
            Failure::Undecodable => "the body cannot be decoded",
            Failure::Partial => "only a part of the resource (206), which was not requested",
            Failure::PayloadCut => "the service responded, but did not read the whole payload",
            Failure::Unreadable => "the payload could not be read",
        })
    }
}

impl fmt::Display for HeadLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HeadLimits { bytes, headers } = self;
        write!(f, "the head of the response is larger than {bytes} bytes or has more than {headers} headers")
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Session => "while waiting for a session",
            Phase::Answer => "while waiting for a response",
            Phase::Retry => "before another attempt",
            Phase::Poll => "before the operation had finished",
        })
    }
}
