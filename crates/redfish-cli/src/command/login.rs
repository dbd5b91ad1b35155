//! `login`: opens a session and saves it for later commands.

use redfish_proto::SessionState;
use serde_json::json;

use crate::access::{AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::options::{Auth, Options};
use crate::single;
use crate::state::{SavedSession, SessionSlot, Store};
use crate::terminal;
use crate::visit::{Job, Visit};

/// A login, with the locked slot for its session.
struct Login {
    slot: SessionSlot,
    previous: Option<SavedSession>,
}

pub(crate) fn run(options: Options) -> Result<(), Failure> {
    if options.auth.is_some_and(|auth| auth != Auth::Session) {
        return Err(Failure::usage("only a session can be saved", "Omit --auth and REDFISH_AUTH."));
    }
    options.check_stdin(0)?;
    let service = options.service()?;
    let mut source = AccessSource::new(&options, Scope::One)?;
    let access = source.for_login(&ServiceLine::default(), &service)?;
    // Before there is a session, so that it can certainly be saved.
    let user = access.authentication.method.user().unwrap_or_default();
    let slot = Store::required()?.lock(&service.to_string(), user, options.timeout)?;
    let previous = slot.read_to_replace()?;
    let login = Login { slot, previous };
    single::visit(&login, options, service, access)
}

impl Job for Login {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let (saved, session) = visit.save(&self.slot).await?;
        if let Some(previous) = &self.previous {
            if let Err(failure) = log_out(previous, visit).await {
                visit.warn(format!("the previous session could not be closed: {failure}"));
            }
        }
        if let SessionState::PasswordChangeRequired { account } = session.state() {
            let account = account
                .as_ref()
                .map(|account| format!(" at {}", terminal::quote(account.as_str())))
                .unwrap_or_default();
            visit.warn(format!("the password must be changed{account} before anything else"));
        }
        if saved.uri().is_none() {
            visit.warn("the service returned no valid session URI; logout will search for the session");
        }
        print(&saved, visit).await
    }
}

async fn log_out(saved: &SavedSession, visit: &Visit) -> Result<(), Failure> {
    let session = saved.session(visit.service())?;
    visit.log_out(&session).await.map(drop)
}

/// Prints the URI of the session, never the token: a service may put a secret into the URI.
pub(super) async fn print(saved: &SavedSession, visit: &mut Visit) -> Result<(), Failure> {
    let service = visit.service().to_string();
    let uri = saved.uri().map(|uri| visit.redact(uri));
    let json = json!({"service": service, "user": saved.user(), "session": uri});
    visit.sink.value(json, uri.as_deref()).await
}
