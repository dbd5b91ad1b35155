//! The thread of a server, with its runtime, and its shutdown.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc as channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// Timeout for open connections after the signal to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A thread that serves until it is dropped. The drop waits for open connections, up to 5 s.
pub(super) struct ServerThread {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// The signal to stop. Each task of the server holds a copy until it ends: the thread waits until all copies are dropped.
#[derive(Clone)]
pub(super) struct StopSignal {
    stopped: watch::Receiver<bool>,
    _busy: mpsc::Sender<Infallible>,
}

impl ServerThread {
    /// Starts a thread. `begin` runs there and spawns the tasks of the server. Returns its result.
    pub(super) fn start<T: Send + 'static>(
        begin: impl FnOnce(StopSignal) -> io::Result<T> + Send + 'static,
    ) -> io::Result<(ServerThread, T)> {
        let (stop_sender, stopped) = watch::channel(false);
        // The thread creates its own runtime, because the caller may already be in one.
        let (result_sender, result) = channel::channel();
        let thread = std::thread::Builder::new().name("redfish-mock".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(result_sender.send(Err(error))),
            };
            runtime.block_on(async {
                let (busy, mut idle) = mpsc::channel(1);
                let mut stop = StopSignal { stopped, _busy: busy };
                let result = begin(stop.clone());
                let is_started = result.is_ok();
                if result_sender.send(result).is_err() || !is_started {
                    return;
                }
                stop.stopped().await;
                // The channel closes when the last copy is dropped.
                drop(stop);
                let _: Result<Option<Infallible>, _> =
                    tokio::time::timeout(SHUTDOWN_TIMEOUT, idle.recv()).await;
            });
        })?;
        let result = result.recv().map_err(io::Error::other)??;
        Ok((ServerThread { stop: stop_sender, thread: Some(thread) }, result))
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        // Without a receiver, the thread has already ended.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl StopSignal {
    /// Waits for the signal.
    pub(super) async fn stopped(&mut self) {
        // A dropped sender counts as the signal.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }

    /// Whether the signal was sent.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }
}
