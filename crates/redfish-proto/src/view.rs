//! Views: typed access to JSON as it was received.
//!
//! A [`Json`] value is a part of the body of a response. It shares the body, so that a copy of it is cheap, and decodes a
//! member when it is asked for one. A *view* is a type around it with a method for each member, such as those of the crate
//! `redfish-schema`, or a custom one:
//!
//! ```
//! use redfish_proto::view::{Json, List, Number, Text};
//!
//! redfish_proto::view! {
//!     /// What a vendor adds to a drive.
//!     pub struct DriveHealth {
//!         /// The remaining life.
//!         pub fn life_left(&self) -> Option<Number> = "LifeLeftPercent";
//!         /// Names of the last tests.
//!         pub fn tests(&self) -> List<Text> = "Tests";
//!     }
//! }
//!
//! let drive = Json::new(r#"{"Id": 7, "Oem": {"Acme": {"LifeLeftPercent": "98.50", "Tests": ["Short", null, "Long"]}}}"#.into())?;
//! let health: DriveHealth = drive.oem_as("Acme").unwrap();
//! assert_eq!(health.life_left().unwrap().as_str(), "98.50");
//! assert_eq!(health.tests().collect::<Vec<_>>(), ["Short", "Long"]);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A member that a service writes in another form than the standard's is read if it makes sense: a number in quotes, one value
//! in place of a list, text as a number. A member that makes none reads as `None` and costs nothing else;
//! [`Json::member`] tells whether it is absent, null or in the way.

mod check;
mod declare;
mod decode;
mod enumeration;
mod index;
mod json_ref;
mod link;
mod list;
mod number;
mod scalar;
pub(crate) mod scan;
mod text;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::base::Base;
use crate::error::Error;
use crate::redact::{Redactor, is_secret_name};
use crate::service::Service;
use crate::target::{Target, percent_decode};

pub(crate) use decode::read;
pub use decode::{Decode, Source};
pub use enumeration::Enumeration;
#[doc(hidden)]
pub use enumeration::known_value;
use index::Index;
use json_ref::Items;
pub use json_ref::JsonRef;
pub use link::Link;
pub(crate) use link::not_received;
pub use list::List;
pub use number::Number;
pub use scalar::{DateTime, Duration, Uuid};
pub use text::Text;
pub use write::{Changes, Create, Encoded, Nullable, Patch, Reference};

/// A JSON value: a body that was received, or a part of one.
///
/// A clone shares the body. `Debug` shows the text without secrets.
#[derive(Clone)]
pub struct Json {
    document: Arc<Document>,
    part: Range<usize>,
}

/// A body, which is valid JSON.
struct Document {
    text: Bytes,
    base: Option<Arc<Base>>,
    index: Option<Index>,
}

/// A type around a JSON object, with methods for its members. Made by [`view!`](crate::view!).
pub trait View: Deref<Target = Json> + Sized {
    /// The name of its schema and its name in it, such as `Chassis.Chassis`; its own name, if it is of no schema.
    const TYPE: &'static str;

    /// The view of an object. The members of another value are all absent.
    fn of(json: Json) -> Self;
}

/// A collection of resources.
pub trait Collection: View {
    /// The type of its members.
    type Member: View;
}

/// A type that a member is read as: [`Text`], [`Number`], `i64`, `bool`, [`DateTime`], [`Duration`], [`Uuid`], [`Link`],
/// [`Json`], a view, or an enumeration.
#[diagnostic::on_unimplemented(
    message = "a member cannot be read as `{Self}`",
    note = "use `Text` for text, `i64` for integers, `Number` for other numbers, `Link<T>`, `Json`, a view or an enumeration"
)]
pub trait FromJson: Sized {
    /// Reads a value that is not null. `None` if it makes no sense as this type.
    fn from_json(json: JsonRef<'_>) -> Option<Self>;
}

/// What a method of a view returns: an `Option` for one value, a [`List`] for several.
#[diagnostic::on_unimplemented(
    message = "a method of a view cannot return `{Self}`",
    note = "it returns an `Option<T>` for one value or a `List<T>` for several"
)]
pub trait MemberType: Sized {
    /// Reads a member.
    fn read(object: JsonRef<'_>, name: &str) -> Self;
}

/// A member, as it is in the object.
#[derive(Clone, Debug)]
pub enum Member {
    /// The object has no such member.
    Absent,
    /// The member is null.
    Null,
    /// Its value. If the method of the view returns `None`, the value is not of the type of the member.
    Value(Json),
}

impl Json {
    /// A JSON text. Links in it are relative to the origin.
    ///
    /// # Errors
    /// If the text is not JSON. [`json::readable`](crate::json::readable) repairs what services send instead.
    pub fn new(text: Bytes) -> Result<Json, serde_json::Error> {
        Json::with_base(text, None)
    }

    /// The JSON text of a resource of a service. Links in it are relative to its URI.
    ///
    /// # Errors
    /// Those of [`new`](Json::new).
    pub fn of_resource(
        text: Bytes,
        service: &Arc<Service>,
        target: Target,
    ) -> Result<Json, serde_json::Error> {
        let base = Base { service: Arc::clone(service), target, redactor: Arc::default() };
        Json::with_base(text, Some(Arc::new(base)))
    }

    fn with_base(text: Bytes, base: Option<Arc<Base>>) -> Result<Json, serde_json::Error> {
        let text = text.slice_ref(text.trim_ascii());
        let index = Index::check(&text)?;
        let part = 0..text.len();
        Ok(Json { document: Arc::new(Document { text, base, index }), part })
    }

    /// Borrows it.
    #[inline]
    pub fn get_ref(&self) -> JsonRef<'_> {
        JsonRef { document: &self.document, start: self.part.start, end: self.part.end }
    }

    /// The JSON text as it was sent, or as it was repaired to be readable.
    pub fn text(&self) -> &str {
        self.get_ref().text()
    }

    /// The JSON text in UTF-8, without a copy.
    pub fn bytes(&self) -> Bytes {
        self.document.text.slice(self.part.clone())
    }

    /// The URI of the resource that it is a part of, if it was received as one.
    pub fn base(&self) -> Option<&Target> {
        self.document.base.as_ref().map(|base| &base.target)
    }

    /// The resource that it is a part of, and its own URI: that of the resource, or for one within another its `@odata.id`.
    ///
    /// # Errors
    /// If it was not received from a service, or its `@odata.id` is not a link that the policy accepts.
    pub(crate) fn origin(&self) -> Result<(&Arc<Base>, Target), Error> {
        let base = self.document.base.as_ref().ok_or_else(not_received)?;
        let own = match self.odata_id() {
            Some(id) if self.part.start > 0 => base.resolve(&id)?,
            _ => base.target.clone(),
        };
        Ok((base, own))
    }

    /// Reads a member: an `Option` of a value, or a [`List`]. The last one counts if several have the name.
    #[inline]
    pub fn read<T: MemberType>(&self, name: &str) -> T {
        T::read(self.get_ref(), name)
    }

    /// A member as it is in the object, which tells one that is absent from one that is null or cannot be read.
    pub fn member(&self, name: &str) -> Member {
        match self.get_ref().find(&[name]) {
            None => Member::Absent,
            Some(value) if value.is_null() => Member::Null,
            Some(value) => Member::Value(value.to_owned()),
        }
    }

    /// Reads an annotation of a member, such as `Redfish.AllowableValues`, or of the object itself if `member` is empty
    /// (DSP0266, "Payload annotations").
    pub fn annotation<T: FromJson>(&self, member: &str, name: &str) -> Option<T> {
        self.get_ref().find(&[member, "@", name])?.read()
    }

    /// The values that a client may write to a member, as far as the service lists them (`Redfish.AllowableValues`).
    pub fn allowable_values<T: FromJson>(&self, member: &str) -> List<T> {
        List::of(self.get_ref().find(&[member, "@Redfish.AllowableValues"]))
    }

    /// What a vendor adds, as it names itself: `Hpe`, `Dell`. Any letter case matches if the exact name is not there.
    pub fn oem_as<T: Decode>(&self, vendor: &str) -> Option<T> {
        let oem = self.get_ref().find(&["Oem"])?;
        let found = oem.find(&[vendor]).or_else(|| {
            let mut others = oem.members();
            others.find(|(name, _)| name.eq_ignore_ascii_case(vendor)).map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null())?.to_owned().decode().ok()
    }

    /// Its members in their order, if it is an object. Escapes in names are decoded.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'_, str>, JsonRef<'_>)> {
        self.get_ref().members()
    }

    /// Its items, if it is a list. Any other value is the only item.
    pub fn items(&self) -> List<Json> {
        List::of(Some(self.get_ref()))
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<Json> {
        if pointer.is_empty() {
            return Some(self.clone());
        }
        let mut at = self.get_ref();
        for step in pointer.strip_prefix('/')?.split('/') {
            let name = step.replace("~1", "/").replace("~0", "~");
            at = match at.first_byte() {
                Some(b'[') => at.nth_item(list_index(&name)?)?,
                _ => at.find(&[&name])?,
            };
        }
        Some(at.to_owned())
    }

    /// Reads the part that the fragment of a URI means: a JSON pointer, which is percent-encoded (RFC 6901, 6). The error is the
    /// pointer, and the reason.
    pub(crate) fn decode_fragment<T: Decode>(&self, fragment: &str) -> Result<T, (String, String)> {
        let pointer = percent_decode(fragment);
        let read = match self.pointer(&pointer) {
            Some(part) => part.decode().map_err(|error| error.to_string()),
            None => Err("there is no such member".to_owned()),
        };
        read.map_err(|reason| (pointer, reason))
    }

    /// Reads it as a type: a view, or a type of serde.
    ///
    /// # Errors
    /// If the text does not fit the type.
    pub fn decode<T: Decode>(&self) -> Result<T, serde_json::Error> {
        T::decode(Source::json_value(self))
    }

    /// Its `@odata.id`: the URI of the resource.
    pub fn odata_id(&self) -> Option<Text> {
        self.read("@odata.id")
    }

    /// Its `@odata.type`, such as `#Chassis.v1_25_0.Chassis`.
    pub fn odata_type(&self) -> Option<Text> {
        self.read("@odata.type")
    }

    /// Its `@odata.etag`.
    pub fn odata_etag(&self) -> Option<Text> {
        self.read("@odata.etag")
    }

    /// The name of the member that it is the value of, if it is one.
    fn name(&self) -> Option<String> {
        let before = self.document.text.get(..self.part.start)?.trim_ascii_end().strip_suffix(b":")?;
        let name = before.trim_ascii_end().strip_suffix(b"\"")?;
        let start = name.iter().rposition(|byte| *byte == b'"')? + 1;
        Some(scan::decode(name.get(start..)?).into_owned())
    }

    /// Itself: the JSON that a view is made of.
    pub fn json(&self) -> &Json {
        self
    }
}

/// An index of a list (RFC 6901, 4): without a sign or leading zeros.
fn list_index(text: &str) -> Option<usize> {
    let is_index = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_index)
}

impl<T: FromJson> MemberType for Option<T> {
    #[inline]
    fn read(object: JsonRef<'_>, name: &str) -> Self {
        object.find(&[name])?.read()
    }
}

impl<T: FromJson> MemberType for List<T> {
    #[inline]
    fn read(object: JsonRef<'_>, name: &str) -> Self {
        List::of(object.find(&[name]))
    }
}

impl FromJson for Json {
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        Some(json.to_owned())
    }
}

impl<T: View> FromJson for T {
    #[inline]
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        json.is_object().then(|| T::of(json.to_owned()))
    }
}

impl Default for Json {
    /// An empty object.
    fn default() -> Json {
        let text = Bytes::from_static(b"{}");
        Json { document: Arc::new(Document { text, base: None, index: None }), part: 0..2 }
    }
}

impl PartialEq for Json {
    /// Whether the texts are the same.
    fn eq(&self, other: &Json) -> bool {
        self.get_ref().bytes() == other.get_ref().bytes()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Redactor::default().clean_json(self.text());
        match self.name() {
            Some(name) if is_secret_name(&name) => f.write_str("\"[redacted]\""),
            _ => write!(f, "{text}"),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.text()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
