//! Handshakes that are not as they should be: peers with which there is no TLS, byte by byte, and certificates of old
//! controllers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};

use super::{Ask, Case, GET, Heard, LOOPBACK, POST, Trusting, converse, ok};
use crate::script::{HANDSHAKE_FAILURE, Peer, Received, Wire, certificate_of_version_1, rsa_key_info};

/// Handshakes that another try does not help.
pub(super) fn refused(cases: &mut Vec<Case>) -> io::Result<()> {
    const NOTHING_IN_COMMON: &str = "offers no TLS 1.2 with forward secrecy";
    let table: [(&str, &[u8], &str); 8] = [
        ("a service that offers only RSA key exchange is asked once", HANDSHAKE_FAILURE, NOTHING_IN_COMMON),
        // Such a service writes the version that it knows: 3.1 is TLS 1.0.
        ("a service that refuses new versions is asked once", &[21, 3, 1, 0, 2, 2, 70], NOTHING_IN_COMMON),
        (
            "a service that refuses what is not secret is asked once",
            &[21, 3, 3, 0, 2, 2, 71],
            NOTHING_IN_COMMON,
        ),
        ("a service that goes on in TLS 1.0 is asked once", &hello([3, 1], [0xc0, 0x13]), NOTHING_IN_COMMON),
        (
            "a service that chooses RSA key exchange unasked is asked once",
            &hello([3, 3], [0x00, 0x9c]),
            NOTHING_IN_COMMON,
        ),
        (
            "a service that refuses the client is asked once",
            &[21, 3, 3, 0, 2, 2, 49],
            "the TLS handshake failed",
        ),
        (
            "a port that speaks plain HTTP is named as such",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "It may be plain HTTP: write http://",
        ),
        (
            "a port that speaks something else is not taken for TLS",
            b"SSH-2.0-dropbear\r\n",
            "does not speak TLS",
        ),
    ];
    for (name, bytes, text) in table {
        let bytes = bytes.to_vec();
        let peer = Peer::start(LOOPBACK, move |connection| {
            let _ = connection.answer(&bytes);
        })?;
        let asks = vec![Ask::error(GET, "tls", text), Ask::error(POST, "tls", text)];
        let case = Case::over(name, peer, Heard::default(), Trusting::System, asks);
        cases.push(case.requests(0).connections(2));
    }
    Ok(())
}

/// Pinned certificates of X.509 version 1: one that works, and one whose key is too short for any check.
pub(super) fn of_version_1(cases: &mut Vec<Case>) -> io::Result<()> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let (good, short) = (key.subject_public_key_info(), rsa_key_info(&[0xff; 128]));
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key).map_err(io::Error::other)?;
    let table: [(_, _, Arc<dyn SigningKey>, _, _); 2] = [
        ("a pinned certificate of version 1 is accepted", good, key, Ask::done(POST, b"{}"), 1),
        (
            "a pinned certificate with a key of 1024 bits is refused with the reason",
            short,
            Arc::new(Short),
            Ask::error(POST, "tls", "1024 bits, and the cryptography in use starts at 2048"),
            0,
        ),
    ];
    for (name, info, key, ask, requests) in table {
        let certificate = certificate_of_version_1(&info);
        let (heard, config) = (Heard::default(), showing(certificate.clone(), key)?);
        let (listening, counted) = (heard.clone(), AtomicUsize::new(0));
        let answer = |wire: &mut Wire, _: &Received, _| wire.write(&ok(b"{}")).map(|()| true);
        let peer = Peer::start(LOOPBACK, move |connection| {
            let wire = connection.encrypt_by(config.clone());
            let _ = wire.and_then(|wire| converse(wire, &listening, &counted, &answer));
        })?;
        let case = Case::over(name, peer, heard, Trusting::Pinned(certificate), vec![ask]);
        cases.push(case.requests(requests).connections(1));
    }
    Ok(())
}

/// Shows one certificate, whatever rustls thinks of it.
#[derive(Debug)]
struct FixedCertificate(Arc<CertifiedKey>);

impl ResolvesServerCert for FixedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// An RSA key of 1024 bits: what it makes has the form of a signature, which is as far as clients look at it.
#[derive(Clone, Debug)]
struct Short;

impl SigningKey for Short {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(Short))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for Short {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![1; 128])
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PSS_SHA256
    }
}

/// A service that shows this certificate and signs with this key.
fn showing(certificate: Vec<u8>, key: Arc<dyn SigningKey>) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = FixedCertificate(Arc::new(CertifiedKey::new(vec![certificate.into()], key)));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    Ok(Arc::new(config))
}

/// A record with a ServerHello of this version and cipher suite, without extensions (RFC 5246, section 7.4.1.3).
fn hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let body = [&version[..], &[0x5a; 32], &[0], &suite, &[0]].concat();
    let record = [22, version[0], version[1], 0, body.len() as u8 + 4];
    [&record[..], &[2, 0, 0, body.len() as u8], &body].concat()
}
