//! A DER reader for the fields of a certificate that rustls does not expose: the dates, whether it is a CA, and the key.
//!
//! ```text
//! Certificate ::= SEQUENCE { tbsCertificate, .. }                                   RFC 5280, section 4.1
//! TBSCertificate ::= SEQUENCE { [0] version?, serial, algorithm, issuer, validity, subject, key, .., [3] extensions? }
//! ```

/// The fields of an X.509 certificate that decide whether it is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificate {
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    /// Seconds since 1970.
    pub(crate) not_after: i64,
    /// Marked as a CA, or of a version before 3, which has no such mark.
    pub(crate) is_ca: bool,
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.19, id-ce-basicConstraints.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

impl Certificate {
    /// Parses DER. `None` if it is not a certificate.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let (version, mut fields) = fields(der)?;
        let version_3 = version == 3;
        fields.take(INTEGER)?;
        fields.take(SEQUENCE)?;
        fields.take(SEQUENCE)?;
        let mut validity = Der(fields.take(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        fields.take(SEQUENCE)?;
        fields.take(SEQUENCE)?;

        let mut is_ca = !version_3;
        while let Some((tag, value)) = fields.next() {
            if tag == EXTENSIONS {
                is_ca = has_ca_extension(Der(Der(value).take(SEQUENCE)?))?;
            }
        }
        Some(Self { not_before, not_after, is_ca })
    }
}

/// The version of an X.509 certificate, 1 to 3. `None` if it is not a certificate.
pub(crate) fn version(der: &[u8]) -> Option<u8> {
    fields(der).map(|(version, _)| version)
}

/// The version, and the fields that follow it.
fn fields(der: &[u8]) -> Option<(u8, Der<'_>)> {
    let mut whole = Der(der);
    let mut certificate = Der(whole.take(SEQUENCE)?);
    if !whole.0.is_empty() {
        return None;
    }
    let mut fields = Der(certificate.take(SEQUENCE)?);
    // DER omits the default, version 1, but some encoders write it.
    let version = match fields.take(VERSION) {
        None => 1,
        Some(number) => match Der(number).take(INTEGER)? {
            [number @ 0..=2] => number + 1,
            _ => return None,
        },
    };
    Some((version, fields))
}

/// The public key of a certificate of any version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicKey<'a> {
    /// All of SubjectPublicKeyInfo.
    pub(crate) info: &'a [u8],
    /// The content of its AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    /// The key, in the encoding of that algorithm.
    pub(crate) key: &'a [u8],
}

/// The content of the AlgorithmIdentifier of RSA keys: 1.2.840.113549.1.1.1, rsaEncryption, and NULL.
const RSA: &[u8] = &[OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

impl<'a> PublicKey<'a> {
    /// Finds the key without checking the rest of the certificate. `None` if it is not a certificate.
    pub(crate) fn of(der: &'a [u8]) -> Option<Self> {
        let (_, mut fields) = fields(der)?;
        fields.take(INTEGER)?;
        for _algorithm_issuer_validity_subject in 0..4 {
            fields.take(SEQUENCE)?;
        }
        let before = fields.0;
        let mut key = Der(fields.take(SEQUENCE)?);
        let info = &before[..before.len() - fields.0.len()];
        let algorithm = key.take(SEQUENCE)?;
        // The first byte is the number of unused bits in the last byte, which is 0 for keys.
        let (&0, bits) = key.take(BIT_STRING)?.split_first()? else { return None };
        key.0.is_empty().then_some(Self { info, algorithm, key: bits })
    }

    /// The length of an RSA key's modulus in bits. `None` for a key of another algorithm.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        if self.algorithm != RSA {
            return None;
        }
        let modulus = Der(Der(self.key).take(SEQUENCE)?).take(INTEGER)?;
        let first = modulus.iter().position(|byte| *byte != 0)?;
        let modulus = &modulus[first..];
        Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
    }
}

/// Whether the extensions contain `cA TRUE`. `None` if they are malformed.
fn has_ca_extension(mut extensions: Der<'_>) -> Option<bool> {
    while !extensions.0.is_empty() {
        let mut extension = Der(extensions.take(SEQUENCE)?);
        let id = extension.take(OBJECT_IDENTIFIER)?;
        let _critical = extension.take(BOOLEAN);
        let value = extension.take(OCTET_STRING)?;
        if id == BASIC_CONSTRAINTS {
            let mut constraints = Der(Der(value).take(SEQUENCE)?);
            return Some(constraints.take(BOOLEAN).is_some_and(|value| value != [0]));
        }
    }
    Some(false)
}

/// The unread rest of some DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Takes the next value if it has this tag. Otherwise consumes nothing.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if *self.0.first()? != tag {
            return None;
        }
        self.next().map(|(_, value)| value)
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            // Four bytes of length allow 4 GiB. The indefinite form, 0x80, is not DER.
            0x81..=0x84 => {
                let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = after;
                digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
            }
            _ => return None,
        };
        let (value, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, value))
    }

    /// Reads a time as seconds since 1970 (RFC 5280, section 4.1.2.5): a two-digit year below 50 is in this century.
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        let text = text.strip_suffix(b"Z")?;
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
        let (year, rest) = match tag {
            UTC_TIME => {
                let (year, rest) = text.split_at_checked(2)?;
                let year = number(year);
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = text.split_at_checked(4)?;
                (number(year), rest)
            }
            _ => return None,
        };
        let &[m1, m0, d1, d0, h1, h0, i1, i0, s1, s0] = rest else { return None };
        let (month, day) = (number(&[m1, m0]), number(&[d1, d0]));
        let seconds = number(&[h1, h0]) * 3600 + number(&[i1, i0]) * 60 + number(&[s1, s0]);
        Some(days(year, month, day)? * 86_400 + seconds)
    }
}

/// The days since 1970-01-01 in the Gregorian calendar. A year starts in March here, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let before_month = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + before_month + day - 1 - 719_468)
}

/// A time as `2024-02-29 12:00:00 UTC`.
pub(crate) fn date_time(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date of a day since 1970-01-01: the inverse of `days`.
fn date(days: u64) -> (u64, u64, u64) {
    // An era has 400 years.
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    (era * 400 + year + u64::from(is_next_year), if is_next_year { month - 9 } else { month + 3 }, day)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PublicKeyData, date_time_ymd};

    use super::*;

    #[test]
    fn a_time_is_shown_as_a_date() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_709_208_000, "2024-02-29 12:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date_time(seconds), shown);
        }
        for day in 0..200_000 {
            let (year, month, date) = date(day);
            assert_eq!(days(year as i64, month as i64, date as i64), Some(day as i64));
        }
    }

    #[test]
    fn dates_are_seconds_since_1970() {
        let table = [
            (UTC_TIME, "700101000000Z", 0),
            (UTC_TIME, "491231235959Z", 2_524_607_999),
            (UTC_TIME, "500101000000Z", -631_152_000),
            (GENERALIZED_TIME, "20240229120000Z", 1_709_208_000),
            (GENERALIZED_TIME, "21000301000000Z", 4_107_542_400),
            (GENERALIZED_TIME, "99991231235959Z", 253_402_300_799),
        ];
        for (tag, text, seconds) in table {
            let mut der = vec![tag, text.len() as u8];
            der.extend(text.bytes());
            assert_eq!(Der(&der).time(), Some(seconds), "{text}");
        }
        for text in ["20240229120000", "2024022912000Z", "20241329120000Z", "20240229120000+0100Z"] {
            let mut der = vec![GENERALIZED_TIME, text.len() as u8];
            der.extend(text.bytes());
            assert_eq!(Der(&der).time(), None, "{text}");
        }
    }

    #[test]
    fn the_ca_mark_and_the_dates_are_parsed() {
        let table = [
            (IsCa::NoCa, false),
            (IsCa::ExplicitNoCa, false),
            (IsCa::Ca(BasicConstraints::Unconstrained), true),
            (IsCa::Ca(BasicConstraints::Constrained(0)), true),
        ];
        for (is_ca, expected) in table {
            let mut params = CertificateParams::new(vec!["bmc".to_owned()]).unwrap();
            params.is_ca = is_ca;
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2055, 1, 1);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let parsed = Certificate::parse(certificate.der()).unwrap();
            assert_eq!(parsed.is_ca, expected, "{is_ca:?}");
            assert_eq!((parsed.not_before, parsed.not_after), (1_577_836_800, 2_682_374_400));
        }
    }

    fn certificate(key: &KeyPair) -> Vec<u8> {
        CertificateParams::new(vec!["bmc".to_owned()]).unwrap().self_signed(key).unwrap().der().to_vec()
    }

    #[test]
    fn a_truncated_certificate_is_not_parsed() {
        let der = certificate(&KeyPair::generate().unwrap());
        for length in 0..der.len() {
            assert!(Certificate::parse(&der[..length]).is_none(), "cut at {length}");
            assert!(PublicKey::of(&der[..length]).is_none(), "cut at {length}");
        }
        let longer = [&der[..], b"more"].concat();
        assert!(Certificate::parse(&longer).is_none() && PublicKey::of(&longer).is_none());
    }

    #[test]
    fn a_garbled_certificate_does_not_panic() {
        let mut der = certificate(&KeyPair::generate().unwrap());
        for index in 0..der.len() {
            let good = der[index];
            for bad in 0..=u8::MAX {
                der[index] = bad;
                let _ = Certificate::parse(&der);
                let _ = PublicKey::of(&der).and_then(|key| key.rsa_bits());
            }
            der[index] = good;
        }
    }

    #[test]
    fn the_key_is_found_in_the_certificate() {
        for algorithm in
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
        {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let der = certificate(&key);
            let found = PublicKey::of(&der).unwrap();
            assert_eq!((found.info, found.key), (&key.subject_public_key_info()[..], key.public_key_raw()));
            assert_eq!(found.rsa_bits(), None);
            assert_eq!(version(&der), Some(3));
        }
    }

    #[test]
    fn the_length_of_an_rsa_key_is_that_of_its_modulus() {
        let table: [(&[u8], Option<usize>); 6] = [
            (&[SEQUENCE, 3, INTEGER, 1, 0x7f], Some(7)),
            (&[SEQUENCE, 4, INTEGER, 2, 0x00, 0x80], Some(8)),
            (&[SEQUENCE, 4, INTEGER, 2, 0x01, 0x00], Some(9)),
            (&[SEQUENCE, 3, INTEGER, 1, 0x00], None),
            (&[SEQUENCE, 2, INTEGER, 0], None),
            (&[], None),
        ];
        for (key, bits) in table {
            assert_eq!(PublicKey { info: &[], algorithm: RSA, key }.rsa_bits(), bits, "{key:?}");
        }
    }
}
