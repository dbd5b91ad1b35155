//! The exit status.

use std::process::ExitCode;

use redfish_proto::{Error, ErrorKind};

/// The exit status of a command that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The service refused or failed, or a local error occurred.
    Failed = 1,
    /// Wrong usage. No write was sent.
    Usage = 2,
    /// The service does not accept the authentication.
    NotAuthenticated = 3,
    /// No response that can be trusted.
    NoResponse = 4,
    /// A write was sent, and its outcome is unknown.
    OutcomeUnknown = 5,
}

impl Exit {
    /// The exit status of a failed call.
    pub(crate) fn of(error: &Error) -> Exit {
        let is_write = !error.is_of_login() && error.method().is_some_and(|method| !method.is_safe());
        match error.kind() {
            // Only its result is missing.
            _ if error.is_after_write() => Exit::OutcomeUnknown,
            ErrorKind::NotAuthenticated
            | ErrorKind::SessionLimit
            | ErrorKind::PasswordChangeRequired { .. } => Exit::NotAuthenticated,
            ErrorKind::OutcomeUnknown(_) | ErrorKind::MonitorGone => Exit::OutcomeUnknown,
            // The service has accepted the write, but the link to its outcome cannot be followed.
            ErrorKind::CrossOrigin { .. } | ErrorKind::Malformed { .. } if is_write => Exit::OutcomeUnknown,
            ErrorKind::InvalidService(_)
            | ErrorKind::InvalidTarget(_)
            | ErrorKind::InvalidCredentials(_)
            | ErrorKind::InvalidRequest(_)
            | ErrorKind::ActionNotFound { .. }
            | ErrorKind::AmbiguousTarget { .. }
            | ErrorKind::InvalidParameter { .. }
            | ErrorKind::ReservedHeader(_)
            | ErrorKind::ForeignSession => Exit::Usage,
            ErrorKind::Transport(_)
            | ErrorKind::Deadline(_)
            | ErrorKind::CrossOrigin { .. }
            | ErrorKind::Redirect { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::HeadTooLarge(_)
            | ErrorKind::Malformed { .. } => Exit::NoResponse,
            _ => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
