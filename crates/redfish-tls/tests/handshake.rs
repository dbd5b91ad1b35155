//! Each kind of trust against each kind of certificate, in real handshakes in memory.

mod memory;

use std::error::Error as StdError;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use redfish_tls::{Error, Inspection, Pin, Trust, Untrusted};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

use memory::shake_hands;

/// A certificate and its key.
struct Identity {
    der: CertificateDer<'static>,
    key: KeyPair,
    params: CertificateParams,
}

impl Identity {
    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec![name.to_owned(), "192.0.2.7".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a controller");
        params
    }

    fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { der: params.self_signed(&key).unwrap().into(), key, params }
    }

    fn authority(common_name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self::self_signed(params)
    }

    fn signed_by(params: CertificateParams, issuer: &Identity) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        Self { der: params.signed_by(&key, &issuer).unwrap().into(), key, params }
    }

    fn pem(&self) -> String {
        let digits = base64_lines(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{digits}-----END CERTIFICATE-----\n")
    }

    fn trust(&self) -> Trust {
        Trust::system_and_pem(self.pem().as_bytes()).unwrap()
    }

    fn pin(&self) -> Pin {
        Pin::of(&self.der)
    }
}

/// Base64 in lines of 64 characters, as PEM requires.
fn base64_lines(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let bits = group
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
            for at in 0..4 {
                let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63] as char;
                text.push(if at > group.len() { '=' } else { digit });
            }
        }
        text.push('\n');
    }
    text
}

/// Connects with this trust to a service with this name and certificate, by TLS 1.3 and 1.2.
fn connect(trust: &Trust, name: &str, service: &Identity) -> Result<(), rustls::Error> {
    connect_with_version(trust, name, service, &rustls::version::TLS13)?;
    connect_with_version(trust, name, service, &rustls::version::TLS12)
}

fn connect_with_version(
    trust: &Trust,
    name: &str,
    service: &Identity,
    version: &'static SupportedProtocolVersion,
) -> Result<(), rustls::Error> {
    let key = PrivateKeyDer::try_from(service.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![service.der.clone()], key)
        .unwrap();
    let server = ServerConnection::new(Arc::new(config)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = ClientConnection::new(trust.config().unwrap(), name).unwrap();
    shake_hands(client, server).map(drop)
}

/// Asserts that the certificate is refused for this reason.
#[track_caller]
fn refused(result: Result<(), rustls::Error>, reason: &str) {
    let error = result.expect_err("must be refused");
    let text = Untrusted::find(&error).unwrap_or_else(|| panic!("{error:?}")).to_string();
    assert!(text.contains(reason), "{text}");
}

#[test]
fn a_certificate_signed_by_a_given_ca_is_accepted() {
    let ca = Identity::authority("a company");
    let service = Identity::signed_by(Identity::params("bmc.example"), &ca);
    connect(&ca.trust(), "bmc.example", &service).unwrap();
    connect(&ca.trust(), "192.0.2.7", &service).unwrap();
    refused(connect(&Trust::system(), "bmc.example", &service), "");
    refused(
        connect(&Identity::authority("another").trust(), "bmc.example", &service),
        "not signed by a trusted CA",
    );
    refused(connect(&Identity::authority("a company").trust(), "bmc.example", &service), "");
}

#[test]
fn each_of_several_given_certificates_is_trusted() {
    let (ca, own) =
        (Identity::authority("a company"), Identity::self_signed(Identity::params("bmc.example")));
    let text = format!("# trusted\n{}\nand\n{}", ca.pem(), own.pem());
    let trust = Trust::system_and_pem(text.as_bytes()).unwrap();
    connect(&trust, "bmc.example", &own).unwrap();
    connect(&trust, "bmc.example", &Identity::signed_by(Identity::params("bmc.example"), &ca)).unwrap();
    assert_eq!(format!("{trust:?}"), "Trust::system_and_pem(2 certificates)");
}

#[test]
fn only_the_given_self_signed_certificate_is_accepted() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let params = || {
            let mut params = Identity::params("bmc.example");
            params.is_ca = is_ca;
            params
        };
        let service = Identity::self_signed(params());
        connect(&service.trust(), "bmc.example", &service).unwrap();
        connect(&service.trust(), "192.0.2.7", &service).unwrap();
        refused(connect(&Trust::system(), "bmc.example", &service), "");
        refused(connect(&service.trust(), "other.example", &service), "not valid for name");

        let impostor = Identity::self_signed(params());
        refused(connect(&service.trust(), "bmc.example", &impostor), "");
    }
}

#[test]
fn a_given_certificate_that_is_not_a_ca_allows_no_other() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let mut params = Identity::params("bmc.example");
        params.is_ca = is_ca;
        let one = Identity::self_signed(params);
        let other = Identity::signed_by(Identity::params("other.example"), &one);
        refused(connect(&one.trust(), "other.example", &other), "not signed by a trusted CA");
    }
}

#[test]
fn a_given_certificate_is_accepted_only_while_valid() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let table = [
            ((2001, 2002), "expired at 2002-01-01 00:00:00 UTC, and it is 20"),
            ((2900, 2901), "not valid yet: it begins at 2900-01-01 00:00:00 UTC, and it is 20"),
        ];
        for ((from, until), reason) in table {
            let mut params = Identity::params("bmc.example");
            params.is_ca = is_ca;
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(until, 1, 1);
            let service = Identity::self_signed(params);
            refused(connect(&service.trust(), "bmc.example", &service), reason);
        }
    }
}

#[test]
fn a_signed_certificate_is_accepted_only_while_valid_and_for_its_name() {
    let ca = Identity::authority("a company");
    let mut params = Identity::params("bmc.example");
    params.not_after = date_time_ymd(2002, 1, 1);
    refused(connect(&ca.trust(), "bmc.example", &Identity::signed_by(params, &ca)), "expired");
    let service = Identity::signed_by(Identity::params("bmc.example"), &ca);
    refused(connect(&ca.trust(), "other.example", &service), "not valid for name");
}

#[test]
fn a_pinned_certificate_is_accepted_with_any_name_and_dates() {
    let mut params = Identity::params("elsewhere.example");
    params.not_after = date_time_ymd(2002, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let service = Identity::self_signed(params);
    connect(&Trust::pinned(service.pin()), "bmc.example", &service).unwrap();
}

#[test]
fn another_certificate_than_the_pinned_one_is_refused_with_its_pin() {
    let ca = Identity::authority("a company");
    let (service, other) = (
        Identity::signed_by(Identity::params("bmc.example"), &ca),
        Identity::signed_by(Identity::params("bmc.example"), &ca),
    );
    for wrong in [other.pin(), ca.pin()] {
        refused(connect(&Trust::pinned(wrong), "bmc.example", &service), &service.pin().to_string());
    }
}

#[test]
fn a_pinned_certificate_is_refused_without_proof_of_its_key() {
    let service = Identity::self_signed(Identity::params("bmc.example"));
    let impostor = Identity {
        der: service.der.clone(),
        key: KeyPair::generate().unwrap(),
        params: service.params.clone(),
    };
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let error = impersonate(&Trust::pinned(service.pin()), &impostor, version);
        assert_eq!(error, rustls::Error::InvalidCertificate(CertificateError::BadSignature));
        let error = impersonate(&service.trust(), &impostor, version);
        assert_eq!(error, rustls::Error::InvalidCertificate(CertificateError::BadSignature));
    }
}

#[test]
fn dangerous_accept_any_accepts_any_certificate_and_reports_it() {
    let mut params = Identity::params("elsewhere.example");
    params.not_after = date_time_ymd(2002, 1, 1);
    let trust = Trust::dangerous_accept_any();
    connect(&trust, "bmc.example", &Identity::self_signed(params)).unwrap();
    assert!(trust.is_dangerous());
    assert!(!Trust::default().is_dangerous());
}

#[test]
fn an_inspection_records_the_certificate_and_refuses_it() {
    let service = Identity::self_signed(Identity::params("bmc.example"));
    let inspection = Inspection::new();
    assert_eq!(inspection.pin(), None);
    refused(connect(&inspection.trust(), "bmc.example", &service), "inspected, not accepted");
    assert_eq!(inspection.leaf(), Some(service.der.clone()));
    assert_eq!(inspection.pin(), Some(service.pin()));
}

#[test]
fn invalid_pem_is_an_error() {
    let whole = Identity::self_signed(Identity::params("bmc.example")).pem();
    let key = KeyPair::generate().unwrap().serialize_pem();
    let table = [
        (String::new(), Error::NoCertificate),
        ("certificate".to_owned(), Error::NoCertificate),
        (key, Error::NoCertificate),
        (whole.replace("END", "STOP"), Error::BadPem),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned(), Error::BadPem),
        (
            format!("{whole}-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"),
            Error::NotACertificate { position: 2 },
        ),
    ];
    for (text, error) in table {
        assert_eq!(Trust::system_and_pem(text.as_bytes()).unwrap_err(), error, "{text}");
    }
}

/// The client's error if a service presents a certificate and signs with another key.
///
/// rustls does not serve a certificate with a key that does not match, unless a resolver returns both.
fn impersonate(
    trust: &Trust,
    impostor: &Identity,
    version: &'static SupportedProtocolVersion,
) -> rustls::Error {
    #[derive(Debug)]
    struct Stolen(Arc<rustls::sign::CertifiedKey>);

    impl rustls::server::ResolvesServerCert for Stolen {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(impostor.key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let stolen = Stolen(Arc::new(rustls::sign::CertifiedKey::new(vec![impostor.der.clone()], key)));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(stolen));
    let server = ServerConnection::new(Arc::new(config)).unwrap();
    let name = ServerName::try_from("bmc.example").unwrap();
    let client = ClientConnection::new(trust.config().unwrap(), name).unwrap();
    let error = shake_hands(client, server).expect_err("the impostor was accepted");
    assert!(error.source().is_none());
    error
}
