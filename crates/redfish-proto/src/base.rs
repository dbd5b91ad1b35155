//! The resource that a body is, as far as it is needed to read the body.

use std::sync::Arc;

use http::Method;

use crate::error::Error;
use crate::link;
use crate::redact::Redactor;
use crate::service::Service;
use crate::target::Target;

/// The resource that a body is. Links in it are relative to its target, and errors show none of the secrets that are known.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) service: Arc<Service>,
    pub(crate) target: Target,
    pub(crate) redactor: Arc<Redactor>,
}

impl Base {
    /// Resolves a link of the resource, according to the policy for links.
    pub(crate) fn resolve(&self, link: &str) -> Result<Target, Error> {
        let (origin, links) = (self.service.origin(), self.service.policy().links);
        link::resolve(link, &self.target, origin, links)
            .map_err(|error| self.stamp(Error::of_link(error, self.redactor.clean(link))))
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
