//! The end of a visit: the job is done or given up, and the session is closed.
//!
//! ```text
//!   the job is done, failed or panics ──┐
//!   a signal or the deadline stops it ──┴─▶ close ──┬─▶ closed
//!                                                   ├─▶ failed: the error is said
//!                                                   └─▶ given up: what may be left open is said
//! ```

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

use serde_json::value::RawValue;

use super::{Job, Visit};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::{Stop, Why};

/// How a visit ended.
pub(crate) struct VisitResult {
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
    /// In a sweep, what the command printed.
    pub(crate) output: Option<Box<RawValue>>,
    /// In a sweep, what is to be printed on standard error.
    pub(crate) notes: Vec<String>,
    /// The HTTP status of the last answer to the work.
    pub(crate) status: Option<u16>,
}

impl VisitResult {
    /// That of a visit that could not begin.
    pub(crate) fn failed(failure: Failure) -> VisitResult {
        VisitResult { failure: Some(failure), output: None, notes: Vec::new(), status: None }
    }
}

/// How the closing of a session ended.
enum Closing {
    LogoutOutcome,
    /// It failed, which was said.
    Failed,
    /// It was not waited for any longer.
    GivenUp,
}

impl Visit {
    /// Does a job, unless it is stopped, and closes the session on every way out, a panic among them. A logout that fails
    /// is reported, and never hides what the job did.
    pub(crate) async fn complete(mut self, job: &impl Job, stop: &Stop) -> VisitResult {
        let ended = tokio::select! {
            biased;
            ended = catching(job.run(&mut self)) => ended,
            why = stop.wait() => Ok(Err(self.stopped(why))),
        };
        let status = self.observer.status();
        self.register_token();
        let closing = self.close(stop).await;
        self.close_replaced(self.service.policy().logout_deadline).await;
        let leaves = match closing {
            // After a signal, the logout of another session than the client's own may have been broken off.
            Closing::LogoutOutcome => stop.asked() == Some(Why::Signal),
            Closing::Failed => false,
            Closing::GivenUp => true,
        };
        if leaves {
            for sentence in self.observer.left() {
                self.warn(format!("{sentence}."));
            }
        }
        let done = ended.unwrap_or_else(|panic| resume_unwind(panic));
        let (output, notes) = self.sink.end(done.is_err());
        let failure = done.err().map(|failure| failure.at(&self.service).redacted(self.secrets));
        VisitResult { failure, output, notes, status }
    }

    /// Why there is no result. A write that was sent may have happened: whoever repeats what failed must know.
    fn stopped(&self, why: Why) -> Failure {
        let failure = Failure::stopped(why == Why::Signal);
        match self.observer.wrote() {
            true => failure.ending(Exit::OutcomeUnknown),
            false => failure,
        }
    }

    /// Closes the session. A login that is still in flight is waited for as long as makes sense.
    async fn close(&mut self, stop: &Stop) -> Closing {
        let closing = async {
            let closed = self.client.close().await;
            if closed.is_ok() {
                self.observer.settled().await;
            }
            closed
        };
        let error = tokio::select! {
            biased;
            closed = closing => match closed {
                Ok(_) => return Closing::LogoutOutcome,
                Err(error) => error,
            },
            () = self.observer.patience() => return Closing::GivenUp,
        };
        self.warn(match stop.asked() {
            Some(Why::Signal) => format!("a session may be left open: {error}"),
            _ => format!("the session could not be closed: {error}"),
        });
        Closing::Failed
    }
}

/// Runs a future to its end; a panic is an error.
async fn catching<T>(work: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser;
    use redfish_mock::{ServeOptions, Server, Settings, Tls};
    use redfish_proto::ops::ListSessions;
    use redfish_proto::{Credentials, Redactor};
    use redfish_tls::Trust;

    use super::*;
    use crate::access::Access;
    use crate::authentication::Authentication;
    use crate::options::Options;
    use crate::runtime::block_on;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        options: Options,
    }

    /// A job that panics with a session open.
    struct Panics;

    impl Job for Panics {
        async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
            visit.run(ListSessions::default).await?;
            panic!("on purpose");
        }
    }

    #[test]
    fn a_panic_goes_on_once_the_session_is_closed() {
        let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
        let server = Server::start(Settings::default(), options).unwrap();
        let options = Arc::new(Words::parse_from(["redfish", "--service", &server.url()]).options);
        let authentication = Authentication::session(Credentials::new("admin", "machine-room"), None);
        let access = Access { authentication, trust: Trust::system(), secrets: Redactor::default() };
        let visit = async {
            let visit = Visit::single(&options, options.service().unwrap(), access).unwrap();
            visit.complete(&Panics, &Stop::new()).await
        };
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(visit))).err().unwrap();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
        let count = server.mock(|mock| mock.session_count());
        assert_eq!((count.opened, count.deleted, server.open_sessions()), (1, 1, 0));
    }
}
