//! `members`: a whole collection, one JSON document per line.

use bytes::Bytes;
use clap::Args;
use redfish_proto::ops::{GetPage, Member, Read};
use redfish_proto::{Error, Target};
use serde::de::IgnoredAny;

use super::failures::Failures;
use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// The collection.
#[derive(Args)]
pub(crate) struct Members {
    /// Path such as /redfish/v1/Systems, or a URL of this service
    path: String,
    /// Read each member that is only a link
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
        let mut pages = Pages::new(visit.service().target(&self.path)?);
        while failures.allow_more(visit).await {
            let Some((page, members)) = pages.next(visit).await? else { break };
            for member in members {
                if !failures.allow_more(visit).await {
                    break;
                }
                if !(self.fetch && member.is_link()) {
                    visit.sink.compact(member.as_bytes()).await?;
                    continue;
                }
                match fetch(visit, &page, &member).await {
                    Ok(body) => visit.sink.compact(&body).await?,
                    Err(failure) => failures.add(failure, visit),
                }
            }
        }
        Ok(())
    }
}

/// Reads the resource that a member links to. A response that is not JSON, such as a web page, is not a member.
async fn fetch(visit: &mut Visit, page: &Target, member: &Member) -> Result<Bytes, Failure> {
    let target = visit.link(page, &member.link().unwrap_or_default())?;
    Ok(visit.run(|| Read::<IgnoredAny>::new(target.clone())).await?.body().clone())
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
