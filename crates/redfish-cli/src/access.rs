//! Who the command is to a service, and which certificate of it is accepted: what the options say, and in a sweep the line
//! of the service. Passwords, certificates and a token are read once, however many services have them in common.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use redfish_proto::{Credentials, Identity, Redactor, Service};
use redfish_tls::Trust;
use zeroize::Zeroizing;

use crate::credentials::{bearer_token, password_at_hand, secret_of};
use crate::failure::Failure;
use crate::options::{self, Auth, Options};
use crate::prompt;
use crate::state::{SavedSession, Store};
use crate::terminal;

/// Who the command is to a service.
pub(crate) enum Authentication {
    /// Unauthenticated.
    Anonymous,
    /// A user, with each request.
    Basic(Credentials),
    /// Whoever holds this token.
    Bearer(Zeroizing<String>),
    /// A user, by a session of the command's own.
    Session(Credentials),
    /// A saved session, and the password to renew it with, if one is at hand.
    Saved(SavedSession, Option<Zeroizing<String>>),
}

/// How to talk to a service.
pub(crate) struct Access {
    pub(crate) identity: Authentication,
    pub(crate) trust: Trust,
    /// What no text about it may show.
    pub(crate) secrets: Redactor,
}

/// What the line of a service says. What it leaves out the options say.
#[derive(Default)]
pub(crate) struct ServiceLine {
    pub(crate) service: String,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) pin: Option<String>,
}

/// How many services the options are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    One,
    Many,
}

/// Finds out how to talk to services, without asking them.
pub(crate) struct AccessSource<'a> {
    options: &'a Options,
    scope: Scope,
    token: Option<Zeroizing<String>>,
    store: Option<Store>,
    /// The password of services that name no file.
    password: Option<Zeroizing<String>>,
    trust: Option<Trust>,
    passwords: HashMap<PathBuf, Zeroizing<String>>,
    trusts: HashMap<PathBuf, Trust>,
}

impl<'a> AccessSource<'a> {
    pub(crate) fn new(options: &'a Options, scope: Scope) -> Result<AccessSource<'a>, Failure> {
        let token = match options.auth {
            None | Some(Auth::Bearer) => bearer_token(options)?,
            Some(_) => None,
        };
        Ok(AccessSource {
            options,
            scope,
            token,
            store: Store::of_user().filter(|store| scope == Scope::One || store.has_any()),
            password: None,
            trust: None,
            passwords: HashMap::new(),
            trusts: HashMap::new(),
        })
    }

    /// How to talk to a service.
    pub(crate) fn find(&mut self, line: &ServiceLine, service: &Service) -> Result<Access, Failure> {
        let mut secrets = Redactor::default();
        let trust = self.trust(line)?;
        Ok(Access { identity: self.identity(line, service, &mut secrets)?, trust, secrets })
    }

    /// How to log in at a service, whether a session of it is saved or not.
    pub(crate) fn for_login(
        &mut self,
        line: &ServiceLine,
        service: &Service,
    ) -> Result<(Access, String), Failure> {
        let mut secrets = Redactor::default();
        let trust = self.trust(line)?;
        let credentials = self.credentials(line, service, &mut secrets)?;
        let user = credentials.user().to_owned();
        Ok((Access { identity: Authentication::Session(credentials), trust, secrets }, user))
    }

    /// How to talk to a service without being anyone.
    pub(crate) fn anonymous(&mut self, line: &ServiceLine) -> Result<Access, Failure> {
        Ok(Access {
            identity: Authentication::Anonymous,
            trust: self.trust(line)?,
            secrets: Redactor::default(),
        })
    }

    /// Who the command is to a service. A line's own user or password takes precedence over a token for all.
    fn identity(
        &mut self,
        line: &ServiceLine,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Authentication, Failure> {
        let own = line.user.is_some() || line.password_file.is_some();
        match (self.options.auth, &self.token) {
            (Some(Auth::None), _) => Ok(Authentication::Anonymous),
            (Some(Auth::Basic), _) => {
                let credentials = self.credentials(line, service, secrets)?;
                // What cannot be sent is rejected before anything is.
                Identity::basic(service, &credentials)?;
                Ok(Authentication::Basic(credentials))
            }
            (Some(Auth::Bearer), None) => {
                Err(Failure::usage("no bearer token is given", "Use --token-file or REDFISH_TOKEN."))
            }
            (auth, Some(token)) if auth.is_some() || !own => {
                Identity::bearer(service, token)?;
                secrets.add(token);
                Ok(Authentication::Bearer(token.clone()))
            }
            (auth, _) => match self.saved(line, service)? {
                Some(saved) => {
                    let password = self.password_at_hand(line)?;
                    password.iter().for_each(|password| add_credentials(secrets, saved.user(), password));
                    Ok(Authentication::Saved(saved, password))
                }
                None if auth.is_none() && !own && self.options.user().is_none() => {
                    Ok(Authentication::Anonymous)
                }
                None => Ok(Authentication::Session(self.credentials(line, service, secrets)?)),
            },
        }
    }

    /// Which certificate of a service is accepted. What its line says takes precedence over what is said of all.
    fn trust(&mut self, line: &ServiceLine) -> Result<Trust, Failure> {
        match (&line.pin, &line.cacert) {
            (Some(pin), _) => options::pinned(pin),
            (None, Some(file)) => {
                let options = self.options;
                once(&mut self.trusts, file, |file| options::vouched(file, options))
            }
            (None, None) => match &self.trust {
                Some(trust) => Ok(trust.clone()),
                None => Ok(self.trust.insert(self.options.trust()?).clone()),
            },
        }
    }

    /// User and password. The password is asked for if it is not given and there is a terminal.
    fn credentials(
        &mut self,
        line: &ServiceLine,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Credentials, Failure> {
        let Some(user) = self.user(line).map(str::to_owned) else {
            let hint = match self.scope {
                Scope::One => "Use --user or REDFISH_USER.",
                Scope::Many => "Name one in the line, or with --user.",
            };
            return Err(Failure::usage("no user is named", hint));
        };
        let password = match self.password_at_hand(line)? {
            Some(password) => password,
            None if io::stdin().is_terminal() => self.ask(&user, service)?,
            None => {
                let hint = match self.scope {
                    Scope::One => "Use --password-file or REDFISH_PASSWORD.",
                    Scope::Many => "Use password_file in the line, --password-file or REDFISH_PASSWORD.",
                };
                return Err(Failure::usage("no password is given", hint));
            }
        };
        add_credentials(secrets, &user, &password);
        Ok(Credentials::new(user, password.as_str()))
    }

    /// The session that is saved for a service, and for this user if one is named.
    pub(crate) fn saved(
        &self,
        line: &ServiceLine,
        service: &Service,
    ) -> Result<Option<SavedSession>, Failure> {
        let Some(store) = &self.store else { return Ok(None) };
        let mut saved = store.list(&service.to_string(), self.user(line))?;
        match saved.len() {
            0 | 1 => Ok(saved.pop()),
            _ => Err(Failure::usage(
                "several sessions are kept for this service",
                "Name the user with --user.",
            )),
        }
    }

    fn user<'s>(&'s self, line: &'s ServiceLine) -> Option<&'s str> {
        line.user.as_deref().or(self.options.user())
    }

    fn password_at_hand(&mut self, line: &ServiceLine) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(file) = &line.password_file {
            let options = self.options;
            let read = |file: &Path| secret_of(file, "the password", options);
            return once(&mut self.passwords, file, read).map(Some);
        }
        if self.password.is_none() {
            self.password = password_at_hand(self.options)?;
        }
        Ok(self.password.clone())
    }

    /// Asks once, for all services that name no file.
    fn ask(&mut self, user: &str, service: &Service) -> Result<Zeroizing<String>, Failure> {
        let question = match self.scope {
            Scope::One => format!("Password of {} at {service}: ", terminal::clean(user)),
            Scope::Many => "Password of the services: ".to_owned(),
        };
        let password = prompt::password(&question)
            .map_err(|error| Failure::unusable("the password cannot be read from the terminal", error))?;
        Ok(self.password.insert(password).clone())
    }
}

/// A password is a secret, and so is what Basic authentication makes of it (RFC 7617).
fn add_credentials(secrets: &mut Redactor, user: &str, password: &str) {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    secrets.add(password);
    secrets.add(&Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes())));
}

/// What a file holds, read once.
fn once<T: Clone>(
    all: &mut HashMap<PathBuf, T>,
    file: &Path,
    read: impl FnOnce(&Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(present) = all.get(file) {
        return Ok(present.clone());
    }
    let made = read(file)?;
    all.insert(file.to_owned(), made.clone());
    Ok(made)
}
