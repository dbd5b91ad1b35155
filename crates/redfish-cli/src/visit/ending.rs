//! The end of a visit: the job ends or is stopped, and the session is closed.
//!
//! ```text
//!   the job ends, fails or panics ──────┐
//!   a signal or the deadline stops it ──┴─▶ close ──┬─▶ closed
//!                                                   ├─▶ failed: a warning with the error
//!                                                   └─▶ timed out: a warning per session that may be left open
//! ```

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

use redfish_proto::Error;
use serde_json::value::RawValue;

use super::{Job, Visit};
use crate::failure::Failure;
use crate::stop::{Stop, StopReason};

/// The result of a visit.
pub(crate) struct VisitResult {
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
    /// In a sweep, the output of the command.
    pub(crate) output: Option<Box<RawValue>>,
    /// In a sweep, lines for standard error.
    pub(crate) notes: Vec<String>,
    /// The HTTP status of the last response to the job.
    pub(crate) status: Option<u16>,
    /// Whether it failed, although a write may have been carried out.
    pub(crate) sent: bool,
}

impl VisitResult {
    /// The result of a visit that could not start.
    pub(crate) fn failed(failure: Failure) -> VisitResult {
        VisitResult { failure: Some(failure), output: None, notes: Vec::new(), status: None, sent: false }
    }
}

/// How closing the session ended.
enum CloseResult {
    Closed,
    /// Failed, with a warning.
    Failed(Error),
    TimedOut,
}

impl Visit {
    /// Does a job until it ends or is stopped, and closes the session in any case, even after a panic. A failed logout is a
    /// warning, which does not affect the result of the job.
    pub(crate) async fn complete(mut self, job: &impl Job, stop: &Stop) -> VisitResult {
        let result = tokio::select! {
            biased;
            result = catch_panic(job.run(&mut self)) => result,
            reason = stop.wait() => Ok(Err(self.stopped(reason))),
        };
        let status = self.observer.status();
        self.register_token();
        let close_result = self.close(stop).await;
        self.close_replaced(self.service.policy().logout_deadline).await;
        // A login may have had no response, or the logout of another session may have failed.
        let reported = match &close_result {
            CloseResult::Failed(error) => error.uri(),
            CloseResult::Closed | CloseResult::TimedOut => None,
        };
        let mut left_open = self.observer.left_open();
        left_open.retain(|clause| reported.is_none_or(|uri| !clause.ends_with(&format!(": {uri}"))));
        for clause in left_open {
            self.warn(clause);
        }
        let result = result.unwrap_or_else(|panic| resume_unwind(panic));
        let (output, notes) = self.sink.finish(result.is_err());
        let failure = result.err().map(|failure| {
            failure
                .at_service(&self.service)
                .at_timeout(self.options.timeout_limits_exchanges())
                .redacted(self.secrets)
        });
        let sent = self.observer.write_sent() && failure.as_ref().is_some_and(Failure::may_have_written);
        VisitResult { failure, output, notes, status, sent }
    }

    /// The failure of a job that was stopped. If it has sent a write, the outcome is unknown.
    fn stopped(&self, reason: StopReason) -> Failure {
        let failure = Failure::stopped(reason == StopReason::Signal);
        match &self.monitor {
            Some(monitor) => failure.still_running(monitor),
            None if self.observer.write_sent() => failure.outcome_unknown(),
            None => failure,
        }
    }

    /// Closes the session. Waits for a login in flight, within limits.
    async fn close(&mut self, stop: &Stop) -> CloseResult {
        let closing = async {
            let result = self.client.close().await;
            if result.is_ok() {
                self.observer.no_logout_in_flight().await;
            }
            result
        };
        let error = tokio::select! {
            biased;
            result = closing => match result {
                Ok(_) => return CloseResult::Closed,
                Err(error) => error,
            },
            () = self.observer.close_timeout() => return CloseResult::TimedOut,
        };
        self.warn(match stop.reason() {
            Some(StopReason::Signal) => format!("a session may be left open: {error}"),
            _ => format!("the session could not be closed: {error}"),
        });
        CloseResult::Failed(error)
    }
}

/// Runs a future to its end, and returns a panic as an error.
async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
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
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    /// A job that panics while a session is open.
    struct PanickingJob;

    impl Job for PanickingJob {
        async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
            visit.run(ListSessions::default).await?;
            panic!("on purpose");
        }
    }

    #[test]
    fn a_panic_resumes_after_the_session_is_closed() {
        let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
        let server = Server::start(Settings::default(), options).unwrap();
        let options = Arc::new(Cli::parse_from(["redfish", "--service", &server.url()]).options);
        let authentication = Authentication::session(Credentials::new("admin", "machine-room"), None);
        let access = Access { authentication, trust: Trust::system(), secrets: Redactor::default() };
        let visit = async {
            let visit = Visit::single(&options, options.service().unwrap(), access).unwrap();
            visit.complete(&PanickingJob, &Stop::new()).await
        };
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(visit))).err().unwrap();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
        let count = server.mock(|mock| mock.session_count());
        assert_eq!((count.opened, count.deleted, server.open_sessions()), (1, 1, 0));
    }
}
