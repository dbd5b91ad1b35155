//! The order in which the addresses of a service are tried (RFC 8305, "Happy Eyeballs").

use std::net::SocketAddr;
use std::time::Duration;

/// How long an attempt to connect has the network for itself before the next address is tried as well (RFC 8305, section 5).
/// A dead address costs this time, not the connect timeout.
pub const CONNECT_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The addresses of a service in the order in which they are tried: the families alternate, beginning with that of the first
/// address, and the resolver's order is kept within each family (RFC 8305, section 4).
pub fn interleave_families(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<SocketAddr> = addresses.into_iter().collect();
    let is_v6_preferred = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let family = |is_v6| addresses.iter().filter(move |address| address.is_ipv6() == is_v6);
    let (mut preferred, mut others) = (family(is_v6_preferred), family(!is_v6_preferred));
    let mut ordered = Vec::with_capacity(addresses.len());
    while ordered.len() < addresses.len() {
        ordered.extend(preferred.next());
        ordered.extend(others.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_alternate_and_keep_their_order() {
        for (resolved, ordered) in [
            (&[][..], &[][..]),
            (&["[::1]:1"], &["[::1]:1"]),
            (
                &["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"],
                &["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"],
            ),
            (&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"], &["1.1.1.1:1", "[::1]:1", "2.2.2.2:1"]),
            (&["2.2.2.2:1", "1.1.1.1:1"], &["2.2.2.2:1", "1.1.1.1:1"]),
        ] {
            let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
            assert_eq!(interleave_families(parse(resolved)), parse(ordered), "{resolved:?}");
        }
    }
}
