//! Reading all members of a collection.
//!
//! ```text
//!   page ──▶ each member that is only a link ──▶ the next page ──▶ … ──▶ the collector, filled
//!               │ no response        ▲
//!               └──▶ service root ───┘ any response
//! ```

use std::collections::VecDeque;

use http::StatusCode;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::ops::check_service::CheckService;
use crate::ops::get_page::{GetPage, Page};
use crate::resource::Resource;
use crate::target::Target;
use crate::view::Decode;

/// Maximum number of members, after which no further page or member is read. The collections that are read as a whole
/// have a few dozen.
const MAX_MEMBERS: usize = 1_000;

/// What was read of a collection. If a later page or a member could not be read, the rest is here nevertheless.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed<T> {
    /// The members that were read.
    pub members: Vec<T>,
    /// The first failure, if something is missing.
    pub failure: Option<Error>,
}

impl<T> Listed<T> {
    /// The members.
    ///
    /// # Errors
    /// The failure, if something is missing.
    pub fn complete(self) -> Result<Vec<T>, Error> {
        self.failure.map_or(Ok(self.members), Err)
    }
}

/// Reads a collection page by page, and after each page the members that are only links. Its output is the collector,
/// and the first failure that the collector does not accept, if something is missing.
///
/// Only what is needed for the first page makes the operation fail. The number of pages is limited by
/// [`Policy::pages`](crate::Policy::pages), that of members to 1,000.
#[derive(Debug)]
pub(crate) struct ReadPages<C> {
    current: Item,
    state: State<C>,
}

/// What is being read.
#[derive(Debug)]
enum Item {
    Page(GetPage),
    Member(Target),
    /// The service root, after a request without a response: if the service is away, nothing more is read.
    Root,
}

/// What was collected, and what remains to be read.
#[derive(Debug)]
struct State<C> {
    collector: C,
    failure: Option<Error>,
    /// Whether a page has been read, so that a failure no longer makes the operation fail.
    has_page: bool,
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
    type Member: Decode;

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

    /// Takes a member that cannot be read, or returns the error: something is missing.
    fn member_unreadable(&mut self, target: Target, error: Error) -> Result<(), Error>;

    /// Decides whether what was collected is enough when a page, or the link to it, cannot be read. If it returns the
    /// error, something is missing.
    fn page_unreadable(&mut self, error: Error) -> Result<(), Error> {
        Err(error)
    }

    /// Whether nothing more needs to be read.
    fn is_complete(&self) -> bool {
        false
    }

    /// Whether there is time to find out if the service is away, and to continue, after a request without a response.
    fn is_patient(&self) -> bool {
        true
    }
}

/// Collects the resources themselves. One that is gone when it is read is left out.
#[derive(Debug)]
pub(crate) struct Resources<T>(Vec<Resource<T>>);

impl<T> Default for Resources<T> {
    fn default() -> Resources<T> {
        Resources(Vec::new())
    }
}

impl<T> Resources<T> {
    pub(crate) fn listed(self, failure: Option<Error>) -> Listed<Resource<T>> {
        Listed { members: self.0, failure }
    }
}

impl<T: Decode> Collector for Resources<T> {
    type Member = T;

    fn add(&mut self, member: Resource<T>) {
        self.0.push(member);
    }

    fn member_unreadable(&mut self, _: Target, error: Error) -> Result<(), Error> {
        match error.kind() {
            // It ended while the others were read.
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }
    }
}

impl<C: Collector> ReadPages<C> {
    /// Reads the collection at this target.
    pub(crate) fn new(target: Target, collector: C) -> ReadPages<C> {
        ReadPages {
            current: Item::Page(GetPage::first(target)),
            state: State {
                collector,
                failure: None,
                has_page: false,
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
        let stamp = |error| answer.stamp(error);
        let taken = self.collector.page(answer).map_err(stamp);
        self.keep_failure(taken)?;
        self.has_page = true;
        for member in page.members {
            let Some(link) = member.link() else { continue };
            match self.collector.target(&link, answer).map_err(stamp) {
                Ok(Some(target)) if member.is_link() => self.unread.push_back(target),
                Ok(Some(target)) => {
                    self.members += 1;
                    let read = member.resource(target.clone()).map_err(stamp);
                    self.add_member(target, read)?;
                }
                Ok(None) => {}
                Err(error) => self.keep_failure(Err(error))?,
            }
        }
        self.unread.truncate(MAX_MEMBERS);
        match page.next {
            Ok(next) => {
                self.next = next;
                Ok(())
            }
            Err(error) => self.add_page_failure(error),
        }
    }

    fn add_member(&mut self, target: Target, read: Result<Resource<C::Member>, Error>) -> Result<(), Error> {
        let taken = match read {
            Ok(resource) => {
                self.collector.add(resource);
                Ok(())
            }
            Err(error) => self.collector.member_unreadable(target, error),
        };
        self.keep_failure(taken)
    }

    fn add_page_failure(&mut self, error: Error) -> Result<(), Error> {
        let taken = self.collector.page_unreadable(error);
        self.keep_failure(taken)
    }

    /// Keeps the first failure. Before the first page, it ends the operation.
    fn keep_failure(&mut self, taken: Result<(), Error>) -> Result<(), Error> {
        match taken {
            Err(error) if self.has_page => {
                self.failure.get_or_insert(error);
                Ok(())
            }
            taken => taken,
        }
    }

    fn done(self) -> Transition<ReadPages<C>> {
        Transition::Done((self.collector, self.failure))
    }

    fn is_complete(&self) -> bool {
        let is_read = self.unread.is_empty() && self.next.is_none();
        is_read || self.members >= MAX_MEMBERS || self.collector.is_complete()
    }

    fn advance(mut self) -> Transition<ReadPages<C>> {
        if self.is_complete() {
            return self.done();
        }
        let unread = if self.newest_first { self.unread.pop_back() } else { self.unread.pop_front() };
        let current = if let Some(target) = unread {
            self.members += 1;
            Item::Member(target)
        } else if let Some(page) = self.next.take().filter(|_| self.pages_left > 0) {
            self.pages_left -= 1;
            Item::Page(page)
        } else {
            return self.done();
        };
        Transition::Next(ReadPages { current, state: self })
    }
}

/// Whether a failure would repeat with every further request.
fn is_of_every_request(error: &Error) -> bool {
    let is_unauthenticated = *error.kind() == ErrorKind::NotAuthenticated && !error.session_alive();
    is_unauthenticated || error.is_of_login() || matches!(error.kind(), ErrorKind::Deadline(_))
}

impl<C: Collector> Operation for ReadPages<C> {
    type Output = (C, Option<Error>);

    fn request(&self) -> Request {
        match &self.current {
            Item::Page(page) => page.request(),
            Item::Member(target) => Request::get(target),
            Item::Root => CheckService.request(),
        }
    }

    fn auth(&self) -> Auth {
        match &self.current {
            Item::Page(_) | Item::Member(_) => Auth::Session,
            Item::Root => CheckService.auth(),
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
                    Err(error) => state.add_page_failure(answer.stamp(error))?,
                }
            }
            Item::Member(target) => {
                let read = Resource::read(&answer, target.clone()).map_err(|error| answer.stamp(error));
                let is_last = read.as_ref().is_err_and(is_of_every_request);
                state.add_member(target, read)?;
                if is_last {
                    return Ok(state.done());
                }
            }
            // It responds, so the failure was that of one page or member.
            Item::Root => {}
        }
        Ok(state.advance())
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        let ReadPages { current, mut state } = self;
        let is_last = is_of_every_request(&error) || !state.collector.is_patient();
        match current {
            Item::Page(_) => state.add_page_failure(error)?,
            Item::Member(target) => state.add_member(target, Err(error))?,
            Item::Root => return Ok(state.done()),
        }
        if is_last || state.is_complete() {
            return Ok(state.done());
        }
        Ok(Transition::Next(ReadPages { current: Item::Root, state }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

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
                Step::Done(read) => return (read.unwrap().0.0, page),
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

    #[test]
    fn at_the_deadline_what_was_read_is_the_output() {
        let service = Arc::new(Service::new("bmc").unwrap());
        let call = service.call(pages()).with_identity(Identity::anonymous(&service));
        let receive = |step, body: &'static str, now| {
            let Step::Send(_, reply) = step else { panic!("{step:?}") };
            reply.receive(http::Response::new(()).into_parts().0, Ok(body.into()), now)
        };
        let (start, end) = (Now::default(), Now(Duration::from_secs(60)));
        let step = call.deadline(Duration::from_secs(60)).start(start);
        let step = receive(step, r#"{"Members": [{"@odata.id": "/c/0"}, {"@odata.id": "/c/1"}]}"#, start);
        let Step::Done(read) = receive(step, r#"{"Id": 0}"#, end) else { panic!("expected the end") };
        let (Ids(read), failure) = read.unwrap();
        let failure = failure.unwrap();
        assert_eq!(read, [0]);
        assert!(matches!(failure.kind(), ErrorKind::Deadline(_)), "{failure}");
    }
}
