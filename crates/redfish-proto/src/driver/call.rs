//! A call: an operation on its way. The machine's face; its rules are in `engine`.
//!
//! ```text
//!            start                 receive, fail
//!   Call ──────────▶ Step ◀───────────────────────── Reply ◀─┐
//!                     │ Send ─────────────────────────────────┘
//!                     │ Wait ──────▶ Timer ── fire ──▶ Step
//!                     │ Session ───▶ SessionReply ── give, decline ──▶ Step
//!                     ▼ Done
//! ```
//!
//! What answers a step rides along with it and is used up by answering, so that answering twice, answering with the
//! wrong thing or going on after the end does not compile:
//!
//! ```compile_fail,E0382
//! # use redfish_proto::{driver::*, ops::Login};
//! fn twice(reply: Reply<Login>, now: Now) {
//!     reply.fail(Failure::Broken, now);
//!     reply.fail(Failure::Broken, now);
//! }
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response;

use crate::cause::{Cause, TransportError};
use crate::driver::engine::{Core, Decision};
use crate::driver::exchange::{Outgoing, ResponseHead};
use crate::driver::session_request::SessionRequest;
use crate::driver::time::Now;
use crate::error::Error;
use crate::identity::Identity;
use crate::kind::{ErrorKind, Phase};
use crate::operation::{Operation, Transition};
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::knowing_tokens;

/// An operation that has not begun. Made by [`Service::call`].
#[must_use = "a call does nothing until it is started"]
pub struct Call<O> {
    operation: O,
    core: Box<Core>,
}

/// What the call asks of its driver.
#[expect(clippy::large_enum_variant, reason = "a box would cost an allocation for each exchange")]
#[must_use = "a call that is not driven to Done has no outcome"]
pub enum Step<O: Operation> {
    /// Perform one exchange.
    Send(Outgoing, Reply<O>),
    /// Wait at least that long.
    Wait(Duration, Timer<O>),
    /// Find a session; see [`Authenticator`](crate::driver::Authenticator).
    Session(SessionRequest, SessionReply<O>),
    /// The end.
    Done(Result<O::Output, Error>),
}

/// Takes the answer of one exchange.
#[must_use = "the call waits for its answer"]
pub struct Reply<O: Operation>(Box<Core>, O);

/// Takes the end of a wait.
#[must_use = "the call waits for its timer"]
pub struct Timer<O: Operation>(Box<Core>, O);

/// Takes a session.
#[must_use = "the call waits for a session"]
pub struct SessionReply<O: Operation>(Box<Core>, O);

impl Service {
    /// A call of the operation on this service.
    pub fn call<O: Operation>(self: &Arc<Self>, operation: O) -> Call<O> {
        Call::new(Arc::clone(self), operation)
    }
}

impl<O: Operation> Call<O> {
    pub(crate) fn new(service: Arc<Service>, operation: O) -> Call<O> {
        Call { operation, core: Box::new(Core::new(service)) }
    }

    /// How long the whole call may take from its start, with its retries and waits.
    pub fn deadline(mut self, time: Duration) -> Call<O> {
        self.core.allow(time);
        self
    }

    /// Uses this identity and no other: a 401 is then final. For Basic, for a fixed token, for a logout.
    pub fn with(mut self, identity: impl Into<Identity>) -> Call<O> {
        self.core.pin(identity.into());
        self
    }

    /// Hides these secrets as well, in every text of the call. A driver passes those of
    /// [its authenticator](crate::driver::Authenticator::secrets).
    pub fn hiding(mut self, secrets: &Arc<Redactor>) -> Call<O> {
        self.core.hide(secrets);
        self
    }

    /// Begins.
    pub fn start(mut self, now: Now) -> Step<O> {
        let mut secrets = Redactor::default();
        self.operation.secrets(&mut secrets);
        self.core.hide(&Arc::new(secrets));
        match self.core.begin(now) {
            Ok(()) => advance(self.core, self.operation, now),
            Err(error) => Step::Done(Err(error)),
        }
    }
}

impl<O: Operation> Reply<O> {
    /// What an observer may see of the error of an exchange that failed.
    pub fn cause(&self, error: &TransportError) -> Option<Cause> {
        error.cause(self.0.redactor())
    }

    /// What an observer may see of a response: safe to log.
    pub fn response_head<'a>(&'a self, head: &'a response::Parts) -> ResponseHead<'a> {
        let redactor = knowing_tokens(self.0.redactor(), &head.headers);
        ResponseHead { status: head.status, headers: &head.headers, redactor }
    }

    /// The exchange has a head, and a body that may have broken off. Of a stream the body is empty.
    pub fn receive(
        mut self,
        head: response::Parts,
        body: Result<Bytes, TransportError>,
        now: Now,
    ) -> Step<O> {
        let ruling = self.0.receive(head, body, now);
        follow(self.0, self.1, ruling, now)
    }

    /// The exchange failed before a whole head was there.
    pub fn fail(mut self, failure: impl Into<TransportError>, now: Now) -> Step<O> {
        let ruling = self.0.fail(failure.into(), now);
        follow(self.0, self.1, ruling, now)
    }
}

impl<O: Operation> Timer<O> {
    /// The time is over. A timer that fires early answers with the rest of the wait.
    pub fn fire(self, now: Now) -> Step<O> {
        let rest = self.0.wake.since(now);
        if rest.is_zero() { advance(self.0, self.1, now) } else { Step::Wait(rest, self) }
    }

    /// The operation that waits, to show how far it is.
    pub fn operation(&self) -> &O {
        &self.1
    }
}

impl<O: Operation> SessionReply<O> {
    /// Takes an identity, or the reason why there is none.
    pub fn give(mut self, identity: Result<Identity, Error>, now: Now) -> Step<O> {
        match identity {
            Ok(identity) => match self.0.grant(identity) {
                Ok(true) => advance(self.0, self.1, now),
                Ok(false) => self.decline(now),
                Err(error) => Step::Done(Err(error)),
            },
            // The 401 of a replay is the answer, whether or not there is another session.
            Err(_) if self.0.is_replayed() => self.decline(now),
            // Whatever became of the login, this call's own request had not been sent with it.
            Err(error) => follow(self.0, self.1, Decision::Fail(error.of_login()), now),
        }
    }

    /// There is none to give: a 401 that led here is the answer, and before that the call goes on as nobody.
    pub fn decline(mut self, now: Now) -> Step<O> {
        match self.0.ungranted(now) {
            Some(answer) => follow(self.0, self.1, Decision::Answer(answer), now),
            None => advance(self.0, self.1, now),
        }
    }
}

fn advance<O: Operation>(mut core: Box<Core>, operation: O, now: Now) -> Step<O> {
    let access = operation.auth();
    if let Some(request) = core.wants(access) {
        return Step::Session(request, SessionReply(core, operation));
    }
    match core.send(operation.request(), access, now) {
        Ok(outgoing) => Step::Send(outgoing, Reply(core, operation)),
        Err(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => expire(&core, operation, error),
        Err(error) => Step::Done(Err(core.stamp(error))),
    }
}

fn follow<O: Operation>(core: Box<Core>, operation: O, ruling: Decision, now: Now) -> Step<O> {
    match ruling {
        Decision::Send => advance(core, operation, now),
        Decision::Wait(time) => wait(core, operation, time, now),
        Decision::Renew => Step::Session(core.wants_other(now), SessionReply(core, operation)),
        Decision::Answer(answer) => settle(core, operation.respond(answer), now),
        // What the call may take as a whole is not the operation's to extend.
        Decision::Fail(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => {
            expire(&core, operation, error)
        }
        Decision::Fail(error) => {
            let error = core.prepared(error);
            settle(core, operation.fail(error), now)
        }
    }
}

/// The end at the deadline. The operation cannot extend it, but may know a better error.
fn expire<O: Operation>(core: &Core, operation: O, error: Error) -> Step<O> {
    let expired = error.clone();
    Step::Done(Err(core.stamp(operation.fail(core.prepared(error)).err().unwrap_or(expired))))
}

fn settle<O: Operation>(mut core: Box<Core>, verdict: Result<Transition<O>, Error>, now: Now) -> Step<O> {
    match verdict {
        Ok(Transition::Done(output)) => Step::Done(Ok(output)),
        Ok(Transition::Next(operation)) => {
            core.next_stage();
            advance(core, operation, now)
        }
        Ok(Transition::Later(operation, time)) => {
            core.next_stage();
            match core.poll_after(time, now) {
                Some(time) => wait(core, operation, time, now),
                None => expire(&core, operation, Error::new(ErrorKind::Deadline(Phase::Poll))),
            }
        }
        Err(error) => Step::Done(Err(core.stamp(error))),
    }
}

fn wait<O: Operation>(mut core: Box<Core>, operation: O, time: Duration, now: Now) -> Step<O> {
    core.wake = now.after(time);
    Step::Wait(time, Timer(core, operation))
}

impl<O> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

impl<O: Operation> fmt::Debug for Step<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send(outgoing, _) => write!(f, "Send({outgoing})"),
            Step::Wait(time, _) => write!(f, "Wait({time:?})"),
            Step::Session(request, _) => write!(f, "Session({request:?})"),
            Step::Done(Ok(_)) => f.write_str("Done(Ok)"),
            Step::Done(Err(error)) => write!(f, "Done({error:?})"),
        }
    }
}
