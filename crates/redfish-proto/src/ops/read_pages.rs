//! Reading all members of a collection.
//!
//! ```text
//!   page ──▶ each member that is only a link ──▶ the next page ──▶ … ──▶ the collector, filled
//! ```

use std::collections::VecDeque;

use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::error::Error;
use crate::operation::{Operation, Request, Transition};
use crate::ops::get_page::{GetPage, Page};
use crate::resource::Resource;
use crate::target::Target;

/// Maximum number of members, after which no further page or member is read. The collections that are read as a whole
/// have a few dozen.
const MAX_MEMBERS: usize = 1_000;

/// Reads a collection page by page, and after each page the members that are only links.
///
/// The number of pages is limited by [`Policy::pages`](crate::Policy::pages), that of members to 1,000.
#[derive(Debug)]
pub(crate) struct ReadPages<C> {
    current: Item,
    state: State<C>,
}

/// The page or member that is being read.
#[derive(Debug)]
enum Item {
    Page(GetPage),
    Member(Target),
}

/// What was collected, and what remains to be read.
#[derive(Debug)]
struct State<C> {
    collector: C,
    unread: VecDeque<Target>,
    next: Option<GetPage>,
    /// Number of further pages to read, if it is less than the policy allows.
    pages_left: usize,
    /// Number of members that were collected or requested.
    members: usize,
    newest_first: bool,
}

/// What happens to the members of a collection.
pub(crate) trait Collector {
    /// The type into which a member is read.
    type Member: DeserializeOwned;

    /// The other target of the collection, if the status of a page means that it is not at this one.
    fn relocate(&mut self, _: &Target, _: StatusCode) -> Option<Target> {
        None
    }

    /// Takes what a page contains besides its members.
    fn page(&mut self, _: &Answer) -> Result<(), Error> {
        Ok(())
    }

    /// The target of a link to a member; `None` skips the member.
    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        answer.resolve(link).map(Some)
    }

    /// Takes a member.
    fn add(&mut self, member: Resource<Self::Member>);

    /// Takes a member that cannot be read. An error ends the operation.
    fn member_unreadable(&mut self, target: Target, error: Error) -> Result<(), Error>;

    /// Decides whether what was collected is enough when a page, or the link to it, cannot be read. An error ends the
    /// operation.
    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        Err(error)
    }

    /// Whether nothing more needs to be read.
    fn is_complete(&self) -> bool {
        false
    }
}

impl<C: Collector> ReadPages<C> {
    /// Reads the collection at this target.
    pub(crate) fn new(target: Target, collector: C) -> ReadPages<C> {
        ReadPages {
            current: Item::Page(GetPage::first(target)),
            state: State {
                collector,
                unread: VecDeque::new(),
                next: None,
                pages_left: usize::MAX,
                members: 0,
                newest_first: false,
            },
        }
    }

    /// Reads the last member of each page first, which is the newest.
    pub(crate) fn newest_first(mut self) -> ReadPages<C> {
        self.state.newest_first = true;
        self
    }

    /// Reads at most this many pages after the first.
    pub(crate) fn max_next_pages(mut self, pages: usize) -> ReadPages<C> {
        self.state.pages_left = pages;
        self
    }
}

impl<C: Collector> State<C> {
    fn add_page(&mut self, page: Page, answer: &Answer) -> Result<(), Error> {
        self.collector.page(answer)?;
        for member in page.members {
            let Some(link) = member.link() else { continue };
            let Some(target) = self.collector.target(&link, answer)? else { continue };
            if member.is_link() {
                self.unread.push_back(target);
                continue;
            }
            self.members += 1;
            match member.resource(target.clone()) {
                Ok(resource) => self.collector.add(resource),
                Err(error) => self.collector.member_unreadable(target, error)?,
            }
        }
        self.unread.truncate(MAX_MEMBERS);
        match page.next {
            Ok(next) => self.next = next,
            Err(error) => self.collector.page_unreadable(error)?,
        }
        Ok(())
    }

    fn advance(mut self) -> Transition<ReadPages<C>> {
        if self.members >= MAX_MEMBERS || self.collector.is_complete() {
            return Transition::Done(self.collector);
        }
        let unread = if self.newest_first { self.unread.pop_back() } else { self.unread.pop_front() };
        let current = if let Some(target) = unread {
            self.members += 1;
            Item::Member(target)
        } else if let Some(page) = self.next.take().filter(|_| self.pages_left > 0) {
            self.pages_left -= 1;
            Item::Page(page)
        } else {
            return Transition::Done(self.collector);
        };
        Transition::Next(ReadPages { current, state: self })
    }
}

impl<C: Collector> Operation for ReadPages<C> {
    type Output = C;

    fn request(&self) -> Request {
        match &self.current {
            Item::Page(page) => page.request(),
            Item::Member(target) => Request::get(target),
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let ReadPages { current, mut state } = self;
        match current {
            Item::Page(page) => {
                if let Some(target) = state.collector.relocate(page.target(), answer.status()) {
                    let current = Item::Page(GetPage::first(target));
                    return Ok(Transition::Next(ReadPages { current, state }));
                }
                match page.read(&answer) {
                    Ok(page) => state.add_page(page, &answer)?,
                    Err(error) => state.collector.page_unreadable(error)?,
                }
            }
            Item::Member(target) => match Resource::read(&answer, target.clone()) {
                Ok(resource) => state.collector.add(resource),
                Err(error) => state.collector.member_unreadable(target, error)?,
            },
        }
        Ok(state.advance())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::driver::{Now, Step};
    use crate::identity::Identity;
    use crate::service::Service;

    #[derive(Debug, Default)]
    struct Ids(Vec<u64>);

    impl Collector for Ids {
        type Member = Value;

        fn add(&mut self, member: Resource<Value>) {
            self.0.extend(member.value()["Id"].as_u64());
        }

        fn member_unreadable(&mut self, _: Target, error: Error) -> Result<(), Error> {
            Err(error)
        }
    }

    /// Reads an endless collection with this number of links on each page. Returns the members in the order of their
    /// arrival, and the number of pages.
    fn read(pages: ReadPages<Ids>, links: u64) -> (Vec<u64>, u64) {
        let service = Arc::new(Service::new("bmc").unwrap());
        let (mut page, now) = (0, Now::default());
        let mut step = service.call(pages).with_identity(Identity::anonymous(&service)).start(now);
        loop {
            let (outgoing, reply) = match step {
                Step::Send(outgoing, reply) => (outgoing, reply),
                Step::Done(collector) => return (collector.unwrap().0, page),
                other => panic!("{other:?}"),
            };
            let body = match outgoing.request.uri().path().strip_prefix("/c/") {
                Some(id) => format!("{{\"Id\": {id}}}"),
                None => {
                    let links = (0..links).map(|n| json!({"@odata.id": format!("/c/{}", page * links + n)}));
                    let links: Vec<Value> = links.collect();
                    page += 1;
                    json!({"Members": links, "Members@odata.nextLink": format!("/c?page={page}")}).to_string()
                }
            };
            step = reply.receive(http::Response::new(()).into_parts().0, Ok(body.into()), now);
        }
    }

    fn pages() -> ReadPages<Ids> {
        ReadPages::new(Target::well_known("/c"), Ids::default())
    }

    #[test]
    fn an_endless_collection_is_read_up_to_a_limit() {
        assert_eq!(read(pages(), 300), ((0..1_000).collect(), 4));
        assert_eq!(read(pages(), 2_000), ((0..1_000).collect(), 1));
        assert_eq!(read(pages().max_next_pages(2), 1), (vec![0, 1, 2], 3));
    }

    #[test]
    fn the_newest_members_of_a_page_come_first() {
        assert_eq!(read(pages().newest_first().max_next_pages(1), 3), (vec![2, 1, 0, 5, 4, 3], 2));
    }
}
