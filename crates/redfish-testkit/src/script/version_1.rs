//! X.509 version 1 certificates, which old controllers present and current libraries do not generate.

/// A version 1 certificate for this SubjectPublicKeyInfo, as DER. It is expired and has no valid signature, which a pin does
/// not check.
pub fn certificate_of_version_1(info: &[u8]) -> Vec<u8> {
    let serial = der(0x02, &[&[1]]);
    let algorithm =
        der(0x30, &[&der(0x06, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05]]), &[5, 0]]);
    let name = der(0x30, &[&der(0x31, &[&der(0x30, &[&[0x06, 3, 0x55, 4, 3], &der(0x0c, &[b"bmc"])])])]);
    let validity = der(0x30, &[&der(0x17, &[b"100101000000Z"]), &der(0x17, &[b"110101000000Z"])]);
    let to_be_signed = der(0x30, &[&serial, &algorithm, &name, &validity, &name, info]);
    der(0x30, &[&to_be_signed, &algorithm, &der(0x03, &[&[0; 129]])])
}

/// The SubjectPublicKeyInfo of an RSA key with this modulus and the exponent 65537, as DER.
pub fn rsa_key_info(modulus: &[u8]) -> Vec<u8> {
    let key = der(0x30, &[&der(0x02, &[&[0], modulus]), &[0x02, 3, 1, 0, 1]]);
    let algorithm = der(0x30, &[&[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 5, 0]]);
    der(0x30, &[&algorithm, &der(0x03, &[&[0], &key])])
}

/// Encodes a DER value.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut whole = vec![tag];
    match content.len() {
        length @ 0..=0x7f => whole.push(length as u8),
        length @ 0x80..=0xff => whole.extend([0x81, length as u8]),
        length => whole.extend([&[0x82], &(length as u16).to_be_bytes()[..]].concat()),
    }
    whole.extend(content);
    whole
}
