//! What a served [`Mock`], its owner and its connections share, and the clock that they go by.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::delivery;
use crate::mock::Mock;
use crate::protocol::answer::Answer;
use crate::protocol::event::EventStream;

/// The time since the start, and what was added to it.
pub(super) struct Clock {
    started: Instant,
    ahead: watch::Sender<Duration>,
}

impl Clock {
    pub(super) fn start() -> Clock {
        Clock { started: Instant::now(), ahead: watch::Sender::new(Duration::ZERO) }
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed() + *self.ahead.borrow()
    }

    pub(super) fn advance(&self, time: Duration) {
        self.ahead.send_modify(|ahead| *ahead += time);
    }

    /// Waits until it is so late, or until somebody has advanced the clock.
    pub(super) async fn reach(&self, due: Option<Duration>) {
        let mut ahead = self.ahead.subscribe();
        let advanced = async {
            // The sender is here as long as we are.
            let _ = ahead.changed().await;
        };
        match due {
            None => advanced.await,
            Some(due) => {
                let _ = tokio::time::timeout(due.saturating_sub(self.now()), advanced).await;
            }
        }
    }
}

/// A service that is being served.
pub(crate) struct Shared {
    mock: Mutex<Mock>,
    requests: AtomicU64,
    pub(super) clock: Arc<Clock>,
    /// Somebody did something, which may lead to more by itself.
    pub(super) changed: Notify,
    /// The service has gone away, and its connections with it.
    pub(super) gone: Notify,
}

/// What a service is about to do by itself.
pub(super) struct Outlook {
    /// Until when it is away.
    pub(super) away: Option<Duration>,
    /// How often it has been.
    pub(super) absences: u64,
    /// When something happens next.
    pub(super) due: Option<Duration>,
}

impl Shared {
    pub(super) fn new(mock: Mock, clock: Arc<Clock>) -> Shared {
        Shared {
            mock: Mutex::new(mock),
            requests: AtomicU64::new(0),
            clock,
            changed: Notify::new(),
            gone: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Looks at the service, or changes it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Mock) -> T) -> T {
        let seen = look(&mut self.mock());
        self.changed.notify_one();
        seen
    }

    /// Answers a request, and sends the events of it.
    pub(super) fn handle<B: AsRef<[u8]>>(&self, request: &http::Request<B>) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut mock = self.mock();
        let answer = mock.handle(request, self.now());
        delivery::send(mock.take_deliveries());
        self.changed.notify_one();
        answer
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn open_sessions(&self) -> usize {
        self.mock().open_sessions(self.now())
    }

    /// What a stream has to send.
    pub(super) fn events(&self, stream: EventStream) -> Option<String> {
        self.mock().events(stream, self.now())
    }

    /// Lets happen what is due by now, and sends the events of it.
    pub(super) fn tick(&self) -> Outlook {
        let now = self.now();
        let mut mock = self.mock();
        let away = mock.unavailable_until(now);
        delivery::send(mock.take_deliveries());
        Outlook { away, absences: mock.outages(now), due: mock.next_due(now) }
    }

    /// A panic under the lock, in a closure of the owner's, does not end the service.
    pub(super) fn mock(&self) -> MutexGuard<'_, Mock> {
        self.mock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
