//! Time: the driver's instants, and the waits that a service asks for.

use std::time::Duration;

use http::header::{DATE, HeaderMap, RETRY_AFTER};

/// An instant on the driver's monotonic clock: the time since any fixed point.
///
/// Instants are only compared with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(pub Duration);

impl Now {
    /// The instant `later` after this one, saturating.
    pub fn after(self, later: Duration) -> Now {
        Now(self.0.saturating_add(later))
    }

    /// The time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Now) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The wait that the service asks for (RFC 9110, `Retry-After`): seconds or a date. Some services send parts of a second.
///
/// A date is compared with the `Date` of the same response, so that no wall clock matters. A value that is neither is
/// ignored.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit a u64 is an endless wait, which the caller limits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    if let Some(wait) = decimal(text) {
        return Some(wait);
    }
    let until = seconds_of_date(text)?;
    let date = seconds_of_date(headers.get(DATE)?.to_str().ok()?.trim())?;
    Some(Duration::from_secs(until.saturating_sub(date)))
}

/// Seconds with a decimal fraction, and without sign or exponent.
fn decimal(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.')?;
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    // A number that does not fit is an endless wait, as above.
    Some(Duration::try_from_secs_f64(text.parse().ok()?).unwrap_or(Duration::MAX))
}

/// Seconds since 1970 of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete forms are not supported.
fn seconds_of_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut fields = text.split_once(", ")?.1.split(' ');
    let mut number = |max: u64| {
        let field = fields.next()?;
        let value: u64 = field.parse().ok()?;
        (value <= max).then_some(value)
    };
    let day = number(31)?;
    let month = fields.next()?;
    let month = MONTHS.iter().position(|m| *m == month)? as u64 + 1;
    let year: u64 = fields.next()?.parse().ok()?;
    let mut clock = fields.next()?.split(':');
    let mut part = |max: u64| {
        let value: u64 = clock.next()?.parse().ok()?;
        (value <= max).then_some(value)
    };
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    if fields.next() != Some("GMT") || !(1970..=9999).contains(&year) || day == 0 {
        return None;
    }
    // Days since 1970 in the proleptic Gregorian calendar, years counted from March.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    Some((days.checked_sub(719_468)? * 24 + hour) * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(retry_after: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        super::retry_after(&headers)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_relative_to_the_date_header() {
        let date = Some("Wed, 18 Apr 2018 08:26:29 GMT");
        for (text, date, seconds) in [
            ("0", None, Some(0)),
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Wed, 18 Apr 2018 08:27:00 GMT", date, Some(31)),
            ("Thu, 19 Apr 2018 08:26:29 GMT", date, Some(86_400)),
            ("Tue, 01 Mar 2016 00:00:00 GMT", Some("Sun, 28 Feb 2016 00:00:00 GMT"), Some(2 * 86_400)),
            ("Wed, 18 Apr 2018 08:26:00 GMT", date, Some(0)),
            ("Wed, 18 Apr 2018 08:27:00 GMT", None, None),
            ("Wed, 18 Apr 2018 25:27:00 GMT", date, None),
            ("Wed, 00 Apr 2018 08:27:00 GMT", date, None),
            ("soon", date, None),
            ("-1", date, None),
            ("1.", date, None),
            (".5", date, None),
            ("1.5e3", date, None),
            ("", date, None),
        ] {
            assert_eq!(parsed(text, date), seconds.map(Duration::from_secs), "{text:?} {date:?}");
        }
        assert_eq!(parsed("0.5", None), Some(Duration::from_millis(500)));
        assert_eq!(parsed("99999999999999999999999.5", None), Some(Duration::MAX));
    }

    #[test]
    fn seconds_of_known_dates() {
        assert_eq!(seconds_of_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds_of_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds_of_date("Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }
}
