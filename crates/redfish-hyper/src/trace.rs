//! What an observer sees of a call.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redfish_proto::driver::{Failure, Outgoing, ResponseHead};

use crate::Error;

/// One thing that happened on the way of a call. `Display` and `Debug` are safe to log: bodies are left out, and
/// secrets taken out.
#[non_exhaustive]
pub enum Trace<'a> {
    /// A request is about to be sent.
    Request(&'a Outgoing),
    /// An answer came; of a stream without its body.
    Answer {
        /// Its status and headers.
        heading: ResponseHead<'a>,
        /// Its body, as it is; [`ResponseHead::body`] shows it without secrets.
        body: Result<&'a Bytes, Failure>,
    },
    /// An exchange failed before there was an answer.
    Failure {
        /// How, as far as can be known.
        failure: Failure,
        /// What the library said.
        cause: Option<&'a (dyn StdError + Send + Sync + 'static)>,
    },
    /// The call waits, as the service asked or before another try.
    Wait(Duration),
    /// A session could not be closed at the end of a [scope](crate::Client::scoped), or after a late login.
    LogoutFailed(&'a Error),
}

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(outgoing) => outgoing.fmt(f),
            Self::Answer { heading, body: Ok(body) } => write!(f, "{heading}\n< ({} bytes)", body.len()),
            Self::Answer { heading, body: Err(failure) } => write!(f, "{heading}\n< (no body: {failure})"),
            Self::Failure { failure, cause: Some(cause) } => write!(f, "< {failure} ({cause})"),
            Self::Failure { failure, cause: None } => write!(f, "< {failure}"),
            Self::Wait(time) => write!(f, "= waiting {time:?}"),
            Self::LogoutFailed(error) => write!(f, "= a session may be left open: {error}"),
        }
    }
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who is told.
pub(crate) type Observer = Arc<dyn Fn(&Trace<'_>) + Send + Sync>;
