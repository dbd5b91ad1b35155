//! The Rust types of members.

use crate::facts::{Excerpt, Facts, Kind, Member};

use super::names::snake;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// One of the simple types.
    Simple(Kind),
    /// Any JSON: an object whose members are not known, or a type of another bundle.
    Json,
    /// An enumeration, `Schema.Type`.
    Enumeration(String),
    /// A view: an object, or a resource that is not only linked to.
    View(String),
    /// A link to a resource, of a type that is known or not.
    Link(Option<String>),
}

impl Value {
    /// The value of a member.
    pub(super) fn of(facts: &Facts, member: &Member) -> Value {
        let name = match &member.kind {
            Kind::Named(name) => name,
            simple => return Value::Simple(simple.clone()),
        };
        let Some(schema) = facts.schemas.get(schema_of(name)) else {
            return if member.link { Value::Link(None) } else { Value::Json };
        };
        let own = type_of(name);
        if let Some(kind) = schema.aliases.get(own) {
            return Value::of(facts, &Member { kind: kind.clone(), ..member.clone() });
        }
        if schema.enumerations.contains_key(own) {
            return Value::Enumeration(name.clone());
        }
        let is_copy = matches!(member.excerpt, Excerpt::Copy(_));
        let is_link =
            member.link && !is_copy || member.name == "Members" && schema.resources.contains_key(own);
        if is_link {
            return Value::Link(Some(name.clone()));
        }
        match facts.object(name) {
            Some(object) if object.open.is_some() && members(facts, name).is_empty() => Value::Json,
            Some(_) => Value::View(name.clone()),
            None => Value::Json,
        }
    }

    /// The type that a response is read as, with its paths as seen from a schema.
    pub(super) fn read_type(&self, within: &str) -> String {
        match self {
            Value::Simple(kind) => match kind {
                Kind::Text | Kind::Uri => "view::Text".to_owned(),
                Kind::Integer => "i64".to_owned(),
                Kind::Number => "view::Number".to_owned(),
                Kind::Boolean => "bool".to_owned(),
                Kind::DateTime => "view::DateTime".to_owned(),
                Kind::Duration => "view::Duration".to_owned(),
                Kind::Uuid => "view::Uuid".to_owned(),
                Kind::Any | Kind::Named(_) => "view::Json".to_owned(),
            },
            Value::Json => "view::Json".to_owned(),
            Value::Enumeration(name) | Value::View(name) => path_within(within, name),
            Value::Link(Some(name)) => format!("view::Link<{}>", path_within(within, name)),
            Value::Link(None) => "view::Link<view::Json>".to_owned(),
        }
    }

    /// The type that a request is written from: that of what was read, except for objects and links.
    pub(super) fn write_type(&self, within: &str) -> String {
        match self {
            Value::Simple(Kind::Any | Kind::Named(_)) | Value::Json | Value::View(_) => "Value".to_owned(),
            Value::Link(_) => "view::Reference".to_owned(),
            value => value.read_type(within),
        }
    }

    /// The schema whose feature the type needs.
    pub(super) fn schema(&self) -> Option<&str> {
        match self {
            Value::Enumeration(name) | Value::View(name) | Value::Link(Some(name)) => Some(schema_of(name)),
            _ => None,
        }
    }

    /// What the documentation calls it.
    pub(super) fn words(&self, is_list: bool) -> String {
        let (one, several) = match self {
            Value::Simple(kind) => match kind {
                Kind::Text => ("text", "texts"),
                Kind::Uri => ("a URI", "URIs"),
                Kind::Integer => ("an integer", "integers"),
                Kind::Number => ("a number", "numbers"),
                Kind::Boolean => ("true or false", "booleans"),
                Kind::DateTime => ("a date and time", "dates and times"),
                Kind::Duration => ("a duration", "durations"),
                Kind::Uuid => ("a UUID", "UUIDs"),
                Kind::Any | Kind::Named(_) => ("any JSON", "values of any type"),
            },
            Value::Json => (
                "an object whose members the schema does not list",
                "objects whose members the schema does not list",
            ),
            Value::Enumeration(_) => ("a value of an enumeration", "values of an enumeration"),
            Value::View(_) => ("an object", "objects"),
            Value::Link(_) => ("a link", "links"),
        };
        if is_list { format!("a list of {several}") } else { one.to_owned() }
    }
}

/// The schema in `Schema.Type`.
pub(super) fn schema_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(schema, _)| schema)
}

/// The type in `Schema.Type`.
pub(super) fn type_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// The path of `Schema.Type` in the crate.
pub(super) fn path(name: &str) -> String {
    format!("crate::{}::{}", snake(schema_of(name)), type_of(name))
}

/// The path of `Schema.Type` in the module of a schema.
pub(super) fn path_within(within: &str, name: &str) -> String {
    if schema_of(name) == within { type_of(name).to_owned() } else { path(name) }
}

/// The members that have methods: all but those that only list actions.
pub(super) fn members(facts: &Facts, name: &str) -> Vec<Member> {
    let mut all = facts.members(name);
    all.retain(|member| !is_actions(facts, member));
    all
}

/// Whether a member only lists the actions of a resource, which are methods.
fn is_actions(facts: &Facts, member: &Member) -> bool {
    let only_oem = |name| {
        facts.object(name).is_some_and(|actions| actions.members.iter().all(|member| member.name == "Oem"))
    };
    member.name == "Actions" && member.kind.name().is_some_and(only_oem)
}

/// A unit in words, with the preposition before it.
pub(super) fn unit(unit: &str) -> String {
    let words = match unit {
        "%" => "percent",
        "A" => "amperes",
        "A.h" => "ampere hours",
        "By" => "bytes",
        "By/s" => "bytes per second",
        "Cel" => "degrees Celsius",
        "GBy" => "gigabytes (10^9)",
        "Gbit/s" => "gigabits per second",
        "GiBy" => "gibibytes (2^30)",
        "Hz" => "hertz",
        "K" => "kelvins",
        "KiBy" => "kibibytes (2^10)",
        "MBy" => "megabytes (10^6)",
        "MHz" => "megahertz",
        "Mbit/s" => "megabits per second",
        "MiBy" => "mebibytes (2^20)",
        "V" => "volts",
        "V.A" => "volt-amperes",
        "W" => "watts",
        "W.h" => "watt hours",
        "bit/s" => "bits per second",
        "kPa" => "kilopascals",
        "kW.h" => "kilowatt hours",
        "m" => "meters",
        "mA.h" => "milliampere hours",
        "mW" => "milliwatts",
        "min" => "minutes",
        "mm" => "millimeters",
        "ms" => "milliseconds",
        "ns" => "nanoseconds",
        "s" => "seconds",
        "us" => "microseconds",
        "deg" => "degrees",
        "h" => "hours",
        "kg" => "kilograms",
        "L" => "liters",
        "L/min" => "liters per minute",
        "RPM" | "{rev}/min" => "revolutions per minute",
        other => return format!("in the unit `{other}` (UCUM)"),
    };
    format!("in {words}")
}
