//! `logout`: closes the saved session. One that is gone already is closed.

use super::login::print;
use crate::access::{AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::single;
use crate::state::{SavedSession, SessionSlot, Store};
use crate::visit::{Job, Visit};

/// A logout, of what is saved there.
struct Logout {
    slot: SessionSlot,
    saved: SavedSession,
}

pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let service = options.service()?;
    let (mut source, line) = (AccessSource::new(&options, Scope::One)?, ServiceLine::default());
    let access = source.anonymous(&line)?;
    let Some(found) = source.saved(&line, &service)? else {
        output::note("redfish: no session is kept for this service.");
        return Ok(());
    };
    // It may have been renewed, or closed, while this waited for its turn.
    let slot = Store::required()?.lock(&service.to_string(), found.user(), options.timeout)?;
    let Some(saved) = slot.read()? else { return slot.clear() };
    let logout = Logout { slot, saved };
    single::visit(&logout, options, service, access)
}

impl Job for Logout {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let session = self.saved.session(visit.service())?;
        visit.log_out(&session).await?;
        self.slot.clear()?;
        print(&self.saved, visit).await
    }
}
