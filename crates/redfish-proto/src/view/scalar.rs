//! Times, durations and UUIDs as services send them.

use std::fmt;
use std::time::Duration as StdDuration;
#[allow(clippy::disallowed_types, reason = "as a value; the clock is not read")]
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::number::split_digits;
use super::{FromJson, JsonRef, Text};

macro_rules! kept_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        /// Two are equal if their texts are.
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Text);

        impl $name {
            /// The text as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                $name(text.into())
            }
        }

        impl From<$name> for serde_json::Value {
            fn from(value: $name) -> serde_json::Value {
                value.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl FromJson for $name {
            fn from_json(json: JsonRef<'_>) -> Option<Self> {
                Text::from_json(json).map($name)
            }
        }
    };
}

kept_text! {
    /// A date and time (DSP0266, "Date-time values"). The text is kept as it was sent, and parsed on demand.
    DateTime
}

kept_text! {
    /// A duration in the form of ISO 8601, such as `P1DT12H` (DSP0266, "Duration values"). The text is kept as it was sent, and
    /// parsed on demand.
    Duration
}

kept_text! {
    /// A UUID (DSP0266, "UUID values"). The text is kept as it was sent, and parsed on demand.
    Uuid
}

impl DateTime {
    /// Seconds since 1970-01-01T00:00:00Z, and nanoseconds. `None` if the text is not a date with a time. Without an offset it
    /// counts as UTC.
    pub fn unix(&self) -> Option<(i64, u32)> {
        let text = self.0.trim();
        let (date, time) = text.split_once(['T', 't', ' '])?;
        let mut parts = date.splitn(3, '-').map(|part| number(part, 4));
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
            Some(at) => (time.get(..at)?, offset(time.get(at..)?)?),
            None => (time, 0),
        };
        let mut parts = clock.trim_end().splitn(3, ':');
        let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
        let (second, fraction) = match parts.next() {
            Some(second) => second.split_once(['.', ',']).unwrap_or((second, "0")),
            None => ("0", "0"),
        };
        let second = number(second, 2)?;
        let fraction = fraction.get(..9).unwrap_or(fraction);
        let nanoseconds = number(fraction, 9)? * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?);
        let in_range = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour <= 24
            && minute < 60
            && second <= 60;
        if !in_range {
            return None;
        }
        let seconds =
            days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Some((seconds, u32::try_from(nanoseconds).ok()?))
    }

    /// The point in time. `None` if the text is not a date with a time, or it is out of range.
    #[allow(clippy::disallowed_types, reason = "as a value; the clock is not read")]
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let (seconds, nanoseconds) = self.unix()?;
        let from_1970 = StdDuration::from_secs(seconds.unsigned_abs());
        let whole = match seconds {
            0.. => SystemTime::UNIX_EPOCH.checked_add(from_1970),
            _ => SystemTime::UNIX_EPOCH.checked_sub(from_1970),
        };
        whole?.checked_add(StdDuration::from_nanos(nanoseconds.into()))
    }
}

/// A number of at most so many digits, without a sign.
fn number(text: &str, max_digits: usize) -> Option<i64> {
    let is_number = (1..=max_digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, text) = text.split_at_checked(1)?;
    let (hours, minutes) = match text.split_once(':') {
        Some(parts) => parts,
        None => text.split_at_checked(2)?,
    };
    let (hours, minutes) = (number(hours, 2)?, if minutes.is_empty() { 0 } else { number(minutes, 2)? });
    let seconds = hours * 3_600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if sign == "-" { -seconds } else { seconds })
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the Gregorian calendar, in which years begin in March for this, so that the leap day is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

impl Duration {
    /// The length. `None` if the text is not a duration of weeks, days, hours, minutes and seconds, if it is negative, or if it is
    /// out of range.
    pub fn to_std(&self) -> Option<StdDuration> {
        let mut rest = self.0.trim().strip_prefix('P').filter(|rest| !rest.is_empty())?;
        let (mut sum, mut in_time) = (StdDuration::ZERO, false);
        while !rest.is_empty() {
            if let Some(time) = rest.strip_prefix('T').filter(|time| !in_time && !time.is_empty()) {
                (in_time, rest) = (true, time);
                continue;
            }
            let (digits, after) = split_digits(rest);
            let (fraction, after) = match after.strip_prefix(['.', ',']) {
                Some(after) => split_digits(after),
                None => ("", after),
            };
            let (unit, after) = after.split_at_checked(1)?;
            let seconds = match (unit, in_time) {
                ("W", false) => 604_800,
                ("D", false) => 86_400,
                ("H", true) => 3_600,
                ("M", true) => 60,
                ("S", true) => 1,
                _ => return None,
            };
            sum =
                sum.checked_add(StdDuration::from_secs(digits.parse::<u64>().ok()?.checked_mul(seconds)?))?;
            if !fraction.is_empty() {
                let part: f64 = format!("0.{fraction}").parse().ok()?;
                sum = sum.checked_add(
                    StdDuration::try_from_secs_f64(part * f64::from(u32::try_from(seconds).ok()?)).ok()?,
                )?;
            }
            rest = after;
        }
        Some(sum)
    }
}

impl From<StdDuration> for Duration {
    /// In seconds, such as `PT90S`.
    fn from(duration: StdDuration) -> Self {
        let fraction = format!(".{:09}", duration.subsec_nanos());
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        Duration(format!("PT{}{fraction}S", duration.as_secs()).into())
    }
}

impl Uuid {
    /// Its 16 bytes. `None` if the text is not 32 hexadecimal digits, with or without hyphens.
    pub fn to_bytes(&self) -> Option<[u8; 16]> {
        let mut digits = self.0.trim().chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_parsed_with_its_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2026-11-27T21:55:45+01:00", Some((1_795_812_945, 0))),
            ("2024-02-29T12:00:00.25-0530", Some((1_709_227_800, 250_000_000))),
            ("1969-12-31 23:59:59z", Some((-1, 0))),
            ("2024-03-01T00:00", Some((1_709_251_200, 0))),
            ("2024-03-01T00:00:00.123456789123Z", Some((1_709_251_200, 123_456_789))),
            ("2023-02-29T12:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("0000-00-00T00:00:00Z", None),
            ("2024-03-01", None),
            ("2024-03-01T25:00:00Z", None),
            ("2024-03-01T00:00:00+99:00", None),
            ("+024-03-01T00:00:00Z", None),
            ("N/A", None),
            ("", None),
        ] {
            assert_eq!(DateTime::from(text).unix(), expected, "{text}");
        }
        let before_1970 = DateTime::from("1969-12-31T23:59:58.5Z");
        assert_eq!(before_1970.unix(), Some((-2, 500_000_000)));
        assert!(before_1970.to_system_time().is_some());
    }

    #[test]
    fn a_duration_is_parsed() {
        for (text, expected) in [
            ("PT90S", Some(90_000)),
            ("P1DT2H3M4.5S", Some(93_784_500)),
            ("P2W", Some(1_209_600_000)),
            ("PT0.5H", Some(1_800_000)),
            ("P", None),
            ("PT", None),
            ("P1Y", None),
            ("P1M", None),
            ("1D", None),
            ("-PT1S", None),
            ("PT1", None),
            ("P99999999999999999999D", None),
            ("", None),
        ] {
            let found = Duration::from(text).to_std().map(|duration| duration.as_millis());
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(Duration::from(StdDuration::from_millis(90_500)).as_str(), "PT90.5S");
        assert_eq!(Duration::from(StdDuration::from_secs(60)).as_str(), "PT60S");
    }

    #[test]
    fn a_uuid_is_parsed_with_and_without_hyphens() {
        let bytes = Uuid::from("4c4c4544-0042-3010-8058-B9C04F564432").to_bytes().unwrap();
        assert_eq!(Uuid::from("4c4c454400423010 8058b9c04f564432").to_bytes(), None);
        assert_eq!(Uuid::from("4C4C45440042301080 58b9c04f564432".replace(' ', "")).to_bytes(), Some(bytes));
        assert_eq!(Uuid::from("").to_bytes(), None);
    }
}
