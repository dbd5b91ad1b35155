//! What ends a command before its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How long a sweep may take to end after a signal.
const BOUND: Duration = Duration::from_secs(10);

/// Why it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody wants it to.
    Signal,
    /// Its time is over.
    Deadline,
    /// Nobody reads what it prints.
    Reader,
}

/// Whether it ends, for all who have to know. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stop(Arc<watch::Sender<Option<Why>>>);

impl Stop {
    pub(crate) fn new() -> Stop {
        Stop(Arc::new(watch::channel(None).0))
    }

    /// Ends it. The first reason stays, but for a signal, which has a bound of its own.
    pub(crate) fn ask(&self, why: Why) {
        self.0.send_if_modified(|asked| {
            let news = asked.is_none() || (why == Why::Signal && *asked != Some(why));
            if news {
                *asked = Some(why);
            }
            news
        });
    }

    /// Why it ends, if it does.
    pub(crate) fn asked(&self) -> Option<Why> {
        *self.0.borrow()
    }

    /// Waits until it ends.
    pub(crate) async fn wait(&self) -> Why {
        self.wait_for(|_| true).await
    }

    /// Waits until a signal has asked for the end, and for longer than that may take.
    pub(crate) async fn overdue(&self) {
        self.wait_for(|why| why == Why::Signal).await;
        sleep(BOUND).await;
    }

    /// The sender is in `self`, so that nobody waits for what cannot come.
    fn wait_for(&self, is: impl Fn(Why) -> bool) -> impl Future<Output = Why> {
        let mut asked = self.0.subscribe();
        async move {
            loop {
                let now = *asked.borrow_and_update();
                match now {
                    Some(why) if is(why) => return why,
                    _ => {}
                }
                if asked.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}
