//! `serve`.

use std::fs;
use std::process::{Child, Command};

use super::common::{Bench, bare, finish, read_line, run, signal};

/// A service in a process of its own, killed where a test fails.
struct Served(Option<Child>);

impl Served {
    /// Starts it: its URL, and what its second line says of the certificate.
    fn start(command: &mut Command) -> (Served, String, Option<String>) {
        let mut child = command.spawn().unwrap();
        let out = child.stdout.as_mut().unwrap();
        let url = read_line(out);
        let certificate = url.starts_with("https").then(|| read_line(out));
        (Served(Some(child)), url, certificate)
    }

    /// Ends it; what it wrote to standard error.
    fn end(mut self, name: &str) -> String {
        let child = self.0.take().unwrap();
        signal(&child, name);
        finish(child).exits(0).err
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn it_says_where_it_is_and_ends_cleanly() {
    for name in ["TERM", "INT"] {
        let bench = Bench::standard();
        let file = bench.place.path().join("cert.pem");
        let mut command = bare(["serve", "--cert-out", file.to_str().unwrap(), "--trace"]);
        let (served, url, certificate) = Served::start(&mut command);
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        assert!(certificate.unwrap().ends_with(file.to_str().unwrap()));
        let mut get = bare(["get", "/redfish/v1/Systems", "-s", &url, "--cacert", file.to_str().unwrap()]);
        get.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "machine-room");
        run(&mut get).exits(0);
        let log = served.end(name);
        assert!(log.contains("POST /redfish/v1/SessionService/Sessions 201"), "{log}");
        assert!(!log.contains("machine-room"), "{log}");
    }
}

#[test]
fn without_a_file_the_pin_says_which_certificate_it_is() {
    let (served, url, certificate) = Served::start(&mut bare(["serve"]));
    let certificate = certificate.unwrap();
    let pin = certificate.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    run(&mut bare(["get", "/redfish/v1", "-s", &url, "--pin", pin])).exits(0);
    assert_eq!(run(&mut bare(["pin", "-s", &url])).exits(0).out.trim_end(), pin);
    served.end("TERM");
}

#[test]
fn user_profile_and_faults_are_as_told() {
    let bench = Bench::standard();
    let password = bench.file("password", "pä ss\n");
    let words = ["serve", "--http", "--profile", "ilo-amplifier", "-u", "ada", "--password-file", &password];
    let mut command = bare(words);
    command.args(["--fault", "503@/redfish/v1/Chassis", "--fault=reset@/redfish/v1/Managers"]);
    let (served, url, _) = Served::start(&mut command);
    let get = |path| {
        let mut command = bare(["get", path, "-s", &url, "-u", "ada", "--password-file", &password]);
        command.args(["--timeout", "3"]);
        run(&mut command)
    };
    get("/redfish/v1/systems/").exits(0);
    get("/redfish/v1/Chassis").exits(1);
    get("/redfish/v1/Managers").exits(4);
    served.end("TERM");
}

#[test]
fn a_certificate_of_ones_own_is_shown() {
    let bench = Bench::standard();
    let (served, url, _) = Served::start(&mut bare(["serve"]));
    let pin = run(&mut bare(["pin", "-s", &url])).exits(0).out;
    served.end("TERM");
    // Another start has another certificate.
    let (served, url, _) = Served::start(&mut bare(["serve"]));
    assert_ne!(run(&mut bare(["pin", "-s", &url])).exits(0).out, pin);
    served.end("TERM");

    let (cert, key) = super::certificate::self_signed();
    let (cert, key) = (bench.file("cert.pem", cert), bench.file("key.pem", key));
    let (served, url, shown) = Served::start(&mut bare(["serve", "--cert", &cert, "--key", &key]));
    assert!(shown.unwrap().ends_with(&cert));
    run(&mut bare(["get", "/redfish/v1", "-s", &url, "--cacert", &cert])).exits(0);
    served.end("TERM");
}

#[test]
fn a_mockup_is_served_and_can_be_changed_and_what_is_no_json_is_named() {
    let bench = Bench::standard();
    let folder = bench.place.path().join("mockup");
    for (path, text) in [
        ("index.json", r#"{"@odata.id": "/redfish/v1/", "Systems": {"@odata.id": "/redfish/v1/Systems"}}"#),
        ("Systems/index.json", r#"{"Members": [{"@odata.id": "/redfish/v1/Systems/S"}]}"#),
        ("Systems/S/index.json", r#"{"@odata.id": "/redfish/v1/Systems/S", "AssetTag": "a", "Deep": 1.50}"#),
        ("Broken/index.json", "{no json"),
    ] {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let mut command = bare(["serve", "--http", "--mockup", folder.to_str().unwrap()]);
    let (served, url, _) = Served::start(&mut command);
    let ask = |words: &[&str]| {
        let mut command = bare(words);
        command.args(["-s", &url, "-u", "admin"]).env("REDFISH_PASSWORD", "machine-room");
        run(&mut command).exits(0)
    };
    assert_eq!(ask(&["get", "/redfish/v1/Systems/S"]).json()["AssetTag"], "a");
    ask(&["patch", "/redfish/v1/Systems/S", r#"{"AssetTag": "b"}"#]);
    assert_eq!(ask(&["get", "/redfish/v1/Systems/S"]).json()["AssetTag"], "b");
    let tree = ask(&["tree", "--output", "text"]).out;
    assert!(tree.contains("Systems\n") && tree.contains("S\n"), "{tree}");
    let said = served.end("TERM");
    assert!(said.contains("Broken/index.json"), "{said}");
    assert!(fs::read_to_string(folder.join("Systems/S/index.json")).unwrap().contains("\"a\""));
}

#[test]
fn help_names_each_fault_and_a_reset_takes_as_long_as_told() {
    let known = run(&mut bare(["serve", "--fault", "none-such"])).exits(2).err;
    let (_, known) = known.split_once("NAME one of: ").unwrap();
    let help = run(&mut bare(["serve", "--help"])).exits(0).out;
    let names = known.split(|c: char| !(c == '-' || c.is_ascii_alphanumeric())).filter(|name| name.len() > 2);
    let missing: Vec<&str> =
        names.clone().filter(|name| !help.contains(name) && !["See", "hint"].contains(name)).collect();
    assert!(missing.is_empty() && names.count() > 9, "{missing:?}");

    let (served, url, _) = Served::start(&mut bare(["serve", "--http", "--reset-delay", "0"]));
    let words = ["reset", "On", "--system", "/redfish/v1/Systems/E905C3FF", "-u", "admin", "-s", &url];
    let power = run(bare(words).env("REDFISH_PASSWORD", "machine-room")).exits(0).out;
    assert_eq!(power, "On\n");
    served.end("TERM");
}

#[test]
fn what_cannot_be_served_is_refused() {
    let bench = Bench::standard();
    let text = bench.file("text", "no certificate");
    run(&mut bare(["serve", "--cert", &text, "--key", &text])).exits(2);
    let taken = bench.server.address().to_string();
    run(&mut bare(["serve", "--listen", &taken])).exits(2);
    run(&mut bare(["serve", "--cert-out", "/dev/null/cert.pem"])).exits(2);
    run(&mut bare(["serve", "--mockup", "/dev/null"])).exits(2);
    fs::remove_file(&text).unwrap();
    run(&mut bare(["serve", "--cert", &text, "--key", &text])).exits(2);
}
