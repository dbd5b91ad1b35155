//! The certificate verifiers, one type for each kind of trust.

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

/// The certificates that the user trusts besides the system's roots.
pub(crate) struct ExtraCertificates {
    certificates: Vec<(CertificateDer<'static>, Certificate)>,
    /// Those that are CAs.
    authorities: Arc<RootCertStore>,
}

impl ExtraCertificates {
    pub(crate) fn new(certificates: Vec<(CertificateDer<'static>, Certificate)>) -> Result<Self, Error> {
        // webpki treats every root as a CA, so a certificate that is not a CA must not become a root.
        let mut roots = RootCertStore::empty();
        for (index, (der, parsed)) in certificates.iter().enumerate() {
            if parsed.is_ca {
                roots.add(der.clone()).map_err(|_| Error::NotACertificate { position: index + 1 })?;
            }
        }
        Ok(Self { certificates, authorities: Arc::new(roots) })
    }

    pub(crate) fn count(&self) -> usize {
        self.certificates.len()
    }
}

/// Accepts what the extra certificates or the system's roots allow.
pub(crate) struct WebPkiVerifier {
    extra: Option<Arc<ExtraCertificates>>,
    /// Verifies with the extra CAs, if there are any.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Verifies with the system's roots. Loaded when first needed.
    system: OnceLock<Result<Arc<WebPkiServerVerifier>, String>>,
    provider: Arc<CryptoProvider>,
}

impl WebPkiVerifier {
    pub(crate) fn new(
        extra: Option<Arc<ExtraCertificates>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let authorities = extra.as_ref().map(|extra| &extra.authorities).filter(|roots| !roots.is_empty());
        let authorities = authorities.map(|roots| webpki_verifier(roots.clone(), &provider)).transpose();
        // There are roots and no revocation lists, so only the provider can be at fault.
        let authorities = authorities.map_err(|_| Error::NoProvider)?;
        Ok(Self { extra, authorities, system: OnceLock::new(), provider })
    }

    fn verify_with_extra(
        &self,
        extra: &ExtraCertificates,
        presented: &PresentedChain<'_>,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some((_, parsed)) = extra.certificates.iter().find(|(der, _)| der == presented.leaf) {
            return presented.verify_name_and_dates(parsed);
        }
        match &self.authorities {
            Some(authorities) => presented.verify_with(authorities),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn system(&self) -> Result<&WebPkiServerVerifier, &String> {
        let verifier = || match system_roots() {
            Ok(roots) => webpki_verifier(roots.clone(), &self.provider).map_err(|error| error.to_string()),
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
        let presented = PresentedChain { leaf, intermediates, name, ocsp, now };
        let first = match self.extra.as_ref().map(|extra| self.verify_with_extra(extra, &presented)) {
            Some(Ok(verified)) => return Ok(verified),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let second = match self.system() {
            Ok(system) => presented.verify_with(system),
            Err(reason) => Err(refusal(Refusal::NoSystemRoots { reason: reason.clone() })),
        };
        second.map_err(|second| match first {
            // webpki cannot parse an old version, regardless of its issuer.
            _ if matches!(certificate::version(leaf), Some(1 | 2)) => {
                refusal(Refusal::Version { version: certificate::version(leaf).unwrap_or(1) })
            }
            // If an extra CA knows the issuer, its error is the relevant one.
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

/// Accepts only the certificate that matches the pin.
pub(crate) struct PinVerifier {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl PinVerifier {
    pub(crate) fn new(pin: Pin, provider: Arc<CryptoProvider>) -> Self {
        Self { pin, provider }
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match Pin::with_provider(&self.provider, leaf) {
            Some(presented) if presented == self.pin => Ok(ServerCertVerified::assertion()),
            Some(presented) => Err(refusal(Refusal::NotPinned { presented, expected: self.pin })),
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

/// Accepts any certificate and any signature.
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

/// Refuses every certificate and records it.
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
        self.0.record(leaf, Pin::with_provider(&self.1, leaf));
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

/// A certificate chain that a service presents, and what to check it against.
struct PresentedChain<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl PresentedChain<'_> {
    fn verify_with(&self, verifier: &WebPkiServerVerifier) -> Result<ServerCertVerified, rustls::Error> {
        verifier.verify_server_cert(self.leaf, self.intermediates, self.name, self.ocsp, self.now)
    }

    /// Verifies a leaf that is, byte for byte, a certificate of the user. Its issuer, its signature algorithm (old
    /// controllers sign with SHA-1) and its key usage do not matter.
    fn verify_name_and_dates(&self, parsed: &Certificate) -> Result<ServerCertVerified, rustls::Error> {
        verify_server_name(&ParsedCertificate::try_from(self.leaf)?, self.name)?;
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        if now < parsed.not_before {
            return Err(CertificateError::NotValidYetContext {
                time: self.now,
                not_before: unix_time(parsed.not_before),
            }
            .into());
        }
        if now > parsed.not_after {
            return Err(CertificateError::ExpiredContext {
                time: self.now,
                not_after: unix_time(parsed.not_after),
            }
            .into());
        }
        Ok(ServerCertVerified::assertion())
    }
}

/// The system's roots. They are read once, when first needed: that takes milliseconds and opens hundreds of files.
fn system_roots() -> Result<&'static Arc<RootCertStore>, &'static String> {
    static SYSTEM: OnceLock<Result<Arc<RootCertStore>, String>> = OnceLock::new();
    let load = || {
        let loaded = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Most systems have a few roots that webpki cannot parse.
        roots.add_parsable_certificates(loaded.certs);
        if roots.is_empty() {
            return Err(loaded.errors.first().map_or("none found".to_owned(), ToString::to_string));
        }
        Ok(Arc::new(roots))
    };
    SYSTEM.get_or_init(load).as_ref()
}

fn webpki_verifier(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::client::VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()
}

fn is_unknown_issuer(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

/// Converts a time for an error text. Times before 1970 become 1970.
fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0).unsigned_abs()))
}

impl fmt::Debug for WebPkiVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebPkiVerifier")
    }
}

impl fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinVerifier({})", self.pin)
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
