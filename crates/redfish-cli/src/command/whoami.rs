//! `whoami`: who the client is to the service, as the service sees it.

use clap::Args;
use redfish_proto::ErrorKind;
use redfish_proto::ops::{Get, ListSessions};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// The sessions of a service that does not report where the one in use is.
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// Whom to show: the current user.
#[derive(Args)]
pub(crate) struct Whoami {}

impl Job for Whoami {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Some(auth) = visit.auth().name() else { return Err(Failure::nobody()) };
        let seen = match auth {
            "session" => known(own_session(visit).await)?,
            // There is no resource of the caller's own; any that needs authentication shows whether it is accepted.
            _ => known(visit.run(ListSessions::default).await.map(|_| Value::Null))?,
        };
        let user = seen.get("UserName").and_then(Value::as_str).or(visit.auth().user()).map(str::to_owned);
        let session = visit.session().and_then(|session| session.target().map(ToString::to_string));
        let service = visit.service().to_string();
        let json = json!({
            "service": service,
            "user": user,
            "auth": auth,
            "session": session,
            "kept": visit.auth().is_saved(),
        });
        let user = user.as_deref().unwrap_or("the holder of a token");
        let session = session.map(|uri| format!(", session {uri}")).unwrap_or_default();
        visit.sink.sentence(json, format!("{user} at {service} ({auth}){session}")).await
    }
}

/// The resource of the session in use.
async fn own_session(visit: &mut Visit) -> Result<Value, Failure> {
    let service = visit.service().clone();
    let read = |session: &redfish_proto::Session| match session.target() {
        Some(at) => Ok(Get::<Value>::new(at.clone())),
        // Their list shows as well whether the token is accepted.
        None => Ok(Get::new(service.target(SESSIONS)?)),
    };
    visit.run_with_session(read).await
}

/// Nothing if the service knows the caller, and does not show it: it refuses no one else's request in that way.
fn known(seen: Result<Value, Failure>) -> Result<Value, Failure> {
    match seen {
        Err(failure) if failure.is_kind(&ErrorKind::Forbidden) => Ok(Value::Null),
        seen => seen,
    }
}
