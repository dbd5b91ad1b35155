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
use crate::service::Service;
use crate::session::{Session, SessionState};
use crate::target::Target;

/// Sessions and pages that are looked at to find one; a service with more is not searched to its end.
const MOST: (usize, usize) = (1_000, 20);

/// The wait before a DELETE is sent once more that the service failed to carry out.
const AGAIN: Duration = Duration::from_millis(500);

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
    collection: Target,
    /// The `Context` whose other sessions are closed too: those of logins whose answers were lost.
    sweep: Option<Arc<str>>,
    stage: Stage,
    mine: Option<Target>,
    strays: Vec<Target>,
    unread: Vec<Target>,
    next_page: Option<Target>,
    looked: (usize, usize),
    /// Whether the service failed once to delete it.
    failed: bool,
}

#[derive(Debug)]
enum Stage {
    List(Target),
    Look(Target),
    Delete(Target),
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

impl Logout {
    /// The session whose token it carries.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn new(session: &Session) -> Logout {
        let collection = session.collection().cloned().unwrap_or_else(|| Target::well_known(SESSIONS));
        let mine = session.target().cloned();
        let stage = match &mine {
            Some(at) => Stage::Delete(at.clone()),
            None => Stage::List(collection.clone()),
        };
        Logout {
            session: session.clone(),
            collection,
            sweep: None,
            stage,
            mine,
            strays: Vec::new(),
            unread: Vec::new(),
            next_page: None,
            looked: (0, 0),
            failed: false,
        }
    }

    /// Closes the other sessions of that `Context` before its own.
    pub(crate) fn sweeping(mut self, context: Arc<str>) -> Logout {
        self.stage = Stage::List(self.collection.clone());
        self.sweep = Some(context);
        self
    }

    /// Reads the collection: marks at its top, members that are there whole, and links to the others.
    fn list(&mut self, answer: &Answer) -> Result<(), Error> {
        let page: Value = answer.json()?;
        self.claim(list_sessions::marked_in(&page), answer);
        let empty = Vec::new();
        for member in page.get("Members").and_then(Value::as_array).unwrap_or(&empty) {
            let link = member.get("@odata.id").and_then(Value::as_str);
            if member.as_object().is_some_and(|m| m.len() > 1) {
                self.look(member, answer);
            } else if let Some(at) = self.session_at(link, answer) {
                self.unread.push(at);
            }
        }
        self.unread.truncate(MOST.0);
        let next = page.get("Members@odata.nextLink").and_then(Value::as_str);
        self.next_page = next.and_then(|link| answer.resolve(link).ok());
        Ok(())
    }

    /// Reads one session: whether it is ours.
    fn look(&mut self, session: &Value, answer: &Answer) {
        let link =
            session.get("@odata.id").and_then(Value::as_str).unwrap_or(answer.target().as_str()).to_owned();
        let own_context = self.session.context().filter(|_| self.sweep.is_none());
        if list_sessions::is_marked(session)
            || list_sessions::is_of(session, own_context.map(|context| &**context))
        {
            self.claim(Some(&link), answer);
        } else if list_sessions::is_of(session, self.sweep.as_deref()) {
            self.strays
                .extend(self.session_at(Some(&link), answer).filter(|at| Some(at) != self.mine.as_ref()));
        }
    }

    fn claim(&mut self, link: Option<&str>, answer: &Answer) {
        if self.mine.is_none() {
            self.mine = self.session_at(link, answer);
        }
    }

    fn session_at(&self, link: Option<&str>, answer: &Answer) -> Option<Target> {
        answer.resolve_path_only(link?).ok().filter(|target| is_session(target, &self.collection))
    }

    /// What comes after a read: more reading while something is missing, then the deleting.
    fn go_on(mut self) -> Result<Transition<Self>, Error> {
        let searching = self.sweep.is_some() || self.mine.is_none();
        self.stage = if let Some(at) = self.unread.pop().filter(|_| searching && self.looked.0 < MOST.0) {
            self.looked.0 += 1;
            Stage::Look(at)
        } else if let Some(page) = self.next_page.take().filter(|_| searching && self.looked.1 < MOST.1) {
            self.looked.1 += 1;
            Stage::List(page)
        } else if let Some(stray) = self.strays.pop() {
            Stage::Delete(stray)
        } else if let Some(mine) = &self.mine {
            Stage::Delete(mine.clone())
        } else {
            return Err(Error::new(ErrorKind::SessionUriUnknown));
        };
        Ok(Transition::Next(self))
    }

    /// What a read that failed means: a token that is dead needs no logout, and a search that cannot go on ends.
    fn unreadable(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        let status = answer.status();
        let elsewhere = match &self.stage {
            Stage::List(at) => list_sessions::elsewhere(at, status),
            Stage::Look(_) | Stage::Delete(_) => None,
        };
        match (&self.stage, elsewhere) {
            _ if status == StatusCode::UNAUTHORIZED => Ok(Transition::Done(LogoutOutcome::Gone)),
            (_, Some(at)) => {
                self.collection = at.clone();
                self.stage = Stage::List(at);
                Ok(Transition::Next(self))
            }
            (Stage::List(_), None) if self.mine.is_none() => match answer.success() {
                Ok(answer) => Err(answer.json::<Value>().err().unwrap_or_else(|| answer.refusal())),
                Err(refusal) => Err(refusal),
            },
            _ => self.go_on(),
        }
    }
}

impl Session {
    /// Ends it: DELETE of its URI, with its own token and no other. Where the URI is unknown it is looked for
    /// first, by what marks it as ours.
    pub fn logout(&self, service: &Arc<Service>) -> Call<Logout> {
        service.call(Logout::new(self)).with(self.clone()).deadline(service.policy().logout_deadline)
    }
}

impl Operation for Logout {
    type Output = LogoutOutcome;

    fn request(&self) -> Request {
        let request = match &self.stage {
            Stage::List(at) | Stage::Look(at) => Request::get(at),
            // It is often the first request after an idle spell, when a connection has gone stale; a second
            // DELETE of a session does no harm.
            Stage::Delete(at) => Request::delete(at).retry(Retry::Always),
        };
        request.purpose(Purpose::Session)
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match &self.stage {
            Stage::Delete(at) if Some(at) != self.mine.as_ref() => self.go_on(),
            Stage::Delete(_) => {
                let must_change = *self.session.state() != SessionState::Active;
                match answer.status() {
                    status if status.is_success() => Ok(Transition::Done(LogoutOutcome::Deleted)),
                    StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::GONE => {
                        Ok(Transition::Done(LogoutOutcome::Gone))
                    }
                    StatusCode::FORBIDDEN if must_change => Ok(Transition::Done(LogoutOutcome::NotAllowed)),
                    // iDRAC under load answers 500. What may be repeated is tried once more.
                    status if status.is_server_error() && !self.failed => {
                        self.failed = true;
                        Ok(Transition::Later(self, Some(AGAIN)))
                    }
                    _ => Err(answer.refusal()),
                }
            }
            Stage::List(_) => match answer.status().is_success().then(|| self.list(&answer)) {
                Some(Ok(())) => self.go_on(),
                _ => self.unreadable(answer),
            },
            Stage::Look(_) => {
                if !answer.status().is_success() {
                    return self.unreadable(answer);
                }
                let session: Value = answer.json().unwrap_or_default();
                self.look(&session, &answer);
                self.go_on()
            }
        }
    }
}
