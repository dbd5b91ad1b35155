//! The loop that performs what calls ask for. It decides nothing.

use redfish_proto::{Call, Operation, Session, Step, Wanted};

use crate::client::Client;
use crate::error::Error;
use crate::exchange::Aside;
use crate::source::Source;
use crate::stream::Stream;
use crate::trace::Trace;

impl Client {
    /// Drives a call to its end.
    pub(crate) fn drive<O: Operation>(&self, call: Call<O>) -> Result<(O::Output, Option<Stream>), Error> {
        self.drive_watching(call, None, &mut |_| {})
    }

    /// The same; `source` is read where the request has a payload, and `waits` sees the operation each time it waits.
    pub(crate) fn drive_watching<O: Operation>(
        &self,
        call: Call<O>,
        source: Option<&Source>,
        waits: &mut dyn FnMut(&O),
    ) -> Result<(O::Output, Option<Stream>), Error> {
        let mut aside = Aside::default();
        let mut step = call.start(self.clock().now());
        loop {
            step = match step {
                Step::Send(outgoing, reply) => {
                    self.observe(&Trace::Request(&outgoing));
                    match self.transport().exchange(outgoing, source, &mut aside) {
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
                            if aside.unreadable {
                                return Err(Error::unreadable(aside.cause));
                            }
                            reply.fail(failure, self.clock().now())
                        }
                    }
                }
                Step::Wait(time, timer) => {
                    self.observe(&Trace::Wait(time));
                    waits(timer.operation());
                    self.clock().sleep(time);
                    timer.fire(self.clock().now())
                }
                Step::Session(wanted, grant) => match self.find_session(&wanted) {
                    Ok(Some(session)) => grant.give(Ok(session), self.clock().now()),
                    Ok(None) => grant.decline(self.clock().now()),
                    Err(error) => {
                        let (error, cause) = error.into_parts();
                        aside.cause = cause;
                        grant.give(Err(error), self.clock().now())
                    }
                },
                Step::Done(Ok(output)) => return Ok((output, aside.stream)),
                Step::Done(Err(error)) => return Err(Error::new(error, aside.cause)),
            }
        }
    }

    /// The session for a call; `None` where there is no other than the one it had.
    pub(crate) fn find_session(&self, wanted: &Wanted) -> Result<Option<Session>, Error> {
        self.flight().session(
            wanted,
            self.clock(),
            |login| self.drive(login).map(|(opened, _)| opened),
            |logout| self.log_out_late(logout),
        )
    }
}
