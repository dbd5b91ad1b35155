//! A failed call: what the core says, and what the connection said beneath it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use redfish_proto::ErrorKind;

/// What the HTTP library, TLS or the system said. Shared, since one failed login is the failure of all who waited.
pub(crate) type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a call failed.
///
/// `Display` is one sentence with all that is known, the connection's own words included, and never a secret.
/// A program matches [`kind`](Error::kind), and finds the library's own error as [`cause`](Error::cause).
#[derive(Clone)]
pub struct Error {
    error: redfish_proto::Error,
    cause: Option<Cause>,
}

impl Error {
    pub(crate) fn new(error: redfish_proto::Error, cause: Option<Cause>) -> Self {
        // What the service said is the reason, whatever happened to an earlier try.
        let cause = cause.filter(|_| {
            matches!(
                error.kind(),
                ErrorKind::Transport(_)
                    | ErrorKind::InvalidRequest(_)
                    | ErrorKind::OutcomeUnknown(_)
                    | ErrorKind::Deadline(_)
                    | ErrorKind::TooLarge { .. }
            )
        });
        Self { error, cause }
    }

    /// A body that could not be written where the caller wants it.
    pub(crate) fn unwritable(cause: std::io::Error) -> Self {
        let error = redfish_proto::Error::new(ErrorKind::InvalidRequest("what came could not be written"));
        Self { error, cause: Some(Arc::new(cause)) }
    }

    /// What a program matches.
    pub fn kind(&self) -> &ErrorKind {
        self.error.kind()
    }

    /// The core's error: method, URI, status and what the service said.
    pub fn core(&self) -> &redfish_proto::Error {
        &self.error
    }

    /// The core's error, alone.
    pub fn into_core(self) -> redfish_proto::Error {
        self.error
    }

    /// What went wrong with the connection, where that is how it failed.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }

    pub(crate) fn into_parts(self) -> (redfish_proto::Error, Option<Cause>) {
        (self.error, self.cause)
    }
}

impl From<redfish_proto::Error> for Error {
    fn from(error: redfish_proto::Error) -> Self {
        Self { error, cause: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("error", &self.error).field("cause", &self.cause).finish()
    }
}

impl StdError for Error {
    /// What the cause came from: the cause itself is in `Display` already.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().and_then(StdError::source)
    }
}
