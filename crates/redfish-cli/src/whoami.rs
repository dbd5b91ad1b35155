//! `whoami`: who one is to the service, as the service sees it.

use redfish_proto::{ErrorKind, Get, ListSessions, Service};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    options.check_stdin(false)?;
    Connection::scoped(options, |connection| {
        let Some(auth) = connection.auth() else { return Err(Failure::nobody()) };
        let seen = match auth {
            "session" => own_session(connection)?,
            _ => {
                // There is no resource of one's own; any that needs authentication shows whether it is accepted.
                let listed = connection.run(|_| Ok(ListSessions::default()));
                match listed {
                    Err(failure) if !is_known(&failure) => return Err(failure),
                    _ => Value::Null,
                }
            }
        };
        let user = seen.get("UserName").and_then(Value::as_str).or(connection.user());
        let session = connection.session().and_then(|session| session.location().map(ToString::to_string));
        let service = connection.service();
        match options.output.unwrap_or(if output::is_terminal() { Output::Text } else { Output::Json }) {
            Output::Json => {
                output::line(object(service, user, auth, session.as_deref(), connection.kept().is_some()))
            }
            Output::Table | Output::Text => {
                let user = user.unwrap_or("the holder of a token");
                let session = session.map(|uri| format!(", session {uri}")).unwrap_or_default();
                output::line(format_args!("{user} at {service} ({auth}){session}"))
            }
        }
    })
}

/// What programs read of who one is.
pub(crate) fn object(
    service: &Service,
    user: Option<&str>,
    auth: &str,
    session: Option<&str>,
    kept: bool,
) -> Value {
    json!({
        "service": service.to_string(),
        "user": user,
        "auth": auth,
        "session": session,
        "kept": kept,
    })
}

/// The resource of the session in use. Nothing where the role may not read it.
fn own_session(connection: &mut Connection<'_>) -> Result<Value, Failure> {
    let read = connection.run(|client| {
        let session = client.session()?;
        match session.location() {
            Some(at) => Ok(Get::<Value>::new(at.clone())),
            // Their list shows as well whether the token is accepted.
            None => Ok(Get::new(client.service().target("/redfish/v1/SessionService/Sessions")?)),
        }
    });
    match read {
        Err(failure) if is_known(&failure) => Ok(Value::Null),
        read => read,
    }
}

/// Whether a failure says that the service knows who asks: it refuses nobody else's request in that way.
pub(crate) fn is_known(failure: &Failure) -> bool {
    failure.is_kind(&ErrorKind::Forbidden)
}
