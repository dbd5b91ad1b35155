//! `serve --fleet`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use redfish_mock::ServiceKind;
use serde_json::{Map, Value};

use super::common::{bare, finish, read_line, run, signal};

/// A fleet in a process of its own, killed where a test fails.
struct Served {
    child: Option<Child>,
    first: String,
    kinds: String,
}

impl Served {
    fn start(command: &mut Command) -> Served {
        let mut child = command.spawn().unwrap();
        let out = child.stdout.as_mut().unwrap();
        let (first, kinds) = (read_line(out), read_line(out));
        Served { child: Some(child), first, kinds }
    }

    /// Ends it; what it said last.
    fn end(mut self, name: &str) -> String {
        let child = self.child.take().unwrap();
        signal(&child, name);
        finish(child).exits(0).out
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The services of a file, by what the file says of each.
fn listed(file: &Path) -> Vec<Map<String, Value>> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The options by which the command reaches a service of a file.
fn reaching(service: &Map<String, Value>) -> Vec<String> {
    let text = |name: &str| service[name].as_str().unwrap().to_owned();
    let options =
        [("-s", "service"), ("-u", "user"), ("--password-file", "password_file"), ("--cacert", "cacert")];
    options.iter().flat_map(|(option, name)| [(*option).to_owned(), text(name)]).collect()
}

#[test]
fn a_file_says_where_its_services_are_and_the_end_what_became_of_them() {
    let place = tempfile::tempdir().unwrap();
    for name in ["TERM", "INT"] {
        let mut command =
            bare(["serve", "--fleet", "100", "--services-out", "services.jsonl", "--seed", "3"]);
        let served = Served::start(command.current_dir(&place));
        let file = place.path().canonicalize().unwrap().join("services.jsonl");
        assert_eq!(served.first, format!("100 services: {}", file.display()));
        assert_eq!(served.kinds, "healthy 88, refusing 3, silent 2, slow 5, forgetful 1, rebooting 1");

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

        let kinds = ServiceKind::assign(100, 3);
        let healthy = kinds.iter().position(|kind| *kind == ServiceKind::Healthy).unwrap();
        let service = reaching(&services[healthy]);
        run(bare(["get", "/redfish/v1/Systems"]).args(&service)).exits(0);
        // A session that is kept is one that is left open.
        let state = place.path().join(name);
        run(bare(["login"]).args(&service).env("REDFISH_STATE_DIR", state)).exits(0);
        let said = served.end(name);
        let (reached, last) = said.split_once('\n').unwrap();
        assert_eq!(reached, "1 services reached");
        let requests = last
            .strip_prefix("100 services, ")
            .and_then(|rest| rest.strip_suffix(" requests, 1 sessions open\n"));
        assert!(
            requests.is_some_and(|requests| requests.parse::<u32>().is_ok_and(|count| count >= 5)),
            "{said}"
        );
    }
}

#[test]
fn user_profile_and_faults_are_the_same_for_all() {
    let place = tempfile::tempdir().unwrap();
    let (file, password) = (place.path().join("list"), place.path().join("password"));
    fs::write(&password, "pä ss\n").unwrap();
    // What is there already, and open to all, is not what is written to.
    fs::write(place.path().join("list.password"), "").unwrap();
    let mut command = bare(["serve", "--fleet", "2", "--profile", "ilo-amplifier", "-u", "ada"]);
    command.arg("--services-out").arg(&file).arg("--password-file").arg(&password);
    let served = Served::start(command.args(["--fault", "503=1@/redfish/v1/Chassis", "--trace"]));
    let services = listed(&file);
    for service in &services {
        assert_eq!(service["user"], "ada");
        run(bare(["get", "/redfish/v1/systems/"]).args(reaching(service))).exits(0);
        run(bare(["get", "/redfish/v1/Chassis", "--timeout", "1"]).args(reaching(service))).exits(1);
    }
    let secret = fs::metadata(services[0]["password_file"].as_str().unwrap()).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    let said = served.end("TERM");
    assert!(
        said.starts_with("2 services reached\n2 services, ") && said.ends_with(" 0 sessions open\n"),
        "{said}"
    );
}

#[test]
fn without_tls_there_is_no_certificate_to_name() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("list");
    let served = Served::start(bare(["serve", "--http", "--fleet", "1", "--services-out"]).arg(&file));
    let service = &listed(&file)[0];
    assert!(service["service"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(!service.contains_key("cacert"));
    assert_eq!(served.end("TERM"), "0 services reached\n1 services, 0 requests, 0 sessions open\n");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 2);
}

#[test]
fn a_sweep_finds_who_is_there_and_leaves_no_session() {
    let place = tempfile::tempdir().unwrap();
    let (file, some) = (place.path().join("list"), place.path().join("some"));
    let mut command = bare(["serve", "--fleet", "100", "--seed", "3", "--services-out"]);
    let served = Served::start(command.arg(&file));
    // Neither those that take their time, nor the one that may be away in the middle.
    let prompt = [ServiceKind::Healthy, ServiceKind::Refusing, ServiceKind::Forgetful];
    let lines = fs::read_to_string(&file).unwrap();
    let kinds = ServiceKind::assign(100, 3);
    let chosen = lines.lines().zip(kinds).filter(|(_, kind)| prompt.contains(kind));
    fs::write(&some, chosen.map(|(line, _)| format!("{line}\n")).collect::<String>()).unwrap();

    let mut sweep = bare(["sweep", "--services"]);
    let done = run(sweep.arg(&some).args(["get", "/redfish/v1/Systems"])).exits(1);
    let found: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_ok = |is: bool| found.iter().filter(|one| one["ok"] == is).count();
    assert_eq!((found.len(), is_ok(true), is_ok(false)), (92, 89, 3), "{}", done.err);
    let said = served.end("TERM");
    assert!(said.starts_with("89 services reached\n") && said.ends_with(" 0 sessions open\n"), "{said}");
}

#[test]
fn what_makes_no_fleet_is_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    for words in [
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
        let mut command = bare(["serve"]);
        let done = run(command.args(words.split(' ')).current_dir(&place)).exits(2);
        assert!(done.out.is_empty() && !done.err.is_empty(), "{words}");
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0, "nothing is written");
}

#[test]
fn as_many_files_are_opened_as_it_takes_and_where_that_cannot_be_it_is_said() {
    let place = tempfile::tempdir().unwrap();
    let serve = |limits: &str| {
        let mut shell = Command::new("sh");
        let line = format!("{limits} && exec \"$0\" serve --http --fleet 100 --services-out list");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_redfish")]).env_clear().current_dir(&place);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    };
    let done = run(&mut serve("ulimit -n 355")).exits(2);
    assert!(done.err.contains("356 files") && done.err.contains("ulimit -Hn"), "{}", done.err);
    let served = Served::start(&mut serve("ulimit -Sn 64"));
    assert!(served.first.starts_with("100 services"));
    served.end("TERM");
}
