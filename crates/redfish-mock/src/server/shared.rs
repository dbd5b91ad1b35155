//! What a server, its owner and its connections share: the [`Mock`] and its clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::certificate::{Identity, SharedBy};
use super::delivery::{self, MAX_DELIVERIES};
use crate::mock::Mock;
use crate::pending_request::{Begun, PendingRequest};
use crate::protocol::answer::Answer;
use crate::protocol::event::EventStream;

/// The time since the start, plus an offset.
pub(super) struct Clock {
    started: Instant,
    offset: watch::Sender<Duration>,
}

impl Clock {
    pub(super) fn start() -> Clock {
        Clock { started: Instant::now(), offset: watch::Sender::new(Duration::ZERO) }
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed() + *self.offset.borrow()
    }

    pub(super) fn advance(&self, time: Duration) {
        self.offset.send_modify(|offset| *offset += time);
    }

    /// Waits until the time is `due`, or until the clock is advanced.
    pub(super) async fn wait_until(&self, due: Option<Duration>) {
        let mut offset = self.offset.subscribe();
        let advanced = async {
            // The sender lives as long as `self`.
            let _ = offset.changed().await;
        };
        match due {
            None => advanced.await,
            Some(due) => {
                let _ = tokio::time::timeout(due.saturating_sub(self.now()), advanced).await;
            }
        }
    }
}

/// A service that several tasks use.
pub(super) struct SharedMock {
    mock: Mutex<Mock>,
    request_count: AtomicU64,
    pub(super) clock: Arc<Clock>,
    /// Notified when the service may have scheduled new effects.
    pub(super) changed: Notify,
    /// Notified when an outage starts, which breaks all connections.
    pub(super) outage_started: Notify,
    /// Permits of the deliveries that are in progress.
    deliveries: Arc<Semaphore>,
    /// The TLS of new connections, once a client has replaced the certificate.
    acceptor: Mutex<Option<TlsAcceptor>>,
}

/// The availability of a service.
pub(super) struct Status {
    /// The end of the current outage.
    pub(super) unavailable_until: Option<Duration>,
    /// The number of outages.
    pub(super) outages: u64,
    /// The time of the next scheduled effect.
    pub(super) next_due: Option<Duration>,
}

impl SharedMock {
    pub(super) fn new(mock: Mock, clock: Arc<Clock>) -> SharedMock {
        SharedMock {
            mock: Mutex::new(mock),
            request_count: AtomicU64::new(0),
            clock,
            changed: Notify::new(),
            outage_started: Notify::new(),
            deliveries: Arc::new(Semaphore::new(MAX_DELIVERIES)),
            acceptor: Mutex::new(None),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Calls a function that reads or changes the service.
    pub(super) fn with_mock<T>(&self, call: impl FnOnce(&mut Mock) -> T) -> T {
        let result = call(&mut self.lock());
        self.changed.notify_one();
        result
    }

    /// Begins a request, and sends the resulting events.
    pub(super) fn begin(&self, head: http::request::Parts) -> Begun {
        self.request_count.fetch_add(1, Ordering::Relaxed);
        self.handle(|mock, now| mock.begin(head, now))
    }

    /// Answers a request whose body has arrived, and sends the resulting events.
    pub(super) fn end(&self, request: PendingRequest) -> Answer {
        self.handle(|mock, now| mock.end(request, now))
    }

    fn handle<T>(&self, call: impl FnOnce(&mut Mock, Duration) -> T) -> T {
        let mut mock = self.lock();
        let result = call(&mut mock, self.now());
        self.deliver(&mut mock);
        if let Some((certificate, key)) = mock.take_certificate() {
            let acceptor =
                Identity::new(certificate, &key).and_then(|identity| identity.acceptor(SharedBy::None));
            *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor.ok();
        }
        self.changed.notify_one();
        result
    }

    /// The TLS of new connections, if a client has replaced the certificate.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn deliver(&self, mock: &mut Mock) {
        let deliveries = mock.take_deliveries();
        if !deliveries.is_empty() {
            delivery::send(deliveries, &self.deliveries);
        }
    }

    /// The number of requests.
    pub(super) fn request_count(&self) -> u64 {
        self.request_count.load(Ordering::Relaxed)
    }

    pub(super) fn open_sessions(&self) -> usize {
        self.lock().open_sessions(self.now())
    }

    /// The text that an event stream has to send.
    pub(super) fn events(&self, stream: EventStream) -> Option<String> {
        self.lock().events(stream, self.now())
    }

    /// Advances the service to the current time, and sends the resulting events.
    pub(super) fn advance(&self) -> Status {
        let now = self.now();
        let mut mock = self.lock();
        let unavailable_until = mock.unavailable_until(now);
        self.deliver(&mut mock);
        Status { unavailable_until, outages: mock.outages(now), next_due: mock.next_due(now) }
    }

    /// Locks the service. A panic in a function of the owner does not stop the service.
    pub(super) fn lock(&self) -> MutexGuard<'_, Mock> {
        self.mock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The URL of a service.
pub(super) fn url(is_https: bool, address: SocketAddr) -> String {
    format!("{}://{address}", if is_https { "https" } else { "http" })
}
