//! Limits of concurrent requests, to one service and in total.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::Authority;
use redfish_proto::driver::{Purpose, TransportLimits};

/// Counts the requests in progress to all services.
pub(crate) struct Concurrency {
    limits: TransportLimits,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    total: usize,
    /// By authority. A service without requests has no entry.
    services: HashMap<String, PerService>,
}

#[derive(Clone, Copy, Default)]
struct PerService {
    requests: usize,
    writes: usize,
}

impl Concurrency {
    pub(crate) fn new(limits: &TransportLimits) -> Concurrency {
        Concurrency { limits: *limits, state: Mutex::default(), released: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit; `None` if the deadline passes first. Dropping the permit releases it.
    pub(crate) fn permit(
        &self,
        uri: &Uri,
        purpose: Purpose,
        deadline: Option<Instant>,
    ) -> Option<Permit<'_>> {
        // A request that opens or closes a session does not wait.
        if purpose == Purpose::Session {
            return Some(Permit { concurrency: self, held: None });
        }
        let authority = uri.authority().map_or("", Authority::as_str);
        let writes = usize::from(purpose == Purpose::Write);
        let mut state = self.state();
        loop {
            let service = state.services.get(authority).copied().unwrap_or_default();
            let is_free = state.total < self.limits.total
                && service.requests < self.limits.per_service
                && (writes == 0 || service.writes < self.limits.writes_per_service);
            if is_free {
                state.total += 1;
                let service = state.services.entry(authority.to_owned()).or_default();
                service.requests += 1;
                service.writes += writes;
                return Some(Permit { concurrency: self, held: Some((authority.to_owned(), writes)) });
            }
            let now = Instant::now();
            let remaining =
                deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
            if remaining.is_zero() {
                return None;
            }
            state = self.released.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Permission to send one request.
#[must_use = "dropping a permit releases it"]
pub(crate) struct Permit<'a> {
    concurrency: &'a Concurrency,
    /// Authority and number of writes to release.
    held: Option<(String, usize)>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some((authority, writes)) = self.held.take() else { return };
        let mut state = self.concurrency.state();
        state.total -= 1;
        if let Some(service) = state.services.get_mut(&authority) {
            service.requests -= 1;
            service.writes -= writes;
            if service.requests == 0 {
                state.services.remove(&authority);
            }
        }
        drop(state);
        self.concurrency.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn limits() -> TransportLimits {
        TransportLimits::default().per_service(2).writes_per_service(1).total(3)
    }

    fn uri(host: &str) -> Uri {
        format!("https://{host}/redfish/v1/").parse().unwrap()
    }

    impl Concurrency {
        /// Requests a permit without waiting.
        fn try_permit(&self, uri: &Uri, purpose: Purpose) -> Option<Permit<'_>> {
            self.permit(uri, purpose, Some(Instant::now()))
        }
    }

    #[test]
    fn a_service_gets_one_write_and_two_requests_at_once() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let write = concurrency.try_permit(&bmc, Purpose::Write).unwrap();
        assert!(concurrency.try_permit(&bmc, Purpose::Write).is_none());
        let _read = concurrency.try_permit(&bmc, Purpose::Read).unwrap();
        assert!(concurrency.try_permit(&bmc, Purpose::Read).is_none());
        assert!(concurrency.try_permit(&bmc, Purpose::Session).is_some(), "a login does not wait");
        thread::scope(|scope| {
            let second = scope.spawn(|| concurrency.permit(&bmc, Purpose::Write, None).is_some());
            drop(write);
            assert!(second.join().unwrap());
        });
    }

    #[test]
    fn all_services_share_the_total_and_dropped_permits_release_everything() {
        let concurrency = Concurrency::new(&limits());
        let permits = ["a", "b", "c"].map(|host| concurrency.try_permit(&uri(host), Purpose::Read).unwrap());
        assert!(concurrency.try_permit(&uri("d"), Purpose::Read).is_none());
        drop(permits);
        let state = concurrency.state();
        assert!(state.services.is_empty() && state.total == 0);
    }
}
