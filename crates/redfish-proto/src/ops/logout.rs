//! Closing a session: DELETE of its URI. An unknown URI is searched for first.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::answer::Answer;
use crate::driver::call::Call;
use crate::driver::exchange::Purpose;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Operation, Request, Retry, Transition};
use crate::ops::chain::{Chain, Exchange};
use crate::ops::list_sessions::{self, SESSIONS, is_session};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::resource::Resource;
use crate::service::Service;
use crate::session::{Session, SessionState};
use crate::target::Target;

/// Maximum number of further pages that are read to find a session: a logout has little time.
const MAX_NEXT_PAGES: usize = 20;

/// The wait before a DELETE that failed at the service is sent again.
const DELETE_RETRY_WAIT: Duration = Duration::from_millis(500);

/// Closes a session. Only [`Session::logout`] makes one, so that it carries that session's token and never logs in:
///
/// ```compile_fail,E0624
/// # fn with(session: &redfish_proto::Session) {
/// redfish_proto::ops::Logout::new(session);
/// # }
/// ```
///
/// A session with an unknown URI is found by `MySession` (iLO), at the collection or in a member, or by the `Context`
/// of the login. Never by the user name: that would close the session of another client.
#[derive(Debug)]
pub struct Logout {
    session: Session,
    chain: Chain<LogoutOutcome>,
}

/// Searches for the client's own sessions.
#[derive(Debug)]
struct Search {
    collection: Target,
    /// The `Context` of the session itself.
    own_context: Option<Arc<str>>,
    /// The `Context` whose other sessions are also deleted: those of logins whose responses were lost.
    stray_context: Option<Arc<str>>,
    own_session: Option<Target>,
    strays: Vec<Target>,
    /// Whether the service no longer knows the token.
    token_is_dead: bool,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoutOutcome {
    /// The service deleted it.
    Deleted,
    /// The service no longer knew it.
    Gone,
    /// The service keeps it until it expires, since an account that must change its password may do nothing else.
    NotAllowed,
}

impl Logout {
    pub(crate) fn new(session: &Session) -> Logout {
        let chain = match session.target() {
            Some(target) => delete(target, *session.state() != SessionState::Active, Retries::One),
            None => search(session, None),
        };
        Logout { session: session.clone(), chain }
    }

    /// Deletes the other sessions with this `Context` before its own.
    pub(crate) fn deleting_others_with(self, context: Arc<str>) -> Logout {
        Logout { chain: search(&self.session, Some(context)), ..self }
    }

    /// The session whose token it carries.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }
}

/// Searches for the session and for other sessions with this `Context`, then deletes them.
fn search(session: &Session, stray_context: Option<Arc<str>>) -> Chain<LogoutOutcome> {
    let search = Search {
        collection: session.collection().cloned().unwrap_or_else(|| Target::well_known(SESSIONS)),
        own_context: session.context().filter(|_| stray_context.is_none()).cloned(),
        stray_context,
        own_session: session.target().cloned(),
        strays: Vec::new(),
        token_is_dead: false,
    };
    let must_change_password = *session.state() != SessionState::Active;
    let pages = ReadPages::new(search.collection.clone(), search);
    // The session is among the newest.
    let pages = pages.newest_first().max_next_pages(MAX_NEXT_PAGES);
    Chain::new(pages, move |(search, failure)| match (search.own_session, failure) {
        _ if search.token_is_dead => Chain::done(LogoutOutcome::Gone),
        (None, Some(failure)) => Err(failure),
        (own, _) => delete_all(search.strays, own, must_change_password),
    })
}

/// Deletes the other sessions and then the session itself, whose token deletes the others.
fn delete_all(
    mut strays: Vec<Target>,
    own: Option<Target>,
    must_change_password: bool,
) -> Result<Transition<Chain<LogoutOutcome>>, Error> {
    match (strays.pop(), own) {
        (Some(stray), own) => Chain::next(Exchange(delete_request(&stray)), move |received| {
            received?;
            delete_all(strays, own, must_change_password)
        }),
        (None, Some(own)) => Ok(Transition::Next(delete(&own, must_change_password, Retries::One))),
        (None, None) => Err(Error::new(ErrorKind::SessionUriUnknown)),
    }
}

/// How often a DELETE that failed at the service is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retries {
    None,
    One,
}

/// Deletes the session itself.
fn delete(target: &Target, must_change_password: bool, retries: Retries) -> Chain<LogoutOutcome> {
    let again = target.clone();
    Chain::new(Exchange(delete_request(target)), move |received| {
        let answer = received?;
        match answer.status() {
            status if status.is_success() => {
                answer.check()?;
                Chain::done(LogoutOutcome::Deleted)
            }
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::GONE => {
                Chain::done(LogoutOutcome::Gone)
            }
            StatusCode::FORBIDDEN if must_change_password => Chain::done(LogoutOutcome::NotAllowed),
            // iDRAC under load answers 500, and a busy service 429 without saying for how long.
            _ if is_temporary(&answer) && retries == Retries::One => {
                let delete = delete(&again, must_change_password, Retries::None);
                Ok(Transition::Later(delete, Some(DELETE_RETRY_WAIT)))
            }
            _ => Err(answer.refusal()),
        }
    })
}

/// Whether the service failed, or is too busy and does not say for how long.
fn is_temporary(answer: &Answer) -> bool {
    let is_busy = answer.status() == StatusCode::TOO_MANY_REQUESTS && answer.retry_after().is_none();
    is_busy || answer.status().is_server_error()
}

/// The logout is often the first request after an idle period, when a connection is stale. A second DELETE of a
/// session does no harm.
fn delete_request(target: &Target) -> Request {
    Request::delete(target).retry(Retry::Always)
}

impl Search {
    fn session_at(&self, link: &str, answer: &Answer) -> Option<Target> {
        answer.resolve_path_only(link).ok().filter(|target| is_session(target, &self.collection))
    }
}

impl Collector for Search {
    type Member = Value;

    fn relocate(&mut self, collection: &Target, status: StatusCode) -> Option<Target> {
        let legacy = list_sessions::legacy_uri(collection, status)?;
        self.collection = legacy.clone();
        Some(legacy)
    }

    fn page(&mut self, page: &Answer) -> Result<(), Error> {
        let document: Value = page.json()?;
        if let (None, Some(link)) = (&self.own_session, list_sessions::own_session_link(&document)) {
            self.own_session = self.session_at(link, page);
        }
        Ok(())
    }

    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        Ok(self.session_at(link, answer))
    }

    fn add(&mut self, member: Resource<Value>) {
        let (target, session) = (member.target(), member.value());
        if list_sessions::is_marked_as_own(session)
            || list_sessions::has_context(session, self.own_context.as_deref())
        {
            self.own_session.get_or_insert_with(|| target.clone());
        } else if list_sessions::has_context(session, self.stray_context.as_deref())
            && self.own_session.as_ref() != Some(target)
        {
            self.strays.push(target.clone());
        }
    }

    fn member_unreadable(&mut self, _: Target, error: Error) -> Result<(), Error> {
        self.token_is_dead |= error.status() == Some(StatusCode::UNAUTHORIZED);
        if error.status().is_some() { Ok(()) } else { Err(error) }
    }

    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        self.token_is_dead |= error.status() == Some(StatusCode::UNAUTHORIZED);
        if self.token_is_dead || self.own_session.is_some() { Ok(()) } else { Err(error) }
    }

    /// A logout has little time.
    fn is_patient(&self) -> bool {
        false
    }

    fn is_complete(&self) -> bool {
        self.token_is_dead || (self.stray_context.is_none() && self.own_session.is_some())
    }
}

impl Session {
    /// Closes the session: DELETE of its URI, with only its own token. An unknown URI is searched for first.
    pub fn logout(&self, service: &Arc<Service>) -> Call<Logout> {
        service.call(Logout::new(self)).with_identity(self.clone()).deadline(service.policy().logout_deadline)
    }
}

impl Operation for Logout {
    type Output = LogoutOutcome;

    fn request(&self) -> Request {
        self.chain.request().purpose(Purpose::Session)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(self.chain.respond(answer)?.map(|chain| Logout { chain, ..self }))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Ok(self.chain.fail(error)?.map(|chain| Logout { chain, ..self }))
    }
}
