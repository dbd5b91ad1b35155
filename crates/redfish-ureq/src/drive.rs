//! The loop that performs what calls ask for. It decides nothing.

use redfish_proto::driver::{SessionRequest, Step, Trace, TransportError};
use redfish_proto::{Call, Error, ErrorKind, Identity, Operation};

use crate::cancel::Cancel;
use crate::client::Client;
use crate::source::Source;
use crate::stream::Stream;

impl Client {
    /// Drives a call to its end.
    pub(crate) fn drive<O: Operation>(&self, call: Call<O>) -> Result<(O::Output, Option<Stream>), Error> {
        self.drive_watching(call, None, None, &mut |_| {})
    }

    /// The same; `source` is read where the request has a payload, `cancel` ends it, and `waits` sees the operation each
    /// time it waits.
    pub(crate) fn drive_watching<O: Operation>(
        &self,
        call: Call<O>,
        source: Option<&Source>,
        cancel: Option<&Cancel>,
        waits: &mut dyn FnMut(&O),
    ) -> Result<(O::Output, Option<Stream>), Error> {
        let mut stream = None;
        let mut step = call.start(self.clock().now());
        loop {
            if cancel.is_some_and(Cancel::is_cancelled) {
                return Err(Error::new(ErrorKind::Closed));
            }
            step = match step {
                Step::Send(outgoing, reply) => {
                    self.observe(|| Trace::Request(&outgoing));
                    match self.transport().exchange(outgoing, source, cancel, &mut stream) {
                        Ok((head, body)) => {
                            self.observe(|| Trace::Response {
                                head: reply.response_head(&head),
                                body: body.as_ref().map_err(TransportError::failure),
                            });
                            reply.receive(head, body, self.clock().now())
                        }
                        Err(error) => {
                            self.observe(|| Trace::Failure {
                                failure: error.failure(),
                                cause: reply.cause(&error),
                            });
                            reply.fail(error, self.clock().now())
                        }
                    }
                }
                Step::Wait(time, timer) => {
                    self.observe(|| Trace::Wait(time));
                    waits(timer.operation());
                    match cancel {
                        Some(cancel) => self.clock().sleep_cancellable(time, cancel),
                        None => self.clock().sleep(time),
                    }
                    timer.fire(self.clock().now())
                }
                Step::Session(request, reply) => match self.find_session(&request) {
                    Ok(Some(identity)) => reply.give(Ok(identity), self.clock().now()),
                    Ok(None) => reply.decline(self.clock().now()),
                    Err(error) => reply.give(Err(error), self.clock().now()),
                },
                Step::Done(result) => return result.map(|output| (output, stream)),
            }
        }
    }

    /// The session for a call; `None` where there is no other than the one it had.
    pub(crate) fn find_session(&self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        loop {
            let found = self.flight().session(
                request,
                self.clock(),
                |login| self.drive(login).map(|(opened, _)| opened),
                |logout| self.log_out_late(logout),
            );
            match found {
                Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => {}
                found => return found,
            }
        }
    }
}
