//! The loop that performs the steps of a call. The core makes every decision.

use std::future::Future;
use std::pin::Pin;

use redfish_proto::driver::{Step, Trace, TransportError};
use redfish_proto::ops::{Login, Opened};
use redfish_proto::{Call, Error, Operation};

use crate::client::Client;
use crate::source::Source;
use crate::stream::Stream;

impl Client {
    /// Drives a call to its end.
    pub(crate) async fn drive<O>(&self, call: Call<O>) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive_watching(call, None, &mut |_| {}).await
    }

    /// Drives a call to its end. Reads a payload from `source`, and calls `on_wait` before each wait.
    pub(crate) async fn drive_watching<O>(
        &self,
        call: Call<O>,
        source: Option<&Source>,
        on_wait: &mut (dyn FnMut(&O) + Send),
    ) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let mut stream = None;
        let mut step = call.redacting(&self.coordinator().secrets()).start(self.clock().now());
        loop {
            step = match step {
                Step::Send(outgoing, reply) => {
                    self.observe(|| Trace::Request(&outgoing));
                    match self.transport().exchange(outgoing, source, &mut stream).await {
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
                    self.clock().sleep(time).await;
                    timer.fire(self.clock().now())
                }
                Step::Session(request, reply) => match self.find_session(&request).await {
                    Ok(Some(identity)) => reply.give(Ok(identity), self.clock().now()),
                    Ok(None) => reply.decline(self.clock().now()),
                    Err(error) => reply.give(Err(error), self.clock().now()),
                },
                Step::Done(result) => return result.map(|output| (output, stream)),
            }
        }
    }

    /// Drives a login. The future is boxed because a call may need a login, which is itself a call.
    pub(crate) fn log_in(
        &self,
        login: Call<Login>,
    ) -> Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send + '_>> {
        Box::pin(async move { self.drive(login).await.map(|(opened, _)| opened) })
    }
}
