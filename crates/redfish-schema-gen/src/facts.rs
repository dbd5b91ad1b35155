//! The facts: what the schemas state that code needs, without the texts that describe it.
//!
//! The text format has one fact in a line, so that a person can read the difference between two releases. The
//! indentation shows the level:
//!
//! ```text
//! Thermometer 1.2.0
//!  resource Thermometer update < Resource.Resource
//!   uri /redfish/v1/Chassis/{ChassisId}/Thermometers/{ThermometerId}
//!   Reading number null unit=Cel
//!   Mode Mode rw
//!   Links Links
//!  object Links < Resource.Links
//!   Chassis *>Chassis.Chassis
//!  enum Mode
//!   Fast
//!   "Very slow" deprecated
//!  type Label text
//!  action Reset returns ResetResponse
//!   Mode Mode required
//! ```
//!
//! | line | what follows |
//! |---|---|
//! | `outside SCHEMA` | a schema that is used and is not in the bundle; these lines come first |
//! | a schema | its newest version, and `owner=NAME` if that is not DMTF |
//! | `resource NAME` | `insert`, `update`, `delete`: what a service may allow; then as for an object |
//! | `object NAME` | `< BASE`; `open` if it has members beside those of the schema, `open=TYPE` if their type is known; `deprecated` |
//! | `enum NAME` | `deprecated`; its values follow, in quotes if they contain a space |
//! | `type NAME TYPE` | another name of a type |
//! | `action NAME` | `returns TYPE`, `deprecated`; its parameters follow |
//! | `uri URI` | `deprecated` |
//! | a member or parameter | its type, then attributes in the order of the table below |
//!
//! A type is `text`, `integer`, `number`, `boolean`, `date-time`, `duration`, `uuid`, `uri`, `any`, or the name of a type:
//! `NAME` in the same schema, otherwise `SCHEMA.NAME`. `>` before it is a link to a resource, `*` a list.
//!
//! | attribute | meaning |
//! |---|---|
//! | `rw`, `wo`, `hidden` | can be written; can be written but not read; can do neither, and is only sent to create a resource |
//! | `required`, `create` | always there, or a required parameter; required to create a resource |
//! | `null` | may be null; of a list: its items may |
//! | `deprecated` | has a successor, or none |
//! | `unit=UNIT` | its unit in UCUM notation |
//! | `excerpt`, `excerpt=A,B` | is in excerpts of its resource: in all, or in those of these names |
//! | `copy-only` | is only in excerpts |
//! | `copy`, `copy=A` | not a link but an excerpt of the resource |

mod display;
mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use parse::ParseError;

/// What all schemas of a bundle state. `Display` is the text format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Schemas that are used and are not in the bundle, such as those of storage services. Their types are not known.
    pub outside: BTreeSet<String>,
    /// By name.
    pub schemas: BTreeMap<String, Schema>,
}

/// One schema, in all its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The newest version. Collections have none.
    pub version: Option<Version>,
    /// The organization that defines the schema, if it is not DMTF.
    pub owner: Option<String>,
    /// What has a URI, and the bases of it.
    pub resources: BTreeMap<String, Resource>,
    /// What is inside a resource.
    pub objects: BTreeMap<String, Object>,
    /// Texts with a fixed list of values.
    pub enumerations: BTreeMap<String, Enumeration>,
    /// Other names of types.
    pub aliases: BTreeMap<String, Kind>,
    /// What can be done with a resource beside reading and writing it.
    pub actions: BTreeMap<String, Action>,
}

/// The version of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// A type of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its base and members.
    pub object: Object,
    /// Where services have it.
    pub uris: Vec<Uri>,
    /// A service may allow a POST to it.
    pub insert: bool,
    /// A service may allow a PATCH or a PUT of it.
    pub update: bool,
    /// A service may allow a DELETE of it.
    pub delete: bool,
}

/// A pattern of URIs, with names in braces for their variable parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// For example `/redfish/v1/Chassis/{ChassisId}`.
    pub pattern: String,
    /// Whether services should have the resource elsewhere.
    pub deprecated: bool,
}

/// Base and members of a resource or of an object inside one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// The type that it has the members of, `Schema.Type`.
    pub base: Option<String>,
    /// The type of additional members, if there may be any.
    pub open: Option<Kind>,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// In the order of the schema, without those of the base.
    pub members: Vec<Member>,
}

/// A text with a fixed list of values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enumeration {
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// In the order of the schema.
    pub values: Vec<EnumerationValue>,
}

/// One value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumerationValue {
    /// As it is sent.
    pub text: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
}

/// An action of the resources of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// The type of its response, `Schema.Type`, if it has one.
    pub returns: Option<String>,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// In the order of the schema.
    pub parameters: Vec<Member>,
}

/// A member of an object, or a parameter of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As it is sent.
    pub name: String,
    /// Whether it is a list.
    pub list: bool,
    /// Whether it is only a link to what `kind` names.
    pub link: bool,
    /// Its type, or that of the items of the list.
    pub kind: Kind,
    /// Whether clients can read and write it.
    pub access: Access,
    /// Whether it is always there; of a parameter: whether it must be.
    pub required: bool,
    /// Whether it is required to create the resource.
    pub required_on_create: bool,
    /// Whether it may be null; of a list: whether its items may.
    pub nullable: bool,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Its unit in UCUM notation.
    pub unit: Option<String>,
    /// What it has to do with excerpts.
    pub excerpt: Excerpt,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A number without a fraction.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date with time and offset.
    DateTime,
    /// A duration, as ISO 8601 writes it.
    Duration,
    /// A UUID.
    Uuid,
    /// A URI.
    Uri,
    /// Any value.
    Any,
    /// Another type, `Schema.Type`.
    Named(String),
}

/// What a client can do with a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Read it. An object inside a resource is of this kind, whatever its members are.
    #[default]
    Read,
    /// Read and write it.
    ReadWrite,
    /// Write it. Responses have null in its place.
    Write,
    /// Neither; a client may send it to create a resource.
    Hidden,
}

/// What a member has to do with excerpts: copies of a part of a resource in another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Excerpt {
    /// Nothing.
    #[default]
    None,
    /// It is in excerpts: in all of them, or in those of these names, divided by commas.
    Part(Option<String>),
    /// It is only in excerpts.
    CopyOnly,
    /// It is an excerpt itself, of this name or the only one that its resource has.
    Copy(Option<String>),
}

impl Facts {
    /// Reads the text format.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Returns whether `Schema.Type` names a resource, an object, an enumeration or another name of a type, or is of a
    /// schema outside the bundle.
    pub fn declares(&self, name: &str) -> bool {
        let is_outside = name.split_once('.').is_some_and(|(schema, _)| self.outside.contains(schema));
        is_outside
            || self.in_schema(name).is_some_and(|(schema, name)| {
                schema.resources.contains_key(name)
                    || schema.objects.contains_key(name)
                    || schema.enumerations.contains_key(name)
                    || schema.aliases.contains_key(name)
            })
    }

    /// Returns the resource that `Schema.Type` names.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        let (schema, name) = self.in_schema(name)?;
        schema.resources.get(name)
    }

    /// Returns the object, or what is like one in the resource, that `Schema.Type` names.
    pub fn object(&self, name: &str) -> Option<&Object> {
        let (schema, name) = self.in_schema(name)?;
        let resource = schema.resources.get(name).map(|resource| &resource.object);
        resource.or_else(|| schema.objects.get(name))
    }

    /// Returns all members of what `Schema.Type` names, those of its bases first. A member replaces that of a base.
    pub fn members(&self, name: &str) -> Vec<Member> {
        let Some(object) = self.object(name) else { return Vec::new() };
        let mut all = object.base.as_deref().map(|base| self.members(base)).unwrap_or_default();
        for member in &object.members {
            match all.iter_mut().find(|known| known.name == member.name) {
                Some(known) => known.clone_from(member),
                None => all.push(member.clone()),
            }
        }
        all
    }

    /// Returns the types that are used and not declared, each with its schema and where it is used.
    pub fn unresolved(&self) -> Vec<Unresolved> {
        let mut unresolved = Vec::new();
        for (schema, facts) in &self.schemas {
            facts.each_name(&mut |used_by, name| {
                if !self.declares(name) {
                    unresolved.push(Unresolved { schema: schema.clone(), used_by, name: name.to_owned() });
                }
            });
        }
        unresolved
    }

    fn in_schema<'a>(&self, name: &'a str) -> Option<(&Schema, &'a str)> {
        let (schema, name) = name.split_once('.')?;
        Some((self.schemas.get(schema)?, name))
    }
}

/// A type that is used and not declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// The schema that uses it.
    pub schema: String,
    /// The type, or the type and the member, that uses it.
    pub used_by: String,
    /// Its name, `Schema.Type`.
    pub name: String,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} uses the type {}, which is not declared", self.schema, self.used_by, self.name)
    }
}

impl Schema {
    /// Returns whether it declares nothing.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
            && self.objects.is_empty()
            && self.enumerations.is_empty()
            && self.aliases.is_empty()
            && self.actions.is_empty()
    }

    /// Calls `found` with each name of a type, and where it is used.
    fn each_name<'a>(&'a self, found: &mut dyn FnMut(String, &'a str)) {
        let objects =
            self.resources.iter().map(|(name, resource)| (name, &resource.object)).chain(&self.objects);
        for (name, object) in objects {
            object.base.iter().for_each(|base| found(name.clone(), base));
            object.open.iter().filter_map(Kind::name).for_each(|open| found(name.clone(), open));
            members(name, &object.members, found);
        }
        for (name, kind) in &self.aliases {
            kind.name().into_iter().for_each(|kind| found(name.clone(), kind));
        }
        for (name, action) in &self.actions {
            action.returns.iter().for_each(|returns| found(name.clone(), returns));
            members(name, &action.parameters, found);
        }
    }
}

fn members<'a>(owner: &str, members: &'a [Member], found: &mut dyn FnMut(String, &'a str)) {
    for member in members {
        member.kind.name().into_iter().for_each(|kind| found(format!("{owner}.{}", member.name), kind));
    }
}

impl Member {
    /// Makes a member that is read-only and has no attribute.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            list: false,
            link: false,
            kind,
            access: Access::Read,
            required: false,
            required_on_create: false,
            nullable: false,
            deprecated: false,
            unit: None,
            excerpt: Excerpt::None,
        }
    }
}

impl Kind {
    /// Returns the name of the type, if it is not one of the simple ones.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            _ => None,
        }
    }
}
