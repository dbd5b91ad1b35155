//! The members of a page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base::Base;
use crate::error::Error;
use crate::json;
use crate::link::is_link;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::{self, Decode, JsonRef};

/// A member of a page: only a link, or the whole resource. It is a part of the page's body and is parsed when it is
/// used.
#[derive(Clone)]
pub struct Member {
    body: Bytes,
    range: Range<u32>,
    base: Arc<Base>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "@odata.id")]
    id: Option<&'a RawValue>,
}

/// The link of a member or of another object, if it has one, or a link that is a plain string.
pub(super) fn link_of(object: &[u8]) -> Option<Cow<'_, str>> {
    // A usual link is recognized without parsing.
    if let Some(link) = usual_link(object) {
        return Some(Cow::Borrowed(link));
    }
    let text = |raw| {
        let link = serde_json::from_str::<&str>(raw).map(Cow::Borrowed).ok();
        link.or_else(|| json::part(raw).map(Cow::Owned))
    };
    let object = std::str::from_utf8(object).ok()?;
    let link = if object.starts_with('"') {
        // CIMC sends links as plain strings.
        text(object)
    } else if let Ok(reference) = serde_json::from_str::<Reference<'_>>(object) {
        text(reference.id?.get())
    } else {
        json::part::<Value>(object)?.get("@odata.id")?.as_str().map(|link| link.to_owned().into())
    };
    link.filter(|link| is_link(link))
}

/// The name of a link, in quotes.
const ODATA_ID: &[u8] = b"\"@odata.id\"";

/// The link of an object that starts with it, as most do, if it is a path without escapes.
fn usual_link(object: &[u8]) -> Option<&str> {
    let member = object.strip_prefix(b"{")?.trim_ascii_start();
    let value = member.strip_prefix(ODATA_ID)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = value.strip_prefix(b"\"")?;
    let (link, rest) = text.split_at_checked(memchr::memchr2(b'"', b'\\', text)?)?;
    let is_usual = link.starts_with(b"/") && rest.starts_with(b"\"") && !may_repeat_link(rest);
    is_usual.then(|| std::str::from_utf8(link).ok())?
}

/// Whether the rest of an object may have a second link, of which the last one counts. The links of objects within it are
/// their first members.
fn may_repeat_link(rest: &[u8]) -> bool {
    memchr::memmem::find_iter(rest, ODATA_ID).any(|at| {
        let before = rest.get(..at).unwrap_or_default().trim_ascii_end();
        !before.ends_with(b"{")
    })
}

/// Whether a member without a link is not a resource either, such as `null` or `{"@odata.id": ""}`.
pub(super) fn is_empty(member: &[u8]) -> bool {
    let Some(members) = member.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) else { return true };
    if members.starts_with(ODATA_ID) { count_members(member) == Some(1) } else { members.starts_with(b"}") }
}

/// The number of members of a JSON object.
fn count_members(object: &[u8]) -> Option<usize> {
    type ByName<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
    serde_json::from_slice::<ByName<'_>>(object).ok().map(|members| members.len())
}

impl Member {
    pub(super) fn new(body: Bytes, range: Range<u32>, base: Arc<Base>) -> Member {
        Member { body, range, base }
    }

    /// The member at its position in the body.
    pub(super) fn locate(member: JsonRef<'_>, body: &Bytes, base: &Arc<Base>) -> Option<Member> {
        let Range { start, end } = member.range();
        let range = u32::try_from(start).ok()?..u32::try_from(end).ok()?;
        Some(Member { body: body.clone(), range, base: Arc::clone(base) })
    }

    /// The member as the service sent it, except for what had to be repaired to be read.
    pub fn as_bytes(&self) -> &[u8] {
        let Range { start, end } = self.range;
        self.body.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The same, as a part of the page's body.
    pub(crate) fn body(&self) -> Bytes {
        let Range { start, end } = self.range;
        self.body.slice(start as usize..end as usize)
    }

    /// Its `@odata.id`. `None` if that is missing, empty, or not a text.
    pub fn link(&self) -> Option<Cow<'_, str>> {
        link_of(self.as_bytes())
    }

    /// Whether it is only a link, so that the resource has still to be read.
    pub fn is_link(&self) -> bool {
        let is_text = self.as_bytes().starts_with(b"\"");
        self.link().is_some() && (is_text || count_members(self.as_bytes()) == Some(1))
    }

    /// Reads the member as a type: a view, or a type of serde.
    ///
    /// # Errors
    /// [`Malformed`](crate::ErrorKind::Malformed) with the JSON pointer of what does not fit, relative to the member.
    pub fn json<T: Decode>(&self) -> Result<T, Error> {
        view::read(&self.body(), &self.base)
    }

    /// The whole resource, whose target is known.
    pub(crate) fn resource<T: Decode>(&self, target: Target) -> Result<Resource<T>, Error> {
        Ok(Resource::new(self.json()?, target, None, self.body()))
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} bytes)", self.as_bytes().len())
    }
}
