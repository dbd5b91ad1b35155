//! The observer of a client: the last status, whether it has sent a write, and which sessions it may leave open.

mod flaws;
mod open;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use http::Method;
use redfish_proto::driver::{Outgoing, Purpose, Trace};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::output;
use flaws::Flaws;
use open::OpenSessions;

pub(crate) use open::left_open;

/// How long to wait for a client that has not sent its login, and so has no session.
const NO_LOGIN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for the response to a login and for the logout together.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(9);

/// Observes the clients of one visit.
pub(crate) struct SessionObserver {
    /// The status of the last response; 0 without one.
    status: AtomicU16,
    write_sent: AtomicBool,
    /// Whether a write was sent before the last one.
    was_written: AtomicBool,
    flaws: Flaws,
    phase: watch::Sender<SessionPhase>,
    open: OpenSessions,
    /// How long to wait for the response to a login, to be able to close its session.
    login_timeout: Duration,
    /// The prefix of each line in a sweep.
    name: Option<String>,
    trace: bool,
}

/// The phase of the session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SessionPhase {
    NoLogin,
    LoginSent,
    LogoutSent,
    LogoutEnded,
}

impl SessionObserver {
    /// An observer of a visit to `service`, which prints each exchange if `trace` is set.
    pub(crate) fn new(
        service: String,
        login_timeout: Duration,
        name: Option<String>,
        trace: bool,
    ) -> Arc<SessionObserver> {
        Arc::new(SessionObserver {
            status: AtomicU16::new(0),
            write_sent: AtomicBool::new(false),
            was_written: AtomicBool::new(false),
            flaws: Flaws::default(),
            phase: watch::channel(SessionPhase::NoLogin).0,
            open: OpenSessions::new(service),
            login_timeout,
            name,
            trace,
        })
    }

    /// The status of the last response, if there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::SeqCst)).filter(|status| *status > 0)
    }

    /// Forgets the responses since this status.
    pub(crate) fn restore_status(&self, status: Option<u16>) {
        self.status.store(status.unwrap_or_default(), Ordering::SeqCst);
    }

    /// Whether a write was sent, so that it may have happened.
    pub(crate) fn write_sent(&self) -> bool {
        self.write_sent.load(Ordering::SeqCst)
    }

    /// Takes the warnings about resources that were read although something is wrong with them.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.flaws.take()
    }

    /// Notes that the session stays open for later commands.
    pub(crate) fn keep(&self) {
        self.open.keep();
    }

    /// A clause for each session of the visit that may be left open.
    pub(crate) fn left_open(&self) -> Vec<String> {
        self.open.left_open()
    }

    /// Waits until no logout is in flight. The logout after a late login runs on its own.
    pub(crate) async fn no_logout_in_flight(&self) {
        // Cannot fail: the sender is in `self`.
        let _ = self.phase.subscribe().wait_for(|phase| *phase != SessionPhase::LogoutSent).await;
    }

    /// Notes that a logout has ended, with or without success.
    pub(crate) fn logout_ended(&self) {
        self.phase.send_if_modified(|phase| {
            let ends = *phase == SessionPhase::LogoutSent;
            if ends {
                *phase = SessionPhase::LogoutEnded;
            }
            ends
        });
    }

    /// Waits until a client that is closing has used up its time; see [`left_open`](Self::left_open).
    pub(crate) async fn close_timeout(&self) {
        let mut phase = self.phase.subscribe();
        let phases = async {
            let login_sent = phase.wait_for(|phase| *phase > SessionPhase::NoLogin);
            if timeout(NO_LOGIN_TIMEOUT, login_sent).await.is_err() {
                return;
            }
            let logout_sent = phase.wait_for(|phase| *phase > SessionPhase::LoginSent);
            if timeout(self.login_timeout, logout_sent).await.is_ok() {
                pending().await
            }
        };
        tokio::select! {
            () = phases => {}
            () = sleep(CLOSE_TIMEOUT) => {}
        }
    }

    /// Observes one event of a client.
    pub(crate) fn observe(&self, trace: &Trace<'_>) {
        self.open.observe(trace);
        self.flaws.observe(trace);
        match trace {
            Trace::Request(outgoing) => self.observe_request(outgoing),
            Trace::Response { head, .. } => {
                let request = head.request();
                if !request.is_probe {
                    self.status.store(head.status().as_u16(), Ordering::SeqCst);
                }
                // The write was not carried out.
                if request.purpose == Purpose::Write
                    && matches!(head.status().as_u16(), 307 | 308 | 400..=499)
                {
                    self.write_sent.store(self.was_written.load(Ordering::SeqCst), Ordering::SeqCst);
                }
                if request.purpose == Purpose::Session {
                    self.logout_ended();
                }
            }
            Trace::LogoutFailed(_) => self.logout_ended(),
            _ => {}
        }
        match trace {
            trace if self.trace => self.print(&trace.to_string()),
            Trace::LogoutFailed(error) => {
                let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                output::note(format_args!("redfish: warning: {name}a session may be left open: {error}"));
            }
            _ => {}
        }
    }

    fn observe_request(&self, outgoing: &Outgoing) {
        let is_delete = outgoing.request.method() == Method::DELETE;
        match outgoing.purpose {
            Purpose::Write => {
                self.was_written.store(self.write_sent.swap(true, Ordering::SeqCst), Ordering::SeqCst);
            }
            Purpose::Session if is_delete => drop(self.phase.send_replace(SessionPhase::LogoutSent)),
            // The reads before a login or a logout open no session.
            Purpose::Session if outgoing.request.method() == Method::POST => {
                self.phase.send_replace(SessionPhase::LoginSent);
            }
            _ => {}
        }
    }

    fn print(&self, text: &str) {
        match &self.name {
            None => output::note(text),
            // The lines of several services are interleaved.
            Some(name) => {
                let lines: Vec<String> = text.lines().map(|line| format!("{name} {line}")).collect();
                output::note(lines.join("\n"));
            }
        }
    }
}
