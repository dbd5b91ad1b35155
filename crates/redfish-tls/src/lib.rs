//! The certificates that a Redfish client trusts, as a rustls configuration.
//!
//! Management controllers present certificates of every kind: signed by a company's CA or by the manufacturer,
//! self-signed and marked as a CA, expired, or issued for another name. [`Trust`] selects the certificates to accept, and
//! [`Trust::config`] turns it into the [`ClientConfig`] that both adapters use.
//!
//! | constructor | accepts |
//! |---|---|
//! | [`Trust::system`] | certificates signed by the system's roots; the default |
//! | [`Trust::system_and_pem`] | also certificates signed by the given CAs, and the given certificates themselves |
//! | [`Trust::pinned`] | one leaf certificate, regardless of its name and dates |
//! | [`Trust::dangerous_accept_any`] | any certificate |
//! | [`Inspection::trust`] | no certificate, but records the one that the service presents |
//!
//! ```
//! use redfish_tls::{Pin, Trust};
//!
//! let pin: Pin = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse()?;
//! let config = Trust::pinned(pin).config()?;
//! assert!(config.alpn_protocols.is_empty(), "only HTTP/1.1 is spoken, and some controllers fail on ALPN");
//! # Ok::<(), redfish_tls::Error>(())
//! ```
//!
//! The crate performs no I/O except to read the system's roots, once per process, at the first handshake that needs them.
//!
//! The cryptographic provider is ring by default (feature `ring`), AWS-LC with the feature `aws-lc-rs` alone, or the one
//! given to [`Trust::provider`]. It is never the process-wide default, so a program may also link another provider.
//!
//! # Limits
//!
//! - Only TLS 1.2 and 1.3 with forward secrecy, because rustls implements nothing else. [`HandshakeFailure`] distinguishes
//!   a service that offers only RSA key exchange, or only TLS 1.0 and 1.1, from a port that does not speak TLS.
//! - An X.509 version 1 certificate has no names to check, so it can only be pinned. The handshake signature is then
//!   verified with the certificate's key and the provider's algorithms.
//! - RSA keys of 2048 to 8192 bits, with ring and AWS-LC. A certificate with a shorter key cannot be pinned either: it must
//!   be replaced on the controller.

mod certificate;
mod error;
mod key;
mod name;
mod pin;
mod verify;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The TLS library, whose types the functions of this crate take and return.
pub use rustls;

pub use error::{Error, HandshakeFailure, Untrusted};
pub use name::{resolvable, server_name};
pub use pin::Pin;

use certificate::Certificate;

/// The certificates that a client accepts from a service.
///
/// Cheap to clone. The [`Default`] is [`Trust::system`].
#[derive(Clone, Default)]
pub struct Trust {
    kind: Kind,
    provider: Option<Arc<CryptoProvider>>,
}

#[derive(Clone, Default)]
enum Kind {
    #[default]
    System,
    SystemAndPem(Arc<verify::ExtraCertificates>),
    Pinned(Pin),
    AcceptAny,
    Inspect(Inspection),
}

impl Trust {
    /// Accepts a certificate that one of the system's roots has signed, with a valid name and valid dates.
    ///
    /// The roots are those of the system's own TLS library; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    pub fn system() -> Self {
        Kind::System.into()
    }

    /// Accepts what [`Trust::system`] accepts, and what the certificates in this PEM text allow.
    ///
    /// A certificate that is marked as a CA allows the certificates that it has signed. Each certificate in the text, CA or
    /// not, is also accepted when the service presents exactly that one: the self-signed certificates of controllers are
    /// often marked as a CA, which rustls rejects as a server certificate. Name and dates are checked in every case. A
    /// certificate that is not a CA never allows another.
    ///
    /// Text and private keys around the certificates are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::BadPem`], [`Error::NoCertificate`] and [`Error::NotACertificate`].
    pub fn system_and_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        for (index, der) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let der = der.map_err(|_| Error::BadPem)?;
            let parsed = Certificate::parse(&der).ok_or(Error::NotACertificate { position: index + 1 })?;
            certificates.push((der, parsed));
        }
        if certificates.is_empty() {
            return Err(Error::NoCertificate);
        }
        Ok(Kind::SystemAndPem(Arc::new(verify::ExtraCertificates::new(certificates)?)).into())
    }

    /// Accepts only the leaf certificate that matches the pin, regardless of its name, dates and issuer.
    ///
    /// The service must still prove that it holds the certificate's key. Nothing else in the certificate is checked, not
    /// even its X.509 version.
    pub fn pinned(pin: Pin) -> Self {
        Kind::Pinned(pin).into()
    }

    /// Accepts any certificate. An attacker on the network can read and change all traffic, including the password.
    pub fn dangerous_accept_any() -> Self {
        Kind::AcceptAny.into()
    }

    /// Whether this is [`Trust::dangerous_accept_any`], so that a program can warn.
    pub fn is_dangerous(&self) -> bool {
        matches!(self.kind, Kind::AcceptAny)
    }

    /// Uses this cryptographic provider regardless of the enabled features, for example a certified or custom one.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Returns the rustls configuration, without ALPN and without a client certificate.
    ///
    /// Connections that share a configuration resume each other's TLS sessions, so create it once and share it.
    ///
    /// # Errors
    ///
    /// [`Error::NoProvider`] if neither a feature nor [`Trust::provider`] selects a provider, or if the provider supports
    /// neither TLS 1.2 nor 1.3.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let provider = self.provider.clone().or_else(default_provider).ok_or(Error::NoProvider)?;
        let verifier: Arc<dyn ServerCertVerifier> = match &self.kind {
            Kind::System => Arc::new(verify::WebPkiVerifier::new(None, provider.clone())?),
            Kind::SystemAndPem(extra) => {
                Arc::new(verify::WebPkiVerifier::new(Some(extra.clone()), provider.clone())?)
            }
            Kind::Pinned(pin) => Arc::new(verify::PinVerifier::new(*pin, provider.clone())),
            Kind::AcceptAny => Arc::new(verify::AcceptAny::new(provider.clone())),
            Kind::Inspect(inspection) => {
                Arc::new(verify::RecordingVerifier::new(inspection.clone(), provider.clone()))
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::NoProvider)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

impl From<Kind> for Trust {
    fn from(kind: Kind) -> Self {
        Self { kind, provider: None }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::System => f.write_str("Trust::system"),
            Kind::SystemAndPem(extra) => write!(f, "Trust::system_and_pem({} certificates)", extra.count()),
            Kind::Pinned(pin) => write!(f, "Trust::pinned({pin})"),
            Kind::AcceptAny => f.write_str("Trust::dangerous_accept_any"),
            Kind::Inspect(_) => f.write_str("Inspection::trust"),
        }
    }
}

/// Records the certificate that a service presents, without trusting it.
///
/// A connection with [`Inspection::trust`] always fails during the handshake, before any request. A person can then check
/// the certificate and pin it.
#[derive(Clone, Debug, Default)]
pub struct Inspection(Arc<Mutex<Option<PresentedCertificate>>>);

/// A leaf certificate, and its pin if the provider supports SHA-256.
type PresentedCertificate = (CertificateDer<'static>, Option<Pin>);

impl Inspection {
    /// Creates an inspection that has not recorded a certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// The trust to connect with. It refuses every certificate and records the last one.
    pub fn trust(&self) -> Trust {
        Kind::Inspect(self.clone()).into()
    }

    /// The last leaf certificate that was presented, as DER.
    pub fn leaf(&self) -> Option<CertificateDer<'static>> {
        self.last().map(|(leaf, _)| leaf)
    }

    /// The pin of the last leaf certificate that was presented.
    pub fn pin(&self) -> Option<Pin> {
        self.last()?.1
    }

    fn last(&self) -> Option<PresentedCertificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, leaf: &CertificateDer<'_>, pin: Option<Pin>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((leaf.clone().into_owned(), pin));
    }
}

/// The provider that the features select.
fn default_provider() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "ring")]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    return None;
}

#[cfg(all(test, not(any(feature = "ring", feature = "aws-lc-rs"))))]
mod tests {
    use super::*;

    #[test]
    fn without_a_provider_config_fails_and_a_given_provider_works() {
        assert_eq!(Trust::system().config().unwrap_err(), Error::NoProvider);
        let given = Arc::new(rustls::crypto::ring::default_provider());
        assert!(Trust::dangerous_accept_any().provider(given).config().is_ok());
    }
}
