//! Lists of values.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use super::{FromJson, JsonRef, scan};

/// The values of a list, in their order: an iterator that allocates nothing.
///
/// Items that are null, or make no sense as the type, are left out. One value in place of a list is the only item; an absent
/// list has none.
pub struct List<'a, T> {
    list: Option<JsonRef<'a>>,
    items: Option<scan::Items<'a>>,
    of: PhantomData<fn() -> T>,
}

impl<'a, T: FromJson<'a>> List<'a, T> {
    pub(crate) fn of(list: Option<JsonRef<'a>>) -> List<'a, T> {
        let list = list.filter(|list| !list.is_null());
        let items = list.map(JsonRef::item_positions);
        List { list, items, of: PhantomData }
    }

    /// Whether no value is left.
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl<'a, T: FromJson<'a>> Iterator for List<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let (list, items) = (self.list?, self.items.as_mut()?);
        items.find_map(|item| list.part(item).read())
    }
}

impl<'a, T: FromJson<'a>> FusedIterator for List<'a, T> {}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        List { list: self.list, items: self.items.clone(), of: PhantomData }
    }
}

impl<'a, T: FromJson<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
