//! Cancellation from another thread.

use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ends a [`Stream`](crate::Stream) or [`Events`](crate::Events) from another thread: before it connects, during a read,
/// or between two connections. It ends at once, except that connecting or a login is completed first.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    cancelled: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    /// The current connection.
    socket: Option<TcpStream>,
    /// The deadline of its reads.
    read_deadline: Option<Instant>,
}

impl Cancel {
    /// Cancels. Has no effect on a stream that has already ended.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        state.shutdown();
        self.0.cancelled.notify_all();
    }

    /// Whether [`cancel`](Cancel::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Waits for `time`, or until cancelled.
    pub fn wait(&self, time: Duration) {
        let result = self.0.cancelled.wait_timeout_while(self.lock(), time, |state| !state.cancelled);
        drop(result.unwrap_or_else(PoisonError::into_inner));
    }

    /// Replaces the current connection.
    pub(crate) fn attach(&self, socket: TcpStream) {
        let mut state = self.lock();
        state.read_deadline = None;
        state.socket = Some(socket);
        if state.cancelled {
            state.shutdown();
        }
    }

    /// Sets the deadline of all further reads.
    pub(crate) fn set_read_deadline(&self, deadline: Option<Instant>) {
        self.lock().read_deadline = deadline;
    }

    pub(crate) fn read_deadline(&self) -> Option<Instant> {
        self.lock().read_deadline
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shutdown(&self) {
        if let Some(socket) = &self.socket {
            // An error means that the connection is already closed.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancel")
    }
}
