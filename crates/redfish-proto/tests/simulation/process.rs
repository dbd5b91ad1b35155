//! A call that resumes when an event arrives, like a future or a thread.

use bytes::Bytes;
use http::{StatusCode, response};
use redfish_proto::driver::{Failure, Now, Outgoing, Reply, SessionReply, SessionRequest, Step, Timer};
use redfish_proto::ops::{Login, Logout, LogoutOutcome, Opened, Raw};
use redfish_proto::{Call, Error, Identity, Operation};
use std::time::Duration;

pub(crate) type ExchangeResult = Result<(response::Parts, Result<Bytes, Failure>), Failure>;

/// The event that a process waited for.
pub(crate) enum Resume {
    Start,
    Answer(ExchangeResult),
    Timer,
    Session(Result<Option<Identity>, Error>),
}

/// What a process does next.
#[allow(clippy::large_enum_variant, reason = "it is short-lived")]
pub(crate) enum Next {
    Exchange(Outgoing),
    Wait(Duration),
    Session(SessionRequest),
    Done(End),
}

/// The result of a process.
pub(crate) enum End {
    Call(Result<StatusCode, Error>),
    Login(Result<Opened, Error>),
    Logout(Result<LogoutOutcome, Error>),
}

pub(crate) trait Process {
    fn resume(&mut self, with: Resume, now: Now) -> Next;
}

struct Run<O: Operation> {
    state: State<O>,
    end: fn(Result<O::Output, Error>) -> End,
}

enum State<O: Operation> {
    Call(Call<O>),
    Reply(Reply<O>),
    Timer(Timer<O>),
    SessionReply(SessionReply<O>),
    Done,
}

impl<O: Operation> Process for Run<O> {
    fn resume(&mut self, with: Resume, now: Now) -> Next {
        let step = match (std::mem::replace(&mut self.state, State::Done), with) {
            (State::Call(call), Resume::Start) => call.start(now),
            (State::Reply(reply), Resume::Answer(Ok((head, body)))) => {
                reply.receive(head, body.map_err(Into::into), now)
            }
            (State::Reply(reply), Resume::Answer(Err(failure))) => reply.fail(failure, now),
            (State::Timer(timer), Resume::Timer) => timer.fire(now),
            (State::SessionReply(reply), Resume::Session(session)) => match session.transpose() {
                Some(session) => reply.give(session, now),
                None => reply.decline(now),
            },
            _ => panic!("resumed with an unexpected event"),
        };
        let (state, next) = match step {
            Step::Send(outgoing, reply) => (State::Reply(reply), Next::Exchange(outgoing)),
            Step::Wait(time, timer) => (State::Timer(timer), Next::Wait(time)),
            Step::Session(request, reply) => (State::SessionReply(reply), Next::Session(request)),
            Step::Done(result) => (State::Done, Next::Done((self.end)(result))),
        };
        self.state = state;
        next
    }
}

pub(crate) fn raw(call: Call<Raw>) -> Box<dyn Process> {
    let end = |result: Result<http::Response<Bytes>, Error>| End::Call(result.map(|answer| answer.status()));
    Box::new(Run { state: State::Call(call), end })
}

pub(crate) fn login(call: Call<Login>) -> Box<dyn Process> {
    Box::new(Run { state: State::Call(call), end: End::Login })
}

pub(crate) fn logout(call: Call<Logout>) -> Box<dyn Process> {
    Box::new(Run { state: State::Call(call), end: End::Logout })
}
