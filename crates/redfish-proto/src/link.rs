//! Links of a response, resolved to targets (RFC 3986, section 5). One that names another origin never becomes a target by
//! accident: either it is refused, or its path is used on our own origin.

use std::borrow::Cow;

use crate::origin::Origin;
use crate::policy::Links;
use crate::reason::TargetError;
use crate::target::{Target, merge, readable};

/// Why a link is no target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It points to another origin.
    CrossOrigin,
    /// It is no link at all.
    Malformed(TargetError),
}

/// Reads a link that stands in the answer of `base`.
pub(crate) fn resolve(link: &str, base: &Target, origin: &Origin, links: Links) -> Result<Target, Refused> {
    let link = readable(link).map_err(Refused::Malformed)?;
    let whole = link.split_once('#').map_or(link, |(whole, _)| whole);
    let here = match split_authority(whole) {
        Authority::Elsewhere => return Err(Refused::CrossOrigin),
        Authority::At { scheme, authority, start } => {
            let scheme = scheme.unwrap_or(origin.scheme());
            if links == Links::SameOrigin && Origin::parse(scheme, authority).ok().as_ref() != Some(origin) {
                return Err(Refused::CrossOrigin);
            }
            // A URL without a path is the root, never the place it stands in.
            let path = link.get(start..).unwrap_or_default();
            if path.starts_with('/') { Cow::Borrowed(path) } else { format!("/{path}").into() }
        }
        Authority::Here => Cow::Borrowed(link),
    };
    merge(&here, base).map_err(Refused::Malformed)
}

enum Authority<'a> {
    /// A path of this service.
    Here,
    /// An HTTP URL or a network path (`//host/…`).
    At {
        scheme: Option<&'a str>,
        authority: &'a str,
        /// Where in the link its path begins.
        start: usize,
    },
    /// A URI of another kind, such as `mailto:`.
    Elsewhere,
}

fn split_authority(link: &str) -> Authority<'_> {
    // A colon after the first slash is a part of a path.
    let (scheme, behind) = match link.split_once(':') {
        Some((scheme, behind)) if !scheme.is_empty() && !scheme.contains(['/', '?']) => {
            let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            if !known || !behind.starts_with("//") {
                return Authority::Elsewhere;
            }
            (Some(scheme), behind)
        }
        _ => (None, link),
    };
    match behind.strip_prefix("//") {
        Some(behind) => {
            // RFC 3986 has no backslash; a reader that takes it for a slash would see another host here.
            let authority = behind.split(['/', '?']).next().unwrap_or_default();
            Authority::At { scheme, authority, start: link.len() - behind.len() + authority.len() }
        }
        None => Authority::Here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: &str, link: &str, links: Links) -> Result<String, Refused> {
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
            ("", "/redfish/v1/SessionService/Sessions?skip=1"),
            ("#/Members/0", "/redfish/v1/SessionService/Sessions?skip=1#/Members/0"),
            ("?$skip=50", "/redfish/v1/SessionService/Sessions?$skip=50"),
            ("/Fan 1/ä|[x]", "/Fan%201/%C3%A4%7C%5Bx%5D"),
            ("/a%20b%zz%", "/a%20b%25zz%25"),
            ("/\\evil/x", "/%5Cevil/x"),
            (" /a ", "/a"),
            ("/S//1", "/S//1"),
            ("a:1?x", "off"),
        ] {
            let found = at(base, link, Links::SameOrigin);
            if target == "off" {
                assert_eq!(found, Err(Refused::CrossOrigin), "{link}");
            } else {
                assert_eq!(found.as_deref(), Ok(target), "{link}");
            }
        }
    }

    #[test]
    fn another_origin_is_refused_or_loses_its_authority() {
        for link in [
            "https://evil/a",
            "http://bmc/a",
            "https://bmc:8443/a",
            "//evil/a",
            "https://u@bmc/a",
            "https:///a",
        ] {
            assert_eq!(at("/", link, Links::SameOrigin), Err(Refused::CrossOrigin), "{link}");
            assert_eq!(at("/", link, Links::PathOnly).as_deref(), Ok("/a"), "{link}");
        }
        for link in ["mailto:a@b", "javascript:alert(1)", "https:/evil/a", "ftp://bmc/a"] {
            assert_eq!(at("/", link, Links::PathOnly), Err(Refused::CrossOrigin), "{link}");
        }
    }

    #[test]
    fn what_could_split_a_request_is_refused() {
        for link in ["/a\r\nX-Evil: 1", "/a\0", "/\x7f"] {
            assert!(matches!(at("/", link, Links::PathOnly), Err(Refused::Malformed(_))), "{link:?}");
        }
        assert!(at("/", &"/a".repeat(20_000), Links::PathOnly).is_err());
    }
}
