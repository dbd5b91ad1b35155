//! `logout`: closes the session that was kept. One that is gone already is closed.

use serde_json::json;

use crate::connection::anonymous;
use crate::credentials::kept;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::state::Store;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.service()?;
    let client = anonymous(options, &service, &options.transport()?)?;
    let Some(found) = kept(options, &service)? else {
        output::note("redfish: no session is kept for this service.");
        return Ok(());
    };
    // It may have been renewed, or closed, while this waited for its turn.
    let place = Store::required()?.lock(&service.to_string(), found.user())?;
    let Some(kept) = place.read()? else { return place.clear() };
    client.run_call(kept.session(&service)?.logout(&service))?;
    place.clear()?;
    match options.errors_as_json() {
        true => output::line(json!({
            "service": service.to_string(),
            "user": kept.user(),
            "session": kept.uri(),
        })),
        false => kept.uri().map_or(Ok(()), output::line),
    }
}
