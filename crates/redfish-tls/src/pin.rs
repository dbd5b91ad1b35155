//! A pin: the SHA-256 of one certificate.

use std::fmt;
use std::str::FromStr;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;

use crate::Error;

/// The SHA-256 of a leaf certificate's DER, written `sha256:` and 64 hexadecimal digits.
///
/// A pin is not a secret. [`FromStr`] accepts upper or lower case, colons or spaces between the bytes, an optional
/// `sha256:`, and the output of OpenSSL's `-fingerprint`, `sha256 Fingerprint=AA:BB:…`.
///
/// ```
/// use redfish_tls::Pin;
///
/// let pin = Pin::of(b"not really a certificate");
/// assert_eq!(pin.to_string().parse(), Ok(pin));
/// assert!("2c26b46b".parse::<Pin>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Computes the pin of this DER certificate. Requires the feature `ring` or `aws-lc-rs`.
    #[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
    pub fn of(der: &[u8]) -> Self {
        let provider = crate::default_provider().expect("a feature selects a provider");
        Self::with_provider(&provider, der).expect("the provider has cipher suites with SHA-256")
    }

    /// Computes the pin with a provider's SHA-256, taken from one of its cipher suites. `None` if it has no such suite.
    ///
    /// This avoids a dependency on another SHA-256 implementation.
    pub(crate) fn with_provider(provider: &CryptoProvider, der: &[u8]) -> Option<Self> {
        let suites = provider.cipher_suites.iter().map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) => &suite.common,
            SupportedCipherSuite::Tls12(suite) => &suite.common,
        });
        let suite =
            suites.into_iter().find(|suite| suite.hash_provider.algorithm() == HashAlgorithm::SHA256)?;
        Some(Self(suite.hash_provider.hash(der).as_ref().try_into().ok()?))
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_ascii_lowercase();
        let digits = match text.strip_prefix("sha256").or_else(|| text.strip_prefix("sha-256")) {
            None => &text[..],
            Some(rest) => {
                let rest = rest.trim_start();
                let rest = rest.strip_prefix("fingerprint").unwrap_or(rest).trim_start();
                rest.strip_prefix([':', '=']).ok_or(Error::NotAPin)?
            }
        };
        let mut bytes = Vec::with_capacity(32);
        for piece in digits.split(|c: char| c == ':' || c.is_ascii_whitespace()) {
            for pair in piece.as_bytes().chunks(2) {
                bytes.push(parse_byte(pair).ok_or(Error::NotAPin)?);
            }
        }
        bytes.try_into().map(Self).map_err(|_| Error::NotAPin)
    }
}

/// Parses two hexadecimal digits.
fn parse_byte(pair: &[u8]) -> Option<u8> {
    let &[high, low] = pair else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, example B.1.
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn abc() -> Pin {
        Pin::with_provider(&rustls::crypto::ring::default_provider(), b"abc").unwrap()
    }

    #[test]
    fn a_pin_is_the_sha_256() {
        assert_eq!(abc().to_string(), ABC);
    }

    #[test]
    fn a_pin_is_parsed_in_each_common_spelling() {
        let lower = &ABC[7..];
        let upper = lower.to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|at| &upper[2 * at..2 * at + 2]).collect();
        let (colons, spaces) = (pairs.join(":"), pairs.join(" "));
        let table = [
            ABC,
            lower,
            &upper,
            &colons,
            &spaces,
            &format!("sha256:{upper}"),
            &format!("SHA256:{lower}"),
            &format!(" sha256:{colons}\n"),
            &format!("SHA-256: {colons}"),
            &format!("sha256 Fingerprint={colons}"),
            &format!("SHA256 Fingerprint={colons}\n"),
            &format!("\t{} {}\n", &spaces[..47], &spaces[48..].to_lowercase()),
        ];
        for text in table {
            assert_eq!(text.parse(), Ok(abc()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_pin() {
        let digits = &ABC[7..];
        let table = [
            "",
            "sha256",
            "sha256:",
            "sha256 Fingerprint=",
            &format!("sha1:{digits}"),
            &format!("sha256{digits}"),
            &format!("fingerprint={digits}"),
            &ABC[..70],
            &digits[..62],
            &format!("{ABC}0"),
            &format!("{digits}00"),
            // A separator within a byte.
            &format!("{}:{}", &digits[..1], &digits[1..]),
            &format!("{}-{}", &digits[..2], &digits[2..]),
            &ABC.replace('b', "g"),
            &ABC.replace('b', "é"),
            &digits.replace("ba", "+a"),
        ];
        for text in table {
            assert_eq!(text.parse::<Pin>(), Err(Error::NotAPin), "{text}");
        }
    }
}
