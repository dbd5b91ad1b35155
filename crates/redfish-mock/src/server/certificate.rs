//! The TLS certificate of a server.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio_rustls::TlsAcceptor;

use super::options::Tls;

/// A certificate with its key.
pub(super) struct Identity {
    certificate_pem: String,
    key: PrivateKeyDer<'static>,
}

/// Who else uses a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SharedBy {
    None,
    Fleet,
}

impl Identity {
    /// The certificate that `tls` describes. `None` without TLS.
    pub(super) fn from_tls(tls: Tls, listen: IpAddr) -> io::Result<Option<Identity>> {
        match tls {
            Tls::None => Ok(None),
            Tls::SelfSigned => Identity::self_signed(listen).map(Some),
            Tls::Pem { certificate_pem, key_pem } => Identity::new(certificate_pem, &key_pem).map(Some),
        }
    }

    pub(super) fn new(certificate_pem: String, key_pem: &str) -> io::Result<Identity> {
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
            .map_err(|_| invalid_input("the key is not a private key in PEM form"))?;
        Ok(Identity { certificate_pem, key })
    }

    /// Creates a certificate for loopback and the address of the server.
    pub(super) fn self_signed(listen: IpAddr) -> io::Result<Identity> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !listen.is_loopback() && !listen.is_unspecified() {
            names.push(listen.to_string());
        }
        let certified = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        Identity::new(certified.cert.pem(), &certified.signing_key.serialize_pem())
    }

    /// The TLS acceptor of a service.
    pub(super) fn acceptor(&self, shared_by: SharedBy) -> io::Result<TlsAcceptor> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| invalid_input("the certificate is not in PEM form"))?;
        if chain.is_empty() {
            return Err(invalid_input("the certificate is not in PEM form"));
        }
        // An explicit provider: a process may contain several, and a library must not choose the default.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, self.key.clone_key())
            .map_err(|error| {
                invalid_input(&format!("certificate and key cannot be used together: {error}"))
            })?;
        if shared_by == SharedBy::Fleet {
            // All services of a fleet have the same name, so a client would try to resume its session with another service.
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    pub(super) fn into_certificate_pem(self) -> String {
        self.certificate_pem
    }
}

/// Whether TLS can use a certificate with this key, both in PEM.
pub(crate) fn is_usable_certificate(certificate_pem: &str, key_pem: &str) -> bool {
    let identity = Identity::new(certificate_pem.to_owned(), key_pem);
    identity.and_then(|identity| identity.acceptor(SharedBy::None)).is_ok()
}

fn invalid_input(error: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn localhost() -> Identity {
        Identity::self_signed(IpAddr::from([127, 0, 0, 1])).unwrap()
    }

    #[test]
    fn a_certificate_and_its_key_can_be_configured() {
        let made = rcgen::generate_simple_self_signed(vec!["bmc".into()]).unwrap();
        let identity = Identity::new(made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        assert!(identity.acceptor(SharedBy::None).is_ok());
    }

    #[test]
    fn an_invalid_certificate_or_key_is_rejected_with_the_reason() {
        let error = |certificate: &str, key: &str| {
            let made = Identity::new(certificate.to_owned(), key);
            made.and_then(|identity| identity.acceptor(SharedBy::None))
                .err()
                .map(|error| (error.kind(), error.to_string()))
        };
        let (pem, other_key) =
            (localhost().into_certificate_pem(), rcgen::KeyPair::generate().unwrap().serialize_pem());
        for (certificate, key, part) in [
            (pem.as_str(), "no key", "private key"),
            ("no certificate", other_key.as_str(), "certificate is not"),
            (pem.as_str(), other_key.as_str(), "together"),
        ] {
            let (kind, text) = error(certificate, key).unwrap();
            assert_eq!(kind, io::ErrorKind::InvalidInput);
            assert!(text.contains(part), "{text}");
        }
    }
}
