//! Misbehaviour on demand: which fault, with what value, on which path, how often.
//!
//! A fault is written `NAME[=VALUE][@PATH][*COUNT]`: `slow=2s@/redfish/v1/Systems*3` delays the next three answers from there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::protocol::path::Path;
use crate::protocol::profile::Profile;

/// One misbehaviour, where it strikes and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The only path it strikes, compared as the profile compares paths; without one, any.
    pub path: Option<String>,
    /// How many times it strikes; without a number, always. Only what it changed counts.
    pub count: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// `expire-token`: the session of the request's token is forgotten before the request is looked at.
    ExpireToken,
    /// `cut-body[=BYTES]`: the body breaks off after that many bytes, or half-way; its `Content-Length` promised all of it.
    CutBody(Option<usize>),
    /// `reset`: the connection is reset, the request not carried out.
    Reset,
    /// `slow[=TIME]`: the answer waits for that long: `2s`, `250ms`, or a number of seconds. Two seconds if not said.
    Slow(Duration),
    /// `redirect-off-origin[=URL]`: 307 to another origin; the request is not carried out. Without a URL, the same path at a
    /// host that can't exist.
    RedirectOffOrigin(Option<String>),
    /// `session-limit`: a login is refused as if all sessions were taken.
    SessionLimit,
    /// `no-location`: an answer that would say where the new resource is doesn't.
    NoLocation,
    /// `lost-answer`: a write is carried out, then the connection is closed without an answer. A read has nothing to lose.
    LostAnswer,
    /// `task[=TIME]`: a write is answered 202 and carried out that much later, as a task. Five seconds if not said. Neither
    /// logins nor logouts are.
    Task(Duration),
    /// `failing-task[=TIME]`: the same, and then it fails instead of being carried out.
    FailingTask(Duration),
    /// `monitor-gone`: the monitor of a task answers 404; the task goes on.
    MonitorGone,
    /// `lose-session`: the session of the request's token is forgotten once the request is answered.
    LoseSession,
    /// `restart[=TIME]`: once the request is answered the service restarts: it is away for that long, and comes back without
    /// its sessions. Five seconds if not said.
    Restart(Duration),
    /// `bare-messages`: the messages of an answer have their identifiers and arguments, and no text.
    BareMessages,
    /// `401`: the request is refused as if it had no session, while its session is alive; it is not carried out.
    Unauthorized,
    /// `500`: the service fails; the request is not carried out.
    InternalError,
    /// `503[=RETRY_AFTER]`: the service is not available for the moment; the value becomes the header `Retry-After`.
    Unavailable(Option<String>),
}

/// The names, as an error lists them.
const NAMES: &str = "expire-token, cut-body, reset, slow, redirect-off-origin, session-limit, no-location, \
    lost-answer, task, failing-task, monitor-gone, lose-session, restart, bare-messages, 401, 500, 503";

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

impl Fault {
    /// A fault that strikes everywhere, always.
    pub fn new(kind: FaultKind) -> Fault {
        Fault { kind, path: None, count: None }
    }

    /// The same on one path alone.
    pub fn at(self, path: impl Into<String>) -> Fault {
        Fault { path: Some(path.into()), ..self }
    }

    /// The same, so many times.
    pub fn times(self, count: u32) -> Fault {
        Fault { count: Some(count), ..self }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let (text, count) = match text.rsplit_once('*') {
            None => (text, None),
            Some((rest, count)) => match count.parse() {
                Ok(count) => (rest, Some(count)),
                Err(_) => return Err(FaultError("a fault's COUNT, after *, is a whole number".into())),
            },
        };
        // A value may be a URL, so the path is what follows the last `@` that stands before a slash.
        let (text, path) = match text.rfind("@/") {
            Some(at) => (&text[..at], Some(text[at + 1..].to_owned())),
            None => (text, None),
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Ok(Fault { kind: kind(name, value)?, path, count })
    }
}

fn kind(name: &str, value: Option<&str>) -> Result<FaultKind, FaultError> {
    let wrong = |what: &str| FaultError(format!("the fault {name} takes {what}"));
    let alone = |kind| if value.is_none() { Ok(kind) } else { Err(wrong("no value")) };
    match name {
        "expire-token" => alone(FaultKind::ExpireToken),
        "reset" => alone(FaultKind::Reset),
        "session-limit" => alone(FaultKind::SessionLimit),
        "no-location" => alone(FaultKind::NoLocation),
        "lost-answer" => alone(FaultKind::LostAnswer),
        "monitor-gone" => alone(FaultKind::MonitorGone),
        "lose-session" => alone(FaultKind::LoseSession),
        "bare-messages" => alone(FaultKind::BareMessages),
        "401" => alone(FaultKind::Unauthorized),
        "500" => alone(FaultKind::InternalError),
        "task" | "failing-task" => match value.map_or(Some(Duration::from_secs(5)), duration) {
            Some(takes) if name == "task" => Ok(FaultKind::Task(takes)),
            Some(takes) => Ok(FaultKind::FailingTask(takes)),
            None => Err(wrong("a time, such as 2s or 250ms")),
        },
        "restart" => match value.map_or(Some(Duration::from_secs(5)), duration) {
            Some(lasts) => Ok(FaultKind::Restart(lasts)),
            None => Err(wrong("a time, such as 2s or 250ms")),
        },
        "cut-body" => match value.map(str::parse).transpose() {
            Ok(bytes) => Ok(FaultKind::CutBody(bytes)),
            Err(_) => Err(wrong("a number of bytes")),
        },
        "slow" => match value.map_or(Some(Duration::from_secs(2)), duration) {
            Some(delay) => Ok(FaultKind::Slow(delay)),
            None => Err(wrong("a time, such as 2s or 250ms")),
        },
        "redirect-off-origin" => match value {
            Some(url) if !url.contains("://") || http::HeaderValue::from_str(url).is_err() => {
                Err(wrong("a URL with scheme and host"))
            }
            url => Ok(FaultKind::RedirectOffOrigin(url.map(str::to_owned))),
        },
        "503" => match value {
            Some(when) if when.is_empty() || http::HeaderValue::from_str(when).is_err() => {
                Err(wrong("seconds, or a date, for Retry-After"))
            }
            when => Ok(FaultKind::Unavailable(when.map(str::to_owned))),
        },
        // The name is not repeated: what was typed in its place may be anything.
        _ => Err(FaultError(format!("a fault is NAME[=VALUE][@PATH][*COUNT], with NAME one of: {NAMES}"))),
    }
}

/// `2s`, `250ms`, `2`.
fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s').unwrap_or(text).parse().ok().map(Duration::from_secs),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::ExpireToken => f.write_str("expire-token")?,
            FaultKind::CutBody(None) => f.write_str("cut-body")?,
            FaultKind::CutBody(Some(bytes)) => write!(f, "cut-body={bytes}")?,
            FaultKind::Reset => f.write_str("reset")?,
            FaultKind::Slow(delay) => write!(f, "slow={}ms", delay.as_millis())?,
            FaultKind::RedirectOffOrigin(None) => f.write_str("redirect-off-origin")?,
            FaultKind::RedirectOffOrigin(Some(url)) => write!(f, "redirect-off-origin={url}")?,
            FaultKind::SessionLimit => f.write_str("session-limit")?,
            FaultKind::NoLocation => f.write_str("no-location")?,
            FaultKind::LostAnswer => f.write_str("lost-answer")?,
            FaultKind::Task(takes) => write!(f, "task={}ms", takes.as_millis())?,
            FaultKind::FailingTask(takes) => write!(f, "failing-task={}ms", takes.as_millis())?,
            FaultKind::MonitorGone => f.write_str("monitor-gone")?,
            FaultKind::LoseSession => f.write_str("lose-session")?,
            FaultKind::Restart(lasts) => write!(f, "restart={}ms", lasts.as_millis())?,
            FaultKind::BareMessages => f.write_str("bare-messages")?,
            FaultKind::Unauthorized => f.write_str("401")?,
            FaultKind::InternalError => f.write_str("500")?,
            FaultKind::Unavailable(None) => f.write_str("503")?,
            FaultKind::Unavailable(Some(when)) => write!(f, "503={when}")?,
        }
        if let Some(path) = &self.path {
            write!(f, "@{path}")?;
        }
        if let Some(count) = self.count {
            write!(f, "*{count}")?;
        }
        Ok(())
    }
}

/// The faults that a service has, with the strikes that each has left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Faults {
        Faults(faults)
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is a fault that is asked for, wherever it strikes.
    pub(crate) fn any<T>(&self, asked_for: impl Fn(&FaultKind) -> Option<T>) -> bool {
        self.0.iter().any(|fault| fault.count != Some(0) && asked_for(&fault.kind).is_some())
    }

    /// The first fault that is asked for, strikes here and has a strike left; it has one less then.
    pub(crate) fn strike<T>(
        &mut self,
        path: &Path,
        profile: Profile,
        asked_for: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        for fault in &mut self.0 {
            let here =
                fault.path.as_deref().is_none_or(|only| path.names(Path::new(only).written(), profile));
            if !here || fault.count == Some(0) {
                continue;
            }
            if let Some(found) = asked_for(&fault.kind) {
                if let Some(count) = &mut fault.count {
                    *count -= 1;
                }
                return Some(found);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        let slow = |millis| FaultKind::Slow(Duration::from_millis(millis));
        let elsewhere = |url: &str| FaultKind::RedirectOffOrigin(Some(url.into()));
        let cases = [
            ("expire-token*1", Fault::new(FaultKind::ExpireToken).times(1)),
            ("cut-body", Fault::new(FaultKind::CutBody(None))),
            ("cut-body=7", Fault::new(FaultKind::CutBody(Some(7)))),
            ("reset@/redfish/v1/", Fault::new(FaultKind::Reset).at("/redfish/v1/")),
            ("slow", Fault::new(slow(2000))),
            ("slow=3", Fault::new(slow(3000))),
            ("slow=250ms", Fault::new(slow(250))),
            ("slow=2s@/redfish/v1/Systems*3", Fault::new(slow(2000)).at("/redfish/v1/Systems").times(3)),
            ("redirect-off-origin", Fault::new(FaultKind::RedirectOffOrigin(None))),
            (
                "redirect-off-origin=http://u@h:1/x@/redfish/v1*2",
                Fault::new(elsewhere("http://u@h:1/x")).at("/redfish/v1").times(2),
            ),
            ("session-limit", Fault::new(FaultKind::SessionLimit)),
            ("no-location", Fault::new(FaultKind::NoLocation)),
            ("lost-answer", Fault::new(FaultKind::LostAnswer)),
            ("task", Fault::new(FaultKind::Task(Duration::from_secs(5)))),
            ("task=2s*1", Fault::new(FaultKind::Task(Duration::from_secs(2))).times(1)),
            ("failing-task=10ms", Fault::new(FaultKind::FailingTask(Duration::from_millis(10)))),
            ("monitor-gone", Fault::new(FaultKind::MonitorGone)),
            ("lose-session", Fault::new(FaultKind::LoseSession)),
            ("restart*1", Fault::new(FaultKind::Restart(Duration::from_secs(5))).times(1)),
            ("restart=250ms", Fault::new(FaultKind::Restart(Duration::from_millis(250)))),
            ("bare-messages", Fault::new(FaultKind::BareMessages)),
            ("401@/redfish/v1/Systems", Fault::new(FaultKind::Unauthorized).at("/redfish/v1/Systems")),
            ("500", Fault::new(FaultKind::InternalError)),
            ("503", Fault::new(FaultKind::Unavailable(None))),
            ("503=5", Fault::new(FaultKind::Unavailable(Some("5".into())))),
            (
                "503=Wed, 21 Oct 2026 07:28:00 GMT",
                Fault::new(FaultKind::Unavailable(Some("Wed, 21 Oct 2026 07:28:00 GMT".into()))),
            ),
        ];
        for (text, fault) in cases {
            assert_eq!(text.parse(), Ok(fault.clone()), "{text}");
            assert_eq!(fault.to_string().parse(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn what_is_none_says_what_would_be() {
        for (text, part) in [
            ("explode", "expire-token, cut-body"),
            ("", "NAME[=VALUE][@PATH][*COUNT]"),
            ("reset=1", "no value"),
            ("reset*many", "COUNT"),
            ("slow=soon", "250ms"),
            ("cut-body=-1", "bytes"),
            ("task=soon", "250ms"),
            ("restart=soon", "250ms"),
            ("500=1", "no value"),
            ("redirect-off-origin=elsewhere", "scheme and host"),
            ("503=", "Retry-After"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_where_it_says() {
        let mut faults = Faults::new(vec![Fault::new(FaultKind::Reset).at("/redfish/v1/Systems/").times(2)]);
        let mut strike = |path: &str| {
            let reset = |kind: &FaultKind| (*kind == FaultKind::Reset).then_some(());
            faults.strike(&Path::new(path), Profile::Standard, reset).is_some()
        };
        assert!(!strike("/redfish/v1/Chassis"));
        assert!(strike("/redfish/v1/Systems"));
        assert!(!strike("/redfish/v1/systems"));
        assert!(strike("/redfish/v1/Systems/"));
        assert!(!strike("/redfish/v1/Systems"));
    }
}
