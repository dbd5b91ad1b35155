//! A sample of each type, made from the facts, with a value for every member.

use redfish_schema_gen::Facts;
use redfish_schema_gen::facts::{Excerpt, Kind, Member};
use serde_json::{Map, Value, json};

/// Objects within objects are empty from here on.
const MAX_DEPTH: usize = 4;

/// A resource, and the number of its values, those of the objects in it included.
pub(crate) fn resource(facts: &Facts, name: &str) -> (Value, usize) {
    object(facts, name, 0)
}

fn object(facts: &Facts, name: &str, depth: usize) -> (Value, usize) {
    let (mut object, mut values) = (Map::new(), 0);
    for member in facts.members(name).iter().filter(|member| !is_actions(member)) {
        let (value, inner) = value(facts, member, depth);
        object.insert(member.name.clone(), if member.list { json!([value]) } else { value });
        values += 1 + inner;
    }
    (Value::Object(object), values)
}

/// A value, and the number of values in it.
fn value(facts: &Facts, member: &Member, depth: usize) -> (Value, usize) {
    let name = match &member.kind {
        Kind::Text => return (json!("a text"), 0),
        Kind::Uri => return (json!("/redfish/v1/x"), 0),
        Kind::Integer => return (json!(7), 0),
        Kind::Number => return (json!(7.5), 0),
        Kind::Boolean => return (json!(true), 0),
        Kind::DateTime => return (json!("2026-11-27T12:00:00Z"), 0),
        Kind::Duration => return (json!("PT1M"), 0),
        Kind::Uuid => return (json!("4c4c4544-0042-3010-8058-b9c04f564432"), 0),
        Kind::Any => return (json!({"any": [1]}), 0),
        Kind::Named(name) => name,
    };
    let link = (json!({"@odata.id": "/redfish/v1/x"}), 0);
    let Some((schema, own)) = name.split_once('.') else { return link };
    let Some(schema) = facts.schemas.get(schema) else { return link };
    if let Some(kind) = schema.aliases.get(own) {
        return value(facts, &Member { kind: kind.clone(), ..member.clone() }, depth);
    }
    if let Some(enumeration) = schema.enumerations.get(own) {
        return (json!(enumeration.values.first().map(|value| &value.text)), 0);
    }
    let is_link = member.link && !matches!(member.excerpt, Excerpt::Copy(_));
    match is_link || member.name == "Members" {
        true => link,
        false if depth == MAX_DEPTH => (json!({}), 0),
        false => object(facts, name, depth + 1),
    }
}

fn is_actions(member: &Member) -> bool {
    member.name == "Actions"
}
