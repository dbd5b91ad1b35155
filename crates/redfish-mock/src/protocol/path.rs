//! A request's path, brought into the one form that everything here is looked up by.

use crate::protocol::profile::Profile;

/// A path without escapes and without a final slash, and the key it is found under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    written: String,
    key: String,
}

impl Path {
    pub(crate) fn new(raw: &str) -> Path {
        let mut written = unescape(raw).unwrap_or_else(|| raw.to_owned());
        if written.len() > 1 && written.ends_with('/') {
            written.pop();
        }
        let key = key(&written);
        Path { written, key }
    }

    /// As the client wrote it, but for escapes and the final slash.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// What the tree is looked up by.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether it names the resource at `canonical` in this profile: `standard` minds the letters' case, as DSP0266 has
    /// it; iLO Amplifier Pack's documentation writes `/redfish/v1/systems/`.
    pub(crate) fn names(&self, canonical: &str, profile: Profile) -> bool {
        match profile {
            Profile::Standard => self.written == canonical,
            Profile::IloAmplifier => self.written.eq_ignore_ascii_case(canonical),
        }
    }

    /// The path below `canonical`, where it is below it and is one segment.
    pub(crate) fn below<'a>(&'a self, canonical: &str, profile: Profile) -> Option<&'a str> {
        let (parent, last) = self.written.rsplit_once('/')?;
        let same = match profile {
            Profile::Standard => parent == canonical,
            Profile::IloAmplifier => parent.eq_ignore_ascii_case(canonical),
        };
        same.then_some(last)
    }
}

/// The key of a canonical path: letters' case is judged when the resource is found.
pub(crate) fn key(path: &str) -> String {
    path.to_ascii_lowercase()
}

/// Undoes percent-encoding. `None` where an escape is broken, hides a slash, or the result is not UTF-8: such a path names
/// nothing here, and stays as it is.
fn unescape(raw: &str) -> Option<String> {
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
    fn a_final_slash_and_escapes_do_not_matter() {
        for raw in ["/redfish/v1/Systems", "/redfish/v1/Systems/", "/redfish/v1/%53ystems"] {
            let path = Path::new(raw);
            assert_eq!(path.written(), "/redfish/v1/Systems", "{raw}");
            assert_eq!(path.key(), "/redfish/v1/systems", "{raw}");
        }
        assert_eq!(Path::new("/").written(), "/");
    }

    #[test]
    fn a_broken_or_hidden_escape_names_nothing() {
        for raw in
            ["/redfish%2Fv1", "/redfish/v1/%5", "/redfish/v1/%zz", "/redfish/v1/%FF", "/redfish/v1/Systems//"]
        {
            assert!(!Path::new(raw).names("/redfish/v1/Systems", Profile::IloAmplifier), "{raw}");
            assert!(!Path::new(raw).names("/redfish/v1", Profile::IloAmplifier), "{raw}");
        }
    }

    #[test]
    fn case_matters_in_one_profile_alone() {
        let path = Path::new("/redfish/v1/systems/");
        assert!(path.names("/redfish/v1/Systems", Profile::IloAmplifier));
        assert!(!path.names("/redfish/v1/Systems", Profile::Standard));
        assert_eq!(
            Path::new("/redfish/v1/Systems/1").below("/redfish/v1/Systems", Profile::Standard),
            Some("1")
        );
        assert_eq!(
            Path::new("/redfish/v1/Systems/1/2").below("/redfish/v1/Systems", Profile::Standard),
            None
        );
    }
}
