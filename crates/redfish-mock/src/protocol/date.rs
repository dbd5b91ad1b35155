//! Dates of the virtual clock, which starts at the beginning of 2026.

use std::time::Duration;

/// The number of days from 1970-01-01 to 2026-01-01.
const FIRST_DAY: u64 = 20_454;

/// The date at `now`, counted from `2026-01-01T00:00:00Z` (DSP0266, "Date-time values").
pub(crate) fn date_time(now: Duration) -> String {
    format(FIRST_DAY * 86_400 + now.as_secs())
}

/// The date this long before the start of the clock.
pub(crate) fn date_time_before_start(time: Duration) -> String {
    format(FIRST_DAY * 86_400 - time.as_secs())
}

fn format(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Converts a number of days since 1970-01-01 to year, month and day (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_formatted_as_its_date() {
        for (seconds, text) in [
            (0, "2026-01-01T00:00:00Z"),
            (86_399, "2026-01-01T23:59:59Z"),
            (58 * 86_400 + 3661, "2026-02-28T01:01:01Z"),
            (59 * 86_400, "2026-03-01T00:00:00Z"),
            (789 * 86_400, "2028-02-29T00:00:00Z"),
            (3650 * 86_400, "2035-12-30T00:00:00Z"),
        ] {
            assert_eq!(date_time(Duration::from_secs(seconds)), text);
        }
        assert_eq!(date_time_before_start(Duration::from_secs(1)), "2025-12-31T23:59:59Z");
    }
}
