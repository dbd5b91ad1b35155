//! The error of the HTTP library, of TLS or of the system that caused a failure.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::kind::Failure;
use crate::redact::{Redactor, SafeText};

/// A shared error of the driver: all callers that wait for one login get its failure.
pub(crate) type SharedError = Arc<dyn StdError + Send + Sync>;

/// How an exchange failed: its meaning for the protocol, and the error of the driver's library.
#[derive(Clone, Debug)]
pub struct TransportError {
    failure: Failure,
    source: Option<SharedError>,
}

impl TransportError {
    /// A failure with the error that caused it.
    pub fn new(failure: Failure, source: impl Into<Box<dyn StdError + Send + Sync>>) -> TransportError {
        TransportError { failure, source: Some(source.into().into()) }
    }

    /// A failure with a shared error.
    pub fn shared(failure: Failure, source: Arc<dyn StdError + Send + Sync>) -> TransportError {
        TransportError { failure, source: Some(source) }
    }

    /// The error of a body that broke off while it was read.
    pub fn of_body(error: std::io::Error) -> TransportError {
        let failure = match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::TimedOut,
            // Not gzip.
            std::io::ErrorKind::InvalidInput => Failure::Undecodable,
            _ => Failure::Broken,
        };
        TransportError::new(failure, error)
    }

    /// Its meaning for the protocol.
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

/// The error that caused a failed call, for example an I/O error or one of rustls or hyper.
///
/// Its text may contain text of the peer (rustls quotes names of the certificate), so secrets are removed from
/// `Display` and `Debug`. [`downcast_ref`](Cause::downcast_ref) returns the error itself.
#[derive(Clone)]
pub struct Cause {
    source: SharedError,
    text: SafeText,
}

impl Cause {
    pub(crate) fn new(source: SharedError, redactor: &Redactor) -> Cause {
        let text = redactor.clean(&source.to_string());
        Cause { source, text }
    }

    /// The first error of this type, among the library's error and its sources.
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

    /// The same without these secrets.
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
    fn the_text_is_redacted_and_the_error_itself_is_found() {
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
