//! Pinned certificates with each kind of key, signature scheme and TLS version: real handshakes in memory with X.509
//! version 1 certificates, which rustls itself cannot parse.

mod memory;

use std::sync::Arc;

use rcgen::{KeyPair, PublicKeyData};
use redfish_testkit::script::{certificate_of_version_1, rsa_key_info};
use redfish_tls::{Pin, Trust, Untrusted};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConnection, Error, PeerMisbehaved, ServerConfig, ServerConnection,
    SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion,
};

use memory::shake_hands;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A key pair.
#[derive(Clone, Debug)]
struct Key {
    /// The SubjectPublicKeyInfo.
    info: Vec<u8>,
    private: Arc<dyn SigningKey>,
}

impl Key {
    fn new(kind: &'static rcgen::SignatureAlgorithm) -> Key {
        Key::of(&KeyPair::generate_for(kind).unwrap())
    }

    /// ring generates no RSA keys, so this one is read from a file.
    fn rsa() -> Key {
        Key::of(&KeyPair::from_pem(include_str!("keys/rsa-2048.pem")).unwrap())
    }

    fn of(pair: &KeyPair) -> Key {
        let private = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
        let provider = rustls::crypto::ring::default_provider();
        let private = provider.key_provider.load_private_key(private).unwrap();
        Key { info: pair.subject_public_key_info(), private }
    }

    fn each() -> [Key; 4] {
        [
            Key::rsa(),
            Key::new(&rcgen::PKCS_ECDSA_P256_SHA256),
            Key::new(&rcgen::PKCS_ECDSA_P384_SHA384),
            Key::new(&rcgen::PKCS_ED25519),
        ]
    }
}

/// A certificate of X.509 version 1 for this key.
fn version_1(info: &[u8]) -> CertificateDer<'static> {
    certificate_of_version_1(info).into()
}

/// A service's certificate, and the key that it signs with.
#[derive(Debug)]
struct Service(Arc<CertifiedKey>);

impl Service {
    fn new(certificate: CertificateDer<'static>, signs: Arc<dyn SigningKey>) -> Service {
        Service(Arc::new(CertifiedKey::new(vec![certificate], signs)))
    }
}

impl ResolvesServerCert for Service {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Performs a handshake with a service whose certificate is pinned.
fn handshake(service: Service, version: &'static SupportedProtocolVersion) -> Result<(), Error> {
    let trust = Trust::pinned(Pin::of(&service.0.cert[0]));
    handshake_with_trust(&trust, service, version)
}

fn handshake_with_trust(
    trust: &Trust,
    service: Service,
    version: &'static SupportedProtocolVersion,
) -> Result<(), Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(service));
    let server = ServerConnection::new(Arc::new(config)).unwrap();
    let name = ServerName::try_from("bmc.example").unwrap();
    let client = ClientConnection::new(trust.config().unwrap(), name).unwrap();
    let client = shake_hands(client, server)?;
    assert_eq!(client.protocol_version(), Some(version.version));
    Ok(())
}

/// A key that signs with one scheme and declares another.
#[derive(Clone, Debug)]
struct MislabelledKey {
    key: Arc<dyn SigningKey>,
    /// Determines the cipher suite in TLS 1.2.
    kind: SignatureAlgorithm,
    used: SignatureScheme,
    declared: SignatureScheme,
}

impl SigningKey for MislabelledKey {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.kind
    }
}

impl Signer for MislabelledKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.choose_scheme(&[self.used]).expect("a scheme of the key").sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.declared
    }
}

/// A key whose signatures have one bit changed.
#[derive(Clone, Debug)]
struct CorruptingKey(Arc<dyn SigningKey>);

#[derive(Debug)]
struct CorruptingSigner(Box<dyn Signer>);

impl SigningKey for CorruptingKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(CorruptingSigner(self.0.choose_scheme(offered)?)))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl Signer for CorruptingSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = self.0.sign(message)?;
        *signature.last_mut().expect("a signature is not empty") ^= 1;
        Ok(signature)
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}

fn is_bad_signature(error: &Error) -> bool {
    *error == CertificateError::BadSignature.into()
}

fn is_key_mismatch(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. })
    )
}

fn is_not_offered(error: &Error) -> bool {
    *error == PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into()
}

#[test]
fn a_pinned_certificate_of_version_1_is_trusted_with_each_kind_of_key() {
    for key in Key::each() {
        for version in VERSIONS {
            let service = Service::new(version_1(&key.info), key.private.clone());
            handshake(service, version).unwrap_or_else(|error| panic!("{key:?} {version:?}: {error}"));
        }
    }
}

#[test]
fn without_a_pin_a_certificate_of_version_1_is_refused_with_the_reason() {
    let key = Key::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    for version in VERSIONS {
        let service = Service::new(version_1(&key.info), key.private.clone());
        let error = handshake_with_trust(&Trust::system(), service, version).unwrap_err();
        let untrusted = Untrusted::find(&error).unwrap();
        assert!(!untrusted.has_unusable_key());
        let text = untrusted.to_string();
        assert!(text.contains("version 1") && text.contains("can only be pinned"), "{text}");
    }
}

#[test]
fn a_wrong_signature_is_refused() {
    for key in Key::each() {
        for version in VERSIONS {
            let corrupting = Arc::new(CorruptingKey(key.private.clone()));
            let error = handshake(Service::new(version_1(&key.info), corrupting), version).unwrap_err();
            assert!(is_bad_signature(&error), "{key:?} {version:?}: {error:?}");
        }
    }
}

#[test]
fn another_key_of_the_same_kind_is_refused() {
    let kinds = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    for kind in kinds {
        for version in VERSIONS {
            let (pinned, other) = (Key::new(kind), Key::new(kind));
            let error = handshake(Service::new(version_1(&pinned.info), other.private), version).unwrap_err();
            assert!(is_bad_signature(&error), "{kind:?} {version:?}: {error:?}");
        }
    }
}

#[test]
fn a_signature_of_another_kind_of_key_is_refused() {
    for (at, pinned) in Key::each().iter().enumerate() {
        for (other_at, other) in Key::each().into_iter().enumerate().filter(|(index, _)| *index != at) {
            for version in VERSIONS {
                let error = handshake(Service::new(version_1(&pinned.info), other.private.clone()), version)
                    .unwrap_err();
                // In TLS 1.2 the curve is not part of the scheme.
                let same_kind = (at, other_at) == (1, 2) || (at, other_at) == (2, 1);
                let expected =
                    if same_kind && version == &TLS12 { is_bad_signature } else { is_key_mismatch };
                assert!(expected(&error), "{at} {other_at} {version:?}: {error:?}");
            }
        }
    }
}

#[test]
fn a_signature_with_a_wrong_declared_scheme_is_refused() {
    use SignatureScheme as S;
    let rsa = Key::rsa();
    let [p256, p384] = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384].map(Key::new);
    let ed25519 = Key::new(&rcgen::PKCS_ED25519);
    type Check = fn(&Error) -> bool;
    let table: [(&Key, S, S, &SupportedProtocolVersion, Check); 12] = [
        (&rsa, S::RSA_PSS_SHA256, S::ECDSA_NISTP256_SHA256, &TLS13, is_key_mismatch),
        (&rsa, S::RSA_PSS_SHA256, S::RSA_PSS_SHA384, &TLS13, is_bad_signature),
        (&rsa, S::RSA_PSS_SHA256, S::RSA_PSS_SHA384, &TLS12, is_bad_signature),
        (&rsa, S::RSA_PSS_SHA256, S::RSA_PKCS1_SHA256, &TLS12, is_bad_signature),
        // RFC 8446, section 4.2.3: neither PKCS#1 v1.5 nor SHA-1 in TLS 1.3, even if the signature is valid.
        (&rsa, S::RSA_PKCS1_SHA256, S::RSA_PKCS1_SHA256, &TLS13, is_not_offered),
        (&rsa, S::RSA_PSS_SHA256, S::RSA_PKCS1_SHA1, &TLS13, is_not_offered),
        (&rsa, S::RSA_PSS_SHA256, S::RSA_PKCS1_SHA1, &TLS12, is_not_offered),
        // In TLS 1.3 the curve is part of the scheme.
        (&p384, S::ECDSA_NISTP384_SHA384, S::ECDSA_NISTP256_SHA256, &TLS13, is_key_mismatch),
        (&p256, S::ECDSA_NISTP256_SHA256, S::ECDSA_NISTP384_SHA384, &TLS13, is_key_mismatch),
        (&p256, S::ECDSA_NISTP256_SHA256, S::ECDSA_NISTP384_SHA384, &TLS12, is_bad_signature),
        (&ed25519, S::ED25519, S::ECDSA_NISTP256_SHA256, &TLS13, is_key_mismatch),
        (&ed25519, S::ED25519, S::Unknown(0xfefe), &TLS13, is_not_offered),
    ];
    for (key, used, declared, version, is_expected) in table {
        let kind = key.private.algorithm();
        let mislabelled = MislabelledKey { key: key.private.clone(), kind, used, declared };
        let error =
            handshake(Service::new(version_1(&key.info), Arc::new(mislabelled)), version).unwrap_err();
        assert!(is_expected(&error), "{used:?} as {declared:?}, {version:?}: {error:?}");
    }
}

#[test]
fn pkcs1_and_pss_are_accepted_in_tls_1_2() {
    let rsa = Key::rsa();
    for scheme in [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PSS_SHA512] {
        let kind = SignatureAlgorithm::RSA;
        let honest = MislabelledKey { key: rsa.private.clone(), kind, used: scheme, declared: scheme };
        handshake(Service::new(version_1(&rsa.info), Arc::new(honest)), &TLS12).unwrap();
    }
}

#[test]
fn an_unsupported_key_length_is_reported() {
    for (bytes, first, bits) in [(128, 0xff, "1024 bits"), (127, 0x40, "1015 bits"), (1025, 1, "8193 bits")] {
        let mut modulus = vec![0xff; bytes];
        modulus[0] = first;
        let info = rsa_key_info(&modulus);
        for version in VERSIONS {
            let error = handshake(Service::new(version_1(&info), Key::rsa().private), version).unwrap_err();
            let untrusted = Untrusted::find(&error).unwrap();
            assert!(untrusted.has_unusable_key());
            let text = untrusted.to_string();
            for part in [bits, "2048 to 8192", "even with a pin"] {
                assert!(text.contains(part), "{version:?}: {text}");
            }
        }
    }
}

#[test]
fn a_malformed_pinned_certificate_is_refused() {
    let key = Key::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let whole = version_1(&key.info);
    // Without a key, with half a key, and not a certificate.
    for bad in [
        version_1(&[]),
        version_1(&key.info[..key.info.len() / 2]),
        b"certificate".to_vec().into(),
        whole[..40].to_vec().into(),
    ] {
        for version in VERSIONS {
            let error = handshake(Service::new(bad.clone(), key.private.clone()), version).unwrap_err();
            assert_eq!(error, CertificateError::BadEncoding.into(), "{version:?}");
        }
    }
}
