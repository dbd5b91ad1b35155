//! The loop that performs the steps of a call. The core makes every decision.

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

    /// Drives a call to its end, or until `cancel` is used. Reads a payload from `source`, and calls `on_wait` before each
    /// wait.
    pub(crate) fn drive_watching<O: Operation>(
        &self,
        call: Call<O>,
        source: Option<&Source>,
        cancel: Option<&Cancel>,
        on_wait: &mut dyn FnMut(&O),
    ) -> Result<(O::Output, Option<Stream>), Error> {
        let mut stream = None;
        let mut step = call.redacting(&self.coordinator().secrets()).start(self.clock().now());
        loop {
            if cancel.is_some_and(Cancel::is_cancelled) {
                return Err(self.service().error(ErrorKind::Closed));
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
                                request: reply.request_line(),
                                failure: error.failure(),
                                cause: reply.cause(&error),
                            });
                            reply.fail(error, self.clock().now())
                        }
                    }
                }
                Step::Wait(time, timer) => {
                    self.observe(|| Trace::Wait(time));
                    on_wait(timer.operation());
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

    /// Returns a session for a call, or `None` if there is no other session than the one that the call had.
    pub(crate) fn find_session(&self, request: &SessionRequest) -> Result<Option<Identity>, Error> {
        loop {
            let result = self.coordinator().session(
                request,
                self.clock(),
                |login| self.drive(login).map(|(opened, _)| opened),
                |logout| self.close_late_session(logout),
            );
            match result {
                Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => {}
                result => return result,
            }
        }
    }
}
