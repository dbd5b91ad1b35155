//! `serve --fleet`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use redfish_mock::ServiceKind;
use serde_json::{Map, Value};

use super::common::{ServeProcess, redfish, run};

/// Starts a fleet. Returns its line about the services file and the line about the kinds of services.
fn start(command: &mut Command) -> (ServeProcess, String, String) {
    let mut process = ServeProcess::start(command);
    let (file, kinds) = (process.read_line(), process.read_line());
    (process, file, kinds)
}

/// The lines of a services file.
fn listed(file: &Path) -> Vec<Map<String, Value>> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The options of a command for a service of the file.
fn reaching(service: &Map<String, Value>) -> Vec<String> {
    let text = |name: &str| service[name].as_str().unwrap().to_owned();
    let options =
        [("-s", "service"), ("-u", "user"), ("--password-file", "password_file"), ("--cacert", "cacert")];
    options.iter().flat_map(|(option, name)| [(*option).to_owned(), text(name)]).collect()
}

#[test]
fn the_services_file_is_written_and_statistics_are_printed_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["TERM", "INT"] {
        let mut command =
            redfish(["serve", "--fleet", "100", "--services-out", "services.jsonl", "--seed", "3"]);
        let (process, first, kinds) = start(command.current_dir(&directory));
        let file = directory.path().canonicalize().unwrap().join("services.jsonl");
        assert_eq!(first, format!("100 services: {}", file.display()));
        assert_eq!(kinds, "healthy 88, refusing 3, silent 2, slow 5, forgetful 1, rebooting 1");

        let services = listed(&file);
        let urls: BTreeMap<&str, ()> =
            services.iter().map(|service| (service["service"].as_str().unwrap(), ())).collect();
        assert_eq!(urls.len(), 100);
        for service in &services {
            let members: Vec<&str> = service.keys().map(String::as_str).collect();
            assert_eq!(members, ["cacert", "password_file", "service", "user"]);
        }
        let secret = Path::new(services[0]["password_file"].as_str().unwrap());
        assert!(secret.is_absolute());
        assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(secret).unwrap(), "machine-room");

        let kinds = ServiceKind::assign(100, &3.into());
        let healthy = kinds.iter().position(|kind| *kind == ServiceKind::Healthy).unwrap();
        let service = reaching(&services[healthy]);
        run(redfish(["get", "/redfish/v1/Systems"]).args(&service)).exits(0);
        // A saved session stays open.
        let state = directory.path().join(name);
        run(redfish(["login"]).args(&service).env("REDFISH_STATE_DIR", state)).exits(0);
        let output = process.end(name).out;
        let (reached, last) = output.split_once('\n').unwrap();
        assert_eq!(reached, "1 services reached");
        let requests = last
            .strip_prefix("100 services, ")
            .and_then(|rest| rest.strip_suffix(" requests, 1 sessions open\n"));
        assert!(
            requests.is_some_and(|requests| requests.parse::<u32>().is_ok_and(|count| count >= 5)),
            "{output}"
        );
    }
}

#[test]
fn user_profile_and_faults_apply_to_all_services() {
    let directory = tempfile::tempdir().unwrap();
    let (file, password) = (directory.path().join("list"), directory.path().join("password"));
    fs::write(&password, "pä ss\n").unwrap();
    // A password file that other users can read is replaced.
    fs::write(directory.path().join("list.password"), "").unwrap();
    let mut command = redfish(["serve", "--fleet", "2", "--profile", "ilo-amplifier", "-u", "ada"]);
    command.arg("--services-out").arg(&file).arg("--password-file").arg(&password);
    let (process, ..) = start(command.args(["--fault", "503=1@/redfish/v1/Chassis", "--trace"]));
    let services = listed(&file);
    for service in &services {
        assert_eq!(service["user"], "ada");
        run(redfish(["get", "/redfish/v1/systems/"]).args(reaching(service))).exits(0);
        run(redfish(["get", "/redfish/v1/Chassis", "--timeout", "1"]).args(reaching(service))).exits(1);
    }
    let secret = fs::metadata(services[0]["password_file"].as_str().unwrap()).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    let output = process.end("TERM").out;
    assert!(
        output.starts_with("2 services reached\n2 services, ") && output.ends_with(" 0 sessions open\n"),
        "{output}"
    );
}

#[test]
fn without_tls_there_is_no_certificate_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("list");
    let (process, ..) = start(redfish(["serve", "--http", "--fleet", "1", "--services-out"]).arg(&file));
    let service = &listed(&file)[0];
    assert!(service["service"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(!service.contains_key("cacert"));
    assert_eq!(process.end("TERM").out, "0 services reached\n1 services, 0 requests, 0 sessions open\n");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
}

#[test]
fn a_sweep_reaches_the_available_services_and_closes_all_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let (file, some) = (directory.path().join("list"), directory.path().join("some"));
    let mut command = redfish(["serve", "--fleet", "100", "--seed", "3", "--services-out"]);
    let (process, ..) = start(command.arg(&file));
    // Without slow, silent and restarting services.
    let fast = [ServiceKind::Healthy, ServiceKind::Refusing, ServiceKind::Forgetful];
    let lines = fs::read_to_string(&file).unwrap();
    let kinds = ServiceKind::assign(100, &3.into());
    let chosen = lines.lines().zip(kinds).filter(|(_, kind)| fast.contains(kind));
    fs::write(&some, chosen.map(|(line, _)| format!("{line}\n")).collect::<String>()).unwrap();

    let mut sweep = redfish(["sweep", "--services"]);
    let done = run(sweep.arg(&some).args(["get", "/redfish/v1/Systems"])).exits(1);
    let found: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_ok = |is: bool| found.iter().filter(|one| one["ok"] == is).count();
    assert_eq!((found.len(), is_ok(true), is_ok(false)), (92, 89, 3), "{}", done.err);
    let output = process.end("TERM").out;
    assert!(
        output.starts_with("89 services reached\n") && output.ends_with(" 0 sessions open\n"),
        "{output}"
    );
}

#[test]
fn invalid_options_of_a_fleet_are_rejected() {
    let directory = tempfile::tempdir().unwrap();
    for args in [
        "--fleet 3",
        "--services-out list",
        "--fleet 0 --services-out list",
        "--fleet -1 --services-out list",
        "--fleet many --services-out list",
        "--fleet 3 --services-out list --listen 127.0.0.1:9",
        "--fleet 3 --services-out list --cert-out cert",
        "--fleet 3 --services-out nowhere/list",
        "--fleet 3 --services-out list --user ada",
        "--fleet 99999999999 --services-out list",
    ] {
        let mut command = redfish(["serve"]);
        let done = run(command.args(args.split(' ')).current_dir(&directory)).exits(2);
        assert!(done.out.is_empty() && !done.err.is_empty(), "{args}");
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing is written");
}

#[test]
fn the_limit_of_open_files_is_raised_or_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let serve = |limits: &str| {
        let mut shell = Command::new("sh");
        let line = format!("{limits} && exec \"$0\" serve --http --fleet 100 --services-out list");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_redfish")]).env_clear().current_dir(&directory);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    };
    let done = run(&mut serve("ulimit -n 355")).exits(2);
    assert!(done.err.contains("356 files") && done.err.contains("ulimit -Hn"), "{}", done.err);
    let (process, first, _) = start(&mut serve("ulimit -Sn 64"));
    assert!(first.starts_with("100 services"));
    process.end("TERM");
}
