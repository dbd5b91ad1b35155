//! Other clients that read a whole service or a large part of it. They are the packages of the interoperability tests.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use redfish_mock::Settings;

use super::service::{Contents, Service};

/// Installs the peers and measures each: the time of the whole process, with its start, login and logout.
pub(crate) fn compare(latency: Duration) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = "set -euo pipefail; . .ci/interop/common.sh; install_peers; printf %s \"$venv\"";
    let mut install = Command::new("bash");
    let installed = install.args(["-c", script]).current_dir(&repository).stderr(Stdio::inherit()).output();
    let installed = installed.expect("a shell");
    assert!(installed.status.success(), "the peers cannot be installed");
    let folder = String::from_utf8(installed.stdout).expect("a path");
    let (python, inventory) = (format!("{folder}/bin/python"), format!("{folder}/bin/rf_sys_inventory.py"));
    let program = repository.join("benches/walk/inventory.py");
    let Settings { user, password, .. } = Settings::default();
    run("rf_sys_inventory", latency, |url| {
        let mut command = Command::new(&python);
        command.arg(&inventory).args(["--user", &user, "--password", &password, "--rhost", url]);
        command
    });
    run("sushy", latency, |url| {
        let mut command = Command::new(&python);
        command.arg(&program).args([url, &user, &password]);
        command
    });
}

/// Measures the command `redfish tree`, as a whole process.
pub(crate) fn run_command(program: &str, latency: Duration) {
    run("redfish tree --logs", latency, |url| tree(program, url));
}

/// The command that reads the whole service.
pub(crate) fn tree(program: &str, url: &str) -> Command {
    let Settings { user, password, .. } = Settings::default();
    let mut command = Command::new(program);
    command.args(["tree", "--logs", "--service", url, "--user", &user]).env("REDFISH_PASSWORD", password);
    command
}

fn run(name: &str, latency: Duration, command: impl FnOnce(&str) -> Command) {
    let mut service = Service::start(Contents::Fixed, latency);
    let mut command = command(&service.url);
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("a process");
    let time = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let requests = service.requests();
    println!("{name:24} {:>5} requests {time:>8.2} s", requests.reads + requests.writes);
}
