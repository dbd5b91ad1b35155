//! Passwords and tokens, from a file or the environment.

use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files::Source;
use crate::options::Options;

/// The password from a file or the environment, without a prompt.
pub(crate) fn available_password(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    from_file_or_variable(options.password_file.as_deref(), "REDFISH_PASSWORD", "the password", options)
}

/// The bearer token, if one is given.
pub(crate) fn bearer_token(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    from_file_or_variable(options.token_file.as_deref(), "REDFISH_TOKEN", "the token", options)
}

/// The content of the file, else the value of the variable.
fn from_file_or_variable(
    file: Option<&Path>,
    variable: &str,
    what: &str,
    options: &Options,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        return read_secret(file, what, options).map(Some);
    }
    match std::env::var(variable) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!("{variable} is not UTF-8"), "")),
    }
}

/// The secret in a file. An empty file is an error.
pub(crate) fn read_secret(file: &Path, what: &str, options: &Options) -> Result<Zeroizing<String>, Failure> {
    match Source::named(file).read_secret(options.timeout) {
        Ok(text) if text.is_empty() => Err(Failure::usage(format!("the file with {what} is empty"), "")),
        Ok(text) => Ok(text),
        Err(error) => Err(Failure::usage(format!("the file with {what} cannot be read: {error}"), "")),
    }
}
