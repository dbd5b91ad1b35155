//! Why a command failed: a clause and a hint for people, a JSON object for programs, and the exit status.

mod object;

use std::fmt;
use std::io;
use std::sync::Arc;

use redfish_proto::ops::Outcome;
use redfish_proto::reason::SessionAlive;
use redfish_proto::{Error, ErrorKind, Redactor, Service, Target};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::terminal;

/// Why a command failed. Its texts never repeat what the user typed.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: Reason,
    exit: Exit,
    /// The URI of the monitor of a task that may still be running.
    monitor: Option<Box<str>>,
    /// What its texts must not contain. The core redacts errors of exchanges; this is for the other texts.
    secrets: Option<Arc<Redactor>>,
    /// A hint that replaces the one of the core.
    hint: Option<Box<str>>,
    /// The service, if the error of the core does not name it.
    service: Option<Box<str>>,
    /// The link that cannot be followed.
    link: Option<Box<str>>,
    /// Whether the service had accepted a write.
    accepted: bool,
    /// The option that allows more time, if the failure is due to a lack of it.
    time_option: Option<TimeOption>,
}

#[derive(Debug)]
enum Reason {
    /// Wrong usage.
    Usage { what: String, hint: &'static str },
    /// A call failed.
    Call(Error),
    /// There is neither a session nor any credential.
    NotLoggedIn,
    /// A local error.
    Local { what: &'static str, error: io::Error },
    /// The service lacks something, or the user named something that does not exist.
    Missing(&'static str),
    /// A signal or the deadline of the sweep came before the response.
    Stopped { by_signal: bool },
    /// Some services of a sweep failed: the summary as text and as JSON.
    Sweep { summary: Box<str>, counts: Box<Value> },
    /// The reader of standard output has left, which is not an error.
    BrokenPipe,
}

/// An option that limits the time of a command.
#[derive(Clone, Copy, Debug)]
enum TimeOption {
    Timeout,
    Deadline,
}

/// What a failure concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// One resource, link or request.
    OneResource,
    /// Perhaps the service, which has not responded.
    Unknown,
    /// Every request.
    Everything,
}

impl Failure {
    fn new(reason: Reason, exit: Exit) -> Failure {
        Failure {
            reason,
            exit,
            monitor: None,
            secrets: None,
            hint: None,
            service: None,
            link: None,
            accepted: false,
            time_option: None,
        }
    }

    /// Wrong usage, and a hint, which may be empty.
    pub(crate) fn usage(what: impl Into<String>, hint: &'static str) -> Failure {
        Failure::new(Reason::Usage { what: what.into(), hint }, Exit::Usage)
    }

    /// Prefixes wrong usage with its place in a file.
    pub(crate) fn within(self, place: &str) -> Failure {
        let hint = match &self.reason {
            Reason::Usage { hint, .. } => hint,
            _ => "",
        };
        Failure::usage(format!("{place}: {self}"), hint)
    }

    /// A local error.
    pub(crate) fn local(what: &'static str, error: io::Error) -> Failure {
        Failure::new(Reason::Local { what, error }, Exit::Failed)
    }

    /// A local error before anything was sent, which counts as wrong usage.
    pub(crate) fn unusable(what: &'static str, error: io::Error) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::local(what, error) }
    }

    /// There is neither a session nor any credential.
    pub(crate) fn not_logged_in() -> Failure {
        Failure::new(Reason::NotLoggedIn, Exit::NotAuthenticated)
    }

    /// The service lacks something, or the user named something that does not exist.
    pub(crate) fn missing(what: &'static str) -> Failure {
        Failure::new(Reason::Missing(what), Exit::Failed)
    }

    /// A signal or the deadline of the sweep came before the response.
    pub(crate) fn stopped(by_signal: bool) -> Failure {
        Failure::new(Reason::Stopped { by_signal }, Exit::NoResponse)
    }

    /// Removes these secrets from its texts.
    pub(crate) fn redacted(self, secrets: Redactor) -> Failure {
        Failure { secrets: Some(Arc::new(secrets)), ..self }
    }

    /// Names the link that cannot be followed.
    pub(crate) fn at_link(self, link: &str) -> Failure {
        Failure { link: Some(link.into()), ..self }
    }

    /// Replaces the hint, by one that names an option.
    pub(crate) fn with_hint(self, hint: &str) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// Names the service, and adds a hint if its certificate is not trusted, or if it may not know its name.
    pub(crate) fn at_service(mut self, service: &Service) -> Failure {
        let name = service.to_string();
        let untrusted = ErrorKind::Transport(redfish_proto::driver::Failure::Untrusted);
        if self.is_kind(&untrusted) {
            let name = shell_word(name.trim_start_matches("https://").trim_end_matches('/'));
            let hint = format!(
                "Run \"redfish pin -s {name}\" to see the certificate; if it is the right one, add --pin sha256:…, or \
                 --cacert FILE for its CA."
            );
            self.hint = Some(hint.into());
        } else if matches!(&self.reason, Reason::Call(error) if error.is_host_refusal()) {
            let hint = "The service may not know the name in the Host header: use the name that it knows as the service \
                        (-s), and let DNS or /etc/hosts resolve that name to this address.";
            self.hint = Some(hint.into());
        }
        self.service.get_or_insert_with(|| name.into());
        self
    }

    /// Names `--deadline` if that limited the time.
    pub(crate) fn at_deadline(mut self) -> Failure {
        if matches!(&self.reason, Reason::Call(error) if matches!(error.kind(), ErrorKind::Deadline(_))) {
            self.time_option = Some(TimeOption::Deadline);
        }
        self
    }

    /// Names `--timeout` if that limited the time, perhaps that of an exchange.
    pub(crate) fn at_timeout(mut self, limits_exchanges: bool) -> Failure {
        if matches!(&self.reason, Reason::Call(error) if is_timeout(error, limits_exchanges)) {
            self.time_option.get_or_insert(TimeOption::Timeout);
        }
        self
    }

    /// Some services of a sweep failed.
    pub(crate) fn sweep(summary: String, counts: Value) -> Failure {
        Failure::new(Reason::Sweep { summary: summary.into(), counts: counts.into() }, Exit::Failed)
    }

    /// Standard output could not be written.
    pub(crate) fn stdout(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Reason::BrokenPipe, Exit::Failed),
            _ => Failure::local("standard output cannot be written", error),
        }
    }

    /// The reader of standard output left during a sweep, before this many services were visited.
    pub(crate) fn reader_left(not_visited: usize) -> Failure {
        let text = format!("standard output has no reader; {not_visited} services were not visited");
        Failure::sweep(text, json!({"skipped": not_visited}))
    }

    /// The exit status.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Replaces the exit status.
    pub(crate) fn with_exit(self, exit: Exit) -> Failure {
        Failure { exit, ..self }
    }

    /// Marks that the service had accepted the write before this failed, so that it must not be repeated.
    pub(crate) fn after_acceptance(self) -> Failure {
        Failure { accepted: true, ..self }
    }

    /// Whether a write may have been carried out.
    pub(crate) fn may_have_written(&self) -> bool {
        self.accepted
            || self.exit == Exit::OutcomeUnknown
            || matches!(&self.reason, Reason::Call(error) if error.may_have_written())
    }

    /// Whether the response to a read was not a resource.
    pub(crate) fn is_of_unreadable_resource(&self) -> bool {
        let page = ErrorKind::Transport(redfish_proto::driver::Failure::WebPage);
        matches!(&self.reason, Reason::Call(error)
            if error.method().is_some_and(|method| method.is_safe())
                && (matches!(error.kind(), ErrorKind::Malformed { .. }) || *error.kind() == page))
    }

    /// Marks the outcome of the write as unknown.
    pub(crate) fn outcome_unknown(self) -> Failure {
        self.with_exit(Exit::OutcomeUnknown)
    }

    /// Marks the outcome as unknown, because the task of this monitor may still be running.
    pub(crate) fn still_running(self, monitor: &Target) -> Failure {
        Failure { monitor: Some(monitor.to_string().into()), ..self.outcome_unknown() }
    }

    /// Adds to a 401 how the command knows that the session is alive.
    pub(crate) fn with_session_alive(self, how: SessionAlive) -> Failure {
        let reason = match self.reason {
            Reason::Call(error) => Reason::Call(error.with_session_alive(how)),
            other => other,
        };
        Failure { reason, ..self }
    }

    /// Whether the task or reset may still be running after a wait that failed in this way.
    pub(crate) fn may_still_run(&self) -> bool {
        let Reason::Call(error) = &self.reason else { return false };
        matches!(
            error.kind(),
            ErrorKind::Deadline(_) | ErrorKind::CrossOrigin { .. } | ErrorKind::Redirect { .. }
        )
    }

    /// What the failure concerns, and so whether other work at the service makes sense.
    pub(crate) fn extent(&self) -> Extent {
        match &self.reason {
            // Another login could lock the account.
            Reason::Call(error) if error.is_of_login() => Extent::Everything,
            Reason::Call(error) if error.status().is_none() => match error.kind() {
                ErrorKind::Transport(_) | ErrorKind::Deadline(_) | ErrorKind::OutcomeUnknown(_) => {
                    Extent::Unknown
                }
                _ => Extent::OneResource,
            },
            Reason::Call(_) | Reason::Missing(_) => Extent::OneResource,
            _ => Extent::Everything,
        }
    }

    /// Whether the reader of standard output has left.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self.reason, Reason::BrokenPipe)
    }

    /// The kind, as `error` in JSON.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.reason {
            Reason::Usage { .. } => "usage",
            Reason::Call(error) => error.kind().name(),
            Reason::NotLoggedIn => "not-authenticated",
            Reason::Local { .. } => "local",
            Reason::Missing(_) => "not-found",
            Reason::Stopped { by_signal: true } => "interrupted",
            Reason::Stopped { by_signal: false } => "deadline",
            Reason::Sweep { .. } => "failed",
            Reason::BrokenPipe => "broken-pipe",
        }
    }

    /// Whether a write was carried out before this failed.
    pub(crate) fn is_after_write(&self) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.is_after_write())
    }

    /// The outcome of the part of a write that was carried out.
    pub(crate) fn partial(&self) -> Option<&Outcome> {
        match &self.reason {
            Reason::Call(error) => error.partial(),
            _ => None,
        }
    }

    /// Whether the exchange failed, perhaps within the body of a response.
    pub(crate) fn is_transport(&self) -> bool {
        matches!(&self.reason, Reason::Call(error) if matches!(error.kind(), ErrorKind::Transport(_)))
    }

    /// Whether it is a 401 to a session that is known to be alive.
    pub(crate) fn is_of_living_session(&self) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.session_alive())
    }

    /// Whether a login failed.
    pub(crate) fn is_of_login(&self) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.is_of_login())
    }

    /// The HTTP status of the response, if there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        let Reason::Call(error) = &self.reason else { return None };
        error.status().map(|status| status.as_u16())
    }

    /// Whether it is an error of the core of this kind.
    pub(crate) fn is_kind(&self, kind: &ErrorKind) -> bool {
        matches!(&self.reason, Reason::Call(error) if error.kind() == kind)
    }
}

impl Failure {
    fn clean(&self, text: &str) -> String {
        self.secrets.as_ref().map_or_else(|| text.to_owned(), |secrets| secrets.clean(text).into())
    }

    fn service(&self) -> Option<&str> {
        let service = match &self.reason {
            Reason::Call(error) => error.service(),
            _ => None,
        };
        service.or(self.service.as_deref())
    }

    /// What to do about the failure; may be empty.
    pub(crate) fn hint(&self) -> String {
        let hint = match (&self.reason, &self.hint, &self.monitor) {
            (_, Some(hint), _) => hint.to_string(),
            (_, _, Some(monitor)) => {
                let uri = terminal::quote(&self.clean(monitor));
                return format!("It may still be running: \"redfish task wait {uri}\" waits for its end.");
            }
            (Reason::Call(error), ..) => self.call_hint(error),
            (Reason::Usage { hint, .. }, ..) => (*hint).to_owned(),
            (Reason::NotLoggedIn, ..) => LOG_IN.to_owned(),
            (Reason::Stopped { .. }, ..) => self.stopped_hint().to_owned(),
            _ => String::new(),
        };
        self.clean(&hint)
    }

    /// What to do after a failed call.
    fn call_hint(&self, error: &Error) -> String {
        let option = self.time_option.map(|option| match option {
            TimeOption::Timeout => "--timeout",
            TimeOption::Deadline => "--deadline",
        });
        match (option, error.kind()) {
            (None, ErrorKind::TooLarge { .. }) => "Raise the limit with --max-body, or request less.".into(),
            (None, _) => error.hint().into(),
            (Some(option), ErrorKind::Deadline(_)) => {
                format!("Allow more time with {option}, or check the service.")
            }
            (Some(option), _) => {
                format!("{} {option} allows more time.", error.hint()).trim_start().to_owned()
            }
        }
    }

    /// What to do after a signal or the deadline of a sweep.
    fn stopped_hint(&self) -> &'static str {
        match self.exit {
            Exit::OutcomeUnknown => "A write had been sent: check whether it happened.",
            _ => "Repeat it with --retry-failed.",
        }
    }
}

/// Whether a call failed for lack of time that `--timeout` would allow.
fn is_timeout(error: &Error, limits_exchanges: bool) -> bool {
    use redfish_proto::driver::Failure::{NotSent, TimedOut};
    match error.kind() {
        ErrorKind::Deadline(_) => true,
        _ if !limits_exchanges => false,
        ErrorKind::Transport(TimedOut) | ErrorKind::OutcomeUnknown(TimedOut) => true,
        ErrorKind::Transport(NotSent) => {
            let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
            cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut)
        }
        _ => false,
    }
}

const LOG_IN: &str = "Log in with \"redfish login\", or use --user.";

/// Quotes a word for a shell, if necessary: `[fe80::1]` is a pattern there.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:-_/".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { terminal::quote(word) }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, &self.service) {
            (Reason::Sweep { .. } | Reason::BrokenPipe, _) | (_, None) => {}
            // Its own text names it.
            (Reason::Call(error), _) if error.service().is_some() => {}
            (_, Some(service)) => write!(f, "{}: ", service.strip_prefix("https://").unwrap_or(service))?,
        }
        match &self.reason {
            Reason::Usage { what, .. } => f.write_str(what),
            Reason::Call(error) => {
                let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
                match error.method() {
                    Some(_) => write!(f, "{error}{cause}")?,
                    // An error of a link, before any exchange: the core has not redacted it.
                    None => f.write_str(&self.clean(&format!("{error}{cause}")))?,
                }
                if let Some(link) = &self.link {
                    write!(f, " ({})", self.clean(link))?;
                }
                match error.etag() {
                    Some(etag) => write!(f, "; its ETag is now {}", self.clean(etag.as_str())),
                    None => Ok(()),
                }
            }
            Reason::NotLoggedIn => f.write_str("not logged in"),
            Reason::Local { what, error } => write!(f, "{what}: {error}"),
            Reason::Missing(what) => f.write_str(what),
            Reason::Stopped { by_signal: true } => f.write_str("interrupted by a signal before the response"),
            Reason::Stopped { by_signal: false } => {
                f.write_str("the deadline of the sweep passed before the response")
            }
            Reason::Sweep { summary, .. } => f.write_str(summary),
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
    fn a_service_is_quoted_for_a_shell_if_necessary() {
        for (word, shown) in [
            ("bmc-7.example:8443", "bmc-7.example:8443"),
            ("[fe80::1%25eth0]:443", "'[fe80::1%25eth0]:443'"),
            ("a'b", r"'a'\''b'"),
            ("a$(b)", "'a$(b)'"),
        ] {
            assert_eq!(shell_word(word), shown);
        }
    }
}
