//! A budget of memory that the connections of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A budget of memory. Copies share it.
#[derive(Clone)]
pub(super) struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

/// A part of a budget, until it is dropped.
pub(super) struct Reservation {
    budget: Budget,
    bytes: usize,
}

/// The budget is used up.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(limit: usize) -> Budget {
        Budget { limit, used: Arc::default() }
    }

    /// An empty reservation, which can grow.
    pub(super) fn reserve(&self) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }
}

impl Reservation {
    /// Grows the reservation to this size. A single reservation may exceed the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let more = bytes.saturating_sub(self.bytes);
        let used = self.budget.used.load(Ordering::Relaxed);
        if more > 0 && used > self.bytes && used + more > self.budget.limit {
            return Err(Exhausted);
        }
        self.budget.used.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_share_a_budget_and_return_it() {
        let budget = Budget::new(10);
        let (mut first, mut second) = (budget.reserve(), budget.reserve());
        assert!(first.grow(6).is_ok() && second.grow(4).is_ok());
        assert!(first.grow(7).is_err() && second.grow(5).is_err());
        drop(first);
        assert!(second.grow(10).is_ok());
        drop(second);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_single_reservation_may_exceed_the_budget() {
        let budget = Budget::new(10);
        let (mut large, mut other) = (budget.reserve(), budget.reserve());
        assert!(large.grow(8).is_ok() && large.grow(50).is_ok());
        assert!(other.grow(1).is_err());
    }
}
