//! A collection's members, page by page as they are asked for.

use std::vec;

use redfish_proto::{GetPage, Member, Page};

use crate::client::Client;
use crate::error::Error;

/// The members of a collection. A page is read when the one before it is used up; a failure ends it.
pub struct Members {
    client: Client,
    page: vec::IntoIter<Member>,
    next: Option<GetPage>,
}

impl Members {
    pub(crate) fn new(client: Client, first: GetPage) -> Members {
        Members { client, page: Vec::new().into_iter(), next: Some(first) }
    }
}

impl Iterator for Members {
    type Item = Result<Member, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(member) = self.page.next() {
                return Some(Ok(member));
            }
            match self.client.run(self.next.take()?) {
                Ok(Page { members, next, .. }) => {
                    self.page = members.into_iter();
                    self.next = next;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
