//! `serve`: a Redfish service, or a fleet of them, to test clients against.

mod fleet;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use redfish_hyper::{Service, Transport};
use redfish_mock::{Fault, Mockup, ObservedRequest, Profile, Seed, ServeOptions, Server, Settings, Tls};

use crate::credentials::available_password;
use crate::failure::Failure;
use crate::files::{self, Source};
use crate::options::{MAX_CA_FILE, Options, positive};
use crate::output;
use crate::pin;
use crate::runtime::block_on;
use crate::signal::{self, StopMode};
use crate::stop::Stop;

/// The port of SSDP.
const SSDP_PORT: u16 = 1900;
const FAULT: &str = "Make the service misbehave, as NAME[=VALUE][@PATH][*COUNT]";

/// The options of the service.
#[derive(Args)]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Serve HTTP without TLS
    #[arg(long, conflicts_with_all = ["cert", "key", "cert_out"])]
    http: bool,
    /// PEM file with the certificate chain. Default: a new self-signed certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Write the certificate that clients must trust to this file
    #[arg(long, value_name = "FILE")]
    cert_out: Option<PathBuf>,
    /// Behavior to imitate: standard (DSP0266); ilo-amplifier, which has MySession and accepts paths in any letter case; older,
    /// of 2016, without sensors, ETags and queries; or slots, with sixteen account slots, and jobs in place of tasks
    #[arg(long, default_value = "standard", value_parser = profile)]
    profile: Profile,
    /// Serve the resources of this folder, in the layout of DMTF's Mockup-Creator: one index.json per resource. Writes of
    /// clients do not change the files
    #[arg(long, value_name = "DIR")]
    mockup: Option<PathBuf>,
    /// How long a reset takes. Default: 3 with the profile standard, 0 with ilo-amplifier
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    reset_delay: Option<Duration>,
    /// How long the installation of a pushed image takes
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    update_time: Duration,
    /// How long the service restarts after an update. Meanwhile it refuses connections; its sessions are lost. 0: no
    /// restart
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    restart_time: Duration,
    /// Maximum size of a pushed image. A larger one is refused before it is received. Of an image, only the size and the
    /// digest are kept
    #[arg(long, value_name = "BYTES", default_value = "4294967296", value_parser = number)]
    max_image: u64,
    /// Answer searches for Redfish services on the local network (SSDP, UDP port 1900)
    #[arg(long, conflicts_with = "fleet")]
    ssdp: bool,
    #[arg(long = "fault", value_name = "SPEC", value_parser = fault, help = FAULT, long_help = fault_help())]
    faults: Vec<Fault>,
    /// Make tokens and identifiers from this number, so that they are the same each time, and predictable. Default: from the
    /// system's randomness
    #[arg(long, value_name = "N", value_parser = number)]
    seed: Option<u64>,
    /// Run this many services, each with its own port and sessions. Of 100 services, 3 refuse connections, 2 never respond,
    /// 5 are slow, 1 loses each session after its first use, and 1 restarts after its first response; --seed selects them
    #[arg(long, value_name = "N", requires = "services_out", conflicts_with = "cert_out", value_parser = positive)]
    fleet: Option<usize>,
    /// Write the services file of the fleet for sweep. The password and the certificate are written to FILE.password and
    /// FILE.pem
    #[arg(long, value_name = "FILE", requires = "fleet")]
    services_out: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(0)?;
        let settings = self.settings(options)?;
        if !self.listen.ip().to_canonical().is_loopback() && settings.password == Settings::default().password
        {
            output::note(
                "redfish: warning: the service listens beyond this machine with a password that everybody knows\n\
                 hint: Choose another with --user and --password-file.",
            );
        }
        let observer = options.trace.then(|| -> redfish_mock::Observer { Arc::new(log) });
        let tls = self.tls(options)?;
        let serve = ServeOptions {
            listen: self.listen,
            tls,
            ssdp_port: self.ssdp.then_some(SSDP_PORT),
            observer,
            ..ServeOptions::default()
        };
        // Before the service listens, so that an early signal is not lost.
        let stop = Stop::new();
        signal::listen(&stop, StopMode::Shutdown);
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
        let unseeded = |error| Failure::unusable("there are no random tokens", error);
        let mut settings = Settings {
            profile: self.profile,
            mockup: self.mockup()?,
            reset_delay: self.reset_delay,
            update_time: self.update_time,
            restart_time: self.restart_time,
            max_image: self.max_image,
            seed: self.seed.map_or_else(Seed::random, |seed| Ok(seed.into())).map_err(unseeded)?,
            faults: self.faults.clone(),
            ..Settings::default()
        };
        let password = available_password(options)?;
        if let Some(user) = options.user() {
            settings.user = user.to_owned();
            if password.is_none() {
                let hint = "Use --password-file or REDFISH_PASSWORD.";
                return Err(Failure::usage("no password is given for the user", hint));
            }
        }
        if let Some(password) = password {
            settings.password = password.to_string();
        }
        Ok(settings)
    }

    /// Reads the resources of the folder, and prints its warnings.
    fn mockup(&self) -> Result<Option<Mockup>, Failure> {
        let Some(folder) = &self.mockup else { return Ok(None) };
        let mockup =
            Mockup::read(folder).map_err(|error| Failure::unusable("the mockup cannot be read", error))?;
        for warning in mockup.warnings(self.profile) {
            output::note(format_args!("redfish: warning: {warning}"));
        }
        Ok(Some(mockup))
    }

    fn tls(&self, options: &Options) -> Result<Tls, Failure> {
        let read = |file: &Path, what| {
            let pem = Source::File(file).read(MAX_CA_FILE, options.timeout);
            let pem = pem.and_then(|pem| String::from_utf8(pem.to_vec()).map_err(io::Error::other));
            pem.map_err(|error| Failure::unusable(what, error))
        };
        match (&self.cert, &self.key) {
            _ if self.http => Ok(Tls::None),
            (Some(cert), Some(key)) => Ok(Tls::Pem {
                certificate_pem: read(cert, "the certificate file cannot be read")?,
                key_pem: read(key, "the key file cannot be read")?,
            }),
            _ => Ok(Tls::SelfSigned),
        }
    }

    /// Prints the URL and the certificate. Scripts wait for the first line, so the certificate is written before.
    fn announce(&self, server: &Server) -> Result<(), Failure> {
        let mut lines = server.url();
        if let Some(pem) = server.certificate_pem() {
            if let Some(file) = &self.cert_out {
                files::write(file, pem.as_bytes())
                    .map_err(|error| Failure::unusable("the certificate cannot be written", error))?;
            }
            lines += match (&self.cert_out, &self.cert) {
                (Some(file), _) | (None, Some(file)) => format!("\ncertificate: {}", file.display()),
                (None, None) => format!("\ncertificate: {} (--cert-out FILE writes it)", pin_of(server)?),
            }
            .as_str();
        }
        output::line(lines)
    }
}

/// The pin of the certificate, read as by any client.
fn pin_of(server: &Server) -> Result<String, Failure> {
    let (inspection, _) = pin::inspect(Service::new(&server.url())?, Transport::builder())?;
    Ok(inspection.pin().map(|pin| pin.to_string()).unwrap_or_default())
}

fn log(request: &ObservedRequest<'_>) {
    let ObservedRequest { method, path, status } = request;
    match status {
        Some(status) => output::note(format_args!("{method} {path} {}", status.as_u16())),
        None => output::note(format_args!("{method} {path} (closed without a response)")),
    }
}

fn address(typed: &str) -> Result<SocketAddr, &'static str> {
    typed.parse().map_err(|_| "not an address with a port, such as 127.0.0.1:8443")
}

fn profile(typed: &str) -> Result<Profile, String> {
    typed.parse().map_err(|error: redfish_mock::UnknownProfile| error.to_string())
}

/// The help of `--fault`, with all faults.
fn fault_help() -> String {
    format!("{FAULT}. For example, slow=2s@/redfish/v1/Systems*3. Faults:\n\n{}", Fault::help().trim_end())
}

fn fault(typed: &str) -> Result<Fault, String> {
    typed.parse().map_err(|error: redfish_mock::FaultError| error.to_string())
}

/// Parses a time, which may be zero.
fn seconds(typed: &str) -> Result<Duration, &'static str> {
    let time = typed.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or("not a number of seconds")
}

fn number(typed: &str) -> Result<u64, &'static str> {
    typed.parse().map_err(|_| "not an integer")
}
