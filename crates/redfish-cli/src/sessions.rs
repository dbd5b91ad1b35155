//! `sessions`: those of the service, whose they are, and closing some.

use clap::{Args, Subcommand};
use http::Method;
use redfish_proto::{ListSessions, ListedSession, Raw, Target, Whose};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::get::Failed;
use crate::options::{Options, Output};
use crate::output;

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

impl Sessions {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        match &self.action {
            None => Connection::scoped(options, |connection| {
                let listed = list(connection)?;
                show(&listed, connection, options)
            }),
            Some(Action::Close(close)) if close.mine => {
                Connection::scoped(options, |connection| close_mine(connection, options))
            }
            Some(Action::Close(close)) => close.named(options),
        }
    }
}

impl Close {
    fn named(&self, options: &Options) -> Result<(), Failure> {
        let service = options.service()?;
        let wanted = self.uris.iter().map(|uri| Ok(service.target(uri)?));
        let wanted = wanted.collect::<Result<Vec<Target>, Failure>>()?;
        Connection::scoped(options, |connection| {
            // What is not among the sessions is not deleted: it may be anything.
            let listed = list(connection)?;
            let mut failed = Failed::default();
            for at in &wanted {
                let closed = match listed.iter().find(|session| session.is_at(at)) {
                    Some(session) => close(connection, session),
                    None => Err(Failure::missing("the service has no session with that URI")),
                };
                if let Err(failure) = closed {
                    failed.add(failure, options);
                }
            }
            failed.end()
        })
    }
}

/// Closes what is marked as mine. The session that this command opened for itself is not meant: it ends with it.
fn close_mine(connection: &mut Connection<'_>, options: &Options) -> Result<(), Failure> {
    let mut listed = list(connection)?;
    listed.retain(|session| is_mine(session, connection, options));
    if connection.kept().is_none() {
        listed.retain(|session| !is_own(session, connection));
    }
    // With its own token gone, nothing more could be closed.
    listed.sort_by_key(|session| is_own(session, connection));
    let mut failed = Failed::default();
    for session in &listed {
        if let Err(failure) = close(connection, session) {
            failed.add(failure, options);
        }
    }
    if listed.is_empty() {
        output::note("redfish: the service marks no session as mine.");
    }
    failed.end()
}

/// Closes one, and says so.
fn close(connection: &mut Connection<'_>, session: &ListedSession) -> Result<(), Failure> {
    let own = is_own(session, connection);
    connection.run(|_| Ok(Raw::new(Method::DELETE, session.at())))?;
    if own {
        connection.forget()?;
    }
    output::line(session.at())
}

fn list(connection: &mut Connection<'_>) -> Result<Vec<ListedSession>, Failure> {
    connection.run(|_| Ok(ListSessions::default()))
}

fn is_own(session: &ListedSession, connection: &Connection<'_>) -> bool {
    session.whose(connection.session().as_ref(), None) == Whose::Own
}

fn is_mine(session: &ListedSession, connection: &Connection<'_>, options: &Options) -> bool {
    session.whose(connection.session().as_ref(), options.session_context()) != Whose::Other
}

fn show(listed: &[ListedSession], connection: &Connection<'_>, options: &Options) -> Result<(), Failure> {
    let mine = |session: &ListedSession| is_mine(session, connection, options);
    match options.output_of_table() {
        Output::Json => {
            let rows = listed.iter().map(|session| {
                let mut row = json!({"uri": session.at().to_string(), "mine": mine(session)});
                for (name, member) in MEMBERS {
                    row[name] = match session.text(member) {
                        "" => Value::Null,
                        text => text.into(),
                    };
                }
                row
            });
            output::line(rows.collect::<Value>())
        }
        Output::Table => {
            let rows: Vec<_> = listed
                .iter()
                .map(|session| {
                    let [user, from, created, kind, context] =
                        MEMBERS.map(|(_, member)| session.text(member).to_owned());
                    let mine = if mine(session) { "yes" } else { "" };
                    [session.at().to_string(), user, mine.to_owned(), from, created, kind, context]
                })
                .collect();
            output::line(output::table(["URI", "USER", "MINE", "FROM", "CREATED", "TYPE", "CONTEXT"], &rows))
        }
        Output::Text => listed.iter().try_for_each(|session| output::line(session.at())),
    }
}

/// What is shown of a session, and the members of its resource (DSP0268, Session).
const MEMBERS: [(&str, &str); 5] = [
    ("user", "UserName"),
    ("from", "ClientOriginIPAddress"),
    ("created", "CreatedTime"),
    ("type", "SessionType"),
    ("context", "Context"),
];
