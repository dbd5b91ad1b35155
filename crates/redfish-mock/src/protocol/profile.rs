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
    /// A service of 2016: Thermal, Power and IndicatorLED, no sensors, no ETags, no query parameters, and sessions at
    /// `/redfish/v1/Sessions`.
    Older,
    /// Accounts in sixteen fixed slots, which can be changed, but neither created nor deleted, and Jobs in place of Tasks.
    Slots,
}

/// The error for a name that is not that of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile(());

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the profile is one of: standard, ilo-amplifier, older, slots")
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Profile, UnknownProfile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == text).ok_or(UnknownProfile(()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 4] = [Profile::Standard, Profile::IloAmplifier, Profile::Older, Profile::Slots];

    fn name(self) -> &'static str {
        match self {
            Profile::Standard => "standard",
            Profile::IloAmplifier => "ilo-amplifier",
            Profile::Older => "older",
            Profile::Slots => "slots",
        }
    }

    /// Formats a fingerprint as an ETag: strong in `standard`, weak in `ilo-amplifier`. Empty in `older`, which has none.
    pub(crate) fn etag(self, fingerprint: u32) -> String {
        match self {
            Profile::Standard | Profile::Slots => format!("\"{fingerprint:08X}\""),
            Profile::IloAmplifier => format!("W/\"{fingerprint:08X}\""),
            Profile::Older => String::new(),
        }
    }

    /// The number of account slots, if the accounts are in slots.
    pub(crate) fn account_slots(self) -> Option<u32> {
        (self == Profile::Slots).then_some(16)
    }

    /// The maximum number of members on one page of a collection.
    pub(crate) fn page_size(self) -> usize {
        match self {
            Profile::Standard | Profile::Slots => 50,
            Profile::IloAmplifier | Profile::Older => usize::MAX,
        }
    }

    /// The delay between the response to a reset and its effect.
    pub(crate) fn reset_delay(self) -> Duration {
        match self {
            Profile::Standard | Profile::Older | Profile::Slots => Duration::from_secs(3),
            Profile::IloAmplifier => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_parsed_from_its_own_name() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("Standard".parse::<Profile>().is_err());
    }
}
