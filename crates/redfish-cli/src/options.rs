//! The options that every command takes: where, who, and how.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::HeaderValue;
use redfish_hyper::{Transport, TransportBuilder};
use redfish_proto::driver::TransportLimits;
use redfish_proto::{Links, Policy, Service};
use redfish_tls::{Pin, Trust};

use crate::failure::Failure;
use crate::files::{Source, is_stdin};
use crate::output;

/// How long a logout may take. It comes after the work, which has had its own time.
const LOGOUT: Duration = Duration::from_secs(5);

/// How long one exchange may take, where the whole operation may take longer.
const EXCHANGE: Duration = Duration::from_secs(30);

/// How long to connect, so that there is time for another try.
const CONNECT: Duration = Duration::from_secs(10);

/// How long to wait for the end of what takes its time, where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(600);

/// The largest file of certificates.
const LARGEST: u64 = 16 << 20;

/// The options that every command takes.
#[derive(Args, Clone)]
#[command(next_help_heading = "Where, who and how")]
pub(crate) struct Options {
    /// The service: https://bmc, bmc, bmc:8443, [fe80::1%25eth0]. No scheme means https
    #[arg(short, long, value_name = "URL", env = "REDFISH_SERVICE", hide_env_values = true, global = true)]
    service: Option<String>,

    /// The user
    #[arg(short, long, value_name = "NAME", env = "REDFISH_USER", hide_env_values = true, global = true)]
    user: Option<String>,

    /// The file that holds the password; - is standard input. Else REDFISH_PASSWORD, else it is asked for
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) password_file: Option<PathBuf>,

    /// How to authenticate. Default: bearer with a token, else the session that login kept, else session with a
    /// user, else none
    #[arg(long, value_enum, env = "REDFISH_AUTH", hide_env_values = true, global = true)]
    pub(crate) auth: Option<Auth>,

    /// The file that holds a bearer token; - is standard input. Else REDFISH_TOKEN
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,

    /// Trust this CA, or exactly this self-signed certificate, beside the system's own
    #[arg(long, value_name = "FILE", env = "REDFISH_CACERT", hide_env_values = true, global = true)]
    cacert: Option<PathBuf>,

    /// Trust exactly this certificate: sha256:HEX, as "redfish pin" prints it, or its SHA-256 in another usual spelling
    #[arg(long, value_name = "PIN", env = "REDFISH_PIN", hide_env_values = true, global = true)]
    pin: Option<String>,

    /// Trust any certificate: whoever is in between reads and changes all, password included
    #[arg(long, global = true)]
    insecure: bool,

    /// How long one operation may take with its retries
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, global = true)]
    pub(crate) timeout: Duration,

    /// How long to wait for the end of what takes its time: with --wait, and in "task wait". Default: 600. For a sweep:
    /// how long all of it may take, without end by default
    #[arg(long, value_name = "SECONDS", value_parser = seconds, global = true)]
    pub(crate) deadline: Option<Duration>,

    /// How large an answer may be, after decompression
    #[arg(long, value_name = "BYTES", default_value = "33554432", value_parser = bytes, global = true)]
    max_body: usize,

    /// What becomes of a link to another origin
    #[arg(long, value_enum, default_value = "same-origin", global = true)]
    links: LinkPolicy,

    /// Marks the sessions that are opened with this Context, by which "sessions close --mine" finds them
    #[arg(long, value_name = "TEXT", env = "REDFISH_SESSION_CONTEXT", hide_env_values = true, global = true)]
    session_context: Option<String>,

    /// Shows each request and answer on standard error, without secrets
    #[arg(long, global = true)]
    pub(crate) trace: bool,

    /// How data and errors are written. Default: table on a terminal where there is one, else json
    #[arg(long, value_enum, global = true)]
    pub(crate) output: Option<Output>,
}

/// How to authenticate.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// A session of the service (X-Auth-Token)
    Session,
    /// User and password with each request
    Basic,
    /// A token that somebody else issued
    Bearer,
    /// Nobody
    None,
}

/// How data and errors are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For programs, errors too
    Json,
    /// Columns
    Table,
    /// For people
    Text,
}

/// What becomes of a link to another origin.
#[derive(Clone, Copy, ValueEnum)]
enum LinkPolicy {
    /// It is refused
    SameOrigin,
    /// Its path is used on the service's own origin
    PathOnly,
}

impl Options {
    /// The service that was named.
    pub(crate) fn service(&self) -> Result<Arc<Service>, Failure> {
        let Some(url) = &self.service else {
            return Err(Failure::usage("no service is named", "Use --service or REDFISH_SERVICE."));
        };
        Ok(Arc::new(Service::with_policy(url, self.policy())?))
    }

    /// One of many. A login there may take as long as its logout beyond the time for the work: where it is answered
    /// then, its session is closed, and where it is given up, nobody closes it.
    pub(crate) fn service_at(&self, url: &str) -> Result<Arc<Service>, Failure> {
        let mut policy = self.policy();
        let time = self.timeout.saturating_add(LOGOUT);
        (policy.timeout, policy.deadline) = (time.min(EXCHANGE), Some(time));
        Ok(Arc::new(Service::with_policy(url, policy)?))
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.links = match self.links {
            LinkPolicy::SameOrigin => Links::SameOrigin,
            LinkPolicy::PathOnly => Links::PathOnly,
        };
        policy.timeout = self.timeout.min(EXCHANGE);
        policy.deadline = Some(self.timeout);
        policy.body_limit = self.max_body;
        policy.logout_deadline = LOGOUT;
        policy.user_agent = HeaderValue::from_static(concat!("redfish-cli/", env!("CARGO_PKG_VERSION")));
        policy
    }

    /// The user that was named.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What marks the sessions that are opened.
    pub(crate) fn session_context(&self) -> Option<&str> {
        self.session_context.as_deref()
    }

    /// The settings of connections, without any trust.
    pub(crate) fn connections(&self) -> TransportBuilder {
        Transport::builder().limits(TransportLimits::default().connect_timeout(self.timeout.min(CONNECT)))
    }

    /// How long to wait for the end of what takes its time.
    pub(crate) fn patience(&self) -> Duration {
        self.deadline.unwrap_or(PATIENCE)
    }

    /// Which certificates are accepted.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let (pin, cacert) = (self.pin.as_deref(), self.cacert.as_deref());
        if self.insecure {
            if pin.is_some() || cacert.is_some() {
                let what = "--insecure does not go with a pin or a CA, from an option or the environment";
                return Err(Failure::usage(what, "Leave one of them out."));
            }
            output::note("redfish: warning: --insecure: the service's certificate is not checked.");
            return Ok(Trust::dangerous_accept_any());
        }
        match (pin, cacert) {
            (Some(pin), _) => pinned(pin),
            (None, Some(file)) => vouched(file, self),
            (None, None) => Ok(Trust::system()),
        }
    }

    /// Rejects standard input for two things at once. The command itself reads it this many times.
    pub(crate) fn check_stdin(&self, own: usize) -> Result<(), Failure> {
        let files = [&self.password_file, &self.token_file];
        let taken = files.into_iter().flatten().filter(|file| is_stdin(file)).count() + own;
        if taken > 1 {
            return Err(Failure::usage(
                "standard input, \"-\", is named twice",
                "Use a file for one of them.",
            ));
        }
        Ok(())
    }

    /// Whether errors are one object of JSON.
    pub(crate) fn errors_as_json(&self) -> bool {
        self.output == Some(Output::Json)
    }
}

/// Trust in exactly the certificate that the pin names.
pub(crate) fn pinned(pin: &str) -> Result<Trust, Failure> {
    let pin: Pin = pin.parse().map_err(|error: redfish_tls::Error| Failure::usage(error.to_string(), ""))?;
    Ok(Trust::pinned(pin))
}

/// Trust in what the certificates of a file vouch for, beside the system's own.
pub(crate) fn vouched(file: &Path, options: &Options) -> Result<Trust, Failure> {
    let pem = Source::File(file)
        .read(LARGEST, options.timeout)
        .map_err(|error| Failure::unusable("the CA file cannot be read", error))?;
    Trust::system_and_pem(&pem).map_err(|error| Failure::usage(error.to_string(), ""))
}

/// A time. The reason never repeats what was typed, nor do those below.
fn seconds(typed: &str) -> Result<Duration, &'static str> {
    let reason = "a number of seconds above zero is needed";
    let time =
        typed.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or(reason)?;
    if time.is_zero() { Err(reason) } else { Ok(time) }
}

/// A size.
fn bytes(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "a number of bytes is needed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_above_zero_and_finite() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for typed in ["0", "-1", "inf", "NaN", "1e99", "", "2s"] {
            assert!(seconds(typed).is_err(), "{typed}");
        }
    }
}
