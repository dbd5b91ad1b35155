//! What a client was seen to do: its last answer, whether it has written, and what it may leave open.

mod open;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use redfish_proto::Purpose;
use redfish_proto::driver::Trace;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::output;
use open::OpenSessions;

pub(crate) use open::left;

/// How long a client whose login has not been sent is waited for: nothing of it is open yet.
const BEFORE: Duration = Duration::from_secs(2);

/// How long all may take: the login's answer, and the logout.
const ALL: Duration = Duration::from_secs(9);

/// Watches the clients of one visit.
pub(crate) struct SessionObserver {
    /// The status of the last answer.
    status: AtomicU16,
    wrote: AtomicBool,
    stage: watch::Sender<Stage>,
    open: OpenSessions,
    /// How long a login that was sent is given to be answered, so that its session can be closed.
    login: Duration,
    /// What each line begins with where many services are visited.
    name: Option<String>,
    trace: bool,
}

/// How far the session is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none.
    Before,
    /// Its login was sent.
    Login,
    /// Its logout was sent.
    Logout,
    /// The logout has ended.
    Over,
}

impl SessionObserver {
    /// One for a visit of `service`. It gives a login this long to be answered, prints what it sees if `trace` is set, and
    /// names the service in each line if there is a `name`.
    pub(crate) fn new(
        service: String,
        login: Duration,
        name: Option<String>,
        trace: bool,
    ) -> Arc<SessionObserver> {
        Arc::new(SessionObserver {
            status: AtomicU16::new(0),
            wrote: AtomicBool::new(false),
            stage: watch::channel(Stage::Before).0,
            open: OpenSessions::of(service),
            login,
            name,
            trace,
        })
    }

    /// The status of the last answer; `None` without an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::SeqCst)).filter(|status| *status > 0)
    }

    /// Whether a write was sent: after that, it may have happened.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::SeqCst)
    }

    /// The session is kept for later commands.
    pub(crate) fn keep(&self) {
        self.open.keep();
    }

    /// Where sessions of the visit may be left open, a sentence each.
    pub(crate) fn left(&self) -> Vec<String> {
        self.open.left()
    }

    /// Waits until no logout is in flight. That of a late login goes on by itself.
    pub(crate) async fn settled(&self) {
        // It fails if the sender is gone, which is here.
        let _ = self.stage.subscribe().wait_for(|stage| *stage != Stage::Logout).await;
    }

    /// A logout has ended, one way or the other.
    pub(crate) fn logout_ended(&self) {
        self.stage.send_if_modified(|stage| {
            let ends = *stage == Stage::Logout;
            if ends {
                *stage = Stage::Over;
            }
            ends
        });
    }

    /// Waits as long as a client that is closing may need. What it leaves then is [left](Self::left).
    pub(crate) async fn patience(&self) {
        let mut stage = self.stage.subscribe();
        let stages = async {
            let sent = timeout(BEFORE, stage.wait_for(|stage| *stage > Stage::Before)).await.is_ok();
            if sent && timeout(self.login, stage.wait_for(|stage| *stage > Stage::Login)).await.is_ok() {
                pending().await
            }
        };
        tokio::select! {
            () = stages => {}
            () = sleep(ALL) => {}
        }
    }

    /// Sees one thing that a client does, and prints it if that is wanted.
    pub(crate) fn see(&self, trace: &Trace<'_>) {
        self.open.see(trace);
        match trace {
            Trace::Request(outgoing) => match outgoing.purpose {
                Purpose::Write => self.wrote.store(true, Ordering::SeqCst),
                Purpose::Session if outgoing.request.method() == http::Method::DELETE => {
                    self.stage.send_replace(Stage::Logout);
                }
                // What a login or a logout reads first opens nothing.
                Purpose::Session if outgoing.request.method() == http::Method::POST => {
                    self.stage.send_replace(Stage::Login);
                }
                _ => {}
            },
            Trace::Response { head, .. } => {
                self.status.store(head.status().as_u16(), Ordering::SeqCst);
                self.logout_ended();
            }
            Trace::LogoutFailed(_) => self.logout_ended(),
            _ => {}
        }
        match trace {
            trace if self.trace => self.show(&trace.to_string()),
            Trace::LogoutFailed(error) => {
                let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                output::note(format_args!("redfish: warning: {name}a session may be left open: {error}"));
            }
            _ => {}
        }
    }

    fn show(&self, text: &str) {
        match &self.name {
            None => output::note(text),
            // Many talk at once.
            Some(name) => {
                let lines: Vec<String> = text.lines().map(|line| format!("{name} {line}")).collect();
                output::note(lines.join("\n"));
            }
        }
    }
}
