//! Links of a response, resolved to targets (RFC 3986, section 5). A link to another origin never becomes a target by
//! accident: either it is refused, or its path is used at the service's own origin.

use std::borrow::Cow;

use serde_json::Value;

use crate::origin::Origin;
use crate::policy::Links;
use crate::reason::TargetError;
use crate::target::{Target, checked_link, merge};

/// Why a link cannot be resolved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LinkError {
    /// It points to another origin.
    CrossOrigin,
    /// It is not a valid link.
    Malformed(TargetError),
}

/// The text of the link at a JSON pointer of a resource. `None` if there is no link: the member is missing, empty, or not
/// a text.
pub(crate) fn link_at<'a>(resource: &'a Value, pointer: &str) -> Option<&'a str> {
    resource.pointer(pointer).and_then(Value::as_str).filter(|link| is_link(link))
}

/// Whether a text is a link. One without a path would mean the resource that contains it (RFC 3986, 4.4), which no service
/// means, and dots alone a folder above it.
pub(crate) fn is_link(text: &str) -> bool {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    path.contains(|c| !matches!(c, '.' | '/'))
}

/// Resolves a link in the response of `base`.
pub(crate) fn resolve(link: &str, base: &Target, origin: &Origin, links: Links) -> Result<Target, LinkError> {
    let link = checked_link(link).map_err(LinkError::Malformed)?;
    if matches!(link.trim(), "" | "#") {
        return Err(LinkError::Malformed(TargetError::Empty));
    }
    let without_fragment = link.split_once('#').map_or(link, |(without_fragment, _)| without_fragment);
    let reference = match split_authority(without_fragment) {
        Authority::OtherScheme => return Err(LinkError::CrossOrigin),
        Authority::Http { scheme, authority, start } => {
            let scheme = scheme.unwrap_or(origin.scheme());
            if links == Links::SameOrigin && Origin::parse(scheme, authority).ok().as_ref() != Some(origin) {
                return Err(LinkError::CrossOrigin);
            }
            // A URL without a path is the root, not the base.
            let path = link.get(start..).unwrap_or_default();
            if path.starts_with('/') { Cow::Borrowed(path) } else { format!("/{path}").into() }
        }
        Authority::None => Cow::Borrowed(link),
    };
    merge(&reference, base).map_err(LinkError::Malformed)
}

enum Authority<'a> {
    /// None: a path of this service.
    None,
    /// An HTTP URL or a network path (`//host/…`).
    Http {
        scheme: Option<&'a str>,
        authority: &'a str,
        /// The position in the link at which its path starts.
        start: usize,
    },
    /// A URI with another scheme, such as `mailto:`.
    OtherScheme,
}

fn split_authority(link: &str) -> Authority<'_> {
    // A colon after the first slash is part of a path.
    let (scheme, rest) = match link.split_once(':') {
        Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains(['/', '?']) => {
            let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            if !known || !rest.starts_with("//") {
                return Authority::OtherScheme;
            }
            (Some(scheme), rest)
        }
        _ => (None, link),
    };
    match rest.strip_prefix("//") {
        Some(rest) => {
            // A backslash does not end the authority (RFC 3986), so a host that another parser would read differently
            // is refused.
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            Authority::Http { scheme, authority, start: link.len() - rest.len() + authority.len() }
        }
        None => Authority::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, link: &str, links: Links) -> Result<String, LinkError> {
        let origin = Origin::parse("https", "bmc").unwrap();
        let base = resolve(base, &Target::well_known("/"), &origin, links).unwrap();
        resolve(link, &base, &origin, links).map(|t| t.to_string())
    }

    #[test]
    fn links_resolve_by_rfc_3986_on_our_origin() {
        let base = "/redfish/v1/SessionService/Sessions?skip=1";
        for (link, target) in [
            ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1"),
            ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "/redfish/v1/Chassis/1/Thermal#/Fans/0"),
            ("https://bmc/a?b=c", "/a?b=c"),
            ("HTTPS://BMC:443/a", "/a"),
            ("//bmc/a", "/a"),
            ("https://bmc", "/"),
            ("https://bmc?x", "/?x"),
            ("https://bmc//evil/x", "/evil/x"),
            ("c4", "/redfish/v1/SessionService/c4"),
            ("./c4", "/redfish/v1/SessionService/c4"),
            ("../../../../../etc", "/etc"),
            ("/a/./b/../c/..", "/a/"),
            ("/..//evil/x", "/evil/x"),
            ("#/Members/0", "/redfish/v1/SessionService/Sessions?skip=1#/Members/0"),
            ("?$skip=50", "/redfish/v1/SessionService/Sessions?$skip=50"),
            ("/Fan 1/ä|[x]", "/Fan%201/%C3%A4%7C%5Bx%5D"),
            ("/a%20b%zz%", "/a%20b%25zz%25"),
            ("/\\evil/x", "/%5Cevil/x"),
            (" /a ", "/a"),
            ("/S//1", "/S//1"),
            ("a:1?x", "off"),
        ] {
            let found = resolved(base, link, Links::SameOrigin);
            if target == "off" {
                assert_eq!(found, Err(LinkError::CrossOrigin), "{link}");
            } else {
                assert_eq!(found.as_deref(), Ok(target), "{link}");
            }
        }
    }

    #[test]
    fn a_link_to_another_origin_is_refused_or_reduced_to_its_path() {
        for link in [
            "https://evil/a",
            "http://bmc/a",
            "https://bmc:8443/a",
            "//evil/a",
            "https://u@bmc/a",
            "https:///a",
        ] {
            assert_eq!(resolved("/", link, Links::SameOrigin), Err(LinkError::CrossOrigin), "{link}");
            assert_eq!(resolved("/", link, Links::PathOnly).as_deref(), Ok("/a"), "{link}");
        }
        for link in ["mailto:a@b", "javascript:alert(1)", "https:/evil/a", "ftp://bmc/a"] {
            assert_eq!(resolved("/", link, Links::PathOnly), Err(LinkError::CrossOrigin), "{link}");
        }
    }

    #[test]
    fn a_text_without_a_reference_is_not_a_link() {
        for link in ["", " ", "\t ", "#", " # "] {
            assert_eq!(resolved("/a", link, Links::PathOnly), Err(LinkError::Malformed(TargetError::Empty)));
            assert_eq!(link_at(&serde_json::json!({"Link": link}), "/Link"), None, "{link:?}");
        }
    }

    #[test]
    fn a_link_that_could_split_a_request_is_refused() {
        for link in ["/a\r\nX-Evil: 1", "/a\0", "/\x7f"] {
            assert!(matches!(resolved("/", link, Links::PathOnly), Err(LinkError::Malformed(_))), "{link:?}");
        }
        assert!(resolved("/", &"/a".repeat(20_000), Links::PathOnly).is_err());
    }
}
