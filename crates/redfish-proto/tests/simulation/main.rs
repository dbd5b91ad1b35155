//! Simulates many clients and one service in virtual time, over a network that loses, cuts, delays and resets, with
//! cancelled calls and reboots of the service, all from one seed.
//!
//! At the end, each call has ended, each write was applied at most once and as its call reported, and each session
//! whose token reached a client was closed by it or observed to be dead. `REDFISH_SEEDS_RUN` is the number of seeds
//! (default 3,000); `REDFISH_SEED` plays a single one.

#![allow(clippy::disallowed_methods, reason = "a test may read its environment")]

mod process;
mod random;
mod world;

use world::{Tally, World};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn no_session_stays_open_and_no_write_is_repeated() {
    let seeds = match setting("REDFISH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("REDFISH_SEEDS_RUN").unwrap_or(3_000),
    };
    let mut tally = Tally::default();
    for seed in seeds.clone() {
        let played = std::panic::catch_unwind(|| World::new(seed).run());
        match played {
            Ok(one) => tally.add(&one),
            Err(_) => panic!("REDFISH_SEED={seed} plays what failed above"),
        }
    }
    println!("{} seeds: {tally:?}", seeds.end - seeds.start);
    // A case that never occurred is not tested.
    if seeds.end - seeds.start >= 1_000 {
        let Tally { calls, cancelled, logins, lost_logins, expiries, denials, unknown, late_closes, .. } =
            tally;
        for count in [calls, cancelled, logins, lost_logins, expiries, denials, unknown, late_closes] {
            assert!(count > 0, "{tally:?}");
        }
    }
}
