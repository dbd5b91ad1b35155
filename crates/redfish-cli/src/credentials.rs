//! Passwords and tokens, from a file or the environment.

use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files::Source;
use crate::options::Options;

/// The password, if it need not be asked for.
pub(crate) fn password_at_hand(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    given(options.password_file.as_deref(), "REDFISH_PASSWORD", "the password", options)
}

/// The bearer token, if one is given.
pub(crate) fn bearer_token(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    given(options.token_file.as_deref(), "REDFISH_TOKEN", "the token", options)
}

/// What the file says, else the variable.
fn given(
    file: Option<&Path>,
    variable: &str,
    what: &str,
    options: &Options,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        return secret_of(file, what, options).map(Some);
    }
    match std::env::var(variable) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!("{variable} is not UTF-8"), "")),
    }
}

/// A secret that a file holds, which is not empty.
pub(crate) fn secret_of(file: &Path, what: &str, options: &Options) -> Result<Zeroizing<String>, Failure> {
    match Source::named(file).read_secret(options.timeout) {
        Ok(text) if text.is_empty() => Err(Failure::usage(format!("the file with {what} is empty"), "")),
        Ok(text) => Ok(text),
        Err(error) => Err(Failure::usage(format!("the file with {what} cannot be read: {error}"), "")),
    }
}
