//! What can be wrong with a certificate or a pin, said to the person who gave it.

use std::error::Error as StdError;
use std::{fmt, io};

use rustls::{CertificateError, OtherError};

use crate::Pin;

/// Why a certificate or a pin that was given can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The text has a PEM block that doesn't end, or isn't base64.
    BadPem,
    /// The text has no PEM block of a certificate: it is perhaps DER, or holds only a key.
    NoCertificate,
    /// What the PEM block holds is not an X.509 certificate.
    NotACertificate {
        /// Which of the certificates in the text, from 1.
        position: usize,
    },
    /// The pin is not `sha256:` and 64 hexadecimal digits.
    NotAPin,
    /// There is no cryptography for TLS: the features `ring` and `aws-lc-rs` are off, and no provider was given that
    /// can do it.
    NoProvider,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPem => {
                f.write_str("the certificate file is damaged: a PEM block doesn't end or isn't base64")
            }
            Self::NoCertificate => {
                f.write_str("no certificate found: PEM text with \"-----BEGIN CERTIFICATE-----\" is expected")
            }
            Self::NotACertificate { position } => {
                write!(f, "number {position} of the certificates given is not an X.509 certificate")
            }
            Self::NotAPin => f.write_str("a pin is \"sha256:\" and 64 hexadecimal digits"),
            Self::NoProvider => f.write_str(
                "there is no cryptography for TLS: turn on the feature ring or aws-lc-rs, or give a provider",
            ),
        }
    }
}

impl StdError for Error {}

/// Why the certificate that a service showed was refused, in words for the person who decides what to trust.
///
/// Its source is rustls's own error, for programs.
#[derive(Clone, Debug)]
pub struct Untrusted(rustls::Error);

impl Untrusted {
    /// The refusal that this error is, or came from; `None` where something else went wrong.
    ///
    /// Looks through the whole chain of sources, and into [`io::Error`], where TLS libraries like to hide their own.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(
                refused @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented),
            ) = error.downcast_ref()
            {
                return Some(Self(refused.clone()));
            }
            // An `io::Error` gives the source of what it wraps, and so passes over the wrapped error itself.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rustls::Error::InvalidCertificate(refused) = &self.0 else { return self.0.fmt(f) };
        match refused {
            CertificateError::UnknownIssuer => {
                f.write_str("nobody who is trusted vouches for the service's certificate")
            }
            // What rustls wraps for us it shows as `Debug` only.
            CertificateError::Other(OtherError(reason)) => reason.fmt(f),
            CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }
            | CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => write!(f, "the service's {refused}"),
            _ => write!(f, "the service's certificate is refused: {refused}"),
        }
    }
}

impl StdError for Untrusted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// Why one of our verifiers refused, where rustls has no word for it.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotPinned { shown: Pin, wanted: Pin },
    NoSystemRoots { reason: String },
    Inspected,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPinned { shown, wanted } => {
                write!(f, "the service shows the certificate {shown}, and {wanted} is pinned")
            }
            Self::NoSystemRoots { reason } => write!(f, "this system has no root certificates ({reason})"),
            Self::Inspected => f.write_str("the certificate was only looked at"),
        }
    }
}

impl StdError for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_certificate_is_found_however_deep_it_is_wrapped() {
        let refused = || rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert!(Untrusted::find(&refused()).is_some());
        assert!(Untrusted::find(&io::Error::new(io::ErrorKind::InvalidData, refused())).is_some());
        assert!(Untrusted::find(&io::Error::other(io::Error::other(refused()))).is_some());
        assert!(Untrusted::find(&rustls::Error::HandshakeNotComplete).is_none());
        assert!(Untrusted::find(&io::Error::other("certificate")).is_none());
    }
}
