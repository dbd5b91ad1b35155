//! The sessions of a service (DSP0266, "Sessions"): all of them, and what marks one as ours.
//!
//! ```text
//!   root ── Links.Sessions ──▶ a page ──▶ each member that is only a link ──▶ the next page, or the list
//! ```

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Auth, Operation, Request, Transition};
use crate::ops::get_page::{GetPage, Page};
use crate::session::{Session, is_id, is_session_path};
use crate::target::Target;

/// Where sessions are, if the service root does not say.
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
/// Where sessions were before Redfish 1.6; iDRAC 7 and 8 have them there alone.
pub(crate) const LEGACY_SESSIONS: &str = "/redfish/v1/Sessions";

/// Sessions that are looked at. A service has a few dozen at the most.
const MOST: usize = 1_000;

/// Where a page of sessions marks that of who asks: `MySession` in an `Oem` (iLO).
pub(crate) fn marked_in(page: &Value) -> Option<&str> {
    let vendors = page.get("Oem").and_then(Value::as_object)?;
    vendors.values().find_map(|vendor| vendor.pointer("/Links/MySession/@odata.id")?.as_str())
}

/// Whether a session is marked as that of who asks: `MySession`, at its top or in an `Oem`.
pub(crate) fn is_marked(session: &Value) -> bool {
    let is_true = |holder: &Value| holder.get("MySession") == Some(&Value::Bool(true));
    let vendors = session.get("Oem").and_then(Value::as_object);
    is_true(session) || vendors.is_some_and(|vendors| vendors.values().any(is_true))
}

/// Whether a session is of that `Context`, which a login of ours gave it. Without one none is.
pub(crate) fn is_of(session: &Value, context: Option<&str>) -> bool {
    context.is_some() && session.get("Context").and_then(Value::as_str) == context
}

/// Whether that is the URI of a session: what a logout deletes must be one, whatever a service says. It is a member of the
/// collection that is in use, or of one that every service has.
pub(crate) fn is_session(target: &Target, collection: &Target) -> bool {
    let (parent, member) = target.split_member();
    let collection = collection.path().trim_end_matches('/');
    let is_member = parent.eq_ignore_ascii_case(collection) && is_id(&member.to_ascii_lowercase());
    let is_collection = target.path().trim_end_matches('/').eq_ignore_ascii_case(collection);
    (is_member || is_session_path(target.path())) && !is_collection
}

/// Where sessions are instead, if they are not there: services before Redfish 1.6 have them at a URI of their own.
pub(crate) fn elsewhere(at: &Target, status: StatusCode) -> Option<Target> {
    let absent = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    (absent && at.as_str() == SESSIONS).then(|| Target::well_known(LEGACY_SESSIONS))
}

/// A session as the service lists it. `Debug` shows its URI alone.
#[derive(Clone)]
pub struct ListedSession {
    at: Target,
    marked: bool,
    resource: Value,
}

/// Ownership session it is, as far as the service reports. A user name proves nothing: others may use the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ownership {
    /// That of who asks: the service marks it by `MySession`, or it has the URI of the session in use.
    Own,
    /// One that a login of the same `Context` opened, perhaps in an earlier run.
    OfContext,
    /// Somebody else's, or not known to be ours.
    Other,
}

impl ListedSession {
    /// Its URI.
    pub fn target(&self) -> &Target {
        &self.at
    }

    /// Whether that is its URI: a final slash makes no other.
    pub fn is_at(&self, at: &Target) -> bool {
        self.at.path().trim_end_matches('/') == at.path().trim_end_matches('/')
    }

    /// A member of its resource that is a text; nothing where there is none, or the account may not see it.
    pub fn text(&self, member: &str) -> &str {
        self.resource.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Ownership session it is, for a client that uses `session` and gives its logins this `Context`.
    pub fn whose(&self, session: Option<&Session>, context: Option<&str>) -> Ownership {
        let context = context.or(session.and_then(Session::context).map(|context| &**context));
        let in_use = session.and_then(Session::target).is_some_and(|at| self.is_at(at));
        match self.marked || in_use {
            true => Ownership::Own,
            false if is_of(&self.resource, context) => Ownership::OfContext,
            false => Ownership::Other,
        }
    }
}

impl fmt::Debug for ListedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListedSession({})", self.at)
    }
}

/// Reads all sessions of a service, in the order of their URIs.
#[derive(Debug)]
pub struct ListSessions {
    gathered: FoundSessions,
    stage: Stage,
}

#[derive(Debug, Default)]
struct FoundSessions {
    found: Vec<ListedSession>,
    unread: Vec<Target>,
    next: Option<GetPage>,
    /// The session of who asks, where the collection marks it.
    marked: Option<Target>,
}

#[derive(Debug)]
enum Stage {
    Root,
    Page(GetPage),
    Member(Target),
}

impl Default for ListSessions {
    fn default() -> ListSessions {
        ListSessions { gathered: FoundSessions::default(), stage: Stage::Root }
    }
}

impl ListSessions {
    fn page(gathered: FoundSessions, at: Target) -> Transition<ListSessions> {
        Transition::Next(ListSessions { gathered, stage: Stage::Page(GetPage::first(at)) })
    }
}

impl FoundSessions {
    /// Takes what is whole in a page, and keeps the links to the others.
    fn add_page(&mut self, page: Page, answer: &Answer) -> Result<(), Error> {
        if let Some(link) = marked_in(&answer.json()?) {
            self.marked = Some(answer.resolve(link)?);
        }
        for member in page.members {
            let Some(link) = member.link() else { continue };
            let at = answer.resolve(&link)?;
            match member.is_link() {
                true => self.unread.push(at),
                false => self.add(at, member.json()?),
            }
        }
        self.unread.truncate(MOST);
        self.next = page.next?;
        Ok(())
    }

    fn add(&mut self, at: Target, resource: Value) {
        self.found.push(ListedSession { at, marked: is_marked(&resource), resource });
    }

    fn go_on(mut self) -> Transition<ListSessions> {
        let stage = if let Some(at) = self.unread.pop() {
            Stage::Member(at)
        } else if let Some(page) = self.next.take().filter(|_| self.found.len() < MOST) {
            Stage::Page(page)
        } else {
            for session in &mut self.found {
                session.marked |= self.marked.as_ref().is_some_and(|marked| session.is_at(marked));
            }
            self.found.sort_by(|one, other| one.at.as_str().cmp(other.at.as_str()));
            return Transition::Done(self.found);
        };
        Transition::Next(ListSessions { gathered: self, stage })
    }
}

impl Operation for ListSessions {
    type Output = Vec<ListedSession>;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Root => Request::get(&Target::well_known("/redfish/v1/")),
            Stage::Page(page) => page.request(),
            Stage::Member(at) => Request::get(at),
        }
    }

    fn auth(&self) -> Auth {
        match self.stage {
            Stage::Root => Auth::None,
            Stage::Page(_) | Stage::Member(_) => Auth::Session,
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let ListSessions { mut gathered, stage } = self;
        match stage {
            Stage::Root => {
                let answer = answer.success()?;
                let root: Value = answer.json()?;
                let link = root.pointer("/Links/Sessions/@odata.id").and_then(Value::as_str);
                let at = answer.resolve(link.unwrap_or(SESSIONS))?;
                return Ok(ListSessions::page(gathered, at));
            }
            Stage::Page(page) => match elsewhere(page.target(), answer.status()) {
                Some(at) => return Ok(ListSessions::page(gathered, at)),
                None => gathered.add_page(page.read(&answer)?, &answer)?,
            },
            Stage::Member(at) => match answer.success() {
                Ok(answer) => gathered.add(at, answer.json()?),
                // It ended while the others were read.
                Err(error) if *error.kind() == ErrorKind::NotFound => {}
                // Those of others may be hidden from a role.
                Err(error) if *error.kind() == ErrorKind::Forbidden => gathered.add(at, Value::Null),
                Err(error) => return Err(error),
            },
        }
        Ok(gathered.go_on())
    }
}
