//! The origin of a service: where its requests go, and the only origin that gets its credentials.

use std::fmt;

use http::HeaderValue;
use http::uri::{Authority, Scheme};

use crate::reason::ServiceUrlError;
use crate::target::Target;

/// Scheme, host and port, normalized: in lower case, without the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
}

impl Origin {
    /// Parses the URL of a service as users type it.
    pub(crate) fn read(url: &str) -> Result<Origin, ServiceUrlError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(ServiceUrlError::UserInfo);
        }
        if path.contains(['?', '#']) {
            return Err(ServiceUrlError::QueryOrFragment);
        }
        if !["", "/redfish", "/redfish/v1"].contains(&path.trim_end_matches('/')) {
            return Err(ServiceUrlError::Path);
        }
        Origin::parse(scheme, authority)
    }

    /// Parses a scheme and an authority without user info.
    pub(crate) fn parse(scheme: &str, authority: &str) -> Result<Origin, ServiceUrlError> {
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (Scheme::HTTPS, 443),
            "http" => (Scheme::HTTP, 80),
            _ => return Err(ServiceUrlError::Scheme),
        };
        // An IPv6 address without brackets has no port.
        let bracketed = authority.parse::<std::net::Ipv6Addr>().is_ok().then(|| format!("[{authority}]"));
        let authority = bracketed.as_deref().unwrap_or(authority);
        // The colons of an address are inside its brackets.
        let after_brackets = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
        let port = after_brackets.split_once(':').map(|(_, port)| port);
        let host =
            authority.get(..authority.len() - port.map_or(0, |port| port.len() + 1)).unwrap_or_default();
        let port = port.unwrap_or_default();
        let port = match port {
            "" if authority.ends_with(':') => return Err(ServiceUrlError::MissingPort),
            "" => default_port,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return Err(ServiceUrlError::PortRange),
            },
            _ => return Err(ServiceUrlError::Port),
        };
        let host = host.to_ascii_lowercase();
        // A zone names a local interface and is not sent (RFC 6874, section 3).
        let named = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(address) => {
                let bare = address.split_once("%25").map_or(address, |(bare, zone)| {
                    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                    if !zone.is_empty() && zone.bytes().all(fits) { bare } else { "" }
                });
                bare.parse::<std::net::Ipv6Addr>().map_err(|_| ServiceUrlError::Ipv6Address)?;
                format!("[{bare}]")
            }
            None if host.is_empty() => return Err(ServiceUrlError::MissingHost),
            None if host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => host.clone(),
            None => return Err(ServiceUrlError::HostCharacter),
        };
        let suffix = if port == default_port { String::new() } else { format!(":{port}") };
        Ok(Origin {
            scheme,
            authority: Authority::try_from(format!("{host}{suffix}"))
                .map_err(|_| ServiceUrlError::HostCharacter)?,
            host: HeaderValue::try_from(format!("{named}{suffix}"))
                .map_err(|_| ServiceUrlError::HostCharacter)?,
        })
    }

    pub(crate) fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// The value of the `Host` header.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The URI of a target at this origin.
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
