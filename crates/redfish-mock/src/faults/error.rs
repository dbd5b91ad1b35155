//! The error for a text that is not a valid fault.

use std::fmt;

/// The error for a text that is not a valid fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(String);

impl FaultError {
    /// `names` are the valid names. The text itself is not repeated: it may be a secret that was typed in the wrong place.
    pub(super) fn invalid_name(names: &[&str]) -> FaultError {
        let names = names.join(", ");
        FaultError(format!("a fault is NAME[=VALUE][@PATH][*COUNT], with NAME one of: {names}"))
    }

    pub(super) fn invalid_value(name: &str, expected: &str) -> FaultError {
        FaultError(format!("the fault {name} takes {expected}"))
    }

    pub(super) fn invalid_path() -> FaultError {
        FaultError("a fault's PATH, after @, has no query".into())
    }

    pub(super) fn invalid_count() -> FaultError {
        FaultError("a fault's COUNT, after *, is a whole number".into())
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}
