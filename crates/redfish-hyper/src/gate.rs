//! What holds a request's body back until the service asks for it: hyper sends `Expect`, and does not wait.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// How long a service may take to ask. Many never do, and wait for the body (RFC 9110, 10.1.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// A gate that a body waits at.
#[derive(Debug, Default)]
pub(crate) struct ContinueGate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Waiting,
    Open,
    /// The service has answered without asking. The body stays where it is, and the connection open: the answer is
    /// still to be read.
    Answered,
    /// Nobody reads an answer any more: what was not sent never will be.
    Over,
}

impl ContinueGate {
    /// The service asks for the body.
    pub(crate) fn open(&self) {
        self.turn(Stage::Waiting, Stage::Open);
    }

    /// The service has answered.
    pub(crate) fn answered(&self) {
        self.turn(Stage::Waiting, Stage::Answered);
    }

    /// Whether the body was let through.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().stage == Stage::Open
    }

    fn turn(&self, from: Stage, to: Stage) {
        let mut state = self.lock();
        if state.stage == from {
            state.turn(to);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&mut self, to: Stage) {
        self.stage = to;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Ends the wait with the exchange, however that ends.
pub(crate) struct GateGuard(pub(crate) Option<Arc<ContinueGate>>);

impl Drop for GateGuard {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.lock().turn(Stage::Over);
        }
    }
}

/// A body that waits at its gate.
pub(crate) struct Waiting {
    gate: Arc<ContinueGate>,
    patience: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(crate) fn at(gate: Arc<ContinueGate>) -> Waiting {
        Waiting { gate, patience: PATIENCE, sleep: None }
    }

    /// Whether the next piece may go.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.gate.lock();
        match state.stage {
            Stage::Open => return Poll::Ready(Ok(())),
            Stage::Over => {
                return Poll::Ready(Err(io::Error::other("the exchange ended before the body was sent")));
            }
            Stage::Waiting | Stage::Answered => state.waker = Some(context.waker().clone()),
        }
        if state.stage == Stage::Waiting {
            let patience = self.patience;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
            ready!(sleep.as_mut().poll(context));
            state.stage = Stage::Open;
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(waiting: &mut Waiting) -> Poll<bool> {
        waiting.poll(&mut Context::from_waker(Waker::noop())).map(|passed| passed.is_ok())
    }

    fn gate(patience: Duration) -> (Arc<ContinueGate>, Waiting) {
        let gate = Arc::<ContinueGate>::default();
        (gate.clone(), Waiting { patience, ..Waiting::at(gate) })
    }

    #[tokio::test]
    async fn a_body_waits_until_it_is_asked_for() {
        let (gate, mut body) = gate(PATIENCE);
        assert_eq!(polled(&mut body), Poll::Pending);
        gate.open();
        gate.answered();
        assert_eq!(polled(&mut body), Poll::Ready(true));
    }

    #[tokio::test]
    async fn a_body_that_nobody_asks_for_goes_after_a_while() {
        let (gate, mut body) = gate(Duration::ZERO);
        std::future::poll_fn(|context| body.poll(context)).await.unwrap();
        gate.answered();
        assert_eq!(polled(&mut body), Poll::Ready(true), "an answer does not stop what has begun");
    }

    #[tokio::test]
    async fn a_body_stays_once_there_is_an_answer_and_is_over_with_the_exchange() {
        let (gate, mut body) = gate(Duration::ZERO);
        gate.answered();
        assert_eq!(polled(&mut body), Poll::Pending);
        gate.open();
        assert_eq!(polled(&mut body), Poll::Pending);
        drop(GateGuard(Some(gate)));
        assert_eq!(polled(&mut body), Poll::Ready(false));
    }
}
