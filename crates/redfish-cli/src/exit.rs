//! The exit status: what a script can tell apart without reading.

use std::process::ExitCode;

use redfish_proto::{Error, ErrorKind};

/// How a command that failed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The service refused or failed, or this machine did.
    Failed = 1,
    /// Wrong usage: no write was sent.
    Usage = 2,
    /// The service does not know who is asking.
    NotAuthenticated = 3,
    /// No answer that can be trusted.
    NoAnswer = 4,
    /// A write was sent, and what became of it is unknown.
    OutcomeUnknown = 5,
}

impl Exit {
    /// That of a failed call.
    pub(crate) fn of(error: &Error) -> Exit {
        let wrote = !error.is_of_login() && error.method().is_some_and(|method| !method.is_safe());
        match error.kind() {
            ErrorKind::NotAuthenticated
            | ErrorKind::SessionLimit
            | ErrorKind::PasswordChangeRequired { .. } => Exit::NotAuthenticated,
            ErrorKind::OutcomeUnknown(_) | ErrorKind::MonitorGone => Exit::OutcomeUnknown,
            // The answer to a write that links elsewhere has accepted it: where its end is told cannot be asked.
            ErrorKind::CrossOrigin { .. } | ErrorKind::Malformed { .. } if wrote => Exit::OutcomeUnknown,
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
            | ErrorKind::Malformed { .. } => Exit::NoAnswer,
            _ => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
