//! `serve`: a Redfish service for others to try their clients against, or many.

mod fleet;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use redfish_hyper::{Service, Transport};
use redfish_mock::{Fault, Mockup, ObservedRequest, Profile, ServeOptions, Server, Settings, Tls};

use crate::credentials::password_at_hand;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::pin;
use crate::runtime::block_on;
use crate::signal::{self, Ends};
use crate::stop::Stop;

/// Which service to be, and where.
#[derive(Args)]
pub(crate) struct Serve {
    /// The address and port to listen on; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Without TLS
    #[arg(long, conflicts_with_all = ["cert", "key", "cert_out"])]
    http: bool,
    /// The certificate to show, and those that it needs to be trusted, as PEM. Default: one made at the start
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Where to write the certificate that clients have to trust
    #[arg(long, value_name = "FILE")]
    cert_out: Option<PathBuf>,
    /// How answers are spelled: standard, as DSP0266 asks, or ilo-amplifier, with MySession and in any letter case
    #[arg(long, default_value = "standard", value_parser = profile)]
    profile: Profile,
    /// The folder whose resources to serve, as DMTF's Mockup-Creator writes one: index.json is the resource at its
    /// folder. Clients may change them; the files stay as they are
    #[arg(long, value_name = "DIR")]
    mockup: Option<PathBuf>,
    /// How long a reset takes. Default: 3 seconds with the profile standard, none with ilo-amplifier
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    reset_delay: Option<Duration>,
    /// How long it takes until a pushed image is written
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    update_time: Duration,
    /// How long the service then restarts: it refuses connections, and has lost its sessions. 0: it does not restart
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    restart_time: Duration,
    /// What goes wrong: `NAME[=VALUE][@PATH][*COUNT]`, as in slow=2s@/redfish/v1/Systems*3. NAME is one of expire-token,
    /// cut-body, reset, slow, redirect-off-origin, session-limit, no-location, lost-answer, task, failing-task,
    /// monitor-gone, lose-session, restart, bare-messages, 401, 500, 503
    #[arg(long = "fault", value_name = "SPEC", value_parser = fault)]
    faults: Vec<Fault>,
    /// What tokens and identifiers are made from
    #[arg(long, value_name = "N", default_value = "1", value_parser = number)]
    seed: u64,
    /// Be so many services, each at a port of its own with sessions of its own. Of a hundred, three refuse connections,
    /// two never answer, five are slow, one loses each session after its first use, and one restarts after its first
    /// answer; --seed says which. All else is the same for all
    #[arg(long, value_name = "N", requires = "services_out", conflicts_with = "cert_out", value_parser = count)]
    fleet: Option<usize>,
    /// Where to write the services of the fleet, a line of JSON each, as sweep reads them. The password and the
    /// certificate are written beside it, to FILE.password and FILE.pem
    #[arg(long, value_name = "FILE", requires = "fleet")]
    services_out: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(0)?;
        let settings = self.settings(options)?;
        let observer = options.trace.then(|| -> redfish_mock::Observer { Arc::new(log) });
        let tls = self.tls()?;
        let serve = ServeOptions { listen: self.listen, tls, observer, ..ServeOptions::default() };
        // Before it listens: a signal that comes early is then not lost.
        let stop = Stop::new();
        signal::listen(&stop, Ends::Well);
        if let (Some(count), Some(file)) = (self.fleet, &self.services_out) {
            return fleet::run(count, file, settings, serve, &stop);
        }
        let server = Server::start(settings, serve)
            .map_err(|error| Failure::unusable("the service cannot be started", error))?;
        self.announce(&server)?;
        block_on(stop.wait())?;
        server.shutdown();
        Ok(())
    }

    fn settings(&self, options: &Options) -> Result<Settings, Failure> {
        let mut settings = Settings {
            profile: self.profile,
            mockup: self.mockup()?,
            reset_delay: self.reset_delay,
            update_time: self.update_time,
            restart_time: self.restart_time,
            seed: self.seed,
            faults: self.faults.clone(),
            ..Settings::default()
        };
        let password = password_at_hand(options)?;
        if let Some(user) = options.user() {
            settings.user = user.to_owned();
            if password.is_none() {
                let hint = "Use --password-file or REDFISH_PASSWORD.";
                return Err(Failure::usage("the user has no password", hint));
            }
        }
        if let Some(password) = password {
            settings.password = password.to_string();
        }
        Ok(settings)
    }

    /// The folder's resources. What is odd about it is said, and served all the same.
    fn mockup(&self) -> Result<Option<Mockup>, Failure> {
        let Some(folder) = &self.mockup else { return Ok(None) };
        let mockup =
            Mockup::read(folder).map_err(|error| Failure::unusable("the mockup cannot be read", error))?;
        for warning in mockup.warnings() {
            output::note(format_args!("redfish: warning: {warning}"));
        }
        Ok(Some(mockup))
    }

    fn tls(&self) -> Result<Tls, Failure> {
        let read =
            |file: &Path, what| fs::read_to_string(file).map_err(|error| Failure::unusable(what, error));
        match (&self.cert, &self.key) {
            _ if self.http => Ok(Tls::None),
            (Some(cert), Some(key)) => Ok(Tls::Pem {
                certificate_pem: read(cert, "the certificate file cannot be read")?,
                key_pem: read(key, "the key file cannot be read")?,
            }),
            _ => Ok(Tls::SelfSigned),
        }
    }

    /// Says where it is. Who starts it in a script waits for the first line, so what that promises is done before.
    fn announce(&self, server: &Server) -> Result<(), Failure> {
        let mut lines = server.url();
        if let Some(pem) = server.certificate_pem() {
            if let Some(file) = &self.cert_out {
                fs::write(file, pem)
                    .map_err(|error| Failure::unusable("the certificate cannot be written", error))?;
            }
            lines += match (&self.cert_out, &self.cert) {
                (Some(file), _) | (None, Some(file)) => format!("\ncertificate: {}", file.display()),
                (None, None) => format!("\ncertificate: {} (--cert-out FILE writes it)", shown(server)?),
            }
            .as_str();
        }
        output::line(lines)
    }
}

/// The pin of the certificate, as any client would find it.
fn shown(server: &Server) -> Result<String, Failure> {
    let (pin, _) = pin::of(Service::new(&server.url())?, Transport::builder())?;
    Ok(pin.map(|pin| pin.to_string()).unwrap_or_default())
}

fn log(seen: &ObservedRequest<'_>) {
    let ObservedRequest { method, path, status } = seen;
    match status {
        Some(status) => output::note(format_args!("{method} {path} {}", status.as_u16())),
        None => output::note(format_args!("{method} {path} (closed without an answer)")),
    }
}

fn address(typed: &str) -> Result<SocketAddr, &'static str> {
    typed.parse().map_err(|_| "an address and a port are needed, such as 127.0.0.1:8443")
}

fn profile(typed: &str) -> Result<Profile, String> {
    typed.parse().map_err(|error: redfish_mock::UnknownProfile| error.to_string())
}

fn fault(typed: &str) -> Result<Fault, String> {
    typed.parse().map_err(|error: redfish_mock::FaultError| error.to_string())
}

/// A time, which may be none at all.
fn seconds(typed: &str) -> Result<Duration, &'static str> {
    let time = typed.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or("a number of seconds is needed")
}

/// How many, one at least.
fn count(typed: &str) -> Result<usize, &'static str> {
    typed.parse().ok().filter(|count| *count > 0).ok_or("a whole number is needed, at least 1")
}

fn number(typed: &str) -> Result<u64, &'static str> {
    typed.parse().map_err(|_| "a whole number is needed")
}
