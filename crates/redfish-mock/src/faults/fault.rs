//! A fault as a user writes it: `NAME[=VALUE][@PATH][*COUNT]`.

use std::fmt;
use std::str::FromStr;

use super::error::FaultError;
use super::kind::FaultKind;

/// A fault: what goes wrong, at which path, and how often.
///
/// It is written `NAME[=VALUE][@PATH][*COUNT]`: `slow=2s@/redfish/v1/Systems*3` delays the next three responses to requests
/// for that path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The path that it affects. Letter case matters as the profile defines. Default: all paths.
    pub path: Option<String>,
    /// How often it takes effect. Only requests that it changes count. Default: always.
    pub count: Option<u32>,
}

impl Fault {
    /// A fault that affects all requests.
    pub fn new(kind: FaultKind) -> Fault {
        Fault { kind, path: None, count: None }
    }

    /// Limits the fault to one path.
    pub fn at(self, path: impl Into<String>) -> Fault {
        Fault { path: Some(path.into()), ..self }
    }

    /// Limits how often the fault takes effect.
    pub fn times(self, count: u32) -> Fault {
        Fault { count: Some(count), ..self }
    }

    /// A line for each fault: its name, the value that it accepts, and what it does.
    pub fn help() -> String {
        FaultKind::table().map(|(form, help)| format!("{form}: {help}\n")).collect()
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let (text, count) = match text.rsplit_once('*') {
            None => (text, None),
            Some((rest, count)) => (rest, Some(count.parse().map_err(|_| FaultError::invalid_count())?)),
        };
        // A value may be a URL with user information, so the path starts at the last `@/`.
        let (text, path) = match text.rfind("@/") {
            Some(at) => (&text[..at], Some(text[at + 1..].to_owned())),
            None => (text, None),
        };
        if path.as_ref().is_some_and(|path| path.contains('?')) {
            return Err(FaultError::invalid_path());
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Ok(Fault { kind: FaultKind::parse(name, value)?, path, count })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(path) = &self.path {
            write!(f, "@{path}")?;
        }
        if let Some(count) = self.count {
            write!(f, "*{count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_form_is_parsed_and_formatted() {
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
    fn an_invalid_fault_names_the_valid_forms() {
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
            ("500@/redfish/v1/Systems?x", "no query"),
            ("slow=18446744073709551615", "a time"),
            ("overlapping-pages=1", "at least 2"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_help_has_a_line_for_each_fault() {
        let help = Fault::help();
        assert_eq!(help.lines().count(), FaultKind::NAMES.len());
        assert!(help.contains("\ncut-body[=BYTES]: sends this many bytes"), "{help}");
        assert!(help.contains("\n401: rejects a login, or"), "{help}");
    }
}
