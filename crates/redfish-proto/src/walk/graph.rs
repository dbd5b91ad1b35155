//! The resources of a walk, and the place of each: its parent, its position there, and its depth.
//!
//! None of them depends on the order in which responses arrive. Of several resources that link to one, the parent is that
//! with the smallest depth, then position, then URI. A place may change as long as a link from a smaller depth may still
//! be found; then the places below it change with it.
//!
//! Relations (`Links`, `RelatedItem`) come last: they are followed only once nothing else is left to be read, in layers,
//! so that a processor is below its system and not below its chassis.

use std::collections::HashMap;

use crate::error::Error;
use crate::target::Target;
use crate::target_set::TargetKey;

/// The place of a resource in a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of its parent; `None` for the start.
    pub parent: Option<usize>,
    /// Sorts the children of a parent: links below its own path, then links elsewhere, then relations, each in the order
    /// of the resource. There are gaps.
    pub position: usize,
    /// The number of links from the start.
    pub depth: usize,
}

/// The number of the start.
pub(super) const START: u32 = 0;

/// The parent of the start, and of what has no place yet.
const NONE: u32 = u32::MAX;

/// Of a resource that no path within the maximum depth leads to.
const UNREACHED: u32 = u32::MAX;

/// The rank of a link, in the upper bits of a position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Below,
    Elsewhere,
    Related,
}

/// Number of bits of a position below its rank.
const POSITION_BITS: u32 = 30;

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No path within the maximum depth leads to it.
    Unreached,
    /// It is still to be requested.
    Unread,
    /// It was requested, and is not read to its end.
    Requested,
    /// It was read or could not be.
    Done,
}

#[derive(Debug)]
struct Entry {
    /// Without a trailing slash, except for the start. For a link that is not followed, its text.
    uri: Box<str>,
    /// Its children by this layer's links, until the layer ends.
    children: Vec<(u32, u32)>,
    parent: u32,
    position: u32,
    depth: u32,
    layer: u32,
    state: State,
}

/// The resources and their places.
pub(super) struct Graph {
    entries: Vec<Entry>,
    by_key: HashMap<TargetKey, u32>,
    max_depth: u32,
    layer: u32,
    /// The relations of this layer: parent, position, child.
    relations: Vec<(u32, u32, u32)>,
    /// Why a link is not followed.
    unfollowed: HashMap<u32, Error>,
}

impl Graph {
    pub(super) fn new(start: &Target, max_depth: usize) -> Graph {
        let mut graph = Graph {
            entries: Vec::new(),
            by_key: HashMap::new(),
            max_depth: u32::try_from(max_depth).unwrap_or(u32::MAX - 1).min(u32::MAX - 1),
            layer: 0,
            relations: Vec::new(),
            unfollowed: HashMap::new(),
        };
        graph.add(key(start.as_str()), start.as_str());
        if let Some(start) = graph.entries.first_mut() {
            (start.depth, start.state) = (0, State::Unread);
        }
        graph
    }

    /// The number of the resource at a target, which is new if it was not known.
    pub(super) fn number(&mut self, target: &Target) -> u32 {
        let uri = without_slash(target.as_str());
        match self.by_key.get(&key(uri)) {
            Some(number) => *number,
            None => self.add(key(uri), uri),
        }
    }

    /// The number of a link that is not followed.
    pub(super) fn unfollowed(&mut self, text: &str, error: Error) -> u32 {
        let key = TargetKey::of_text(text);
        match self.by_key.get(&key) {
            Some(number) => *number,
            None => {
                let number = self.add(key, text);
                self.unfollowed.insert(number, error);
                number
            }
        }
    }

    /// The error of a link that is not followed, once.
    pub(super) fn take_unfollowed(&mut self, number: u32) -> Option<Error> {
        self.unfollowed.remove(&number)
    }

    fn add(&mut self, key: TargetKey, uri: &str) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(NONE);
        self.entries.push(Entry {
            uri: uri.into(),
            children: Vec::new(),
            parent: NONE,
            position: 0,
            depth: UNREACHED,
            layer: 0,
            state: State::Unreached,
        });
        self.by_key.insert(key, number);
        number
    }

    /// Number of resources and links that are known.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number of relations that wait for the end of the layer.
    pub(super) fn relations(&self) -> usize {
        self.relations.len()
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    pub(super) fn state(&self, number: u32) -> State {
        self.entry(number).map_or(State::Done, |entry| entry.state)
    }

    pub(super) fn depth(&self, number: u32) -> u32 {
        self.entry(number).map_or(UNREACHED, |entry| entry.depth)
    }

    pub(super) fn uri(&self, number: u32) -> &str {
        self.entry(number).map_or("", |entry| &entry.uri)
    }

    pub(super) fn place(&self, number: u32) -> Option<Place> {
        let entry = self.entry(number)?;
        let parent = (entry.parent != NONE).then_some(entry.parent as usize);
        Some(Place { parent, position: entry.position as usize, depth: entry.depth as usize })
    }

    pub(super) fn set_state(&mut self, number: u32, state: State) {
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.state = state;
        }
    }

    /// A resource whose path is above this one and that is still to be read: what it contains need not be requested.
    pub(super) fn unread_ancestor(&self, number: u32) -> Option<u32> {
        let mut path = self.uri(number).split('?').next().unwrap_or_default();
        while let Some((above, _)) = path.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
            let found = self.by_key.get(&key(above)).copied();
            if let Some(found) =
                found.filter(|found| matches!(self.state(*found), State::Unread | State::Requested))
            {
                return Some(found);
            }
            path = above;
        }
        None
    }

    /// Adds a link. Returns the resources that it makes reachable.
    pub(super) fn link(&mut self, parent: u32, rank: Rank, index: usize, child: u32) -> Vec<u32> {
        let index = u32::try_from(index).unwrap_or(u32::MAX).min((1 << POSITION_BITS) - 1);
        let position = (rank as u32) << POSITION_BITS | index;
        if rank == Rank::Related {
            if self.state(child) == State::Unreached {
                self.relations.push((parent, position, child));
            }
            return Vec::new();
        }
        if let Some(parent) = self.entries.get_mut(parent as usize) {
            parent.children.push((child, position));
        }
        self.relax(parent, position, child)
    }

    /// Ends a layer: follows its relations to what nothing else leads to. Returns the resources that they make reachable.
    pub(super) fn next_layer(&mut self) -> Vec<u32> {
        for entry in &mut self.entries {
            entry.children = Vec::new();
            if entry.state == State::Unreached {
                entry.depth = UNREACHED;
            }
        }
        self.layer += 1;
        let relations = std::mem::take(&mut self.relations);
        let mut reached = Vec::new();
        for (parent, position, child) in relations {
            if self.state(child) == State::Unreached || self.is_in_layer(child) {
                reached.extend(self.relax(parent, position, child));
            }
        }
        reached
    }

    fn is_in_layer(&self, number: u32) -> bool {
        self.entry(number).is_some_and(|entry| entry.layer == self.layer && entry.state != State::Unreached)
    }

    /// Moves a resource to a better place, and what is below it. Returns the resources that become reachable.
    fn relax(&mut self, parent: u32, position: u32, child: u32) -> Vec<u32> {
        let mut reached = Vec::new();
        let mut links = vec![(parent, position, child)];
        while let Some((parent, position, child)) = links.pop() {
            let depth = self.depth(parent).saturating_add(1);
            if depth > self.max_depth || child == START || !self.is_better(parent, position, depth, child) {
                continue;
            }
            let layer = self.layer;
            let Some(entry) = self.entries.get_mut(child as usize) else { continue };
            let is_closer = depth < entry.depth;
            (entry.parent, entry.position, entry.depth, entry.layer) = (parent, position, depth, layer);
            if entry.state == State::Unreached {
                entry.state = State::Unread;
                reached.push(child);
            }
            if is_closer {
                links.extend(
                    entry.children.iter().map(|(grandchild, position)| (child, *position, *grandchild)),
                );
            }
        }
        reached
    }

    fn is_better(&self, parent: u32, position: u32, depth: u32, child: u32) -> bool {
        let Some(entry) = self.entry(child) else { return false };
        if entry.state != State::Unreached && entry.layer < self.layer {
            return false;
        }
        // The place by the same link moves with its parent.
        let is_same = (entry.parent, entry.position) == (parent, position);
        match depth.cmp(&entry.depth) {
            std::cmp::Ordering::Equal if is_same => false,
            std::cmp::Ordering::Equal => {
                (position, self.uri(parent)) < (entry.position, self.uri(entry.parent))
            }
            order => order.is_lt(),
        }
    }
}

/// The key of a resource: its URI without a trailing slash.
pub(super) fn key(uri: &str) -> TargetKey {
    TargetKey::of_text(without_slash(uri))
}

pub(super) fn without_slash(uri: &str) -> &str {
    let trimmed = uri.trim_end_matches('/');
    if trimmed.is_empty() { uri } else { trimmed }
}

/// Whether a path is below another one.
pub(super) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(without_slash(above)).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}
