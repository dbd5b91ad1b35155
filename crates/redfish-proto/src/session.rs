//! A session of a service: its token, and where it is closed.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use zeroize::Zeroizing;

use crate::error::{Error, OpenSession};
use crate::headers::X_AUTH_TOKEN;
use crate::identity::Identity;
use crate::kind::ErrorKind;
use crate::link;
use crate::policy::Links;
use crate::reason::{CredentialsError, TargetError};
use crate::redact::{Redactor, Secret};
use crate::service::Service;
use crate::target::Target;

/// Bytes a token may have. Those of sessions have some dozens; a hostile one would be searched for in every text.
const LONGEST_TOKEN: usize = 8 << 10;

/// A session of a service: its token, and the URI to close it at.
///
/// It belongs to the origin of that service, and is never sent to another. It is a reference, cheap to clone; two are
/// equal when they are the same one, not when they look alike. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Session(Identity);

/// What is known of a session beside its token.
#[derive(Clone)]
pub(crate) struct Facts {
    target: Option<Target>,
    collection: Option<Target>,
    /// `None`: active, as nearly always.
    restricted: Option<Box<SessionState>>,
    context: Option<Arc<str>>,
}

/// What a session may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// What its account's role says.
    #[default]
    Active,
    /// Change the account's password, and nothing else before that (DSP0266, "Password change required handling").
    PasswordChangeRequired {
        /// The account, where the service named it.
        account: Option<Target>,
    },
}

/// What a login finds out beside the token.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) location: Option<Target>,
    pub(crate) collection: Option<Target>,
    pub(crate) state: SessionState,
    pub(crate) context: Option<Arc<str>>,
}

impl Session {
    /// A session that another process opened: its token, and the URI to close it at where that is known.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a token that cannot stand in a header, [`ErrorKind::InvalidTarget`]
    /// for a URI that is not that of a session, which is below a collection of the name `Sessions`: it is deleted in the
    /// end.
    pub fn from_token(service: &Service, token: &str, at: Option<&str>) -> Result<Session, Error> {
        let invalid = |_| Error::new(ErrorKind::InvalidTarget(TargetError::NotASession));
        let root = Target::well_known("/redfish/v1/SessionService/Sessions/");
        let location = match at {
            Some(at) => {
                let target = link::resolve(at, &root, service.origin(), Links::PathOnly).map_err(invalid)?;
                if !is_plain(at) || !is_below_sessions(target.path()) {
                    return Err(Error::new(ErrorKind::InvalidTarget(TargetError::NotASession)));
                }
                Some(target)
            }
            None => None,
        };
        Session::opened(service, token, Found { location, ..Found::default() }, &Arc::default())
    }

    /// The session of a login; its redactor knows what the login's did.
    pub(crate) fn opened(
        service: &Service,
        token: &str,
        found: Found,
        known: &Arc<Redactor>,
    ) -> Result<Session, Error> {
        check_token(token)?;
        let token = Secret::from(token);
        let mut redactor = Redactor::clone(known);
        redactor.add_token(&token);
        let Found { location, collection, state, context } = found;
        let restricted = (state != SessionState::Active).then(|| Box::new(state));
        let facts = Facts { target: location, collection, restricted, context };
        Identity::new(service, token, Some(facts), redactor).map(Session)
    }

    /// An identity that is a session.
    pub(crate) fn of(identity: Identity) -> Session {
        Session(identity)
    }

    /// The URI of the session, at which it is closed. `None` if the service did not report it.
    pub fn target(&self) -> Option<&Target> {
        self.facts()?.target.as_ref()
    }

    /// What it may do.
    pub fn state(&self) -> &SessionState {
        self.facts().and_then(|facts| facts.restricted.as_deref()).unwrap_or(&SessionState::Active)
    }

    /// The token, to keep it for another process. It is a secret.
    pub fn token(&self) -> &str {
        self.0.header().and_then(|(_, token)| token.to_str().ok()).unwrap_or_default()
    }

    /// The same session, which also hides these secrets.
    pub(crate) fn knowing(self, secrets: &Arc<Redactor>) -> Session {
        Session(self.0.knowing(secrets))
    }

    /// What it takes to close it.
    pub(crate) fn unclosed(&self) -> OpenSession {
        OpenSession { token: Secret::from(self.token()), location: self.target().cloned() }
    }

    pub(crate) fn collection(&self) -> Option<&Target> {
        self.facts()?.collection.as_ref()
    }

    pub(crate) fn context(&self) -> Option<&Arc<str>> {
        self.facts()?.context.as_ref()
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        self.0.redactor()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0
    }

    fn facts(&self) -> Option<&Facts> {
        self.0.facts()
    }
}

impl From<Session> for Identity {
    fn from(session: Session) -> Identity {
        session.0
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("service", &format_args!("{}", self.0.origin()))
            .field("target", &self.target().map(|at| self.redactor().clean(&at.to_string())))
            .field("state", self.state())
            .finish_non_exhaustive()
    }
}

/// Whether a path is below a collection of sessions, and not what holds its members.
fn is_below_sessions(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some((member, above)) = segments.split_last() else { return false };
    !member.eq_ignore_ascii_case("Members")
        && above.iter().any(|segment| segment.eq_ignore_ascii_case("Sessions"))
}

/// Whether no segment of a URI is made of dots, in whatever spelling, and nothing follows its path.
fn is_plain(uri: &str) -> bool {
    let is_dots = |segment: &str| {
        let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
        decoded == "." || decoded == ".."
    };
    let encodes_slash = uri.to_ascii_lowercase().contains("%2f") || uri.contains('\\');
    !encodes_slash && !uri.contains(['?', '#']) && !uri.split('/').any(is_dots)
}

/// What is known, and the tokens of a response that is at hand: a service may echo them before a session has them.
pub(crate) fn knowing_tokens(known: &Arc<Redactor>, headers: &HeaderMap) -> Arc<Redactor> {
    let mut tokens = headers.get_all(&X_AUTH_TOKEN).iter().filter(|t| t.len() <= LONGEST_TOKEN).peekable();
    if tokens.peek().is_none() {
        return Arc::clone(known);
    }
    let mut redactor = Redactor::clone(known);
    for token in tokens {
        let token = Zeroizing::new(String::from_utf8_lossy(token.as_bytes()).trim().to_owned());
        if !token.is_empty() {
            redactor.add_token(&Secret::from(token));
        }
    }
    Arc::new(redactor)
}

pub(crate) fn check_token(token: &str) -> Result<(), Error> {
    let fits =
        !token.is_empty() && token.len() <= LONGEST_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::InvalidCredentials(CredentialsError::Token))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service::new("bmc").unwrap()
    }

    #[test]
    fn a_resumed_session_is_closed_on_our_own_origin() {
        let session =
            Session::from_token(&service(), "t", Some("https://evil/redfish/v1/Sessions/1")).unwrap();
        assert_eq!(session.target().unwrap().as_str(), "/redfish/v1/Sessions/1");
        for token in ["", "a b", "a\r\nb", "ä", &"a".repeat(LONGEST_TOKEN + 1)] {
            assert!(Session::from_token(&service(), token, None).is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_resumed_session_is_below_a_collection_of_sessions() {
        for uri in [
            "/redfish/v1/SessionService/Sessions/1",
            "/redfish/v1/sessions/a/b/",
            "/redfish/v1/Sessions/Members/1",
        ] {
            assert!(Session::from_token(&service(), "t", Some(uri)).is_ok(), "{uri}");
        }
        for uri in [
            "/redfish/v1/Systems/1",
            "/redfish/v1/SessionService/Sessions",
            "/redfish/v1/SessionService/Sessions/",
            "/redfish/v1/SessionService/Sessions/Members",
            "/redfish/v1/SessionService/Sessions/members/",
            "/redfish/v1/SessionService/Sessions/../../Systems/Sessions/1",
            "/redfish/v1/SessionService/Sessions/%2e%2E/Systems",
            "/redfish/v1/SessionService/Sessions/..%2fSystems",
            "/redfish/v1/SessionService/Sessions/1?x",
            "/redfish/v1/Systems/1#/Sessions/1",
            "",
            "1/..",
        ] {
            let refused = Session::from_token(&service(), "t", Some(uri));
            let is_refused =
                matches!(&refused, Err(error) if matches!(error.kind(), ErrorKind::InvalidTarget(_)));
            assert!(is_refused, "{uri}: {refused:?}");
        }
    }

    #[test]
    fn sessions_are_equal_by_identity() {
        let (one, two) = (
            Session::from_token(&service(), "t", None).unwrap(),
            Session::from_token(&service(), "t", None).unwrap(),
        );
        assert!(one == one.clone() && one != two);
        assert_eq!(std::mem::size_of::<Session>(), std::mem::size_of::<usize>());
    }
}
