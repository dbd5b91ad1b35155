//! A call: one run of an operation. Its rules are in `engine`.
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
//! Each step carries the value that takes its answer and is consumed by it. Answering twice, answering with the wrong
//! value, and continuing after the end do not compile:
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
use crate::driver::engine::{Decision, Engine};
use crate::driver::exchange::{Outgoing, RequestLine, ResponseHead};
use crate::driver::session_request::SessionRequest;
use crate::driver::time::Now;
use crate::error::Error;
use crate::identity::Identity;
use crate::kind::{ErrorKind, Phase};
use crate::operation::{Operation, Transition};
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::knowing_tokens;

/// An operation that has not started. Made by [`Service::call`].
#[must_use = "a call does nothing until it is started"]
pub struct Call<O> {
    operation: O,
    engine: Box<Engine>,
}

/// What the driver must do next.
#[expect(clippy::large_enum_variant, reason = "a box would cost an allocation for each exchange")]
#[must_use = "a call that is not driven to Done has no outcome"]
pub enum Step<O: Operation> {
    /// Perform one exchange.
    Send(Outgoing, Reply<O>),
    /// Wait for at least this time.
    Wait(Duration, Timer<O>),
    /// Provide a session; see [`Authenticator`](crate::driver::Authenticator).
    Session(SessionRequest, SessionReply<O>),
    /// Return the result.
    Done(Result<O::Output, Error>),
}

/// Takes the response of one exchange, or its failure.
#[must_use = "the call waits for a response"]
pub struct Reply<O: Operation>(Box<Engine>, O);

/// Takes the end of a wait.
#[must_use = "the call waits for its timer"]
pub struct Timer<O: Operation>(Box<Engine>, O);

/// Takes a session.
#[must_use = "the call waits for a session"]
pub struct SessionReply<O: Operation>(Box<Engine>, O);

impl Service {
    /// Prepares a call of the operation at this service.
    pub fn call<O: Operation>(self: &Arc<Self>, operation: O) -> Call<O> {
        Call::new(Arc::clone(self), operation)
    }
}

impl<O: Operation> Call<O> {
    pub(crate) fn new(service: Arc<Service>, operation: O) -> Call<O> {
        Call { operation, engine: Box::new(Engine::new(service)) }
    }

    /// Limits the time of the whole call from its start, including retries and waits.
    pub fn deadline(mut self, time: Duration) -> Call<O> {
        self.engine.limit_time(time);
        self
    }

    /// Uses only this identity, so a 401 is final. For Basic, for a fixed token, for a logout.
    pub fn with_identity(mut self, identity: impl Into<Identity>) -> Call<O> {
        self.engine.pin(identity.into());
        self
    }

    /// Hides these secrets as well, in every text of the call. A driver passes those of
    /// [its authenticator](crate::driver::Authenticator::secrets).
    pub fn redacting(mut self, secrets: &Arc<Redactor>) -> Call<O> {
        self.engine.add_secrets(secrets);
        self
    }

    /// Starts the call.
    pub fn start(mut self, now: Now) -> Step<O> {
        let mut secrets = Redactor::default();
        self.operation.secrets(&mut secrets);
        self.engine.add_secrets(&Arc::new(secrets));
        match self.engine.start(now) {
            Ok(()) => advance(self.engine, self.operation, now),
            Err(error) => Step::Done(Err(error)),
        }
    }
}

impl<O: Operation> Reply<O> {
    /// The library's error of a failed exchange. Safe to log.
    pub fn cause(&self, error: &TransportError) -> Option<Cause> {
        error.cause(self.0.redactor())
    }

    /// The request whose response it takes. Safe to log.
    pub fn request_line(&self) -> RequestLine {
        self.0.request_line()
    }

    /// The head of a response. Safe to log.
    pub fn response_head<'a>(&'a self, head: &'a response::Parts) -> ResponseHead<'a> {
        let redactor = knowing_tokens(self.0.redactor(), &head.headers);
        ResponseHead { request: self.request_line(), status: head.status, headers: &head.headers, redactor }
    }

    /// Takes a response: its head, and its body, which may have broken off. The body of a stream is empty.
    ///
    /// The body must be decoded as its [`ContentCoding`](crate::driver::ContentCoding) says. One that the head still describes as
    /// encoded is not data: it is taken as [`Undecodable`](crate::driver::Failure::Undecodable).
    pub fn receive(
        mut self,
        head: response::Parts,
        body: Result<Bytes, TransportError>,
        now: Now,
    ) -> Step<O> {
        let decision = self.0.receive(head, body, now);
        follow(self.0, self.1, decision, now)
    }

    /// Takes the failure of an exchange whose head did not arrive.
    pub fn fail(mut self, failure: impl Into<TransportError>, now: Now) -> Step<O> {
        let decision = self.0.fail(failure.into(), now);
        follow(self.0, self.1, decision, now)
    }
}

impl<O: Operation> Timer<O> {
    /// Continues after the wait. If it is called too early, it returns the rest of the wait.
    pub fn fire(self, now: Now) -> Step<O> {
        let rest = self.0.wake_at.since(now);
        if rest.is_zero() { advance(self.0, self.1, now) } else { Step::Wait(rest, self) }
    }

    /// The operation that waits, for example to show its progress.
    pub fn operation(&self) -> &O {
        &self.1
    }
}

impl<O: Operation> SessionReply<O> {
    /// Continues with an identity, or fails with the error.
    pub fn give(mut self, identity: Result<Identity, Error>, now: Now) -> Step<O> {
        match identity {
            Ok(identity) => match self.0.accept(identity) {
                Ok(true) => advance(self.0, self.1, now),
                Ok(false) => self.decline(now),
                Err(error) => Step::Done(Err(error)),
            },
            // The 401 of a replay is the final response, whether or not there is another session.
            Err(_) if self.0.is_replay_rejected() => self.decline(now),
            // The call's own request was not sent, whatever happened to the login.
            Err(error) => follow(self.0, self.1, Decision::Fail(error.of_login()), now),
        }
    }

    /// Continues without a session. After a 401, the 401 is the final response; before any 401, the call continues
    /// unauthenticated.
    pub fn decline(mut self, now: Now) -> Step<O> {
        match self.0.continue_without_session(now) {
            Some(answer) => follow(self.0, self.1, Decision::Answer(answer), now),
            None => advance(self.0, self.1, now),
        }
    }
}

fn advance<O: Operation>(mut engine: Box<Engine>, operation: O, now: Now) -> Step<O> {
    let auth = operation.auth();
    if let Some(request) = engine.session_request(auth) {
        return Step::Session(request, SessionReply(engine, operation));
    }
    match engine.prepare(operation.request(), auth, now) {
        Ok(outgoing) => Step::Send(outgoing, Reply(engine, operation)),
        Err(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => expire(&engine, operation, error),
        Err(error) => Step::Done(Err(engine.stamp(error))),
    }
}

fn follow<O: Operation>(engine: Box<Engine>, operation: O, decision: Decision, now: Now) -> Step<O> {
    match decision {
        Decision::Send => advance(engine, operation, now),
        Decision::Wait(time) => wait(engine, operation, time, now),
        Decision::Renew => Step::Session(engine.renewal_request(now), SessionReply(engine, operation)),
        Decision::Answer(answer) => apply(engine, operation.respond(answer), now),
        // An operation cannot extend the deadline of the call.
        Decision::Fail(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => {
            expire(&engine, operation, error)
        }
        Decision::Fail(error) => {
            let error = engine.with_redactor(error);
            apply(engine, operation.fail(error), now)
        }
    }
}

/// Ends the call at its deadline. The operation cannot extend it, but may have a result, or know a better error.
fn expire<O: Operation>(engine: &Engine, operation: O, error: Error) -> Step<O> {
    let expired = error.clone();
    let error = match operation.fail(engine.with_redactor(error)) {
        Ok(Transition::Done(output)) => return Step::Done(Ok(output)),
        Ok(_) => expired,
        Err(error) => error,
    };
    Step::Done(Err(engine.stamp(error)))
}

fn apply<O: Operation>(
    mut engine: Box<Engine>,
    transition: Result<Transition<O>, Error>,
    now: Now,
) -> Step<O> {
    match transition {
        Ok(Transition::Done(output)) => Step::Done(Ok(output)),
        Ok(Transition::Next(operation)) => {
            engine.next_request();
            advance(engine, operation, now)
        }
        Ok(Transition::Later(operation, time)) => {
            engine.next_request();
            match engine.poll_after(time, now) {
                Some(time) => wait(engine, operation, time, now),
                None => expire(&engine, operation, Error::new(ErrorKind::Deadline(Phase::Poll))),
            }
        }
        Err(error) => Step::Done(Err(engine.stamp(error))),
    }
}

fn wait<O: Operation>(mut engine: Box<Engine>, operation: O, time: Duration, now: Now) -> Step<O> {
    engine.wake_at = now.after(time);
    Step::Wait(time, Timer(engine, operation))
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
