//! `login`: opens a session and saves it for later commands.

use redfish_proto::SessionState;
use serde_json::json;

use crate::access::{AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::options::{Auth, Options};
use crate::single;
use crate::state::{SavedSession, SessionSlot, Store};
use crate::visit::{Job, Visit};

/// A login, once there is a place for its session.
struct Login {
    slot: SessionSlot,
    earlier: Option<SavedSession>,
}

pub(crate) fn run(options: Options) -> Result<(), Failure> {
    if options.auth.is_some_and(|auth| auth != Auth::Session) {
        return Err(Failure::usage("only a session can be kept", "Leave --auth and REDFISH_AUTH out."));
    }
    options.check_stdin(0)?;
    let service = options.service()?;
    let mut source = AccessSource::new(&options, Scope::One)?;
    let access = source.for_login(&ServiceLine::default(), &service)?;
    // Whether there is a place for it is found out before there is a session.
    let user = access.authentication.method.user().unwrap_or_default();
    let slot = Store::required()?.lock(&service.to_string(), user, options.timeout)?;
    let earlier = slot.read_to_replace()?;
    let login = Login { slot, earlier };
    single::visit(&login, options, service, access)
}

impl Job for Login {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let (saved, session) = visit.save(&self.slot).await?;
        if let Some(earlier) = &self.earlier {
            if let Err(failure) = log_out(earlier, visit).await {
                visit.warn(format!("the session before could not be closed: {failure}"));
            }
        }
        if let SessionState::PasswordChangeRequired { account } = session.state() {
            let account = account.as_ref().map(|account| format!(", at {account}")).unwrap_or_default();
            visit.warn(format!("the password must be changed before anything else{account}."));
        }
        if saved.uri().is_none() {
            visit.warn("the service gave no URI that can be a session's; logout will look for it.");
        }
        print(&saved, visit).await
    }
}

async fn log_out(saved: &SavedSession, visit: &Visit) -> Result<(), Failure> {
    let session = saved.session(visit.service())?;
    visit.log_out(&session).await.map(drop)
}

/// Prints which session it was or is: its URI, never the token.
pub(super) async fn print(saved: &SavedSession, visit: &mut Visit) -> Result<(), Failure> {
    let service = visit.service().to_string();
    let json = json!({"service": service, "user": saved.user(), "session": saved.uri()});
    visit.sink.value(json, saved.uri()).await
}
