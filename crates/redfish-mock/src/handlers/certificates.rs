//! Certificates: signing requests, and the replacement of those that are used (DSP0268, "CertificateService").

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::protocol::message::{Base, MachineRoom};
use crate::protocol::property::HIDDEN;
use crate::protocol::response::{Content, Response};
use crate::state::State;
use crate::state::journal::schema;

/// The path of the certificate that the service itself uses, which each of its managers has.
const OF_SERVICE: &str = "/NetworkProtocol/HTTPS/Certificates/";

/// The response to a request for a signing request. Its key stays with the service, for the certificate that replaces the current one.
pub(super) fn generate_csr(state: &mut State, parameters: &Map<String, Value>) -> Response {
    let collection = parameters["CertificateCollection"]["@odata.id"].as_str().unwrap_or_default();
    let is_collection =
        state.tree.get(collection).is_some_and(|resource| schema(resource) == "CertificateCollection");
    if !is_collection {
        return Response::error(StatusCode::BAD_REQUEST, Base::ResourceMissingAtURI, [collection]);
    }
    let Some((csr, key)) = signing_request(parameters) else {
        return Response::error(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, []);
    };
    state.certificate_key = Some(key);
    let document = json!({"CertificateCollection": {"@odata.id": collection}, "CSRString": csr});
    let content = Content::Raw { media_type: "application/json", bytes: document.to_string().into_bytes() };
    Response::new(StatusCode::OK, content)
}

/// A signing request, and its private key, both in PEM.
#[cfg(feature = "serve")]
fn signing_request(parameters: &Map<String, Value>) -> Option<(String, String)> {
    use rcgen::DnType;

    let names = parameters.get("AlternativeNames").and_then(Value::as_array);
    let names: Vec<String> =
        names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut request = rcgen::CertificateParams::new(names).ok()?;
    for (name, kind) in [
        ("CommonName", DnType::CommonName),
        ("Organization", DnType::OrganizationName),
        ("OrganizationalUnit", DnType::OrganizationalUnitName),
        ("City", DnType::LocalityName),
        ("State", DnType::StateOrProvinceName),
        ("Country", DnType::CountryName),
    ] {
        if let Some(text) = parameters.get(name).and_then(Value::as_str) {
            request.distinguished_name.push(kind, text);
        }
    }
    let key = rcgen::KeyPair::generate().ok()?;
    Some((request.serialize_request(&key).ok()?.pem().ok()?, key.serialize_pem()))
}

/// Without a server, no certificate is used, so the request is not a real one.
#[cfg(not(feature = "serve"))]
fn signing_request(parameters: &Map<String, Value>) -> Option<(String, String)> {
    use base64::Engine as _;

    let name = parameters["CommonName"].as_str().unwrap_or_default();
    let encoded = base64::prelude::BASE64_STANDARD.encode(format!("CN={name}"));
    let csr = format!("-----BEGIN CERTIFICATE REQUEST-----\n{encoded}\n-----END CERTIFICATE REQUEST-----\n");
    Some((csr, String::new()))
}

/// Replaces a certificate. That of HTTPS is used from the next connection on, with the private key beside it or that of the last
/// signing request. Returns the URI of the certificate.
pub(super) fn replace(state: &mut State, parameters: &Map<String, Value>) -> Result<String, Box<Response>> {
    let uri = parameters["CertificateUri"]["@odata.id"].as_str().unwrap_or_default().to_owned();
    if state.tree.get(&uri).is_none_or(|resource| schema(resource) != "Certificate") {
        return Err(Box::new(Response::error(StatusCode::BAD_REQUEST, Base::ResourceMissingAtURI, [&uri])));
    }
    let (certificate, key) = split_pem(parameters["CertificateString"].as_str().unwrap_or_default());
    if state.serves_tls && uri.contains(OF_SERVICE) {
        let key = if key.is_empty() { state.certificate_key.clone().unwrap_or_default() } else { key };
        if !is_usable(&certificate, &key) {
            let arguments = [HIDDEN, "CertificateString", "CertificateService.ReplaceCertificate"];
            let base = Base::ActionParameterValueFormatError;
            return Err(Box::new(Response::error(StatusCode::BAD_REQUEST, base, arguments)));
        }
        state.certificate_key = None;
        state.new_certificate = Some((certificate.clone(), key));
    }
    state.change(&uri, |document| {
        document["CertificateString"] = json!(certificate);
        document["CertificateType"] = parameters["CertificateType"].clone();
    });
    state.report(&uri, MachineRoom::CertificateReplaced, [&uri]);
    Ok(uri)
}

/// Whether TLS can use a certificate with this key.
fn is_usable(certificate: &str, key: &str) -> bool {
    #[cfg(feature = "serve")]
    return crate::server::is_usable_certificate(certificate, key);
    #[cfg(not(feature = "serve"))]
    return !certificate.is_empty() && !key.is_empty();
}

/// The properties of a new member. A private key beside a certificate is not shown again (DSP0268, Certificate).
pub(super) fn without_private_keys(properties: &Map<String, Value>) -> Map<String, Value> {
    let mut properties = properties.clone();
    if let Some(Value::String(text)) = properties.get_mut("CertificateString") {
        *text = split_pem(text).0;
    }
    properties
}

/// The certificates in a text, and the private keys beside them.
fn split_pem(text: &str) -> (String, String) {
    let mut is_key = false;
    text.split_inclusive('\n').fold(
        Default::default(),
        |(mut certificates, mut keys): (String, String), line| {
            is_key |= line.contains("-----BEGIN") && line.contains("PRIVATE KEY");
            if is_key {
                keys += line;
            } else {
                certificates += line;
            }
            is_key &= !line.contains("-----END");
            (certificates, keys)
        },
    )
}
