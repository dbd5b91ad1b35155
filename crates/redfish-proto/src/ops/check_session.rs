//! Checks whether a session is alive: a GET of its own URI with its own token.
//!
//! A 401 for one resource does not prove that the session is dead: some services send it for a missing license or
//! privilege. A GET of the session itself distinguishes the two.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::answer::Answer;
use crate::driver::call::Call;
use crate::driver::exchange::Purpose;
use crate::error::Error;
use crate::link::link_at;
use crate::operation::{Operation, Request, Transition};
use crate::service::Service;
use crate::session::Session;
use crate::target::Target;

/// Timeout of the check. A service that takes longer has not confirmed the session.
pub(crate) const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a session is alive, as far as the service reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It is alive: the service returned it, or answered 403.
    Alive,
    /// It is dead: the service answered 401 at its own URI.
    Dead,
    /// Unknown: there was another response, or no response.
    Unknown,
}

/// Checks whether a session is alive. Made by [`Session::check`].
///
/// One exchange of up to 5 s, retried once and only if it was not sent. It never fails: without confirmation the
/// result is [`Liveness::Unknown`].
#[derive(Debug)]
pub struct CheckSession {
    session: Session,
    target: Target,
}

impl CheckSession {
    /// `None` if the URI of the session is unknown.
    pub(crate) fn new(session: &Session) -> Option<CheckSession> {
        Some(CheckSession { session: session.clone(), target: session.target()?.clone() })
    }

    /// Interprets the response to the check.
    pub(crate) fn judge(&self, answer: &Answer) -> Liveness {
        match answer.status() {
            // A response of another resource is no confirmation.
            _ if !answer.target().is_same_except_slash(&self.target) => Liveness::Unknown,
            StatusCode::OK if self.is_shown_in(answer) => Liveness::Alive,
            StatusCode::FORBIDDEN => Liveness::Alive,
            StatusCode::UNAUTHORIZED => Liveness::Dead,
            _ => Liveness::Unknown,
        }
    }

    /// Whether the body is this session. A web page or another resource is no confirmation.
    fn is_shown_in(&self, answer: &Answer) -> bool {
        let Ok(shown) = answer.json::<Value>() else { return false };
        let linked = link_at(&shown, "/@odata.id").and_then(|link| answer.resolve_path_only(link).ok());
        linked.is_some_and(|link| link.is_same_except_slash(&self.target))
            || shown.get("Id").and_then(Value::as_str) == Some(self.target.split_member().1)
    }
}

impl Operation for CheckSession {
    type Output = Liveness;

    /// Sends the session's own token instead of the call's.
    fn request(&self) -> Request {
        Request::get(&self.target).purpose(Purpose::Session).probe(CHECK_TIMEOUT).session(&self.session)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(self.judge(&answer)))
    }

    fn fail(self, _: Error) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(Liveness::Unknown))
    }
}

impl Session {
    /// Checks whether the session is alive. `None` if its URI is unknown.
    pub fn check(&self, service: &Arc<Service>) -> Option<Call<CheckSession>> {
        Some(service.call(CheckSession::new(self)?).with_identity(self.clone()))
    }
}
