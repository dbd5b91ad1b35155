//! The values of faults: how each kind of value is parsed and rendered.

use std::time::Duration;

use http::HeaderValue;

/// The maximum time of a fault: a year.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// A kind of value.
pub(super) struct Value<T> {
    /// The placeholder for the value in the help: `TIME`.
    pub(super) placeholder: &'static str,
    /// What an error asks for.
    pub(super) expected: &'static str,
    pub(super) parse: fn(&str) -> Option<T>,
    /// The text of a value. `None` if it is written without a value.
    pub(super) render: fn(&T) -> Option<String>,
}

pub(super) const TIME: Value<Duration> = Value {
    placeholder: "TIME",
    expected: "a time, such as 2s or 250ms",
    parse: parse_time,
    render: |time| Some(format!("{}ms", time.as_millis())),
};

pub(super) const BYTES: Value<Option<usize>> = Value {
    placeholder: "BYTES",
    expected: "a number of bytes",
    parse: |text| text.parse().ok().map(Some),
    render: |bytes| bytes.map(|bytes| bytes.to_string()),
};

pub(super) const LENGTH: Value<u64> = Value {
    placeholder: "BYTES",
    expected: "a number of bytes",
    parse: |text| text.parse().ok(),
    render: |bytes| Some(bytes.to_string()),
};

pub(super) const MEMBERS: Value<usize> = Value {
    placeholder: "MEMBERS",
    expected: "a number of members, at least 2",
    parse: |text| text.parse().ok().filter(|members| *members >= 2),
    render: |members| Some(members.to_string()),
};

pub(super) const URL: Value<Option<String>> = Value {
    placeholder: "URL",
    expected: "a URL with scheme and host",
    parse: |text| (text.contains("://") && is_header_value(text)).then(|| Some(text.to_owned())),
    render: Option::clone,
};

pub(super) const RETRY_AFTER: Value<Option<String>> = Value {
    placeholder: "RETRY_AFTER",
    expected: "seconds, or a date, for Retry-After",
    parse: |text| (!text.is_empty() && is_header_value(text)).then(|| Some(text.to_owned())),
    render: Option::clone,
};

/// Parses `2s`, `250ms` or `2`.
fn parse_time(text: &str) -> Option<Duration> {
    let time = match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().ok()?),
        None => Duration::from_secs(text.strip_suffix('s').unwrap_or(text).parse().ok()?),
    };
    (time <= MAX_TIME).then_some(time)
}

fn is_header_value(text: &str) -> bool {
    HeaderValue::from_str(text).is_ok()
}
