//! Where the members of a resource are, found while its text is checked.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::{MemberAt, skip_space};

/// The positions of the members of an object, and of the items of those that are lists. Nothing else of the text has to be read
/// to find them.
#[derive(Debug, Default)]
pub(super) struct Index {
    members: Vec<(MemberAt, Range<usize>)>,
    items: Vec<Range<usize>>,
}

impl Index {
    /// Checks that a text is JSON. The positions are those in the text; there are none if it is not an object, or has escapes in
    /// a name.
    pub(super) fn check(text: &[u8]) -> Result<Option<Index>, serde_json::Error> {
        if text.get(skip_space(text, 0)) != Some(&b'{') {
            return serde_json::from_slice::<&RawValue>(text).map(|_| None);
        }
        let mut index = Some(Index::default());
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        deserializer.deserialize_map(Object { text, index: &mut index })?;
        deserializer.end()?;
        Ok(index)
    }

    /// The value of a member. The last one counts if several have the name.
    pub(super) fn find(&self, text: &[u8], is_name: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
        let named = |(member, _): &&(MemberAt, _)| text.get(member.name.clone()).is_some_and(&is_name);
        self.members.iter().rev().find(named).map(|(member, _)| member.value.clone())
    }

    /// The numbers of the items of the member that has this value, if it is a list.
    pub(super) fn items(&self, list: &Range<usize>) -> Option<Range<usize>> {
        let at = self.members.binary_search_by_key(&list.start, |(member, _)| member.value.start).ok()?;
        let (member, items) = self.members.get(at)?;
        (member.value == *list && !items.is_empty()).then(|| items.clone())
    }

    /// The position of the item with this number.
    pub(super) fn item(&self, number: usize) -> Option<Range<usize>> {
        self.items.get(number).cloned()
    }
}

/// Reads an object into an index.
struct Object<'a, 'i> {
    text: &'a [u8],
    index: &'i mut Option<Index>,
}

impl Object<'_, '_> {
    /// The position of a part of the text.
    fn position(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        start..start + part.len()
    }
}

impl<'de> Visitor<'de> for Object<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let (Cow::Borrowed(name), Some(mut index)) = (name, self.index.take()) else {
                map.next_value::<&RawValue>()?;
                continue;
            };
            let name = self.position(name);
            let colon = skip_space(self.text, name.end + 1);
            let start = skip_space(self.text, colon + 1);
            let first_item = index.items.len();
            let value = if self.text.get(start) == Some(&b'[') {
                map.next_value_seed(Items { object: &self, items: &mut index.items })?;
                let last = index.items.get(first_item..).and_then(|items| items.last());
                let bracket = skip_space(self.text, last.map_or(start + 1, |last| last.end));
                start..bracket + 1
            } else {
                self.position(map.next_value::<&RawValue>()?.get())
            };
            let items = first_item..index.items.len();
            index.members.push((MemberAt { name, value }, items));
            *self.index = Some(index);
        }
        Ok(())
    }
}

/// Reads a list into the items of an index.
struct Items<'o, 'a, 'i> {
    object: &'o Object<'a, 'i>,
    items: &'o mut Vec<Range<usize>>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, 'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<&RawValue>()? {
            self.items.push(self.object.position(item.get()));
        }
        Ok(())
    }
}

/// Reads a name: borrowed if it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
