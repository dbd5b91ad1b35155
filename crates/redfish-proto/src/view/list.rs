//! Lists of values.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use super::{FromJson, Items, Json, JsonRef};

/// The values of a list, in their order: an iterator that shares the body and allocates nothing.
///
/// Items that are null, or make no sense as the type, are left out. One value in place of a list is the only item; an absent
/// list has none.
pub struct List<T> {
    list: Option<Json>,
    items: Items,
    of: PhantomData<fn() -> T>,
}

impl<T: FromJson> List<T> {
    pub(crate) fn of(list: Option<JsonRef<'_>>) -> List<T> {
        let list = list.filter(|list| !list.is_null());
        let items = list.map_or(Items::From(0), JsonRef::items);
        List { list: list.map(JsonRef::to_owned), items, of: PhantomData }
    }

    /// The number of values that are left. They are counted, which takes as long as going through them.
    pub fn len(&self) -> usize {
        self.clone().count()
    }

    /// Whether no value is left.
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl<T: FromJson> Iterator for List<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let list = self.list.as_ref()?.get_ref();
        loop {
            if let Some(value) = list.next_item(&mut self.items)?.read() {
                return Some(value);
            }
        }
    }
}

impl<T: FromJson> FusedIterator for List<T> {}

impl<T: FromJson> IntoIterator for &List<T> {
    type Item = T;
    type IntoIter = List<T>;

    fn into_iter(self) -> List<T> {
        self.clone()
    }
}

impl<T> Default for List<T> {
    /// An empty list.
    fn default() -> Self {
        List { list: None, items: Items::From(0), of: PhantomData }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        List { list: self.list.clone(), items: self.items.clone(), of: PhantomData }
    }
}

impl<T: FromJson + fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
