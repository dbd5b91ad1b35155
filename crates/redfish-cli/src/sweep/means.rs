//! What services have in common: passwords, certificates, a token. Each is read once, however many lines name it.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use redfish_proto::{Credentials, Redactor, Service, Session};
use redfish_tls::Trust;
use zeroize::Zeroizing;

use super::list::Said;
use crate::credentials::{self, Identity, password_at_hand, secret_of};
use crate::failure::Failure;
use crate::options::{self, Auth, Options};
use crate::prompt;
use crate::secrets::add_credentials;
use crate::state::{Kept, Store};

/// The options, as what a service has that does not say otherwise; and what was read on the way.
pub(super) struct Means<'a> {
    options: &'a Options,
    token: Option<Zeroizing<String>>,
    kept: Option<Store>,
    /// The password of services that name no file.
    password: Option<Zeroizing<String>>,
    trust: Option<Trust>,
    passwords: HashMap<PathBuf, Zeroizing<String>>,
    trusts: HashMap<PathBuf, Trust>,
}

impl<'a> Means<'a> {
    pub(super) fn new(options: &'a Options) -> Result<Means<'a>, Failure> {
        let token = match options.auth {
            None | Some(Auth::Bearer) => credentials::token(options)?,
            Some(_) => None,
        };
        Ok(Means {
            options,
            token,
            kept: Store::of_user().filter(Store::has_any),
            password: None,
            trust: None,
            passwords: HashMap::new(),
            trusts: HashMap::new(),
        })
    }

    /// Who the sweep is to a service: as a single command would be, but that a line's own user or password goes before
    /// a token for all.
    pub(super) fn identity(
        &mut self,
        said: &Said,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Identity, Failure> {
        let own = said.user.is_some() || said.password_file.is_some();
        match (self.options.auth, &self.token) {
            (Some(Auth::None), _) => Ok(Identity::Anonymous),
            (Some(Auth::Basic), _) => {
                let credentials = self.credentials(said, secrets)?;
                // What it cannot say is found before anything is sent.
                Session::basic(service, &credentials)?;
                Ok(Identity::Basic(credentials))
            }
            (Some(Auth::Bearer), None) => {
                Err(Failure::usage("no bearer token is given", "Use --token-file or REDFISH_TOKEN."))
            }
            (auth, Some(token)) if auth.is_some() || !own => {
                Session::bearer(service, token)?;
                secrets.add(token);
                Ok(Identity::Bearer(token.clone()))
            }
            (auth, _) => match self.kept(said, service)? {
                Some(kept) => {
                    let password = self.password_at_hand(said)?;
                    password.iter().for_each(|password| add_credentials(secrets, kept.user(), password));
                    Ok(Identity::Kept(kept, password))
                }
                None if auth.is_none() && !own && self.options.user().is_none() => Ok(Identity::Anonymous),
                None => Ok(Identity::Session(self.credentials(said, secrets)?)),
            },
        }
    }

    /// Which certificate of a service is accepted. What its line says goes before what is said of all.
    pub(super) fn trust(&mut self, said: &Said) -> Result<Trust, Failure> {
        match (&said.pin, &said.cacert) {
            (Some(pin), _) => options::pinned(pin),
            (None, Some(file)) => once(&mut self.trusts, file, options::vouched),
            (None, None) => match &self.trust {
                Some(trust) => Ok(trust.clone()),
                None => Ok(self.trust.insert(self.options.trust()?).clone()),
            },
        }
    }

    fn user<'s>(&'s self, said: &'s Said) -> Option<&'s str> {
        said.user.as_deref().or(self.options.user())
    }

    fn credentials(&mut self, said: &Said, secrets: &mut Redactor) -> Result<Credentials, Failure> {
        let Some(user) = self.user(said).map(str::to_owned) else {
            return Err(Failure::usage("no user is named", "Name one in the line, or with --user."));
        };
        let password = match self.password_at_hand(said)? {
            Some(password) => password,
            None if io::stdin().is_terminal() => self.ask()?,
            None => {
                let hint = "Use password_file in the line, --password-file or REDFISH_PASSWORD.";
                return Err(Failure::usage("no password is given", hint));
            }
        };
        add_credentials(secrets, &user, &password);
        Ok(Credentials::new(user, password.as_str()))
    }

    fn password_at_hand(&mut self, said: &Said) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(file) = &said.password_file {
            return once(&mut self.passwords, file, |file| secret_of(file, "the password")).map(Some);
        }
        if self.password.is_none() {
            self.password = password_at_hand(self.options)?;
        }
        Ok(self.password.clone())
    }

    /// Asks once, for all services that name no file.
    fn ask(&mut self) -> Result<Zeroizing<String>, Failure> {
        let password = prompt::password("Password of the services: ")
            .map_err(|error| Failure::unusable("the password cannot be read from the terminal", error))?;
        Ok(self.password.insert(password).clone())
    }

    /// The session that was kept for a service, and for this user if one is named.
    fn kept(&self, said: &Said, service: &Service) -> Result<Option<Kept>, Failure> {
        match &self.kept {
            Some(store) => credentials::kept_in(store, self.user(said), service),
            None => Ok(None),
        }
    }
}

/// What a file holds, read once.
fn once<T: Clone>(
    all: &mut HashMap<PathBuf, T>,
    file: &Path,
    read: impl FnOnce(&Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(there) = all.get(file) {
        return Ok(there.clone());
    }
    let made = read(file)?;
    all.insert(file.to_owned(), made.clone());
    Ok(made)
}
