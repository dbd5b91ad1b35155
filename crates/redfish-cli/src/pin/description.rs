//! The description of a certificate. Each field is read by itself: if one is unreadable, the others are still shown.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, DecodeOwned, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Validity;

use crate::terminal::clean;

/// The claims of a certificate, which are not verified.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Description {
    subject: Option<String>,
    issuer: Option<String>,
    /// DNS names and IP addresses.
    names: Vec<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    key: Option<Key>,
}

/// A public key.
#[derive(Debug, PartialEq, Serialize)]
struct Key {
    /// `RSA`, the name of the curve, or the object identifier of another algorithm.
    kind: String,
    bits: Option<usize>,
}

impl Description {
    /// Reads a certificate in DER.
    pub(crate) fn of(der: &[u8]) -> Description {
        let fields = fields(der).unwrap_or_default();
        let mut fields = fields.iter().peekable();
        fields.next_if(|field| field.tag() == context_specific(0));
        // Skips the serial number and the signature algorithm.
        let mut fields = fields.skip(2);
        let issuer = fields.next().and_then(name);
        let validity: Option<Validity> = fields.next().and_then(read);
        let subject = fields.next().and_then(name);
        let key = fields.next().and_then(read).map(|info: SubjectPublicKeyInfoOwned| Key::of(&info));
        let extensions = fields.find(|field| field.tag() == context_specific(3));
        let date = |date: x509_cert::time::Time| date.to_date_time().to_string();
        Description {
            subject,
            issuer,
            names: extensions.and_then(names).unwrap_or_default(),
            not_before: validity.as_ref().map(|validity| date(validity.not_before)),
            not_after: validity.as_ref().map(|validity| date(validity.not_after)),
            key,
        }
    }

    /// One line of text per field.
    pub(crate) fn lines(&self) -> Vec<String> {
        const UNREADABLE: &str = "(unreadable)";
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| UNREADABLE.to_owned());
        let date = |date: &Option<String>| text(date).replace('T', " ").replace('Z', " UTC");
        let names = if self.names.is_empty() { "(none)".to_owned() } else { self.names.join(", ") };
        let key = match &self.key {
            None => UNREADABLE.to_owned(),
            Some(Key { kind, bits: None }) => kind.clone(),
            Some(Key { kind, bits: Some(bits) }) => format!("{kind}, {bits} bits"),
        };
        vec![
            format!("subject  {}", text(&self.subject)),
            format!("issuer   {}", text(&self.issuer)),
            format!("names    {names}"),
            format!("valid    {} to {}", date(&self.not_before), date(&self.not_after)),
            format!("key      {key}"),
        ]
    }
}

impl Key {
    fn of(info: &SubjectPublicKeyInfoOwned) -> Key {
        const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
        let kind = info.algorithm.oid;
        let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as().ok());
        match (kind, curve.filter(|_| kind == ELLIPTIC)) {
            (RSA, _) => Key {
                kind: "RSA".to_owned(),
                bits: info.subject_public_key.as_bytes().and_then(modulus_bits),
            },
            (_, Some(curve)) => Key::from_identifier(curve),
            (kind, None) => Key::from_identifier(kind),
        }
    }

    fn from_identifier(kind: ObjectIdentifier) -> Key {
        let kind = kind.to_string();
        let (name, bits) = match kind.as_str() {
            "1.2.840.10045.3.1.7" => ("ECDSA P-256", Some(256)),
            "1.3.132.0.34" => ("ECDSA P-384", Some(384)),
            "1.3.132.0.35" => ("ECDSA P-521", Some(521)),
            "1.3.101.112" => ("Ed25519", Some(256)),
            "1.3.101.113" => ("Ed448", Some(456)),
            other => (other, None),
        };
        Key { kind: name.to_owned(), bits }
    }
}

/// The length of the modulus, which is the first integer of an RSA key, in bits.
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let key = AnyRef::from_der(key).ok()?;
    let mut numbers = SliceReader::new(key.value()).ok()?;
    let modulus = UintRef::decode(&mut numbers).ok()?;
    let first = modulus.as_bytes().first()?;
    Some(modulus.as_bytes().len() * 8 - first.leading_zeros() as usize)
}

/// The fields of the signed part (`TBSCertificate`).
fn fields(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let certificate = AnyRef::from_der(der).ok()?;
    let signed = AnyRef::decode(&mut SliceReader::new(certificate.value()).ok()?).ok()?;
    let mut reader = SliceReader::new(signed.value()).ok()?;
    let mut fields = Vec::new();
    while !reader.is_finished() {
        fields.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(fields)
}

fn context_specific(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn read<T: DecodeOwned>(field: &AnyRef<'_>) -> Option<T> {
    field.to_der().ok().and_then(|der| T::from_der(&der).ok())
}

/// A distinguished name in the notation of RFC 4514.
fn name(field: &AnyRef<'_>) -> Option<String> {
    read(field).map(|name: Name| clean(&name.to_string()))
}

fn names(extensions: &AnyRef<'_>) -> Option<Vec<String>> {
    let extensions = Extensions::from_der(extensions.value()).ok()?;
    const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
    let extension = extensions.iter().find(|extension| extension.extn_id == ALTERNATIVE_NAMES)?;
    let SubjectAltName(names) = SubjectAltName::from_der(extension.extn_value.as_bytes()).ok()?;
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(clean(name.as_str())),
        GeneralName::IpAddress(address) => {
            self::address(address.as_bytes()).map(|address| address.to_string())
        }
        _ => None,
    });
    Some(names.collect())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate() -> (CertificateParams, KeyPair) {
        let mut params =
            CertificateParams::new(vec!["bmc.example".to_owned(), "192.0.2.7".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a \u{9b}31mcontroller\u{1b}[0m");
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = date_time_ymd(2055, 3, 4);
        (params, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap())
    }

    #[test]
    fn all_fields_are_read_without_control_characters() {
        let (params, key) = certificate();
        let description = Description::of(params.self_signed(&key).unwrap().der());
        let lines = description.lines();
        assert_eq!(lines[0], format!("subject  {}", description.subject.as_deref().unwrap()));
        assert!(lines[0].contains("31mcontroller"), "{lines:?}");
        assert!(!lines[0].contains(char::is_control), "{lines:?}");
        assert_eq!(description.subject, description.issuer);
        assert_eq!(
            lines[2..],
            [
                "names    bmc.example, 192.0.2.7",
                "valid    2020-01-02 00:00:00 UTC to 2055-03-04 00:00:00 UTC",
                "key      ECDSA P-384, 384 bits",
            ]
        );
    }

    #[test]
    fn an_unreadable_field_does_not_hide_the_others() {
        let (params, key) = certificate();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let whole = Description::of(&der);
        // A letter in the first date makes the validity unreadable.
        let index = der.windows(6).position(|six| six == b"200102").unwrap();
        let mut garbled = der.clone();
        garbled[index] = b'x';
        let described = Description::of(&garbled);
        assert_eq!(described, Description { not_before: None, not_after: None, ..whole });
        assert_eq!(Description::of(b"no certificate"), Description::default());
        for length in 0..der.len() {
            Description::of(&der[..length]);
        }
    }

    #[test]
    fn a_garbled_certificate_does_not_panic() {
        let (params, key) = certificate();
        let mut der = params.self_signed(&key).unwrap().der().to_vec();
        for index in 0..der.len() {
            let good = der[index];
            for bad in [0, 1, 0x30, 0x7f, 0x80, 0x84, 0xa0, 0xff] {
                der[index] = bad;
                Description::of(&der).lines();
            }
            der[index] = good;
        }
    }

    #[test]
    fn an_rsa_key_is_as_long_as_its_modulus() {
        let mut key = vec![0x30, 0x81, 0x89, 2, 0x81, 0x81, 0];
        key.extend([0xff; 128]);
        key.extend([2, 3, 1, 0, 1]);
        assert_eq!(modulus_bits(&key), Some(1024));
        assert_eq!(modulus_bits(&key[..20]), None);
    }
}
