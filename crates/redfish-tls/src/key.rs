//! Signatures of a handshake, checked with the key of a certificate that nothing else is asked of.
//!
//! rustls's own functions read the whole certificate first, and refuse one of version 1. Under a pin the certificate is
//! known byte by byte, and what remains to be proved is that the service holds its key. The algorithms are the
//! provider's own, chosen as rustls chooses them.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};

use crate::certificate::PublicKey;
use crate::error::{Refusal, refusal};

/// Lengths of an RSA modulus in bits that the providers of rustls can check a signature with.
const RSA_BITS: (usize, usize) = (2048, 8192);

/// Checks a signature of TLS 1.3, where the scheme names the one kind of key that may make it.
pub(crate) fn verify_tls13(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = key_of(leaf)?;
    let info = SubjectPublicKeyInfoDer::from(key.info);
    verify_tls13_signature_with_raw_key(message, &info, signature, algorithms)
        .map_err(|error| explain(error, &key))
}

/// Checks a signature of TLS 1.2, where the scheme names kind and hash, and the curve is any that the provider has.
pub(crate) fn verify_tls12(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = key_of(leaf)?;
    let scheme = signature.scheme;
    let candidates = algorithms.mapping.iter().find(|(mapped, _)| *mapped == scheme && is_of_tls12(scheme));
    let Some((_, candidates)) = candidates else {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    };
    match candidates.iter().find(|candidate| candidate.public_key_alg_id().as_ref() == key.algorithm) {
        Some(algorithm) => match algorithm.verify_signature(key.key, message, signature.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(_) => Err(explain(CertificateError::BadSignature.into(), &key)),
        },
        None => Err(CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: candidates
                .first()
                .map(|candidate| candidate.signature_alg_id().as_ref().to_vec())
                .unwrap_or_default(),
            public_key_algorithm_id: key.algorithm.to_vec(),
        }
        .into()),
    }
}

fn key_of<'a>(leaf: &'a CertificateDer<'_>) -> Result<PublicKey<'a>, Error> {
    PublicKey::of(leaf).ok_or_else(|| CertificateError::BadEncoding.into())
}

/// Whether TLS 1.2 knows the scheme. ML-DSA has come after it (RFC 8446, section 4.2.3, takes the others back to 1.2).
fn is_of_tls12(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::ECDSA_NISTP256_SHA256
            | SignatureScheme::ECDSA_NISTP384_SHA384
            | SignatureScheme::ECDSA_NISTP521_SHA512
            | SignatureScheme::ED25519
    )
}

/// A provider says no more than that a signature is not valid, also where it does not look at it for the key's length.
fn explain(error: Error, key: &PublicKey<'_>) -> Error {
    let is_bad = error == CertificateError::BadSignature.into();
    match key.rsa_bits() {
        // The providers count whole bytes.
        Some(bits) if is_bad && !(RSA_BITS.0..=RSA_BITS.1).contains(&bits.next_multiple_of(8)) => {
            refusal(Refusal::KeyLength { bits, accepted: RSA_BITS })
        }
        _ => error,
    }
}
