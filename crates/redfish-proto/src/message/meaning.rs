//! What a message means in a response whose status is a success. Many services answer 200 and report there what was done,
//! what was refused, and what applies later. The severity alone does not tell: most refusals are warnings.

use Meaning::{Notice, Refusal, Success};

/// What a message says about the request, when the status is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Something was done.
    Success,
    /// Something to know, such as that a reset is required.
    Notice,
    /// The request, or a part of it, was not carried out.
    Refusal,
}

/// The keys of DMTF's Base registry (DSP0268, 1.19). They mean the same in the registries of vendors.
const BASE: [(&str, Meaning); 114] = [
    ("AccessDenied", Refusal),
    ("AccountForSessionNoLongerExists", Success),
    ("AccountModified", Success),
    ("AccountNotModified", Refusal),
    ("AccountRemoved", Success),
    ("ActionDeprecated", Notice),
    ("ActionNotSupported", Refusal),
    ("ActionParameterDuplicate", Notice),
    ("ActionParameterMissing", Refusal),
    ("ActionParameterNotSupported", Refusal),
    ("ActionParameterUnknown", Refusal),
    ("ActionParameterValueConflict", Refusal),
    ("ActionParameterValueError", Refusal),
    ("ActionParameterValueFormatError", Refusal),
    ("ActionParameterValueNotInList", Refusal),
    ("ActionParameterValueOutOfRange", Refusal),
    ("ActionParameterValueTypeError", Refusal),
    ("ArraySizeTooLong", Refusal),
    ("ArraySizeTooShort", Refusal),
    ("AuthenticationTokenRequired", Refusal),
    ("ChassisPowerStateOffRequired", Refusal),
    ("ChassisPowerStateOnRequired", Refusal),
    ("ConditionInRelatedResource", Notice),
    ("CouldNotEstablishConnection", Refusal),
    ("CreateFailedMissingReqProperties", Refusal),
    ("CreateLimitReachedForResource", Refusal),
    ("Created", Success),
    ("EmptyJSON", Refusal),
    ("EventBufferExceeded", Notice),
    ("EventSubscriptionLimitExceeded", Refusal),
    ("GeneralError", Refusal),
    ("GenerateSecretKeyRequired", Notice),
    ("HeaderInvalid", Refusal),
    ("HeaderMissing", Refusal),
    ("InsufficientPrivilege", Refusal),
    ("InsufficientStorage", Refusal),
    ("InternalError", Refusal),
    ("InvalidIndex", Refusal),
    ("InvalidJSON", Refusal),
    ("InvalidObject", Refusal),
    ("InvalidURI", Refusal),
    ("LicenseRequired", Refusal),
    ("MalformedJSON", Refusal),
    ("MaximumErrorsExceeded", Refusal),
    ("MissingOrMalformedPart", Refusal),
    ("NetworkNameResolutionNotConfigured", Refusal),
    ("NetworkNameResolutionNotSupported", Refusal),
    ("NoOperation", Notice),
    ("NoValidSession", Refusal),
    ("OneTimePasscodeSent", Success),
    ("OperationFailed", Refusal),
    ("OperationNotAllowed", Refusal),
    ("OperationTimeout", Refusal),
    ("PasswordChangeRequired", Notice),
    ("PayloadTooLarge", Refusal),
    ("PreconditionFailed", Refusal),
    ("PreconditionRequired", Refusal),
    ("PropertyDeprecated", Notice),
    ("PropertyDuplicate", Notice),
    ("PropertyMissing", Refusal),
    ("PropertyModified", Success),
    ("PropertyNotUpdated", Refusal),
    ("PropertyNotWritable", Refusal),
    ("PropertyUnknown", Refusal),
    ("PropertyValueConflict", Refusal),
    ("PropertyValueDeprecated", Notice),
    ("PropertyValueError", Refusal),
    ("PropertyValueExternalConflict", Refusal),
    ("PropertyValueFormatError", Refusal),
    ("PropertyValueIncorrect", Refusal),
    ("PropertyValueModified", Notice),
    ("PropertyValueNotInList", Refusal),
    ("PropertyValueOutOfRange", Refusal),
    ("PropertyValueResourceConflict", Refusal),
    ("PropertyValueTypeError", Refusal),
    ("QueryCombinationInvalid", Refusal),
    ("QueryNotSupported", Refusal),
    ("QueryNotSupportedOnOperation", Refusal),
    ("QueryNotSupportedOnResource", Refusal),
    ("QueryParameterOutOfRange", Refusal),
    ("QueryParameterUnsupported", Refusal),
    ("QueryParameterValueError", Refusal),
    ("QueryParameterValueFormatError", Refusal),
    ("QueryParameterValueTypeError", Refusal),
    ("ResetRecommended", Notice),
    ("ResetRequired", Notice),
    ("ResourceAlreadyExists", Refusal),
    ("ResourceAtUriInUnknownFormat", Refusal),
    ("ResourceAtUriUnauthorized", Refusal),
    ("ResourceCannotBeDeleted", Refusal),
    ("ResourceCreationConflict", Refusal),
    ("ResourceDeprecated", Notice),
    ("ResourceExhaustion", Refusal),
    ("ResourceInStandby", Refusal),
    ("ResourceInUse", Refusal),
    ("ResourceMissingAtURI", Refusal),
    ("ResourceNotFound", Refusal),
    ("ResourceTypeIncompatible", Refusal),
    ("RestrictedPrivilege", Refusal),
    ("RestrictedRole", Refusal),
    ("ServiceDisabled", Refusal),
    ("ServiceInUnknownState", Refusal),
    ("ServiceShuttingDown", Refusal),
    ("ServiceTemporarilyUnavailable", Refusal),
    ("SessionLimitExceeded", Refusal),
    ("SessionTerminated", Success),
    ("SourceDoesNotSupportProtocol", Refusal),
    ("StrictAccountTypes", Refusal),
    ("StringValueTooLong", Refusal),
    ("StringValueTooShort", Refusal),
    ("SubscriptionTerminated", Success),
    ("Success", Success),
    ("UndeterminedFault", Refusal),
    ("UnrecognizedRequestBody", Refusal),
];

/// Keys of vendors that the rules for unknown keys would misjudge.
const VENDORS: [(&str, Meaning); 20] = [
    // iLO.
    ("DemoLicenseKeyPreviouslyInstalled", Refusal),
    ("DiagsTestAlreadyRunning", Refusal),
    ("LoginAttemptDelayed", Refusal),
    ("NoScriptedVirtualMediaConnectionAvailable", Refusal),
    ("NoVirtualMediaConnectionAvailable", Refusal),
    ("PropertyNotWritableOrUnknown", Refusal),
    ("PropertyValueBadParam", Refusal),
    ("PropertyValueRequired", Refusal),
    ("ResetInProgress", Notice),
    ("SuccessFeedback", Success),
    ("SystemResetRequired", Notice),
    ("UnauthorizedLoginAttempt", Refusal),
    ("UserAlreadyExist", Refusal),
    // iDRAC. Any other SYS4nn is a refusal.
    ("LIC501", Refusal),
    ("SUP0108", Refusal),
    ("SYS408", Success),
    ("SYS413", Success),
    ("SYS414", Success),
    ("SYS430", Success),
    // Supermicro.
    ("OemLicenseNotPassed", Refusal),
];

/// With one of these beginnings, an unknown key is a refusal unless its severity is OK.
const REFUSAL_PREFIXES: [&str; 4] = ["Invalid", "Unsupported", "Unable", "Cannot"];

/// With one of these words, too.
const REFUSAL_WORDS: [&str; 14] = [
    "Fail",
    "Error",
    "NotSupported",
    "NotAllowed",
    "Denied",
    "Disabled",
    "Unavailable",
    "OutOfRange",
    "OutOfBound",
    "Exceed",
    "InUse",
    "AlreadyInProgress",
    "Cancelled",
    "Canceled",
];

/// Words that begin like one of those and mean something else.
const OTHER_WORDS: [&str; 2] = ["Failover", "FailOver"];

/// The key as this module lists it, if it does.
pub(super) fn known(key: &str) -> Option<&'static str> {
    listed(key).map(|(listed, _)| listed)
}

fn listed(key: &str) -> Option<(&'static str, Meaning)> {
    BASE.iter().chain(&VENDORS).find(|(listed, _)| listed.eq_ignore_ascii_case(key)).copied()
}

/// The meaning of the message with this key, the last part of its `MessageId`.
pub(super) fn meaning(key: &str, severity: &str) -> Meaning {
    if let Some((_, meaning)) = listed(key) {
        return meaning;
    }
    let is_ok = severity.eq_ignore_ascii_case("ok");
    let lowercase = key.to_ascii_lowercase();
    let is_refusal = is_sys4nn(&lowercase)
        || (lowercase.starts_with("license") && lowercase.ends_with("required"))
        || severity.eq_ignore_ascii_case("critical")
        || (!is_ok && says_refused(key));
    if is_refusal {
        Refusal
    } else if is_ok {
        Success
    } else {
        Notice
    }
}

/// Whether the words of a key say that something was refused. Letter case tells where a word begins, unless there is none.
fn says_refused(key: &str) -> bool {
    let has_case = key.contains(char::is_lowercase) && key.contains(char::is_uppercase);
    let spelled = |text: &str| if has_case { text.to_owned() } else { text.to_ascii_lowercase() };
    let mut key = spelled(key);
    for other in OTHER_WORDS {
        key = key.replace(&spelled(other), "");
    }
    REFUSAL_PREFIXES.iter().any(|prefix| key.starts_with(&spelled(prefix)))
        || REFUSAL_WORDS.iter().any(|word| key.contains(&spelled(word)))
}

/// Whether this key, in lower case, is one of iDRAC's SYS4nn.
fn is_sys4nn(key: &str) -> bool {
    key.strip_prefix("sys4").is_some_and(|rest| rest.len() == 2 && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_of_the_base_registry_is_listed_once() {
        assert!(BASE.is_sorted_by(|(a, _), (b, _)| a < b));
        let refusals = BASE.iter().filter(|(_, meaning)| *meaning == Refusal).count();
        assert_eq!((refusals, BASE.len() - refusals), (91, 23));
        assert!(VENDORS.iter().all(|(vendor, _)| BASE.iter().all(|(base, _)| base != vendor)));
    }

    #[test]
    fn the_key_decides_and_then_the_severity() {
        for (key, severity, expected) in [
            ("ResetInProgress", "Warning", Notice),
            ("success", "", Success),
            // A listed key, whatever its severity.
            ("PropertyNotWritable", "OK", Refusal),
            ("ResetRequired", "Critical", Notice),
            ("SYS413", "Critical", Success),
            ("SYS430", "Warning", Success),
            ("SYS428", "OK", Refusal),
            ("SYS403", "Informational", Refusal),
            ("SYS1003", "OK", Success),
            ("LIC501", "Warning", Refusal),
            ("SUP0108", "OK", Refusal),
            ("OemLicenseNotPassed", "OK", Refusal),
            ("LicenseKeyRequired", "OK", Refusal),
            ("LicenseRequired", "", Refusal),
            // An unknown key.
            ("PSU501", "Informational", Notice),
            ("PSU501", "CRITICAL", Refusal),
            ("JCP001", "ok", Success),
            ("InvalidPowerState", "Warning", Refusal),
            ("InvalidPowerState", "OK", Success),
            ("UnableToModify", "", Refusal),
            ("PowerNotInvalid", "", Notice),
            ("UpdateFailed", "", Refusal),
            ("SNMPDisabled", "Warning", Refusal),
            ("FirmwareFlashAlreadyInProgress", "Warning", Refusal),
            ("JobCancelled", "", Refusal),
            ("updatefailed", "", Refusal),
            ("RESOURCEINUSE", "", Refusal),
            ("PortInUse", "", Refusal),
            ("AdminUserCreated", "Informational", Notice),
            ("FailoverConfigured", "", Notice),
            ("FailoverFailed", "", Refusal),
            ("", "", Notice),
            ("", "Critical", Refusal),
        ] {
            assert_eq!(meaning(key, severity), expected, "{key} {severity}");
        }
    }
}
