//! How many requests are on their way at once, to one service and to all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use http::uri::Authority;
use redfish_proto::Purpose;
use redfish_proto::driver::TransportLimits;
use tokio::sync::Semaphore;

use crate::pool::Idle;

/// The requests on their way to all services.
pub(crate) struct Concurrency {
    limits: TransportLimits,
    all: Semaphore,
    /// By authority. Some that nobody asks stay for the next time, and their connections with them.
    services: Mutex<HashMap<String, Arc<Share>>>,
}

struct Share {
    requests: Semaphore,
    writes: Semaphore,
    idle: Arc<Idle>,
}

impl Concurrency {
    pub(crate) fn new(limits: &TransportLimits) -> Concurrency {
        Concurrency { limits: *limits, all: Semaphore::new(limits.total), services: Mutex::default() }
    }

    fn services(&self) -> MutexGuard<'_, HashMap<String, Arc<Share>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a permit, and takes what there is of it. It lasts until it is dropped.
    ///
    /// A write that waits for another holds no place, and neither does who waits for a slow service hold one of those
    /// that all share.
    pub(crate) fn permit(&self, uri: &Uri, purpose: Purpose) -> Permit<'_> {
        let share = self.share(uri.authority().map_or("", Authority::as_str));
        let first = match purpose {
            Purpose::Write => 0,
            Purpose::Read => 1,
            // It waits for nobody.
            _ => ALL,
        };
        let mut permit = Permit { concurrency: self, share, first, next: first };
        while permit.missing().is_some_and(|semaphore| semaphore.try_acquire().map(|p| p.forget()).is_ok()) {
            permit.next += 1;
        }
        permit
    }

    fn share(&self, authority: &str) -> Arc<Share> {
        let mut services = self.services();
        if let Some(share) = services.get(authority) {
            return share.clone();
        }
        if services.len() == services.capacity() {
            // Before it grows, those are forgotten that nobody but the map holds.
            services.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let TransportLimits { per_service, writes_per_service, .. } = self.limits;
        let share = Share {
            requests: Semaphore::new(per_service),
            writes: Semaphore::new(writes_per_service),
            idle: Arc::default(),
        };
        services.entry(authority.to_owned()).or_insert(Arc::new(share)).clone()
    }
}

/// The semaphores of a permit, in the order in which they are taken: writes, requests, and those of all services.
const ALL: usize = 3;

/// A permit, or the part of it that there is while the rest is waited for.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Permit<'a> {
    concurrency: &'a Concurrency,
    share: Arc<Share>,
    /// The first semaphore that it takes, and the one that it takes next.
    first: usize,
    next: usize,
}

impl Permit<'_> {
    fn semaphore(&self, at: usize) -> Option<&Semaphore> {
        match at {
            0 => Some(&self.share.writes),
            1 => Some(&self.share.requests),
            2 => Some(&self.concurrency.all),
            _ => None,
        }
    }

    fn missing(&self) -> Option<&Semaphore> {
        self.semaphore(self.next)
    }

    /// Whether the request may go.
    pub(crate) fn is_whole(&self) -> bool {
        self.missing().is_none()
    }

    /// Waits until the request may go, first come, first served.
    pub(crate) async fn wait(&mut self) {
        while let Some(semaphore) = self.missing() {
            // None of them is ever closed.
            let Ok(place) = semaphore.acquire().await else { return };
            place.forget();
            self.next += 1;
        }
    }

    /// The connections to the service that are not in use.
    pub(crate) fn idle(&self) -> &Arc<Idle> {
        &self.share.idle
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        for taken in self.first..self.next {
            self.semaphore(taken).into_iter().for_each(|semaphore| semaphore.add_permits(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn limits() -> TransportLimits {
        TransportLimits::default().per_service(2).writes_per_service(1).total(3)
    }

    fn uri(host: &str) -> Uri {
        format!("https://{host}/redfish/v1/").parse().unwrap()
    }

    /// Waits without time: whether it may go now.
    fn may_go(permit: &mut Permit<'_>) -> bool {
        match pin!(permit.wait()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => true,
            Poll::Pending => false,
        }
    }

    #[test]
    fn one_write_and_two_requests_go_to_a_service_at_once() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let write = concurrency.permit(&bmc, Purpose::Write);
        let mut second = concurrency.permit(&bmc, Purpose::Write);
        assert!(write.is_whole() && !second.is_whole() && !may_go(&mut second));
        let read = concurrency.permit(&bmc, Purpose::Read);
        assert!(read.is_whole(), "the write that waits holds no place");
        assert!(!concurrency.permit(&bmc, Purpose::Read).is_whole());
        assert!(concurrency.permit(&bmc, Purpose::Session).is_whole(), "it waits for nothing");
        drop(write);
        assert!(may_go(&mut second));
    }

    #[test]
    fn so_many_go_to_all_services_at_once() {
        let concurrency = Concurrency::new(&limits());
        let permits = ["a", "b", "c"].map(|host| concurrency.permit(&uri(host), Purpose::Read));
        assert!(permits.iter().all(Permit::is_whole));
        let mut fourth = concurrency.permit(&uri("d"), Purpose::Read);
        assert!(!may_go(&mut fourth));
        drop(permits);
        assert!(may_go(&mut fourth));
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let (concurrency, bmc) = (Concurrency::new(&limits()), uri("bmc"));
        let permits = [(); 2].map(|()| concurrency.permit(&bmc, Purpose::Read));
        assert!(!may_go(&mut concurrency.permit(&bmc, Purpose::Write)));
        drop(permits);
        assert!(concurrency.permit(&bmc, Purpose::Write).is_whole());
        assert_eq!(concurrency.all.available_permits(), 3);
    }

    #[test]
    fn services_that_nobody_asks_are_forgotten() {
        let concurrency = Concurrency::new(&limits());
        let _permit = concurrency.permit(&uri("busy"), Purpose::Read);
        for n in 0..1_000 {
            assert!(concurrency.permit(&uri(&format!("bmc-{n}")), Purpose::Read).is_whole());
        }
        let services = concurrency.services();
        assert!(services.len() < 10 && services.contains_key("busy"));
    }
}
