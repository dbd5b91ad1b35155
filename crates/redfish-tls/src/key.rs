//! Verification of handshake signatures with the key of a pinned certificate.
//!
//! The functions of rustls parse the whole certificate first, and refuse X.509 version 1. A pinned certificate is known
//! byte for byte, so the service only has to prove that it holds the key. The algorithms are those of the provider,
//! selected as rustls selects them.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};

use crate::certificate::PublicKey;
use crate::error::{Refusal, refusal};

/// The shortest and the longest RSA modulus, in bits, that the providers of rustls support.
const RSA_BITS: (usize, usize) = (2048, 8192);

/// Verifies a TLS 1.3 signature, whose scheme determines the kind of key.
pub(crate) fn verify_tls13(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = public_key(leaf)?;
    let info = SubjectPublicKeyInfoDer::from(key.info);
    verify_tls13_signature_with_raw_key(message, &info, signature, algorithms)
        .map_err(|error| explain(error, &key))
}

/// Verifies a TLS 1.2 signature, whose scheme determines the algorithm and the hash but not the curve.
pub(crate) fn verify_tls12(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = public_key(leaf)?;
    let scheme = signature.scheme;
    let candidates =
        algorithms.mapping.iter().find(|(mapped, _)| *mapped == scheme && is_tls12_scheme(scheme));
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

fn public_key<'a>(leaf: &'a CertificateDer<'_>) -> Result<PublicKey<'a>, Error> {
    PublicKey::of(leaf).ok_or_else(|| CertificateError::BadEncoding.into())
}

/// Whether the scheme is valid in TLS 1.2 (RFC 8446, section 4.2.3, extends it to the newer ones). ML-DSA is for 1.3 only.
fn is_tls12_scheme(scheme: SignatureScheme) -> bool {
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

/// Replaces "bad signature" by the key length if that is the cause. A provider reports the same error for both.
fn explain(error: Error, key: &PublicKey<'_>) -> Error {
    let is_bad = error == CertificateError::BadSignature.into();
    match key.rsa_bits() {
        // The providers round up to whole bytes.
        Some(bits) if is_bad && !(RSA_BITS.0..=RSA_BITS.1).contains(&bits.next_multiple_of(8)) => {
            refusal(Refusal::KeyLength { bits, accepted: RSA_BITS })
        }
        _ => error,
    }
}
