//! How many requests are on their way at once, to one service and to all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use http::uri::{Authority, Scheme};
use redfish_proto::Purpose;
use tokio::sync::Semaphore;

/// How many requests may be on their way at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) of_service: usize,
    pub(crate) writes_of_service: usize,
    pub(crate) of_all: usize,
}

/// The requests on their way to all services. One that nobody asks has no entry, so that it costs nothing.
pub(crate) struct Concurrency {
    limits: Limits,
    all: Semaphore,
    services: Mutex<HashMap<Key, Arc<Share>>>,
}

type Key = (Option<Scheme>, Option<Authority>);

struct Share {
    requests: Semaphore,
    writes: Semaphore,
}

impl Concurrency {
    pub(crate) fn new(limits: Limits) -> Concurrency {
        Concurrency { limits, all: Semaphore::new(limits.of_all), services: Mutex::default() }
    }

    fn services(&self) -> MutexGuard<'_, HashMap<Key, Arc<Share>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit, first come, first served. It lasts until what is returned is dropped.
    ///
    /// A write that waits for another holds no place, and neither does who waits for a slow service hold one of those
    /// that all share.
    pub(crate) async fn permit(&self, uri: &Uri, purpose: Purpose) -> Permit<'_> {
        let mut permit = Permit { concurrency: self, held: None, writes: false, requests: false, all: false };
        if purpose == Purpose::Session {
            return permit;
        }
        let key = (uri.scheme().cloned(), uri.authority().cloned());
        let share = self.services().entry(key.clone()).or_insert_with(|| self.share()).clone();
        let (_, share) = permit.held.insert((key, share));
        if purpose == Purpose::Write {
            permit.writes = take(&share.writes).await;
        }
        permit.requests = take(&share.requests).await;
        permit.all = take(&self.all).await;
        permit
    }

    fn share(&self) -> Arc<Share> {
        let Limits { of_service, writes_of_service, .. } = self.limits;
        Arc::new(Share { requests: Semaphore::new(of_service), writes: Semaphore::new(writes_of_service) })
    }
}

/// Takes one of a semaphore that is never closed.
async fn take(semaphore: &Semaphore) -> bool {
    semaphore.acquire().await.map(|permit| permit.forget()).is_ok()
}

/// A permit, or the part of it that there is while the rest is waited for.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Permit<'a> {
    concurrency: &'a Concurrency,
    held: Option<(Key, Arc<Share>)>,
    writes: bool,
    requests: bool,
    all: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some((key, share)) = self.held.take() else { return };
        for (taken, semaphore) in [
            (self.all, &self.concurrency.all),
            (self.requests, &share.requests),
            (self.writes, &share.writes),
        ] {
            semaphore.add_permits(usize::from(taken));
        }
        let mut services = self.concurrency.services();
        // The map's, and this one: nobody else is there.
        if Arc::strong_count(&share) == 2 {
            services.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const LIMITS: Limits = Limits { of_service: 2, writes_of_service: 1, of_all: 3 };

    fn uri(host: &str) -> Uri {
        format!("https://{host}/redfish/v1/").parse().unwrap()
    }

    /// What there is without waiting.
    fn now<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_write_and_two_requests_go_to_a_service_at_once() {
        let (concurrency, bmc) = (Concurrency::new(LIMITS), uri("bmc"));
        let write = now(pin!(concurrency.permit(&bmc, Purpose::Write))).unwrap();
        let mut second = pin!(concurrency.permit(&bmc, Purpose::Write));
        assert!(now(second.as_mut()).is_none());
        let read =
            now(pin!(concurrency.permit(&bmc, Purpose::Read))).expect("the write that waits holds no place");
        assert!(now(pin!(concurrency.permit(&bmc, Purpose::Read))).is_none());
        let _session = now(pin!(concurrency.permit(&bmc, Purpose::Session))).expect("it waits for nothing");
        drop(write);
        drop(now(second.as_mut()).unwrap());
        drop(read);
    }

    #[test]
    fn so_many_go_to_all_services_at_once() {
        let concurrency = Concurrency::new(LIMITS);
        let hosts = ["a", "b", "c"].map(uri);
        let permits = hosts.each_ref().map(|uri| now(pin!(concurrency.permit(uri, Purpose::Read))).unwrap());
        let other = uri("d");
        let mut fourth = pin!(concurrency.permit(&other, Purpose::Read));
        assert!(now(fourth.as_mut()).is_none());
        drop(permits);
        assert!(now(fourth.as_mut()).is_some());
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let (concurrency, bmc) = (Concurrency::new(LIMITS), uri("bmc"));
        let permits = [(); 2].map(|()| now(pin!(concurrency.permit(&bmc, Purpose::Read))).unwrap());
        {
            let mut waiting = pin!(concurrency.permit(&bmc, Purpose::Write));
            assert!(now(waiting.as_mut()).is_none());
        }
        drop(permits);
        assert!(concurrency.services().is_empty());
        assert!(now(pin!(concurrency.permit(&bmc, Purpose::Write))).is_some());
        assert_eq!(concurrency.all.available_permits(), 3);
    }
}
