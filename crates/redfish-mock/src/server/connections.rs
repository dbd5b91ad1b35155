//! The open connections of a server: at most so many, of which the oldest idle one makes room for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The value of [`ConnectionState::idle_since`] while a request is handled.
const BUSY: u64 = u64::MAX;

/// The open connections of a server.
pub(super) struct Connections {
    limit: usize,
    table: Mutex<BTreeMap<u64, Arc<ConnectionState>>>,
    /// Counts connections and requests, which orders them in time.
    clock: AtomicU64,
    /// Notified when a connection ends or becomes idle.
    changed: Notify,
}

struct ConnectionState {
    /// The time of the end of the last response, or of the start of the connection.
    idle_since: AtomicU64,
    evicted: Notify,
}

/// An open connection, until it is dropped.
pub(super) struct Connection {
    id: u64,
    state: Arc<ConnectionState>,
    connections: Arc<Connections>,
}

/// A request that is handled, or a response that is sent, until it is dropped.
pub(super) struct Busy {
    state: Arc<ConnectionState>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Connections> {
        Arc::new(Connections {
            limit: limit.max(1),
            table: Mutex::default(),
            clock: AtomicU64::new(0),
            changed: Notify::new(),
        })
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<ConnectionState>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until there is room for a connection, or an idle one that can make room.
    pub(super) async fn until_acceptable(&self) {
        loop {
            let changed = self.changed.notified();
            let is_acceptable = {
                let table = self.table();
                table.len() < self.limit || table.values().any(|state| state.is_idle())
            };
            if is_acceptable {
                return;
            }
            changed.await;
        }
    }

    /// Adds a connection. If the limit is reached, the oldest idle one is closed.
    pub(super) fn open(self: &Arc<Connections>) -> Connection {
        let mut table = self.table();
        if table.len() >= self.limit {
            let idle = table.iter().filter(|(_, state)| state.is_idle());
            let oldest = idle.min_by_key(|(_, state)| state.idle_since.load(Ordering::Relaxed));
            if let Some(evicted) = oldest.map(|(&id, _)| id).and_then(|id| table.remove(&id)) {
                evicted.evicted.notify_one();
            }
        }
        let id = self.tick();
        let state = Arc::new(ConnectionState { idle_since: AtomicU64::new(id), evicted: Notify::new() });
        table.insert(id, state.clone());
        Connection { id, state, connections: self.clone() }
    }
}

impl ConnectionState {
    fn is_idle(&self) -> bool {
        self.idle_since.load(Ordering::Relaxed) != BUSY
    }
}

impl Connection {
    /// Marks the connection as busy.
    pub(super) fn busy(&self) -> Busy {
        self.state.idle_since.store(BUSY, Ordering::Relaxed);
        Busy { state: self.state.clone(), connections: self.connections.clone() }
    }

    /// Waits until the connection must make room for another.
    pub(super) async fn evicted(&self) {
        self.state.evicted.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.table().remove(&self.id);
        self.connections.changed.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.idle_since.store(self.connections.tick(), Ordering::Relaxed);
        self.connections.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_evicted(connection: &Connection) -> bool {
        tokio::time::timeout(Duration::ZERO, connection.evicted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_idle_connection_makes_room() {
        let connections = Connections::new(3);
        let open: Vec<Connection> = (0..3).map(|_| connections.open()).collect();
        let busy = open[0].busy();
        drop(open[1].busy());
        let _fourth = connections.open();
        assert!(is_evicted(&open[2]).await, "it has been idle since it was opened");
        let _fifth = connections.open();
        assert!(is_evicted(&open[1]).await && !is_evicted(&open[0]).await);
        drop(busy);
        assert_eq!(connections.table().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn no_connection_is_accepted_while_all_are_busy() {
        let connections = Connections::new(2);
        let (first, second) = (connections.open(), connections.open());
        let busy = (first.busy(), second.busy());
        let wait = || tokio::time::timeout(Duration::from_secs(9), connections.until_acceptable());
        assert!(wait().await.is_err());
        drop(busy.1);
        assert!(wait().await.is_ok(), "the second one is idle");
        let again = second.busy();
        assert!(wait().await.is_err());
        drop((again, second));
        assert!(wait().await.is_ok(), "the second one is closed");
    }
}
