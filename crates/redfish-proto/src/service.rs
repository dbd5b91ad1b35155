//! A service: its origin, and the policy by which it is talked to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::uri::{Authority, Scheme};

use crate::call::Call;
use crate::error::Error;
use crate::etag::ETagForm;
use crate::kind::ErrorKind;
use crate::operation::Operation;
use crate::target::{self, Refused, Target};

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

/// How a service is talked to. Every wait and every read has a bound; each is a setting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// What becomes of a link to another origin. Default: it is refused.
    pub links: Links,
    /// How long one exchange may take, from connecting to the last byte. Default: 30 s.
    pub timeout: Duration,
    /// How long a whole call may take, with its retries, where the call says nothing else. Default: none, since
    /// each exchange, wait and count is bounded.
    pub deadline: Option<Duration>,
    /// Bytes a body may have, after decompression. Default: 32 MiB.
    pub body_limit: usize,
    /// How deep the arrays and objects of a JSON body may nest; 127 at the most. Default: 127.
    pub json_depth: usize,
    /// Pages of one collection that are read, one after the other. Default: 10,000.
    pub pages: usize,
    /// Redirects followed for one request. Default: 5.
    pub redirects: u32,
    /// Times one request is tried again after a failure or a 429 or 503. Default: 3.
    pub retries: u32,
    /// The longest wait before another try; a service that asks for more gets none. Default: 30 s.
    pub longest_wait: Duration,
    /// How long a logout may take. Default: 10 s.
    pub logout_deadline: Duration,
    /// How long a system that was told to restart may still be seen `On` before that counts as done: most never show that
    /// they were down. Default: 30 s.
    pub restart_grace: Duration,
    /// In which form `If-Match` has an ETag. Default: as the service gave it.
    pub etag_form: ETagForm,
    /// What `User-Agent` says. Default: the name and version of this crate.
    pub user_agent: HeaderValue,
}

/// What becomes of a link to another origin that stands in an answer.
///
/// A login's `Location` is always read by its path, and a redirect never leaves the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// It is an error that says where it pointed.
    #[default]
    SameOrigin,
    /// Its path is used on our own origin: for services that know themselves by another name, such as one behind
    /// a forwarded port.
    PathOnly,
}

static DEFAULT: Policy = Policy {
    links: Links::SameOrigin,
    timeout: Duration::from_secs(30),
    deadline: None,
    body_limit: 32 << 20,
    json_depth: 127,
    pages: 10_000,
    redirects: 5,
    retries: 3,
    longest_wait: Duration::from_secs(30),
    logout_deadline: Duration::from_secs(10),
    restart_grace: Duration::from_secs(30),
    etag_form: ETagForm::Verbatim,
    user_agent: HeaderValue::from_static(concat!("redfish-proto/", env!("CARGO_PKG_VERSION"))),
};

impl Default for Policy {
    fn default() -> Policy {
        DEFAULT.clone()
    }
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
        Ok(Service { origin: Origin::read(url)?.into(), policy: None })
    }

    /// The same with a policy of one's own. Services can share one: `Arc::clone(&policy)`.
    ///
    /// # Errors
    /// Those of [`Service::new`].
    pub fn with_policy(url: &str, policy: impl Into<Arc<Policy>>) -> Result<Service, Error> {
        Ok(Service { origin: Origin::read(url)?.into(), policy: Some(policy.into()) })
    }

    /// Its policy.
    pub fn policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or(&DEFAULT)
    }

    /// A call of the operation on this service.
    pub fn call<O: Operation>(self: &Arc<Self>, operation: O) -> Call<O> {
        Call::new(Arc::clone(self), operation)
    }

    /// A path of this service as a person types it; an absolute URL of this service is its path.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTarget`] for what is no path or belongs to another service, whatever the policy says
    /// of links.
    pub fn target(&self, path: &str) -> Result<Target, Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidTarget(reason));
        if path.is_empty() || path.starts_with(['?', '#']) {
            return Err(invalid("it is empty"));
        }
        let root = Target::well_known("/");
        target::resolve(path, &root, &self.origin, Links::SameOrigin).map_err(|refused| match refused {
            Refused::OffOrigin => invalid("a URL of another service"),
            Refused::Malformed(reason) => invalid(reason),
        })
    }

    /// A link of a resource that was read, by the policy for links.
    ///
    /// # Errors
    /// [`ErrorKind::OffOrigin`] and [`ErrorKind::Malformed`], as [`Answer::resolve`](crate::Answer::resolve).
    pub fn link(&self, base: &Target, link: &str) -> Result<Target, Error> {
        target::resolve(link, base, &self.origin, self.policy().links).map_err(|refused| match refused {
            Refused::OffOrigin => Error::new(ErrorKind::OffOrigin { link: link.to_owned() }),
            Refused::Malformed(reason) => Error::malformed("", reason),
        })
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin)
    }
}

/// Scheme, host and port, in one spelling: lower case, the scheme's own port left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
}

impl Origin {
    /// Reads the URL of a service as people type it.
    fn read(url: &str) -> Result<Origin, Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidService(reason));
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        if authority.contains('@') {
            return Err(invalid("user info belongs in options, not in the URL"));
        }
        if behind.contains(['?', '#']) {
            return Err(invalid("a query or fragment has no meaning here"));
        }
        if !["", "/redfish", "/redfish/v1"].contains(&behind.trim_end_matches('/')) {
            return Err(invalid("a path other than /redfish/v1"));
        }
        Origin::parse(scheme, authority).map_err(invalid)
    }

    /// Reads a scheme and an authority without user info; the error is the reason.
    pub(crate) fn parse(scheme: &str, authority: &str) -> Result<Origin, &'static str> {
        let (scheme, own_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (Scheme::HTTPS, 443),
            "http" => (Scheme::HTTP, 80),
            _ => return Err("the scheme is neither https nor http"),
        };
        // An IPv6 address that somebody forgot to put in brackets has no port.
        let bracketed = authority.parse::<std::net::Ipv6Addr>().is_ok().then(|| format!("[{authority}]"));
        let authority = bracketed.as_deref().unwrap_or(authority);
        // The colons of an address are inside its brackets.
        let after_brackets = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
        let port = after_brackets.split_once(':').map(|(_, port)| port);
        let host =
            authority.get(..authority.len() - port.map_or(0, |port| port.len() + 1)).unwrap_or_default();
        let port = port.unwrap_or_default();
        let port = match port {
            "" if authority.ends_with(':') => return Err("a colon without a port"),
            "" => own_port,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return Err("the port is not between 1 and 65535"),
            },
            _ => return Err("the port is no number"),
        };
        let host = host.to_ascii_lowercase();
        // A zone names an interface of this machine, which is nobody else's business (RFC 6874, section 3).
        let named = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(address) => {
                let bare = address.split_once("%25").map_or(address, |(bare, zone)| {
                    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                    if !zone.is_empty() && zone.bytes().all(fits) { bare } else { "" }
                });
                bare.parse::<std::net::Ipv6Addr>().map_err(|_| "not an IPv6 address between brackets")?;
                format!("[{bare}]")
            }
            None if host.is_empty() => return Err("the host is missing"),
            None if host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => host.clone(),
            None => return Err("the host has a character that none can have"),
        };
        let suffix = if port == own_port { String::new() } else { format!(":{port}") };
        let unusable = "the host cannot be used";
        Ok(Origin {
            scheme,
            authority: Authority::try_from(format!("{host}{suffix}")).map_err(|_| unusable)?,
            host: HeaderValue::try_from(format!("{named}{suffix}")).map_err(|_| unusable)?,
        })
    }

    pub(crate) fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// What the `Host` header says.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The URI of a target here.
    pub(crate) fn uri(&self, target: &Target) -> http::Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(target.path_and_query().clone());
        http::Uri::from_parts(parts).unwrap_or_default()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
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
            [("https://", "host is missing"), ("bmc:x", "no number"), ("bmc:0", "between 1 and 65535")]
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
