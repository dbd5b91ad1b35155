//! The events that wait for the driver, and what they hold in memory.

use std::collections::VecDeque;

use super::Event;
use crate::error::Error;
use crate::resource::Resource;
use crate::view::Decode;

/// Number of events that may wait before anything else is requested.
const MAX_WAITING: usize = 64;

/// Number of bytes that resources may hold, before their turn or until they are taken, before anything else is requested.
pub(super) const MAX_HELD: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    held: usize,
}

impl Events {
    pub(super) fn push_back(&mut self, event: Event) {
        self.held += event.held();
        self.queue.push_back(event);
    }

    pub(super) fn pop_front(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.held -= event.held();
        Some(event)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Number of bytes that they hold.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether the driver must take some before anything else is requested.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= MAX_WAITING || self.held > MAX_HELD
    }
}

impl Event {
    /// The resource that was read, or why one or several were not. `None` for an event that concerns no resource.
    pub fn into_result<T: Decode>(self) -> Option<Result<Resource<T>, Error>> {
        match self {
            Event::Resource(found) => Some(found.read()),
            Event::Unread(unread) => Some(Err(unread.error)),
            Event::PageFailed { error, .. } => Some(Err(error)),
            Event::LeftOut { .. } | Event::LogShortened { .. } => None,
        }
    }

    /// Number of bytes that it holds. The last member of a page holds the page.
    pub(super) fn held(&self) -> usize {
        match self {
            Event::Resource(found) => found.scanned.held,
            _ => 0,
        }
    }
}
