//! The profile: which service the mock imitates.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The service that the mock imitates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The current standard: full messages, strong ETags, and a login that returns the session resource.
    #[default]
    Standard,
    /// iLO Amplifier Pack as documented: messages without text, weak ETags, `MySession`, and case-insensitive paths.
    IloAmplifier,
}

/// The error for a name that is neither `standard` nor `ilo-amplifier`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile(());

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the profile is one of: standard, ilo-amplifier")
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Profile, UnknownProfile> {
        match text {
            "standard" => Ok(Profile::Standard),
            "ilo-amplifier" => Ok(Profile::IloAmplifier),
            _ => Err(UnknownProfile(())),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::Standard => "standard",
            Profile::IloAmplifier => "ilo-amplifier",
        })
    }
}

impl Profile {
    /// Formats a fingerprint as an ETag: strong in `standard`, weak in `ilo-amplifier`.
    pub(crate) fn etag(self, fingerprint: u32) -> String {
        match self {
            Profile::Standard => format!("\"{fingerprint:08X}\""),
            Profile::IloAmplifier => format!("W/\"{fingerprint:08X}\""),
        }
    }

    /// The maximum number of members on one page of a collection.
    pub(crate) fn page_size(self) -> usize {
        match self {
            Profile::Standard => 50,
            Profile::IloAmplifier => usize::MAX,
        }
    }

    /// The delay between the response to a reset and its effect.
    pub(crate) fn reset_delay(self) -> Duration {
        match self {
            Profile::Standard => Duration::from_secs(3),
            Profile::IloAmplifier => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_parsed_from_its_own_name() {
        for profile in [Profile::Standard, Profile::IloAmplifier] {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("Standard".parse::<Profile>().is_err());
    }
}
