//! `serve --fleet`: many services, and their services file.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{self, Path, PathBuf};

use redfish_mock::{Fleet, ServeOptions, ServiceKind, Settings};
use serde::Serialize;

use crate::failure::Failure;
use crate::files;
use crate::limit;
use crate::output;
use crate::runtime::block_on;
use crate::stop::Stop;

/// A line of the services file.
#[derive(Serialize)]
struct ServiceLine<'a> {
    service: String,
    user: &'a str,
    password_file: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    cacert: Option<&'a Path>,
}

/// Runs a fleet until it is stopped, then prints its statistics.
pub(super) fn run(
    count: usize,
    file: &Path,
    settings: Settings,
    options: ServeOptions,
    stop: &Stop,
) -> Result<(), Failure> {
    if options.listen.port() != 0 {
        let hint = "Use port 0.";
        return Err(Failure::usage("the port of a fleet cannot be chosen: each service has its own", hint));
    }
    let file = path::absolute(file)
        .map_err(|error| Failure::unusable("the services file has no absolute path", error))?;
    limit::raise(count)?;
    let (user, password) = (settings.user.clone(), settings.password.clone());
    let mut fleet = Fleet::start(count, settings, options)
        .map_err(|error| Failure::unusable("the services cannot be started", error))?;
    write(&file, &fleet, &user, &password)
        .map_err(|error| Failure::unusable("the services file cannot be written", error))?;
    output::line(format_args!("{count} services: {}\n{}", file.display(), kinds(&fleet)))?;
    block_on(stop.wait())?;
    fleet.shutdown();
    output::line(format_args!(
        "{} services reached\n{count} services, {} requests, {} sessions open",
        fleet.reached(),
        fleet.requests(),
        fleet.open_sessions()
    ))
}

/// How many services are of each kind.
fn kinds(fleet: &Fleet) -> String {
    let count = |kind: ServiceKind| fleet.services().iter().filter(|service| service.kind() == kind).count();
    ServiceKind::ALL.map(|kind| format!("{kind} {}", count(kind))).join(", ")
}

/// Writes the services file, last of all, so that the files that it names exist.
fn write(file: &Path, fleet: &Fleet, user: &str, password: &str) -> io::Result<()> {
    let with_suffix = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let password_file = with_suffix(".password");
    // An existing file would keep its permissions.
    match fs::remove_file(&password_file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut secret = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&password_file)?;
    secret.write_all(password.as_bytes())?;
    let certificate = fleet.certificate_pem().map(|pem| (with_suffix(".pem"), pem));
    if let Some((file, pem)) = &certificate {
        files::write(file, pem.as_bytes())?;
    }
    let mut list = Vec::new();
    for service in fleet.services() {
        let cacert = certificate.as_ref().map(|(file, _)| file.as_path());
        let line = ServiceLine { service: service.url(), user, password_file: &password_file, cacert };
        serde_json::to_writer(&mut list, &line)?;
        list.push(b'\n');
    }
    files::write(file, &list)
}
