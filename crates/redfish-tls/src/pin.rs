//! A pin: the SHA-256 of one certificate.

use std::fmt;
use std::str::FromStr;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;

use crate::Error;

/// The SHA-256 of a leaf certificate's DER, written `sha256:` and 64 hexadecimal digits.
///
/// It is not a secret. It is read in any usual spelling: upper or lower case, with colons or spaces between the bytes,
/// with or without `sha256:`, and as OpenSSL's `-fingerprint` prints it, `sha256 Fingerprint=AA:BB:…`.
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
    /// The pin of this certificate, given as DER. With one of the features `ring` and `aws-lc-rs`.
    #[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
    pub fn of(der: &[u8]) -> Self {
        let provider = crate::own_provider().expect("a feature names it");
        Self::by(&provider, der).expect("it has cipher suites with SHA-256")
    }

    /// The same by a provider's own hash, by way of a cipher suite that uses it: no other SHA-256 is in the tree.
    pub(crate) fn by(provider: &CryptoProvider, der: &[u8]) -> Option<Self> {
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
                bytes.push(byte(pair).ok_or(Error::NotAPin)?);
            }
        }
        bytes.try_into().map(Self).map_err(|_| Error::NotAPin)
    }
}

/// The byte that two hexadecimal digits are.
fn byte(pair: &[u8]) -> Option<u8> {
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
        Pin::by(&rustls::crypto::ring::default_provider(), b"abc").unwrap()
    }

    #[test]
    fn a_pin_is_the_sha_256() {
        assert_eq!(abc().to_string(), ABC);
    }

    #[test]
    fn a_pin_is_read_in_each_spelling_that_people_copy() {
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
