//! How to reach a service: authentication and accepted certificates, from the options and from the service's line in a
//! sweep. Each file with a password or certificate is read once, however many services use it.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use redfish_proto::{Credentials, Identity, Redactor, Service};
use redfish_tls::Trust;
use zeroize::Zeroizing;

use crate::authentication::Authentication;
use crate::credentials::{available_password, bearer_token, read_secret};
use crate::failure::Failure;
use crate::options::{self, Auth, Options};
use crate::prompt;
use crate::state::{SavedSession, Store};
use crate::terminal;

/// How to reach a service.
pub(crate) struct Access {
    pub(crate) authentication: Authentication,
    pub(crate) trust: Trust,
    /// What no text about the service may contain.
    pub(crate) secrets: Redactor,
}

/// The line of a service in a services file. The options are the defaults of its members.
#[derive(Default)]
pub(crate) struct ServiceLine {
    pub(crate) service: String,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) pin: Option<String>,
}

/// How many services the options apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    One,
    Many,
}

/// Finds out how to reach services, without any request.
pub(crate) struct AccessSource<'a> {
    options: &'a Options,
    scope: Scope,
    token: Option<Zeroizing<String>>,
    store: Option<Store>,
    /// The password of services whose line has none.
    password: Option<Zeroizing<String>>,
    trust: Option<Trust>,
    passwords: HashMap<PathBuf, Zeroizing<String>>,
    trusts: HashMap<PathBuf, Trust>,
}

/// The password and the token of the environment, whether the command uses them or not.
fn environment_secrets() -> Redactor {
    let mut secrets = Redactor::default();
    for variable in ["REDFISH_PASSWORD", "REDFISH_TOKEN"] {
        std::env::var(variable).iter().for_each(|secret| secrets.add(secret));
    }
    secrets
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
            store: Store::open().filter(|store| scope == Scope::One || store.has_any()),
            password: None,
            trust: None,
            passwords: HashMap::new(),
            trusts: HashMap::new(),
        })
    }

    /// How to reach a service.
    pub(crate) fn find(&mut self, line: &ServiceLine, service: &Service) -> Result<Access, Failure> {
        let mut secrets = environment_secrets();
        let trust = self.trust(line)?;
        Ok(Access { authentication: self.authentication(line, service, &mut secrets)?, trust, secrets })
    }

    /// How to log in at a service, whether a session is saved for it or not.
    pub(crate) fn for_login(&mut self, line: &ServiceLine, service: &Service) -> Result<Access, Failure> {
        let mut secrets = environment_secrets();
        let trust = self.trust(line)?;
        Ok(Access { authentication: self.session(line, service, &mut secrets)?, trust, secrets })
    }

    /// How to reach a service without authentication.
    pub(crate) fn anonymous(&mut self, line: &ServiceLine) -> Result<Access, Failure> {
        Ok(Access {
            authentication: Authentication::anonymous(),
            trust: self.trust(line)?,
            secrets: environment_secrets(),
        })
    }

    /// How to authenticate. The user or password of the line takes precedence over the token of the options.
    fn authentication(
        &mut self,
        line: &ServiceLine,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Authentication, Failure> {
        let line_has_credentials = line.user.is_some() || line.password_file.is_some();
        match (self.options.auth, &self.token) {
            (Some(Auth::None), _) => Ok(Authentication::anonymous()),
            (Some(Auth::Basic), _) => {
                let credentials = self.credentials(line, service, secrets)?;
                // Rejects credentials that Basic cannot carry before anything is sent.
                Identity::basic(service, &credentials)?;
                Ok(Authentication::basic(credentials))
            }
            (Some(Auth::Bearer), None) => {
                Err(Failure::usage("no bearer token is given", "Use --token-file or REDFISH_TOKEN."))
            }
            (auth, Some(token)) if auth.is_some() || !line_has_credentials => {
                Identity::bearer(service, token)?;
                secrets.add(token);
                Ok(Authentication::bearer(token))
            }
            (auth, _) => match self.saved(line, service)? {
                Some(saved) => {
                    let password = self.available_password(line)?;
                    password.iter().for_each(|password| add_credentials(secrets, saved.user(), password));
                    Authentication::saved(saved, password, service)
                }
                None if auth.is_none() && !line_has_credentials && self.options.user().is_none() => {
                    Ok(Authentication::anonymous())
                }
                None => self.session(line, service, secrets),
            },
        }
    }

    fn session(
        &mut self,
        line: &ServiceLine,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Authentication, Failure> {
        let credentials = self.credentials(line, service, secrets)?;
        Ok(Authentication::session(credentials, self.options.session_context()))
    }

    /// Which certificates to accept. The line takes precedence over the options.
    fn trust(&mut self, line: &ServiceLine) -> Result<Trust, Failure> {
        match (&line.pin, &line.cacert) {
            (Some(pin), _) => options::trust_pin(pin),
            (None, Some(file)) => {
                let options = self.options;
                cached(&mut self.trusts, file, |file| options::trust_ca(file, options))
            }
            (None, None) => match &self.trust {
                Some(trust) => Ok(trust.clone()),
                None => Ok(self.trust.insert(self.options.trust()?).clone()),
            },
        }
    }

    /// The user and the password. Prompts for the password if there is none and standard input is a terminal.
    fn credentials(
        &mut self,
        line: &ServiceLine,
        service: &Service,
        secrets: &mut Redactor,
    ) -> Result<Credentials, Failure> {
        let Some(user) = self.user(line).map(str::to_owned) else {
            let hint = match self.scope {
                Scope::One => "Use --user or REDFISH_USER.",
                Scope::Many => "Use user in the line, or --user.",
            };
            return Err(Failure::usage("no user is given", hint));
        };
        let password = match self.available_password(line)? {
            Some(password) => password,
            None if io::stdin().is_terminal() => self.prompt(&user, service)?,
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

    /// The saved session for a service, and for the user if there is one.
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
                "there are several saved sessions for this service",
                "Name the user with --user.",
            )),
        }
    }

    fn user<'s>(&'s self, line: &'s ServiceLine) -> Option<&'s str> {
        line.user.as_deref().or(self.options.user())
    }

    fn available_password(&mut self, line: &ServiceLine) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(file) = &line.password_file {
            let options = self.options;
            let read = |file: &Path| read_secret(file, "the password", options);
            return cached(&mut self.passwords, file, read).map(Some);
        }
        if self.password.is_none() {
            self.password = available_password(self.options)?;
        }
        Ok(self.password.clone())
    }

    /// Prompts for the password, once for all services without their own.
    fn prompt(&mut self, user: &str, service: &Service) -> Result<Zeroizing<String>, Failure> {
        let text = match self.scope {
            Scope::One => format!("Password of {} at {service}: ", terminal::clean(user)),
            Scope::Many => "Password of the services: ".to_owned(),
        };
        let password = prompt::password(&text)
            .map_err(|error| Failure::unusable("the password cannot be read from the terminal", error))?;
        Ok(self.password.insert(password).clone())
    }
}

/// Registers a password, and the credentials of Basic authentication that contain it (RFC 7617).
fn add_credentials(secrets: &mut Redactor, user: &str, password: &str) {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    secrets.add(password);
    secrets.add(&Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes())));
}

/// Reads a file, unless it was read before.
fn cached<T: Clone>(
    cache: &mut HashMap<PathBuf, T>,
    file: &Path,
    read: impl FnOnce(&Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(cached) = cache.get(file) {
        return Ok(cached.clone());
    }
    let value = read(file)?;
    cache.insert(file.to_owned(), value.clone());
    Ok(value)
}
