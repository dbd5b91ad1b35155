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
use crate::operation::{Answer, Operation};
use crate::ops::chain::{Chain, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::resource::Resource;
use crate::session::{Session, is_id, is_session_path};
use crate::target::Target;

/// Where sessions are, if the service root does not say.
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
/// Where sessions were before Redfish 1.6; iDRAC 7 and 8 have them there alone.
pub(crate) const LEGACY_SESSIONS: &str = "/redfish/v1/Sessions";

/// The link to the sessions in the service root.
pub(crate) const SESSIONS_LINK: &str = "/Links/Sessions/@odata.id";

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

/// The URI of sessions before Redfish 1.6, to be tried if they are not at the one after it.
pub(crate) fn legacy_uri(collection: &Target, status: StatusCode) -> Option<Target> {
    let absent = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    (absent && collection.as_str() == SESSIONS).then(|| Target::well_known(LEGACY_SESSIONS))
}

/// A session as the service lists it. `Debug` shows its URI alone.
#[derive(Clone)]
pub struct ListedSession {
    target: Target,
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
        &self.target
    }

    /// Whether that is its URI. A final slash makes no difference.
    pub fn is_at(&self, target: &Target) -> bool {
        self.target.path().trim_end_matches('/') == target.path().trim_end_matches('/')
    }

    /// A member of its resource that is a text; nothing where there is none, or the account may not see it.
    pub fn text(&self, member: &str) -> &str {
        self.resource.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Ownership session it is, for a client that uses `session` and gives its logins this `Context`.
    pub fn whose(&self, session: Option<&Session>, context: Option<&str>) -> Ownership {
        let context = context.or(session.and_then(Session::context).map(|context| &**context));
        let in_use = session.and_then(Session::target).is_some_and(|target| self.is_at(target));
        match self.marked || in_use {
            true => Ownership::Own,
            false if is_of(&self.resource, context) => Ownership::OfContext,
            false => Ownership::Other,
        }
    }
}

impl fmt::Debug for ListedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListedSession({})", self.target)
    }
}

/// Reads all sessions of a service, in the order of their URIs.
#[derive(Debug)]
pub struct ListSessions {
    chain: Chain<Vec<ListedSession>>,
}

/// The sessions that were read.
#[derive(Debug, Default)]
struct Sessions {
    found: Vec<ListedSession>,
    /// The caller's own session, if the collection marks it.
    marked: Option<Target>,
}

impl Sessions {
    fn push(&mut self, target: Target, resource: Value) {
        self.found.push(ListedSession { target, marked: is_marked(&resource), resource });
    }

    fn sorted(mut self) -> Vec<ListedSession> {
        for session in &mut self.found {
            session.marked |= self.marked.as_ref().is_some_and(|marked| session.is_at(marked));
        }
        self.found.sort_by(|one, other| one.target.as_str().cmp(other.target.as_str()));
        self.found
    }
}

impl Collector for Sessions {
    type Member = Value;

    fn relocate(&mut self, collection: &Target, status: StatusCode) -> Option<Target> {
        legacy_uri(collection, status)
    }

    fn page(&mut self, page: &Answer) -> Result<(), Error> {
        if let Some(link) = marked_in(&page.json()?) {
            self.marked = Some(page.resolve(link)?);
        }
        Ok(())
    }

    fn add(&mut self, member: Resource<Value>) {
        self.push(member.target().clone(), member.into_value());
    }

    fn member_unreadable(&mut self, target: Target, error: Error) -> Result<(), Error> {
        match error.kind() {
            // It ended while the others were read.
            ErrorKind::NotFound => {}
            // Other users' sessions may be hidden from a role.
            ErrorKind::Forbidden => self.push(target, Value::Null),
            _ => return Err(error),
        }
        Ok(())
    }
}

impl Default for ListSessions {
    fn default() -> ListSessions {
        let find = FollowLinks::new(SESSIONS_LINK, Missing::At(SESSIONS)).anonymous_root();
        let chain = Chain::new(find, |(collection, _)| {
            let pages = ReadPages::new(collection, Sessions::default()).newest_first();
            Chain::next(pages, |sessions| Chain::done(sessions.sorted()))
        });
        ListSessions { chain }
    }
}

impl Operation for ListSessions {
    type Output = Vec<ListedSession>;

    forward_to!(chain);
}
