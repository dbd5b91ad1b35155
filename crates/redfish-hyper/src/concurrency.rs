//! Limits of concurrent requests, to one service and in total.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use http::uri::Authority;
use redfish_proto::driver::{Purpose, TransportLimits};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::pool::IdleConnections;

/// The semaphores of all services.
pub(crate) struct Concurrency {
    limits: TransportLimits,
    total: Semaphore,
    /// By authority. A service without requests may keep its entry, and with it its idle connections.
    services: Mutex<HashMap<String, Arc<PerService>>>,
}

/// The semaphores and idle connections of one service.
struct PerService {
    requests: Semaphore,
    writes: Semaphore,
    idle: Arc<IdleConnections>,
}

impl Concurrency {
    pub(crate) fn new(limits: &TransportLimits) -> Concurrency {
        Concurrency { limits: *limits, total: Semaphore::new(limits.total), services: Mutex::default() }
    }

    fn services(&self) -> MutexGuard<'_, HashMap<String, Arc<PerService>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a permit, and acquires what is free of it. Dropping the permit releases it.
    ///
    /// Semaphores are acquired from the narrowest to the widest, so that a write that waits for another write takes no
    /// request from its service, and a request that waits for a slow service takes none from the total.
    pub(crate) fn permit(&self, uri: &Uri, purpose: Purpose) -> Permit<'_> {
        let service = self.service(uri.authority().map_or("", Authority::as_str));
        let first = match purpose {
            Purpose::Write => 0,
            Purpose::Read => 1,
            // A request that opens or closes a session does not wait.
            _ => SEMAPHORES,
        };
        let mut permit = Permit { concurrency: self, service, first, next: first };
        while permit.missing().is_some_and(|next| next.try_acquire().map(SemaphorePermit::forget).is_ok()) {
            permit.next += 1;
        }
        permit
    }

    fn service(&self, authority: &str) -> Arc<PerService> {
        let mut services = self.services();
        if let Some(service) = services.get(authority) {
            return service.clone();
        }
        if services.len() == services.capacity() {
            // Before the map grows, it drops the services without requests.
            services.retain(|_, service| Arc::strong_count(service) > 1);
        }
        let TransportLimits { per_service, writes_per_service, .. } = self.limits;
        let service = PerService {
            requests: Semaphore::new(per_service),
            writes: Semaphore::new(writes_per_service),
            idle: Arc::default(),
        };
        services.entry(authority.to_owned()).or_insert(Arc::new(service)).clone()
    }
}

/// Number of semaphores of a permit, acquired in this order: writes, requests, total.
const SEMAPHORES: usize = 3;

/// Permission to send one request, complete or still waiting for some semaphores.
#[must_use = "dropping a permit releases it"]
pub(crate) struct Permit<'a> {
    concurrency: &'a Concurrency,
    service: Arc<PerService>,
    /// Index of the first semaphore to acquire.
    first: usize,
    /// Index of the next semaphore to acquire.
    next: usize,
}

impl Permit<'_> {
    fn semaphore(&self, index: usize) -> Option<&Semaphore> {
        match index {
            0 => Some(&self.service.writes),
            1 => Some(&self.service.requests),
            2 => Some(&self.concurrency.total),
            _ => None,
        }
    }

    fn missing(&self) -> Option<&Semaphore> {
        self.semaphore(self.next)
    }

    /// Whether the request may be sent.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing().is_none()
    }

    /// Waits until the request may be sent, in the order of the calls.
    pub(crate) async fn wait(&mut self) {
        while let Some(semaphore) = self.missing() {
            // No semaphore is ever closed.
            let Ok(permit) = semaphore.acquire().await else { return };
            permit.forget();
            self.next += 1;
        }
    }

    /// The idle connections to the service.
    pub(crate) fn idle(&self) -> &Arc<IdleConnections> {
        &self.service.idle
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        for acquired in self.first..self.next {
            self.semaphore(acquired).into_iter().for_each(|semaphore| semaphore.add_permits(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn limits() -> TransportLimits {
        TransportLimits::default().per_service(2).writes_per_service(1).total(3)
    }

    fn uri(host: &str) -> Uri {
        format!("https://{host}/redfish/v1/").parse().unwrap()
    }

    /// Polls the wait once, and returns whether the permit is complete.
    fn is_ready(permit: &mut Permit<'_>) -> bool {
        pin!(permit.wait()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_service_gets_one_write_and_two_requests_at_once() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let write = concurrency.permit(&bmc, Purpose::Write);
        let mut second = concurrency.permit(&bmc, Purpose::Write);
        assert!(write.is_complete() && !second.is_complete() && !is_ready(&mut second));
        let read = concurrency.permit(&bmc, Purpose::Read);
        assert!(read.is_complete(), "the waiting write takes no request");
        assert!(!concurrency.permit(&bmc, Purpose::Read).is_complete());
        assert!(concurrency.permit(&bmc, Purpose::Session).is_complete(), "a login does not wait");
        drop(write);
        assert!(is_ready(&mut second));
    }

    #[test]
    fn all_services_share_the_total() {
        let concurrency = Concurrency::new(&limits());
        let permits = ["a", "b", "c"].map(|host| concurrency.permit(&uri(host), Purpose::Read));
        assert!(permits.iter().all(Permit::is_complete));
        let mut fourth = concurrency.permit(&uri("d"), Purpose::Read);
        assert!(!is_ready(&mut fourth));
        drop(permits);
        assert!(is_ready(&mut fourth));
    }

    #[test]
    fn a_dropped_permit_releases_everything() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let permits = [(); 2].map(|()| concurrency.permit(&bmc, Purpose::Read));
        assert!(!is_ready(&mut concurrency.permit(&bmc, Purpose::Write)));
        drop(permits);
        assert!(concurrency.permit(&bmc, Purpose::Write).is_complete());
        assert_eq!(concurrency.total.available_permits(), 3);
    }

    #[test]
    fn services_without_requests_are_dropped() {
        let concurrency = Concurrency::new(&limits());
        let _permit = concurrency.permit(&uri("busy"), Purpose::Read);
        for n in 0..1_000 {
            assert!(concurrency.permit(&uri(&format!("bmc-{n}")), Purpose::Read).is_complete());
        }
        let services = concurrency.services();
        assert!(services.len() < 10 && services.contains_key("busy"));
    }
}
