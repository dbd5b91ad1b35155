//! Whether a session is alive: a GET of its own URI with its own token.
//!
//! A 401 for one resource does not prove that the session is dead: some services answer it for a missing license or
//! privilege. Asking for the session itself tells the two apart.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::driver::call::Call;
use crate::driver::exchange::Purpose;
use crate::error::Error;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::service::Service;
use crate::session::Session;
use crate::target::Target;

/// Time limit of the check. A service that takes longer to show a session has not confirmed it.
pub(crate) const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// What the service says about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// The service showed it, or forbade to: it is open.
    Alive,
    /// The service answered 401 at the session's own URI.
    Dead,
    /// Neither is certain: another response, or none.
    Unknown,
}

/// Checks whether a session is alive. Made by [`Session::check`].
///
/// It is one exchange of at most 5 s, repeated once only if it was not sent at all. It never fails: what the service
/// does not confirm is [`Liveness::Unknown`].
#[derive(Debug)]
pub struct CheckSession {
    session: Session,
    target: Target,
}

impl CheckSession {
    /// `None` if the session's URI is not known.
    pub(crate) fn new(session: &Session) -> Option<CheckSession> {
        Some(CheckSession { session: session.clone(), target: session.target()?.clone() })
    }

    /// What the answer to the check says.
    pub(crate) fn judge(&self, answer: &Answer) -> Liveness {
        match answer.status() {
            // What stands elsewhere says nothing about the session.
            _ if !answer.target().same_but_slash(&self.target) => Liveness::Unknown,
            StatusCode::OK if self.is_shown_in(answer) => Liveness::Alive,
            StatusCode::FORBIDDEN => Liveness::Alive,
            StatusCode::UNAUTHORIZED => Liveness::Dead,
            _ => Liveness::Unknown,
        }
    }

    /// Whether the body is this session: a web page, or another resource, confirms nothing.
    fn is_shown_in(&self, answer: &Answer) -> bool {
        let Ok(shown) = answer.json::<Value>() else { return false };
        let text = |name| shown.get(name).and_then(Value::as_str);
        let linked = text("@odata.id").and_then(|link| answer.resolve_path_only(link).ok());
        linked.is_some_and(|link| link.same_but_slash(&self.target))
            || text("Id") == Some(self.target.split_member().1)
    }
}

impl Operation for CheckSession {
    type Output = Liveness;

    /// The request carries the session's own token, whatever session the call has.
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
    /// Checks whether the service still knows it. `None` if its URI is not known.
    pub fn check(&self, service: &Arc<Service>) -> Option<Call<CheckSession>> {
        Some(service.call(CheckSession::new(self)?).with(self.clone()))
    }
}
