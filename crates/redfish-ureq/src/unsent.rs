//! Failures before anything was sent.

use std::error::Error as StdError;
use std::fmt;

/// A failure before the first byte of a request, after which any request can be sent again.
#[derive(Debug)]
pub(crate) struct Unsent(pub(crate) ureq::Error);

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Unsent {}

pub(crate) fn unsent(error: ureq::Error) -> ureq::Error {
    ureq::Error::Other(Box::new(Unsent(error)))
}
