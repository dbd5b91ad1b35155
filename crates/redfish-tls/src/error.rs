//! What can be wrong with a certificate or a pin, said to the person who gave it.

use std::error::Error as StdError;
use std::sync::Arc;
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
    /// The pin is not 64 hexadecimal digits, in any spelling that [`Pin`] reads.
    NotAPin,
    /// There is no cryptography for TLS: the features `ring` and `aws-lc-rs` are off, and no provider was given that
    /// can do it.
    NoProvider,
    /// The host is not a name that a certificate can be issued for.
    ServerName,
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
            Self::NotAPin => f.write_str(
                "a pin is the 64 hexadecimal digits of a certificate's SHA-256, with or without \"sha256:\"",
            ),
            Self::ServerName => f.write_str("the host is not a name that a certificate can be issued for"),
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
        match of_rustls(error)? {
            refused @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                Some(Self(refused.clone()))
            }
            _ => None,
        }
    }

    /// Whether the key of the certificate has a length that the cryptography in use cannot verify a signature with, so
    /// that no pin and no CA helps.
    pub fn has_unusable_key(&self) -> bool {
        let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) = &self.0 else {
            return false;
        };
        matches!(reason.downcast_ref(), Some(Refusal::KeyLength { .. }))
    }
}

/// The error of rustls that this error is, or came from.
fn of_rustls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An `io::Error` gives the source of what it wraps, and so passes over the wrapped error itself.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Why a handshake failed for another reason than the certificate, and would fail again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The service offers only what rustls does not implement: TLS 1.0 or 1.1, or RSA key exchange.
    NoCommonProtocol,
    /// What answered is not TLS: perhaps plain HTTP.
    NotTls,
    /// The service refused the handshake, or broke its rules, in another way.
    Other,
}

impl HandshakeFailure {
    /// The failure that this error of connecting is, or came from. `None` where the certificate was refused
    /// ([`Untrusted`]), and where another try may succeed: the connection broke, or the service reports that it failed
    /// by itself.
    ///
    /// Looks where [`Untrusted::find`] does.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        use rustls::{AlertDescription as Alert, Error, InvalidMessage, PeerMisbehaved};
        match of_rustls(error)? {
            Error::InvalidCertificate(_) | Error::NoCertificatesPresented => None,
            Error::AlertReceived(Alert::CloseNotify | Alert::UserCanceled | Alert::InternalError) => None,
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity,
            )
            // Services that choose what they know, whether it was offered or not.
            | Error::PeerMisbehaved(
                PeerMisbehaved::SelectedUnofferedCipherSuite
                | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion
                | PeerMisbehaved::SelectedUnofferedKxGroup,
            )
            | Error::InvalidMessage(
                InvalidMessage::UnsupportedKeyExchangeAlgorithm(_) | InvalidMessage::UnsupportedCurveType,
            ) => Some(Self::NoCommonProtocol),
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Some(Self::NotTls),
            _ => Some(Self::Other),
        }
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
            CertificateError::Other(OtherError(reason)) if reason.is::<Refusal>() => reason.fmt(f),
            CertificateError::Other(OtherError(reason)) => {
                write!(f, "the service's certificate is refused: {reason}")
            }
            // Of the handshake, or of the certificate by its issuer: rustls does not say which.
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => f.write_str(
                "the algorithm of a signature does not fit the key of the service's certificate or of its issuer, or \
                 the cryptography in use does not support it",
            ),
            CertificateError::BadSignature => f.write_str(
                "a signature is wrong: the service does not hold its certificate's key, or the issuer has not signed \
                 the certificate",
            ),
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
    NotPinned {
        shown: Pin,
        wanted: Pin,
    },
    NoSystemRoots {
        reason: String,
    },
    /// An RSA key that the provider cannot use: its length in bits, and the shortest and longest it can.
    KeyLength {
        bits: usize,
        accepted: (usize, usize),
    },
    /// A certificate of before X.509 version 3.
    Version {
        version: u8,
    },
    Inspected,
}

pub(crate) fn refusal(refusal: Refusal) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(refusal))).into()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPinned { shown, wanted } => {
                write!(f, "the service shows the certificate {shown}, and {wanted} is pinned")
            }
            Self::NoSystemRoots { reason } => write!(f, "this system has no root certificates ({reason})"),
            Self::KeyLength { bits, accepted: (shortest, longest) } => {
                let bound = if bits < shortest {
                    format!("starts at {shortest}")
                } else {
                    format!("ends at {longest}")
                };
                write!(
                    f,
                    "the service's certificate has an RSA key of {bits} bits, and the cryptography in use {bound}, so \
                     that no pin can make it work: replace the certificate on the controller"
                )
            }
            Self::Version { version } => write!(
                f,
                "the service's certificate is of X.509 version {version}, which has no names to check: it can only be \
                 pinned"
            ),
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

    #[test]
    fn a_handshake_that_fails_again_is_told_from_one_that_may_not() {
        use HandshakeFailure::{NoCommonProtocol, NotTls, Other};
        use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};
        let table = [
            (Error::AlertReceived(AlertDescription::HandshakeFailure), Some(NoCommonProtocol)),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), Some(NoCommonProtocol)),
            (Error::AlertReceived(AlertDescription::InsufficientSecurity), Some(NoCommonProtocol)),
            (
                Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                Some(NoCommonProtocol),
            ),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), Some(NotTls)),
            (Error::AlertReceived(AlertDescription::AccessDenied), Some(Other)),
            (Error::DecryptError, Some(Other)),
            (Error::AlertReceived(AlertDescription::InternalError), None),
            (Error::InvalidCertificate(CertificateError::Expired), None),
        ];
        for (error, failure) in table {
            let wrapped = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            assert_eq!(HandshakeFailure::find(&wrapped), failure, "{error}");
        }
        assert_eq!(HandshakeFailure::find(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
