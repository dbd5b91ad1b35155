//! The kinds of services in a fleet, and how many there are of each.

use std::fmt;
use std::time::Duration;

use crate::faults::{Fault, FaultKind};
use crate::state::random::{Random, Seed};

/// The behavior of a service of a [`Fleet`](super::Fleet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// Behaves correctly.
    Healthy,
    /// Refuses connections.
    Refusing,
    /// Accepts connections, and never answers.
    Silent,
    /// Delays every response by the same time, between 300 ms and 2 s.
    Slow,
    /// Loses a session after its first request.
    Forgetful,
    /// Restarts after its first response: refuses connections for 2 s to 5 s, and loses its sessions.
    Rebooting,
}

impl ServiceKind {
    /// All kinds.
    pub const ALL: [ServiceKind; 6] = [
        ServiceKind::Healthy,
        ServiceKind::Refusing,
        ServiceKind::Silent,
        ServiceKind::Slow,
        ServiceKind::Forgetful,
        ServiceKind::Rebooting,
    ];

    /// Its name in lower case: `rebooting`.
    pub fn name(self) -> &'static str {
        match self {
            ServiceKind::Healthy => "healthy",
            ServiceKind::Refusing => "refusing",
            ServiceKind::Silent => "silent",
            ServiceKind::Slow => "slow",
            ServiceKind::Forgetful => "forgetful",
            ServiceKind::Rebooting => "rebooting",
        }
    }

    /// The kinds of `count` services. The shares are fixed: 3 % are refusing, 2 % silent, 5 % slow, 1 % forgetful and 1 %
    /// rebooting, each rounded. The others are healthy. The seed determines the order.
    pub fn assign(count: usize, seed: &Seed) -> Vec<ServiceKind> {
        let share = |percent: usize| (count * percent + 50) / 100;
        let unreachable = share(5);
        let mut kinds = Vec::with_capacity(count);
        for (kind, share) in [
            (ServiceKind::Refusing, unreachable.div_ceil(2)),
            (ServiceKind::Silent, unreachable / 2),
            (ServiceKind::Slow, share(5)),
            (ServiceKind::Forgetful, share(1)),
            (ServiceKind::Rebooting, share(1)),
        ] {
            kinds.extend(std::iter::repeat_n(kind, share));
        }
        kinds.resize(count, ServiceKind::Healthy);
        let mut random = Random::new(seed);
        for last in (1..count).rev() {
            // The bias of the remainder is negligible.
            kinds.swap(last, (random.next() % (last as u64 + 1)) as usize);
        }
        kinds
    }

    /// The fault of a service of this kind. `seed` is that of the service.
    pub(super) fn fault(self, seed: &Seed) -> Option<Fault> {
        let between =
            |min: u64, max: u64| Duration::from_millis(min + Random::new(seed).next() % (max - min + 1));
        match self {
            ServiceKind::Healthy | ServiceKind::Refusing | ServiceKind::Silent => None,
            ServiceKind::Slow => Some(Fault::new(FaultKind::Slow(between(300, 2_000)))),
            ServiceKind::Forgetful => Some(Fault::new(FaultKind::LoseSession)),
            ServiceKind::Rebooting => Some(Fault::new(FaultKind::Restart(between(2_000, 5_000))).times(1)),
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(kinds: &[ServiceKind]) -> [usize; 6] {
        ServiceKind::ALL.map(|kind| kinds.iter().filter(|one| **one == kind).count())
    }

    #[test]
    fn the_share_of_each_kind_does_not_depend_on_the_seed() {
        for (count, expected) in [
            (0, [0, 0, 0, 0, 0, 0]),
            (1, [1, 0, 0, 0, 0, 0]),
            (9, [9, 0, 0, 0, 0, 0]),
            (10, [8, 1, 0, 1, 0, 0]),
            (50, [42, 2, 1, 3, 1, 1]),
            (100, [88, 3, 2, 5, 1, 1]),
            (1_000, [880, 25, 25, 50, 10, 10]),
            (10_000, [8_800, 250, 250, 500, 100, 100]),
        ] {
            for seed in [0, 1, 2, u64::MAX] {
                assert_eq!(
                    counts(&ServiceKind::assign(count, &Seed::from(seed))),
                    expected,
                    "{count} with seed {seed}"
                );
            }
        }
        for count in 0..2_000 {
            assert_eq!(ServiceKind::assign(count, &1.into()).len(), count);
        }
    }

    #[test]
    fn a_seed_is_reproducible_and_another_seed_differs() {
        let kinds = ServiceKind::assign(1_000, &7.into());
        assert_eq!(kinds, ServiceKind::assign(1_000, &7.into()));
        assert_ne!(kinds, ServiceKind::assign(1_000, &8.into()));
        // They are spread: each tenth of the fleet contains some.
        assert!(kinds.chunks(100).all(|tenth| tenth.iter().any(|kind| *kind != ServiceKind::Healthy)));
    }

    #[test]
    fn the_delays_of_slow_services_cover_their_range() {
        let delays: Vec<Duration> = (0..1_000)
            .filter_map(|seed| match ServiceKind::Slow.fault(&Seed::from(seed))?.kind {
                FaultKind::Slow(delay) => Some(delay),
                _ => None,
            })
            .collect();
        let (min, max) = (delays.iter().min(), delays.iter().max());
        assert!(min >= Some(&Duration::from_millis(300)) && min < Some(&Duration::from_millis(400)));
        assert!(max <= Some(&Duration::from_secs(2)) && max > Some(&Duration::from_millis(1_900)));
    }
}
