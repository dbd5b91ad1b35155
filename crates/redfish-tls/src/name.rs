//! The host of a URI as others write it.

use rustls::pki_types::ServerName;

use crate::error::Error;

/// The name that a certificate is checked against: that of the host, or an IPv6 address without brackets and zone.
///
/// # Errors
/// A host that no certificate can be issued for.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    let host = resolvable(host);
    let address = host.split('%').next().unwrap_or_default();
    ServerName::try_from(address.to_owned()).map_err(|_| Error::ServerName)
}

/// The host as the system's resolver expects it: an IPv6 address without brackets, and with its zone unescaped
/// (RFC 6874: `[fe80::1%25eth0]` is `fe80::1%eth0`).
pub fn resolvable(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').replacen("%25", "%", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_brackets_and_its_zone_no_escape() {
        for (host, expected) in [
            ("bmc.example", "bmc.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[fe80::1%25eth0]", "fe80::1%eth0"),
        ] {
            assert_eq!(resolvable(host), expected);
        }
    }

    #[test]
    fn a_certificate_is_for_the_address_without_its_zone() {
        for (host, name) in [("bmc.example", "bmc.example"), ("[fe80::1%25eth0]", "fe80::1")] {
            assert_eq!(server_name(host).unwrap(), ServerName::try_from(name).unwrap());
        }
        assert!(server_name("a_b..c").is_err());
    }
}
