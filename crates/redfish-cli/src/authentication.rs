//! How the command authenticates at a service.

use redfish_proto::driver::ClientAuth;
use redfish_proto::{Credentials, Redactor, Service};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::state::SavedSession;

/// How the command authenticates, for the client and for the command itself.
pub(crate) struct Authentication {
    /// For the builder of the client.
    pub(crate) client_auth: ClientAuth,
    pub(crate) method: AuthMethod,
}

/// How the command authenticates, as far as it reports and renews it.
pub(crate) enum AuthMethod {
    Anonymous,
    /// With each request, as this user.
    Basic(String),
    Bearer,
    /// With a session that the command opens and closes, as this user.
    Session(String),
    /// With a saved session, and the password to renew it, if there is one.
    Saved(SavedSession, Option<Zeroizing<String>>),
}

impl Authentication {
    pub(crate) fn anonymous() -> Authentication {
        Authentication { client_auth: ClientAuth::default(), method: AuthMethod::Anonymous }
    }

    pub(crate) fn basic(credentials: Credentials) -> Authentication {
        let method = AuthMethod::Basic(credentials.user().to_owned());
        Authentication { client_auth: ClientAuth::default().basic(credentials), method }
    }

    pub(crate) fn bearer(token: &str) -> Authentication {
        Authentication { client_auth: ClientAuth::default().bearer(token), method: AuthMethod::Bearer }
    }

    /// Opens a session with these credentials, marked with this `Context`.
    pub(crate) fn session(credentials: Credentials, context: Option<&str>) -> Authentication {
        let method = AuthMethod::Session(credentials.user().to_owned());
        let client_auth = ClientAuth::default().login(credentials);
        let client_auth = match context {
            Some(context) => client_auth.context(context),
            None => client_auth,
        };
        Authentication { client_auth, method }
    }

    /// Uses a saved session. The command renews it, not the client.
    pub(crate) fn saved(
        saved: SavedSession,
        password: Option<Zeroizing<String>>,
        service: &Service,
    ) -> Result<Authentication, Failure> {
        let client_auth = ClientAuth::default().resume(saved.session(service)?);
        Ok(Authentication { client_auth, method: AuthMethod::Saved(saved, password) })
    }
}

impl Authentication {
    /// Adds its secrets to `secrets`, and makes the client hide all of them: also those of sessions that this one replaces,
    /// which may still be open.
    pub(crate) fn redacting(self, secrets: &mut Redactor) -> (ClientAuth, AuthMethod) {
        if let AuthMethod::Saved(saved, password) = &self.method {
            secrets.add(saved.token());
            password.iter().for_each(|password| secrets.add(password));
        }
        (self.client_auth.redacting(secrets), self.method)
    }
}

impl AuthMethod {
    /// The user, if it is known.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            AuthMethod::Anonymous | AuthMethod::Bearer => None,
            AuthMethod::Basic(user) | AuthMethod::Session(user) => Some(user),
            AuthMethod::Saved(saved, _) => Some(saved.user()),
        }
    }

    /// The value of `--auth` for it; `None` if the command does not authenticate.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            AuthMethod::Anonymous => None,
            AuthMethod::Basic(_) => Some("basic"),
            AuthMethod::Bearer => Some("bearer"),
            AuthMethod::Session(_) | AuthMethod::Saved(..) => Some("session"),
        }
    }

    pub(crate) fn is_saved(&self) -> bool {
        matches!(self, AuthMethod::Saved(..))
    }
}
