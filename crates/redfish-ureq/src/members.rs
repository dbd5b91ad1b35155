//! The members of a collection, read page by page.

use std::vec;

use redfish_proto::Error;
use redfish_proto::ops::{GetPage, Member, Page};

use crate::client::Client;

/// The members of a collection, as an iterator. Each page is read when the previous one is used up. An error ends the
/// iterator.
pub struct Members {
    client: Client,
    page: vec::IntoIter<Member>,
    next: Result<Option<GetPage>, Error>,
}

impl Members {
    pub(crate) fn new(client: Client, first: GetPage) -> Members {
        Members { client, page: Vec::new().into_iter(), next: Ok(Some(first)) }
    }
}

impl Iterator for Members {
    type Item = Result<Member, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(member) = self.page.next() {
                return Some(Ok(member));
            }
            let next = match std::mem::replace(&mut self.next, Ok(None)) {
                Ok(next) => next?,
                Err(error) => return Some(Err(error)),
            };
            match self.client.run(next) {
                Ok(Page { members, next, .. }) => {
                    self.page = members.into_iter();
                    self.next = next;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
