//! A service: its origin and its policy.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::{self, LinkError};
use crate::origin::Origin;
use crate::policy::{DEFAULT, Links, Policy};
use crate::reason::TargetError;
use crate::redact::SafeText;
use crate::target::Target;

/// A Redfish service: its origin and its policy. Immutable; share it with [`Arc`].
///
/// ```
/// use redfish_proto::Service;
///
/// let service = Service::new("bmc.example:8443/redfish/v1/")?;
/// assert_eq!(service.to_string(), "https://bmc.example:8443");
/// assert!(Service::new("https://admin:secret@bmc.example").is_err());
/// # Ok::<(), redfish_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    origin: Arc<Origin>,
    /// `None` is the default policy, which thousands of services share.
    policy: Option<Arc<Policy>>,
}

impl Service {
    /// Parses the URL of a service as users type it: `https://bmc`, `bmc`, `bmc:8443`, `[fe80::1%25eth0]`.
    ///
    /// The default scheme is `https`. A final `/`, `/redfish` or `/redfish/v1` is removed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidService`] for user info, a query, another path or another scheme. The text is not
    /// repeated, since it may contain a password.
    pub fn new(url: &str) -> Result<Service, Error> {
        Ok(Service { origin: origin(url)?.into(), policy: None })
    }

    /// Like [`Service::new`], with a policy. Services can share one: `Arc::clone(&policy)`.
    ///
    /// # Errors
    /// Those of [`Service::new`].
    pub fn with_policy(url: &str, policy: impl Into<Arc<Policy>>) -> Result<Service, Error> {
        Ok(Service { origin: origin(url)?.into(), policy: Some(policy.into()) })
    }

    /// Its policy.
    pub fn policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or(&DEFAULT)
    }

    /// Parses a path as users type it, or an absolute URL of this service.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTarget`] if it is not a valid path or belongs to another service, whatever the policy for
    /// links.
    pub fn target(&self, path: &str) -> Result<Target, Error> {
        let invalid = |reason| self.error(ErrorKind::InvalidTarget(reason));
        if path.is_empty() || path.starts_with(['?', '#']) {
            return Err(invalid(TargetError::Empty));
        }
        let root = Target::well_known("/");
        link::resolve(path, &root, &self.origin, Links::SameOrigin).map_err(|error| match error {
            LinkError::CrossOrigin => invalid(TargetError::OtherService),
            LinkError::Malformed(reason) => invalid(reason),
        })
    }

    /// Resolves a link of a resource, according to the policy for links.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] and [`ErrorKind::Malformed`], as [`Answer::resolve`](crate::Answer::resolve).
    pub fn link(&self, base: &Target, link: &str) -> Result<Target, Error> {
        // The link may contain a secret that is not known here.
        link::resolve(link, base, &self.origin, self.policy().links)
            .map_err(|error| Error::of_link(error, SafeText::default()).with_origin(&self.origin))
    }

    /// An error of this kind that names the service, for failures outside of a call.
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind).with_origin(&self.origin)
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

impl Error {
    /// Names the service, unless the error names one already.
    #[must_use]
    pub fn with_service(self, service: &Service) -> Error {
        self.with_origin(&service.origin)
    }
}

fn origin(url: &str) -> Result<Origin, Error> {
    Origin::read(url).map_err(|reason| Error::new(ErrorKind::InvalidService(reason)))
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_url_is_parsed_as_users_type_it() {
        for (typed, origin, host) in [
            ("bmc", "https://bmc", "bmc"),
            ("https://BMC:443/", "https://bmc", "bmc"),
            ("http://bmc:443/redfish", "http://bmc:443", "bmc:443"),
            ("bmc:8443/redfish/v1/", "https://bmc:8443", "bmc:8443"),
            ("10.0.0.1", "https://10.0.0.1", "10.0.0.1"),
            ("[::1]:8000", "https://[::1]:8000", "[::1]:8000"),
            ("fe80::1", "https://[fe80::1]", "[fe80::1]"),
            ("[::]", "https://[::]", "[::]"),
            ("[fe80::]:8443", "https://[fe80::]:8443", "[fe80::]:8443"),
            ("https://[fe80::1%25eth0]", "https://[fe80::1%25eth0]", "[fe80::1]"),
        ] {
            let service = Service::new(typed).unwrap();
            assert_eq!(service.to_string(), origin, "{typed}");
            assert_eq!(service.origin.host(), host, "{typed}");
            assert_eq!(service.origin.uri(&Target::well_known("/a")).to_string(), format!("{origin}/a"));
        }
    }

    #[test]
    fn an_invalid_service_url_is_refused_and_not_repeated() {
        for typed in [
            "https://admin:s3cret@bmc",
            "admin:s3cret@bmc",
            "ftp://s3cret",
            "https://bmc/s3cret",
            "https://bmc?s3cret",
            "bmc#s3cret",
            "bmc:s3cret",
            "bmc:0",
            "bmc:+80",
            "bmc!s3cret",
            "bmc*",
            "bmc:65536",
            "bmc:",
            "",
            "https://",
            "https:///redfish/v1",
            "[s3cret]",
            "[fe80::1%25]",
            "b s3cret",
            "bmc\r\ns3cret",
        ] {
            let error = Service::new(typed).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidService(_)), "{typed}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_error_contains_the_reason() {
        for (typed, reason) in
            [("https://", "host is missing"), ("bmc:x", "not a number"), ("bmc:0", "between 1 and 65535")]
        {
            let error = Service::new(typed).unwrap_err().to_string();
            assert!(error.contains(reason), "{typed}: {error}");
        }
    }

    #[test]
    fn a_path_of_another_service_is_refused() {
        let policy = Policy { links: Links::PathOnly, ..Policy::default() };
        let service = Service::with_policy("bmc", policy).unwrap();
        assert_eq!(service.target("/redfish/v1/Systems").unwrap().as_str(), "/redfish/v1/Systems");
        assert_eq!(
            service.target("https://bmc/redfish/v1/Systems?a=b").unwrap().as_str(),
            "/redfish/v1/Systems?a=b"
        );
        assert!(service.target("https://evil/redfish/v1/Systems").is_err());
        assert!(service.target("").is_err());
    }
}
