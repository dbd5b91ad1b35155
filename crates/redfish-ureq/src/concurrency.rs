//! How many requests are on their way at once, to one service and to all of them.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::Uri;
use http::uri::Authority;
use redfish_proto::Purpose;
use redfish_proto::driver::TransportLimits;

/// The requests on their way to all services. One that nobody asks has no entry, so that it costs nothing.
pub(crate) struct Concurrency {
    limits: TransportLimits,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    all: usize,
    /// By authority.
    services: HashMap<String, Share>,
}

#[derive(Clone, Copy, Default)]
struct Share {
    requests: usize,
    writes: usize,
}

impl Concurrency {
    pub(crate) fn new(limits: &TransportLimits) -> Concurrency {
        Concurrency { limits: *limits, state: Mutex::default(), freed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit. It lasts until what is returned is dropped; `None` where there was none by the deadline.
    pub(crate) fn permit(
        &self,
        uri: &Uri,
        purpose: Purpose,
        deadline: Option<Instant>,
    ) -> Option<Permit<'_>> {
        if purpose == Purpose::Session {
            return Some(Permit { concurrency: self, held: None });
        }
        let authority = uri.authority().map_or("", Authority::as_str);
        let writes = usize::from(purpose == Purpose::Write);
        let mut state = self.state();
        loop {
            let share = state.services.get(authority).copied().unwrap_or_default();
            let free = state.all < self.limits.total
                && share.requests < self.limits.per_service
                && (writes == 0 || share.writes < self.limits.writes_per_service);
            if free {
                state.all += 1;
                let share = state.services.entry(authority.to_owned()).or_default();
                share.requests += 1;
                share.writes += writes;
                return Some(Permit { concurrency: self, held: Some((authority.to_owned(), writes)) });
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.freed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

/// Leave to send one request.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Permit<'a> {
    concurrency: &'a Concurrency,
    held: Option<(String, usize)>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some((authority, writes)) = self.held.take() else { return };
        let mut state = self.concurrency.state();
        state.all -= 1;
        if let Some(share) = state.services.get_mut(&authority) {
            share.requests -= 1;
            share.writes -= writes;
            if share.requests == 0 {
                state.services.remove(&authority);
            }
        }
        drop(state);
        self.concurrency.freed.notify_all();
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
        /// What there is without waiting.
        fn now(&self, uri: &Uri, purpose: Purpose) -> Option<Permit<'_>> {
            self.permit(uri, purpose, Some(Instant::now()))
        }
    }

    #[test]
    fn one_write_and_two_requests_go_to_a_service_at_once() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let write = concurrency.now(&bmc, Purpose::Write).unwrap();
        assert!(concurrency.now(&bmc, Purpose::Write).is_none());
        let _read = concurrency.now(&bmc, Purpose::Read).unwrap();
        assert!(concurrency.now(&bmc, Purpose::Read).is_none());
        assert!(concurrency.now(&bmc, Purpose::Session).is_some(), "it waits for nothing");
        thread::scope(|scope| {
            let second = scope.spawn(|| concurrency.permit(&bmc, Purpose::Write, None).is_some());
            drop(write);
            assert!(second.join().unwrap());
        });
    }

    #[test]
    fn so_many_go_to_all_services_at_once_and_then_nothing_is_left_behind() {
        let concurrency = Concurrency::new(&limits());
        let permits = ["a", "b", "c"].map(|host| concurrency.now(&uri(host), Purpose::Read).unwrap());
        assert!(concurrency.now(&uri("d"), Purpose::Read).is_none());
        drop(permits);
        let state = concurrency.state();
        assert!(state.services.is_empty() && state.all == 0);
    }
}
