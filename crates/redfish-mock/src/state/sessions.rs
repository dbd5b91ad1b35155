//! Sessions (DSP0266, "Redfish session login authentication").
//!
//! ```text
//!  login ──► open ──┬──► deleted     by DELETE
//!                   ├──► expired     not used for SessionTimeout
//!                   └──► forgotten   by a restart, the deletion of its account, or a fault
//! ```

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::random::{Random, Seed};
use crate::protocol::profile::Profile;
use crate::protocol::representation::Representation;
use crate::protocol::uris::{self, SESSIONS};

/// An open session. Its token is not public.
#[derive(Clone)]
pub struct Session {
    id: u64,
    token: String,
    account: u32,
    user: String,
    context: Option<String>,
    opened: Duration,
    last_used: Duration,
}

impl Session {
    /// Its path.
    pub fn path(&self) -> String {
        uris::session(self.id)
    }

    /// The user who opened it.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The `Context` of the login.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The time of the login.
    pub fn opened(&self) -> Duration {
        self.opened
    }

    /// The time of the last request.
    pub fn used(&self) -> Duration {
        self.last_used
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn account(&self) -> u32 {
        self.account
    }

    /// The document of the session. `own` is the session of the caller.
    pub(crate) fn document(&self, profile: Profile, own: Option<u64>) -> Value {
        let mut document = json!({
            "@odata.id": self.path(),
            "@odata.type": "#Session.v1_7_0.Session",
            "Id": self.id.to_string(),
            "Name": "User Session",
            "Description": "A session of a user of this service",
            "UserName": self.user,
            "Password": null,
            "SessionType": "Redfish",
        });
        if let Some(context) = &self.context {
            document["Context"] = json!(context);
        }
        if profile == Profile::IloAmplifier {
            document["Oem"] = json!({"Hpe": {"MySession": own == Some(self.id)}});
        }
        document
    }

    pub(crate) fn representation(&self, profile: Profile, own: Option<u64>) -> Representation {
        Representation::new(self.document(profile, own), 0, profile)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("path", &self.path())
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The number of sessions by their end. `opened` is the sum of the others and of the open sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCount {
    /// Logins that succeeded.
    pub opened: u64,
    /// Sessions that a DELETE closed.
    pub deleted: u64,
    /// Sessions that expired because they were not used.
    pub expired: u64,
    /// Sessions that the service dropped: because of a restart, the deletion of their account, or a fault.
    pub forgotten: u64,
}

/// All open sessions.
#[derive(Clone)]
pub(crate) struct Sessions {
    open: Vec<Session>,
    limit: usize,
    timeout: Duration,
    random: Random,
    count: SessionCount,
}

impl Sessions {
    pub(crate) fn new(limit: usize, timeout: Duration, seed: &Seed) -> Sessions {
        Sessions {
            open: Vec::new(),
            limit,
            timeout,
            random: Random::new(seed),
            count: SessionCount::default(),
        }
    }

    #[cfg(feature = "serve")]
    pub(crate) fn reseed(&mut self, seed: &Seed) {
        self.random = Random::new(seed);
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub(crate) fn count(&self) -> SessionCount {
        self.count
    }

    /// The sessions that are open at `now`. Does not remove the expired ones.
    pub(crate) fn open_at(&self, now: Duration) -> impl Iterator<Item = &Session> {
        self.open.iter().filter(move |session| !self.is_expired(session, now))
    }

    fn is_expired(&self, session: &Session, now: Duration) -> bool {
        now.saturating_sub(session.last_used) >= self.timeout
    }

    /// Opens a session. Returns `None` if the limit is reached.
    pub(crate) fn log_in(
        &mut self,
        account: u32,
        user: &str,
        context: Option<String>,
        now: Duration,
    ) -> Option<&Session> {
        if self.open.len() >= self.limit {
            return None;
        }
        let mut id = self.random.number();
        while self.find(id).is_some() {
            id = self.random.number();
        }
        let token = self.random.token();
        self.count.opened += 1;
        self.open.push(Session {
            id,
            token,
            account,
            user: user.to_owned(),
            context,
            opened: now,
            last_used: now,
        });
        self.open.last()
    }

    /// The session with this token.
    pub(crate) fn with_token(&self, token: &str) -> Option<&Session> {
        self.open.iter().find(|session| session.token == token)
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Session> {
        self.open.iter().find(|session| session.id == id)
    }

    /// Records a request, which restarts the timeout.
    pub(crate) fn touch(&mut self, id: u64, now: Duration) {
        if let Some(session) = self.open.iter_mut().find(|session| session.id == id) {
            session.last_used = session.last_used.max(now);
        }
    }

    /// Closes a session for a DELETE. Returns it.
    pub(crate) fn delete(&mut self, id: u64) -> Vec<Session> {
        let removed = self.remove(|session| session.id == id);
        self.count.deleted += removed.len() as u64;
        removed
    }

    /// Removes the expired sessions. Returns them.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<Session> {
        let timeout = self.timeout;
        let removed = self.remove(|session| now.saturating_sub(session.last_used) >= timeout);
        self.count.expired += removed.len() as u64;
        removed
    }

    /// Removes the sessions that `is_removed` accepts, without a request to close them. Returns them.
    pub(crate) fn forget(&mut self, is_removed: impl Fn(&Session) -> bool) -> Vec<Session> {
        let removed = self.remove(is_removed);
        self.count.forgotten += removed.len() as u64;
        removed
    }

    fn remove(&mut self, is_removed: impl Fn(&Session) -> bool) -> Vec<Session> {
        // Usually there is nothing to remove.
        if !self.open.iter().any(&is_removed) {
            return Vec::new();
        }
        let (removed, open) = std::mem::take(&mut self.open).into_iter().partition(is_removed);
        self.open = open;
        removed
    }

    pub(crate) fn collection(&self, profile: Profile, own: Option<u64>) -> Representation {
        let members: Vec<Value> =
            self.open.iter().map(|session| json!({"@odata.id": session.path()})).collect();
        let mut document = json!({
            "@odata.id": SESSIONS,
            "@odata.type": "#SessionCollection.SessionCollection",
            "Name": "Sessions",
            "Description": "The open sessions",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        if profile == Profile::IloAmplifier {
            if let Some(own) = own.and_then(|id| self.find(id)) {
                document["Oem"] = json!({"Hpe": {"Links": {"MySession": {"@odata.id": own.path()}}}});
            }
        }
        Representation::new(document, 0, profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn sessions() -> Sessions {
        Sessions::new(2, seconds(60), &Seed::from(1))
    }

    fn log_in(sessions: &mut Sessions, now: Duration) -> Option<u64> {
        sessions.log_in(1, "ada", None, now).map(Session::id)
    }

    #[test]
    fn a_session_expires_after_its_timeout_and_not_before() {
        let mut sessions = sessions();
        let id = log_in(&mut sessions, seconds(0)).unwrap();
        sessions.touch(id, seconds(50));
        sessions.expire(seconds(109));
        assert_eq!(sessions.open.len(), 1);
        assert_eq!(sessions.open_at(seconds(110)).count(), 0);
        sessions.expire(seconds(110));
        assert_eq!(sessions.open.len(), 0);
        assert_eq!(sessions.count(), SessionCount { opened: 1, expired: 1, ..SessionCount::default() });
    }

    #[test]
    fn the_limit_applies_until_a_session_is_closed() {
        let mut sessions = sessions();
        let first = log_in(&mut sessions, seconds(0)).unwrap();
        assert!(log_in(&mut sessions, seconds(0)).is_some());
        assert!(log_in(&mut sessions, seconds(0)).is_none());
        sessions.delete(first);
        assert!(log_in(&mut sessions, seconds(0)).is_some());
        assert_eq!(sessions.count(), SessionCount { opened: 3, deleted: 1, ..SessionCount::default() });
    }

    #[test]
    fn ten_thousand_expired_sessions_leave_nothing() {
        let mut sessions = sessions();
        for n in 0..10_000 {
            sessions.expire(seconds(n * 60));
            assert!(log_in(&mut sessions, seconds(n * 60)).is_some());
            assert_eq!(sessions.open.len(), 1);
        }
        assert!(sessions.open.capacity() < 16);
    }

    #[test]
    fn debug_shows_no_token() {
        let mut sessions = sessions();
        let session = sessions.log_in(1, "ada", None, seconds(0)).unwrap();
        assert!(!format!("{session:?}").contains(session.token()));
    }

    #[test]
    fn my_session_is_only_the_session_of_the_caller_and_only_in_one_profile() {
        let mut sessions = sessions();
        let (mine, other) =
            (log_in(&mut sessions, seconds(0)).unwrap(), log_in(&mut sessions, seconds(0)).unwrap());
        let shown = |id, profile| sessions.find(id).unwrap().document(profile, Some(mine));
        assert_eq!(shown(mine, Profile::IloAmplifier)["Oem"]["Hpe"]["MySession"], true);
        assert_eq!(shown(other, Profile::IloAmplifier)["Oem"]["Hpe"]["MySession"], false);
        assert!(shown(mine, Profile::Standard).get("Oem").is_none());
    }
}
