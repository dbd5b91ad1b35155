//! `login`: opens a session and keeps it for later commands.

use redfish_proto::{Credentials, Standing};
use serde_json::json;

use crate::connection::{self, anonymous, logging_in};
use crate::credentials::credentials;
use crate::failure::Failure;
use crate::options::{Auth, Options};
use crate::output;
use crate::signal;
use crate::state::{Kept, Place, Store};

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.auth.is_some_and(|auth| auth != Auth::Session) {
        return Err(Failure::usage("only a session can be kept", "Leave --auth and REDFISH_AUTH out."));
    }
    options.check_stdin(false)?;
    let service = options.service()?;
    let credentials = credentials(options, &service)?;
    // Whether there is a place for it is found out before there is a session.
    let place = Store::required()?.lock(&service.to_string(), credentials.user())?;
    let opened = open(options, credentials, &place);
    // Nothing happens to a session that is kept by now.
    connection::close();
    let kept = opened?;
    match options.errors_as_json() {
        true => output::line(json!({
            "service": service.to_string(),
            "user": kept.user(),
            "session": kept.uri(),
        })),
        false => kept.uri().map_or(Ok(()), output::line),
    }
}

fn open(options: &Options, credentials: Credentials, place: &Place) -> Result<Kept, Failure> {
    let service = options.service()?;
    let user = credentials.user().to_owned();
    let client = logging_in(options, &service, credentials)?;
    let session = client.session()?;
    let Some(kept) = Kept::new(&service, &user, &session) else { return Err(Failure::nobody()) };
    let earlier = place.read()?;
    signal::hand_over(|| place.write(&kept))?;
    if let Some(earlier) = earlier {
        let closed = earlier
            .session(&service)
            .and_then(|session| Ok(anonymous(options, &service)?.run_call(session.logout(&service))?));
        if let Err(failure) = closed {
            output::note(format_args!("redfish: warning: the session before could not be closed: {failure}"));
        }
    }
    if let Standing::MustChangePassword { account } = session.standing() {
        let account = account.as_ref().map(|account| format!(", at {account}")).unwrap_or_default();
        output::note(format_args!(
            "redfish: warning: the password must be changed before anything else{account}."
        ));
    }
    if kept.uri().is_none() {
        output::note("redfish: warning: the service did not say the session's URI; logout will look for it.");
    }
    Ok(kept)
}
