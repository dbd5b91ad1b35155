//! The errors of certificates and pins.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use rustls::{CertificateError, OtherError};

use crate::Pin;
use crate::certificate::date_time;

/// Why a certificate, a pin or a host name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The text has a PEM block that does not end or is not base64.
    BadPem,
    /// The text has no PEM block of a certificate. It may be DER, or contain only a key.
    NoCertificate,
    /// A PEM block does not contain an X.509 certificate.
    NotACertificate {
        /// The number of the certificate in the text, from 1.
        position: usize,
    },
    /// The pin is not 64 hexadecimal digits in a spelling that [`Pin`] accepts.
    NotAPin,
    /// There is no usable cryptographic provider: the features `ring` and `aws-lc-rs` are off, and no provider was given
    /// that supports TLS 1.2 or 1.3.
    NoProvider,
    /// The host is not a name that a certificate can be issued for.
    ServerName,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPem => {
                f.write_str("the certificate file is damaged: a PEM block does not end or is not base64")
            }
            Self::NoCertificate => {
                f.write_str("no certificate found: expected PEM text with \"-----BEGIN CERTIFICATE-----\"")
            }
            Self::NotACertificate { position } => {
                write!(f, "certificate number {position} is not an X.509 certificate")
            }
            Self::NotAPin => f.write_str(
                "not a valid pin: expected the 64 hexadecimal digits of a SHA-256, with or without \"sha256:\"",
            ),
            Self::ServerName => f.write_str("the host is not a name that a certificate can be issued for"),
            Self::NoProvider => f.write_str(
                "no cryptographic provider for TLS: the features ring and aws-lc-rs are off, and no usable one is set",
            ),
        }
    }
}

impl StdError for Error {}

/// Why a service's certificate was refused, as a text for the person who decides what to trust.
///
/// The source is the error of rustls.
#[derive(Clone, Debug)]
pub struct Untrusted(rustls::Error);

impl Untrusted {
    /// Finds a refused certificate in this error or its sources. `None` if there is another cause.
    ///
    /// Also searches the errors that are wrapped in an [`io::Error`].
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        match find_rustls_error(error)? {
            refused @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                Some(Self(refused.clone()))
            }
            _ => None,
        }
    }

    /// Whether the provider does not support the length of the certificate's key, so that neither a pin nor a CA helps.
    pub fn has_unusable_key(&self) -> bool {
        let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) = &self.0 else {
            return false;
        };
        matches!(reason.downcast_ref(), Some(Refusal::KeyLength { .. }))
    }
}

/// Finds the error of rustls in this error or its sources.
fn find_rustls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an `io::Error` is the source of the error that it wraps, so it skips the wrapped error itself.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Why a handshake failed, other than for the certificate, in a way that a retry does not fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The service offers only what rustls does not implement: TLS 1.0 or 1.1, or RSA key exchange.
    NoCommonProtocol,
    /// The peer does not speak TLS. It may speak plain HTTP.
    NotTls,
    /// The service refused the handshake or violated the protocol in another way.
    Other,
}

impl HandshakeFailure {
    /// Finds a handshake failure in this error or its sources. `None` if the certificate was refused ([`Untrusted`]), or
    /// if a retry may succeed: the connection broke, or the service reports an internal error.
    ///
    /// Searches as [`Untrusted::find`] does.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        use rustls::{AlertDescription as Alert, Error, InvalidMessage, PeerMisbehaved};
        match find_rustls_error(error)? {
            Error::InvalidCertificate(_) | Error::NoCertificatesPresented => None,
            Error::AlertReceived(Alert::CloseNotify | Alert::UserCanceled | Alert::InternalError) => None,
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity,
            )
            // Some services choose a parameter that they support even if it was not offered.
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
                f.write_str("the service's certificate is not signed by a trusted CA")
            }
            // rustls prints a wrapped error only as `Debug`.
            CertificateError::Other(OtherError(reason)) if reason.is::<Refusal>() => reason.fmt(f),
            CertificateError::Other(OtherError(reason)) => {
                write!(f, "the service's certificate is refused: {reason}")
            }
            // The signature of the handshake or of the certificate: rustls does not report which.
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => f.write_str(
                "a signature algorithm does not match the key of the service's certificate or of its issuer, or is not \
                 supported",
            ),
            CertificateError::BadSignature => f.write_str(
                "a signature is invalid: the service does not hold its certificate's key, or the issuer did not sign \
                 the certificate",
            ),
            // rustls prints seconds since 1970. The clock of this system may be the wrong one.
            CertificateError::ExpiredContext { time, not_after } => {
                let (now, end) = (date_time(time.as_secs()), date_time(not_after.as_secs()));
                write!(f, "the service's certificate expired at {end}, and it is {now} by the clock of this system")
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                let (now, start) = (date_time(time.as_secs()), date_time(not_before.as_secs()));
                write!(
                    f,
                    "the service's certificate is not valid yet: it begins at {start}, and it is {now} by the clock of this \
                     system"
                )
            }
            CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }
            | CertificateError::Expired
            | CertificateError::NotValidYet => write!(f, "the service's {refused}"),
            _ => write!(f, "the service's certificate is refused: {refused}"),
        }
    }
}

impl StdError for Untrusted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// Why one of our verifiers refused a certificate, if rustls has no error for it.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotPinned {
        presented: Pin,
        expected: Pin,
    },
    NoSystemRoots {
        reason: String,
    },
    /// The length of an RSA key in bits, and the shortest and longest that the provider supports.
    KeyLength {
        bits: usize,
        accepted: (usize, usize),
    },
    /// A certificate with an X.509 version before 3.
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
            Self::NotPinned { presented, expected } => {
                write!(f, "the service presents the certificate {presented}, but {expected} is pinned")
            }
            Self::NoSystemRoots { reason } => write!(f, "this system has no root certificates ({reason})"),
            Self::KeyLength { bits, accepted: (shortest, longest) } => write!(
                f,
                "the service's certificate has an RSA key of {bits} bits, but only {shortest} to {longest} bits are \
                 supported, even with a pin"
            ),
            Self::Version { version } => write!(
                f,
                "the service's certificate has X.509 version {version}, which has no names to check: it can only be \
                 pinned"
            ),
            Self::Inspected => f.write_str("the certificate was inspected, not accepted"),
        }
    }
}

impl StdError for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_certificate_is_found_at_any_depth() {
        let refused = || rustls::Error::InvalidCertificate(CertificateError::Expired);
        assert!(Untrusted::find(&refused()).is_some());
        assert!(Untrusted::find(&io::Error::new(io::ErrorKind::InvalidData, refused())).is_some());
        assert!(Untrusted::find(&io::Error::other(io::Error::other(refused()))).is_some());
        assert!(Untrusted::find(&rustls::Error::HandshakeNotComplete).is_none());
        assert!(Untrusted::find(&io::Error::other("certificate")).is_none());
    }

    #[test]
    fn only_permanent_handshake_failures_are_found() {
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
