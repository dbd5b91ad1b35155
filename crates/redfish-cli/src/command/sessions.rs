//! `sessions`: lists and closes the sessions of the service.

use clap::{Args, Subcommand};
use redfish_proto::Target;
use redfish_proto::ops::{IfMatch, ListSessions, ListedSession, Ownership, Write};
use serde_json::{Value, json};

use super::failures::Failures;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// The action. Default: list.
#[derive(Args)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Close sessions
    Close(Close),
}

/// The sessions to close.
#[derive(Args)]
struct Close {
    /// URIs of the sessions, as in the list
    #[arg(required_unless_present = "mine", value_name = "URI")]
    uris: Vec<String>,
    /// The sessions that are certainly mine: by MySession, by the Context of --session-context, or as the saved session.
    /// Never by the user name
    #[arg(long, conflicts_with = "uris")]
    mine: bool,
}

impl Job for Sessions {
    fn paths(&self) -> Vec<&str> {
        self.action.iter().flat_map(|Action::Close(close)| &close.uris).map(String::as_str).collect()
    }

    fn writes(&self) -> bool {
        self.action.is_some()
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        match &self.action {
            None => {
                let mut failures = Failures::default();
                let listed = list(visit, &mut failures).await?;
                if listed.is_empty() && !failures.is_empty() {
                    return failures.into_result();
                }
                let table = Table {
                    json: listed.iter().map(|session| object(session, visit)).collect(),
                    headings: ["URI", "USER", "MINE", "FROM", "CREATED", "TYPE", "CONTEXT"],
                    rows: listed.iter().map(|session| row(session, visit)).collect(),
                    lines: listed.iter().map(|session| session.target().to_string()).collect(),
                };
                visit.sink.table(table).await?;
                failures.into_result()
            }
            Some(Action::Close(close)) => {
                visit.sink.expect_list(0);
                if close.mine { close_mine(visit).await } else { close_listed(&close.uris, visit).await }
            }
        }
    }
}

/// Closes the sessions with these URIs. Other resources are not deleted.
async fn close_listed(uris: &[String], visit: &mut Visit) -> Result<(), Failure> {
    let targets = uris.iter().map(|uri| Ok(visit.service().target(uri)?));
    let targets = targets.collect::<Result<Vec<Target>, Failure>>()?;
    let mut failures = Failures::default();
    let listed = list(visit, &mut failures).await?;
    for target in &targets {
        if !failures.allow_more(visit).await {
            break;
        }
        let result = match listed.iter().find(|session| session.is_at(target)) {
            Some(session) => close(visit, session).await,
            None => Err(Failure::missing("the service has no session with that URI")),
        };
        if let Err(failure) = result {
            failures.add(failure, visit);
        }
    }
    failures.into_result()
}

/// Closes the caller's own sessions, except for the one that this command has opened, which is closed at its end.
async fn close_mine(visit: &mut Visit) -> Result<(), Failure> {
    let mut failures = Failures::default();
    let mut listed = list(visit, &mut failures).await?;
    listed.retain(|session| is_mine(session, visit));
    if !visit.auth().is_saved() {
        listed.retain(|session| !is_current(session, visit));
    }
    // The saved session comes last: without it, no other session could be closed.
    listed.sort_by_key(|session| is_current(session, visit));
    for session in &listed {
        if !failures.allow_more(visit).await {
            break;
        }
        if let Err(failure) = close(visit, session).await {
            failures.add(failure, visit);
        }
    }
    if listed.is_empty() {
        visit.note("there is no session to close: none is marked as this client's");
    }
    failures.into_result()
}

/// Closes a session and prints its URI.
async fn close(visit: &mut Visit, session: &ListedSession) -> Result<(), Failure> {
    let is_current = is_current(session, visit);
    let _ = visit.run(|| Write::delete(session.target()).if_match(IfMatch::None)).await?;
    visit.sink.line(session.target()).await?;
    if is_current {
        // The session is closed, whatever happens to its file.
        if let Err(failure) = visit.remove_saved().await {
            visit.warn(format!("the session is closed, but stays saved: {failure}"));
        }
    }
    Ok(())
}

/// The sessions that could be read.
async fn list(visit: &mut Visit, failures: &mut Failures) -> Result<Vec<ListedSession>, Failure> {
    let listed = visit.run(ListSessions::default).await?;
    if let Some(error) = listed.failure {
        failures.add(error.into(), visit);
    }
    Ok(listed.members)
}

fn is_current(session: &ListedSession, visit: &Visit) -> bool {
    session.ownership(visit.session().as_ref(), None) == Ownership::Own
}

fn is_mine(session: &ListedSession, visit: &Visit) -> bool {
    session.ownership(visit.session().as_ref(), visit.options().session_context()) != Ownership::Other
}

fn object(session: &ListedSession, visit: &Visit) -> Value {
    let mut object = json!({"uri": session.target().to_string(), "mine": is_mine(session, visit)});
    for (name, member) in MEMBERS {
        object[name] = match session.text(member) {
            "" => Value::Null,
            text => text.into(),
        };
    }
    object
}

fn row(session: &ListedSession, visit: &Visit) -> [String; 7] {
    let [user, from, created, kind, context] = MEMBERS.map(|(_, member)| session.text(member).to_owned());
    let mine = if is_mine(session, visit) { "yes" } else { "" };
    [session.target().to_string(), user, mine.to_owned(), from, created, kind, context]
}

/// The JSON members and columns of a session, and the members of its resource (DSP0268, Session).
const MEMBERS: [(&str, &str); 5] = [
    ("user", "UserName"),
    ("from", "ClientOriginIPAddress"),
    ("created", "CreatedTime"),
    ("type", "SessionType"),
    ("context", "Context"),
];
