//! A handle that ends what waits, from another thread.

use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ends a [`Stream`](crate::Stream) or [`Events`](crate::Events) from another thread, whenever it is used: before there
/// is a connection, while a read waits, or between two connections. What is under way ends at once, except that a
/// connection that is just being made, or a login, is finished first.
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
    /// The connection there is, if any.
    socket: Option<TcpStream>,
    /// When its reads have to end.
    end: Option<Instant>,
}

impl Cancel {
    /// Ends it. Nothing happens where it has ended.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        state.shutdown();
        self.0.cancelled.notify_all();
    }

    /// Whether it was used.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Waits that long, or until it is used.
    pub fn wait(&self, time: Duration) {
        let waiting = self.0.cancelled.wait_timeout_while(self.lock(), time, |state| !state.cancelled);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes the socket of a new connection in the place of the former.
    pub(crate) fn attach(&self, socket: TcpStream) {
        let mut state = self.lock();
        state.end = None;
        state.socket = Some(socket);
        if state.cancelled {
            state.shutdown();
        }
    }

    /// Every read from now on ends by that time.
    pub(crate) fn end_by(&self, end: Option<Instant>) {
        self.lock().end = end;
    }

    pub(crate) fn end(&self) -> Option<Instant> {
        self.lock().end
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shutdown(&self) {
        if let Some(socket) = &self.socket {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancel")
    }
}
