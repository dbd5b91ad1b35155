//! Which certificate a Redfish client trusts, as a rustls configuration.
//!
//! Management controllers show certificates of every kind: from a company's CA, from their own factory, made by
//! themselves and marked as a CA, expired, or for another name. [`Trust`] says which of them is the right one, and
//! [`Trust::config`] turns it into the [`ClientConfig`] that both adapters use, so that a
//! word means the same in both.
//!
//! | made by | accepts |
//! |---|---|
//! | [`Trust::system`] | what the system's roots vouch for: the default |
//! | [`Trust::system_and_pem`] | that, and what the given CAs vouch for, and exactly the given certificates |
//! | [`Trust::pinned`] | one leaf certificate, whatever its name and dates say |
//! | [`Trust::dangerous_accept_any`] | anything |
//! | [`Inspection::trust`] | nothing, but remembers what it was shown |
//!
//! ```
//! use redfish_tls::{Pin, Trust};
//!
//! let pin: Pin = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse()?;
//! let config = Trust::pinned(pin).config()?;
//! assert!(config.alpn_protocols.is_empty(), "HTTP/1.1 is all there is, and some controllers stumble over ALPN");
//! # Ok::<(), redfish_tls::Error>(())
//! ```
//!
//! The one thing done here that touches the machine is reading the system's roots: at the first handshake that
//! needs them, once in a process.
//!
//! The cryptography is ring's by default (feature `ring`), else that of AWS-LC (feature `aws-lc-rs` alone), else what
//! [`Trust::provider`] says. It is always named and never a process-wide default, so that a program that also links
//! another provider works.
//!
//! # Limits
//!
//! - TLS 1.2 and 1.3 with forward secrecy, since rustls implements nothing else. [`HandshakeFailure`] tells a service
//!   that offers only RSA key exchange, or only TLS 1.0 and 1.1, from a port that does not speak TLS.
//! - A certificate of X.509 version 1 has no names that could be checked, so it can only be pinned. The signature of
//!   the handshake is then verified with the certificate's key, by the provider's algorithms.
//! - RSA keys of 2048 to 8192 bits, with ring and AWS-LC. A certificate with a shorter key can't be pinned either, and
//!   the error says so: replace the certificate on the controller.

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

pub use error::{Error, HandshakeFailure, Untrusted};
pub use name::{resolvable, server_name};
pub use pin::Pin;

use certificate::Certificate;

/// The certificate that a client accepts from a service.
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
    Beside(Arc<verify::ExtraCertificates>),
    Pinned(Pin),
    None,
    Inspect(Inspection),
}

impl Trust {
    /// Accepts what one of the system's roots vouches for, with the right name and dates.
    ///
    /// The roots are those that the system's own TLS library uses; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    pub fn system() -> Self {
        Kind::System.into()
    }

    /// Accepts, beside what [`Trust::system`] does, what the certificates in this PEM text vouch for.
    ///
    /// A certificate marked as a CA vouches for those it signed. Each of them, CA or not, is also accepted when the
    /// service shows exactly that one: what controllers sign for themselves is often marked as a CA, and then
    /// nothing else would take it for a server's. Name and dates are checked in every case. A certificate that is
    /// no CA never vouches for another.
    ///
    /// Text and private keys around the certificates are passed over.
    ///
    /// # Errors
    ///
    /// [`Error::BadPem`], [`Error::NoCertificate`] and [`Error::NotACertificate`].
    pub fn system_and_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut given = Vec::new();
        for (at, der) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let der = der.map_err(|_| Error::BadPem)?;
            let read = Certificate::read(&der).ok_or(Error::NotACertificate { position: at + 1 })?;
            given.push((der, read));
        }
        if given.is_empty() {
            return Err(Error::NoCertificate);
        }
        Ok(Kind::Beside(Arc::new(verify::ExtraCertificates::new(given)?)).into())
    }

    /// Accepts the one leaf certificate that the pin names, whatever its name, dates and issuer say.
    ///
    /// That the service holds the certificate's key is still checked, with that key alone: nothing else in the
    /// certificate counts, not even its X.509 version.
    pub fn pinned(pin: Pin) -> Self {
        Kind::Pinned(pin).into()
    }

    /// Accepts anything: whoever sits between this program and the service reads and changes what they say,
    /// password included.
    pub fn dangerous_accept_any() -> Self {
        Kind::None.into()
    }

    /// Whether [`Trust::dangerous_accept_any`] made this, so that a program can warn.
    pub fn is_dangerous(&self) -> bool {
        matches!(self.kind, Kind::None)
    }

    /// With the cryptography of this provider, whatever features are on: one that is certified, or of one's own.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The configuration for rustls, without ALPN and without a client's certificate.
    ///
    /// Connections made with one configuration resume each other's TLS sessions, so make it once and share it.
    ///
    /// # Errors
    ///
    /// [`Error::NoProvider`] where neither a feature nor [`Trust::provider`] says who does the cryptography, and for a
    /// provider that can do neither TLS 1.2 nor 1.3.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let provider = self.provider.clone().or_else(own_provider).ok_or(Error::NoProvider)?;
        let verifier: Arc<dyn ServerCertVerifier> = match &self.kind {
            Kind::System => Arc::new(verify::WebPkiVerifier::new(None, provider.clone())?),
            Kind::Beside(given) => {
                Arc::new(verify::WebPkiVerifier::new(Some(given.clone()), provider.clone())?)
            }
            Kind::Pinned(pin) => Arc::new(verify::Pinned::new(*pin, provider.clone())),
            Kind::None => Arc::new(verify::AcceptAny::new(provider.clone())),
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
            Kind::Beside(given) => write!(f, "Trust::system_and_pem({} certificates)", given.count()),
            Kind::Pinned(pin) => write!(f, "Trust::pinned({pin})"),
            Kind::None => f.write_str("Trust::dangerous_accept_any"),
            Kind::Inspect(_) => f.write_str("Inspection::trust"),
        }
    }
}

/// Finds out which certificate a service shows, without trusting it.
///
/// A connection with this [`Trust`] always ends in the handshake, before any request: what a person has to look at
/// first, and pin then.
#[derive(Clone, Debug, Default)]
pub struct Inspection(Arc<Mutex<Option<PresentedCertificate>>>);

/// A leaf certificate, and its pin where the provider can make one.
type PresentedCertificate = (CertificateDer<'static>, Option<Pin>);

impl Inspection {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The trust to connect with. It refuses every certificate and remembers the last one.
    pub fn trust(&self) -> Trust {
        Kind::Inspect(self.clone()).into()
    }

    /// The last leaf certificate shown, as DER.
    pub fn leaf(&self) -> Option<CertificateDer<'static>> {
        self.last().map(|(leaf, _)| leaf)
    }

    /// The pin of the last leaf certificate shown.
    pub fn pin(&self) -> Option<Pin> {
        self.last()?.1
    }

    fn last(&self) -> Option<PresentedCertificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, leaf: &CertificateDer<'_>, pin: Option<Pin>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((leaf.clone().into_owned(), pin));
    }
}

/// The provider that the features name, given by name everywhere.
fn own_provider() -> Option<Arc<CryptoProvider>> {
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
    fn without_cryptography_it_says_so_and_takes_what_is_given() {
        assert_eq!(Trust::system().config().unwrap_err(), Error::NoProvider);
        let given = Arc::new(rustls::crypto::ring::default_provider());
        assert!(Trust::dangerous_accept_any().provider(given).config().is_ok());
    }
}
