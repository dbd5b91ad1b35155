//! The request to stop a command early.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How long a sweep may take to end after a signal.
const SIGNAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the command stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    Signal,
    /// The deadline of the sweep.
    Deadline,
    /// The reader of standard output has left.
    BrokenPipe,
}

/// A request to stop, shared by its clones.
#[derive(Clone)]
pub(crate) struct Stop(Arc<watch::Sender<Option<StopReason>>>);

impl Stop {
    pub(crate) fn new() -> Stop {
        Stop(Arc::new(watch::channel(None).0))
    }

    /// Requests the stop. The first reason counts, except that a signal replaces the others.
    pub(crate) fn request(&self, reason: StopReason) {
        self.0.send_if_modified(|current| {
            let is_new = current.is_none() || (reason == StopReason::Signal && *current != Some(reason));
            if is_new {
                *current = Some(reason);
            }
            is_new
        });
    }

    /// The reason to stop, if there is one.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        *self.0.borrow()
    }

    /// Waits for the request.
    pub(crate) async fn wait(&self) -> StopReason {
        self.wait_for(|_| true).await
    }

    /// Waits for a signal, and then until the time to end is over.
    pub(crate) async fn signal_timeout(&self) {
        self.wait_for(|reason| reason == StopReason::Signal).await;
        sleep(SIGNAL_TIMEOUT).await;
    }

    fn wait_for(&self, is_awaited: impl Fn(StopReason) -> bool) -> impl Future<Output = StopReason> {
        let mut receiver = self.0.subscribe();
        async move {
            loop {
                let current = *receiver.borrow_and_update();
                match current {
                    Some(reason) if is_awaited(reason) => return reason,
                    _ => {}
                }
                if receiver.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}
