//! The resource that a body is, as far as it is needed to read the body.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::{self, LinkError};
use crate::redact::Redactor;
use crate::service::Service;
use crate::target::Target;
use crate::view::{self, Decode};

/// The resource that a body is. Links in it are relative to its target, and errors show none of the secrets that are known.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) service: Arc<Service>,
    pub(crate) target: Target,
    pub(crate) redactor: Arc<Redactor>,
}

impl Base {
    /// The resource that answered.
    pub(crate) fn of(answer: &Answer) -> Arc<Base> {
        Base::at(answer.target.clone(), answer)
    }

    /// The resource at this target, in the body of an answer.
    pub(crate) fn at(target: Target, answer: &Answer) -> Arc<Base> {
        let (service, redactor) = (Arc::clone(&answer.service), Arc::clone(&answer.redactor));
        Arc::new(Base { service, target, redactor })
    }

    /// Resolves a link of the resource, according to the policy for links.
    pub(crate) fn resolve(&self, link: &str) -> Result<Target, Error> {
        let (origin, links) = (self.service.origin(), self.service.policy().links);
        let failed = |error| match error {
            LinkError::CrossOrigin => Error::new(ErrorKind::CrossOrigin { link: self.redactor.clean(link) }),
            LinkError::Malformed(reason) => Error::malformed_link(reason),
        };
        link::resolve(link, &self.target, origin, links).map_err(|error| self.stamp(failed(error)))
    }

    /// Reads a part of the body as a type.
    pub(crate) fn read<T: Decode>(self: &Arc<Base>, part: &Bytes) -> Result<T, Error> {
        view::read_part(part, self).map_err(|(pointer, reason)| self.malformed(&pointer, &reason))
    }

    /// The error of what does not fit: a JSON pointer, and the reason.
    pub(crate) fn malformed(&self, pointer: &str, reason: &str) -> Error {
        Error::malformed(self.redactor.clean(pointer), self.redactor.clean(reason))
    }

    /// An error that the resource is the reason of.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        let exchange = Some((&Method::GET, &self.target));
        error.with_origin(self.service.origin()).stamped(exchange, &self.redactor)
    }
}
