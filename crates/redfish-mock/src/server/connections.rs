//! The open connections of a server: up to a limit, at which one that has been idle makes room for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The time after which an idle connection can be closed to make room. Without it, more busy clients than the limit would only
/// open connections.
const MIN_IDLE: Duration = Duration::from_secs(1);
/// The value of [`ConnectionState::idle_since`] while a request is handled.
const BUSY: u64 = u64::MAX;

/// The open connections of a server.
pub(super) struct Connections {
    limit: usize,
    started: Instant,
    table: Mutex<Table>,
    /// Notified when a connection ends or becomes idle.
    changed: Notify,
}

/// The connections by their numbers.
#[derive(Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, Arc<ConnectionState>>,
}

struct ConnectionState {
    /// The time of the end of the last response, or of the start of the connection, in nanoseconds: several happen within one
    /// millisecond, and the order counts.
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
            started: Instant::now(),
            table: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nanos(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Waits until there is room for a connection, or one that can make room.
    pub(super) async fn until_acceptable(&self) {
        loop {
            let changed = self.changed.notified();
            let oldest = {
                let table = self.table();
                if table.open.len() < self.limit {
                    return;
                }
                table.oldest_idle().map(|(_, since)| since)
            };
            let due = oldest.map(|since| self.started + Duration::from_nanos(since) + MIN_IDLE);
            match due {
                Some(due) if due <= Instant::now() => return,
                Some(due) => drop(tokio::time::timeout_at(due, changed).await),
                None => changed.await,
            }
        }
    }

    /// Adds a connection. If the limit is reached, the one that has been idle for the longest time is closed.
    pub(super) fn open(self: &Arc<Connections>) -> Connection {
        let mut table = self.table();
        if table.open.len() >= self.limit {
            if let Some(evicted) = table.oldest_idle().and_then(|(id, _)| table.open.remove(&id)) {
                evicted.evicted.notify_one();
            }
        }
        table.last += 1;
        let id = table.last;
        let idle_since = AtomicU64::new(self.nanos());
        let state = Arc::new(ConnectionState { idle_since, evicted: Notify::new() });
        table.open.insert(id, state.clone());
        Connection { id, state, connections: self.clone() }
    }
}

impl Table {
    /// The connection that has been idle for the longest time, and since when.
    fn oldest_idle(&self) -> Option<(u64, u64)> {
        let times = self.open.iter().map(|(&id, state)| (id, state.idle_since.load(Ordering::Relaxed)));
        times.filter(|(_, since)| *since != BUSY).min_by_key(|(_, since)| *since)
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
        self.connections.table().open.remove(&self.id);
        self.connections.changed.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.idle_since.store(self.connections.nanos(), Ordering::Relaxed);
        self.connections.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_evicted(connection: &Connection) -> bool {
        tokio::time::timeout(Duration::ZERO, connection.evicted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_idle_connection_makes_room() {
        let connections = Connections::new(3);
        let open: Vec<Connection> = (0..3).map(|_| connections.open()).collect();
        let busy = open[0].busy();
        tokio::time::advance(Duration::from_millis(10)).await;
        drop(open[1].busy());
        let _fourth = connections.open();
        assert!(is_evicted(&open[2]).await, "it has been idle since it was opened");
        tokio::time::advance(Duration::from_millis(10)).await;
        let _fifth = connections.open();
        assert!(is_evicted(&open[1]).await && !is_evicted(&open[0]).await);
        drop(busy);
        assert_eq!(connections.table().open.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn no_connection_is_accepted_until_another_is_closed_or_has_been_idle() {
        let connections = Connections::new(2);
        let (first, second) = (connections.open(), connections.open());
        let busy = (first.busy(), second.busy());
        let wait = || async {
            let started = Instant::now();
            let waited = tokio::time::timeout(Duration::from_secs(9), connections.until_acceptable()).await;
            waited.is_ok().then(|| started.elapsed().as_millis())
        };
        assert_eq!(wait().await, None);
        drop(connections.open());
        assert!(!is_evicted(&first).await && !is_evicted(&second).await);
        drop(busy.1);
        assert!(wait().await.is_some_and(|millis| (999..=1001).contains(&millis)), "the second one is idle");
        let again = second.busy();
        assert_eq!(wait().await, None);
        drop((again, second));
        assert_eq!(wait().await, Some(0), "the second one is closed");
    }
}
