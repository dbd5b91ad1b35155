//! `serve`.

use std::fs;
use std::process::Command;

use super::common::{Bench, ServeProcess, redfish, run};

/// Starts a service. Returns its URL and its line about the certificate.
fn start(command: &mut Command) -> (ServeProcess, String, Option<String>) {
    let mut process = ServeProcess::start(command);
    let url = process.read_line();
    let certificate = url.starts_with("https").then(|| process.read_line());
    (process, url, certificate)
}

#[test]
fn the_url_is_printed_and_a_signal_shuts_down() {
    for name in ["TERM", "INT"] {
        let bench = Bench::standard();
        let file = bench.directory.path().join("cert.pem");
        let mut command = redfish(["serve", "--cert-out", file.to_str().unwrap(), "--trace"]);
        let (process, url, certificate) = start(&mut command);
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        assert!(certificate.unwrap().ends_with(file.to_str().unwrap()));
        let mut get = redfish(["get", "/redfish/v1/Systems", "-s", &url, "--cacert", file.to_str().unwrap()]);
        get.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "machine-room");
        run(&mut get).exits(0);
        let log = process.end(name).err;
        assert!(log.contains("POST /redfish/v1/SessionService/Sessions 201"), "{log}");
        assert!(!log.contains("machine-room"), "{log}");
    }
}

#[test]
fn without_a_file_the_pin_is_printed() {
    let (process, url, certificate) = start(&mut redfish(["serve"]));
    let certificate = certificate.unwrap();
    let pin = certificate.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    run(&mut redfish(["get", "/redfish/v1", "-s", &url, "--pin", pin])).exits(0);
    assert_eq!(run(&mut redfish(["pin", "-s", &url])).exits(0).out.trim_end(), pin);
    process.end("TERM");
}

#[test]
fn user_profile_and_faults_apply() {
    let bench = Bench::standard();
    let password = bench.file("password", "pä ss\n");
    let args = ["serve", "--http", "--profile", "ilo-amplifier", "-u", "ada", "--password-file", &password];
    let mut command = redfish(args);
    command.args(["--fault", "503@/redfish/v1/Chassis", "--fault=reset@/redfish/v1/Managers"]);
    let (process, url, _) = start(&mut command);
    let get = |path| {
        let mut command = redfish(["get", path, "-s", &url, "-u", "ada", "--password-file", &password]);
        command.args(["--timeout", "3"]);
        run(&mut command)
    };
    get("/redfish/v1/systems/").exits(0);
    get("/redfish/v1/Chassis").exits(1);
    get("/redfish/v1/Managers").exits(4);
    process.end("TERM");
}

#[test]
fn a_custom_certificate_is_served() {
    let bench = Bench::standard();
    let (process, url, _) = start(&mut redfish(["serve"]));
    let pin = run(&mut redfish(["pin", "-s", &url])).exits(0).out;
    process.end("TERM");
    // Each start creates a new certificate.
    let (process, url, _) = start(&mut redfish(["serve"]));
    assert_ne!(run(&mut redfish(["pin", "-s", &url])).exits(0).out, pin);
    process.end("TERM");

    let (cert, key) = super::certificate::self_signed();
    let (cert, key) = (bench.file("cert.pem", cert), bench.file("key.pem", key));
    let (process, url, shown) = start(&mut redfish(["serve", "--cert", &cert, "--key", &key]));
    assert!(shown.unwrap().ends_with(&cert));
    run(&mut redfish(["get", "/redfish/v1", "-s", &url, "--cacert", &cert])).exits(0);
    process.end("TERM");
}

#[test]
fn a_mockup_is_served_and_writable_and_invalid_json_is_a_warning() {
    let bench = Bench::standard();
    let folder = bench.directory.path().join("mockup");
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
    let mut command = redfish(["serve", "--http", "--mockup", folder.to_str().unwrap()]);
    let (process, url, _) = start(&mut command);
    let ask = |args: &[&str]| {
        let mut command = redfish(args);
        command.args(["-s", &url, "-u", "admin"]).env("REDFISH_PASSWORD", "machine-room");
        run(&mut command).exits(0)
    };
    assert_eq!(ask(&["get", "/redfish/v1/Systems/S"]).json()["AssetTag"], "a");
    ask(&["patch", "/redfish/v1/Systems/S", r#"{"AssetTag": "b"}"#]);
    assert_eq!(ask(&["get", "/redfish/v1/Systems/S"]).json()["AssetTag"], "b");
    let tree = ask(&["tree", "--output", "text"]).out;
    assert!(tree.contains("Systems\n") && tree.contains("S\n"), "{tree}");
    let stderr = process.end("TERM").err;
    assert!(stderr.contains("Broken/index.json"), "{stderr}");
    assert!(fs::read_to_string(folder.join("Systems/S/index.json")).unwrap().contains("\"a\""));
}

#[test]
fn help_lists_all_faults_and_the_reset_delay_applies() {
    let known = run(&mut redfish(["serve", "--fault", "none-such"])).exits(2).err;
    let (_, known) = known.split_once("NAME one of: ").unwrap();
    let help = run(&mut redfish(["serve", "--help"])).exits(0).out;
    let names = known.split(|c: char| !(c == '-' || c.is_ascii_alphanumeric())).filter(|name| name.len() > 2);
    let missing: Vec<&str> =
        names.clone().filter(|name| !help.contains(name) && !["See", "hint"].contains(name)).collect();
    assert!(missing.is_empty() && names.count() > 9, "{missing:?}");

    let (process, url, _) = start(&mut redfish(["serve", "--http", "--reset-delay", "0"]));
    let args = ["reset", "On", "--system", "/redfish/v1/Systems/E905C3FF", "-u", "admin", "-s", &url];
    let power = run(redfish(args).env("REDFISH_PASSWORD", "machine-room")).exits(0).out;
    assert_eq!(power, "On\n");
    process.end("TERM");
}

#[test]
fn unusable_files_and_addresses_are_rejected() {
    let bench = Bench::standard();
    let text = bench.file("text", "no certificate");
    run(&mut redfish(["serve", "--cert", &text, "--key", &text])).exits(2);
    let taken = bench.server.address().to_string();
    run(&mut redfish(["serve", "--listen", &taken])).exits(2);
    run(&mut redfish(["serve", "--cert-out", "/dev/null/cert.pem"])).exits(2);
    run(&mut redfish(["serve", "--mockup", "/dev/null"])).exits(2);
    fs::remove_file(&text).unwrap();
    run(&mut redfish(["serve", "--cert", &text, "--key", &text])).exits(2);
}

#[test]
fn the_maximum_size_of_an_image_is_reported_and_applies() {
    let bench = Bench::standard();
    let image = bench.file("image", "0123456789");
    for (limit, status) in [("10", 0), ("9", 1)] {
        let mut serve = redfish(["serve", "--http", "--max-image", limit, "--update-time", "0"]);
        let (process, url, _) = start(serve.args(["--restart-time", "0"]));
        let ask = |args: &[&str]| {
            let mut command = redfish(args);
            command.args(["-s", &url, "-u", "admin"]).env("REDFISH_PASSWORD", "machine-room");
            run(&mut command)
        };
        let service = ask(&["get", "/redfish/v1/UpdateService"]).exits(0).json();
        assert_eq!(service["MaxImageSizeBytes"].to_string(), limit);
        ask(&["update", &image]).exits(status);
        process.end("TERM");
    }
}
