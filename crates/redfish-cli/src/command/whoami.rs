//! `whoami`: the current user and session.

use clap::Args;
use redfish_proto::ops::{Get, ListSessions};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::visit::{Job, Visit};

/// Read if the service has not reported the URI of the session.
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// No options.
#[derive(Args)]
pub(crate) struct Whoami {}

impl Job for Whoami {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Some(auth) = visit.auth().name() else { return Err(Failure::not_logged_in()) };
        let session_resource = match auth {
            "session" => unless_unreadable(read_session(visit).await)?,
            // There is no session. Any resource that requires authentication shows whether it is accepted.
            _ => unless_unreadable(visit.run(ListSessions::default).await.map(|_| Value::Null))?,
        };
        let user = session_resource
            .get("UserName")
            .and_then(Value::as_str)
            .or(visit.auth().user())
            .map(str::to_owned);
        let session = visit.session().and_then(|session| session.target().map(ToString::to_string));
        let service = visit.service().to_string();
        let json = json!({
            "service": service,
            "user": user,
            "auth": auth,
            "session": session,
            "kept": visit.auth().is_saved(),
        });
        let user = user.as_deref().unwrap_or("unknown user");
        let session = session.map(|uri| format!(", session {uri}")).unwrap_or_default();
        visit.sink.sentence(json, format!("{user} at {service} ({auth}){session}")).await
    }
}

/// Reads the resource of the current session.
async fn read_session(visit: &mut Visit) -> Result<Value, Failure> {
    let service = visit.service().clone();
    let read = |session: &redfish_proto::Session| match session.target() {
        Some(target) => Ok(Get::<Value>::new(target.clone())),
        None => Ok(Get::new(service.target(SESSIONS)?)),
    };
    visit.run_with_session(read).await
}

/// Maps the failure of a resource that this service or user cannot read to null. Only a 401 means that the service has
/// not accepted the authentication.
fn unless_unreadable(result: Result<Value, Failure>) -> Result<Value, Failure> {
    match result {
        Err(failure) if !failure.is_of_login() && matches!(failure.status(), Some(403..=405 | 410 | 501)) => {
            Ok(Value::Null)
        }
        result => result,
    }
}
