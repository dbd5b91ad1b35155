//! What a call asks its driver for when it needs a session.

use std::time::Duration;

use crate::driver::time::Now;
use crate::error::Error;
use crate::identity::Identity;
use crate::kind::{ErrorKind, Phase};

/// The session a call asks for.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    pub(crate) rejected: Option<Identity>,
    pub(crate) deadline: Option<Now>,
    /// When the 401 came for which another session is wanted.
    pub(crate) refused_at: Now,
    /// Whether that 401 answered the replay: no other session is wanted then, and the one before may be alive.
    pub(crate) is_replay: bool,
}

impl SessionRequest {
    /// Any session, for as long as it takes: what a program asks that wants to be logged in.
    pub fn any() -> SessionRequest {
        SessionRequest { rejected: None, deadline: None, refused_at: Now::default(), is_replay: false }
    }

    /// The identity that the service rejected; another is needed.
    pub fn rejected(&self) -> Option<&Identity> {
        self.rejected.as_ref()
    }

    /// How long the call can wait for it; `None` where it has no deadline.
    pub fn remaining(&self, now: Now) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(now))
    }

    /// The error of a call whose time is over before there is a session.
    pub fn expired(&self) -> Error {
        Error::new(ErrorKind::Deadline(Phase::Session))
    }
}
