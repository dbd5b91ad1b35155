//! The loop that performs what calls ask for. It decides nothing.

use redfish_proto::driver::{SessionRequest, Step};
use redfish_proto::{Call, ErrorKind, Identity, Operation};

use crate::cancel::Cancel;
use crate::client::Client;
use crate::error::Error;
use crate::exchange::ExchangeContext;
use crate::source::Source;
use crate::stream::Stream;
use crate::trace::Trace;

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
        let mut aside = ExchangeContext::default();
        let mut step = call.start(self.clock().now());
        loop {
            if cancel.is_some_and(Cancel::is_cancelled) {
                return Err(redfish_proto::Error::new(ErrorKind::Closed).into());
            }
            step = match step {
                Step::Send(outgoing, reply) => {
                    self.observe(&Trace::Request(&outgoing));
                    match self.transport().exchange(outgoing, source, cancel, &mut aside) {
                        Ok((head, body)) => {
                            let heading = reply.heading(&head);
                            self.observe(&Trace::Answer {
                                heading,
                                body: body.as_ref().map_err(|failure| *failure),
                            });
                            reply.receive(head, body, self.clock().now())
                        }
                        Err(failure) => {
                            self.observe(&Trace::Failure { failure, cause: aside.cause.as_deref() });
                            reply.fail(failure, self.clock().now())
                        }
                    }
                }
                Step::Wait(time, timer) => {
                    self.observe(&Trace::Wait(time));
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
                    Err(error) => {
                        let (error, cause) = error.into_parts();
                        aside.cause = cause;
                        reply.give(Err(error), self.clock().now())
                    }
                },
                Step::Done(Ok(output)) => return Ok((output, aside.stream)),
                Step::Done(Err(error)) => return Err(Error::new(error, aside.cause)),
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
