//! The events of a call, for logs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::cause::Cause;
use crate::driver::exchange::{Outgoing, RequestLine, ResponseHead};
use crate::error::Error;
use crate::kind::Failure;

/// One event of a call. `Display` and `Debug` are safe to log: they leave out bodies and secrets.
#[non_exhaustive]
pub enum Trace<'a> {
    /// A request is about to be sent.
    Request(&'a Outgoing),
    /// A response arrived. A streamed one has no body here.
    Response {
        /// Its status and headers.
        head: ResponseHead<'a>,
        /// Its unchanged body; [`ResponseHead::body`] shows it without secrets.
        body: Result<&'a Bytes, Failure>,
    },
    /// An exchange failed before there was a response.
    Failure {
        /// The request that failed.
        request: RequestLine,
        /// What it means for the protocol.
        failure: Failure,
        /// What the library reported.
        cause: Option<Cause>,
    },
    /// The call waits, because the service asked for it or before a retry.
    Wait(Duration),
    /// A session could not be closed at the end of a scope, or after a late login.
    LogoutFailed(&'a Error),
}

/// Called for every request, response, failure and wait of a client's calls.
pub type Observer = Arc<dyn Fn(&Trace<'_>) + Send + Sync>;

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trace::Request(outgoing) => outgoing.fmt(f),
            Trace::Response { head, body: Ok(body) } => {
                write!(f, "{head}\n< ({} bytes, {})", body.len(), head.request())
            }
            Trace::Response { head, body: Err(failure) } => {
                write!(f, "{head}\n< (no body: {failure}, {})", head.request())
            }
            Trace::Failure { request, failure, cause: Some(cause) } => {
                write!(f, "< {failure} ({cause}, {request})")
            }
            Trace::Failure { request, failure, cause: None } => write!(f, "< {failure} ({request})"),
            Trace::Wait(time) => write!(f, "= waiting {time:?}"),
            Trace::LogoutFailed(error) => write!(f, "= a session may be left open: {error}"),
        }
    }
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
