//! The signals that end a process: the only place that handles them.
//!
//! ```text
//!   1st signal ──┬─ nobody listens: nothing is open ──────────────────────────────▶ exit with 128 + signal
//!                └─ a command listens: it closes what it has opened and ends ──────▶ exit with 128 + signal
//!                                       └─ not within BOUND, whatever blocks it ─┐
//!   2nd signal ──────────────────────────────────────────────────────────────────┴─▶ say what is left open, and exit
//! ```
//!
//! A signal that was ignored when the command began stays ignored, as nohup wants it of SIGHUP; not so SIGINT, SIGTERM and
//! SIGQUIT, since a shell without job control ignores them for what it runs in the background. SIGXFSZ is caught and does
//! nothing, so that a write beyond the limit of a file's size is an error like any other, and the session is closed. The
//! same holds for SIGPIPE, which the standard library ignores.
//!
//! A thread waits for signals, so that they are handled while the rest of the command is blocked: by a question, a lock, a
//! pipe, a slow reader.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::observer;
use crate::output;
use crate::prompt;
use crate::stop::{Stop, Why};

/// How long a command may take to end. It is longer than what each wait of a command that ends is limited to, so it
/// matters only where the command is blocked.
const BOUND: Duration = Duration::from_secs(12);

/// How long it may take to say what is left open: standard error may have no reader.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The signals that end the command in any case.
const ALWAYS: &[Signal] = &[Signal::INT, Signal::TERM, Signal::QUIT];

/// The signals that end the command unless they were ignored when it began: all others that end a process and are not the
/// mark of a defect.
const UNLESS_IGNORED: &[Signal] = &[
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::IO,
    #[cfg(target_os = "linux")]
    Signal::POWER,
    #[cfg(target_os = "linux")]
    Signal::STKFLT,
];

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
    let ignored = ignored();
    let is_heeded = |signal: &&Signal| ignored >> (signal.as_raw() - 1) & 1 == 0;
    let caught = ALWAYS.iter().chain(UNLESS_IGNORED.iter().filter(is_heeded)).map(|signal| signal.as_raw());
    let flagged = flag::register(Signal::XFSZ.as_raw(), Arc::new(AtomicBool::new(false)));
    match flagged.and_then(|_| Signals::new(caught)) {
        Ok(mut signals) => drop(thread::spawn(move || signals.forever().for_each(handle))),
        Err(error) => output::note(format_args!("redfish: warning: signals cannot be caught: {error}.")),
    }
}

/// The signals that were ignored when the command began, a bit each, where the system says so.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
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
    let Some(Listener { stop, ends }) = listener().take() else { end(status) };
    if ends == Ends::Early {
        STATUS.store(status, Ordering::SeqCst);
        thread::spawn(move || {
            thread::sleep(BOUND);
            end(status);
        });
    }
    stop.ask(Why::Signal);
}

/// Says what is left open, and ends the process.
fn end(status: i32) -> ! {
    let (said, all_said) = mpsc::channel();
    thread::spawn(move || {
        for sentence in observer::left() {
            output::note(format_args!("redfish: warning: {sentence}."));
        }
        let _ = said.send(());
    });
    let _ = all_said.recv_timeout(LAST_WORDS);
    process::exit(status)
}

fn listener() -> MutexGuard<'static, Option<Listener>> {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}
