//! Why a command failed: a clause and a hint for people, an object for programs, and the exit status.

use std::fmt;
use std::io;
use std::sync::Arc;

use redfish_proto::ops::Written;
use redfish_proto::{Error, ErrorKind, Message, Redactor, Service, Target};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::terminal;

/// Why a command failed. No text in it repeats what was typed.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: Reason,
    exit: Exit,
    /// Where the end of what goes on will be told.
    monitor: Option<Box<str>>,
    /// Of a 401 to a saved session: how it is known that the session is alive.
    session_alive: Option<&'static str>,
    /// What no text of it may show. The core cleans its own texts where an exchange tells it what is secret; this is for
    /// the others.
    secrets: Option<Arc<Redactor>>,
    /// What to type next, where the command knows better than the core.
    advice: Option<Box<str>>,
    /// The service that was meant.
    service: Option<Box<str>>,
}

#[derive(Debug)]
enum Reason {
    /// It was asked for in a way that cannot be.
    Usage { what: String, hint: &'static str },
    /// A call failed.
    Call(Error),
    /// A part of a write that was not taken, beside others that were: by member, what was said of it.
    Rejected { status: u16, members: Vec<(String, Vec<Message>)> },
    /// There is nobody to be.
    Nobody,
    /// This machine.
    Local { what: &'static str, error: io::Error },
    /// Something that was named is not there.
    Missing(&'static str),
    /// It was ended before it had an answer, by a signal or since the time for all was over.
    Stopped { by_signal: bool },
    /// Of many services, some failed: how many of which kind, in words and for programs.
    Several { text: String, counts: Value },
    /// Whoever read standard output has left: nothing is wrong, and there is nobody to tell.
    BrokenPipe,
}

impl Failure {
    /// The kind of a write that was accepted in part.
    pub(crate) const REJECTED: &str = "rejected";

    fn new(reason: Reason, exit: Exit) -> Failure {
        Failure {
            reason,
            exit,
            monitor: None,
            session_alive: None,
            secrets: None,
            advice: None,
            service: None,
        }
    }

    /// Wrong usage: what is wrong, and what to do.
    pub(crate) fn usage(what: impl Into<String>, hint: &'static str) -> Failure {
        Failure::new(Reason::Usage { what: what.into(), hint }, Exit::Usage)
    }

    /// The same, with the place where it was found.
    pub(crate) fn within(self, place: &str) -> Failure {
        let hint = match &self.reason {
            Reason::Usage { hint, .. } => hint,
            _ => "",
        };
        Failure::usage(format!("{place}: {self}"), hint)
    }

    /// Something on this machine failed.
    pub(crate) fn local(what: &'static str, error: io::Error) -> Failure {
        Failure::new(Reason::Local { what, error }, Exit::Failed)
    }

    /// The same before anything was sent.
    pub(crate) fn unusable(what: &'static str, error: io::Error) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::local(what, error) }
    }

    /// Nobody is logged in, and no user was named.
    pub(crate) fn nobody() -> Failure {
        Failure::new(Reason::Nobody, Exit::NotAuthenticated)
    }

    /// What was named is not there.
    pub(crate) fn missing(what: &'static str) -> Failure {
        Failure::new(Reason::Missing(what), Exit::Failed)
    }

    /// One of many was ended, by a signal or since the time for all was over.
    pub(crate) fn stopped(by_signal: bool) -> Failure {
        Failure::new(Reason::Stopped { by_signal }, Exit::NoAnswer)
    }

    /// The same without these secrets in any text.
    pub(crate) fn redacted(self, secrets: Redactor) -> Failure {
        Failure { secrets: Some(Arc::new(secrets)), ..self }
    }

    /// The same at this service: names it, and says what to type where its certificate is not trusted.
    pub(crate) fn at(mut self, service: &Service) -> Failure {
        self.service.get_or_insert_with(|| service.to_string().into());
        let untrusted = ErrorKind::Transport(redfish_proto::driver::Failure::Untrusted);
        if !self.is_kind(&untrusted) {
            return self;
        }
        let name = service.to_string();
        let name = quoted(name.trim_start_matches("https://").trim_end_matches('/'));
        let advice = format!(
            "Run \"redfish pin -s {name}\" to see the certificate; if it is the right one, add --pin sha256:…, or --cacert \
             FILE for its CA."
        );
        Failure { advice: Some(advice.into()), ..self }
    }

    /// Of many services, some failed.
    pub(crate) fn several(text: String, counts: Value) -> Failure {
        Failure::new(Reason::Several { text, counts }, Exit::Failed)
    }

    /// A part of a write was not taken.
    pub(crate) fn rejected(written: &Written) -> Failure {
        let (status, members) = (written.status.as_u16(), written.rejected.clone());
        Failure::new(Reason::Rejected { status, members }, Exit::Failed)
    }

    /// Standard output could not be written.
    pub(crate) fn stdout(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Reason::BrokenPipe, Exit::Failed),
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

    /// The same of a write whose effect was not seen.
    pub(crate) fn unknown(self) -> Failure {
        self.ending(Exit::OutcomeUnknown)
    }

    /// The same of a watch that ended before what it watched.
    pub(crate) fn unfinished(self, monitor: &Target) -> Failure {
        Failure { monitor: Some(monitor.to_string().into()), ..self.unknown() }
    }

    /// The same of a 401, with how it is known that the session is alive.
    pub(crate) fn with_session_alive(self, how: &'static str) -> Failure {
        Failure { session_alive: Some(how), ..self }
    }

    /// Whether a watch that failed so leaves open how it ends.
    pub(crate) fn leaves_open(&self) -> bool {
        let Reason::Call(error) = &self.reason else { return false };
        matches!(
            error.kind(),
            ErrorKind::Deadline(_) | ErrorKind::CrossOrigin { .. } | ErrorKind::Redirect { .. }
        )
    }

    /// Whether this is about one resource alone, so that others may still be read.
    pub(crate) fn is_of_one(&self) -> bool {
        let Reason::Call(error) = &self.reason else { return false };
        match error.kind() {
            ErrorKind::CrossOrigin { .. } | ErrorKind::Redirect { .. } | ErrorKind::Malformed { .. } => true,
            ErrorKind::TooLarge { .. } => true,
            _ => self.exit == Exit::Failed,
        }
    }

    /// Whether nothing is wrong but that nobody reads any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self.reason, Reason::BrokenPipe)
    }

    /// A word for what kind of failure it is.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.reason {
            Reason::Usage { .. } => "usage",
            Reason::Call(error) => error.kind().name(),
            Reason::Rejected { .. } => Failure::REJECTED,
            Reason::Nobody => "not-authenticated",
            Reason::Local { .. } => "local",
            Reason::Missing(_) => "not-found",
            Reason::Stopped { by_signal: true } => "interrupted",
            Reason::Stopped { by_signal: false } => "deadline",
            Reason::Several { .. } => "failed",
            Reason::BrokenPipe => "broken-pipe",
        }
    }

    /// Whether it is of that kind.
    pub(crate) fn is_kind(&self, kind: &ErrorKind) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.kind() == kind)
    }

    /// What programs read: one object, on one line.
    pub(crate) fn object(&self) -> Value {
        let mut object = json!({
            "error": self.kind(),
            "status": null,
            "method": null,
            "uri": null,
            "messages": [],
            "hint": self.hint(),
            "service": self.service(),
            "text": self.to_string(),
        });
        match &self.reason {
            Reason::Call(error) => {
                object["status"] = error.status().map(|status| status.as_u16()).into();
                object["method"] = error.method().map(|method| method.as_str()).into();
                object["uri"] = error.uri().into();
                object["messages"] = error.messages().iter().map(message).collect();
                if error.session_alive() || self.session_alive.is_some() {
                    object["session_alive"] = true.into();
                }
                if let Some(etag) = error.etag() {
                    object["etag"] = self.clean(etag.as_str()).into();
                }
            }
            Reason::Rejected { status, members } => {
                let about = members.iter().flat_map(|(at, said)| said.iter().map(|said| about(at, said)));
                object["status"] = (*status).into();
                object["messages"] = about.collect();
            }
            Reason::Several { counts, .. } => object["services"] = counts.clone(),
            Reason::Usage { .. }
            | Reason::Nobody
            | Reason::Stopped { .. }
            | Reason::Local { .. }
            | Reason::Missing(_)
            | Reason::BrokenPipe => {}
        }
        if let Some(monitor) = &self.monitor {
            object["monitor"] = self.clean(monitor).into();
        }
        object
    }
}

impl Failure {
    fn clean(&self, text: &str) -> String {
        self.secrets.as_ref().map_or_else(|| text.to_owned(), |secrets| secrets.clean(text).into())
    }

    fn service(&self) -> Option<&str> {
        let named = match &self.reason {
            Reason::Call(error) => error.service(),
            _ => None,
        };
        named.or(self.service.as_deref())
    }

    /// What to do about it; empty if nothing is known to help.
    pub(crate) fn hint(&self) -> String {
        let hint = match (&self.reason, &self.advice, &self.monitor) {
            (_, Some(advice), _) => advice.to_string(),
            (_, _, Some(monitor)) => {
                let at = terminal::quote(&self.clean(monitor));
                return format!("It may still be running: \"redfish task wait {at}\" waits for its end.");
            }
            (Reason::Call(_), ..) if self.session_alive.is_some() => PRIVILEGE.to_owned(),
            (Reason::Call(error), ..) => error.hint().into(),
            (Reason::Usage { hint, .. }, ..) => (*hint).to_owned(),
            (Reason::Nobody, ..) => LOG_IN.to_owned(),
            (Reason::Stopped { .. }, ..) => self.afterwards().to_owned(),
            _ => String::new(),
        };
        self.clean(&hint)
    }

    /// What to do about one of many that was ended.
    fn afterwards(&self) -> &'static str {
        match self.exit {
            Exit::OutcomeUnknown => "A write had been sent: check whether it happened.",
            _ => "Repeat it with --retry-failed.",
        }
    }
}

const PRIVILEGE: &str =
    "Logging in does not help: check the account's privileges and the license that the resource needs.";

const LOG_IN: &str = "Log in with \"redfish login\", or name a user.";

/// A word as a shell takes it: `[fe80::1]` would be a pattern there.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:-_/".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => terminal::quote(word),
    }
}

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

/// A message about a member, which it may not name itself.
fn about(at: &str, said: &Message) -> Value {
    let mut shown = message(said);
    if said.related.is_empty() {
        shown["RelatedProperties"] = json!([at]);
    }
    shown
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, &self.service) {
            (Reason::Call(_) | Reason::Several { .. } | Reason::BrokenPipe, _) | (_, None) => {}
            (_, Some(service)) => write!(f, "{}: ", service.strip_prefix("https://").unwrap_or(service))?,
        }
        match &self.reason {
            Reason::Usage { what, .. } => f.write_str(what.trim_end_matches('.')),
            Reason::Call(error) => {
                let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
                match error.method() {
                    Some(_) => write!(f, "{error}{cause}")?,
                    // It was made of a link, where no exchange tells what is secret.
                    None => f.write_str(&self.clean(&format!("{error}{cause}")))?,
                }
                if let Some(how) = self.session_alive {
                    write!(f, "; {how}")?;
                }
                match error.etag() {
                    Some(etag) => write!(f, "; its ETag is now {}", self.clean(etag.as_str())),
                    None => Ok(()),
                }
            }
            Reason::Rejected { members, .. } => {
                let said = members.iter().flat_map(|(at, said)| said.iter().map(move |said| (at, said)));
                let said = said.map(|(at, Message { id, text, .. })| format!("{at} ({id}): {text}"));
                let said = said.collect::<Vec<_>>().join(" ");
                write!(f, "a part of the change was rejected: {}", said.trim_end_matches('.'))
            }
            Reason::Nobody => f.write_str("not logged in"),
            Reason::Local { what, error } => write!(f, "{what}: {error}"),
            Reason::Missing(what) => f.write_str(what.trim_end_matches('.')),
            Reason::Stopped { by_signal: true } => {
                f.write_str("ended by a signal before there was a response")
            }
            Reason::Stopped { by_signal: false } => {
                f.write_str("the deadline of the sweep passed before there was a response")
            }
            Reason::Several { text, .. } => f.write_str(text.trim_end_matches('.')),
            Reason::BrokenPipe => f.write_str("standard output has no reader"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = Exit::of(&error);
        Failure::new(Reason::Call(error), exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_as_a_shell_takes_it() {
        for (word, shown) in [
            ("bmc-7.example:8443", "bmc-7.example:8443"),
            ("[fe80::1%25eth0]:443", "'[fe80::1%25eth0]:443'"),
            ("a'b", r"'a'\''b'"),
            ("a$(b)", "'a$(b)'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
