//! What a client was seen to do: what came last, whether it has written, and what it may leave open.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use redfish_hyper::Trace;
use redfish_proto::Purpose;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::output;

/// How long a client whose login has not been sent is waited for: nothing of it is open yet.
const BEFORE: Duration = Duration::from_secs(2);

/// How long a login that was sent is given to be answered, so that its session can be closed.
const LOGIN: Duration = Duration::from_secs(3);

/// How long all of that may take, and the logout.
const ALL: Duration = Duration::from_secs(9);

/// What was seen of a client.
pub(super) struct Seen {
    /// The status of the last answer.
    status: AtomicU16,
    wrote: AtomicBool,
    stage: watch::Sender<Stage>,
}

/// How far its session is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none.
    Before,
    /// Its login was sent.
    Login,
    /// Its logout was sent.
    Logout,
    /// That was answered.
    Over,
}

/// What may be left open by a client that is not waited for any more.
pub(super) enum Left {
    Nothing,
    Login,
    Session,
}

impl Seen {
    pub(super) fn new() -> Arc<Seen> {
        let (status, wrote, stage) =
            (AtomicU16::new(0), AtomicBool::new(false), watch::channel(Stage::Before).0);
        Arc::new(Seen { status, wrote, stage })
    }

    /// The status of the last answer; none where there was no answer.
    pub(super) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::SeqCst)).filter(|status| *status > 0)
    }

    /// Whether a write was sent: after that, nothing may do it again.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::SeqCst)
    }

    /// Waits until no logout is on its way: that of a late login goes on by itself.
    pub(super) async fn settled(&self) {
        // It fails where the sender is gone, which is here.
        let _ = self.stage.subscribe().wait_for(|stage| *stage != Stage::Logout).await;
    }

    /// Lets so much time pass as a client that is closing may need, and says what it leaves.
    pub(super) async fn patience(&self) -> Left {
        let mut stage = self.stage.subscribe();
        let stages = async {
            if timeout(BEFORE, stage.wait_for(|stage| *stage > Stage::Before)).await.is_err() {
                return Left::Nothing;
            }
            if timeout(LOGIN, stage.wait_for(|stage| *stage > Stage::Login)).await.is_err() {
                return Left::Login;
            }
            pending().await
        };
        tokio::select! {
            left = stages => left,
            () = sleep(ALL) => Left::Session,
        }
    }

    /// What is told of all the client does. It remembers what counts, and shows all of it where that is wanted: each line
    /// with the service's name, since many talk at once.
    pub(super) fn observer(
        self: Arc<Self>,
        name: String,
        shown: bool,
    ) -> impl Fn(&Trace<'_>) + Send + Sync + 'static {
        move |trace| {
            self.see(trace);
            match trace {
                trace if shown => {
                    let text = trace.to_string();
                    let lines: Vec<String> = text.lines().map(|line| format!("{name} {line}")).collect();
                    output::note(lines.join("\n"));
                }
                Trace::Unclosed(error) => {
                    output::note(format_args!(
                        "redfish: warning: {name}: a session may be left open: {error}"
                    ));
                }
                _ => {}
            }
        }
    }

    fn see(&self, trace: &Trace<'_>) {
        match trace {
            Trace::Request(outgoing) => match outgoing.purpose {
                Purpose::Write => self.wrote.store(true, Ordering::SeqCst),
                Purpose::Session if outgoing.request.method() == http::Method::DELETE => {
                    self.stage.send_replace(Stage::Logout);
                }
                Purpose::Session => drop(self.stage.send_replace(Stage::Login)),
                _ => {}
            },
            Trace::Answer { heading, .. } => {
                self.status.store(heading.status().as_u16(), Ordering::SeqCst);
                self.stage.send_if_modified(|stage| {
                    let over = *stage == Stage::Logout;
                    if over {
                        *stage = Stage::Over;
                    }
                    over
                });
            }
            _ => {}
        }
    }
}
