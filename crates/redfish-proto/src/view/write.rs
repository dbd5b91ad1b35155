//! What a client writes: changes of resources, new ones, and parameters.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{DateTime, Duration, Enumeration, Json, Link, Number, Text, Uuid, View};
use crate::json;
use crate::target::Target;

/// Members to be written. The types of [`patch!`](crate::patch!) are made of it.
///
/// `Debug` shows only their names, since values may be secret.
#[derive(Clone, Default, PartialEq)]
pub struct Changes {
    members: Map<String, Value>,
    /// The members whose values have no JSON form: numbers that are not finite.
    invalid: BTreeSet<String>,
}

impl Changes {
    /// None.
    pub fn new() -> Changes {
        Changes::default()
    }

    /// Adds a member. A second one with the same name replaces the first.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Into<Encoded>) -> Changes {
        self.invalid.remove(name);
        match value.into().0 {
            Some(value) => drop(self.members.insert(name.to_owned(), value)),
            None => drop(self.invalid.insert(name.to_owned())),
        }
        self
    }

    /// Adds a member that is a list.
    #[must_use]
    pub fn list<T: Into<Encoded>>(self, name: &str, items: impl IntoIterator<Item = T>) -> Changes {
        self.value(name, items.into_iter().collect::<Vec<T>>())
    }

    /// Adds a member, unless it is null.
    #[must_use]
    pub fn optional<T: Into<Encoded>>(self, name: &str, value: Nullable<T>) -> Changes {
        match value {
            Nullable::Null => self,
            Nullable::Value(value) => self.value(name, value),
        }
    }

    /// Adds a member exactly as another object has it, unless that has none: also null, and what makes no sense as its type.
    /// Numbers beyond 64 bits become the nearest floating-point number.
    #[must_use]
    pub fn copy(self, name: &str, from: &Json) -> Changes {
        match from.get_ref().find(&[name]) {
            Some(value) => self.value(name, json::part::<Value>(value.text()).unwrap_or_default()),
            None => self,
        }
    }

    /// Changes the members of an object: those that were set before, and more. An object without changes is left out.
    #[must_use]
    pub fn object(mut self, name: &str, change: impl FnOnce(Changes) -> Changes) -> Changes {
        let before = match self.members.remove(name) {
            Some(Value::Object(members)) => Changes { members, ..Changes::default() },
            _ => Changes::default(),
        };
        let changes = change(before);
        if changes.is_empty() { self } else { self.value(name, changes) }
    }

    /// Adds the members of other changes.
    #[must_use]
    pub fn merge(mut self, other: impl Into<Changes>) -> Changes {
        let other = other.into();
        self.members.extend(other.members);
        self.invalid.extend(other.invalid);
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.invalid.is_empty()
    }

    /// The members, unless one of them has no JSON form.
    pub(crate) fn into_members(self) -> Option<Map<String, Value>> {
        self.invalid.is_empty().then_some(self.members)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changes of {:?}", self.members.keys().collect::<Vec<_>>())
    }
}

impl Serialize for Changes {
    /// # Errors
    /// If a number is not finite.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(member) = self.invalid.first() {
            return Err(S::Error::custom(format_args!("the number of {member} is not finite")));
        }
        self.members.serialize(serializer)
    }
}

/// A value that is written to a member, in JSON. `Debug` does not show it, since it may be secret.
#[derive(Clone, PartialEq)]
pub struct Encoded(Option<Value>);

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoded")
    }
}

macro_rules! encoded {
    ($($type:ty),*) => {$(
        impl From<$type> for Encoded {
            fn from(value: $type) -> Encoded {
                Encoded(Some(value.into()))
            }
        }
    )*};
}

encoded!(Value, String, &str, i64, bool, DateTime, Duration, Uuid, Text, Reference);

impl From<Number> for Encoded {
    fn from(number: Number) -> Encoded {
        Encoded(serde_json::from_str(number.as_str()).ok().map(Value::Number))
    }
}

impl From<f64> for Encoded {
    fn from(number: f64) -> Encoded {
        Number::from(number).into()
    }
}

impl From<Changes> for Encoded {
    fn from(changes: Changes) -> Encoded {
        Encoded(changes.into_members().map(Value::Object))
    }
}

impl<T: Into<Encoded>> From<Vec<T>> for Encoded {
    fn from(items: Vec<T>) -> Encoded {
        let items: Option<Vec<Value>> = items.into_iter().map(|item| item.into().0).collect();
        Encoded(items.map(Value::Array))
    }
}

impl<T: Into<Encoded>> From<Nullable<T>> for Encoded {
    fn from(value: Nullable<T>) -> Encoded {
        match value {
            Nullable::Null => Encoded(Some(Value::Null)),
            Nullable::Value(value) => value.into(),
        }
    }
}

/// A value, or null: what a member can be set to that may be null. A value becomes one, and so does an `Option`, such as one
/// that was read: `None` is null, also where the member was absent or could not be read. `copy_member` sets exactly what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nullable<T> {
    /// Null, which removes a value.
    Null,
    /// This value.
    Value(T),
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Nullable<T> {
        Nullable::Value(value)
    }
}

impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Nullable<T> {
        value.map_or(Nullable::Null, Nullable::Value)
    }
}

impl<E: Enumeration> From<&str> for Nullable<E> {
    fn from(text: &str) -> Nullable<E> {
        Nullable::Value(E::of(text))
    }
}

macro_rules! nullable {
    ($($type:ty: $($from:ty),*;)*) => {$($(
        impl From<$from> for Nullable<$type> {
            fn from(value: $from) -> Nullable<$type> {
                Nullable::Value(value.into())
            }
        }
    )*)*};
}

nullable! {
    Text: &str, String, &String, &Text;
    String: &str, Text;
    DateTime: &str, String;
    Duration: &str, String, std::time::Duration;
    Uuid: &str, String;
    i64: i8, i16, i32, u8, u16, u32;
    Number: i8, i16, i32, i64, u8, u16, u32, u64, usize, f32, f64;
    Reference: &str, String, &Target, Target;
}

impl<T> From<&Link<T>> for Nullable<Reference> {
    fn from(link: &Link<T>) -> Nullable<Reference> {
        Nullable::Value(link.into())
    }
}

impl<T> From<Link<T>> for Nullable<Reference> {
    fn from(link: Link<T>) -> Nullable<Reference> {
        Nullable::Value(link.into())
    }
}

/// A link to be written: of a [`Link`], a [`Target`] or a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

impl<T> From<&Link<T>> for Reference {
    fn from(link: &Link<T>) -> Reference {
        Reference(link.uri().into_owned())
    }
}

impl<T> From<Link<T>> for Reference {
    fn from(link: Link<T>) -> Reference {
        Reference::from(&link)
    }
}

impl From<&Target> for Reference {
    fn from(target: &Target) -> Reference {
        Reference(target.to_string())
    }
}

impl From<Target> for Reference {
    fn from(target: Target) -> Reference {
        Reference::from(&target)
    }
}

impl From<&str> for Reference {
    fn from(uri: &str) -> Reference {
        Reference(uri.to_owned())
    }
}

impl From<String> for Reference {
    fn from(uri: String) -> Reference {
        Reference(uri)
    }
}

impl From<Reference> for Value {
    fn from(reference: Reference) -> Value {
        Value::Object(Map::from_iter([("@odata.id".to_owned(), Value::String(reference.0))]))
    }
}

/// Changes of a resource of a type, or the body that creates one.
pub trait Patch: Into<Changes> + Serialize {
    /// The type of the resource.
    type Resource: View;
}

/// The body of a request that creates a resource of a type.
pub trait Create: Into<Changes> + Serialize {
    /// The type of the resource.
    type Resource: View;
}

/// Declares a type of [`Changes`](crate::view::Changes) with a method for each member.
///
/// `value TYPE` is set from a value, `list TYPE` from several, `object TYPE` by a closure that gets changes of that type,
/// and `objects TYPE` from several of them. `of VIEW` after the name makes it a [`Patch`](crate::view::Patch) of a resource;
/// `creates VIEW (ARGUMENTS)` makes it a [`Create`](crate::view::Create), with the arguments of its `new`.
///
/// ```
/// use redfish_proto::view::{Nullable, Text};
///
/// redfish_proto::patch! {
///     /// Changes of a lamp.
///     pub struct LampPatch {
///         /// `Label`.
///         label: value Nullable<Text> = "Label";
///         /// `Dimmer`.
///         dimmer: object DimmerPatch = "Dimmer";
///         /// `Scenes`.
///         scenes: list Text = "Scenes";
///     }
/// }
/// redfish_proto::patch! {
///     /// Changes of a dimmer.
///     pub struct DimmerPatch {
///         /// `Level`.
///         level: value i64 = "Level";
///     }
/// }
/// let patch = LampPatch::new().label(None).dimmer(|dimmer| dimmer.level(7)).scenes(["day", "night"]);
/// assert_eq!(serde_json::to_string(&patch)?, r#"{"Dimmer":{"Level":7},"Label":null,"Scenes":["day","night"]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! patch {
    ($(#[$doc:meta])* $vis:vis struct $name:ident creates $of:ident (
        $($argument:ident: $argument_kind:ident $argument_type:ty = $argument_member:literal),* $(,)?
    ) { $($members:tt)* }) => {
        $crate::patch! { @type $(#[$doc])* $vis struct $name { $($members)* } }

        impl $name {
            /// With what the schema requires.
            #[allow(clippy::too_many_arguments, reason = "the schema decides")]
            pub fn new($($argument: $crate::patch!(@argument $argument_kind $argument_type)),*) -> Self {
                Self($crate::view::Changes::new()$(.$argument_kind($argument_member, $crate::patch!(@into $argument_kind $argument $argument_type)))*)
            }
        }

        impl $crate::view::Create for $name {
            type Resource = $of;
        }
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident $(of $of:ident)? { $($members:tt)* }) => {
        $crate::patch! { @type $(#[$doc])* #[derive(Default)] $vis struct $name { $($members)* } }

        #[allow(dead_code, unreachable_pub, reason = "the caller chooses the visibility of the type")]
        impl $name {
            /// Without changes.
            #[inline]
            pub fn new() -> Self {
                Self::default()
            }
        }

        $(impl $crate::view::Patch for $name {
            type Resource = $of;
        })?
    };
    (@argument value $type:ty) => { impl Into<$type> };
    (@argument list $type:ty) => { impl IntoIterator<Item = impl Into<$type>> };
    (@into value $argument:ident $type:ty) => { Into::<$type>::into($argument) };
    (@into list $argument:ident $type:ty) => { $argument.into_iter().map(Into::<$type>::into) };
    (@type $(#[$doc:meta])* $vis:vis struct $name:ident {
        $($(#[$member_doc:meta])* $method:ident: $kind:ident $type:ty = $member:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq)]
        #[must_use]
        $vis struct $name($crate::view::Changes);

        #[allow(dead_code, unreachable_pub, reason = "the caller chooses the visibility of the type")]
        impl $name {
            $($crate::patch_method! { $kind $(#[$member_doc])* $method, $type, $member })*

            /// Sets a member exactly as another object has it, such as to restore what was read. One that it does not have is not
            /// set.
            #[inline]
            pub fn copy_member(self, name: &str, from: &$crate::view::Json) -> Self {
                Self(self.0.copy(name, from))
            }

            /// Sets any other member, such as one of a vendor.
            #[inline]
            pub fn set_member(self, name: &str, value: impl Into<$crate::serde_json::Value>) -> Self {
                Self(self.0.value(name, value.into()))
            }
        }

        impl From<$crate::view::Changes> for $name {
            #[inline]
            fn from(changes: $crate::view::Changes) -> Self {
                Self(changes)
            }
        }

        impl From<$name> for $crate::view::Changes {
            #[inline]
            fn from(changes: $name) -> Self {
                changes.0
            }
        }

        impl From<$name> for $crate::view::Encoded {
            #[inline]
            fn from(changes: $name) -> Self {
                changes.0.into()
            }
        }

        impl $crate::serde::Serialize for $name {
            #[inline]
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

/// A method of [`patch!`](crate::patch!).
#[doc(hidden)]
#[macro_export]
macro_rules! patch_method {
    (value $(#[$doc:meta])* $method:ident, $type:ty, $member:literal) => {
        $(#[$doc])*
        #[inline]
        pub fn $method(self, value: impl Into<$type>) -> Self {
            Self(self.0.value($member, value.into()))
        }
    };
    (list $(#[$doc:meta])* $method:ident, $type:ty, $member:literal) => {
        $(#[$doc])*
        #[inline]
        pub fn $method(self, values: impl IntoIterator<Item = impl Into<$type>>) -> Self {
            Self(self.0.list($member, values.into_iter().map(Into::into)))
        }
    };
    (object $(#[$doc:meta])* $method:ident, $type:ty, $member:literal) => {
        $(#[$doc])*
        #[inline]
        pub fn $method(self, change: impl FnOnce($type) -> $type) -> Self {
            Self(self.0.object($member, |before| change(before.into()).into()))
        }
    };
    (objects $(#[$doc:meta])* $method:ident, $type:ty, $member:literal) => {
        $(#[$doc])*
        #[inline]
        pub fn $method(self, values: impl IntoIterator<Item = $type>) -> Self {
            Self(self.0.list($member, values))
        }
    };
}
