//! How the services of a fleet behave, and how many behave how.

use std::fmt;
use std::time::Duration;

use crate::faults::{Fault, FaultKind};
use crate::state::random::Random;

/// How a service of a [`Fleet`](super::Fleet) behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// As it should.
    Healthy,
    /// Nobody listens there: connections are refused.
    Refusing,
    /// Connections are taken, and nothing is ever answered.
    Silent,
    /// Each answer takes its time: between 300 milliseconds and two seconds, the same for all answers of one service.
    Slow,
    /// A session is lost as soon as it was used once.
    Forgetful,
    /// After its first answer it restarts: it refuses connections for two to five seconds, and comes back without its
    /// sessions.
    Rebooting,
}

impl ServiceKind {
    /// All of them.
    pub const ALL: [ServiceKind; 6] = [
        ServiceKind::Healthy,
        ServiceKind::Refusing,
        ServiceKind::Silent,
        ServiceKind::Slow,
        ServiceKind::Forgetful,
        ServiceKind::Rebooting,
    ];

    /// Its name, in small letters: `rebooting`.
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

    /// Which of `count` services behave how. The numbers are fixed: of a hundred, three are refusing, two silent, five slow,
    /// one forgetful and one rebooting, the others healthy; other counts in proportion, rounded. Only which they are is the
    /// seed's.
    pub fn assign(count: usize, seed: u64) -> Vec<ServiceKind> {
        let share = |percent: usize| (count * percent + 50) / 100;
        let dead = share(5);
        let mut kinds = Vec::with_capacity(count);
        for (kind, share) in [
            (ServiceKind::Refusing, dead.div_ceil(2)),
            (ServiceKind::Silent, dead / 2),
            (ServiceKind::Slow, share(5)),
            (ServiceKind::Forgetful, share(1)),
            (ServiceKind::Rebooting, share(1)),
        ] {
            kinds.extend(std::iter::repeat_n(kind, share));
        }
        kinds.resize(count, ServiceKind::Healthy);
        let mut random = Random::new(seed);
        for last in (1..count).rev() {
            // The bias of a remainder is far below what could be seen.
            kinds.swap(last, (random.next() % (last as u64 + 1)) as usize);
        }
        kinds
    }

    /// What goes wrong with a service of this kind, by its own seed.
    pub(super) fn fault(self, seed: u64) -> Option<Fault> {
        let between = |least: u64, most: u64| {
            Duration::from_millis(least + Random::new(seed).next() % (most - least + 1))
        };
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
    fn so_many_are_of_each_kind_whatever_the_seed() {
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
                assert_eq!(counts(&ServiceKind::assign(count, seed)), expected, "{count} by {seed}");
            }
        }
        for count in 0..2_000 {
            assert_eq!(ServiceKind::assign(count, 1).len(), count);
        }
    }

    #[test]
    fn a_seed_repeats_and_another_chooses_others() {
        let kinds = ServiceKind::assign(1_000, 7);
        assert_eq!(kinds, ServiceKind::assign(1_000, 7));
        assert_ne!(kinds, ServiceKind::assign(1_000, 8));
        // They are spread: no tenth of the fleet goes without.
        assert!(kinds.chunks(100).all(|tenth| tenth.iter().any(|kind| *kind != ServiceKind::Healthy)));
    }

    #[test]
    fn a_slow_service_takes_as_long_as_is_said_and_not_all_the_same() {
        let delays: Vec<Duration> = (0..1_000)
            .filter_map(|seed| match ServiceKind::Slow.fault(seed)?.kind {
                FaultKind::Slow(delay) => Some(delay),
                _ => None,
            })
            .collect();
        let (least, most) = (delays.iter().min(), delays.iter().max());
        assert!(least >= Some(&Duration::from_millis(300)) && least < Some(&Duration::from_millis(400)));
        assert!(most <= Some(&Duration::from_secs(2)) && most > Some(&Duration::from_millis(1_900)));
    }
}
