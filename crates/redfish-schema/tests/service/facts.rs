//! Compares resources with the facts: names, types, required members, and nothing that is not declared.

use std::collections::BTreeSet;

use redfish_proto::view::{DateTime, Duration, Uuid};
use redfish_schema_gen::Facts;
use redfish_schema_gen::facts::{Access, Excerpt, Kind, Member};
use serde_json::Value;

pub(crate) fn facts() -> Facts {
    Facts::parse(include_str!("../../facts.txt")).unwrap()
}

/// Adds what is wrong with a resource, without its URI, since many resources have the same fault.
pub(crate) fn check_resource(facts: &Facts, uri: &str, resource: &Value, problems: &mut BTreeSet<String>) {
    match super::type_name(resource) {
        Some(name) if facts.resource(&name).is_some() => {
            Check { facts, problems }.object(&name, resource, false);
        }
        Some(name) => drop(problems.insert(format!("{name}: not a resource"))),
        // The root of all versions and the document of OData are no resources.
        None if ["/redfish", "/redfish/v1/odata"].contains(&uri.trim_end_matches('/')) => {}
        None => drop(problems.insert(format!("{uri}: no @odata.type"))),
    }
}

/// The members of a resource and of the objects directly in it, each with whether a client may write it.
pub(crate) fn members_of<'a>(facts: &Facts, name: &str, resource: &'a Value) -> Vec<(Vec<&'a str>, bool)> {
    let is_writable = |member: &Member| is_writable(facts, member, 0);
    let declared = facts.members(name);
    let mut found = Vec::new();
    for (name, value) in resource.as_object().into_iter().flatten().filter(|(name, _)| !name.contains('@')) {
        let Some(member) = declared.iter().find(|member| member.name == *name) else { continue };
        let inner = match (&member.kind, value) {
            (Kind::Named(of), Value::Object(inner)) if !member.link => {
                Some((facts.members(of), is_open(facts, of), inner))
            }
            _ => None,
        };
        match inner {
            Some((declared, is_open, inner)) => {
                found.extend(inner.keys().filter(|name| !name.contains('@')).map(|inner| {
                    let member = declared.iter().find(|member| member.name == *inner);
                    (vec![name.as_str(), inner.as_str()], member.map_or(is_open, is_writable))
                }))
            }
            None => found.push((vec![name.as_str()], is_writable(member))),
        }
    }
    found
}

/// Whether a client may write a member, or a part of it.
fn is_writable(facts: &Facts, member: &Member, depth: usize) -> bool {
    matches!(member.access, Access::ReadWrite | Access::Write)
        || matches!(&member.kind, Kind::Named(of) if !member.link && depth < 4
            && facts.members(of).iter().any(|member| is_writable(facts, member, depth + 1)))
}

struct Check<'a> {
    facts: &'a Facts,
    problems: &'a mut BTreeSet<String>,
}

impl Check<'_> {
    fn add(&mut self, of: &str, what: &str) {
        self.problems.insert(format!("{of}: {what}"));
    }

    /// An object, or a resource. `is_excerpt` if it is a copy of a part of a resource.
    fn object(&mut self, name: &str, value: &Value, is_excerpt: bool) {
        let Value::Object(found) = value else { return self.add(name, "not an object") };
        let (declared, is_open) = (self.facts.members(name), is_open(self.facts, name));
        for (member, value) in found {
            // An annotation of the object or of a member.
            if let Some((annotated, _)) = member.split_once('@') {
                if !annotated.is_empty() && !declared.iter().any(|known| known.name == annotated) && !is_open
                {
                    self.add(&format!("{name}.{member}"), "annotates a member that is not declared");
                }
                continue;
            }
            match declared.iter().find(|known| known.name == *member) {
                Some(known) => self.member(&format!("{name}.{member}"), known, value),
                // An action, in `Actions`.
                None if member.starts_with('#') || is_open => {}
                None => self.add(&format!("{name}.{member}"), "not declared"),
            }
        }
        for known in &declared {
            let is_there = found.contains_key(&known.name);
            if known.required && !is_excerpt && !is_there {
                self.add(&format!("{name}.{}", known.name), "missing, although required");
            }
            if known.excerpt == Excerpt::CopyOnly && !is_excerpt && is_there {
                self.add(&format!("{name}.{}", known.name), "there, although only for excerpts");
            }
        }
    }

    fn member(&mut self, of: &str, member: &Member, value: &Value) {
        if !member.list {
            return self.value(of, member, value);
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(of, member, item)),
            _ => self.add(of, "not a list"),
        }
    }

    fn value(&mut self, of: &str, member: &Member, value: &Value) {
        if value.is_null() {
            if !member.nullable && matches!(member.access, Access::Read | Access::ReadWrite) {
                self.add(of, "null, although it may not be");
            }
            return;
        }
        match &member.kind {
            Kind::Named(name) => self.named(of, name, member, value),
            simple => self.simple(of, simple, value),
        }
    }

    fn simple(&mut self, of: &str, kind: &Kind, value: &Value) {
        let text = value.as_str();
        let fits = match kind {
            Kind::Text | Kind::Uri => text.is_some(),
            Kind::Integer => value.is_i64() || value.is_u64(),
            Kind::Number => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::DateTime => text.is_some_and(|text| DateTime::from(text).unix().is_some()),
            Kind::Duration => text.is_some_and(|text| Duration::from(text).to_std().is_some()),
            Kind::Uuid => text.is_some_and(|text| Uuid::from(text).to_bytes().is_some()),
            Kind::Any | Kind::Named(_) => true,
        };
        if !fits {
            self.add(of, &format!("not of the type {kind:?}"));
        }
    }

    fn named(&mut self, of: &str, name: &str, member: &Member, value: &Value) {
        let Some((schema, own)) = name.split_once('.') else { return };
        let Some(schema) = self.facts.schemas.get(schema) else { return };
        if let Some(kind) = schema.aliases.get(own) {
            return self.value(of, &Member { kind: kind.clone(), ..member.clone() }, value);
        }
        if let Some(enumeration) = schema.enumerations.get(own) {
            match value.as_str() {
                Some(text) if enumeration.values.iter().any(|value| value.text == text) => {}
                Some(text) => self.add(of, &format!("the value {text} is not declared")),
                None => self.add(of, "not text"),
            }
            return;
        }
        let is_copy = matches!(member.excerpt, Excerpt::Copy(_));
        match schema.resources.contains_key(own) {
            true if member.link && !is_copy => match value.get("@odata.id") {
                Some(Value::String(_)) => {}
                _ => self.add(of, "not a link"),
            },
            // A contained resource is checked as what it is.
            true if value.get("@odata.type").is_some() => {
                if let Some(name) = super::type_name(value) {
                    self.object(&name, value, is_copy);
                }
            }
            true if value
                .as_object()
                .is_some_and(|link| link.len() == 1 && link.contains_key("@odata.id")) => {}
            _ => self.object(name, value, is_copy),
        }
    }
}

/// Whether an object may have other members than those of its schema.
fn is_open(facts: &Facts, name: &str) -> bool {
    facts.object(name).is_none_or(|object| {
        object.open.is_some() || object.base.as_deref().is_some_and(|base| is_open(facts, base))
    })
}
