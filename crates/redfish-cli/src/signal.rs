//! The signals that end a process. They are handled only here.
//!
//! ```text
//!   1st signal ──┬─ no listener: no session is open ──────────────────────────────▶ exit with 128 + signal
//!                └─ a listener: the command closes its session and ends ───────────▶ exit with 128 + signal
//!                                  └─ not within END_TIMEOUT, as it is blocked ─┐
//!   2nd signal ────────────────────────────────────────────────────────────────┴───▶ print what is left open, and exit
//! ```
//!
//! A signal that was ignored when the command started stays ignored, as `nohup` expects of SIGHUP. SIGINT, SIGTERM and
//! SIGQUIT are caught all the same, because a shell without job control ignores them for background commands. SIGXFSZ is
//! caught and ignored, so that a write beyond the file size limit is an ordinary error and the session is closed. The same
//! holds for SIGPIPE, which the standard library ignores.
//!
//! A thread waits for signals, so that they are handled while the rest of the command is blocked by a prompt, a lock, a
//! pipe or a slow reader.

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
use crate::stop::{Stop, StopReason};

/// How long a command may take to end. Longer than the timeouts of a command that ends, so it applies only to a command
/// that is blocked.
const END_TIMEOUT: Duration = Duration::from_secs(12);

/// How long the last warnings may take, since standard error may have no reader.
const REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The signals that end the command in any case.
const ALWAYS: &[Signal] = &[Signal::INT, Signal::TERM, Signal::QUIT];

/// The signals that end the command unless they were ignored when it started: all others that end a process, except those
/// that report a defect.
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

/// The command to be notified of the first signal.
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// The exit status after the first signal; 0 before it.
static STATUS: AtomicI32 = AtomicI32::new(0);

struct Listener {
    stop: Stop,
    mode: StopMode,
}

/// The effect of a signal on a command that listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopMode {
    /// Interrupts the command, which exits with 128 + signal.
    Interrupt,
    /// Shuts the command down in the normal way, with its own exit status.
    Shutdown,
}

/// Starts to catch signals. Until a command [listens](listen), a signal ends the process at once.
pub(crate) fn watch() {
    let ignored = ignored();
    let is_not_ignored = |signal: &&Signal| ignored >> (signal.as_raw() - 1) & 1 == 0;
    let caught =
        ALWAYS.iter().chain(UNLESS_IGNORED.iter().filter(is_not_ignored)).map(|signal| signal.as_raw());
    let flagged = flag::register(Signal::XFSZ.as_raw(), Arc::new(AtomicBool::new(false)));
    match flagged.and_then(|_| Signals::new(caught)) {
        Ok(mut signals) => drop(thread::spawn(move || signals.forever().for_each(handle))),
        Err(error) => output::note(format_args!("redfish: warning: signals cannot be caught: {error}")),
    }
}

/// The signals that were ignored when the command started, as a bit mask; 0 if the system does not report it.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// Notifies this command of the first signal.
pub(crate) fn listen(stop: &Stop, mode: StopMode) {
    *listener() = Some(Listener { stop: stop.clone(), mode });
}

/// The exit status, if a signal has interrupted the command.
pub(crate) fn status() -> Option<u8> {
    u8::try_from(STATUS.load(Ordering::SeqCst)).ok().filter(|status| *status > 0)
}

fn handle(signal: i32) {
    let status = 128 + signal;
    prompt::restore();
    let Some(Listener { stop, mode }) = listener().take() else { end(status) };
    if mode == StopMode::Interrupt {
        STATUS.store(status, Ordering::SeqCst);
        thread::spawn(move || {
            thread::sleep(END_TIMEOUT);
            end(status);
        });
    }
    stop.request(StopReason::Signal);
}

/// Prints what is left open, and ends the process.
fn end(status: i32) -> ! {
    let (sender, reported) = mpsc::channel();
    thread::spawn(move || {
        for clause in observer::left_open() {
            output::note(format_args!("redfish: warning: {clause}"));
        }
        let _ = sender.send(());
    });
    let _ = reported.recv_timeout(REPORT_TIMEOUT);
    process::exit(status)
}

fn listener() -> MutexGuard<'static, Option<Listener>> {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}
