//! A service: its origin, and the policy by which it is talked to.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::{self, Refused};
use crate::origin::Origin;
use crate::policy::{DEFAULT, Links, Policy};
use crate::reason::TargetError;
use crate::redact::SafeText;
use crate::target::Target;

/// A Redfish service: where it is, and the policy for talking to it. Immutable, and shared by [`Arc`].
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
    /// `None`: the default. Thousands of services have one policy, and need it once.
    policy: Option<Arc<Policy>>,
}

impl Service {
    /// Reads the URL of a service as people type it: `https://bmc`, `bmc`, `bmc:8443`, `[fe80::1%25eth0]`.
    ///
    /// No scheme means `https`. A final `/`, `/redfish` or `/redfish/v1` is forgiven.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidService`] for user info, a query, another path or another scheme. The text is not
    /// repeated, since it may contain a password.
    pub fn new(url: &str) -> Result<Service, Error> {
        Ok(Service { origin: origin(url)?.into(), policy: None })
    }

    /// The same with a policy of one's own. Services can share one: `Arc::clone(&policy)`.
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

    /// A path of this service as a person types it; an absolute URL of this service is its path.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTarget`] for what is no path or belongs to another service, whatever the policy says
    /// of links.
    pub fn target(&self, path: &str) -> Result<Target, Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidTarget(reason)).at(&self.origin);
        if path.is_empty() || path.starts_with(['?', '#']) {
            return Err(invalid(TargetError::Empty));
        }
        let root = Target::well_known("/");
        link::resolve(path, &root, &self.origin, Links::SameOrigin).map_err(|refused| match refused {
            Refused::CrossOrigin => invalid(TargetError::OtherService),
            Refused::Malformed(reason) => invalid(reason),
        })
    }

    /// A link of a resource that was read, by the policy for links.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] and [`ErrorKind::Malformed`], as [`Answer::resolve`](crate::Answer::resolve).
    pub fn link(&self, base: &Target, link: &str) -> Result<Target, Error> {
        link::resolve(link, base, &self.origin, self.policy().links).map_err(|refused| match refused {
            // What is secret in it is not known here, so it is not repeated.
            Refused::CrossOrigin => {
                Error::new(ErrorKind::CrossOrigin { link: SafeText::default() }).at(&self.origin)
            }
            Refused::Malformed(reason) => Error::malformed_link(reason).at(&self.origin),
        })
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.origin
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
    fn a_service_is_what_people_type() {
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
    fn what_is_no_service_is_refused_and_not_repeated() {
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
    fn the_reason_says_what_to_mend() {
        for (typed, reason) in
            [("https://", "host is missing"), ("bmc:x", "not a number"), ("bmc:0", "between 1 and 65535")]
        {
            let said = Service::new(typed).unwrap_err().to_string();
            assert!(said.contains(reason), "{typed}: {said}");
        }
    }

    #[test]
    fn a_typed_path_is_of_this_service_or_refused() {
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
