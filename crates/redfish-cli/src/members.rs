//! `members`: a whole collection, one JSON document a line, as it arrives.

use clap::Args;
use redfish_proto::{GetPage, Member, Raw, Target};

use crate::connection::Connection;
use crate::document::compact;
use crate::failure::Failure;
use crate::get::Failed;
use crate::options::Options;
use crate::output;

/// Which collection to list, and how much of it.
#[derive(Args, Clone)]
pub(crate) struct Members {
    /// Where: /redfish/v1/Systems, or a URL of this service
    pub(crate) path: String,
    /// Read each member that is only a link
    #[arg(long)]
    pub(crate) fetch: bool,
}

impl Members {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let at = options.service()?.target(&self.path)?;
        Connection::scoped(options, |connection| {
            let mut failed = Failed::default();
            let listed = each(connection, at, |connection, page, member| {
                if !(self.fetch && member.is_link()) {
                    return output::print(&compact(member.as_bytes()));
                }
                match fetch(connection, page, &member) {
                    Ok(body) => output::print(&compact(&body)),
                    Err(failure) if failure.is_of_one() => {
                        failed.add(failure, options);
                        Ok(())
                    }
                    Err(failure) => Err(failure),
                }
            });
            if let Err(failure) = listed {
                failed.add(failure, options);
            }
            failed.end()
        })
    }
}

/// Does something with each member of a collection, and the page that it stands in; page after page.
pub(crate) fn each<'a>(
    connection: &mut Connection<'a>,
    collection: Target,
    mut work: impl FnMut(&mut Connection<'a>, &Target, Member) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut next = Some(GetPage::first(collection));
    while let Some(page) = next {
        let at = page.at().clone();
        let read = connection.run(|_| Ok(page.clone()))?;
        for member in read.members {
            work(connection, &at, member)?;
        }
        next = read.next?;
    }
    Ok(())
}

/// Reads the resource that a member links to.
fn fetch(connection: &mut Connection<'_>, page: &Target, member: &Member) -> Result<bytes::Bytes, Failure> {
    let at = connection.service().link(page, &member.link().unwrap_or_default())?;
    Ok(connection.run(|_| Ok(Raw::get(&at)))?.into_body())
}
