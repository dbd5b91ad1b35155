//! Types that requests are made of: changes, and the bodies that create resources.

use std::fmt::Write;

use crate::facts::{Access, Member};

use super::types::{Value, members, path_within};
use super::views::named;
use super::{Sources, member_doc};

/// How deep objects within objects are looked at.
const MAX_DEPTH: usize = 8;

impl Sources<'_> {
    /// The changes of a resource or of an object within one, if it has writable members.
    pub(super) fn patch(&self, out: &mut String, schema: &str, own: &str) {
        let full = format!("{schema}.{own}");
        if !self.is_writable(&full, 0) {
            return;
        }
        let all = members(self.facts, &full);
        let writable: Vec<Member> =
            all.into_iter().filter(|member| self.is_member_writable(member, 0)).collect();
        let is_resource = self.facts.resource(&full).is_some();
        let _ = write!(
            out,
            "redfish_proto::patch! {{\n/// Changes of [`{own}`]: its writable members.\npub struct {own}Patch"
        );
        if is_resource {
            let _ = write!(out, " of {own}");
        }
        out.push_str(" {\n");
        self.setters(out, schema, &writable);
        out.push_str("}\n}\n\n");
    }

    /// The body of a request that creates a member of a collection.
    pub(super) fn create(&self, out: &mut String, schema: &str) {
        let full = format!("{schema}.{schema}");
        let collection = self.facts.resource(&format!("{schema}Collection.{schema}Collection"));
        if !collection.is_some_and(|collection| collection.insert) {
            return;
        }
        let all: Vec<Member> = members(self.facts, &full)
            .into_iter()
            .filter(|member| !["Id", "Oem", "Status"].contains(&member.name.as_str()) && !member.deprecated)
            .filter(|member| {
                !matches!(Value::of(self.facts, member), Value::Link(_)) || member.access != Access::Read
            })
            .collect();
        let (mut required, optional): (Vec<Member>, Vec<Member>) =
            all.into_iter().partition(|member| member.required_on_create);
        // People name a user before its role and its password.
        required.sort_by_key(|member| (member.name.contains("Password"), !member.name.ends_with("Name")));
        let _ = writeln!(
            out,
            "redfish_proto::patch! {{\n/// The body that creates a [`{schema}`], with what the schema requires as arguments of `new`.\npub struct {schema}Create creates {schema} ("
        );
        let arguments: Vec<String> = named(&required)
            .into_iter()
            .map(|(member, name)| {
                let value = Value::of(self.facts, member);
                let (_, of) = self.kind(schema, member, &value, false);
                let kind = if member.list { "list" } else { "value" };
                format!("{name}: {kind} {of} = \"{}\"", member.name)
            })
            .collect();
        let _ = writeln!(out, "{}) {{", arguments.join(", "));
        self.setters(out, schema, &optional);
        out.push_str("}\n}\n\n");
    }

    /// A method for each member.
    pub(super) fn setters(&self, out: &mut String, schema: &str, members: &[Member]) {
        for (member, name) in named(members) {
            let value = Value::of(self.facts, member);
            let cfg = self.cfg_of(schema, &value);
            let (kind, of) = self.kind(schema, member, &value, member.nullable && !member.list);
            let notes: &[&str] = if member.deprecated { &["Deprecated by the schema."] } else { &[] };
            out.push_str(&member_doc(&member.name, &value.words(member.list), member.unit.as_deref(), notes));
            let _ = writeln!(out, "{cfg}{name}: {kind} {of} = \"{}\";", member.name);
        }
    }

    /// How a member is set, and the type of its value.
    fn kind(
        &self,
        schema: &str,
        member: &Member,
        value: &Value,
        is_nullable: bool,
    ) -> (&'static str, String) {
        match value {
            Value::View(name) if self.is_writable(name, 0) => (
                if member.list { "objects" } else { "object" },
                format!("{}Patch", path_within(schema, name)),
            ),
            _ if member.list => ("list", value.write_type(schema)),
            _ if is_nullable => ("value", format!("view::Nullable<{}>", value.write_type(schema))),
            _ => ("value", value.write_type(schema)),
        }
    }

    fn is_member_writable(&self, member: &Member, depth: usize) -> bool {
        match member.access {
            Access::ReadWrite | Access::Write => true,
            Access::Hidden => false,
            Access::Read => match Value::of(self.facts, member) {
                Value::View(name) => {
                    self.facts.resource(&name).is_none() && self.is_writable(&name, depth + 1)
                }
                _ => false,
            },
        }
    }

    /// Whether a type has a writable member, or an object that has one.
    pub(super) fn is_writable(&self, name: &str, depth: usize) -> bool {
        depth < MAX_DEPTH
            && self.facts.object(name).is_some()
            && members(self.facts, name).iter().any(|member| self.is_member_writable(member, depth))
    }
}
