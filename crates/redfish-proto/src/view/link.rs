//! Links to resources.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::{FromJson, Json, JsonRef, View};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::reason::TargetError;
use crate::redact::Redactor;
use crate::target::Target;

/// A link to a resource of a type (DSP0266, "Reference properties"): an object with `@odata.id`, or only its text.
///
/// It knows the resource that it is in. A service may write the resource itself in its place (`$expand`): then
/// [`expanded`](Link::expanded) returns it.
pub struct Link<T> {
    json: Json,
    /// Whether the resource itself is in the place of the link.
    is_expanded: bool,
    to: PhantomData<fn() -> T>,
}

impl<T> Link<T> {
    /// The URI as the service wrote it.
    pub fn uri(&self) -> Cow<'_, str> {
        uri(self.json.get_ref()).unwrap_or_default()
    }

    /// The URI of the resource that it is in, which a relative one refers to.
    pub fn base(&self) -> Option<&Target> {
        self.json.base()
    }

    /// The target that it leads to, by the policy for links of the service that sent it.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`](crate::ErrorKind::CrossOrigin) for a link to another origin,
    /// [`ErrorKind::InvalidTarget`](crate::ErrorKind::InvalidTarget) for text that is not a link or was not received from a service.
    pub fn target(&self) -> Result<Target, Error> {
        match self.json.document.base.as_ref() {
            Some(base) => base.resolve(&self.uri()),
            None => Err(not_received()),
        }
    }

    /// The JSON that it was read from.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// The same link, to a resource of another type.
    pub fn cast<U>(&self) -> Link<U> {
        Link { json: self.json.clone(), is_expanded: self.is_expanded, to: PhantomData }
    }
}

impl<T: View> Link<T> {
    /// The resource itself, if the service wrote it in the place of the link: with `@odata.id`, `@odata.type`, `Id` and `Name`.
    pub fn expanded(&self) -> Option<T> {
        self.is_expanded.then(|| T::of(self.json.clone()))
    }
}

/// The error of something that was not received from a service, so that it is not known where it is.
pub(crate) fn not_received() -> Error {
    Error::new(ErrorKind::InvalidTarget(TargetError::NotReceived))
}

fn uri(json: JsonRef<'_>) -> Option<Cow<'_, str>> {
    let mut named = ["@odata.id", "href"].into_iter().filter_map(|name| json.find(&[name]));
    let link = if json.is_object() { named.find(|link| link.is_link_text())? } else { json };
    link.is_link_text().then(|| link.to_text())?
}

impl<T> FromJson for Link<T> {
    fn from_json(json: JsonRef<'_>) -> Option<Self> {
        let link = |is_expanded| Link { json: json.to_owned(), is_expanded, to: PhantomData };
        if !json.is_object() {
            return json.is_link_text().then(|| link(false));
        }
        // Usually these are the first members, and the rest is not read.
        let (mut has_link, mut found) = (false, [false; 3]);
        for (name, value) in json.raw_members() {
            match name {
                b"@odata.id" | b"href" => has_link |= value.is_link_text(),
                b"@odata.type" => found[0] |= !value.is_null(),
                b"Id" => found[1] |= !value.is_null(),
                b"Name" => found[2] |= !value.is_null(),
                _ => {}
            }
            if has_link && found == [true; 3] {
                break;
            }
        }
        let is_expanded = found == [true; 3];
        // A name may have escapes.
        (has_link || uri(json).is_some()).then(|| link(is_expanded))
    }
}

impl<T> From<&Link<T>> for Option<Link<T>> {
    fn from(link: &Link<T>) -> Option<Link<T>> {
        Some(link.clone())
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        self.cast()
    }
}

impl<T> PartialEq for Link<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uri() == other.uri() && self.base() == other.base()
    }
}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", Redactor::default().clean(&self.uri()))
    }
}
