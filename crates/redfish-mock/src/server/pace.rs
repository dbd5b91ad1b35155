//! The pace of a transfer: when a peer is too slow.

use std::time::Duration;

/// The slowest acceptable transfer in bytes per second.
const MIN_RATE: u64 = 1 << 10;

/// The pace of a transfer. Like the service it reads no clock: the caller chooses the start of its times.
pub(super) struct Pace {
    stall_timeout: Duration,
    last: Duration,
    window_start: Duration,
    /// The bytes since the start of the window.
    bytes: u64,
}

impl Pace {
    /// A transfer that starts at `now`. It must not pause for `stall_timeout`, nor fall below 1 KiB/s over twice that time.
    pub(super) fn new(stall_timeout: Duration, now: Duration) -> Pace {
        Pace { stall_timeout, last: now, window_start: now, bytes: 0 }
    }

    fn window(&self) -> Duration {
        self.stall_timeout * 2
    }

    fn is_fast_enough(&self) -> bool {
        self.bytes >= MIN_RATE * self.window().as_millis() as u64 / 1000
    }

    /// Records bytes that were transferred.
    pub(super) fn record(&mut self, bytes: usize, now: Duration) {
        if now >= self.window_start + self.window() {
            (self.window_start, self.bytes) = (now, 0);
        }
        self.last = now;
        self.bytes += bytes as u64;
    }

    /// The time at which the transfer is too slow, unless more bytes come before.
    pub(super) fn deadline(&self) -> Duration {
        let stalled = self.last + self.stall_timeout;
        if self.is_fast_enough() { stalled } else { stalled.min(self.window_start + self.window()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second at which a transfer ends that receives these bytes each second. `None`: not within an hour.
    fn end(bytes_at: impl Fn(u64) -> usize) -> Option<u64> {
        let mut pace = Pace::new(Duration::from_secs(30), Duration::ZERO);
        for second in 1..3600 {
            let now = Duration::from_secs(second);
            if pace.deadline() <= now {
                return Some(second);
            }
            match bytes_at(second) {
                0 => {}
                bytes => pace.record(bytes, now),
            }
        }
        None
    }

    #[test]
    fn a_transfer_without_a_byte_for_30_seconds_is_too_slow() {
        assert_eq!(end(|_| 0), Some(30));
        assert_eq!(end(|second| if second <= 100 { 1 << 20 } else { 0 }), Some(130));
        assert_eq!(end(|second| if second % 29 == 0 { 1 << 20 } else { 0 }), None);
    }

    #[test]
    fn a_transfer_below_1_kib_per_second_over_60_seconds_is_too_slow() {
        assert_eq!(end(|_| 1), Some(60));
        assert_eq!(end(|_| 1000), Some(60));
        assert_eq!(end(|_| 1050), None);
        // A fast start does not make up for a slow rest.
        assert!(end(|second| if second == 1 { 1 << 30 } else { 1 }).is_some_and(|second| second <= 121));
    }
}
