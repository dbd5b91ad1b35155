//! How requests to one service authenticate.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::features::Features;
use crate::headers::X_AUTH_TOKEN;
use crate::kind::ErrorKind;
use crate::origin::Origin;
use crate::reason::CredentialsError;
use crate::redact::{Redactor, Secret};
use crate::service::Service;
use crate::target::Target;

/// Maximum length of a token in bytes. Session tokens have a few dozen; every text is searched for a token.
pub(crate) const MAX_TOKEN_LENGTH: usize = 8 << 10;

/// How requests authenticate: not at all, with Basic credentials, or with a token.
///
/// It belongs to the origin of one service and is never sent to another. A clone is cheap and equal to its original;
/// two identities with the same credentials are not equal. `Debug` shows no secret.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    origin: Arc<Origin>,
    credential: Option<HeaderValue>,
    /// What is known about the session whose token the credential is.
    session: Option<SessionInfo>,
    redactor: Arc<Redactor>,
}

/// What is known about a session, besides its token.
#[derive(Clone)]
pub(crate) struct SessionInfo {
    pub(crate) target: Option<Target>,
    pub(crate) collection: Option<Target>,
    /// `None` for an active session, as nearly always.
    pub(crate) restricted: Option<Box<SessionState>>,
    pub(crate) context: Option<Arc<str>>,
    pub(crate) features: Option<Features>,
}

/// What a session is allowed to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// Whatever its account's role allows.
    #[default]
    Active,
    /// Nothing but to change the account's password (DSP0266, "Password change required handling").
    PasswordChangeRequired {
        /// The account, if the service named it.
        account: Option<Target>,
    },
}

impl Identity {
    /// Unauthenticated: requests carry no credentials.
    pub fn anonymous(service: &Service) -> Identity {
        Identity(Arc::new(Inner {
            origin: Arc::clone(service.origin()),
            credential: None,
            session: None,
            redactor: Arc::default(),
        }))
    }

    /// HTTP Basic authentication. It is sent with every request, not only after a challenge, which iDRAC10 does not
    /// send by default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for an empty user name, a `:` in the user name (RFC 7617), and control
    /// characters.
    pub fn basic(service: &Service, credentials: &Credentials) -> Result<Identity, Error> {
        let (user, password) = (credentials.user(), credentials.password());
        let invalid = |reason| Err(Error::new(ErrorKind::InvalidCredentials(reason)));
        if user.is_empty() {
            return invalid(CredentialsError::EmptyUser);
        }
        if user.contains(':') {
            return invalid(CredentialsError::ColonInUser);
        }
        if user.chars().chain(password.chars()).any(char::is_control) {
            return invalid(CredentialsError::ControlCharacter);
        }
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let mut text = Zeroizing::new(String::with_capacity(8 + pair.len().div_ceil(3) * 4));
        text.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut text);
        let mut redactor = Redactor::default();
        redactor.add_basic(user, password);
        Identity::new(service, Secret::from(text), None, redactor)
    }

    /// A token that another program manages, sent as `Authorization: Bearer`. It is never renewed and never closed
    /// (DSP0266, "OAuth 2.0 authentication").
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a token that is not valid in a header.
    pub fn bearer(service: &Service, token: &str) -> Result<Identity, Error> {
        check_token(token)?;
        let mut redactor = Redactor::default();
        redactor.add_token(&Secret::from(token));
        Identity::new(service, Secret::from(Zeroizing::new(format!("Bearer {token}"))), None, redactor)
    }

    pub(crate) fn new(
        service: &Service,
        credential: Secret,
        session: Option<SessionInfo>,
        redactor: Redactor,
    ) -> Result<Identity, Error> {
        Ok(Identity(Arc::new(Inner {
            origin: Arc::clone(service.origin()),
            credential: Some(header_value(credential)?),
            session,
            redactor: Arc::new(redactor),
        })))
    }

    /// The same identity, which also redacts these secrets.
    pub(crate) fn with_secrets(self, secrets: &Arc<Redactor>) -> Identity {
        let redactor = secrets.merged(&self.0.redactor);
        Identity(Arc::new(Inner { redactor, ..Inner::clone(&self.0) }))
    }

    pub(crate) fn is_session(&self) -> bool {
        self.0.session.is_some()
    }

    pub(crate) fn session_info(&self) -> Option<&SessionInfo> {
        self.0.session.as_ref()
    }

    pub(crate) fn header(&self) -> Option<(HeaderName, &HeaderValue)> {
        let name = if self.is_session() { X_AUTH_TOKEN } else { AUTHORIZATION };
        Some((name, self.0.credential.as_ref()?))
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.0.origin
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.0.redactor
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match (&self.0.credential, &self.0.session) {
            (_, Some(_)) => "session",
            (Some(_), None) => "authenticated",
            (None, None) => "anonymous",
        };
        write!(f, "Identity({kind} at {})", self.0.origin)
    }
}

pub(crate) fn check_token(token: &str) -> Result<(), Error> {
    let fits =
        !token.is_empty() && token.len() <= MAX_TOKEN_LENGTH && token.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::InvalidCredentials(CredentialsError::Token))) }
}

/// A header value that is zeroed when its last copy is dropped, and that `Debug` does not show.
fn header_value(secret: Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(secret))
        .map_err(|_| Error::new(ErrorKind::InvalidCredentials(CredentialsError::Token)))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;

    fn service() -> Service {
        Service::new("bmc").unwrap()
    }

    #[test]
    fn credentials_that_basic_cannot_express_are_refused() {
        for (user, password) in [("", "p"), ("a:b", "p"), ("a\n", "p"), ("a", "p\0")] {
            let error = Identity::basic(&service(), &Credentials::new(user, password)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidCredentials(_)));
        }
        let identity = Identity::basic(&service(), &Credentials::new("admin", "pä:ss")).unwrap();
        assert_eq!(*identity.header().unwrap().1, format!("Basic {}", STANDARD.encode("admin:pä:ss")));
        assert!(!identity.is_session());
    }

    #[test]
    fn debug_shows_no_secret() {
        let service = service();
        let credentials = Credentials::new("admin", "hunter2hunter2");
        let session = Session::from_token(&service, "hunter2hunter2", None).unwrap();
        let shown = format!(
            "{credentials:?} {:?} {session:?} {:?} {:?}",
            Identity::basic(&service, &credentials).unwrap(),
            Identity::from(session.clone()),
            Identity::bearer(&service, "hunter2hunter2").unwrap()
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
