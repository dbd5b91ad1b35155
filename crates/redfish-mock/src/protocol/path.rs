//! The path of a request, normalized for lookups.

use std::borrow::Cow;

use crate::protocol::profile::Profile;

/// A path without percent-encoding and trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    decoded: String,
}

impl Path {
    pub(crate) fn new(raw: &str) -> Path {
        let mut decoded = decode(raw).unwrap_or_else(|| raw.to_owned());
        if decoded.len() > 1 && decoded.ends_with('/') {
            decoded.pop();
        }
        Path { decoded }
    }

    /// The path in the letter case of the client.
    pub(crate) fn as_str(&self) -> &str {
        &self.decoded
    }

    /// Whether it is the path `canonical` in this profile. Letter case matters in `standard`, as DSP0266 requires. It does not
    /// in `ilo-amplifier`, whose documentation writes `/redfish/v1/systems/`.
    pub(crate) fn matches(&self, canonical: &str, profile: Profile) -> bool {
        match profile {
            Profile::Standard | Profile::Older | Profile::Slots => self.decoded == canonical,
            Profile::IloAmplifier => self.decoded.eq_ignore_ascii_case(canonical),
        }
    }

    /// Its last segment, if the rest of the path is `parent`.
    pub(crate) fn child_of<'a>(&'a self, parent: &str, profile: Profile) -> Option<&'a str> {
        let (above, last) = self.decoded.rsplit_once('/')?;
        let is_child = match profile {
            Profile::Standard | Profile::Older | Profile::Slots => above == parent,
            Profile::IloAmplifier => above.eq_ignore_ascii_case(parent),
        };
        is_child.then_some(last)
    }
}

/// The key by which a profile finds a decoded path: it folds letter case where that does not matter.
pub(crate) fn key(path: &str, profile: Profile) -> Cow<'_, str> {
    match profile {
        Profile::Standard | Profile::Older | Profile::Slots => path.into(),
        Profile::IloAmplifier => path.to_ascii_lowercase().into(),
    }
}

/// Decodes percent-encoding. Returns `None` if an escape is invalid or encodes a slash, or if the result is not UTF-8.
fn decode(raw: &str) -> Option<String> {
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let escaped = u8::try_from(digit()? * 16 + digit()?).ok()?;
        if escaped == b'/' {
            return None;
        }
        bytes.push(escaped);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_and_escapes_do_not_matter() {
        for raw in ["/redfish/v1/Systems", "/redfish/v1/Systems/", "/redfish/v1/%53ystems"] {
            let path = Path::new(raw);
            assert_eq!(path.as_str(), "/redfish/v1/Systems", "{raw}");
        }
        assert_eq!(Path::new("/").as_str(), "/");
    }

    #[test]
    fn an_invalid_escape_and_an_encoded_slash_match_nothing() {
        for raw in
            ["/redfish%2Fv1", "/redfish/v1/%5", "/redfish/v1/%zz", "/redfish/v1/%FF", "/redfish/v1/Systems//"]
        {
            assert!(!Path::new(raw).matches("/redfish/v1/Systems", Profile::IloAmplifier), "{raw}");
            assert!(!Path::new(raw).matches("/redfish/v1", Profile::IloAmplifier), "{raw}");
        }
    }

    #[test]
    fn letter_case_matters_only_in_the_standard_profile() {
        let path = Path::new("/redfish/v1/systems/");
        assert!(path.matches("/redfish/v1/Systems", Profile::IloAmplifier));
        assert!(!path.matches("/redfish/v1/Systems", Profile::Standard));
        assert_eq!(
            Path::new("/redfish/v1/Systems/1").child_of("/redfish/v1/Systems", Profile::Standard),
            Some("1")
        );
        assert_eq!(
            Path::new("/redfish/v1/Systems/1/2").child_of("/redfish/v1/Systems", Profile::Standard),
            None
        );
    }
}
