//! Closing a session: DELETE of its URI, which is looked for first where it is unknown.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::driver::call::Call;
use crate::driver::exchange::Purpose;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Operation, Request, Retry, Transition};
use crate::ops::list_sessions::{self, SESSIONS, is_session};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::ops::stage::{self, Received, Resumed};
use crate::resource::Resource;
use crate::service::Service;
use crate::session::{Session, SessionState};
use crate::target::Target;

/// Maximum number of pages that are read after the first to find a session: a logout has little time.
const MAX_NEXT_PAGES: usize = 20;

/// The wait before a DELETE is sent once more that the service failed to carry out.
const DELETE_AGAIN: Duration = Duration::from_millis(500);

/// Closes a session. Made by [`Session::logout`] alone, so that it carries that session's token and never logs in:
///
/// ```compile_fail,E0624
/// # fn with(session: &redfish_proto::Session) {
/// redfish_proto::ops::Logout::new(session);
/// # }
/// ```
///
/// A lost session is found by what marks it as ours: `MySession` (iLO), at the collection or in a member, or
/// the `Context` of our login. Never by the user's name: that would close the session of somebody else.
#[derive(Debug)]
pub struct Logout {
    session: Session,
    stage: Stage,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, in a call")]
enum Stage {
    /// Looks for sessions to delete.
    Search(ReadPages<Search>),
    /// Deletes a session that a login left whose answer was lost.
    DeleteStray(Target, Found),
    /// Deletes the session itself.
    Delete(Target, Attempt),
}

/// The sessions to delete.
#[derive(Debug)]
struct Found {
    own: Option<Target>,
    strays: Vec<Target>,
}

/// Which try to delete the session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

/// Looks for sessions by what marks them as ours.
#[derive(Debug)]
struct Search {
    collection: Target,
    /// The `Context` that marks the session itself.
    own_context: Option<Arc<str>>,
    /// The `Context` whose other sessions are deleted too: those of logins whose answers were lost.
    stray_context: Option<Arc<str>>,
    found: Found,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoutOutcome {
    /// The service deleted it.
    Deleted,
    /// The service did not know it any more.
    Gone,
    /// The service keeps it until it expires: it lets an account that must change its password do nothing else.
    NotAllowed,
}

impl Search {
    fn new(session: &Session, stray_context: Option<Arc<str>>) -> Search {
        let own_context = session.context().filter(|_| stray_context.is_none()).cloned();
        let found = Found { own: session.target().cloned(), strays: Vec::new() };
        let collection = session.collection().cloned().unwrap_or_else(|| Target::well_known(SESSIONS));
        Search { collection, own_context, stray_context, found }
    }

    fn read(self) -> Stage {
        let pages = ReadPages::new(self.collection.clone(), self);
        // The session is one of the last that were opened.
        Stage::Search(pages.newest_first().max_next_pages(MAX_NEXT_PAGES))
    }

    fn session_at(&self, link: &str, answer: &Answer) -> Option<Target> {
        answer.resolve_path_only(link).ok().filter(|target| is_session(target, &self.collection))
    }
}

impl Collector for Search {
    type Member = Value;

    fn page(&mut self, page: &Answer) -> Result<(), Error> {
        let document: Value = page.json()?;
        if let (None, Some(link)) = (&self.found.own, list_sessions::marked_in(&document)) {
            self.found.own = self.session_at(link, page);
        }
        Ok(())
    }

    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        Ok(self.session_at(link, answer))
    }

    fn add(&mut self, member: Resource<Value>) {
        let (target, session) = (member.target(), member.value());
        if list_sessions::is_marked(session) || list_sessions::is_of(session, self.own_context.as_deref()) {
            self.found.own.get_or_insert_with(|| target.clone());
        } else if list_sessions::is_of(session, self.stray_context.as_deref())
            && self.found.own.as_ref() != Some(target)
        {
            self.found.strays.push(target.clone());
        }
    }

    fn member_unreadable(&mut self, _: Target, _: Error) -> Result<(), Error> {
        Ok(())
    }

    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        if self.found.own.is_some() { Ok(()) } else { Err(error) }
    }

    fn is_complete(&self) -> bool {
        self.stray_context.is_none() && self.found.own.is_some()
    }
}

impl Found {
    /// The next session to delete: the session itself comes last, since its token deletes the others.
    fn delete(mut self) -> Result<Stage, Error> {
        match (self.strays.pop(), self.own) {
            (Some(stray), own) => Ok(Stage::DeleteStray(stray, Found { own, strays: self.strays })),
            (None, Some(own)) => Ok(Stage::Delete(own, Attempt::First)),
            (None, None) => Err(Error::new(ErrorKind::SessionUriUnknown)),
        }
    }
}

impl Logout {
    pub(crate) fn new(session: &Session) -> Logout {
        let stage = match session.target() {
            Some(target) => Stage::Delete(target.clone(), Attempt::First),
            None => Search::new(session, None).read(),
        };
        Logout { session: session.clone(), stage }
    }

    /// Deletes the other sessions of that `Context` before its own.
    pub(crate) fn sweeping(self, context: Arc<str>) -> Logout {
        let stage = Search::new(&self.session, Some(context)).read();
        Logout { stage, ..self }
    }

    /// The session whose token it carries.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    fn resume(self, received: Received) -> Result<Transition<Self>, Error> {
        let Logout { session, stage } = self;
        let stage = match stage {
            Stage::Search(pages) => {
                let status = received.as_ref().ok().map(Answer::status);
                // A token that is dead needs no logout.
                if status == Some(StatusCode::UNAUTHORIZED) {
                    return Ok(Transition::Done(LogoutOutcome::Gone));
                }
                match status.and_then(|status| list_sessions::legacy_uri(pages.target(), status)) {
                    Some(collection) => Search { collection, ..pages.into_collector() }.read(),
                    None => match stage::resume(pages, received)? {
                        Resumed::Pending(pages) => {
                            return Ok(pages.map(|pages| Logout { session, stage: Stage::Search(pages) }));
                        }
                        Resumed::Done(search) => search.found.delete()?,
                    },
                }
            }
            Stage::DeleteStray(_, rest) => {
                received?;
                rest.delete()?
            }
            Stage::Delete(target, attempt) => return deleted(session, target, attempt, &received?),
        };
        Ok(Transition::Next(Logout { session, stage }))
    }
}

/// What the answer to the DELETE of the session itself means.
fn deleted(
    session: Session,
    target: Target,
    attempt: Attempt,
    answer: &Answer,
) -> Result<Transition<Logout>, Error> {
    let must_change = *session.state() != SessionState::Active;
    match answer.status() {
        status if status.is_success() => Ok(Transition::Done(LogoutOutcome::Deleted)),
        StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Ok(Transition::Done(LogoutOutcome::Gone))
        }
        StatusCode::FORBIDDEN if must_change => Ok(Transition::Done(LogoutOutcome::NotAllowed)),
        // iDRAC under load answers 500. What may be repeated is tried once more.
        status if status.is_server_error() && attempt == Attempt::First => {
            let stage = Stage::Delete(target, Attempt::Second);
            Ok(Transition::Later(Logout { session, stage }, Some(DELETE_AGAIN)))
        }
        _ => Err(answer.refusal()),
    }
}

impl Session {
    /// Ends it: DELETE of its URI, with its own token and no other. A URI that is unknown is looked for first, by what
    /// marks the session as ours.
    pub fn logout(&self, service: &Arc<Service>) -> Call<Logout> {
        service.call(Logout::new(self)).with(self.clone()).deadline(service.policy().logout_deadline)
    }
}

impl Operation for Logout {
    type Output = LogoutOutcome;

    fn request(&self) -> Request {
        let request = match &self.stage {
            Stage::Search(pages) => pages.request(),
            // It is often the first request after an idle spell, when a connection has gone stale; a second
            // DELETE of a session does no harm.
            Stage::DeleteStray(target, _) | Stage::Delete(target, _) => {
                Request::delete(target).retry(Retry::Always)
            }
        };
        request.purpose(Purpose::Session)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        self.resume(Ok(answer))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        self.resume(Err(error))
    }
}
