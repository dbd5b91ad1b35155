//! The host of a URI in the forms that TLS and the resolver expect.

use rustls::pki_types::ServerName;

use crate::error::Error;

/// Returns the name to check a certificate against: the host name, or an IP address without brackets and zone.
///
/// # Errors
/// [`Error::ServerName`] for a host that no certificate can be issued for.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    let host = resolvable(host);
    let address = host.split('%').next().unwrap_or_default();
    ServerName::try_from(address.to_owned()).map_err(|_| Error::ServerName)
}

/// Returns the host as the system's resolver expects it: an IPv6 address without brackets and with its zone unescaped
/// (RFC 6874: `[fe80::1%25eth0]` becomes `fe80::1%eth0`).
pub fn resolvable(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').replacen("%25", "%", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_removed_and_the_zone_is_unescaped() {
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
    fn the_server_name_is_the_address_without_its_zone() {
        for (host, name) in [("bmc.example", "bmc.example"), ("[fe80::1%25eth0]", "fe80::1")] {
            assert_eq!(server_name(host).unwrap(), ServerName::try_from(name).unwrap());
        }
        assert!(server_name("a_b..c").is_err());
    }
}
