//! What a message says about the service or the account, whatever the status and the registry. This is the only table of
//! such names: vendors have their own.

use Condition::{InState, LicenseMissing, PasswordExpired, SessionLimit};

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
    /// The system is already in this power state, or in the requested one if none is named.
    InState(Option<&'static str>),
}

/// The keys of messages, and what they say.
const CONDITIONS: [(&str, Condition); 9] = [
    // DMTF's Base registry.
    ("LicenseRequired", LicenseMissing),
    ("PasswordChangeRequired", PasswordExpired),
    ("SessionLimitExceeded", SessionLimit),
    // iDRAC. SWC1908 is its answer to the default password.
    ("LIC501", LicenseMissing),
    ("PSU501", InState(Some("On"))),
    ("RAC0218", SessionLimit),
    ("SWC1908", PasswordExpired),
    // iLO.
    ("LicenseKeyRequired", LicenseMissing),
    // Supermicro.
    ("OemLicenseNotPassed", LicenseMissing),
];

/// Words of a key that say that a license is needed. Other keys are about a license, such as one that is imported.
const LICENSE_NEEDED: [&str; 23] = [
    "licenserequired",
    "licenseisrequired",
    "licensekeyrequired",
    "requireslicense",
    "licensemissing",
    "licensekeymissing",
    "missinglicense",
    "licenseneeded",
    "licenseexpired",
    "licensehasexpired",
    "licenseinsufficient",
    "insufficientlicense",
    "licensenotsufficient",
    "licensenotpassed",
    "licensenotinstalled",
    "licensenotpresent",
    "licensenotactive",
    "licensenotavailable",
    "licensenotenabled",
    "licensenotvalid",
    "notlicensed",
    "unlicensed",
    "nolicense",
];

impl Message {
    /// What it says about the service or the account, if that is in the table, or clear from its words.
    pub(crate) fn condition(&self) -> Option<Condition> {
        self.listed_condition().or_else(|| {
            if is_missing_license(&self.key().to_ascii_lowercase()) {
                Some(LicenseMissing)
            } else {
                state_in(&self.text.to_ascii_lowercase()).map(InState)
            }
        })
    }

    /// The same only by the table, so that it is certain.
    pub(crate) fn listed_condition(&self) -> Option<Condition> {
        let key = self.key();
        let listed = CONDITIONS.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(key));
        listed.map(|(_, condition)| *condition)
    }
}

fn is_missing_license(key: &str) -> bool {
    // A file or a field is missing, not a license.
    let is_about_input = ["file", "field", "format"].iter().any(|word| key.contains(word));
    !is_about_input && LICENSE_NEEDED.iter().any(|words| key.contains(words))
}

/// The state after "already" in a text in lower case: "The server is already powered ON." A requested state has no name.
fn state_in(text: &str) -> Option<Option<&'static str>> {
    let (_, rest) = text.split_once("already ")?;
    let rest = ["in ", "the ", "turned ", "powered "]
        .iter()
        .fold(rest, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    let states =
        [("on", Some("On")), ("off", Some("Off")), ("requested state", None), ("desired state", None)];
    // The state ends the clause: "already on the way" is something else.
    states.into_iter().find_map(|(words, state)| {
        let end = rest.strip_prefix(words)?.trim_start();
        (end.is_empty() || end.starts_with(['.', ',', ';', '!'])).then_some(state)
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
            ("Acme.1.0.NotLicensed", "", Some(LicenseMissing)),
            ("Acme.1.0.LicenseNotEnabled", "", Some(LicenseMissing)),
            ("Acme.1.0.NoLicense", "", Some(LicenseMissing)),
            ("Acme.1.0.LicenseFileMissing", "", None),
            ("Acme.1.0.LicenseRequiredFieldMissing", "", None),
            ("Acme.1.0.LicenseImportFailed", "", None),
            ("Acme.1.0.LicenseUploadFileTooLarge", "", None),
            ("Acme.1.0.LicenseNotFound", "", None),
            ("Acme.1.0.LicenseInstalled", "", None),
            ("iLO.2.14.InvalidLicenseKey", "", None),
            ("iLO.2.14.DemoLicenseKeyPreviouslyInstalled", "", None),
            ("IDRAC.2.8.PSU501", "", Some(InState(Some("On")))),
            ("A.1.X", "The server is already powered ON.", Some(InState(Some("On")))),
            ("A.1.X", "Host is already in the requested state", Some(InState(None))),
            ("A.1.X", "System already off.", Some(InState(Some("Off")))),
            ("A.1.X", "The device is already turned on", Some(InState(Some("On")))),
            ("A.1.X", "A reset is already on the way", None),
            ("A.1.X", "Another user is already on the console", None),
            ("A.1.X", "A job is already ongoing", None),
            ("A.1.X", "An account of this name already exists", None),
            ("Base.1.8.GeneralError", "", None),
        ] {
            let message = Message { id: id.into(), text: text.into(), ..Message::default() };
            assert_eq!(message.condition(), expected, "{id} {text}");
        }
    }
}
