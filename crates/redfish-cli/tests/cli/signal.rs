//! Signals: the command closes the session that it opened, and exits with 128 + signal.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redfish_mock::{Fault, FaultKind};
use rustix::process::Signal;

use super::common::{Bench, Done, SESSIONS, SYSTEMS, finish, run, signal};

const ENTRIES: &str = "/redfish/v1/Managers/E1D8B426/LogServices/Log/Entries";

/// The signals that end a process by default, except those that report a defect or cannot be caught. The first three end it
/// even if they were ignored.
const SIGNALS: &[Signal] = &[
    Signal::TERM,
    Signal::INT,
    Signal::QUIT,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::IO,
    #[cfg(target_os = "linux")]
    Signal::POWER,
    #[cfg(target_os = "linux")]
    Signal::STKFLT,
];

#[test]
fn a_signal_during_the_work_closes_the_session() {
    for signal_to_send in SIGNALS {
        let number = signal_to_send.as_raw();
        let bench = Bench::standard();
        bench.slow(SYSTEMS, Duration::from_secs(60));
        let child =
            bench.as_admin(["get", SYSTEMS, "/redfish/v1/Chassis", "/redfish/v1/Managers"]).spawn().unwrap();
        bench.await_request("GET", SYSTEMS);
        assert_eq!(bench.server.open_sessions(), 1);
        signal(&child, &number.to_string());
        let done = finish(child).exits(128 + number);
        assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""));
        assert_eq!(bench.server.open_sessions(), 0, "{signal_to_send:?}");
    }
}

#[test]
fn the_session_of_a_late_login_is_closed() {
    let bench = Bench::standard();
    bench.slow(SESSIONS, Duration::from_millis(700));
    for command in ["whoami", "login"] {
        let before = bench.server.mock(|mock| mock.session_count().deleted);
        let child = bench.as_admin([command]).spawn().unwrap();
        while bench.server.mock(|mock| mock.session_count().opened) == before {
            std::thread::yield_now();
        }
        signal(&child, "TERM");
        let done = finish(child).exits(143);
        assert_eq!(done.out, "");
        assert_eq!(bench.server.open_sessions(), 0, "{command}");
        assert_eq!(bench.server.mock(|mock| mock.session_count().deleted), before + 1);
        assert!(bench.saved_sessions().is_empty());
    }
}

#[test]
fn the_session_of_a_login_slower_than_the_timeout_is_closed() {
    for command in [vec!["get", SYSTEMS], vec!["login"]] {
        let bench = Bench::standard();
        bench.slow(SESSIONS, Duration::from_millis(700));
        let done = run(bench.as_admin(&command).args(["--timeout", "0.3"])).exits(4);
        assert!(done.err.contains(bench.server.url().trim_end_matches('/')), "{}", done.err);
        let count = bench.server.mock(|mock| mock.session_count());
        assert_eq!((count.opened, count.deleted, bench.server.open_sessions()), (1, 1, 0), "{command:?}");
    }
}

#[test]
fn a_login_without_a_response_is_a_warning() {
    let bench = Bench::standard();
    bench.slow(SESSIONS, Duration::from_secs(60));
    let child = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("POST", SESSIONS);
    signal(&child, "TERM");
    let done = finish(child).exits(143);
    let text = format!(
        "redfish: warning: a login had no response and may have left a session open at {}\n",
        bench.server.url()
    );
    assert_eq!(done.err, text);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let bench = Bench::standard();
    bench.slow(SESSIONS, Duration::from_secs(60));
    let child = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("POST", SESSIONS);
    signal(&child, "INT");
    signal(&child, "TERM");
    let done = finish(child);
    assert!([Some(130), Some(143)].contains(&done.status.code()), "{:?}", done.status);
    let text = format!("a login had no response and may have left a session open at {}", bench.server.url());
    assert!(done.err.contains(&text) && done.err.lines().count() == 1, "{}", done.err);
}

/// Runs a command until its logout hangs, then sends two signals.
fn interrupt_logout(bench: &Bench, mut command: Command) -> Done {
    bench.slow(SYSTEMS, Duration::from_millis(500));
    let child = command.spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    let uri = bench.server.mock(|mock| mock.sessions(Duration::ZERO).next().unwrap().path());
    bench.slow(&uri, Duration::from_secs(60));
    bench.await_request("DELETE", &uri);
    let began = Instant::now();
    signal(&child, "HUP");
    signal(&child, "TERM");
    let done = finish(child);
    // The order of two signals is undefined.
    assert!([Some(129), Some(143)].contains(&done.status.code()), "{:?}: {}", done.status, done.err);
    assert!(began.elapsed() < Duration::from_secs(3));
    let text = format!("a session may be left open at {}: {uri}", bench.server.url());
    assert!(done.err.contains(&text), "{}", done.err);
    done
}

#[test]
fn a_second_signal_during_a_logout_prints_the_session_uri() {
    let bench = Bench::standard();
    interrupt_logout(&bench, bench.as_admin(["get", SYSTEMS]));
    let bench = Bench::standard();
    let list = bench.file("services", bench.server.url());
    interrupt_logout(&bench, bench.as_admin(["sweep", "--services", &list, "get", SYSTEMS]));
}

/// The command after a line of shell.
fn after(line: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{line}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Starts a command, delays its work by a second, and waits until that has begun.
fn begin_work(bench: &Bench, mut command: Command) -> Child {
    bench.server.mock(|mock| {
        mock.clear_faults();
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(1))).at(SYSTEMS));
    });
    let before = bench.handled("GET", SYSTEMS);
    let child = command.spawn().unwrap();
    while bench.handled("GET", SYSTEMS) == before {
        std::thread::yield_now();
    }
    child
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let bench = Bench::standard();
    let list = bench.file("services", bench.server.url());
    let numbers: Vec<String> = SIGNALS[3..].iter().map(|signal| signal.as_raw().to_string()).collect();
    let ignoring = format!("trap '' {}", numbers.join(" "));
    for args in [vec!["get", SYSTEMS], vec!["sweep", "--services", &list, "get", SYSTEMS]] {
        let child = begin_work(&bench, after(&ignoring, &bench.as_admin(&args)));
        for number in &numbers {
            signal(&child, number);
        }
        finish(child).exits(0);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn an_ignored_interrupt_still_ends_the_command() {
    let bench = Bench::standard();
    for signal_to_send in &SIGNALS[..3] {
        let number = signal_to_send.as_raw().to_string();
        let child =
            begin_work(&bench, after(&format!("trap '' {number}"), &bench.as_admin(["get", SYSTEMS])));
        signal(&child, &number);
        finish(child).exits(128 + signal_to_send.as_raw());
        assert_eq!(bench.server.open_sessions(), 0, "{signal_to_send:?}");
    }
}

#[test]
fn sigpipe_is_ignored() {
    let bench = Bench::standard();
    let child = begin_work(&bench, bench.as_admin(["get", SYSTEMS]));
    signal(&child, "PIPE");
    finish(child).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn the_session_is_closed_after_a_file_size_limit() {
    let bench = Bench::standard();
    let list = bench.file("services", bench.server.url());
    for args in [vec!["get", SYSTEMS], vec!["sweep", "--services", &list, "get", SYSTEMS]] {
        let out = File::create(bench.directory.path().join("out")).unwrap();
        let done = run(after("ulimit -f 0", &bench.as_admin(&args)).stdout(out)).exits(1);
        assert!(done.err.contains("standard output cannot be written"), "{}", done.err);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn the_session_is_closed_after_a_broken_pipe() {
    let bench = Bench::standard();
    bench.slow(SYSTEMS, Duration::from_millis(300));
    let mut child = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    drop(child.stdout.take());
    let done = finish(child).exits(0);
    assert_eq!((done.err.as_str(), bench.server.open_sessions()), ("", 0));
}

#[test]
fn a_signal_does_not_interrupt_the_logout() {
    let bench = Bench::standard();
    // The path of the session is known only after the login.
    bench.slow(SYSTEMS, Duration::from_millis(500));
    let child = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    let uri = bench.server.mock(|mock| mock.sessions(Duration::ZERO).next().unwrap().path());
    // The first attempt fails, so that the logout is still running when the signal comes.
    bench.slow(&uri, Duration::from_millis(500));
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Reset).at(&uri).times(1)));
    bench.await_request("DELETE", &uri);
    signal(&child, "TERM");
    finish(child).exits(143);
    assert_eq!(bench.handled("DELETE", &uri), 2);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_signal_does_not_close_a_saved_session() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.slow(SYSTEMS, Duration::from_secs(60));
    let child = bench.command(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    signal(&child, "TERM");
    finish(child).exits(143);
    run(&mut bench.command(["whoami"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 1);
}

#[test]
fn a_signal_ends_a_command_that_waits_for_a_file() {
    let bench = Bench::standard();
    let pipe = bench.directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    for args in [
        vec!["get", SYSTEMS, "-u", "admin", "--password-file", pipe],
        vec!["sweep", "--services", pipe, "get", SYSTEMS],
    ] {
        let child = bench.command(&args).spawn().unwrap();
        // Blocks until the command has opened the other end.
        let _writer = File::options().write(true).open(pipe).unwrap();
        signal(&child, "INT");
        finish(child).exits(130);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_signal_ends_a_command_that_waits_for_a_lock() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    let lock = bench.saved_sessions()[0].with_extension("lock");
    let lock = File::options().write(true).open(lock).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    // It waits for the lock to renew the session.
    let child = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    signal(&child, "TERM");
    finish(child).exits(143);
    let child = bench.as_admin(["login"]).spawn().unwrap();
    signal(&child, "TERM");
    assert_ne!(finish(child).status.code(), Some(0));
    assert_eq!(bench.handled("POST", SESSIONS), 1);
}

#[test]
fn a_signal_closes_the_session_while_output_blocks() {
    let bench = Bench::standard();
    let size = run(&mut bench.as_admin(["get", ENTRIES])).exits(0).out.len();
    // Far more than the 64 KiB of a pipe.
    let args: Vec<&str> = ["get"].into_iter().chain([ENTRIES; 100]).collect();
    let mut child = bench.as_admin(args).spawn().unwrap();
    let full = 1 + (64 << 10) / size + 1;
    while bench.handled("GET", ENTRIES) < full {
        std::thread::yield_now();
    }
    let unread = child.stdout.take().unwrap();
    signal(&child, "TERM");
    let done = finish(child).exits(143);
    drop(unread);
    assert_eq!((done.err.as_str(), bench.server.open_sessions()), ("", 0));
    assert_eq!(bench.handled("GET", ENTRIES), full);
}

#[test]
fn an_interrupted_logout_of_a_saved_session_prints_its_uri() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let saved = fs::read_to_string(&bench.saved_sessions()[0]).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    let uri = saved["session"].as_str().unwrap().to_owned();
    bench.slow(&uri, Duration::from_secs(60));
    let child = bench.command(["logout"]).spawn().unwrap();
    bench.await_request("DELETE", &uri);
    signal(&child, "TERM");
    let done = finish(child).exits(143);
    assert!(done.err.contains("a session may be left open at") && done.err.contains(&uri), "{}", done.err);
    assert_eq!(bench.saved_sessions().len(), 1, "a session that may be open stays saved");
}

#[test]
fn a_signal_during_a_write_warns_that_it_may_have_happened() {
    let bench = Bench::standard();
    let system = "/redfish/v1/Systems/E1D8B426";
    bench.slow(system, Duration::from_secs(60));
    let child = bench.as_admin(["patch", "--no-match", system, "{\"AssetTag\": \"7\"}"]).spawn().unwrap();
    bench.await_request("PATCH", system);
    signal(&child, "INT");
    let done = finish(child).exits(130);
    assert!(done.err.contains("A write had been sent"), "{}", done.err);
    assert_eq!(bench.server.open_sessions(), 0);
}
