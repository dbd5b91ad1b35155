//! The thread that serves, with its runtime, and how it ends.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc as channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// How long connections may go on after the thread was told to end.
const GRACE: Duration = Duration::from_secs(5);

/// A thread that serves until it is dropped; that takes until the last connection is done, five seconds at the most.
pub(super) struct Thread {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What each that serves holds until it is done: the thread waits for them all.
#[derive(Clone)]
pub(super) struct Stop {
    stopped: watch::Receiver<bool>,
    _busy: mpsc::Sender<Infallible>,
}

impl Thread {
    /// Starts a thread. What `begin` does there may spawn what serves; how it went is told before this returns.
    pub(super) fn start<T: Send + 'static>(
        begin: impl FnOnce(Stop) -> io::Result<T> + Send + 'static,
    ) -> io::Result<(Thread, T)> {
        let (stop, stopped) = watch::channel(false);
        // The runtime is made in the thread that it stays in: the caller may be in one of its own.
        let (report, begun) = channel::channel();
        let thread = std::thread::Builder::new().name("redfish-mock".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            runtime.block_on(async {
                let (busy, mut idle) = mpsc::channel(1);
                let mut ours = Stop { stopped, _busy: busy };
                let began = begin(ours.clone());
                let is_on = began.is_ok();
                if report.send(began).is_err() || !is_on {
                    return;
                }
                ours.told().await;
                // When the last of its copies is gone, the channel says so.
                drop(ours);
                let _: Result<Option<Infallible>, _> = tokio::time::timeout(GRACE, idle.recv()).await;
            });
        })?;
        let begun = begun.recv().map_err(io::Error::other)??;
        Ok((Thread { stop, thread: Some(thread) }, begun))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // No receiver means that the thread has ended already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Stop {
    /// Waits for the end.
    pub(super) async fn told(&mut self) {
        // Without a sender nobody could ever tell.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }

    /// Whether the end has come.
    pub(super) fn is_told(&self) -> bool {
        *self.stopped.borrow()
    }
}
