//! A pin: the SHA-256 of one certificate.

use std::fmt;
use std::str::FromStr;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;

use crate::Error;

/// The SHA-256 of a leaf certificate's DER, written `sha256:` and 64 hexadecimal digits.
///
/// It is no secret. Colons between the digits, as OpenSSL's `-fingerprint` prints them, are read too.
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
        let digits = text.trim().strip_prefix("sha256:").ok_or(Error::NotAPin)?;
        let mut digits = digits.bytes().filter(|byte| *byte != b':').map(|byte| (byte as char).to_digit(16));
        let mut pin = Self([0; 32]);
        for byte in &mut pin.0 {
            match (digits.next().flatten(), digits.next().flatten()) {
                (Some(high), Some(low)) => *byte = (high << 4 | low) as u8,
                _ => return Err(Error::NotAPin),
            }
        }
        match digits.next() {
            None => Ok(pin),
            Some(_) => Err(Error::NotAPin),
        }
    }
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
        let openssl = ABC[7..].to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|at| &openssl[2 * at..2 * at + 2]).collect();
        for text in [ABC.to_owned(), format!("sha256:{openssl}"), format!(" sha256:{}\n", pairs.join(":"))] {
            assert_eq!(text.parse(), Ok(abc()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_pin() {
        let without = &ABC[7..];
        let table = [
            "",
            "sha256:",
            without,
            &format!("sha1:{without}"),
            &ABC[..70],
            &format!("{ABC}0"),
            &ABC.replace('b', "g"),
            &ABC.replace('b', "é"),
        ];
        for text in table {
            assert_eq!(text.parse::<Pin>(), Err(Error::NotAPin), "{text}");
        }
    }
}
