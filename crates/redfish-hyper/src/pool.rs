//! Connections: made for a request, kept for the next, closed when nobody has needed them for a while.
//!
//! hyper-util's own pool begins a second connection where the next request is quicker than the end of the last answer;
//! here a connection is back before its request has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper::client::conn::http1::{Builder, SendRequest};
use redfish_proto::Purpose;
use tokio::time::{Instant, timeout};

use crate::connector::{BoxError, Connector};
use crate::source::Outbound;

/// How long a connection is kept. Controllers close theirs after some seconds, and one that is closed while a
/// request is on its way has lost it.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// A connection that is not in use, or the half of it that sends.
pub(crate) type PooledConnection = SendRequest<Outbound>;

/// How connections are made, and how many to a service are kept.
pub(crate) struct Pool {
    dial: Connector,
    http: Builder,
    kept: usize,
}

/// The connections to one service that are not in use.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<(PooledConnection, Instant)>>);

impl Pool {
    pub(crate) fn new(dial: Connector, http: Builder, kept: usize) -> Pool {
        Pool { dial, http, kept }
    }

    /// A new connection. It ends with its sender, or once it has been idle for too long.
    pub(crate) async fn connect(&self, uri: &Uri, idle: &Arc<Idle>) -> Result<PooledConnection, BoxError> {
        let wire = self.dial.connect(uri.clone()).await?;
        let (sender, connection) = self.http.handshake(wire).await?;
        let idle = Arc::downgrade(idle);
        tokio::spawn(async move {
            let mut connection = connection;
            // What breaks it, its request is told.
            while timeout(KEPT_FOR / 2, &mut connection).await.is_err() {
                idle.upgrade().iter().for_each(|idle| idle.expire());
            }
        });
        Ok(sender)
    }

    /// Keeps a connection whose answer has been read, if it can be used again.
    pub(crate) async fn keep(&self, mut sender: PooledConnection, idle: &Idle) {
        if sender.ready().await.is_ok() {
            let mut kept = idle.lock();
            if kept.len() < self.kept {
                kept.push((sender, Instant::now()));
            }
        }
    }
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<(PooledConnection, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that can be used, the last that was.
    pub(crate) async fn take(&self, purpose: Purpose) -> Option<PooledConnection> {
        // What the service has closed this very moment is known once the runtime has looked at its sockets. A read that
        // is lost that way is sent again; a write is not, so it waits for that.
        if purpose != Purpose::Read && !self.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        let mut kept = self.lock();
        loop {
            let (sender, since) = kept.pop()?;
            if sender.is_ready() && since.elapsed() < KEPT_FOR {
                return Some(sender);
            }
        }
    }

    fn expire(&self) {
        self.lock().retain(|(sender, since)| !sender.is_closed() && since.elapsed() < KEPT_FOR);
    }
}
