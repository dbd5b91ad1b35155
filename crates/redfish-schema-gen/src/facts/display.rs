//! Facts to text.

use std::fmt::{self, Display, Formatter};

use super::{Access, Excerpt, Facts, Kind, Member, Object, Resource, Schema, Version};

/// The first line of the file.
pub(super) const HEADER: &str =
    "# Facts about the Redfish schemas, written by `cargo xtask facts`; README.md names the source.";

/// The words for simple types.
pub(super) const SIMPLE: [(&str, Kind); 9] = [
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("number", Kind::Number),
    ("boolean", Kind::Boolean),
    ("date-time", Kind::DateTime),
    ("duration", Kind::Duration),
    ("uuid", Kind::Uuid),
    ("uri", Kind::Uri),
    ("any", Kind::Any),
];

impl Display for Facts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        self.outside.iter().try_for_each(|schema| writeln!(f, "outside {schema}"))?;
        self.schemas.iter().try_for_each(|(name, schema)| schema.write(f, name))
    }
}

impl Schema {
    fn write(&self, f: &mut Formatter<'_>, schema: &str) -> fmt::Result {
        write!(f, "{schema}")?;
        self.version.iter().try_for_each(|version| write!(f, " {version}"))?;
        self.owner.iter().try_for_each(|owner| write!(f, " owner={owner}"))?;
        writeln!(f)?;
        for (name, resource) in &self.resources {
            write!(f, " resource {name}")?;
            resource.write(f, schema)?;
        }
        for (name, object) in &self.objects {
            write!(f, " object {name}")?;
            object.write(f, schema)?;
            write_members(f, schema, &object.members)?;
        }
        for (name, enumeration) in &self.enumerations {
            writeln!(f, " enum {name}{}", word(enumeration.deprecated, "deprecated"))?;
            for value in &enumeration.values {
                let quote = if value.text.contains(' ') { "\"" } else { "" };
                writeln!(f, "  {quote}{}{quote}{}", value.text, word(value.deprecated, "deprecated"))?;
            }
        }
        for (name, kind) in &self.aliases {
            writeln!(f, " type {name} {}", kind.within(schema))?;
        }
        for (name, action) in &self.actions {
            write!(f, " action {name}")?;
            action.returns.iter().try_for_each(|returns| write!(f, " returns {}", local(schema, returns)))?;
            writeln!(f, "{}", word(action.deprecated, "deprecated"))?;
            write_members(f, schema, &action.parameters)?;
        }
        Ok(())
    }
}

impl Resource {
    fn write(&self, f: &mut Formatter<'_>, schema: &str) -> fmt::Result {
        let allowed = [(self.insert, "insert"), (self.update, "update"), (self.delete, "delete")];
        allowed.iter().try_for_each(|(allowed, name)| f.write_str(&word(*allowed, name)))?;
        self.object.write(f, schema)?;
        for uri in &self.uris {
            writeln!(f, "  uri {}{}", uri.pattern, word(uri.deprecated, "deprecated"))?;
        }
        write_members(f, schema, &self.object.members)
    }
}

impl Object {
    /// Writes what follows the name, and the end of the line.
    fn write(&self, f: &mut Formatter<'_>, schema: &str) -> fmt::Result {
        self.base.iter().try_for_each(|base| write!(f, " < {}", local(schema, base)))?;
        match &self.open {
            None => {}
            Some(Kind::Any) => f.write_str(" open")?,
            Some(kind) => write!(f, " open={}", kind.within(schema))?,
        }
        writeln!(f, "{}", word(self.deprecated, "deprecated"))
    }
}

fn write_members(f: &mut Formatter<'_>, schema: &str, members: &[Member]) -> fmt::Result {
    members.iter().try_for_each(|member| member.write(f, schema))
}

impl Member {
    fn write(&self, f: &mut Formatter<'_>, schema: &str) -> fmt::Result {
        let (list, link) = (if self.list { "*" } else { "" }, if self.link { ">" } else { "" });
        write!(f, "  {} {list}{link}{}", self.name, self.kind.within(schema))?;
        f.write_str(match self.access {
            Access::Read => "",
            Access::ReadWrite => " rw",
            Access::Write => " wo",
            Access::Hidden => " hidden",
        })?;
        let flags = [
            (self.required, "required"),
            (self.required_on_create, "create"),
            (self.nullable, "null"),
            (self.deprecated, "deprecated"),
        ];
        flags.iter().try_for_each(|(set, name)| f.write_str(&word(*set, name)))?;
        self.unit.iter().try_for_each(|unit| write!(f, " unit={unit}"))?;
        match &self.excerpt {
            Excerpt::None => {}
            Excerpt::Part(None) => f.write_str(" excerpt")?,
            Excerpt::Part(Some(names)) => write!(f, " excerpt={names}")?,
            Excerpt::CopyOnly => f.write_str(" copy-only")?,
            Excerpt::Copy(None) => f.write_str(" copy")?,
            Excerpt::Copy(Some(name)) => write!(f, " copy={name}")?,
        }
        writeln!(f)
    }
}

impl Kind {
    /// Returns the word for the type in this schema.
    fn within<'a>(&'a self, schema: &str) -> &'a str {
        match self {
            Self::Named(name) => local(schema, name),
            simple => SIMPLE.iter().find(|(_, kind)| kind == simple).map_or("any", |(word, _)| word),
        }
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Returns the name without the schema, if it is this one.
fn local<'a>(schema: &str, name: &'a str) -> &'a str {
    name.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

fn word(set: bool, name: &str) -> String {
    if set { format!(" {name}") } else { String::new() }
}
