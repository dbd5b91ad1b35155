//! A client without threads, sockets or a clock, which runs calls against a [`FakeTransport`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response;
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest, SessionSource, Step};
use redfish_proto::ops::{Login, LogoutOutcome};
use redfish_proto::{Call, Error, Identity, Operation, Service};

/// A simulated service and its clock.
pub trait FakeTransport {
    /// Performs one exchange.
    ///
    /// # Errors
    /// The failure, if no complete response head was received.
    fn exchange(&mut self, outgoing: &Outgoing)
    -> Result<(response::Parts, Result<Bytes, Failure>), Failure>;

    /// Advances the clock.
    fn wait(&mut self, time: Duration);

    /// The current time.
    fn now(&self) -> Now;
}

/// A driver that behaves like the drivers of both adapters, without their I/O.
#[derive(Debug)]
pub struct Client<T> {
    /// The service.
    pub service: Arc<Service>,
    /// The authenticator, which holds the session.
    pub authenticator: Authenticator,
    /// The simulated service.
    pub transport: T,
}

impl<T: FakeTransport> Client<T> {
    /// Runs an operation.
    ///
    /// # Errors
    /// The error of the call.
    pub fn run<O: Operation>(&mut self, operation: O) -> Result<O::Output, Error> {
        self.drive(self.service.call(operation))
    }

    /// Runs a call.
    ///
    /// # Errors
    /// The error of the call.
    pub fn drive<O: Operation>(&mut self, call: Call<O>) -> Result<O::Output, Error> {
        let mut step = call.start(self.transport.now());
        loop {
            step = match step {
                Step::Send(outgoing, reply) => match self.transport.exchange(&outgoing) {
                    Ok((head, body)) => reply.receive(head, body.map_err(Into::into), self.transport.now()),
                    Err(failure) => reply.fail(failure, self.transport.now()),
                },
                Step::Wait(time, timer) => {
                    self.transport.wait(time);
                    timer.fire(self.transport.now())
                }
                Step::Session(request, reply) => match self.session(&request).transpose() {
                    Some(identity) => reply.give(identity, self.transport.now()),
                    None => reply.decline(self.transport.now()),
                },
                Step::Done(result) => return result,
            };
        }
    }

    /// Returns a session, and logs in if necessary. `None` if no other session is available.
    ///
    /// # Errors
    /// The error of the login, or that the client is closed.
    pub fn session(&mut self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        match self.authenticator.renew(request)? {
            SessionSource::Ready(identity) => Ok(Some(identity)),
            SessionSource::Unavailable => Ok(None),
            // The caller runs the login itself, so the login has the caller's remaining time.
            SessionSource::Login(login) => match request.remaining(self.transport.now()) {
                Some(left) => self.log_in(login.deadline(left)).map(Some),
                None => self.log_in(login).map(Some),
            },
        }
    }

    fn log_in(&mut self, login: Call<Login>) -> Result<Identity, Error> {
        let opened = self.drive(login);
        self.authenticator.accept(opened).map(Into::into)
    }

    /// Closes the session. `None` if no session was open.
    ///
    /// # Errors
    /// The error of the logout.
    pub fn close(&mut self) -> Result<Option<LogoutOutcome>, Error> {
        let mut closed = Ok(None);
        while let Some(logout) = self.authenticator.close() {
            let next = self.drive(logout).map(Some);
            closed = closed.and_then(|first| next.map(|next| first.or(next)));
        }
        closed
    }
}
