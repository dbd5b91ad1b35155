//! SIGINT and SIGTERM: the only place that handles them.
//!
//! ```text
//!   1st signal ──┬─ nobody listens: nothing is open ─────────────────────────────▶ exit with 130, 143
//!                └─ a command listens: it closes what it has opened and ends ─────▶ exit with 130, 143
//!                                       └─ not within BOUND, whatever blocks it ──▶ exit with 130, 143
//!   2nd signal ───────────────────────────────────────────────────────────────────▶ exit with 130, 143
//! ```
//!
//! A thread waits for signals, so that they are handled while the rest of the command is blocked: by a question, a lock, a
//! pipe, a slow reader.

use std::process;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output;
use crate::prompt;
use crate::stop::{Stop, Why};

/// How long a command may take to end. It is longer than what each wait of a command that ends is limited to, so it
/// matters only where the command is blocked.
const BOUND: Duration = Duration::from_secs(12);

/// Who is notified of the first signal.
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// The exit status that the first signal leads to; 0 without one.
static STATUS: AtomicI32 = AtomicI32::new(0);

struct Listener {
    stop: Stop,
    ends: Ends,
}

/// What a signal does to a command that listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It breaks the command off: the exit status is the signal's.
    Early,
    /// It is how the command ends, in its own time and with its own exit status.
    Well,
}

/// Catches signals from now on. Until a command [listens](listen), one ends the process at once.
pub(crate) fn watch() {
    match Signals::new([SIGINT, SIGTERM]) {
        Ok(mut signals) => drop(thread::spawn(move || signals.forever().for_each(handle))),
        Err(error) => output::note(format_args!("redfish: warning: signals cannot be caught: {error}.")),
    }
}

/// Leaves the first signal to this command from now on.
pub(crate) fn listen(stop: &Stop, ends: Ends) {
    *listener() = Some(Listener { stop: stop.clone(), ends });
}

/// The exit status, if a signal has broken the command off.
pub(crate) fn status() -> Option<u8> {
    u8::try_from(STATUS.load(Ordering::SeqCst)).ok().filter(|status| *status > 0)
}

fn handle(signal: i32) {
    let status = 128 + signal;
    prompt::restore();
    let Some(Listener { stop, ends }) = listener().take() else { process::exit(status) };
    if ends == Ends::Early {
        STATUS.store(status, Ordering::SeqCst);
        thread::spawn(move || {
            thread::sleep(BOUND);
            process::exit(status);
        });
    }
    stop.ask(Why::Signal);
}

fn listener() -> MutexGuard<'static, Option<Listener>> {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}
