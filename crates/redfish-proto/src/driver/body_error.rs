//! The errors of a streamed body, which the caller reads after the call has ended. The driver names the secrets of the
//! client, which their texts must not show.

use std::error::Error as StdError;
use std::io;

use http::Method;

use crate::cause::TransportError;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::reason::RequestError;
use crate::redact::Redactor;
use crate::service::Service;
use crate::target::Target;

impl Service {
    /// The error of a body that broke off, or that is not what its coding says.
    pub fn truncated_body_error(&self, target: &Target, secrets: &Redactor, error: io::Error) -> Error {
        let error = TransportError::of_body(error);
        self.body_error(target, secrets, error.body_error(self.policy().body_limit, secrets))
    }

    /// The error of a body that is larger than the caller allows, in bytes.
    pub fn body_limit_error(&self, target: &Target, secrets: &Redactor, limit: usize) -> Error {
        self.body_error(target, secrets, Error::new(ErrorKind::TooLarge { limit }))
    }

    /// The error of a body that the caller could not store.
    pub fn body_write_error(
        &self,
        target: &Target,
        secrets: &Redactor,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Error {
        let error = Error::new(ErrorKind::InvalidRequest(RequestError::Output)).with_source(source);
        self.body_error(target, secrets, error)
    }

    fn body_error(&self, target: &Target, secrets: &Redactor, error: Error) -> Error {
        error.with_origin(self.origin()).stamped(Some((&Method::GET, target)), secrets)
    }
}
