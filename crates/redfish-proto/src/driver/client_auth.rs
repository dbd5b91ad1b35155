//! The authentication settings of a client.

use std::sync::Arc;

use crate::credentials::Credentials;
use crate::driver::authenticator::Authenticator;
use crate::error::Error;
use crate::identity::Identity;
use crate::redact::{Redactor, Secret};
use crate::service::Service;
use crate::session::Session;

/// The authentication settings of a client, as its builder collects them. The last choice counts, except that a
/// session and the credentials to renew it are combined.
#[derive(Default)]
pub struct ClientAuth {
    method: AuthMethod,
    context: Option<Arc<str>>,
    sessions: Option<String>,
    secrets: Redactor,
}

#[derive(Default)]
enum AuthMethod {
    #[default]
    Anonymous,
    Login {
        credentials: Credentials,
        resumed: Option<Session>,
    },
    Session(Session),
    Basic(Credentials),
    Bearer(Secret),
}

impl ClientAuth {
    /// Opens a session with these credentials when one is needed, and again when it has expired.
    #[must_use]
    pub fn login(mut self, credentials: Credentials) -> ClientAuth {
        let resumed = match self.method {
            AuthMethod::Session(session) => Some(session),
            _ => None,
        };
        self.method = AuthMethod::Login { credentials, resumed };
        self
    }

    /// Uses a session of another process. With [`login`](ClientAuth::login) as well, it is renewed when it has
    /// expired and closed at the end; otherwise neither.
    #[must_use]
    pub fn resume(mut self, session: Session) -> ClientAuth {
        self.method = match self.method {
            AuthMethod::Login { credentials, .. } => {
                AuthMethod::Login { credentials, resumed: Some(session) }
            }
            _ => AuthMethod::Session(session),
        };
        self
    }

    /// Sends these credentials with each request (RFC 7617), for services without sessions.
    #[must_use]
    pub fn basic(mut self, credentials: Credentials) -> ClientAuth {
        self.method = AuthMethod::Basic(credentials);
        self
    }

    /// Sends this token with each request, as `Authorization: Bearer`. It is never renewed and never closed.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> ClientAuth {
        self.method = AuthMethod::Bearer(Secret::from(token));
        self
    }

    /// Sends no credentials. The default.
    #[must_use]
    pub fn anonymous(mut self) -> ClientAuth {
        self.method = AuthMethod::Anonymous;
        self
    }

    /// Sets the `Context` of the sessions that are opened; see [`Authenticator::context`].
    #[must_use]
    pub fn context(mut self, context: impl Into<Arc<str>>) -> ClientAuth {
        self.context = Some(context.into());
        self
    }

    /// Sets the path of the collection of sessions, if it is known; see [`Authenticator::sessions`].
    #[must_use]
    pub fn sessions(mut self, path: impl Into<String>) -> ClientAuth {
        self.sessions = Some(path.into());
        self
    }

    /// Hides these secrets as well; see [`Authenticator::redacting`].
    #[must_use]
    pub fn redacting(mut self, secrets: &Redactor) -> ClientAuth {
        self.secrets.extend(secrets);
        self
    }

    /// Creates the authenticator of a client of this service.
    ///
    /// # Errors
    /// [`InvalidCredentials`](crate::ErrorKind::InvalidCredentials) for credentials that cannot be sent, and
    /// [`InvalidTarget`](crate::ErrorKind::InvalidTarget) if [`sessions`](ClientAuth::sessions) is not a path of the
    /// service.
    pub fn authenticator(self, service: &Arc<Service>) -> Result<Authenticator, Error> {
        let fixed = |identity| Authenticator::fixed(Arc::clone(service), identity);
        let mut authenticator = match self.method {
            AuthMethod::Anonymous => fixed(Identity::anonymous(service)),
            AuthMethod::Basic(credentials) => fixed(Identity::basic(service, &credentials)?),
            AuthMethod::Bearer(token) => fixed(Identity::bearer(service, token.text())?),
            AuthMethod::Session(session) => fixed(session.into()),
            AuthMethod::Login { credentials, resumed } => {
                Authenticator::session(Arc::clone(service), credentials.into(), resumed)
            }
        };
        if let Some(context) = self.context {
            authenticator = authenticator.context(context);
        }
        if let Some(sessions) = self.sessions {
            authenticator = authenticator.sessions(service.target(&sessions)?);
        }
        Ok(authenticator.redacting(self.secrets))
    }
}
