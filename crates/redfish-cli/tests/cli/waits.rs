//! What may never come is waited for within `--timeout`: a lock, a pipe.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::common::{Bench, Done, SYSTEMS, finish, run};

/// Runs it with a short timeout; it must not wait for longer.
fn within_timeout(command: &mut Command) -> Done {
    let child = command.args(["--timeout", "0.4"]).spawn().unwrap();
    let pid = child.id();
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || sender.send(finish(child)));
    done.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        panic!("it waits for ever");
    })
}

fn pipe(bench: &Bench, name: &str) -> String {
    let pipe = bench.place.path().join(name);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe.to_str().unwrap().to_owned()
}

#[test]
fn a_lock_that_is_held_is_waited_for_within_the_timeout() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let path = bench.kept()[0].with_extension("lock");
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
    // A renewal waits for it too, and fails.
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
fn a_pipe_in_place_of_a_lock_is_rejected() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let path = bench.kept()[0].with_extension("lock");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let done = within_timeout(&mut bench.as_admin(["login"])).exits(2);
    assert!(done.err.contains("not a regular file"), "{}", done.err);
    // With a reader it can be opened.
    let _reader = File::options().read(true).write(true).open(&path).unwrap();
    let done = within_timeout(&mut bench.as_admin(["login"])).exits(2);
    assert!(done.err.contains("not a regular file"), "{}", done.err);
}

#[test]
fn a_pipe_that_is_named_is_read_within_the_timeout() {
    let bench = Bench::standard();
    let pipe = pipe(&bench, "pipe");
    let at_pipe = format!("@{pipe}");
    for words in [
        vec!["get", SYSTEMS, "-u", "admin", "--password-file", &pipe],
        vec!["get", SYSTEMS, "--token-file", &pipe],
        vec!["get", SYSTEMS, "--cacert", &pipe],
        vec!["post", SYSTEMS, &at_pipe],
        vec!["sweep", "--services", &pipe, "get", SYSTEMS],
        vec!["update", &pipe],
    ] {
        let done = within_timeout(&mut bench.command(&words)).exits(2);
        assert!(done.err.contains("timeout") || done.err.contains("regular file"), "{words:?}: {}", done.err);
        // The other end is there, and never writes.
        let _writer = File::options().read(true).write(true).open(&pipe).unwrap();
        within_timeout(&mut bench.command(&words)).exits(2);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn standard_input_is_read_within_the_timeout() {
    let bench = Bench::standard();
    let pipe = pipe(&bench, "pipe");
    for words in [
        vec!["get", SYSTEMS, "-u", "admin", "--password-file", "-"],
        vec!["post", SYSTEMS, "-"],
        vec!["sweep", "--services", "-", "get", SYSTEMS],
    ] {
        let silent = File::options().read(true).write(true).open(&pipe).unwrap();
        let done = within_timeout(bench.command(&words).stdin(Stdio::from(silent))).exits(2);
        assert!(done.err.contains("--timeout"), "{words:?}: {}", done.err);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_comes_through_a_pipe_a_descriptor_and_a_link() {
    let bench = Bench::standard();
    let file = bench.file("password", "machine-room\n");
    let link = bench.place.path().join("link");
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
fn a_list_of_services_names_no_pipe_and_no_descriptor() {
    let bench = Bench::standard();
    let password = bench.file("password", "machine-room");
    let link = bench.place.path().join("link");
    std::os::unix::fs::symlink(&password, &link).unwrap();
    let open = File::open(&password).unwrap();
    let list = |file: &str| {
        let line = serde_json::json!({"service": bench.server.url(), "user": "admin", "password_file": file});
        bench.file("services", line.to_string())
    };
    let pipe = pipe(&bench, "pipe");
    let descriptor = format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd());
    for file in [pipe.as_str(), &descriptor, "/dev/fd/0", "/dev/stdin", "/dev/null"] {
        let words = ["sweep", "--services", &list(file), "get", SYSTEMS];
        let done = within_timeout(&mut bench.command(words)).exits(2);
        assert!(done.err.contains("not a regular file"), "{file}: {}", done.err);
    }
    assert_eq!(bench.requests(), 0);
    run(&mut bench.command(["sweep", "--services", &list(link.to_str().unwrap()), "get", SYSTEMS])).exits(0);
}
