//! SIGINT and SIGTERM: the session that the command opened is closed, then the command ends; at once on a second one.
//!
//! ```text
//!   1st signal ──▶ close ──┬─ closed, or nothing was open ──────────────▶ 130, 143
//!                          ├─ a login is on its way: 2 s for its answer ─▶ 130, 143
//!                          └─ a logout is on its way: its own 5 s ───────▶ 130, 143
//!   2nd signal ─────────────────────────────────────────────────────────▶ 130, 143
//! ```

use std::process;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use redfish_proto::Closed;
use redfish_ureq::{Client, Error, Trace};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output;
use crate::prompt;

/// How long an unanswered login is given, so that its session can be closed.
const LOGIN: Duration = Duration::from_secs(2);

/// How long a logout that is on its way is given beyond that: its own deadline ends it before.
const LOGOUT: Duration = Duration::from_secs(5);

/// The client whose session the command has opened or will open, and must close. Whoever closes it, or hands its
/// session on, holds the lock while doing so.
static OPEN: Mutex<Option<Client>> = Mutex::new(None);

/// What is told of a signal in place of that, by a command that has many sessions to close. It ends by itself.
static TOLD: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// The exit status of a signal that somebody was told of.
static STATUS: AtomicI32 = AtomicI32::new(0);

static CAUGHT: AtomicBool = AtomicBool::new(false);
static CLOSING: AtomicBool = AtomicBool::new(false);

/// From now on signals are caught.
pub(crate) fn watch() {
    match Signals::new([SIGINT, SIGTERM]) {
        Ok(signals) => drop(thread::spawn(move || wait(signals))),
        Err(error) => output::note(format_args!("redfish: warning: signals cannot be caught: {error}.")),
    }
}

/// From now on a signal closes this client.
pub(crate) fn guard(client: &Client) {
    *open() = Some(client.clone());
}

/// From now on the first signal is told of, and the command ends by itself; [`settle`] gives it the signal's status.
pub(crate) fn tell(told: impl FnOnce() + Send + 'static) {
    *TOLD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(told));
}

/// Closes the client, if it is open.
pub(crate) fn close() -> Result<Option<Closed>, Error> {
    let mut open = open();
    let closed = open.as_ref().map_or(Ok(None), Client::close);
    *open = None;
    closed
}

/// Hands the session on: when that succeeds, it stays open. A signal waits meanwhile.
pub(crate) fn hand_over<E>(hand: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    let mut open = open();
    hand()?;
    *open = None;
    Ok(())
}

/// What the client does, to know how long to wait for it.
pub(crate) fn observe(trace: &Trace<'_>) {
    if matches!(trace, Trace::Request(outgoing) if outgoing.request.method() == http::Method::DELETE) {
        CLOSING.store(true, Ordering::SeqCst);
    }
}

/// Whether a signal is ending the command.
pub(crate) fn caught() -> bool {
    CAUGHT.load(Ordering::SeqCst)
}

/// Leaves the end to the signal, if there was one: the exit status is then the signal's.
pub(crate) fn settle() {
    match STATUS.load(Ordering::SeqCst) {
        0 => {}
        status => process::exit(status),
    }
    while caught() {
        thread::park();
    }
}

fn open() -> MutexGuard<'static, Option<Client>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait(mut signals: Signals) {
    for signal in signals.forever() {
        let status = 128 + signal;
        prompt::restore();
        if CAUGHT.swap(true, Ordering::SeqCst) {
            process::exit(status);
        }
        if let Some(told) = TOLD.lock().unwrap_or_else(PoisonError::into_inner).take() {
            STATUS.store(status, Ordering::SeqCst);
            told();
            continue;
        }
        thread::spawn(move || {
            end();
            process::exit(status);
        });
    }
}

fn end() {
    let (closed, is_closed) = mpsc::channel();
    thread::spawn(move || {
        if let Err(error) = close() {
            output::note(format_args!("redfish: warning: a session may be left open: {error}"));
        }
        let _ = closed.send(());
    });
    let waited = is_closed.recv_timeout(LOGIN);
    if waited == Err(RecvTimeoutError::Timeout) {
        if CLOSING.load(Ordering::SeqCst) {
            let _ = is_closed.recv_timeout(LOGOUT);
        } else {
            output::note("redfish: warning: a login was not answered; it may have left a session open.");
        }
    }
}
