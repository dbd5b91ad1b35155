//! What a message says about the service or the account, whatever the status and the registry. This is the only table of
//! such names: vendors have their own.

use Condition::{InRequestedState, LicenseMissing, PasswordExpired, SessionLimit};

use super::Message;

/// A condition that has its own kind of error, or is none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// There is no room for another session.
    SessionLimit,
    /// The account must change its password first.
    PasswordExpired,
    /// The service lacks a license, or it has expired.
    LicenseMissing,
    /// The system is in the requested state already.
    InRequestedState,
}

/// The keys of messages, and what they say.
const CONDITIONS: [(&str, Condition); 9] = [
    // DMTF's Base registry.
    ("LicenseRequired", LicenseMissing),
    ("PasswordChangeRequired", PasswordExpired),
    ("SessionLimitExceeded", SessionLimit),
    // iDRAC. SWC1908 is its answer to the default password.
    ("LIC501", LicenseMissing),
    ("PSU501", InRequestedState),
    ("RAC0218", SessionLimit),
    ("SWC1908", PasswordExpired),
    // iLO.
    ("LicenseKeyRequired", LicenseMissing),
    // Supermicro.
    ("OemLicenseNotPassed", LicenseMissing),
];

/// Words of a key that is about the license itself, such as that a key is invalid, and not about its absence.
const ABOUT_A_LICENSE: [&str; 3] = ["invalid", "already", "previously"];

/// Words with which a text says that the state is that of the request: "The server is already powered ON."
const STATES: [&str; 6] = ["powered", "power state", "requested state", "desired state", "on", "off"];

impl Message {
    /// What it says about the service or the account, if that is in the table, or clear from its words.
    pub(crate) fn condition(&self) -> Option<Condition> {
        let key = self.key();
        let listed = CONDITIONS.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(key));
        if let Some((_, condition)) = listed {
            return Some(*condition);
        }
        if is_missing_license(&key.to_ascii_lowercase()) {
            return Some(LicenseMissing);
        }
        is_in_state(&self.text.to_ascii_lowercase()).then_some(InRequestedState)
    }
}

fn is_missing_license(key: &str) -> bool {
    key.contains("license") && !ABOUT_A_LICENSE.iter().any(|word| key.contains(word))
}

/// Whether the words after "already" in a text in lower case are those of a state.
fn is_in_state(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("already ") else { return false };
    let rest = rest.trim_start_matches("in ").trim_start_matches("the ").trim_start_matches("turned ");
    STATES.iter().any(|state| {
        rest.strip_prefix(state).is_some_and(|end| !end.starts_with(|next: char| next.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_has_its_names_and_words() {
        for (id, text, expected) in [
            ("Base.1.8.SessionLimitExceeded", "", Some(SessionLimit)),
            ("IDRAC.2.8.RAC0218", "", Some(SessionLimit)),
            ("IDRAC.2.9.SWC1908", "", Some(PasswordExpired)),
            ("base.1.0.passwordchangerequired", "", Some(PasswordExpired)),
            ("SMC.1.0.OemLicenseNotPassed", "", Some(LicenseMissing)),
            ("iLO.2.14.LicenseKeyRequired", "", Some(LicenseMissing)),
            ("Acme.1.0.FeatureLicenseMissing", "", Some(LicenseMissing)),
            ("Acme.1.0.LicenseExpired", "", Some(LicenseMissing)),
            ("iLO.2.14.InvalidLicenseKey", "", None),
            ("iLO.2.14.DemoLicenseKeyPreviouslyInstalled", "", None),
            ("IDRAC.2.8.PSU501", "", Some(InRequestedState)),
            ("A.1.X", "The server is already powered ON.", Some(InRequestedState)),
            ("A.1.X", "Host is already in the requested state", Some(InRequestedState)),
            ("A.1.X", "System already off.", Some(InRequestedState)),
            ("A.1.X", "The device is already turned on", Some(InRequestedState)),
            ("A.1.X", "A job is already ongoing", None),
            ("A.1.X", "An account of this name already exists", None),
            ("Base.1.8.GeneralError", "", None),
        ] {
            let message = Message { id: id.into(), text: text.into(), ..Message::default() };
            assert_eq!(message.condition(), expected, "{id} {text}");
        }
    }
}
