//! `logout`: closes the saved session. Succeeds if it is already gone.

use super::login::print;
use crate::access::{AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::single;
use crate::state::{SavedSession, SessionSlot, Store};
use crate::visit::{Job, Visit};

/// A logout of the session in this slot.
struct Logout {
    slot: SessionSlot,
    saved: SavedSession,
}

pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let service = options.service()?;
    let (mut source, line) = (AccessSource::new(&options, Scope::One)?, ServiceLine::default());
    let access = source.anonymous(&line)?;
    let Some(found) = source.saved(&line, &service)? else {
        output::note("redfish: there is no saved session for this service");
        return Ok(());
    };
    // Another process may have renewed or closed the session while this one waited for the lock.
    let slot = Store::required()?.lock(&service.to_string(), found.user(), options.timeout)?;
    let Some(saved) = slot.read()? else { return slot.clear() };
    let logout = Logout { slot, saved };
    single::visit(&logout, options, service, access)
}

impl Job for Logout {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let session = self.saved.session(visit.service())?;
        visit.hide(self.saved.token());
        visit.log_out(&session).await?;
        self.slot.clear()?;
        print(&self.saved, visit).await
    }
}
