//! The request of a call for a session.

use std::time::Duration;

use crate::driver::time::Now;
use crate::error::Error;
use crate::identity::Identity;
use crate::kind::{ErrorKind, Phase};

/// A call's request for a session.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    pub(crate) rejected: Option<Identity>,
    pub(crate) deadline: Option<Now>,
    /// When the 401 arrived that made another session necessary.
    pub(crate) refused_at: Now,
    /// Whether that 401 answered a replay. Then no other session is needed, and the previous one may be alive.
    pub(crate) is_replay: bool,
}

impl SessionRequest {
    /// Requests any session, without a deadline.
    pub fn any() -> SessionRequest {
        SessionRequest { rejected: None, deadline: None, refused_at: Now::default(), is_replay: false }
    }

    /// The identity that the service rejected, if another one is needed.
    pub fn rejected(&self) -> Option<&Identity> {
        self.rejected.as_ref()
    }

    /// How long the call can wait for it. `None` without a deadline.
    pub fn remaining(&self, now: Now) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(now))
    }

    /// The error of a call whose deadline passes before it has a session.
    pub fn expired(&self) -> Error {
        Error::new(ErrorKind::Deadline(Phase::Session))
    }
}
