//! Waiting for locks and pipes is limited by `--timeout`.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::common::{Bench, Done, SYSTEMS, finish, redfish, run};

/// Runs a command with a short timeout, which must end it.
fn within_timeout(command: &mut Command) -> Done {
    let child = command.args(["--timeout", "0.4"]).spawn().unwrap();
    let pid = child.id();
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || sender.send(finish(child)));
    done.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        panic!("the timeout has no effect");
    })
}

fn pipe(bench: &Bench, name: &str) -> String {
    let pipe = bench.directory.path().join(name);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe.to_str().unwrap().to_owned()
}

#[test]
fn a_lock_is_waited_for_within_the_timeout() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let path = bench.saved_sessions()[0].with_extension("lock");
    let lock = File::options().write(true).open(&path).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let before = bench.requests();
    for word in ["login", "logout"] {
        let done = within_timeout(&mut bench.as_admin([word])).exits(2);
        assert!(done.err.contains(path.to_str().unwrap()), "{}", done.err);
        let listed = fs::read_to_string("/proc/locks").unwrap_or_default();
        if listed.contains(&format!(" {} ", std::process::id())) {
            assert!(done.err.contains(&format!("process {} ", std::process::id())), "{}", done.err);
        }
    }
    assert_eq!(bench.requests(), before);
    // A session that was closed is no failure, although its file stays.
    let uri = run(&mut bench.command(["sessions"])).exits(0).json()[0]["uri"].as_str().unwrap().to_owned();
    let done = within_timeout(&mut bench.command(["sessions", "close", &uri])).exits(0);
    assert_eq!(done.out, format!("{uri}\n"));
    assert!(done.err.contains("the session is closed, but stays saved"), "{}", done.err);
    // A renewal waits for the lock too, and fails.
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    let done = within_timeout(&mut bench.as_admin(["get", SYSTEMS])).exits(2);
    assert!(
        done.err.contains(".lock for more than 0.") && done.err.contains(" s\nhint: Wait"),
        "{}",
        done.err
    );
    let seconds = done.err.split("more than ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(seconds.len(), 3, "{}", done.err);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_pipe_without_a_reader_is_not_written() {
    let bench = Bench::standard();
    let pipe = pipe(&bench, "pipe");
    for options in [["--cert-out", &pipe].as_slice(), &["--fleet", "1", "--services-out", &pipe]] {
        let done = within_timeout(redfish(["serve"]).args(options)).exits(2);
        assert!(done.err.contains("cannot be written"), "{}", done.err);
    }
}

#[test]
fn a_pipe_in_place_of_a_lock_is_rejected() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let path = bench.saved_sessions()[0].with_extension("lock");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let done = within_timeout(&mut bench.as_admin(["login"])).exits(2);
    assert!(done.err.contains("not a regular file"), "{}", done.err);
    // Also if the pipe has a reader and can be opened.
    let _reader = File::options().read(true).write(true).open(&path).unwrap();
    let done = within_timeout(&mut bench.as_admin(["login"])).exits(2);
    assert!(done.err.contains("not a regular file"), "{}", done.err);
}

#[test]
fn a_pipe_is_read_within_the_timeout() {
    let bench = Bench::standard();
    let pipe = pipe(&bench, "pipe");
    let at_pipe = format!("@{pipe}");
    for args in [
        vec!["get", SYSTEMS, "-u", "admin", "--password-file", &pipe],
        vec!["get", SYSTEMS, "--token-file", &pipe],
        vec!["get", SYSTEMS, "--cacert", &pipe],
        vec!["post", SYSTEMS, &at_pipe],
        vec!["sweep", "--services", &pipe, "get", SYSTEMS],
        vec!["update", &pipe],
    ] {
        let done = within_timeout(&mut bench.command(&args)).exits(2);
        assert!(done.err.contains("timeout") || done.err.contains("regular file"), "{args:?}: {}", done.err);
        // The other end is open, but never written.
        let _writer = File::options().read(true).write(true).open(&pipe).unwrap();
        within_timeout(&mut bench.command(&args)).exits(2);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn standard_input_is_read_within_the_timeout() {
    let bench = Bench::standard();
    let pipe = pipe(&bench, "pipe");
    for args in [
        vec!["get", SYSTEMS, "-u", "admin", "--password-file", "-"],
        vec!["post", SYSTEMS, "-"],
        vec!["sweep", "--services", "-", "get", SYSTEMS],
    ] {
        let silent = File::options().read(true).write(true).open(&pipe).unwrap();
        let done = within_timeout(bench.command(&args).stdin(Stdio::from(silent))).exits(2);
        assert!(done.err.contains("--timeout"), "{args:?}: {}", done.err);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_file_may_be_a_pipe_a_descriptor_or_a_link() {
    let bench = Bench::standard();
    let file = bench.file("password", "machine-room\n");
    let link = bench.directory.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for line in [
        "exec \"$@\" --password-file /dev/fd/3 3<<EOF\nmachine-room\nEOF\n".to_owned(),
        "echo machine-room | \"$@\" --password-file /dev/fd/0".to_owned(),
        "echo machine-room | \"$@\" --password-file -".to_owned(),
        format!("exec \"$@\" --password-file {}", link.display()),
    ] {
        let binary = env!("CARGO_BIN_EXE_redfish");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, "sh", binary, "get", SYSTEMS, "-u", "admin", "-s", &bench.server.url()]);
        run(shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).exits(0);
    }
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_services_file_may_name_only_regular_files() {
    let bench = Bench::standard();
    let password = bench.file("password", "machine-room");
    let link = bench.directory.path().join("link");
    std::os::unix::fs::symlink(&password, &link).unwrap();
    let open = File::open(&password).unwrap();
    let list = |file: &str| {
        let line = serde_json::json!({"service": bench.server.url(), "user": "admin", "password_file": file});
        bench.file("services", line.to_string())
    };
    let pipe = pipe(&bench, "pipe");
    let descriptor = format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd());
    for file in [pipe.as_str(), &descriptor, "/dev/fd/0", "/dev/stdin", "/dev/null"] {
        let args = ["sweep", "--services", &list(file), "get", SYSTEMS];
        let done = within_timeout(&mut bench.command(args)).exits(2);
        assert!(done.err.contains("not a regular file"), "{file}: {}", done.err);
    }
    assert_eq!(bench.requests(), 0);
    run(&mut bench.command(["sweep", "--services", &list(link.to_str().unwrap()), "get", SYSTEMS])).exits(0);
}

#[test]
fn a_pipe_for_the_certificate_of_the_mock_service_is_waited_for_within_the_timeout() {
    let bench = Bench::standard();
    let (cert, key) = (pipe(&bench, "cert"), pipe(&bench, "key"));
    let done = within_timeout(&mut redfish(["serve", "--cert", &cert, "--key", &key])).exits(2);
    assert!(done.err.contains("the certificate file cannot be read"), "{}", done.err);
}
