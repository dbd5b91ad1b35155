//! A borrowed JSON value, and how the parts of it are found.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::{Document, FromJson, Json, scan};
use crate::link::is_link;

/// A borrowed [`Json`].
#[derive(Clone, Copy)]
pub struct JsonRef<'a> {
    pub(super) document: &'a Arc<Document>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where the items of a list are that are still to be read.
#[derive(Clone)]
pub(super) enum Items {
    /// Their numbers in the index.
    Known(Range<usize>),
    /// They are found from this position on.
    From(usize),
}

impl<'a> JsonRef<'a> {
    /// The JSON text.
    pub fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.document.text.get(self.start..self.end).unwrap_or_default()
    }

    /// Where it is in the body.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// A copy, which shares the body.
    pub fn to_owned(self) -> Json {
        Json { document: Arc::clone(self.document), part: self.start..self.end }
    }

    /// Reads a value. `None` if it is null, or makes no sense as this type.
    #[inline]
    pub fn read<T: FromJson>(self) -> Option<T> {
        if self.is_null() { None } else { T::from_json(self) }
    }

    /// Whether it is null.
    #[inline]
    pub fn is_null(self) -> bool {
        self.document.text.get(self.start) == Some(&b'n')
    }

    /// Whether it is the text of a link. The usual one is recognized without being decoded.
    pub(super) fn is_link_text(self) -> bool {
        match self.bytes() {
            [b'"', b'/', c, ..] if c.is_ascii_alphanumeric() => true,
            [b'"', ..] => self.to_text().is_some_and(|text| is_link(&text)),
            _ => false,
        }
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.first_byte() == Some(b'{')
    }

    /// A string with its escapes decoded.
    pub fn to_str(self) -> Option<Cow<'a, str>> {
        match self.bytes() {
            [b'"', content @ .., b'"'] => Some(scan::decode(content)),
            _ => None,
        }
    }

    /// A string with its escapes decoded, or a number or a boolean as text.
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        match self.bytes() {
            [b'"', ..] => self.to_str(),
            [] | [b'{' | b'[', ..] => None,
            _ => Some(Cow::Borrowed(self.text())),
        }
    }

    pub(crate) fn first_byte(self) -> Option<u8> {
        let start = scan::skip_space(&self.document.text, self.start);
        self.document.text.get(start..self.end)?.first().copied()
    }

    /// The value of a member whose name is given in parts.
    pub(crate) fn find(self, name: &[&str]) -> Option<JsonRef<'a>> {
        let text = &self.document.text;
        let found = match &self.document.index {
            Some(index) if self.start == 0 => index.find(text, |found| scan::is_name(found, name)),
            _ => scan::find(text, self.start..self.end, name),
        };
        found.map(|part| self.part(part))
    }

    /// The members with their names as they stand in the text.
    pub(super) fn raw_members(self) -> impl Iterator<Item = (&'a [u8], JsonRef<'a>)> {
        let text = &self.document.text;
        scan::Members::new(text, self.start..self.end)
            .map(move |member| (text.get(member.name).unwrap_or_default(), self.part(member.value)))
    }

    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, JsonRef<'a>)> {
        self.raw_members().map(|(name, value)| (scan::decode(name), value))
    }

    /// Where the items of a list are.
    pub(super) fn items(self) -> Items {
        let known = self.document.index.as_ref().and_then(|index| index.items(&(self.start..self.end)));
        match known {
            Some(known) => Items::Known(known),
            None => Items::From(scan::first_item(&self.document.text, self.start..self.end)),
        }
    }

    /// The items of a list. Any other value is the only item.
    pub(crate) fn item_refs(self) -> ItemRefs<'a> {
        ItemRefs { list: self, items: self.items() }
    }

    /// The next item, which is removed from `items`.
    pub(super) fn next_item(self, items: &mut Items) -> Option<JsonRef<'a>> {
        let item = match items {
            Items::Known(known) => self.document.index.as_ref()?.item(known.next()?)?,
            Items::From(at) => {
                let item = scan::item(self.document.text.get(..self.end)?, *at)?;
                *at = item.end;
                item
            }
        };
        Some(self.part(item))
    }

    pub(super) fn nth_item(self, number: usize) -> Option<JsonRef<'a>> {
        self.item_refs().nth(number)
    }

    pub(super) fn part(self, part: Range<usize>) -> JsonRef<'a> {
        JsonRef { start: part.start, end: part.end, ..self }
    }
}

/// The items of a list, in their order.
pub(crate) struct ItemRefs<'a> {
    list: JsonRef<'a>,
    items: Items,
}

impl<'a> Iterator for ItemRefs<'a> {
    type Item = JsonRef<'a>;

    fn next(&mut self) -> Option<JsonRef<'a>> {
        self.list.next_item(&mut self.items)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.items {
            Items::Known(known) => known.size_hint(),
            Items::From(_) => (0, None),
        }
    }
}
