//! A gate for `Expect: 100-continue`: hyper sends the header, but does not hold the body back.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// How long a body waits for a 100 (Continue). Many services never send it, and wait for the body (RFC 9110, section
/// 10.1.1).
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

/// Holds the body of a request back until the service asks for it.
#[derive(Debug, Default)]
pub(crate) struct ContinueGate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Waiting,
    Open,
    /// The final response arrived first. The body is not sent, and the connection stays open for the response.
    Responded,
    /// The exchange has ended. The body fails.
    Ended,
}

impl ContinueGate {
    /// Lets the body pass: the service has sent a 100 (Continue).
    pub(crate) fn open(&self) {
        self.stop_waiting(Phase::Open);
    }

    /// Keeps a waiting body back: the service has sent the final response.
    pub(crate) fn responded(&self) {
        self.stop_waiting(Phase::Responded);
    }

    /// Whether the body may pass.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    fn stop_waiting(&self, phase: Phase) {
        let mut state = self.lock();
        if state.phase == Phase::Waiting {
            state.enter(phase);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Ends the gate when the exchange ends or is dropped.
pub(crate) struct GateGuard(pub(crate) Option<Arc<ContinueGate>>);

impl Drop for GateGuard {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.lock().enter(Phase::Ended);
        }
    }
}

/// The wait of a body for its gate.
pub(crate) struct GateWait {
    gate: Arc<ContinueGate>,
    timeout: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl GateWait {
    pub(crate) fn new(gate: Arc<ContinueGate>) -> GateWait {
        GateWait { gate, timeout: CONTINUE_TIMEOUT, sleep: None }
    }

    /// Waits until the next piece may be sent.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.gate.lock();
        match state.phase {
            Phase::Open => return Poll::Ready(Ok(())),
            Phase::Ended => {
                return Poll::Ready(Err(io::Error::other("the exchange ended before the body was sent")));
            }
            Phase::Waiting | Phase::Responded => state.waker = Some(context.waker().clone()),
        }
        if state.phase == Phase::Waiting {
            let timeout = self.timeout;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
            ready!(sleep.as_mut().poll(context));
            state.phase = Phase::Open;
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(wait: &mut GateWait) -> Poll<bool> {
        wait.poll(&mut Context::from_waker(Waker::noop())).map(|result| result.is_ok())
    }

    fn gate(timeout: Duration) -> (Arc<ContinueGate>, GateWait) {
        let gate = Arc::<ContinueGate>::default();
        (gate.clone(), GateWait { timeout, ..GateWait::new(gate) })
    }

    #[tokio::test]
    async fn a_body_waits_for_100_continue() {
        let (gate, mut body) = gate(CONTINUE_TIMEOUT);
        assert_eq!(poll(&mut body), Poll::Pending);
        gate.open();
        gate.responded();
        assert_eq!(poll(&mut body), Poll::Ready(true));
    }

    #[tokio::test]
    async fn a_body_is_sent_after_a_timeout() {
        let (gate, mut body) = gate(Duration::ZERO);
        std::future::poll_fn(|context| body.poll(context)).await.unwrap();
        gate.responded();
        assert_eq!(poll(&mut body), Poll::Ready(true), "a response does not stop a body that has begun");
    }

    #[tokio::test]
    async fn a_body_is_held_back_after_a_response_and_fails_when_the_exchange_ends() {
        let (gate, mut body) = gate(Duration::ZERO);
        gate.responded();
        assert_eq!(poll(&mut body), Poll::Pending);
        gate.open();
        assert_eq!(poll(&mut body), Poll::Pending);
        drop(GateGuard(Some(gate)));
        assert_eq!(poll(&mut body), Poll::Ready(false));
    }
}
