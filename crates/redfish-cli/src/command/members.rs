//! `members`: a whole collection, one JSON document per line.

use clap::Args;
use redfish_proto::ops::{GetPage, Member};
use redfish_proto::walk::{Event, Unread, Walk};
use redfish_proto::{Error, Target};

use super::failures::Failures;
use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// The warning about a walk that a failure has ended.
pub(super) const ENDED_EARLY: &str = "the walk has ended early, so the rest is left out";

/// The collection.
#[derive(Args)]
pub(crate) struct Members {
    /// Path such as /redfish/v1/Systems, or a URL of this service
    path: String,
    /// Read each member that its page does not contain as a whole
    #[arg(long)]
    fetch: bool,
}

impl Job for Members {
    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        visit.sink.expect_list(0);
        let mut failures = Failures::default();
        if let Err(failure) = self.list(visit, &mut failures).await {
            failures.add(failure, visit);
        }
        failures.into_result()
    }
}

impl Members {
    async fn list(&self, visit: &mut Visit, failures: &mut Failures) -> Result<(), Failure> {
        let collection = visit.service().target(&self.path)?;
        if self.fetch {
            return fetch(collection, visit, failures).await;
        }
        let mut pages = Pages::new(collection);
        while let Some((_, members)) = pages.next(visit).await? {
            for member in members {
                visit.sink.compact(member.as_bytes()).await?;
            }
        }
        Ok(())
    }
}

/// Prints the members, and reads those that their page does not contain as a whole.
async fn fetch(collection: Target, visit: &mut Visit, failures: &mut Failures) -> Result<(), Failure> {
    let mut walk = visit.walk(Walk::members(visit.service().clone(), collection));
    let mut is_first = true;
    while let Some(event) = walk.next(visit).await {
        match event {
            Ok(event) => show(event, visit, failures).await?,
            Err(failure) => {
                let early = walk.take_early();
                if !is_first || !early.is_empty() {
                    visit.warn(ENDED_EARLY);
                }
                for event in early {
                    show(event, visit, failures).await?;
                }
                return Err(failure);
            }
        }
        is_first = false;
    }
    Ok(())
}

/// Prints a member, or reports why it could not be read.
async fn show(event: Event, visit: &mut Visit, failures: &mut Failures) -> Result<(), Failure> {
    match event {
        Event::Resource(found) => visit.sink.compact(found.resource().raw()).await?,
        Event::Unread(Unread { uri, error, .. }) => {
            let failure = Failure::from(error);
            let is_link = failure.status().is_none() && !failure.is_transport();
            failures.add(if is_link { failure.at_link(&uri) } else { failure }, visit);
        }
        Event::PageFailed { error, .. } => failures.add(error.into(), visit),
        Event::LeftOut { page, members } => warn_of_empty_members(visit, &page, members),
        _ => {}
    }
    Ok(())
}

/// Warns of members without a link, which are left out.
pub(super) fn warn_of_empty_members(visit: &mut Visit, page: &Target, number: usize) {
    if number > 0 {
        let page = visit.redact(&page.to_string());
        visit.sink.warn(&format!("members without a link are left out of {page}: {number}"));
    }
}

/// The pages of a collection. The core follows `nextLink` and detects loops.
pub(super) struct Pages {
    next: Result<Option<GetPage>, Error>,
}

impl Pages {
    pub(super) fn new(collection: Target) -> Pages {
        Pages { next: Ok(Some(GetPage::first(collection))) }
    }

    /// The next page, and the members on it. Members that are empty are left out, with a warning.
    pub(super) async fn next(&mut self, visit: &mut Visit) -> Result<Option<(Target, Vec<Member>)>, Failure> {
        let Some(page) = std::mem::replace(&mut self.next, Ok(None))? else { return Ok(None) };
        let response = visit.run(|| page.clone()).await?;
        self.next = response.next;
        warn_of_empty_members(visit, page.target(), response.left_out);
        Ok(Some((page.target().clone(), response.members)))
    }
}
