//! The walk through the members of a collection, in its order.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::events::{Events, MAX_HELD};
use super::fetch::{Contents, Fetch, FoundMember, PageContents, Purpose, Scanned};
use super::graph::key;
use super::job::Job;
use super::reader::Reader;
use super::settings::Settings;
use super::tree::{exceeded, selects};
use super::{Event, Found, Place, Unread};
use crate::error::Error;
use crate::ops::GetPage;
use crate::redact::{Redactor, SafeText};
use crate::target::Target;
use crate::target_set::TargetKey;

/// How far ahead of the first member that has not arrived others are read.
const WINDOW: usize = 64;

/// Maximum number of members that are remembered, so that none is read twice.
const MAX_REMEMBERED: usize = 1_000_000;

/// The number of the job that reads a page.
const PAGE: u32 = u32::MAX;

pub(super) struct Members {
    next_page: Option<GetPage>,
    /// The members to read, by their positions.
    unread: VecDeque<(u32, Target)>,
    /// What has arrived before its turn.
    early: BTreeMap<u32, Event>,
    /// Number of bytes that it holds.
    held: usize,
    /// The position whose turn it is.
    turn: u32,
    /// The position of the next member.
    known: u32,
    /// The members that were read or are to be.
    found: HashSet<TargetKey>,
    /// Whether a page was read, so that a failure no longer ends the walk.
    has_page: bool,
}

impl Members {
    pub(super) fn new(collection: Target) -> Members {
        Members {
            next_page: Some(GetPage::first(collection)),
            unread: VecDeque::new(),
            early: BTreeMap::new(),
            held: 0,
            turn: 0,
            known: 0,
            found: HashSet::new(),
            has_page: false,
        }
    }

    /// Reads the resources at these targets, as if they were members.
    pub(super) fn of_targets(targets: Vec<Target>) -> Members {
        let unread: VecDeque<(u32, Target)> = (0..).zip(targets).collect();
        let known = unread.len() as u32;
        Members { next_page: None, unread, known, has_page: true, ..Members::new(Target::well_known("/")) }
    }

    pub(super) fn known(&self) -> usize {
        self.known as usize
    }

    pub(super) fn next_job(&mut self, reader: &Reader, settings: &Settings, events: &Events) -> Option<Job> {
        let first_untaken = self.turn as usize - events.len().min(self.turn as usize);
        let has_space = self.held.saturating_add(events.held()) <= MAX_HELD;
        if let Some((position, _)) = self.unread.front() {
            // What waits for this one is released by it.
            let is_next = *position == self.turn;
            let is_near = (*position as usize) < first_untaken + WINDOW;
            if !(is_next || is_near && has_space) {
                return None;
            }
            let (number, target) = self.unread.pop_front()?;
            return Some(Job::new(number, Fetch::resource(target, None, settings.max_pending)));
        }
        let is_near = (self.known as usize) < self.turn as usize + WINDOW;
        if events.len() > 0 || !is_near || !has_space {
            return None;
        }
        let mut page = self.next_page.take()?;
        if self.known == 0 && page.target().query().is_none() {
            let expand = reader.expand(settings);
            if let Some(query) = expand {
                page = GetPage::first(page.target().with_raw_query(query));
            }
        }
        Some(Job::new(PAGE, Fetch::new(Purpose::Page(page), settings.max_pending)))
    }

    pub(super) fn settle(
        &mut self,
        job: Job,
        result: Result<Contents, Error>,
        events: &mut Events,
    ) -> Result<(), Error> {
        match (job.number, result) {
            (PAGE, Ok(Contents::Page(page))) => self.add_page(page, events)?,
            (PAGE, Err(error)) if !self.has_page => return Err(error),
            (PAGE, Err(error)) => self.add(page_failed(error)),
            (position, Ok(Contents::Resource(scanned, _))) => {
                self.put(position, Event::Resource(found(position, scanned)));
            }
            (position, Err(error)) => {
                let uri = Redactor::default().clean(&job.fetch.target().to_string());
                self.put(position, unread(position, uri, error));
            }
            (_, Ok(_)) => {}
        }
        while let Some(event) = self.early.remove(&self.turn) {
            self.turn += 1;
            self.held -= event.held();
            events.push_back(event);
        }
        Ok(())
    }

    /// What has arrived before its turn.
    pub(super) fn take_early(&mut self) -> Vec<Event> {
        self.held = 0;
        std::mem::take(&mut self.early).into_values().collect()
    }

    fn add_page(&mut self, page: PageContents, events: &mut Events) -> Result<(), Error> {
        self.has_page = true;
        if page.left_out > 0 {
            events.push_back(Event::LeftOut { page: page.target.clone(), members: page.left_out });
        }
        if page.overflows {
            return Err(exceeded(&page.target, "links on a page", page.members.len() as u64));
        }
        // What was requested in part is complete as it is.
        let is_selected = page.target.query().is_some_and(selects);
        for FoundMember { link, resource, is_part } in page.members {
            let position = self.known;
            let target = link.as_ref().and_then(|link| link.to.as_ref().ok());
            // Parts of the same resource are different members if the page contains them.
            let single = target.filter(|_| !is_part || resource.is_none());
            if single.is_some_and(|target| !self.is_new(target)) {
                continue;
            }
            let resource =
                resource.filter(|found| found.is_complete || is_selected || is_part || target.is_none());
            match (resource, link.map(|link| link.to)) {
                (Some(scanned), _) => self.add(Event::Resource(found(position, scanned))),
                (None, Some(Ok(target))) => {
                    self.unread.push_back((position, target));
                    self.known += 1;
                }
                (None, Some(Err(unfollowed))) => {
                    let (text, error) = *unfollowed;
                    self.add(unread(position, text, error));
                }
                (None, None) => {}
            }
        }
        match page.next {
            Ok(next) => self.next_page = next,
            Err(error) => self.add(page_failed(error)),
        }
        Ok(())
    }

    /// Whether a member was not on this or an earlier page.
    fn is_new(&mut self, target: &Target) -> bool {
        let key = key(target.as_str());
        if self.found.len() < MAX_REMEMBERED { self.found.insert(key) } else { !self.found.contains(&key) }
    }

    fn put(&mut self, position: u32, event: Event) {
        self.held += event.held();
        self.early.insert(position, event);
    }

    /// Adds an event after all members that are known.
    fn add(&mut self, event: Event) {
        self.put(self.known, event);
        self.known += 1;
    }
}

fn page_failed(error: Error) -> Event {
    Event::PageFailed { collection: 0, error }
}

fn found(position: u32, scanned: Box<Scanned>) -> Found {
    Found { number: position as usize, place: place(position), scanned }
}

fn unread(position: u32, uri: SafeText, error: Error) -> Event {
    Event::Unread(Unread { number: position as usize, uri, place: place(position), error })
}

/// A member has no parent in this walk: it is known by its position.
fn place(position: u32) -> Place {
    Place { parent: None, position: position as usize, depth: 1 }
}
