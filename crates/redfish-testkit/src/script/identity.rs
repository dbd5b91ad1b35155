//! Generated certificates of each kind that a controller may present.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// A certificate with its key.
pub struct ServerIdentity {
    certificate: Certificate,
    key: KeyPair,
    params: CertificateParams,
    config: Arc<ServerConfig>,
}

impl ServerIdentity {
    /// Generates a self-signed certificate for these names and addresses.
    ///
    /// # Errors
    /// A name is not valid, or the key cannot be generated.
    pub fn self_signed(names: &[&str]) -> io::Result<ServerIdentity> {
        ServerIdentity::generate(params(names)?, None)
    }

    /// Generates an expired self-signed certificate.
    ///
    /// # Errors
    /// As [`self_signed`](ServerIdentity::self_signed).
    pub fn expired(names: &[&str]) -> io::Result<ServerIdentity> {
        let mut params = params(names)?;
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        ServerIdentity::generate(params, None)
    }

    /// Generates a certificate authority.
    ///
    /// # Errors
    /// As [`self_signed`](ServerIdentity::self_signed).
    pub fn authority() -> io::Result<ServerIdentity> {
        let mut params = params(&[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ServerIdentity::generate(params, None)
    }

    /// Generates a certificate that this authority signs, for these names and addresses.
    ///
    /// # Errors
    /// As [`self_signed`](ServerIdentity::self_signed).
    pub fn sign(&self, names: &[&str]) -> io::Result<ServerIdentity> {
        ServerIdentity::generate(params(names)?, Some(self))
    }

    fn generate(params: CertificateParams, issuer: Option<&ServerIdentity>) -> io::Result<ServerIdentity> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = match issuer {
            None => params.self_signed(&key),
            Some(issuer) => params.signed_by(&key, &Issuer::from_params(&issuer.params, &issuer.key)),
        };
        let certificate = certificate.map_err(io::Error::other)?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .map_err(io::Error::other)?;
        Ok(ServerIdentity { certificate, key, params, config: Arc::new(config) })
    }

    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate as DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

fn params(names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "a controller");
    Ok(params)
}
