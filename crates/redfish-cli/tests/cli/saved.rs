//! Saved sessions: owner, permissions and content are checked.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use super::canned::Canned;
use super::common::{Bench, Done, SESSIONS, SYSTEMS, run};

fn logged_in() -> Bench {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Changes a member of the saved session.
fn plant(bench: &Bench, member: &str, value: &str) {
    let file = &bench.saved_sessions()[0];
    let mut saved: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    saved[member] = value.into();
    fs::write(file, saved.to_string()).unwrap();
}

/// Asserts that commands reject the saved session and send nothing.
#[track_caller]
fn is_rejected(bench: &Bench, reason: &str, commands: &[&[&str]]) {
    let before = bench.requests();
    let list = bench.file("services", bench.server.url());
    let sweep: &[&str] = &["sweep", "--services", &list, "get", SYSTEMS];
    for args in commands.iter().chain([&sweep]) {
        let Done { status, err, .. } = run(&mut bench.as_admin(*args));
        assert_eq!(status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(reason) && err.contains(bench.state().to_str().unwrap()), "{args:?}: {err}");
        assert!(!err.contains("machine-room"), "{err}");
    }
    assert_eq!(bench.requests(), before, "nothing is sent");
}

const USE: &[&[&str]] = &[&["get", SYSTEMS], &["whoami"], &["logout"], &["login"]];

#[test]
fn a_file_that_others_can_write_is_rejected() {
    for mode in [0o620, 0o602, 0o666] {
        let bench = logged_in();
        permit(&bench.saved_sessions()[0], mode);
        is_rejected(&bench, "other users can write", USE);
    }
}

#[test]
fn a_directory_that_others_can_write_is_rejected_and_not_changed() {
    for mode in [0o720, 0o702, 0o777] {
        let bench = logged_in();
        permit(&bench.state(), mode);
        is_rejected(&bench, "other users can write", USE);
        assert_eq!(fs::metadata(bench.state()).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn a_file_or_directory_of_another_user_is_rejected() {
    let bench = logged_in();
    // Only root can change the owner.
    if chown(&bench.saved_sessions()[0], Some(4711), None).is_err() {
        return;
    }
    is_rejected(&bench, "another user", USE);
    let bench = logged_in();
    chown(bench.state(), Some(4711), None).unwrap();
    is_rejected(&bench, "another user", USE);
}

#[test]
fn only_the_directory_may_be_a_symbolic_link() {
    let bench = logged_in();
    let file = &bench.saved_sessions()[0];
    let elsewhere = bench.directory.path().join("elsewhere");
    fs::rename(file, &elsewhere).unwrap();
    symlink(&elsewhere, file).unwrap();
    is_rejected(&bench, "symbolic link", USE);

    let bench = logged_in();
    let link = bench.directory.path().join("link");
    symlink(bench.state(), &link).unwrap();
    run(bench.command(["whoami"]).env("REDFISH_STATE_DIR", &link)).exits(0);
    run(bench.command(["logout"]).env("REDFISH_STATE_DIR", &link)).exits(0);
}

#[test]
fn a_planted_uri_is_not_deleted() {
    let wrong = "is rejected: the URI is not that of a session\nhint: Find";
    let not_path = "is rejected: the URI of its session is not a path\nhint: Find";
    for (reason, uri) in [
        (wrong, "/redfish/v1/Systems/1"),
        (wrong, "/redfish/v1/Systems/Sessions/1"),
        (wrong, "/redfish/v1/SessionService/Sessions"),
        (wrong, "/redfish/v1/SessionService/Sessions/Members"),
        (wrong, "/redfish/v1/SessionService/Sessions/../../Systems/1"),
        (wrong, "/redfish/v1/SessionService/Sessions/%2e%2e/%2e%2e/Systems/1"),
        (not_path, "https://elsewhere.example/redfish/v1/SessionService/Sessions/1"),
        (not_path, "//elsewhere.example/redfish/v1/SessionService/Sessions/1"),
        (not_path, "ORIGIN/redfish/v1/SessionService/Sessions/1"),
        (not_path, "1"),
    ] {
        let bench = logged_in();
        plant(&bench, "session", &uri.replace("ORIGIN", &bench.server.url()));
        is_rejected(&bench, reason, &USE[..3]);
        is_rejected(&bench, reason, &[&["logout", "--links", "path-only"]]);
        // A login replaces it, so there is no hint.
        let (reason, _) = reason.split_once("\nhint").unwrap();
        let done = run(&mut bench.as_admin(["login"])).exits(0);
        assert!(done.err.contains(reason.lines().next().unwrap()), "{}", done.err);
        run(&mut bench.command(["whoami"])).exits(0);
    }
}

#[test]
fn a_file_whose_content_contradicts_its_name_is_rejected() {
    for (member, value) in [("origin", "https://elsewhere.example"), ("user", "root"), ("token", "a b")] {
        let bench = logged_in();
        plant(&bench, member, value);
        is_rejected(&bench, "rejected", &USE[..3]);
        run(&mut bench.as_admin(["login"])).exits(0);
    }
}

#[test]
fn a_damaged_file_is_rejected_and_replaced_by_a_login() {
    let bench = logged_in();
    fs::write(&bench.saved_sessions()[0], "{\"token\": \"half").unwrap();
    is_rejected(&bench, "damaged", &USE[..3]);
    let done = run(&mut bench.as_admin(["login"])).exits(0);
    assert!(done.err.contains("damaged") && !done.err.contains("half"), "{}", done.err);
    run(&mut bench.command(["whoami"])).exits(0);
}

#[test]
fn a_damaged_file_of_another_user_is_ignored() {
    let damages: [fn(&Path, &Path); 3] = [
        |_, other| fs::write(other, "{\"token\": \"half").unwrap(),
        |own, other| {
            fs::copy(own, other).unwrap();
            permit(other, 0o666);
        },
        |own, other| symlink(own, other).unwrap(),
    ];
    for damage in damages {
        let bench = logged_in();
        let own = bench.saved_sessions().remove(0);
        let other = own.with_file_name(own.file_name().unwrap().to_str().unwrap().replace("+admin", "+root"));
        damage(&own, &other);
        let list = bench
            .file("services", format!("{{\"service\": \"{}\", \"user\": \"admin\"}}", bench.server.url()));
        let sweep = ["sweep", "--services", &list, "get", SYSTEMS];
        for args in [&["get", SYSTEMS][..], &["whoami"], &sweep] {
            run(&mut bench.as_admin(args)).exits(0);
        }
        // Without a user, all saved sessions of the service are read.
        run(bench.as_admin(["whoami"]).env_remove("REDFISH_USER")).exits(2);
        assert_eq!(bench.handled("POST", SESSIONS), 1, "the saved session is used");
        run(&mut bench.as_admin(["logout"])).exits(0);
        run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn a_pipe_in_place_of_the_file_is_rejected() {
    let bench = logged_in();
    let file = &bench.saved_sessions()[0];
    fs::remove_file(file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
    is_rejected(&bench, "not a regular file", USE);
}

#[test]
fn the_token_of_a_replaced_session_is_not_shown() {
    const FIRST: &str = "first-token-of-all";
    const OWN: &str = "/redfish/v1/SessionService/Sessions";
    let opened = |number: u8, token: &str| format!("201\nX-Auth-Token: {token}\nLocation: {OWN}/{number}");
    let echo = format!("400\nX-Echo: {FIRST}\n\n{{\"error\": {{\"message\": \"was {FIRST}\"}}}}");
    let canned = Canned::new(&[
        ("GET /redfish/v1/", "200\n\n{}"),
        (&format!("POST {OWN}"), &opened(1, FIRST)),
        (&format!("POST {OWN}"), &opened(2, "second-token")),
        (&format!("GET {OWN}/1"), "401"),
        ("GET /x", "401"),
        ("GET /x", &echo),
        (&format!("DELETE {OWN}/1"), &echo),
    ]);
    let state = tempfile::tempdir().unwrap();
    let command = |args: &[&str]| {
        let mut command = canned.command(args.iter().copied());
        command.env("REDFISH_STATE_DIR", state.path().join("state"));
        command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "a long password");
        command
    };
    run(&mut command(&["login"])).exits(0);
    let done = run(&mut command(&["get", "/x", "--trace"])).exits(1);
    assert!(done.err.contains("was [redacted]") && !done.err.contains(FIRST), "{}", done.err);
}
