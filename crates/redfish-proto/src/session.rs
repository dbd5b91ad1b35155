//! A session: what identifies a caller to one service, and where it is closed.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::error::{Error, Unclosed};
use crate::headers::X_AUTH_TOKEN;
use crate::kind::ErrorKind;
use crate::link::{self, Refused};
use crate::origin::Origin;
use crate::redact::{Redactor, Secret};
use crate::service::Service;
use crate::sessions::is_session_path;
use crate::target::Target;

/// Bytes a token may have. Those of sessions have some dozens; a hostile one would be searched for in every text.
const LONGEST_TOKEN: usize = 8 << 10;

/// What a caller is to a service: nobody, a user by Basic, or the holder of a token.
///
/// It knows its service's origin and goes nowhere else. It is a reference, cheap to clone; two are equal when they
/// are the same one, not when they look alike. `Debug` shows no secret.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    origin: Arc<Origin>,
    /// What identifies the caller: a token of the service's where it is issued, else `Authorization`.
    credential: Option<HeaderValue>,
    /// Whether it is a session of the service, which can expire and be closed.
    issued: bool,
    location: Option<Target>,
    collection: Option<Target>,
    /// `None`: full, as nearly always.
    restricted: Option<Box<Standing>>,
    context: Option<Arc<str>>,
    redactor: Arc<Redactor>,
}

/// What a session may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// What its account's role says.
    #[default]
    Full,
    /// Change the account's password, and nothing else before that (DSP0266, "Password change required handling").
    MustChangePassword {
        /// The account, where the service named it.
        account: Option<Target>,
    },
}

/// What a login finds out beside the token.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) location: Option<Target>,
    pub(crate) collection: Option<Target>,
    pub(crate) standing: Standing,
    pub(crate) context: Option<Arc<str>>,
}

impl Session {
    /// Nobody: requests carry no credentials.
    pub fn anonymous(service: &Service) -> Session {
        Session(Arc::new(Inner {
            origin: Arc::clone(service.origin()),
            credential: None,
            issued: false,
            location: None,
            collection: None,
            restricted: None,
            context: None,
            redactor: Arc::default(),
        }))
    }

    /// HTTP Basic authentication, sent with each request and never only when asked for: iDRAC10 does not advertise
    /// it by default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a user name that is empty or has a `:` (RFC 7617 cannot say it), and
    /// for control characters.
    pub fn basic(service: &Service, credentials: &Credentials) -> Result<Session, Error> {
        let (user, password) = (credentials.user(), credentials.password());
        let invalid = |reason| Err(Error::new(ErrorKind::InvalidCredentials(reason)));
        if user.is_empty() {
            return invalid("the user name is empty");
        }
        if user.contains(':') {
            return invalid("a user name with a colon does not fit Basic authentication");
        }
        if user.chars().chain(password.chars()).any(char::is_control) {
            return invalid("a control character does not fit Basic authentication");
        }
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let mut text = Zeroizing::new(String::with_capacity(8 + pair.len().div_ceil(3) * 4));
        text.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut text);
        let mut redactor = Redactor::default();
        redactor.add_basic(user, password);
        Session::with(service, Some(Secret::from(text)), false, Found::default(), redactor)
    }

    /// A session that another process opened: its token, and the URI to close it at where that is known.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a token that cannot stand in a header. [`ErrorKind::InvalidTarget`] for a URI
    /// that is not that of a session, since it is deleted in the end: only `/redfish/v1/SessionService/Sessions/ID` and
    /// `/redfish/v1/Sessions/ID` are accepted, in any letter case, with another version or `/rest` in place of `/redfish`,
    /// with `Members` before the id, and with a final slash. The same for a URI of another origin, unless the
    /// [policy](crate::Policy::links) uses the paths of such links.
    pub fn issued(service: &Service, token: &str, at: Option<&str>) -> Result<Session, Error> {
        let invalid = |reason| Error::new(ErrorKind::InvalidTarget(reason));
        let collection = Target::well_known("/redfish/v1/SessionService/Sessions/");
        let resolve = |at| link::resolve(at, &collection, service.origin(), service.policy().links);
        let is_bare = |target: &Target| target.query().is_none() && target.fragment().is_none();
        let location = match at.map(resolve) {
            Some(Ok(target)) if is_session_path(target.path()) && is_bare(&target) => Some(target),
            Some(Err(Refused::OffOrigin)) => {
                return Err(invalid("the URI of the session is at another service"));
            }
            Some(_) => return Err(invalid("the URI is not that of a session")),
            None => None,
        };
        Session::from_token(service, token, Found { location, ..Found::default() }, &Arc::default())
    }

    /// A token that somebody else looks after: sent as `Authorization: Bearer`, never renewed, never closed
    /// (DSP0266, "OAuth 2.0 authentication").
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for a token that cannot stand in a header.
    pub fn bearer(service: &Service, token: &str) -> Result<Session, Error> {
        check_token(token)?;
        let mut redactor = Redactor::default();
        redactor.add_token(&Secret::from(token));
        let credential = Secret::from(Zeroizing::new(format!("Bearer {token}")));
        Session::with(service, Some(credential), false, Found::default(), redactor)
    }

    /// The session of a login; its redactor knows what the login's did.
    pub(crate) fn from_token(
        service: &Service,
        token: &str,
        found: Found,
        known: &Arc<Redactor>,
    ) -> Result<Session, Error> {
        check_token(token)?;
        let token = Secret::from(token);
        let mut redactor = Redactor::clone(known);
        redactor.add_token(&token);
        Session::with(service, Some(token), true, found, redactor)
    }

    fn with(
        service: &Service,
        credential: Option<Secret>,
        issued: bool,
        found: Found,
        redactor: Redactor,
    ) -> Result<Session, Error> {
        let Found { location, collection, standing, context } = found;
        Ok(Session(Arc::new(Inner {
            origin: Arc::clone(service.origin()),
            credential: credential.map(header_value).transpose()?,
            issued,
            location,
            collection,
            restricted: (standing != Standing::Full).then(|| Box::new(standing)),
            context,
            redactor: Arc::new(redactor),
        })))
    }

    /// The URI of the session, at which it is closed. `None` where the service did not say, and for what is no
    /// session of the service.
    pub fn location(&self) -> Option<&Target> {
        self.0.location.as_ref()
    }

    /// What it may do.
    pub fn standing(&self) -> &Standing {
        self.0.restricted.as_deref().unwrap_or(&Standing::Full)
    }

    /// The token of a session, to keep it for another process. It is a secret. `None` for what is no session.
    pub fn expose(&self) -> Option<&str> {
        self.0.credential.as_ref().filter(|_| self.0.issued)?.to_str().ok()
    }

    /// Whether it is a session of the service: it can expire, and must be closed.
    pub fn is_issued(&self) -> bool {
        self.0.issued
    }

    /// The same session, that also knows these secrets.
    pub(crate) fn knowing(self, secrets: &Arc<Redactor>) -> Session {
        let redactor = secrets.and(&self.0.redactor);
        Session(Arc::new(Inner { redactor, ..Inner::clone(&self.0) }))
    }

    /// What it takes to close it.
    pub(crate) fn unclosed(&self) -> Option<Unclosed> {
        Some(Unclosed { token: Secret::from(self.expose()?), location: self.0.location.clone() })
    }

    pub(crate) fn header(&self) -> Option<(HeaderName, &HeaderValue)> {
        let name = if self.0.issued { X_AUTH_TOKEN } else { AUTHORIZATION };
        Some((name, self.0.credential.as_ref()?))
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.0.origin
    }

    pub(crate) fn collection(&self) -> Option<&Target> {
        self.0.collection.as_ref()
    }

    pub(crate) fn context(&self) -> Option<&Arc<str>> {
        self.0.context.as_ref()
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.0.redactor
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Session) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("service", &format_args!("{}", self.0.origin))
            .field(
                "location",
                &self.0.location.as_ref().map(|at| self.0.redactor.clean(&at.to_string()).into_owned()),
            )
            .field("standing", self.standing())
            .finish_non_exhaustive()
    }
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

fn check_token(token: &str) -> Result<(), Error> {
    let fits =
        !token.is_empty() && token.len() <= LONGEST_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::InvalidCredentials("not a token"))) }
}

/// A header value whose memory is zeroed when its last copy is dropped, and that no `Debug` shows.
fn header_value(secret: Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(secret))
        .map_err(|_| Error::new(ErrorKind::InvalidCredentials("they do not fit a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Links, Policy};

    fn service() -> Service {
        Service::new("bmc").unwrap()
    }

    #[test]
    fn what_basic_cannot_say_is_refused() {
        for (user, password) in [("", "p"), ("a:b", "p"), ("a\n", "p"), ("a", "p\0")] {
            let error = Session::basic(&service(), &Credentials::new(user, password)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidCredentials(_)));
        }
        let session = Session::basic(&service(), &Credentials::new("admin", "pä:ss")).unwrap();
        assert_eq!(*session.header().unwrap().1, format!("Basic {}", STANDARD.encode("admin:pä:ss")));
    }

    #[track_caller]
    fn is_refused(service: &Service, uri: &str) {
        let refused = Session::issued(service, "t", Some(uri));
        let is_refused =
            matches!(&refused, Err(error) if matches!(error.kind(), ErrorKind::InvalidTarget(_)));
        assert!(is_refused, "{uri}: {refused:?}");
    }

    #[test]
    fn a_token_fits_a_header() {
        for token in ["", "a b", "a\r\nb", "ä", &"a".repeat(LONGEST_TOKEN + 1)] {
            assert!(Session::issued(&service(), token, None).is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_resumed_session_is_at_its_own_service() {
        let own = Session::issued(&service(), "t", Some("https://BMC:443/redfish/v1/Sessions/1")).unwrap();
        assert_eq!(own.location().unwrap().as_str(), "/redfish/v1/Sessions/1");
        let elsewhere = "https://evil/redfish/v1/Sessions/1";
        is_refused(&service(), elsewhere);
        is_refused(&service(), "//evil/redfish/v1/Sessions/1");
        let policy = Policy { links: Links::PathOnly, ..Policy::default() };
        let service = Service::with_policy("bmc", policy).unwrap();
        let session = Session::issued(&service, "t", Some(elsewhere)).unwrap();
        assert_eq!(session.location().unwrap().as_str(), "/redfish/v1/Sessions/1");
        is_refused(&service, "https://evil/redfish/v1/Systems/1");
    }

    #[test]
    fn a_resumed_session_is_where_sessions_are() {
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
            "1",
        ] {
            assert!(Session::issued(&service(), "t", Some(uri)).is_ok(), "{uri}");
        }
        for uri in [
            "/redfish/v1/Systems/1",
            "/redfish/v1/Systems/Sessions/1",
            "/redfish/v1/Systems/1/Sessions/1",
            "/redfish/v1/Managers/1/SessionService/Sessions/1",
            "/redfish/v1/SessionService/Systems/Sessions/1",
            "/redfish/v1/Sessions/a/b",
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
    fn debug_shows_no_secret() {
        let service = service();
        let credentials = Credentials::new("admin", "hunter2hunter2");
        let shown = format!(
            "{credentials:?} {:?} {:?} {:?}",
            Session::basic(&service, &credentials).unwrap(),
            Session::issued(&service, "hunter2hunter2", None).unwrap(),
            Session::bearer(&service, "hunter2hunter2").unwrap()
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn sessions_are_equal_by_identity() {
        let (one, two) = (
            Session::issued(&service(), "t", None).unwrap(),
            Session::issued(&service(), "t", None).unwrap(),
        );
        assert!(one == one.clone() && one != two);
        assert_eq!(std::mem::size_of::<Session>(), std::mem::size_of::<usize>());
    }
}
