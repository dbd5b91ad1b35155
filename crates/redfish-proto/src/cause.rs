//! What the HTTP library, TLS or the system reported of a failed exchange.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::kind::Failure;
use crate::redact::{Redactor, SafeText};

/// An error of the driver's own, shared: one failed login is the failure of all callers that waited for it.
pub(crate) type Shared = Arc<dyn StdError + Send + Sync>;

/// How an exchange failed: what that means for the protocol, and the error of the driver's library.
#[derive(Clone, Debug)]
pub struct TransportError {
    failure: Failure,
    source: Option<Shared>,
}

impl TransportError {
    /// A failure with the error that it comes from.
    pub fn new(failure: Failure, source: impl Into<Box<dyn StdError + Send + Sync>>) -> TransportError {
        TransportError { failure, source: Some(source.into().into()) }
    }

    /// The same with an error that the driver keeps as well.
    pub fn shared(failure: Failure, source: Arc<dyn StdError + Send + Sync>) -> TransportError {
        TransportError { failure, source: Some(source) }
    }

    /// The error of a body that broke off while it was read.
    pub fn of_body(error: std::io::Error) -> TransportError {
        let failure = match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::TimedOut,
            // Not gzip.
            std::io::ErrorKind::InvalidInput => Failure::Malformed,
            _ => Failure::Broken,
        };
        TransportError::new(failure, error)
    }

    /// What it means for the protocol.
    pub fn failure(&self) -> Failure {
        self.failure
    }

    pub(crate) fn cause(&self, redactor: &Redactor) -> Option<Cause> {
        self.source.as_ref().map(|source| Cause::new(Arc::clone(source), redactor))
    }
}

impl From<Failure> for TransportError {
    fn from(failure: Failure) -> TransportError {
        TransportError { failure, source: None }
    }
}

/// The error that a failed call comes from: an I/O error, say, or one of rustls or hyper.
///
/// A peer may have had a hand in its text (rustls quotes names of the peer's certificate), so `Display` and `Debug` are
/// cleaned. A program finds the error itself with [`downcast_ref`](Cause::downcast_ref).
#[derive(Clone)]
pub struct Cause {
    source: Shared,
    text: SafeText,
}

impl Cause {
    pub(crate) fn new(source: Shared, redactor: &Redactor) -> Cause {
        let text = redactor.clean(&source.to_string());
        Cause { source, text }
    }

    /// The first error of this type, among the library's error and those that it comes from.
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&*self.source);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The same without what these secrets are.
    pub(crate) fn cleaned(&self, redactor: &Redactor) -> Cause {
        Cause { source: Arc::clone(&self.source), text: redactor.clean(&self.text) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({})", self.text)
    }
}

impl StdError for Cause {}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_text_is_cleaned_and_the_error_itself_is_found() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2hunter2");
        let inner = io::Error::other("certificate of \u{1b}hunter2hunter2");
        let error =
            TransportError::new(Failure::Untrusted, io::Error::new(io::ErrorKind::InvalidData, inner));
        let cause = error.cause(&redactor).unwrap();
        assert_eq!(cause.to_string(), "certificate of  [redacted]");
        assert!(!format!("{cause:?}").contains("hunter2"));
        assert_eq!(cause.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::InvalidData);
        assert!(cause.downcast_ref::<fmt::Error>().is_none() && StdError::source(&cause).is_none());
    }
}
