//! A session of a service.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use zeroize::Zeroizing;

use crate::error::{Error, OpenSession};
use crate::features::Features;
use crate::headers::X_AUTH_TOKEN;
pub(crate) use crate::identity::SessionState;
use crate::identity::{Identity, MAX_TOKEN_LENGTH, SessionInfo, check_token};
use crate::kind::ErrorKind;
use crate::link::{self, LinkError};
use crate::reason::TargetError;
use crate::redact::{Redactor, Secret};
use crate::service::Service;
use crate::target::{Target, percent_decode};

/// A session of a service: its token, and the URI to close it at.
///
/// It belongs to the origin of that service and is never sent to another. A clone is cheap and equal to its original;
/// two sessions with the same token are not equal. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Session(Identity);

/// What a login returns besides the token.
#[derive(Default)]
pub(crate) struct SessionDetails {
    pub(crate) target: Option<Target>,
    pub(crate) collection: Option<Target>,
    pub(crate) state: SessionState,
    pub(crate) context: Option<Arc<str>>,
    pub(crate) features: Option<Features>,
}

impl Session {
    /// A session that another process opened, from its token and its URI, if it is known.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a token that is not valid in a header. [`ErrorKind::InvalidTarget`] for
    /// a URI that is not that of a session, since a logout deletes it. Accepted are
    /// `/redfish/v1/SessionService/Sessions/ID` and `/redfish/v1/Sessions/ID`, in any letter case, with another
    /// version, with `/rest` in place of `/redfish`, with slashes in the id (`Members/1`), and with a final slash. A URI of
    /// another origin is refused, unless the [policy](crate::Policy::links) uses the paths of such links.
    pub fn from_token(service: &Service, token: &str, uri: Option<&str>) -> Result<Session, Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidTarget(reason)).with_origin(service.origin());
        let collection = Target::well_known("/redfish/v1/SessionService/Sessions/");
        let resolve = |uri| link::resolve(uri, &collection, service.origin(), service.policy().links);
        let is_bare = |target: &Target| target.query().is_none() && target.fragment().is_none();
        let target = match uri.map(resolve) {
            Some(Ok(target)) if is_session_path(target.path()) && is_bare(&target) => Some(target),
            Some(Err(LinkError::CrossOrigin)) => {
                return Err(invalid(TargetError::SessionOfOtherService));
            }
            Some(_) => return Err(invalid(TargetError::NotASession)),
            None => None,
        };
        let details = SessionDetails { target, ..SessionDetails::default() };
        Session::opened(service, token, details, &Arc::default())
    }

    /// The session that a login opened. Its redactor also knows the secrets in `known`.
    pub(crate) fn opened(
        service: &Service,
        token: &str,
        details: SessionDetails,
        known: &Arc<Redactor>,
    ) -> Result<Session, Error> {
        check_token(token)?;
        let token = Secret::from(token);
        let mut redactor = Redactor::clone(known);
        redactor.add_token(&token);
        let SessionDetails { target, collection, state, context, features } = details;
        let restricted = (state != SessionState::Active).then(|| Box::new(state));
        let info = SessionInfo { target, collection, restricted, context, features };
        Identity::new(service, token, Some(info), redactor).map(Session)
    }

    /// The URI of the session, at which it is closed. `None` if it is unknown.
    pub fn target(&self) -> Option<&Target> {
        self.session_info()?.target.as_ref()
    }

    /// What the session is allowed to do.
    pub fn state(&self) -> &SessionState {
        self.session_info().and_then(|info| info.restricted.as_deref()).unwrap_or(&SessionState::Active)
    }

    /// The token, to save it for another process. It is a secret.
    pub fn token(&self) -> &str {
        self.0.header().and_then(|(_, token)| token.to_str().ok()).unwrap_or_default()
    }

    /// The same session, which also redacts these secrets.
    pub(crate) fn with_secrets(self, secrets: &Arc<Redactor>) -> Session {
        Session(self.0.with_secrets(secrets))
    }

    /// What is needed to close it.
    pub(crate) fn unclosed(&self) -> OpenSession {
        OpenSession { token: Secret::from(self.token()), target: self.target().cloned() }
    }

    pub(crate) fn collection(&self) -> Option<&Target> {
        self.session_info()?.collection.as_ref()
    }

    pub(crate) fn context(&self) -> Option<&Arc<str>> {
        self.session_info()?.context.as_ref()
    }

    /// What the service root said at the login about queries, if it was read.
    pub(crate) fn features(&self) -> Option<Features> {
        self.session_info()?.features
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        self.0.redactor()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0
    }

    fn session_info(&self) -> Option<&SessionInfo> {
        self.0.session_info()
    }
}

impl Identity {
    /// The session, if the identity is one. It can expire, and must be closed.
    pub fn session(&self) -> Option<Session> {
        self.is_session().then(|| Session(self.clone()))
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
            .field("target", &self.target().map(|target| self.redactor().clean(&target.to_string())))
            .field("state", self.state())
            .finish_non_exhaustive()
    }
}

/// The known secrets and the tokens in the headers of a response, which the service may echo in the same response.
pub(crate) fn knowing_tokens(known: &Arc<Redactor>, headers: &HeaderMap) -> Arc<Redactor> {
    let mut tokens = headers.get_all(&X_AUTH_TOKEN).iter().filter(|t| t.len() <= MAX_TOKEN_LENGTH).peekable();
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

/// Maximum number of layers of percent-encoding in the id of a session. No service needs a second one.
const MAX_LAYERS: usize = 3;

/// Whether a path is that of a session in a usual place, in any letter case: below the collection of sessions of the
/// service root or of its SessionService. iLO 4 also uses `/rest/v1`.
pub(crate) fn is_session_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let ["redfish" | "rest", version, below @ ..] = segments.as_slice() else { return false };
    let number = version.strip_prefix('v').unwrap_or_default();
    let has_version = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    has_version
        && match below {
            ["sessionservice", "sessions", id @ ..] | ["sessions", id @ ..] => is_id(&id.join("/")),
            _ => false,
        }
}

/// Whether what follows the collection in a path, in lower case, can be a session: its id, perhaps with slashes, but not
/// `Members`, and nothing that leads out of the collection, also if a parser decodes it more than once.
pub(crate) fn is_id(below: &str) -> bool {
    let mut decoded = below.to_owned();
    let is_decoded = (0..=MAX_LAYERS).any(|_| {
        let again = percent_decode(&decoded).to_ascii_lowercase();
        std::mem::replace(&mut decoded, again) == decoded
    });
    let mut segments = decoded.split(['/', '\\']).filter(|segment| !segment.is_empty()).peekable();
    is_decoded
        && segments.peek().is_some()
        && segments.clone().last() != Some("members")
        && segments.all(|segment| !matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Links, Policy};

    fn service() -> Service {
        Service::new("bmc").unwrap()
    }

    #[track_caller]
    fn is_refused(service: &Service, uri: &str) {
        let refused = Session::from_token(service, "t", Some(uri));
        let is_refused =
            matches!(&refused, Err(error) if matches!(error.kind(), ErrorKind::InvalidTarget(_)));
        assert!(is_refused, "{uri}: {refused:?}");
    }

    #[test]
    fn a_token_must_be_valid_in_a_header() {
        for token in ["", "a b", "a\r\nb", "ä", &"a".repeat(MAX_TOKEN_LENGTH + 1)] {
            assert!(Session::from_token(&service(), token, None).is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_resumed_session_belongs_to_its_own_service() {
        let own =
            Session::from_token(&service(), "t", Some("https://BMC:443/redfish/v1/Sessions/1")).unwrap();
        assert_eq!(own.target().unwrap().as_str(), "/redfish/v1/Sessions/1");
        let elsewhere = "https://evil/redfish/v1/Sessions/1";
        is_refused(&service(), elsewhere);
        is_refused(&service(), "//evil/redfish/v1/Sessions/1");
        let policy = Policy { links: Links::PathOnly, ..Policy::default() };
        let service = Service::with_policy("bmc", policy).unwrap();
        let session = Session::from_token(&service, "t", Some(elsewhere)).unwrap();
        assert_eq!(session.target().unwrap().as_str(), "/redfish/v1/Sessions/1");
        is_refused(&service, "https://evil/redfish/v1/Systems/1");
    }

    #[test]
    fn a_resumed_session_has_the_uri_of_a_session() {
        for uri in [
            "/redfish/v1/SessionService/Sessions/1",
            "/redfish/v1/SessionService/Sessions/1/",
            "/redfish/v1/SessionService/Sessions//1",
            "/redfish/v1/Sessions/1",
            "/redfish/v1/sessions/Admin%40a.b/",
            "/REDFISH/V1/sessionservice/SESSIONS/1",
            "/redfish/v1/Sessions/Members/1",
            "/redfish/v1/SessionService/Sessions/Members/1",
            "/rest/v1/Sessions/1",
            "/rest/v1/SessionService/Sessions/1",
            "/redfish/v2/SessionService/Sessions/1",
            "/redfish/v1/Sessions/a/b",
            "/redfish/v1/SessionService/Sessions/domain%2Fadmin",
            "/redfish/v1/SessionService/Sessions/domain%5cadmin",
            "/redfish/v1/SessionService/Sessions/..a",
            "/redfish/v1/SessionService/Sessions/100%25",
            "1",
        ] {
            assert!(Session::from_token(&service(), "t", Some(uri)).is_ok(), "{uri}");
        }
        for uri in [
            "/redfish/v1/Systems/1",
            "/redfish/v1/Systems/Sessions/1",
            "/redfish/v1/Systems/1/Sessions/1",
            "/redfish/v1/Managers/1/SessionService/Sessions/1",
            "/redfish/v1/SessionService/Systems/Sessions/1",
            "/redfish/Sessions/1",
            "/redfish/v/Sessions/1",
            "/redfish/v1x/Sessions/1",
            "/api/v1/Sessions/1",
            "/Sessions/1",
            "/redfish/v1/Sessions",
            "/redfish/v1/SessionService/Sessions",
            "/redfish/v1/SessionService/Sessions/",
            "/redfish/v1/SessionService/Sessions/Members",
            "/redfish/v1/SessionService/Sessions/members/",
            "/redfish/v1/SessionService/Sessions/Members/Members",
            "/redfish/v1/SessionService/Sessions/../../Systems/Sessions/1",
            "/redfish/v1/SessionService/Sessions/%2e%2E",
            "/redfish/v1/SessionService/Sessions/%2e%2E/Systems",
            "/redfish/v1/SessionService/Sessions/..%2fSystems",
            "/redfish/v1/SessionService/Sessions/..\\Systems",
            "/redfish/v1/SessionService/Sessions/1/%2e%2e/%2e%2e/Systems",
            "/redfish/v1/SessionService/Sessions/1%2f..%2f..%2fSystems",
            "/redfish/v1/SessionService/Sessions/1%5c..%5cx",
            "/redfish/v1/SessionService/Sessions/%252e%252e",
            "/redfish/v1/SessionService/Sessions/%2%65%2e",
            "/redfish/v1/SessionService/Sessions/%2525252525252e%2e",
            "/redfish/v1/SessionService/Sessions/.%252e%252fSystems",
            "/redfish/v1/SessionService/Sessions/%2f",
            "/redfish/v1/SessionService/Sessions/1%2fMembers",
            "/redfish/v1/SessionService/Sessions/Members%2f",
            "/redfish/v1/SessionService/Sessions/1?x",
            "/redfish/v1/SessionService/Sessions/1#x",
            "/redfish/v1/Systems/1#/Sessions/1",
            "",
            "1/..",
        ] {
            is_refused(&service(), uri);
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
