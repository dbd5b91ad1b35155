//! The table of faults. To add a fault, add its row, and take it where it has its effect.

use std::fmt;
use std::time::Duration;

use super::error::FaultError;
use super::value::{BYTES, LENGTH, MEMBERS, RETRY_AFTER, TIME, URL};

/// Defines [`FaultKind`], and its names, help, parser and formatter, from one row for each fault:
///
/// ```text
/// "help" Variant = "name";
/// "help" Variant(Type) = "name", VALUE or default;
/// ```
macro_rules! faults {
    ($($help:literal $kind:ident $(($type:ty))? = $name:literal $(, $value:ident or $default:expr)?;)+) => {
        /// A way in which the service misbehaves.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum FaultKind {
            $(
                #[doc = concat!("`", $name, "`: ", $help)]
                $kind $(($type))?,
            )+
        }

        impl FaultKind {
            /// The name of each fault and what it does, in the order of the table.
            pub(super) fn table() -> impl Iterator<Item = (String, &'static str)> {
                [$((concat!($name).to_owned() $(+ "[=" + $value.placeholder + "]")?, $help)),+].into_iter()
            }

            /// The names of all faults.
            pub(super) const NAMES: &'static [&'static str] = &[$($name),+];

            pub(super) fn parse(name: &str, value: Option<&str>) -> Result<FaultKind, FaultError> {
                match name {
                    $($name => {
                        let takes_value = !<[&str]>::is_empty(&[$($value.placeholder)?]);
                        if value.is_some() && !takes_value {
                            return Err(FaultError::invalid_value(name, "no value"));
                        }
                        Ok(FaultKind::$kind $((match value {
                            None => $default,
                            Some(text) => ($value.parse)(text)
                                .ok_or_else(|| FaultError::invalid_value(name, $value.expected))?,
                        }))?)
                    })+
                    _ => Err(FaultError::invalid_name(FaultKind::NAMES)),
                }
            }
        }

        impl fmt::Display for FaultKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $($(
                    if let FaultKind::$kind(value) = self {
                        f.write_str($name)?;
                        return ($value.render)(value).map_or(Ok(()), |text| write!(f, "={text}"));
                    }
                )?)+
                // The others have no value.
                f.write_str(match self {
                    $(FaultKind::$kind { .. } => $name,)+
                })
            }
        }
    };
}

faults! {
    "forgets the session of the request's token before the request is handled."
    ExpireToken = "expire-token";

    "sends this many bytes of the body, or half of it, and closes the connection. `Content-Length` is that of the whole body."
    CutBody(Option<usize>) = "cut-body", BYTES or None;

    "resets the connection. The request is not carried out."
    Reset = "reset";

    "delays the response: `2s`, `250ms`, or a number of seconds. Default: 2 s."
    Slow(Duration) = "slow", TIME or Duration::from_secs(2);

    "redirects to another origin with 307. The request is not carried out. Default: the same path at a host that cannot exist."
    RedirectOffOrigin(Option<String>) = "redirect-off-origin", URL or None;

    "rejects a login as if the maximum number of sessions were reached."
    SessionLimit = "session-limit";

    "omits the header `Location` of the response."
    NoLocation = "no-location";

    "carries out a write, and closes the connection without a response. Reads are not affected."
    LostAnswer = "lost-answer";

    "answers a write with 202, and carries it out after this time, as a task. Default: 5 s. Logins and logouts are not affected."
    Task(Duration) = "task", TIME or Duration::from_secs(5);

    "answers a write with 202. The task fails after this time instead of carrying it out. Default: 5 s."
    FailingTask(Duration) = "failing-task", TIME or Duration::from_secs(5);

    "answers requests for the monitor of a task with 404. The task continues."
    MonitorGone = "monitor-gone";

    "forgets the session of the request's token after the response."
    LoseSession = "lose-session";

    "restarts the service after the response. It is unavailable for this time, and loses its sessions. Default: 5 s."
    Restart(Duration) = "restart", TIME or Duration::from_secs(5);

    "sends messages with identifiers and arguments, but without text."
    BareMessages = "bare-messages";

    "rejects a login, or a request with valid credentials, with 401. It is not carried out."
    Unauthorized = "401";

    "fails the request with 500. It is not carried out."
    InternalError = "500";

    "rejects the request with 503. The value becomes the header `Retry-After`. It is not carried out."
    Unavailable(Option<String>) = "503", RETRY_AFTER or None;

    "rejects reads of sessions with 403, although they are open."
    UnreadableSession = "unreadable-session";

    "divides a collection into pages of this many members. Each page repeats the last member of the one before. Default: 2. Only in `standard`, and not in captures with pages of their own."
    OverlappingPages(usize) = "overlapping-pages", MEMBERS or 2;

    "divides a collection into pages of this many members, and fails all but the first with 500, which count. Default: 2. Only in `standard`, and not in captures with pages of their own."
    FailingPage(usize) = "failing-page", MEMBERS or 2;

    "adds a link to a resource that does not exist: a member to a collection, or a property to another resource."
    DeadLink = "dead-link";

    "answers a write with 202 and the URI of a Job, which is answered 200 while it runs. Default: 5 s."
    Job(Duration) = "job", TIME or Duration::from_secs(5);

    "answers a write with 202. The task ends after this time: Completed, with the status Critical, and nothing is carried out. Default: 5 s."
    CriticalTask(Duration) = "critical-task", TIME or Duration::from_secs(5);

    "adds a notice to the success of a write: an error object with the message Success. Logins and logouts are not affected."
    Notice = "notice";

    "answers a write with 200 and a refusal in its body. It is not carried out. Logins and logouts are not affected."
    RefusalIn200 = "refusal-in-200";

    "puts a byte that is not UTF-8 at the start of `Name`, or else of the first text of the body."
    NotUtf8 = "not-utf8";

    "answers with a web page and 200. The request is not carried out."
    WebPage = "web-page";

    "refuses a write whose body has this many bytes or more with 413 after them, and reads no more. Default: 65536. Logins and logouts are not affected."
    EarlyRefusal(u64) = "early-refusal", LENGTH or 65_536;
}
