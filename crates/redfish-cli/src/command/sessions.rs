//! `sessions`: those of the service, whose they are, and closing some.

use clap::{Args, Subcommand};
use http::Method;
use redfish_proto::ops::{ListSessions, ListedSession, Ownership, Raw};
use redfish_proto::{Service, Target};
use serde_json::{Value, json};

use super::failures::Failures;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// What to do with the sessions of the service.
#[derive(Args)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Closes sessions
    Close(Close),
}

/// Which sessions to close.
#[derive(Args)]
struct Close {
    /// The URIs of the sessions, as the list shows them
    #[arg(required_unless_present = "mine", value_name = "URI")]
    uris: Vec<String>,
    /// Those that the service marks as mine: by MySession, by the Context of --session-context, or as the session
    /// that was kept. Never by the user's name
    #[arg(long, conflicts_with = "uris")]
    mine: bool,
}

impl Job for Sessions {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        let Some(Action::Close(close)) = &self.action else { return Ok(()) };
        close.uris.iter().try_for_each(|uri| Ok(service.target(uri).map(drop)?))
    }

    fn writes(&self) -> bool {
        self.action.is_some()
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        match &self.action {
            None => {
                let listed = list(visit).await?;
                let table = Table {
                    json: listed.iter().map(|session| object(session, visit)).collect(),
                    headings: ["URI", "USER", "MINE", "FROM", "CREATED", "TYPE", "CONTEXT"],
                    rows: listed.iter().map(|session| row(session, visit)).collect(),
                    lines: listed.iter().map(|session| session.target().to_string()).collect(),
                };
                visit.sink.table(table).await
            }
            Some(Action::Close(close)) => {
                visit.sink.expect_list(0);
                match close.mine {
                    true => close_mine(visit).await,
                    false => close.named(visit).await,
                }
            }
        }
    }
}

impl Close {
    async fn named(&self, visit: &mut Visit) -> Result<(), Failure> {
        let wanted = self.uris.iter().map(|uri| Ok(visit.service().target(uri)?));
        let wanted = wanted.collect::<Result<Vec<Target>, Failure>>()?;
        // What is not among the sessions is not deleted: it may be anything.
        let listed = list(visit).await?;
        let mut failures = Failures::default();
        for at in &wanted {
            let closed = match listed.iter().find(|session| session.is_at(at)) {
                Some(session) => close(visit, session).await,
                None => Err(Failure::missing("the service has no session with that URI")),
            };
            if let Err(failure) = closed {
                failures.add(failure, visit);
            }
        }
        failures.end()
    }
}

/// Closes what is marked as the caller's own. The session that this command opened for itself is not meant: it ends with it.
async fn close_mine(visit: &mut Visit) -> Result<(), Failure> {
    let mut listed = list(visit).await?;
    listed.retain(|session| is_mine(session, visit));
    if !visit.auth().is_saved() {
        listed.retain(|session| !is_own(session, visit));
    }
    // With its own token gone, nothing more could be closed.
    listed.sort_by_key(|session| is_own(session, visit));
    let mut failures = Failures::default();
    for session in &listed {
        if let Err(failure) = close(visit, session).await {
            failures.add(failure, visit);
        }
    }
    if listed.is_empty() {
        visit.note("the service marks no session as mine.");
    }
    failures.end()
}

/// Closes one, and prints its URI.
async fn close(visit: &mut Visit, session: &ListedSession) -> Result<(), Failure> {
    let own = is_own(session, visit);
    visit.run(|| Raw::new(Method::DELETE, session.target())).await?;
    if own {
        visit.forget().await?;
    }
    visit.sink.line(session.target()).await
}

async fn list(visit: &mut Visit) -> Result<Vec<ListedSession>, Failure> {
    visit.run(ListSessions::default).await
}

fn is_own(session: &ListedSession, visit: &Visit) -> bool {
    session.whose(visit.session().as_ref(), None) == Ownership::Own
}

fn is_mine(session: &ListedSession, visit: &Visit) -> bool {
    session.whose(visit.session().as_ref(), visit.options().session_context()) != Ownership::Other
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

/// What is shown of a session, and the members of its resource (DSP0268, Session).
const MEMBERS: [(&str, &str); 5] = [
    ("user", "UserName"),
    ("from", "ClientOriginIPAddress"),
    ("created", "CreatedTime"),
    ("type", "SessionType"),
    ("context", "Context"),
];
