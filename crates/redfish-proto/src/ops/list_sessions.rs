//! The sessions of a service (DSP0266, "Sessions"), and which of them are the caller's own.
//!
//! ```text
//!   root ── Links.Sessions ──▶ a page ──▶ each member that is only a link ──▶ the next page, or the list
//! ```

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::operation::Operation;
use crate::ops::chain::{Chain, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::read_pages::{Collector, Listed, ReadPages};
use crate::resource::Resource;
use crate::session::{Session, is_id, is_session_path};
use crate::target::Target;

/// The default URI of the collection of sessions.
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
/// The URI of the collection before Redfish 1.6; the only one of iDRAC 7 and 8.
pub(crate) const LEGACY_SESSIONS: &str = "/redfish/v1/Sessions";

/// The link to the sessions in the service root.
pub(crate) const SESSIONS_LINK: &str = "/Links/Sessions/@odata.id";

/// The link to the caller's own session in a page of sessions: `MySession` in an `Oem` (iLO).
pub(crate) fn own_session_link(page: &Value) -> Option<&str> {
    let vendors = page.get("Oem").and_then(Value::as_object)?;
    vendors.values().find_map(|vendor| link_at(vendor, "/Links/MySession/@odata.id"))
}

/// Whether a session is marked as the caller's own: `MySession`, at its top or in an `Oem`.
pub(crate) fn is_marked_as_own(session: &Value) -> bool {
    let is_true = |holder: &Value| holder.get("MySession") == Some(&Value::Bool(true));
    let vendors = session.get("Oem").and_then(Value::as_object);
    is_true(session) || vendors.is_some_and(|vendors| vendors.values().any(is_true))
}

/// Whether a session has this `Context`, which a login of this client gave it.
pub(crate) fn has_context(session: &Value, context: Option<&str>) -> bool {
    context.is_some() && session.get("Context").and_then(Value::as_str) == context
}

/// Whether this is the URI of a session, since a logout deletes it: it is below the collection in use, or below one of the
/// standard collections.
pub(crate) fn is_session(target: &Target, collection: &Target) -> bool {
    let path = target.path().to_ascii_lowercase();
    let collection = collection.path().trim_end_matches('/').to_ascii_lowercase();
    let below = path.strip_prefix(&collection).and_then(|below| below.strip_prefix('/'));
    let is_below = !collection.is_empty() && below.is_some_and(|below| is_id(below.trim_matches('/')));
    let is_collection = path.trim_end_matches('/') == collection;
    (is_below || is_session_path(&path)) && !is_collection
}

/// The URI of the collection before Redfish 1.6, if the current one does not exist.
pub(crate) fn legacy_uri(collection: &Target, status: StatusCode) -> Option<Target> {
    let absent = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    (absent && collection.as_str() == SESSIONS).then(|| Target::well_known(LEGACY_SESSIONS))
}

/// A listed session. `Debug` shows only its URI.
#[derive(Clone)]
pub struct ListedSession {
    target: Target,
    marked: bool,
    resource: Value,
}

/// Who opened a session, as far as the service reports. A user name is no proof: others may use the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ownership {
    /// The caller's own: the service marks it with `MySession`, or it has the URI of the session in use.
    Own,
    /// A session with the same `Context`, perhaps from an earlier run.
    SameContext,
    /// A session of another client, or an unknown one.
    Other,
}

impl ListedSession {
    /// Its URI.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether this is its URI. A final slash makes no difference.
    pub fn is_at(&self, target: &Target) -> bool {
        self.target.path().trim_end_matches('/') == target.path().trim_end_matches('/')
    }

    /// A text member of its resource. Empty if it is missing, or if the account may not read it.
    pub fn text(&self, member: &str) -> &str {
        self.resource.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Who opened the session, for a client that uses `session` and gives its logins this `Context`.
    pub fn ownership(&self, session: Option<&Session>, context: Option<&str>) -> Ownership {
        let context = context.or(session.and_then(Session::context).map(|context| &**context));
        let in_use = session.and_then(Session::target).is_some_and(|target| self.is_at(target));
        if self.marked || in_use {
            Ownership::Own
        } else if has_context(&self.resource, context) {
            Ownership::SameContext
        } else {
            Ownership::Other
        }
    }
}

impl fmt::Debug for ListedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListedSession({})", self.target)
    }
}

/// Reads all sessions of a service, sorted by their URIs.
#[derive(Debug)]
pub struct ListSessions {
    chain: Chain<Listed<ListedSession>>,
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
        self.found.push(ListedSession { target, marked: is_marked_as_own(&resource), resource });
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
        if let Some(link) = own_session_link(&page.json()?) {
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
            // A role may not be allowed to read the sessions of other users.
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
            Chain::next(pages, |(sessions, failure)| {
                Chain::done(Listed { members: sessions.sorted(), failure })
            })
        });
        ListSessions { chain }
    }
}

impl Operation for ListSessions {
    type Output = Listed<ListedSession>;

    forward_to!(chain);
}
