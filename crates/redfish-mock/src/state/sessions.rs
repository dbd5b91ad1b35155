//! The sessions that are open: how they come, are used and go (DSP0266, "Redfish session login authentication").
//!
//! ```text
//!  login ──► open ──► used, used, … ──┬──► deleted     by DELETE
//!                                     ├──► expired     unused for as long as SessionTimeout says
//!                                     └──► forgotten   the service restarted, or its account went
//! ```

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::profile::Profile;
use crate::protocol::response::Rendered;
use crate::state::random::Random;

pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
pub(crate) const SESSION_SERVICE: &str = "/redfish/v1/SessionService";

/// A session that is open, without its token.
#[derive(Clone)]
pub struct Session {
    id: u64,
    token: String,
    account: u32,
    user: String,
    context: Option<String>,
    opened: Duration,
    used: Duration,
}

impl Session {
    /// Its path.
    pub fn path(&self) -> String {
        format!("{SESSIONS}/{}", self.id)
    }

    /// The user who opened it.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The `Context` that the login gave it.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// When it was opened.
    pub fn opened(&self) -> Duration {
        self.opened
    }

    /// When it was used last.
    pub fn used(&self) -> Duration {
        self.used
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

    /// The session as a resource. `mine` is the session of who asks.
    pub(crate) fn document(&self, profile: Profile, mine: Option<u64>) -> Value {
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
            document["Oem"] = json!({"Hpe": {"MySession": mine == Some(self.id)}});
        }
        document
    }

    pub(crate) fn render(&self, profile: Profile, mine: Option<u64>) -> Rendered {
        Rendered::new(self.document(profile, mine), 0, profile)
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

/// What became of the sessions so far. `opened` is the sum of the others and of those that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCount {
    /// Logins that succeeded.
    pub opened: u64,
    /// Sessions that a DELETE ended.
    pub deleted: u64,
    /// Sessions that were left unused for too long.
    pub expired: u64,
    /// Sessions that the service dropped by itself: it restarted, their account went, a fault struck.
    pub forgotten: u64,
}

/// The table.
#[derive(Clone)]
pub(crate) struct Sessions {
    open: Vec<Session>,
    limit: usize,
    timeout: Duration,
    random: Random,
    count: SessionCount,
}

impl Sessions {
    pub(crate) fn new(limit: usize, timeout: Duration, seed: u64) -> Sessions {
        Sessions {
            open: Vec::new(),
            limit,
            timeout,
            random: Random::new(seed),
            count: SessionCount::default(),
        }
    }

    #[cfg(feature = "serve")]
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.random = Random::new(seed);
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub(crate) fn count(&self) -> SessionCount {
        self.count
    }

    /// Those that are open at `now`, without dropping the others yet.
    pub(crate) fn open_at(&self, now: Duration) -> impl Iterator<Item = &Session> {
        self.open.iter().filter(move |session| !self.is_expired(session, now))
    }

    fn is_expired(&self, session: &Session, now: Duration) -> bool {
        now.saturating_sub(session.used) >= self.timeout
    }

    /// Opens a session; `None` where as many are open as may be.
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
            used: now,
        });
        self.open.last()
    }

    /// The session that a token opens.
    pub(crate) fn with_token(&self, token: &str) -> Option<&Session> {
        self.open.iter().find(|session| session.token == token)
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Session> {
        self.open.iter().find(|session| session.id == id)
    }

    /// Starts its inactivity anew.
    pub(crate) fn touch(&mut self, id: u64, now: Duration) {
        if let Some(session) = self.open.iter_mut().find(|session| session.id == id) {
            session.used = session.used.max(now);
        }
    }

    /// Ends a session, as its user asked. Here and below, those that went are given back.
    pub(crate) fn delete(&mut self, id: u64) -> Vec<Session> {
        let gone = self.remove(|session| session.id == id);
        self.count.deleted += gone.len() as u64;
        gone
    }

    /// Drops the sessions that were not used for too long.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<Session> {
        let timeout = self.timeout;
        let gone = self.remove(|session| now.saturating_sub(session.used) >= timeout);
        self.count.expired += gone.len() as u64;
        gone
    }

    /// Drops the sessions that `which` says, without anybody having asked.
    pub(crate) fn forget(&mut self, which: impl Fn(&Session) -> bool) -> Vec<Session> {
        let gone = self.remove(which);
        self.count.forgotten += gone.len() as u64;
        gone
    }

    fn remove(&mut self, which: impl Fn(&Session) -> bool) -> Vec<Session> {
        // The rule, and nothing to make room for.
        if !self.open.iter().any(&which) {
            return Vec::new();
        }
        let (gone, open) = std::mem::take(&mut self.open).into_iter().partition(which);
        self.open = open;
        gone
    }

    pub(crate) fn collection(&self, profile: Profile, mine: Option<u64>) -> Rendered {
        let members: Vec<Value> =
            self.open.iter().map(|session| json!({"@odata.id": session.path()})).collect();
        let mut document = json!({
            "@odata.id": SESSIONS,
            "@odata.type": "#SessionCollection.SessionCollection",
            "Name": "Sessions",
            "Description": "The sessions that are open",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        if profile == Profile::IloAmplifier {
            document["Id"] = json!("Sessions");
            if let Some(mine) = mine.and_then(|id| self.find(id)) {
                document["Oem"] = json!({"Hpe": {"Links": {"MySession": {"@odata.id": mine.path()}}}});
            }
        }
        Rendered::new(document, 0, profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn sessions() -> Sessions {
        Sessions::new(2, seconds(60), 1)
    }

    fn log_in(sessions: &mut Sessions, now: Duration) -> Option<u64> {
        sessions.log_in(1, "ada", None, now).map(Session::id)
    }

    #[test]
    fn a_session_ends_after_its_inactivity_and_not_before() {
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
    fn the_limit_holds_until_one_goes() {
        let mut sessions = sessions();
        let first = log_in(&mut sessions, seconds(0)).unwrap();
        assert!(log_in(&mut sessions, seconds(0)).is_some());
        assert!(log_in(&mut sessions, seconds(0)).is_none());
        sessions.delete(first);
        assert!(log_in(&mut sessions, seconds(0)).is_some());
        assert_eq!(sessions.count(), SessionCount { opened: 3, deleted: 1, ..SessionCount::default() });
    }

    #[test]
    fn ten_thousand_sessions_opened_and_expired_leave_nothing() {
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
    fn my_session_is_mine_alone_and_in_one_profile_alone() {
        let mut sessions = sessions();
        let (mine, other) =
            (log_in(&mut sessions, seconds(0)).unwrap(), log_in(&mut sessions, seconds(0)).unwrap());
        let shown = |id, profile| sessions.find(id).unwrap().document(profile, Some(mine));
        assert_eq!(shown(mine, Profile::IloAmplifier)["Oem"]["Hpe"]["MySession"], true);
        assert_eq!(shown(other, Profile::IloAmplifier)["Oem"]["Hpe"]["MySession"], false);
        assert!(shown(mine, Profile::Standard).get("Oem").is_none());
    }
}
