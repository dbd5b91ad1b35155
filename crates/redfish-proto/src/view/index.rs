//! Where the members of a resource are, found while its text is checked.

use std::ops::Range;

use serde_json::value::RawValue;

use super::check::{string_end, value_end};
use super::scan::{MemberAt, skip_space};

/// The positions of the members of an object, and of the items of those that are lists. Nothing else of the text has to be read
/// to find them.
#[derive(Debug, Default)]
pub(super) struct Index {
    members: Vec<(MemberAt, Range<usize>)>,
    items: Vec<Range<usize>>,
}

impl Index {
    /// Checks that a text is JSON. The positions are those in the text; there are none if it is not an object, or is nested very
    /// deeply.
    pub(super) fn check(text: &[u8]) -> Result<Option<Index>, serde_json::Error> {
        let is_object = std::str::from_utf8(text).is_ok() && text.first() == Some(&b'{');
        match is_object.then(|| Index::of_object(text)).flatten() {
            Some(index) => Ok(Some(index)),
            None => serde_json::from_slice::<&RawValue>(text).map(|_| None),
        }
    }

    /// The index of an object, which begins at the first byte and ends at the last.
    fn of_object(text: &[u8]) -> Option<Index> {
        let mut index = Index::default();
        let mut at = skip_space(text, 1);
        if text.get(at) != Some(&b'}') {
            loop {
                let name_end = string_end(text, at)?;
                let colon = skip_space(text, name_end);
                let start = (text.get(colon) == Some(&b':')).then(|| skip_space(text, colon + 1))?;
                let first_item = index.items.len();
                let end = match text.get(start)? {
                    b'[' => index.add_items(text, start)?,
                    _ => value_end(text, start)?,
                };
                let member = MemberAt { name: at + 1..name_end - 1, value: start..end };
                index.members.push((member, first_item..index.items.len()));
                at = skip_space(text, end);
                match text.get(at)? {
                    b',' => at = skip_space(text, at + 1),
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        (at + 1 == text.len()).then_some(index)
    }

    /// Adds the items of the list that begins here, and returns its end.
    fn add_items(&mut self, text: &[u8], list: usize) -> Option<usize> {
        let mut at = skip_space(text, list + 1);
        if text.get(at) == Some(&b']') {
            return Some(at + 1);
        }
        loop {
            let end = value_end(text, at)?;
            self.items.push(at..end);
            at = skip_space(text, end);
            match text.get(at)? {
                b',' => at = skip_space(text, at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
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
