//! The walk along all links: what is still to be read, and what a response adds to it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use http::Method;
use serde_json::Value;

use super::events::Events;
use super::fetch::{Contents, Fetch, FoundLink, FoundMember, PageContents, Purpose, Scanned};
use super::graph::{Graph, Rank, START, State, is_below};
use super::job::Job;
use super::reader::Reader;
use super::settings::{Link, Settings};
use super::{Event, Found, Place, Unread, collections};
use crate::error::Error;
use crate::features::Features;
use crate::ops::GetPage;
use crate::ops::follow_links::root;
use crate::redact::Redactor;
use crate::target::Target;

/// Maximum number of relations that wait until everything else is read, 12 bytes each.
const MAX_RELATIONS: usize = 1_000_000;

pub(super) struct Tree {
    graph: Graph,
    start: Target,
    /// What to read next: the smallest first.
    queue: BinaryHeap<Reverse<Queued>>,
    /// Resources that wait until what contains them is read.
    blocked: HashMap<u32, Vec<Queued>>,
    /// The further pages of collections, and the number of members before them.
    pages: VecDeque<(u32, GetPage)>,
    /// The position of the next member of the collections that are not complete.
    members: HashMap<u32, usize>,
    /// The targets to request, of resources that are queued.
    targets: HashMap<u32, (Target, bool)>,
    done: usize,
    bytes: u64,
    started: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    depth: u32,
    number: u32,
}

impl Tree {
    pub(super) fn new(start: Target, settings: &Settings) -> Tree {
        Tree {
            graph: Graph::new(&start, settings.max_depth),
            queue: BinaryHeap::new(),
            blocked: HashMap::new(),
            pages: VecDeque::new(),
            members: HashMap::new(),
            targets: HashMap::new(),
            done: 0,
            bytes: 0,
            started: false,
            start,
        }
    }

    pub(super) fn set_max_depth(&mut self, max_depth: usize) {
        self.graph = Graph::new(&self.start, max_depth);
    }

    /// Whether it must read the service root for its features, which it does not start with.
    pub(super) fn needs_features(&self) -> bool {
        !self.start.is_same_except_slash(&root())
    }

    pub(super) fn known(&self) -> usize {
        self.graph.len()
    }

    pub(super) fn place(&self, number: usize) -> Option<Place> {
        self.graph.place(u32::try_from(number).ok()?)
    }

    /// The error of the maximum depth, if it keeps resources from being read.
    pub(super) fn depth_exceeded(&self, settings: &Settings) -> Option<Error> {
        let unreached =
            self.targets.iter().filter(|(number, _)| self.graph.state(**number) == State::Unreached);
        let (target, _) = unreached.map(|(_, target)| target).min_by_key(|(target, _)| target.as_str())?;
        Some(exceeded(target, "links from the start", settings.max_depth as u64))
    }

    pub(super) fn next_job(&mut self, reader: &mut Reader, settings: &Settings) -> Option<Job> {
        if !self.started {
            self.started = true;
            let is_collection = collections::is_collection(self.start.split_member().1, &self.start);
            return Some(self.job(START, self.start.clone(), is_collection, reader, settings));
        }
        if let Some((number, target, is_collection)) =
            self.readable_by_all().filter(|_| !reader.has_witness())
        {
            self.targets.remove(&number);
            return Some(self.job(number, target, is_collection, reader, settings));
        }
        loop {
            if let Some((number, page)) = self.pages.pop_front() {
                return Some(Job::new(number, Fetch::new(Purpose::Page(page), settings.max_pending)));
            }
            while let Some(Reverse(queued)) = self.queue.pop() {
                if let Some(ancestor) = self.graph.unread_ancestor(queued.number) {
                    self.blocked.entry(ancestor).or_default().push(queued);
                } else if let Some((target, is_collection)) = self.targets.remove(&queued.number) {
                    return Some(self.job(queued.number, target, is_collection, reader, settings));
                }
            }
            if !reader.is_idle() || self.graph.relations() == 0 {
                return None;
            }
            let reached = self.graph.next_layer();
            self.enqueue(reached);
        }
    }

    /// A queued resource that every account may read: a 401 to it shows that the credentials are not valid.
    fn readable_by_all(&self) -> Option<(u32, Target, bool)> {
        let is_readable = |target: &Target| {
            let path = target.path().trim_end_matches('/');
            ["/Systems", "/Chassis", "/Managers"].iter().any(|name| path.ends_with(name))
        };
        let queued = self.targets.iter().filter(|(number, _)| self.graph.state(**number) == State::Unread);
        let first = queued.filter(|(_, (target, _))| is_readable(target)).min_by_key(|(number, _)| **number);
        first.map(|(number, (target, is_collection))| (*number, target.clone(), *is_collection))
    }

    fn job(
        &mut self,
        number: u32,
        target: Target,
        is_collection: bool,
        reader: &Reader,
        settings: &Settings,
    ) -> Job {
        self.graph.set_state(number, State::Requested);
        let expand = reader.expand(settings).filter(|_| is_collection && target.query().is_none());
        Job::new(number, Fetch::resource(target, expand, settings.max_pending))
    }

    fn enqueue(&mut self, reached: Vec<u32>) {
        let queued = reached.into_iter().map(|number| Queued { depth: self.graph.depth(number), number });
        self.queue.extend(queued.map(Reverse));
    }
}

/// What results are added with.
struct Outlet<'a> {
    settings: &'a Settings,
    events: &'a mut Events,
}

/// The resource that contains a link.
#[derive(Clone, Copy)]
struct Source<'a> {
    number: u32,
    target: &'a Target,
    type_name: &'a str,
}

/// The results.
impl Tree {
    pub(super) fn settle(
        &mut self,
        job: Job,
        result: Result<Contents, Error>,
        reader: &mut Reader,
        settings: &Settings,
        events: &mut Events,
    ) -> Result<(), Error> {
        let outlet = &mut Outlet { settings, events };
        let (number, is_page) = (job.number, matches!(job.fetch.purpose, Purpose::Page(_)));
        match result {
            Ok(Contents::Resource(resource, page)) => {
                if number == START && self.start.is_same_except_slash(&root()) && reader.features().is_none()
                {
                    let root = resource.json::<Value>().unwrap_or_default();
                    reader.learn_features(Features::of(&root));
                }
                if page.as_ref().is_some_and(|page| page.refused_expand) {
                    reader.expand_refused();
                }
                let is_last = page.as_ref().is_none_or(|page| !matches!(page.next, Ok(Some(_))));
                let links = resource.links.len();
                self.add_resource(number, resource, is_last, outlet)?;
                let Some(page) = page else { return Ok(()) };
                // Members come after the other links of their collection.
                self.members.insert(number, links);
                self.add_page(number, page, outlet)
            }
            Ok(Contents::Page(page)) => self.add_page(number, page, outlet),
            Ok(Contents::Features(_) | Contents::Confirmed) => Ok(()),
            Err(error) if number == START && !is_page => Err(error),
            Err(error) => {
                self.finish(number);
                outlet.events.push_back(if is_page {
                    Event::PageFailed { collection: number as usize, error }
                } else {
                    self.unread(number, error)
                });
                Ok(())
            }
        }
    }

    fn unread(&self, number: u32, error: Error) -> Event {
        let uri = Redactor::default().clean(self.graph.uri(number));
        let place = self.graph.place(number).unwrap_or(Place { parent: None, position: 0, depth: 0 });
        Event::Unread(Unread { number: number as usize, uri, place, error })
    }

    /// Notes that a resource is read to its end, or never will be.
    fn finish(&mut self, number: u32) {
        if self.graph.state(number) != State::Done {
            self.done += 1;
            self.graph.set_state(number, State::Done);
        }
        self.members.remove(&number);
        self.targets.remove(&number);
        let freed = self.blocked.remove(&number).unwrap_or_default();
        self.queue.extend(freed.into_iter().map(Reverse));
    }

    /// Adds a resource, and what it links to.
    fn add_resource(
        &mut self,
        number: u32,
        scanned: Box<Scanned>,
        is_last: bool,
        outlet: &mut Outlet<'_>,
    ) -> Result<(), Error> {
        let settings = outlet.settings;
        self.bytes = self.bytes.saturating_add(scanned.resource.raw().len() as u64);
        let target = scanned.resource.target().clone();
        if is_last {
            self.finish(number);
        }
        if self.bytes > settings.max_bytes {
            return Err(exceeded(&target, "bytes", settings.max_bytes));
        }
        if self.done > settings.max_resources {
            return Err(exceeded(&target, "resources", settings.max_resources as u64));
        }
        for (index, link) in scanned.links.iter().enumerate() {
            let source = Source { number, target: &target, type_name: &scanned.type_name };
            self.add_link(source, index, link, outlet);
        }
        let overflows = scanned.overflows;
        let place = self.graph.place(number).unwrap_or(Place { parent: None, position: 0, depth: 0 });
        outlet.events.push_back(Event::Resource(Found { number: number as usize, place, scanned }));
        self.check_pending(overflows, &target, settings)
    }

    fn check_pending(&self, overflows: bool, target: &Target, settings: &Settings) -> Result<(), Error> {
        let pending = self.graph.len().saturating_sub(self.done);
        if overflows || pending > settings.max_pending || self.graph.relations() > MAX_RELATIONS {
            return Err(exceeded(target, "pending links", settings.max_pending as u64));
        }
        Ok(())
    }

    /// Adds a link, and queues the resource if it is new. Returns its number if it is followed.
    fn add_link(
        &mut self,
        source: Source<'_>,
        index: usize,
        link: &FoundLink,
        outlet: &mut Outlet<'_>,
    ) -> Option<u32> {
        let target = match &link.to {
            Ok(target) => target,
            Err(unfollowed) => {
                let (text, error) = &**unfollowed;
                let number = self.graph.unfollowed(text, error.clone());
                let reached = self.graph.link(source.number, Rank::Elsewhere, index, number);
                self.report_unfollowed(&reached, outlet);
                return None;
            }
        };
        let found = Link { name: &link.name, target, resource_type: source.type_name };
        if outlet.settings.filter.as_ref().is_some_and(|follow| !follow(&found)) {
            return None;
        }
        let rank = match link.is_relation {
            true if !is_below(target.path(), self.start.path()) => return None,
            true => Rank::Related,
            false if is_below(target.path(), source.target.path()) => Rank::Below,
            false => Rank::Elsewhere,
        };
        let number = self.graph.number(target);
        if matches!(self.graph.state(number), State::Unreached | State::Unread) {
            let is_collection =
                !link.is_relation && link.is_single && collections::is_collection(&link.name, target);
            let (_, known) = self.targets.entry(number).or_insert_with(|| (target.clone(), false));
            *known |= is_collection;
        }
        let reached = self.graph.link(source.number, rank, index, number);
        // What becomes reachable below it may not be followed.
        self.report_unfollowed(&reached, outlet);
        self.enqueue(reached);
        Some(number)
    }

    /// Reports the links that are not followed, once their place is known.
    fn report_unfollowed(&mut self, reached: &[u32], outlet: &mut Outlet<'_>) {
        for number in reached {
            if let Some(error) = self.graph.take_unfollowed(*number) {
                self.finish(*number);
                let unread = self.unread(*number, error);
                outlet.events.push_back(unread);
            }
        }
    }

    /// Adds a page of a collection.
    fn add_page(&mut self, number: u32, page: PageContents, outlet: &mut Outlet<'_>) -> Result<(), Error> {
        let settings = outlet.settings;
        let PageContents { target, type_name, members, left_out, next, is_log, overflows, .. } = page;
        if left_out > 0 {
            outlet.events.push_back(Event::LeftOut { page: target.clone(), members: left_out });
        }
        let before = self.members.get(&number).copied().unwrap_or_default();
        self.members.insert(number, before + members.len());
        for (index, member) in members.into_iter().enumerate() {
            let source = Source { number, target: &target, type_name: &type_name };
            self.add_member(source, before + index, member, outlet)?;
        }
        self.check_pending(overflows, &target, settings)?;
        match next {
            Ok(Some(_)) if is_log && !settings.whole_logs => {
                self.finish(number);
                outlet.events.push_back(Event::LogShortened { collection: number as usize });
            }
            Ok(Some(next)) => self.pages.push_back((number, next)),
            Ok(None) => self.finish(number),
            Err(error) => {
                self.finish(number);
                outlet.events.push_back(Event::PageFailed { collection: number as usize, error });
            }
        }
        Ok(())
    }

    fn add_member(
        &mut self,
        source: Source<'_>,
        index: usize,
        member: FoundMember,
        outlet: &mut Outlet<'_>,
    ) -> Result<(), Error> {
        let settings = outlet.settings;
        let Some(link) = member.link else { return Ok(()) };
        let Some(number) = self.add_link(source, index, &link, outlet) else {
            return Ok(());
        };
        let is_read = |resource: &Scanned| {
            resource.is_complete && !settings.reread.iter().any(|wanted| **wanted == *resource.type_name)
        };
        let is_partial = source.target.query().is_some_and(selects);
        match member.resource.filter(|resource| is_read(resource) && !is_partial) {
            // It may have been requested already.
            Some(resource) if self.graph.state(number) == State::Unread => {
                self.add_resource(number, resource, true, outlet)
            }
            _ => Ok(()),
        }
    }
}

/// Whether a query reads only a part of each resource.
pub(super) fn selects(query: &str) -> bool {
    query.split('&').any(|part| {
        let name = part.split('=').next().unwrap_or_default();
        ["$select", "%24select", "excerpt"].iter().any(|selecting| name.eq_ignore_ascii_case(selecting))
    })
}

/// The error of a limit.
pub(super) fn exceeded(target: &Target, what: &str, limit: u64) -> Error {
    let reason = Redactor::default().clean(&format!("the walk exceeds its limit of {limit} {what}"));
    Error::malformed("", reason).stamped(Some((&Method::GET, target)), &Redactor::default())
}
