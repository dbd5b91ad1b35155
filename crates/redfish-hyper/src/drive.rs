//! The loop that performs what calls ask for. It decides nothing.

use std::future::Future;
use std::pin::Pin;

use redfish_proto::driver::Step;
use redfish_proto::ops::{Login, Opened};
use redfish_proto::{Call, Operation};

use crate::client::Client;
use crate::error::Error;
use crate::exchange::ExchangeContext;
use crate::source::Source;
use crate::stream::Stream;
use crate::trace::Trace;

impl Client {
    /// Drives a call to its end.
    pub(crate) async fn drive<O>(&self, call: Call<O>) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive_watching(call, None, &mut |_| {}).await
    }

    /// The same; `source` is read where the request has a payload, and `waits` sees the operation each time it waits.
    pub(crate) async fn drive_watching<O>(
        &self,
        call: Call<O>,
        source: Option<&Source>,
        waits: &mut (dyn FnMut(&O) + Send),
    ) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let mut aside = ExchangeContext::default();
        let mut step = call.start(self.clock().now());
        loop {
            step = match step {
                Step::Send(outgoing, reply) => {
                    self.observe(&Trace::Request(&outgoing));
                    match self.transport().exchange(outgoing, source, &mut aside).await {
                        Ok((head, body)) => {
                            let heading = reply.heading(&head);
                            let seen = body.as_ref().map_err(|failure| *failure);
                            self.observe(&Trace::Answer { heading, body: seen });
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
                    self.clock().sleep(time).await;
                    timer.fire(self.clock().now())
                }
                Step::Session(request, reply) => match self.find_session(&request).await {
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

    /// Drives a login. Boxed, since a call may need a login, which is a call.
    pub(crate) fn log_in(
        &self,
        login: Call<Login>,
    ) -> Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send + '_>> {
        Box::pin(async move { self.drive(login).await.map(|(opened, _)| opened) })
    }
}
