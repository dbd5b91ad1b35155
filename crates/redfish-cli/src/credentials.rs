//! Passwords and tokens, on their way from a file, the environment or a terminal to the client; and whose they are.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use redfish_proto::{Credentials, Service};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::options::{Auth, Options, is_stdin};
use crate::prompt;
use crate::secrets;
use crate::state::{Kept, Store};

/// The longest password or token; a device without end is none.
const LONGEST: u64 = 64 << 10;

/// Who the command is to the service.
pub(crate) enum Identity {
    /// Nobody.
    Anonymous,
    /// A user, with each request.
    Basic(Credentials),
    /// Whoever holds this token.
    Bearer(Zeroizing<String>),
    /// A user, by a session of the command's own.
    Session(Credentials),
    /// A session that was kept, and the password to renew it with, where one is at hand.
    Kept(Kept, Option<Zeroizing<String>>),
}

impl Identity {
    /// Finds out, without asking the service anything.
    pub(crate) fn of(options: &Options, service: &Service) -> Result<Identity, Failure> {
        let token = match options.auth {
            None | Some(Auth::Bearer) => token(options)?,
            Some(_) => None,
        };
        match (options.auth, token) {
            (Some(Auth::None), _) => Ok(Identity::Anonymous),
            (Some(Auth::Basic), _) => Ok(Identity::Basic(credentials(options, service)?)),
            (Some(Auth::Bearer), None) => {
                Err(Failure::usage("no bearer token is given", "Use --token-file or REDFISH_TOKEN."))
            }
            (_, Some(token)) => Ok(Identity::Bearer(token)),
            (auth @ (None | Some(Auth::Session)), None) => match kept(options, service)? {
                Some(kept) => Ok(Identity::Kept(kept, password_at_hand(options)?)),
                None if auth.is_none() && options.user().is_none() => Ok(Identity::Anonymous),
                None => Ok(Identity::Session(credentials(options, service)?)),
            },
        }
    }
}

/// The session that was kept for this service, and for this user if one is named.
pub(crate) fn kept(options: &Options, service: &Service) -> Result<Option<Kept>, Failure> {
    match Store::of_user() {
        Some(store) => kept_in(&store, options.user(), service),
        None => Ok(None),
    }
}

/// The same in a place that is known, for a user that may be another.
pub(crate) fn kept_in(store: &Store, user: Option<&str>, service: &Service) -> Result<Option<Kept>, Failure> {
    let mut kept = store.list(&service.to_string())?;
    kept.retain(|kept| user.is_none_or(|user| user == kept.user()));
    match kept.len() {
        0 | 1 => Ok(kept.pop()),
        _ => Err(Failure::usage("several sessions are kept for this service", "Name the user with --user.")),
    }
}

/// User and password. The password is asked for where it is not given and somebody is there to ask.
pub(crate) fn credentials(options: &Options, service: &Service) -> Result<Credentials, Failure> {
    let Some(user) = options.user() else {
        return Err(Failure::usage("no user is named", "Use --user or REDFISH_USER."));
    };
    let password = match password_at_hand(options)? {
        Some(password) => password,
        None if io::stdin().is_terminal() => prompt::password(&format!("Password of {user} at {service}: "))
            .map_err(|error| Failure::unusable("the password cannot be read from the terminal", error))?,
        None => {
            return Err(Failure::usage("no password is given", "Use --password-file or REDFISH_PASSWORD."));
        }
    };
    secrets::hold_credentials(user, &password);
    Ok(Credentials::new(user, password.as_str()))
}

/// The password, where it need not be asked for.
pub(crate) fn password_at_hand(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    given(options.password_file.as_deref(), "REDFISH_PASSWORD", "the password")
}

/// The bearer token, where one is given.
pub(crate) fn token(options: &Options) -> Result<Option<Zeroizing<String>>, Failure> {
    given(options.token_file.as_deref(), "REDFISH_TOKEN", "the token")
}

/// What the file says, else the variable.
fn given(file: Option<&Path>, variable: &str, what: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(file) = file else {
        return match std::env::var(variable) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::usage(format!("{variable} is not UTF-8"), ""))
            }
        };
    };
    secret_of(file, what).map(Some)
}

/// A secret that a file holds, which is not empty.
pub(crate) fn secret_of(file: &Path, what: &str) -> Result<Zeroizing<String>, Failure> {
    let text = if is_stdin(file) { read(io::stdin().lock()) } else { File::open(file).and_then(read) };
    match text {
        Ok(text) if text.is_empty() => Err(Failure::usage(format!("the file with {what} is empty"), "")),
        Ok(text) => Ok(text),
        Err(error) => Err(Failure::usage(format!("the file with {what} cannot be read: {error}"), "")),
    }
}

/// Reads a secret whole, without its last line end. No copy of it is left behind: the memory is taken at once.
fn read(source: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    source.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is too long"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_cut_and_no_more() {
        for (file, password) in [("p", "p"), ("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p ")] {
            assert_eq!(read(file.as_bytes()).unwrap().as_str(), password, "{file:?}");
        }
        assert!(read(&b"\xff"[..]).is_err());
        assert!(read(io::repeat(b'p')).is_err());
    }
}
