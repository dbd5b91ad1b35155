//! The connection pool: opens connections, reuses them, and closes idle ones.
//!
//! hyper-util's pool opens a second connection if the next request starts before the previous response has ended. Here
//! a connection is back in the pool before its request ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use hyper::client::conn::http1::{Builder, SendRequest};
use redfish_proto::driver::{MAX_IDLE, Purpose};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::connector::{BoxError, Connector};
use crate::source::RequestBody;

/// How often other tasks may run before a write takes an idle connection. One task handles the socket, and another worker
/// may run it.
const POLLS_BEFORE_WRITE: usize = 16;

/// A connection, as its requests see it.
pub(crate) struct PooledConnection {
    pub(crate) sender: SendRequest<RequestBody>,
    task: AbortHandle,
}

/// Closes the connection of an upload that ended early, whose body hyper would otherwise send to its end.
#[derive(Default)]
pub(crate) struct UploadGuard(Option<AbortHandle>);

/// Opens connections, and keeps up to `max_idle` idle ones to each service.
pub(crate) struct Pool {
    connector: Connector,
    http: Builder,
    max_idle: usize,
}

/// The idle connections to one service, each with the time of its last use.
#[derive(Default)]
pub(crate) struct IdleConnections(Mutex<Vec<(PooledConnection, Instant)>>);

impl Pool {
    pub(crate) fn new(connector: Connector, http: Builder, max_idle: usize) -> Pool {
        Pool { connector, http, max_idle }
    }

    /// Opens a connection, which closes when its sender is dropped or after it has been idle for too long.
    pub(crate) async fn connect(
        &self,
        uri: &Uri,
        idle: &Arc<IdleConnections>,
    ) -> Result<PooledConnection, BoxError> {
        let stream = self.connector.connect(uri.clone()).await?;
        let (sender, connection) = self.http.handshake(stream).await?;
        let idle = Arc::downgrade(idle);
        let task = tokio::spawn(async move {
            let mut connection = connection;
            // An error of the connection is also that of its request.
            while timeout(MAX_IDLE / 2, &mut connection).await.is_err() {
                idle.upgrade().iter().for_each(|idle| idle.remove_expired());
            }
        });
        Ok(PooledConnection { sender, task: task.abort_handle() })
    }

    /// Puts a connection back after its response, if it can be used again.
    pub(crate) async fn put_back(&self, mut connection: PooledConnection, idle: &IdleConnections) {
        if connection.sender.ready().await.is_ok() {
            let mut idle = idle.lock();
            if idle.len() < self.max_idle {
                idle.push((connection, Instant::now()));
            }
        }
    }
}

impl UploadGuard {
    /// Closes this connection on drop.
    pub(crate) fn of(connection: &PooledConnection) -> UploadGuard {
        UploadGuard(Some(connection.task.clone()))
    }

    /// Leaves the connection open: its request was sent to the end.
    pub(crate) fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for UploadGuard {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl IdleConnections {
    fn lock(&self) -> MutexGuard<'_, Vec<(PooledConnection, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the usable connection that was used last.
    pub(crate) async fn take(&self, purpose: Purpose) -> Option<PooledConnection> {
        loop {
            let (connection, last_used) = self.lock().pop()?;
            if last_used.elapsed() >= MAX_IDLE {
                continue;
            }
            // The runtime notices a connection that the service has just closed only when it polls its sockets and then the
            // connection's task. A read that is lost in this way is sent again. A write is not, so it lets them go first.
            let polls = if purpose == Purpose::Read { 0 } else { POLLS_BEFORE_WRITE };
            for _ in 0..polls {
                tokio::task::yield_now().await;
                if !connection.sender.is_ready() {
                    break;
                }
            }
            if connection.sender.is_ready() {
                return Some(connection);
            }
        }
    }

    fn remove_expired(&self) {
        self.lock().retain(|(connection, last_used)| {
            !connection.sender.is_closed() && last_used.elapsed() < MAX_IDLE
        });
    }
}
