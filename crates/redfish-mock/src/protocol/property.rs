//! Properties that a client may write, and the values that they accept.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

use super::message::{Base, Message};

/// A writable property: its path within the resource (`Boot/BootSourceOverrideEnabled`) and the values that it accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
}

/// The values that a property or a parameter accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A string of `min` to `max` characters.
    Text {
        min: usize,
        max: usize,
    },
    /// A string that is never returned, not even in an error.
    Secret {
        min: usize,
        max: usize,
    },
    /// A certificate in PEM, perhaps with its chain.
    Pem,
    Integer {
        min: u64,
        max: u64,
    },
    /// Any number.
    Number,
    Boolean,
    /// `null`, or a value of this kind.
    Nullable(&'static Kind),
    /// Only `false`: the service sets the property, and a client may only clear it.
    OnlyFalse,
    Choice(&'static [&'static str]),
    Ipv4,
    Ipv6,
    /// An array. `null` removes the element at its index, `{}` keeps it, and a shorter array truncates (DSP0266, "PATCH
    /// (update)").
    List(&'static Kind),
    /// An object with these members, as an element of a list.
    Object(&'static [Property]),
    /// Headers of a request, as a list of objects. They are never returned.
    Headers,
}

/// The maximum length of a certificate with its chain, in bytes.
const MAX_PEM: usize = 64 << 10;
/// The maximum length of a list.
const MAX_LIST: usize = 16;
/// Replaces a secret value in messages.
pub(crate) const HIDDEN: &str = "(not shown)";

impl Kind {
    /// Checks a value. The error is the message to return.
    pub(crate) fn check(self, name: &str, value: &Value) -> Result<(), Message> {
        let shown = match (self, value) {
            (Kind::Secret { .. } | Kind::Headers | Kind::Pem, _) => HIDDEN.to_owned(),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        };
        let error = |base| Err(Message::new(base, [&shown, name]));
        match (self, value) {
            (Kind::Text { min, max } | Kind::Secret { min, max }, Value::String(text)) => {
                if (min..=max).contains(&text.chars().count()) {
                    Ok(())
                } else {
                    error(Base::PropertyValueFormatError)
                }
            }
            (Kind::Pem, Value::String(text)) => {
                let has_ends = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"]
                    .iter()
                    .all(|end| text.contains(end));
                if has_ends && text.len() <= MAX_PEM { Ok(()) } else { error(Base::PropertyValueFormatError) }
            }
            (Kind::Integer { min, max }, Value::Number(number)) => match number.as_u64() {
                Some(number) if (min..=max).contains(&number) => Ok(()),
                None if number.is_f64() => error(Base::PropertyValueTypeError),
                _ => error(Base::PropertyValueOutOfRange),
            },
            (Kind::Nullable(_), Value::Null) => Ok(()),
            (Kind::Nullable(kind), value) => kind.check(name, value),
            (Kind::Number, Value::Number(_)) => Ok(()),
            (Kind::Boolean, Value::Bool(_)) | (Kind::OnlyFalse, Value::Bool(false)) => Ok(()),
            (Kind::OnlyFalse, Value::Bool(true)) => error(Base::PropertyValueNotInList),
            (Kind::Choice(choices), Value::String(text)) => {
                if choices.contains(&text.as_str()) {
                    Ok(())
                } else {
                    error(Base::PropertyValueNotInList)
                }
            }
            (Kind::Ipv4, Value::String(text)) if text.parse::<Ipv4Addr>().is_ok() => Ok(()),
            (Kind::Ipv6, Value::String(text)) if text.parse::<Ipv6Addr>().is_ok() => Ok(()),
            (Kind::Ipv4 | Kind::Ipv6, Value::String(_)) => error(Base::PropertyValueFormatError),
            (Kind::List(_), Value::Array(items)) if items.len() > MAX_LIST => {
                error(Base::PropertyValueFormatError)
            }
            (Kind::List(kind), Value::Array(items)) => {
                items.iter().filter(|item| !is_placeholder(item)).try_for_each(|item| kind.check(name, item))
            }
            (Kind::Object(properties), Value::Object(members)) => {
                members.iter().try_for_each(|(name, value)| {
                    match properties.iter().find(|property| property.path == name) {
                        Some(property) => property.kind.check(name, value),
                        None => Err(Message::new(Base::PropertyUnknown, [name])),
                    }
                })
            }
            (Kind::Headers, Value::Array(items)) => match parse_headers(items) {
                Some(headers) if headers.len() <= MAX_LIST => Ok(()),
                _ => error(Base::PropertyValueFormatError),
            },
            _ => error(Base::PropertyValueTypeError),
        }
    }
}

/// Checks the description of a new resource. Returns a message for each required property that is missing, then one for each
/// member that is unknown or has an invalid value.
pub(crate) fn check_new(
    required: &[Property],
    writable: &[Property],
    body: &Map<String, Value>,
) -> Vec<Message> {
    let missing = required.iter().filter(|property| !body.contains_key(property.path)).map(|property| {
        Message::new(Base::CreateFailedMissingReqProperties, [property.path]).related_to(property.path)
    });
    let invalid = body.iter().filter(|(name, _)| !name.contains('@')).filter_map(|(name, value)| {
        match writable.iter().find(|property| property.path == name) {
            Some(property) => property.kind.check(name, value).err(),
            None => Some(Message::new(Base::PropertyUnknown, [name])),
        }
        .map(|message| message.related_to(name))
    });
    missing.chain(invalid).collect()
}

/// Parses headers from a list of objects. Returns `None` if one is not a valid header.
pub(crate) fn parse_headers(items: &[Value]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in items.iter().map(Value::as_object).collect::<Option<Vec<_>>>()?.into_iter().flatten()
    {
        headers.append(name.parse::<HeaderName>().ok()?, value.as_str()?.parse().ok()?);
    }
    Some(headers)
}

/// Whether an element of an array is `null` or `{}`, which stand for the element at the same index.
pub(crate) fn is_placeholder(item: &Value) -> bool {
    item.is_null() || item.as_object().is_some_and(Map::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_never_contains_a_secret() {
        let secret = Kind::Secret { min: 8, max: 64 };
        for value in [json!("short"), json!(["hunter2hunter2"])] {
            let text = secret.check("Password", &value).unwrap_err().text();
            assert!(!text.contains("short") && !text.contains("hunter2"), "{text}");
        }
    }
}
