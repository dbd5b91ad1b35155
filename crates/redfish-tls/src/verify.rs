//! The verifiers: what is asked of the certificate that a service shows, one type for each kind of trust.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::certificate::{self, Certificate};
use crate::error::{Refusal, refusal};
use crate::key;
use crate::{Error, Inspection, Pin};

/// The certificates that a user gave, sorted by what they are good for.
pub(crate) struct ExtraCertificates {
    exactly: Vec<(CertificateDer<'static>, Certificate)>,
    /// Those of them that may vouch for others.
    authorities: Arc<RootCertStore>,
}

impl ExtraCertificates {
    pub(crate) fn new(exactly: Vec<(CertificateDer<'static>, Certificate)>) -> Result<Self, Error> {
        // To webpki every root is a CA, so a certificate that isn't one must not become a root.
        let mut roots = RootCertStore::empty();
        for (at, (der, read)) in exactly.iter().enumerate() {
            if read.authority {
                roots.add(der.clone()).map_err(|_| Error::NotACertificate { position: at + 1 })?;
            }
        }
        Ok(Self { exactly, authorities: Arc::new(roots) })
    }

    pub(crate) fn count(&self) -> usize {
        self.exactly.len()
    }
}

/// Accepts what the given certificates, or else the system's roots, vouch for.
pub(crate) struct WebPkiVerifier {
    given: Option<Arc<ExtraCertificates>>,
    /// By the given CAs, where there is one.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// By the system's roots, once they were needed.
    system: OnceLock<Result<Arc<WebPkiServerVerifier>, String>>,
    provider: Arc<CryptoProvider>,
}

impl WebPkiVerifier {
    pub(crate) fn new(
        given: Option<Arc<ExtraCertificates>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let authorities = given.as_ref().map(|given| &given.authorities).filter(|roots| !roots.is_empty());
        let authorities = authorities.map(|roots| webpki(roots.clone(), &provider)).transpose();
        // There are roots, and no revocation lists: what else it could lack is the provider's.
        let authorities = authorities.map_err(|_| Error::NoProvider)?;
        Ok(Self { given, authorities, system: OnceLock::new(), provider })
    }

    fn by_given(
        &self,
        given: &ExtraCertificates,
        shown: &Presented<'_>,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some((_, read)) = given.exactly.iter().find(|(der, _)| der == shown.leaf) {
            return shown.verify_itself(read);
        }
        match &self.authorities {
            Some(authorities) => shown.verify_by(authorities),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn system(&self) -> Result<&WebPkiServerVerifier, &String> {
        let verifier = || match system() {
            Ok(roots) => webpki(roots.clone(), &self.provider).map_err(|error| error.to_string()),
            Err(reason) => Err(reason.clone()),
        };
        self.system.get_or_init(verifier).as_deref()
    }
}

impl ServerCertVerifier for WebPkiVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Presented { leaf, intermediates, name, ocsp, now };
        let first = match self.given.as_ref().map(|given| self.by_given(given, &shown)) {
            Some(Ok(verified)) => return Ok(verified),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let second = match self.system() {
            Ok(system) => shown.verify_by(system),
            Err(reason) => Err(refusal(Refusal::NoSystemRoots { reason: reason.clone() })),
        };
        second.map_err(|second| match first {
            // To webpki an old version is a certificate like no other, whoever vouches for it.
            _ if matches!(certificate::version(leaf), Some(1 | 2)) => {
                refusal(Refusal::Version { version: certificate::version(leaf).unwrap_or(1) })
            }
            // Where the given CA knows the issuer, what it says is what is wrong.
            Some(first) if !is_unknown_issuer(&first) => first,
            Some(first) if self.system().is_err() => first,
            _ => second,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts the one certificate that a pin names, from whoever holds its key.
pub(crate) struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    pub(crate) fn new(pin: Pin, provider: Arc<CryptoProvider>) -> Self {
        Self { pin, provider }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match Pin::by(&self.provider, leaf) {
            Some(shown) if shown == self.pin => Ok(ServerCertVerified::assertion()),
            Some(shown) => Err(refusal(Refusal::NotPinned { shown, wanted: self.pin })),
            None => Err(rustls::Error::General("the provider has no SHA-256".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        key::verify_tls12(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        key::verify_tls13(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts anything, and asks for no proof of it.
pub(crate) struct AcceptAny(Arc<CryptoProvider>);

impl AcceptAny {
    pub(crate) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self(provider)
    }
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts nothing, and remembers what it was shown.
pub(crate) struct RecordingVerifier(Inspection, Arc<CryptoProvider>);

impl RecordingVerifier {
    pub(crate) fn new(inspection: Inspection, provider: Arc<CryptoProvider>) -> Self {
        Self(inspection, provider)
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0.remember(leaf, Pin::by(&self.1, leaf));
        Err(refusal(Refusal::Inspected))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(refusal(Refusal::Inspected))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(refusal(Refusal::Inspected))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

/// What a service shows, and to whom.
struct Presented<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Presented<'_> {
    fn verify_by(&self, verifier: &WebPkiServerVerifier) -> Result<ServerCertVerified, rustls::Error> {
        verifier.verify_server_cert(self.leaf, self.intermediates, self.name, self.ocsp, self.now)
    }

    /// The leaf is one that the user gave, byte for byte: who signed it and how no longer matters (old controllers
    /// sign their own with SHA-1), nor what it says it is for.
    fn verify_itself(&self, read: &Certificate) -> Result<ServerCertVerified, rustls::Error> {
        verify_server_name(&ParsedCertificate::try_from(self.leaf)?, self.name)?;
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        if now < read.not_before {
            return Err(CertificateError::NotValidYetContext {
                time: self.now,
                not_before: unix(read.not_before),
            }
            .into());
        }
        if now > read.not_after {
            return Err(
                CertificateError::ExpiredContext { time: self.now, not_after: unix(read.not_after) }.into()
            );
        }
        Ok(ServerCertVerified::assertion())
    }
}

/// The system's roots, read at the first need and never again: that takes milliseconds and some hundred files.
fn system() -> Result<&'static Arc<RootCertStore>, &'static String> {
    static SYSTEM: OnceLock<Result<Arc<RootCertStore>, String>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Systems carry a few roots that webpki doesn't read; the others are good without them.
        roots.add_parsable_certificates(found.certs);
        match roots.is_empty() {
            false => Ok(Arc::new(roots)),
            true => Err(found.errors.first().map_or("there are none".to_owned(), ToString::to_string)),
        }
    };
    SYSTEM.get_or_init(read).as_ref()
}

fn webpki(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::client::VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()
}

fn is_unknown_issuer(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

/// For messages only: what lies before 1970 is shown as 1970.
fn unix(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0).unsigned_abs()))
}

impl fmt::Debug for WebPkiVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebPkiVerifier")
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({})", self.pin)
    }
}

impl fmt::Debug for AcceptAny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptAny")
    }
}

impl fmt::Debug for RecordingVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingVerifier")
    }
}
