//! Types that responses are read as.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::facts::{Access, Enumeration, Excerpt, Member};

use super::names::{snake, variant};
use super::types::{Value, members, path, path_within};
use super::{Sources, read_doc};

/// Methods of every view and of every resource, which a member must not hide.
const OWN_METHODS: [&str; 19] = [
    "get_ref",
    "text",
    "bytes",
    "base",
    "read",
    "member",
    "annotation",
    "allowable_values",
    "oem_as",
    "members",
    "items",
    "pointer",
    "decode",
    "odata_id",
    "odata_type",
    "odata_etag",
    "json",
    "of",
    "value",
];

impl Sources<'_> {
    /// A resource or an object.
    pub(super) fn view(&self, out: &mut String, schema: &str, own: &str) {
        let full = format!("{schema}.{own}");
        let all = members(self.facts, &full);
        let is_open = self.facts.object(&full).is_some_and(|object| object.open.is_some());
        let resource = self.facts.resource(&full);
        if is_open && all.is_empty() {
            return;
        }
        let otherwise = match resource {
            Some(_) if own.ends_with("Collection") => format!("A collection of resources: `{own}`."),
            Some(_) => format!("A resource: `{own}`."),
            None => format!("An object within a resource: `{own}`."),
        };
        out.push_str("redfish_proto::view! {\n");
        out.push_str(&self.type_doc(schema, own, &otherwise));
        let uri = resource.and_then(|resource| resource.uris.iter().find(|uri| !uri.deprecated));
        if let Some(uri) = uri {
            let _ = writeln!(out, "/// Services have it at `{}`, for example.", uri.pattern);
        }
        if self.facts.object(&full).is_some_and(|object| object.deprecated) {
            out.push_str("/// Deprecated by the schema.\n");
        }
        let _ = writeln!(out, "pub struct {own} = \"{full}\" {{");
        for (member, method) in named(&all) {
            let value = Value::of(self.facts, member);
            let cfg = self.cfg_of(schema, &value);
            let (of, name) = (value.read_type(schema), &member.name);
            let returned = if member.list { format!("view::List<{of}>") } else { format!("Option<{of}>") };
            out.push_str(&self.read_doc(&full, member, &value));
            let _ = writeln!(out, "{cfg}pub fn {method}(&self) -> {returned} = \"{name}\";");
            if let (Value::Enumeration(name), true) = (&value, member.access != Access::Read) {
                let _ = writeln!(
                    out,
                    "/// The values of `{}` that the service allows, if it lists them.",
                    member.name
                );
                let of = path_within(schema, name);
                let _ = writeln!(
                    out,
                    "{cfg}pub fn {method}_allowable_values(&self) -> view::List<{of}> = \"{}@Redfish.AllowableValues\";",
                    member.name
                );
            }
        }
        out.push_str("}\n}\n\n");
        self.collection(out, &full, own, &all);
    }

    /// The implementation of `ReadAll` for a type, which calls each of its methods.
    pub(super) fn reader(&self, out: &mut String, schema: &str, own: &str) {
        let full = format!("{schema}.{own}");
        let all = members(self.facts, &full);
        if all.is_empty() {
            return;
        }
        let of = path(&full).replace("crate::", "redfish_schema::");
        let _ = writeln!(
            out,
            "{}impl ReadAll for {of} {{\nfn read_all(&self) -> usize {{\nlet mut found = 0;",
            self.cfg(Some(schema))
        );
        for (member, method) in named(&all) {
            let value = Value::of(self.facts, member);
            let count = match (&value, member.list) {
                (Value::View(_), true) => {
                    format!("self.{method}().map(|object| 1 + object.read_all()).sum::<usize>()")
                }
                (Value::View(_), false) => {
                    format!("self.{method}().map_or(0, |object| 1 + object.read_all())")
                }
                (_, true) => format!("self.{method}().count()"),
                (_, false) => format!("usize::from(self.{method}().is_some())"),
            };
            let _ = writeln!(out, "{}{{ found += {count}; }}", self.cfg_of(schema, &value));
        }
        out.push_str("found\n}\n}\n\n");
    }

    fn collection(&self, out: &mut String, full: &str, own: &str, all: &[Member]) {
        let is_collection = self.facts.object(full).and_then(|object| object.base.as_deref())
            == Some("Resource.ResourceCollection");
        let of =
            all.iter().find(|member| member.name == "Members").map(|member| Value::of(self.facts, member));
        if let (true, Some(Value::Link(Some(of)))) = (is_collection, of) {
            let _ = writeln!(
                out,
                "impl view::Collection for {own} {{\n    type Member = {};\n}}\n",
                path_within(super::types::schema_of(full), &of)
            );
        }
    }

    fn read_doc(&self, full: &str, member: &Member, value: &Value) -> String {
        let mut notes = Vec::new();
        match &member.excerpt {
            Excerpt::Copy(_) => notes.push("A copy of a part of the resource."),
            Excerpt::CopyOnly => notes.push("Only in copies of a part of the resource."),
            _ => {}
        }
        match member.access {
            Access::Read => {}
            Access::ReadWrite => notes.push("Writable."),
            Access::Write => notes.push("Writable; null in responses."),
            Access::Hidden => notes.push("Sent to create the resource; null in responses."),
        }
        if member.deprecated {
            notes.push("Deprecated by the schema.");
        }
        notes.extend(self.descriptions.get(&format!("{full}.{}", member.name)).map(String::as_str));
        read_doc(&value.words(member.list), member.unit.as_deref(), &notes)
    }

    /// An enumeration.
    pub(super) fn enumeration(&self, out: &mut String, schema: &str, own: &str, enumeration: &Enumeration) {
        out.push_str("redfish_proto::enumeration! {\n");
        out.push_str(&self.type_doc(schema, own, &format!("An enumeration: `{own}`.")));
        let _ = writeln!(out, "pub enum {own} {{");
        let mut names = BTreeSet::new();
        for value in &enumeration.values {
            let mut name = variant(&value.text);
            while !names.insert(name.clone()) {
                name.push('_');
            }
            if value.deprecated {
                out.push_str("/// Deprecated by the schema.\n");
            }
            let _ = writeln!(out, "{name} = \"{}\",", value.text);
        }
        out.push_str("}\n}\n\n");
    }
}

/// The members with the names of their methods.
pub(super) fn named(members: &[Member]) -> Vec<(&Member, String)> {
    let mut names = BTreeSet::new();
    let named = members.iter().map(|member| {
        let mut name = snake(&member.name);
        // The items of a collection are what people mean by its members.
        let hides = OWN_METHODS.contains(&name.as_str()) && member.name != "Members";
        if hides || names.contains(&name) {
            name.push_str("_member");
        }
        names.insert(name.clone());
        (member, name)
    });
    named.collect()
}
