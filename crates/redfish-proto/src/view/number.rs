//! Numbers and booleans as services send them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::{FromJson, JsonRef, Text};

impl FromJson for i64 {
    /// Also a number in quotes, and one with a fraction of zero.
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        let text = json.to_text()?;
        let text = text.trim();
        is_number(text).then(|| to_integer(text))?
    }
}

impl FromJson for bool {
    /// Also `0`, `1`, and text in any letter case.
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        let text = json.to_text()?;
        let text = text.trim();
        match text {
            "1" => Some(true),
            "0" => Some(false),
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

/// A number exactly as the service wrote it, also beyond 2^53 and 64 bits.
///
/// Numbers are compared by their values: `1.0` equals `1.00`.
#[derive(Clone)]
pub struct Number(Text);

impl Number {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest floating-point number. Infinite if it is out of range.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The value as an integer, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        to_integer(&self.0)
    }

    /// The value as an integer, if it is one, fits and is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        to_integer(&self.0)
    }
}

/// A number that is written as an integer, or with a fraction or an exponent, such as `12.0` or `1.5e3`.
fn to_integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().or_else(|| Decimal::of(text).integer()?.parse().ok())
}

/// Whether a text is a number in JSON.
fn is_number(text: &str) -> bool {
    let (integer, rest) = split_digits(text.strip_prefix('-').unwrap_or(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("0", rest),
    };
    let (exponent, rest) = match rest.strip_prefix(['e', 'E']) {
        Some(rest) => split_digits(rest.strip_prefix(['+', '-']).unwrap_or(rest)),
        None => ("0", rest),
    };
    let has_leading_zero = integer.len() > 1 && integer.starts_with('0');
    ![integer, fraction, exponent].contains(&"") && !has_leading_zero && rest.is_empty()
}

pub(super) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The value of a number: 0, or `0.DIGITS` times ten to the power of the exponent.
struct Decimal<'a> {
    is_negative: bool,
    integer: &'a str,
    fraction: &'a str,
    /// Without zeros at the start and the end.
    length: usize,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Decimal<'a> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
        let (integer, fraction) = (integer.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let leading_zeros = match integer {
            "" => fraction.len() - fraction.trim_start_matches('0').len(),
            _ => 0,
        };
        let trailing_zeros = match fraction {
            "" => integer.len() - integer.trim_end_matches('0').len(),
            _ => 0,
        };
        let length = integer.len() + fraction.len() - leading_zeros - trailing_zeros;
        let out_of_range = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let shift = i64::try_from(integer.len()).unwrap_or(i64::MAX)
            - i64::try_from(leading_zeros).unwrap_or(i64::MAX);
        let exponent = exponent.parse().unwrap_or(out_of_range).saturating_add(shift);
        let is_zero = length == 0;
        Decimal {
            is_negative: unsigned.len() < text.len() && !is_zero,
            integer,
            fraction,
            length,
            exponent: if is_zero { 0 } else { exponent },
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        let all = self.integer.bytes().chain(self.fraction.bytes());
        all.skip_while(|digit| *digit == b'0').take(self.length)
    }

    /// Its text as an integer, if it is one and may fit into 64 bits.
    fn integer(&self) -> Option<String> {
        let length =
            usize::try_from(self.exponent).ok().filter(|length| (self.length..=20).contains(length))?;
        let sign = if self.is_negative { "-" } else { "" };
        let digits: String = self.digits().map(char::from).collect();
        Some(if length == 0 { "0".to_owned() } else { format!("{sign}{digits:0<length$}") })
    }

    /// Compares without the signs.
    fn cmp_magnitude(&self, other: &Decimal<'_>) -> Ordering {
        match (self.length, other.length) {
            (0, _) | (_, 0) => self.length.cmp(&other.length),
            _ => self.exponent.cmp(&other.exponent).then_with(|| self.digits().cmp(other.digits())),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let (number, other) = (Decimal::of(&self.0), Decimal::of(&other.0));
        match (number.is_negative, other.is_negative) {
            (false, false) => number.cmp_magnitude(&other),
            (true, true) => other.cmp_magnitude(&number),
            (is_negative, other) => other.cmp(&is_negative),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let value = Decimal::of(&self.0);
        (value.is_negative, value.exponent).hash(state);
        value.digits().for_each(|digit| digit.hash(state));
    }
}

macro_rules! from_integers {
    ($($type:ty),*) => {$(
        impl From<$type> for Number {
            fn from(number: $type) -> Number {
                Number(number.to_string().into())
            }
        }
    )*};
}

from_integers!(i8, i16, i32, i64, u8, u16, u32, u64, usize);

impl From<f64> for Number {
    /// The shortest text that means this number. One that is not finite cannot be written to a service.
    fn from(number: f64) -> Number {
        Number(number.to_string().into())
    }
}

impl From<f32> for Number {
    /// The shortest text that means this number. One that is not finite cannot be written to a service.
    fn from(number: f32) -> Number {
        Number(number.to_string().into())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromJson for Number {
    /// Also a number in quotes.
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        let text = Text::from_json(json)?;
        let trimmed = text.trim();
        let is_trimmed = trimmed.len() == text.len();
        is_number(trimmed).then(|| Number(if is_trimmed { text.clone() } else { trimmed.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Json;

    fn read<T: FromJson + fmt::Debug>(text: &str) -> Option<String> {
        let json = Json::new(text.to_owned().into()).unwrap();
        T::from_json(json.get_ref()).map(|value| format!("{value:?}"))
    }

    #[test]
    fn values_are_read_leniently() {
        for (found, expected) in [
            (read::<bool>("true"), Some("true")),
            (read::<bool>("\" False\""), Some("false")),
            (read::<bool>("1"), Some("true")),
            (read::<bool>("2"), None),
            (read::<bool>("[]"), None),
            (read::<String>("\"a\\\"b\""), Some("\"a\\\"b\"")),
            (read::<String>("12"), Some("\"12\"")),
            (read::<String>("{}"), None),
            (read::<i64>("12"), Some("12")),
            (read::<i64>("\"-12\""), Some("-12")),
            (read::<i64>("12.000"), Some("12")),
            (read::<i64>("1.2e3"), Some("1200")),
            (read::<i64>("12.5"), None),
            (read::<i64>("0.5"), None),
            (read::<i64>("9223372036854775808"), None),
            (read::<i64>("1e300"), None),
            (read::<i64>("1e99999999999999999999"), None),
            (read::<i64>("1e18"), Some("1000000000000000000")),
            (read::<i64>("-9.223372036854775808e18"), Some("-9223372036854775808")),
            (read::<i64>("1200e-2"), Some("12")),
            (read::<i64>("1205e-2"), None),
            (read::<i64>("0.0012e4"), Some("12")),
            (read::<i64>("1e-400"), None),
            (read::<i64>("1e-99999999999999999999"), None),
            (read::<i64>("1.0000000000000000001"), None),
            (read::<i64>("0e9"), Some("0")),
            (read::<i64>("-0.0"), Some("0")),
            (read::<Number>("18446744073709551616123"), Some("18446744073709551616123")),
            (read::<Number>("\" 9007199254740993\""), Some("9007199254740993")),
            (read::<Number>("1.50"), Some("1.50")),
            (read::<Number>("-0.1E+5"), Some("-0.1E+5")),
            (read::<Number>("\"n/a\""), None),
            (read::<Number>("\"1.\""), None),
            (read::<Number>("\"01\""), None),
            (read::<Number>("\"1e\""), None),
            (read::<Number>("\"--1\""), None),
            (read::<Number>("\"NaN\""), None),
            (read::<Number>("true"), None),
        ] {
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn numbers_are_compared_by_their_values() {
        let number = |text: &str| Number(text.into());
        let ordered = [
            "-1e400",
            "-12.5",
            "-12.05",
            "-1e-400",
            "0",
            "1e-99999999999999999999",
            "0.001",
            "0.0010000000000000000001",
            "9",
            "10",
            "18446744073709551616123",
            "18446744073709551616124",
            "1e400",
            "1e99999999999999999999",
        ];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        let hash = |number: &Number| {
            let mut state = std::hash::DefaultHasher::new();
            number.hash(&mut state);
            state.finish()
        };
        for (one, other) in [
            ("1.0", "1.00"),
            ("100", "1e2"),
            ("0.5", "5E-1"),
            ("0", "-0.0"),
            ("0e5", "0"),
            ("120", "0.12e3"),
            ("-7", "-7.0"),
        ] {
            assert_eq!(number(one), number(other));
            assert_eq!(hash(&number(one)), hash(&number(other)), "{one}");
        }
        assert_eq!(Number::from(0.1), number("0.10"));
        assert_eq!(Number::from(1e21).as_f64().to_string(), 1e21.to_string());
        assert_eq!(Number::from(7_u8).as_u64(), Some(7));
    }
}
