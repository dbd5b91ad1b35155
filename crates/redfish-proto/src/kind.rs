//! The kinds of failure, each with its name and what helps with it.

use std::fmt;

use http::header::HeaderName;

use crate::target::Target;

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
    /// A 429 or 503; [`Error::retry_after`](crate::Error::retry_after) says for how long, where the service did.
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
    /// The credentials were replaced while a login with the former ran.
    CredentialsReplaced,
    /// A service URL that is none; it is not repeated here, as it may contain a password.
    InvalidService(&'static str),
    /// A path that cannot be sent, or a URI that is not what it has to be; the reason is a whole clause.
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
    /// There is no TLS with the service, and another try would end the same; nothing was sent.
    Tls(TlsFailure),
    /// What came is no HTTP.
    Malformed,
    /// The caller's payload could not be read, so that the request did not leave whole: the service cannot have acted on
    /// it.
    Unreadable,
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
            ErrorKind::Transport(Failure::Tls(_)) => "tls",
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
            ErrorKind::CredentialsReplaced => "credentials-replaced",
            ErrorKind::InvalidService(_) => "invalid-service",
            ErrorKind::InvalidTarget(_) => "invalid-target",
            ErrorKind::InvalidCredentials(_) => "invalid-credentials",
            ErrorKind::InvalidRequest(_) => "invalid-request",
            ErrorKind::ReservedHeader(_) => "reserved-header",
            ErrorKind::ForeignSession => "foreign-session",
        }
    }

    /// What helps with it, where the service does not say.
    pub(crate) fn hint(&self) -> &'static str {
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
            ErrorKind::Transport(Failure::Tls(TlsFailure::NoCommonProtocol)) => {
                "Enable TLS 1.2 with forward secrecy (ECDHE), or TLS 1.3, on the service, with an RSA, P-256, P-384 or Ed25519 key."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::NotTls)) => {
                "It may be plain HTTP: write http:// if that is meant."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::UnusableKey)) => {
                "Replace the certificate on the service."
            }
            ErrorKind::Transport(Failure::Tls(TlsFailure::Other)) => {
                "Check the TLS settings of the service, and of what is in between."
            }
            ErrorKind::Transport(Failure::NotSent) => "Check the address, and that the service runs.",
            ErrorKind::Deadline(_) => "Allow more time, or check the service.",
            ErrorKind::OffOrigin { .. } => {
                "Use the address the service knows itself by, or follow paths only."
            }
            ErrorKind::Redirect { .. } => "Use the address the service redirects to, if you trust it.",
            ErrorKind::TooLarge { .. } => "Raise the limit, or ask for less.",
            ErrorKind::OutcomeUnknown(_) => {
                "Read the resource, or the list of tasks, to find out whether it happened."
            }
            ErrorKind::Ambiguous { .. } => "Name one.",
            ErrorKind::TaskGone => "Read what it was to change, and the list of tasks.",
            ErrorKind::SessionUriUnknown => "Close it by hand, or let it expire.",
            ErrorKind::CredentialsReplaced => "Try again: the new credentials are used then.",
            ErrorKind::ReservedHeader(_) => "Leave it out.",
            ErrorKind::ForeignSession => "Use each session with the service that gave it.",
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
            Failure::TimedOut => "no answer came in time",
            Failure::TooLarge => "the answer is over the limit",
            Failure::Untrusted => "the service's certificate is not trusted",
            Failure::Tls(TlsFailure::NoCommonProtocol) => {
                "the service offers no TLS 1.2 with forward secrecy, and no TLS 1.3"
            }
            Failure::Tls(TlsFailure::NotTls) => "the port does not speak TLS",
            Failure::Tls(TlsFailure::UnusableKey) => "TLS cannot use the key of the service's certificate",
            Failure::Tls(TlsFailure::Other) => "the TLS handshake failed",
            Failure::Malformed => "what came is no HTTP",
            Failure::Unreadable => "the payload could not be read",
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
