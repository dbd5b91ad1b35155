//! The options that all commands share: service, authentication, certificates, limits and output.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::HeaderValue;
use redfish_hyper::{Transport, TransportBuilder};
use redfish_proto::driver::TransportLimits;
use redfish_proto::{ETagForm, Links, Policy, Service};
use redfish_tls::{Pin, Trust};

use crate::failure::Failure;
use crate::files::{Source, is_stdin};
use crate::output;

/// Timeout of a logout, which is not part of the timeout of the work.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout of one exchange, if `--timeout` is longer. What is over twice of it goes to the exchange: some resources take
/// minutes, and there must be time for a retry.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum timeout of a connection attempt, so that there is time for another one.
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Default of `--in-flight`.
const DEFAULT_IN_FLIGHT: usize = 4;

/// Default of `--deadline` with `--wait`.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(600);

/// Maximum size of a file of certificates, in bytes.
pub(crate) const MAX_CA_FILE: u64 = 16 << 20;

/// The options that all commands share.
#[derive(Args, Clone)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Options {
    /// Service URL: https://bmc, bmc, bmc:8443, [fe80::1%25eth0]. The default scheme is https
    #[arg(short, long, value_name = "URL", env = "REDFISH_SERVICE", hide_env_values = true, global = true)]
    service: Option<String>,

    /// User name
    #[arg(short, long, value_name = "NAME", env = "REDFISH_USER", hide_env_values = true, global = true)]
    user: Option<String>,

    /// File that contains the password; - is standard input. Default: REDFISH_PASSWORD, else a prompt
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) password_file: Option<PathBuf>,

    /// How to authenticate. Default: bearer with a token, else the saved session, else session with a user, else none
    #[arg(long, value_enum, env = "REDFISH_AUTH", hide_env_values = true, global = true)]
    pub(crate) auth: Option<Auth>,

    /// File that contains a bearer token; - is standard input. Default: REDFISH_TOKEN
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,

    /// Trust this CA, or exactly this self-signed certificate, in addition to the system's own
    #[arg(long, value_name = "FILE", env = "REDFISH_CACERT", hide_env_values = true, global = true)]
    cacert: Option<PathBuf>,

    /// Trust exactly this certificate: sha256:HEX, as "redfish pin" prints it, or its SHA-256 in another common notation
    #[arg(long, value_name = "PIN", env = "REDFISH_PIN", hide_env_values = true, global = true)]
    pin: Option<String>,

    /// Trust any certificate. Anyone on the network path can read and change everything, including the password
    #[arg(long, global = true)]
    insecure: bool,

    /// Time limit of one operation, including its retries
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, global = true)]
    pub(crate) timeout: Duration,

    /// Maximum number of concurrent requests to one service, for commands that read much. It is always 1 if the service says
    /// that it accepts no more. Default: 4
    #[arg(long, value_name = "N", value_parser = positive, global = true)]
    pub(crate) in_flight: Option<usize>,

    /// How long --wait and "task wait" wait. Default: 600. In a sweep, the time limit of the whole sweep. Default: no limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds, global = true)]
    pub(crate) deadline: Option<Duration>,

    /// Maximum size of a response body, after decompression
    #[arg(long, value_name = "BYTES", default_value = "33554432", value_parser = bytes, global = true)]
    max_body: usize,

    /// How to treat a link to another origin
    #[arg(long, value_enum, default_value = "same-origin", global = true)]
    links: LinkPolicy,

    /// How to send an ETag back in If-Match, for services that reject their own
    #[arg(long, value_enum, default_value = "as-sent", global = true)]
    etag: EtagForm,

    /// Open sessions with this Context, by which "sessions close --mine" finds them
    #[arg(long, value_name = "TEXT", env = "REDFISH_SESSION_CONTEXT", hide_env_values = true, global = true)]
    session_context: Option<String>,

    /// Print each request and response on standard error, with secrets removed
    #[arg(long, global = true)]
    pub(crate) trace: bool,

    /// Output format. Default: table on a terminal if the command has one, else json. With json, errors are JSON too
    #[arg(long, value_enum, global = true)]
    pub(crate) output: Option<Output>,
}

/// How to send an ETag back.
#[derive(Clone, Copy, ValueEnum)]
enum EtagForm {
    /// As the service sent it
    AsSent,
    /// Without quotes and W/
    Unquoted,
    /// Not at all
    None,
}

/// How to authenticate.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// A session (X-Auth-Token)
    Session,
    /// User name and password in each request
    Basic,
    /// A token from elsewhere, in each request
    Bearer,
    /// No authentication
    None,
}

/// The output format.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For programs
    Json,
    /// A table
    Table,
    /// Plain text
    Text,
}

/// How to treat a link to another origin.
#[derive(Clone, Copy, ValueEnum)]
enum LinkPolicy {
    /// Reject it
    SameOrigin,
    /// Use its path at the service's origin
    PathOnly,
}

impl Options {
    /// The service of `--service`.
    pub(crate) fn service(&self) -> Result<Arc<Service>, Failure> {
        let Some(url) = &self.service else {
            return Err(Failure::usage("no service is given", "Use --service or REDFISH_SERVICE."));
        };
        self.service_at(url)
    }

    /// The service at this URL.
    pub(crate) fn service_at(&self, url: &str) -> Result<Arc<Service>, Failure> {
        Ok(Arc::new(Service::with_policy(url, self.policy())?))
    }

    fn policy(&self) -> Policy {
        let links = match self.links {
            LinkPolicy::SameOrigin => Links::SameOrigin,
            LinkPolicy::PathOnly => Links::PathOnly,
        };
        let etag_form = match self.etag {
            EtagForm::AsSent => ETagForm::Verbatim,
            EtagForm::Unquoted => ETagForm::WithoutQuotes,
            EtagForm::None => ETagForm::Never,
        };
        // An operation has its own deadline. A login gets the time of a logout in addition, so that a late response still
        // leads to a logout.
        let time = self.timeout.saturating_add(LOGOUT_TIMEOUT);
        Policy::default()
            .with_links(links)
            .with_etag_form(etag_form)
            .with_timeout(time.min(EXCHANGE_TIMEOUT).max(self.timeout.saturating_sub(EXCHANGE_TIMEOUT)))
            .with_deadline(time)
            .with_body_limit(self.max_body)
            .with_logout_deadline(LOGOUT_TIMEOUT)
            .with_user_agent(HeaderValue::from_static(concat!("redfish-cli/", env!("CARGO_PKG_VERSION"))))
    }

    /// The user of `--user`.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The `Context` of new sessions.
    pub(crate) fn session_context(&self) -> Option<&str> {
        self.session_context.as_deref()
    }

    /// The settings of connections, except for trust.
    pub(crate) fn transport(&self) -> TransportBuilder {
        let in_flight = self.in_flight.unwrap_or(DEFAULT_IN_FLIGHT);
        let limits = TransportLimits::default()
            .connect_timeout(self.timeout.min(MAX_CONNECT_TIMEOUT))
            .per_service(in_flight)
            .idle_connections(in_flight.max(2));
        Transport::builder().limits(limits)
    }

    /// Whether `--timeout` also limits each exchange and each attempt to connect.
    pub(crate) fn timeout_limits_exchanges(&self) -> bool {
        self.timeout < EXCHANGE_TIMEOUT || self.timeout > EXCHANGE_TIMEOUT * 2
    }

    /// How long to wait with `--wait`.
    pub(crate) fn wait_deadline(&self) -> Duration {
        self.deadline.unwrap_or(DEFAULT_DEADLINE)
    }

    /// Which certificates to accept.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let (pin, cacert) = (self.pin.as_deref(), self.cacert.as_deref());
        if self.insecure {
            if pin.is_some() || cacert.is_some() {
                let what =
                    "--insecure cannot be combined with a pin or a CA from an option or the environment";
                return Err(Failure::usage(what, "Leave one of them out."));
            }
            output::note("redfish: warning: --insecure: the service's certificate is not checked");
            return Ok(Trust::dangerous_accept_any());
        }
        match (pin, cacert) {
            (Some(pin), _) => trust_pin(pin),
            (None, Some(file)) => trust_ca(file, self),
            (None, None) => Ok(Trust::system()),
        }
    }

    /// Rejects more than one use of standard input. The command itself uses it `own` times.
    pub(crate) fn check_stdin(&self, own: usize) -> Result<(), Failure> {
        let files = [&self.password_file, &self.token_file];
        let uses = files.into_iter().flatten().filter(|file| is_stdin(file)).count() + own;
        if uses > 1 {
            return Err(Failure::usage(
                "standard input, \"-\", is used twice",
                "Use a file for one of them.",
            ));
        }
        Ok(())
    }

    /// Whether errors are printed as JSON.
    pub(crate) fn errors_as_json(&self) -> bool {
        self.output == Some(Output::Json)
    }
}

/// Trusts exactly the certificate of the pin.
pub(crate) fn trust_pin(pin: &str) -> Result<Trust, Failure> {
    let pin: Pin = pin.parse().map_err(|error: redfish_tls::Error| Failure::usage(error.to_string(), ""))?;
    Ok(Trust::pinned(pin))
}

/// Trusts the certificates of a file, in addition to the system's own.
pub(crate) fn trust_ca(file: &Path, options: &Options) -> Result<Trust, Failure> {
    let pem = Source::File(file)
        .read(MAX_CA_FILE, options.timeout)
        .map_err(|error| Failure::unusable("the CA file cannot be read", error))?;
    Trust::system_and_pem(&pem).map_err(|error| Failure::usage(error.to_string(), ""))
}

/// Parses a time. The error never repeats the value, nor do those below.
fn seconds(typed: &str) -> Result<Duration, &'static str> {
    let reason = "not a positive number of seconds";
    let time =
        typed.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or(reason)?;
    if time.is_zero() { Err(reason) } else { Ok(time) }
}

/// Parses a number, at least 1.
pub(crate) fn positive(typed: &str) -> Result<usize, &'static str> {
    typed.parse().ok().filter(|number| *number > 0).ok_or("not a positive integer")
}

/// Parses a size.
fn bytes(typed: &str) -> Result<usize, &'static str> {
    typed.parse().map_err(|_| "not a number of bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_timeout_is_that_of_an_exchange_and_leaves_time_for_another() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            options: Options,
        }
        for (typed, exchange) in [("10", 15), ("60", 30), ("300", 270)] {
            let options = <Cli as clap::Parser>::parse_from(["redfish", "--timeout", typed]).options;
            assert_eq!(options.policy().timeout, Duration::from_secs(exchange), "{typed}");
        }
    }

    #[test]
    fn a_time_is_positive_and_finite() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for typed in ["0", "-1", "inf", "NaN", "1e99", "", "2s"] {
            assert!(seconds(typed).is_err(), "{typed}");
        }
    }
}
