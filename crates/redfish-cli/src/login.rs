//! `login`: opens a session and keeps it for later commands.

use redfish_proto::Standing;
use serde_json::json;

use crate::connection::{anonymous, close, logging_in, open};
use crate::credentials::credentials;
use crate::failure::Failure;
use crate::options::{Auth, Options};
use crate::output;
use crate::state::Store;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.auth.is_some_and(|auth| auth != Auth::Session) {
        return Err(Failure::usage("only a session can be kept", "Leave --auth and REDFISH_AUTH out."));
    }
    options.check_stdin(false)?;
    let service = options.service()?;
    let transport = options.transport()?;
    let credentials = credentials(options, &service)?;
    let user = credentials.user().to_owned();
    // Whether there is a place for it is found out before there is a session.
    let place = Store::required()?.lock(&service.to_string(), &user)?;
    let earlier = place.read()?;

    let client = logging_in(options, &service, &transport, credentials)?;
    let opened = open(&client, &user, &place);
    // Nothing happens to a session that is kept by now.
    close();
    let (kept, session) = opened?;

    if let Some(earlier) = earlier {
        let closed = earlier.session(&service).and_then(|session| {
            let client = anonymous(options, &service, &transport)?;
            Ok(client.run_call(session.logout(&service))?)
        });
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
    match options.errors_as_json() {
        true => output::line(json!({
            "service": service.to_string(),
            "user": kept.user(),
            "session": kept.uri(),
        })),
        false => kept.uri().map_or(Ok(()), output::line),
    }
}
