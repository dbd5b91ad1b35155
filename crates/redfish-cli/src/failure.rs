//! Why a command failed: a sentence for people, an object for programs, and the exit status.

use std::fmt;
use std::io;
use std::process::ExitCode;

use redfish_proto::{ErrorKind, Message};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output;
use crate::signal;

/// Why a command failed. No text in it repeats what was typed.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: Reason,
    exit: Exit,
}

#[derive(Debug)]
enum Reason {
    /// It was asked for in a way that cannot be.
    Usage { what: String, hint: &'static str },
    /// The service, or the way there.
    Call(Box<redfish_ureq::Error>),
    /// There is nobody to be.
    Nobody,
    /// This machine.
    Local { what: &'static str, error: io::Error },
    /// Something that was named is not there.
    Missing(&'static str),
    /// Whoever read standard output has left: nothing is wrong, and there is nobody to tell.
    BrokenPipe,
}

impl Failure {
    /// Wrong usage: what is wrong, and what to do.
    pub(crate) fn usage(what: impl Into<String>, hint: &'static str) -> Failure {
        Failure { reason: Reason::Usage { what: what.into(), hint }, exit: Exit::Usage }
    }

    /// Something on this machine failed.
    pub(crate) fn local(what: &'static str, error: io::Error) -> Failure {
        Failure { reason: Reason::Local { what, error }, exit: Exit::Failed }
    }

    /// The same before anything was sent.
    pub(crate) fn unusable(what: &'static str, error: io::Error) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::local(what, error) }
    }

    /// Nobody is logged in, and no user was named.
    pub(crate) fn nobody() -> Failure {
        Failure { reason: Reason::Nobody, exit: Exit::NotAuthenticated }
    }

    /// What was named is not there.
    pub(crate) fn missing(what: &'static str) -> Failure {
        Failure { reason: Reason::Missing(what), exit: Exit::Failed }
    }

    /// Standard output could not be written.
    pub(crate) fn stdout(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure { reason: Reason::BrokenPipe, exit: Exit::Failed },
            _ => Failure::local("standard output cannot be written", error),
        }
    }

    /// The exit status.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The same, with the exit status of a failure before it.
    pub(crate) fn ending(self, exit: Exit) -> Failure {
        Failure { exit, ..self }
    }

    /// Whether nothing is wrong but that nobody reads any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self.reason, Reason::BrokenPipe)
    }

    /// Whether the service did not know the session.
    pub(crate) fn is_kind(&self, kind: &ErrorKind) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.kind() == kind)
    }

    /// Says it on standard error.
    pub(crate) fn report(&self, as_json: bool) {
        match as_json {
            // Nobody is there to tell, or a signal has said all there is to say.
            _ if self.is_broken_pipe() || signal::caught() => {}
            true => output::note(self.object()),
            false => output::note(format_args!("redfish: {self}")),
        }
    }

    /// Says it, and ends the command.
    pub(crate) fn end(&self, as_json: bool) -> ExitCode {
        self.report(as_json);
        if self.is_broken_pipe() { ExitCode::SUCCESS } else { self.exit.into() }
    }

    /// What programs read: one object, on one line.
    fn object(&self) -> Value {
        let text = self.to_string();
        let (kind, hint) = match &self.reason {
            Reason::Call(error) => {
                let error = error.core();
                return json!({
                    "error": error.kind().name(),
                    "status": error.status().map(|status| status.as_u16()),
                    "method": error.method().map(|method| method.as_str()),
                    "uri": error.uri(),
                    "messages": error.messages().iter().map(message).collect::<Vec<_>>(),
                    "hint": error.hint(),
                    "text": text,
                });
            }
            Reason::Usage { hint, .. } => ("usage", *hint),
            Reason::Nobody => ("not-authenticated", LOG_IN),
            Reason::Local { .. } => ("local", ""),
            Reason::Missing(_) => ("not-found", ""),
            Reason::BrokenPipe => ("broken-pipe", ""),
        };
        json!({
            "error": kind,
            "status": null,
            "method": null,
            "uri": null,
            "messages": [],
            "hint": hint,
            "text": text,
        })
    }
}

const LOG_IN: &str = "Log in with \"redfish login\", or name a user.";

/// A message by the names that Redfish gives its members.
fn message(message: &Message) -> Value {
    json!({
        "MessageId": message.id,
        "Message": message.text,
        "MessageArgs": message.args,
        "MessageSeverity": message.severity,
        "Resolution": message.resolution,
        "RelatedProperties": message.related,
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Usage { what, hint: "" } => write!(f, "{what}."),
            Reason::Usage { what, hint } => write!(f, "{what}. {hint}"),
            Reason::Call(error) => error.fmt(f),
            Reason::Nobody => write!(f, "nobody is logged in. {LOG_IN}"),
            Reason::Local { what, error } => write!(f, "{what}: {error}."),
            Reason::Missing(what) => write!(f, "{what}."),
            Reason::BrokenPipe => f.write_str("nobody reads the output."),
        }
    }
}

impl From<redfish_ureq::Error> for Failure {
    fn from(error: redfish_ureq::Error) -> Failure {
        let exit = Exit::of(error.kind());
        Failure { reason: Reason::Call(Box::new(error)), exit }
    }
}

impl From<redfish_proto::Error> for Failure {
    fn from(error: redfish_proto::Error) -> Failure {
        redfish_ureq::Error::from(error).into()
    }
}
