//! Failing TLS handshakes, byte for byte, and the certificates of old controllers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};

use super::{Call, Case, GET, LOOPBACK, POST, RequestLog, TrustConfig, always, ok, serve_requests};
use crate::script::{HANDSHAKE_FAILURE, Peer, certificate_of_version_1, rsa_key_info};

/// Handshakes that a retry does not fix.
pub(super) fn refused(cases: &mut Vec<Case>) -> io::Result<()> {
    const NOTHING_IN_COMMON: &str = "offers no TLS 1.2 with forward secrecy";
    let table: [(&str, &[u8], &str); 8] = [
        ("a service that offers only RSA key exchange is not retried", HANDSHAKE_FAILURE, NOTHING_IN_COMMON),
        // Such a service sends its own version: 3.1 is TLS 1.0.
        (
            "a service that refuses new TLS versions is not retried",
            &[21, 3, 1, 0, 2, 2, 70],
            NOTHING_IN_COMMON,
        ),
        (
            "a service that reports insufficient security is not retried",
            &[21, 3, 3, 0, 2, 2, 71],
            NOTHING_IN_COMMON,
        ),
        (
            "a service that selects TLS 1.0 is not retried",
            &server_hello([3, 1], [0xc0, 0x13]),
            NOTHING_IN_COMMON,
        ),
        (
            "a service that selects RSA key exchange is not retried",
            &server_hello([3, 3], [0x00, 0x9c]),
            NOTHING_IN_COMMON,
        ),
        ("a service that denies access is not retried", &[21, 3, 3, 0, 2, 2, 49], "the TLS handshake failed"),
        (
            "a port that speaks plain HTTP is reported as such",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "It may be plain HTTP: write http://",
        ),
        (
            "a port that speaks another protocol is reported as not TLS",
            b"SSH-2.0-dropbear\r\n",
            "does not speak TLS",
        ),
    ];
    for (name, bytes, text) in table {
        let bytes = bytes.to_vec();
        let peer = Peer::start(LOOPBACK, move |connection| {
            let _ = connection.respond_and_close(&bytes);
        })?;
        let calls = vec![Call::error(GET, "tls", text), Call::error(POST, "tls", text)];
        let case = Case::with_peer(name, peer, RequestLog::default(), TrustConfig::System, calls);
        cases.push(case.requests(0).connections(2));
    }
    Ok(())
}

/// Pinned X.509 version 1 certificates: one with a usable key, and one whose key is too short.
pub(super) fn version_1(cases: &mut Vec<Case>) -> io::Result<()> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let (good, short) = (key.subject_public_key_info(), rsa_key_info(&[0xff; 128]));
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key).map_err(io::Error::other)?;
    let table: [(_, _, Arc<dyn SigningKey>, _, _); 2] = [
        ("a pinned certificate of version 1 is accepted", good, key, Call::done(POST, b"{}"), 1),
        (
            "a pinned certificate with a key of 1024 bits is refused, and the error has the reason",
            short,
            Arc::new(ShortKey),
            Call::error(POST, "tls", "1024 bits, but only 2048 to 8192 bits are supported"),
            0,
        ),
    ];
    for (name, info, key, call, requests) in table {
        let certificate = certificate_of_version_1(&info);
        let (log, config) = (RequestLog::default(), server_config(certificate.clone(), key)?);
        let (peer_log, count) = (log.clone(), AtomicUsize::new(0));
        let handler = always(ok(b"{}"));
        let peer = Peer::start(LOOPBACK, move |connection| {
            let connection = connection.encrypt_with(config.clone());
            let _ = connection.and_then(|connection| serve_requests(connection, &peer_log, &count, &handler));
        })?;
        let case = Case::with_peer(name, peer, log, TrustConfig::Pinned(certificate), vec![call]);
        cases.push(case.requests(requests).connections(1));
    }
    Ok(())
}

/// A resolver that returns one certificate, which rustls need not be able to parse.
#[derive(Debug)]
struct FixedCertificate(Arc<CertifiedKey>);

impl ResolvesServerCert for FixedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// An RSA key of 1024 bits. Its signatures have the right length but are invalid; clients refuse the key first.
#[derive(Clone, Debug)]
struct ShortKey;

impl SigningKey for ShortKey {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(ShortKey))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for ShortKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![1; 128])
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PSS_SHA256
    }
}

/// The configuration of a service with this certificate and this key.
fn server_config(certificate: Vec<u8>, key: Arc<dyn SigningKey>) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let resolver = FixedCertificate(Arc::new(CertifiedKey::new(vec![certificate.into()], key)));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(Arc::new(config))
}

/// A record with a ServerHello with this version and cipher suite, without extensions (RFC 5246, section 7.4.1.3).
fn server_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let body = [&version[..], &[0x5a; 32], &[0], &suite, &[0]].concat();
    let record = [22, version[0], version[1], 0, body.len() as u8 + 4];
    [&record[..], &[2, 0, 0, body.len() as u8], &body].concat()
}
