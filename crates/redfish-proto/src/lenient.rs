//! Lenient reading of members: numbers in quotes, `null` anywhere, one object in place of a list.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json;
use crate::link::is_link;

/// A value that is read from any form that makes sense.
pub(crate) trait Lenient: Sized {
    /// Reads JSON text. `None` if it makes no sense as this type.
    fn read(text: &str) -> Option<Self>;
}

/// Reads a member by [`Lenient`]. A value that does not fit counts as missing; the raw JSON keeps it.
pub(crate) fn deserialize_member<'de, D: Deserializer<'de>, T: Lenient>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(Some(raw.get()).filter(|text| *text != "null").and_then(T::read))
}

/// A number exactly as the service wrote it, also beyond 2^53 and 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest floating-point number.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The value as an integer, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The value as an integer, if it is one, fits and is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Lenient for Number {
    fn read(text: &str) -> Option<Number> {
        let quoted: Option<String> = serde_json::from_str(text).ok();
        let text = quoted.as_deref().map_or(text, str::trim);
        // Any JSON number is accepted, whatever its length.
        let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && serde_json::from_str::<serde_json::Number>(text).is_ok();
        is_number.then(|| Number(text.to_owned()))
    }
}

impl Lenient for String {
    fn read(text: &str) -> Option<String> {
        match text.as_bytes().first()? {
            b'"' => serde_json::from_str(text).ok(),
            b'{' | b'[' => None,
            _ => Some(text.to_owned()),
        }
    }
}

impl Lenient for bool {
    fn read(text: &str) -> Option<bool> {
        match text.trim_matches('"').to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    fn read(text: &str) -> Option<Vec<T>> {
        match serde_json::from_str::<Vec<Box<RawValue>>>(text) {
            Ok(items) => Some(items.iter().filter_map(|item| T::read(item.get())).collect()),
            Err(_) => Some(vec![T::read(text)?]),
        }
    }
}

/// A reference to another resource: an object with `@odata.id`, or only its text. Resolved by
/// [`Service::link`](crate::Service::link).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// The link as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Lenient for Link {
    fn read(text: &str) -> Option<Link> {
        #[derive(Deserialize)]
        struct Reference {
            #[serde(rename = "@odata.id", alias = "href")]
            id: String,
        }
        let link = serde_json::from_str(text).ok().or_else(|| json::part(text).map(|r: Reference| r.id));
        link.filter(|link: &String| is_link(link)).map(Link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: Lenient + fmt::Debug>(json: &str) -> Option<String> {
        T::read(json).map(|value| format!("{value:?}"))
    }

    #[test]
    fn members_are_read_leniently() {
        for (found, expected) in [
            (text::<bool>("true"), Some("true")),
            (text::<bool>("\"False\""), Some("false")),
            (text::<bool>("1"), Some("true")),
            (text::<bool>("[]"), None),
            (text::<String>("\"a\\\"b\""), Some("\"a\\\"b\"")),
            (text::<String>("12"), Some("\"12\"")),
            (text::<String>("{}"), None),
            (text::<Vec<String>>("[\"a\", null, 1]"), Some("[\"a\", \"null\", \"1\"]")),
            (text::<Vec<String>>("\"a\""), Some("[\"a\"]")),
            (text::<Number>("18446744073709551616123"), Some("Number(\"18446744073709551616123\")")),
            (text::<Number>("\" 9007199254740993\""), Some("Number(\"9007199254740993\")")),
            (text::<Number>("\"n/a\""), None),
            (text::<Number>("true"), None),
            (text::<Link>("{\"@odata.id\": \"/a\"}"), Some("Link(\"/a\")")),
            (text::<Link>("\"/a\""), Some("Link(\"/a\")")),
            (text::<Link>("{\"@odata.id\": \"\"}"), None),
            (text::<Link>("[]"), None),
        ] {
            assert_eq!(found.as_deref(), expected);
        }
        assert_eq!(Number("9007199254740993".into()).as_u64(), Some(9_007_199_254_740_993));
    }
}
