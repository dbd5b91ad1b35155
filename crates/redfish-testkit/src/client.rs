//! A client without threads, sockets and clock: calls run to their end against a [`Wire`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response;
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest, SessionSource, Step};
use redfish_proto::ops::{Login, LogoutOutcome};
use redfish_proto::{Call, Error, Identity, Operation, Service};

/// The other side of a dialogue, and its clock.
pub trait Wire {
    /// Performs one exchange.
    ///
    /// # Errors
    /// How it failed, where no whole head came.
    fn exchange(&mut self, outgoing: &Outgoing)
    -> Result<(response::Parts, Result<Bytes, Failure>), Failure>;

    /// Lets time pass.
    fn wait(&mut self, time: Duration);

    /// What time it is.
    fn now(&self) -> Now;
}

/// The driver of both adapters, without their I/O.
#[derive(Debug)]
pub struct Client<W> {
    /// The service it talks to.
    pub service: Arc<Service>,
    /// What holds its session.
    pub authenticator: Authenticator,
    /// The other side.
    pub wire: W,
}

impl<W: Wire> Client<W> {
    /// Runs an operation.
    ///
    /// # Errors
    /// The call's.
    pub fn run<O: Operation>(&mut self, operation: O) -> Result<O::Output, Error> {
        self.drive(self.service.call(operation))
    }

    /// Runs a call.
    ///
    /// # Errors
    /// The call's.
    pub fn drive<O: Operation>(&mut self, call: Call<O>) -> Result<O::Output, Error> {
        let mut step = call.start(self.wire.now());
        loop {
            step = match step {
                Step::Send(outgoing, reply) => match self.wire.exchange(&outgoing) {
                    Ok((head, body)) => reply.receive(head, body.map_err(Into::into), self.wire.now()),
                    Err(failure) => reply.fail(failure, self.wire.now()),
                },
                Step::Wait(time, timer) => {
                    self.wire.wait(time);
                    timer.fire(self.wire.now())
                }
                Step::Session(request, reply) => match self.session(&request).transpose() {
                    Some(identity) => reply.give(identity, self.wire.now()),
                    None => reply.decline(self.wire.now()),
                },
                Step::Done(result) => return result,
            };
        }
    }

    /// Finds a session, logging in where that is needed; `None` where there is no other.
    ///
    /// # Errors
    /// The login's, or that the client is closed.
    pub fn session(&mut self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        match self.authenticator.renew(request)? {
            SessionSource::Ready(identity) => Ok(Some(identity)),
            SessionSource::Unavailable => Ok(None),
            // Nobody else runs it, so it has the time that the caller has.
            SessionSource::Login(login) => match request.remaining(self.wire.now()) {
                Some(left) => self.log_in(login.deadline(left)).map(Some),
                None => self.log_in(login).map(Some),
            },
        }
    }

    fn log_in(&mut self, login: Call<Login>) -> Result<Identity, Error> {
        let opened = self.drive(login);
        self.authenticator.accept(opened).map(Into::into)
    }

    /// Ends it; `None` where nothing was open.
    ///
    /// # Errors
    /// The logout's.
    pub fn close(&mut self) -> Result<Option<LogoutOutcome>, Error> {
        let mut closed = Ok(None);
        while let Some(logout) = self.authenticator.close() {
            let next = self.drive(logout).map(Some);
            closed = closed.and_then(|first| next.map(|next| first.or(next)));
        }
        closed
    }
}
