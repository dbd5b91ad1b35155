//! `login`, `logout`, and the saved session.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::Duration;

use redfish_mock::{Account, Fault, FaultKind, Role, Settings};
use serde_json::Value;

use super::canned::Canned;
use super::common::{BOTH, Bench, Done, SESSIONS, SYSTEMS, finish, run};

const PASSWORD: &str = "machine-room";

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_session_is_saved_used_and_closed() {
    for profile in BOTH {
        let bench = Bench::new(profile);
        let login = run(&mut bench.as_admin(["login"])).exits(0);
        let uri = login.out.trim_end();
        assert!(uri.starts_with(SESSIONS), "{uri}");

        run(&mut bench.command(["get", SYSTEMS, "/redfish/v1/Chassis"])).exits(0);
        let who = run(&mut bench.command(["whoami"])).exits(0).json();
        assert_eq!((who["session"].as_str(), who["user"].as_str()), (Some(uri), Some("admin")));
        assert_eq!(bench.handled("POST", SESSIONS), 1, "one login for all");

        let logout = run(&mut bench.command(["logout"])).exits(0);
        assert_eq!(logout.out, login.out);
        assert_eq!(bench.server.open_sessions(), 0, "{profile}");
        assert_eq!(fs::read_dir(bench.state()).unwrap().count(), 0, "no file is left");
        run(&mut bench.command(["whoami"])).exits(3);
    }
}

#[test]
fn only_the_owner_can_read_the_file_and_it_has_no_password() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["login"])).exits(0);
    let [file] = &bench.saved_sessions()[..] else { panic!("{:?}", bench.saved_sessions()) };
    assert_eq!((mode(file), mode(bench.state())), (0o600, 0o700));
    for entry in fs::read_dir(bench.state()).unwrap() {
        assert_eq!(mode(entry.unwrap().path()), 0o600);
    }
    let text = fs::read_to_string(file).unwrap();
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["origin"], bench.server.url());
    assert_eq!(saved["user"], "admin");
    assert_eq!(saved["session"], done.out.trim_end());
    let token = saved["token"].as_str().unwrap();
    assert!(!token.is_empty() && !text.contains(PASSWORD), "{text}");
    assert!(!done.out.contains(token) && !done.err.contains(token));
}

#[test]
fn the_directory_is_that_of_the_environment_or_the_default() {
    let bench = Bench::standard();
    let home = bench.directory.path();
    for (variables, directory) in [
        (vec![("REDFISH_STATE_DIR", "named"), ("XDG_STATE_HOME", "xdg"), ("HOME", "home")], "named"),
        (vec![("XDG_STATE_HOME", "xdg"), ("HOME", "home")], "xdg/redfish"),
        (
            vec![("REDFISH_STATE_DIR", ""), ("XDG_STATE_HOME", ""), ("HOME", "home")],
            "home/.local/state/redfish",
        ),
    ] {
        let mut command = bench.as_admin(["login"]);
        command.env_remove("REDFISH_STATE_DIR");
        for (name, value) in variables {
            command.env(name, if value.is_empty() { "".into() } else { home.join(value) });
        }
        run(&mut command).exits(0);
        let files = fs::read_dir(home.join(directory)).unwrap().count();
        assert_eq!(
            (files, mode(home.join(directory))),
            (2, 0o700),
            "the session and its lock, in {directory}"
        );
    }
}

#[test]
fn a_directory_that_others_can_read_is_restricted() {
    let bench = Bench::standard();
    fs::create_dir(bench.state()).unwrap();
    fs::set_permissions(bench.state(), fs::Permissions::from_mode(0o755)).unwrap();
    run(&mut bench.as_admin(["login"])).exits(0);
    assert_eq!(mode(bench.state()), 0o700);
    run(&mut bench.command(["logout"])).exits(0);

    fs::set_permissions(bench.state(), fs::Permissions::from_mode(0o777)).unwrap();
    let before = bench.requests();
    run(&mut bench.as_admin(["login"])).exits(2);
    assert_eq!(bench.requests(), before, "nothing is sent");
}

#[test]
fn another_login_closes_the_previous_session() {
    let bench = Bench::standard();
    let first = run(&mut bench.as_admin(["login"])).exits(0);
    let second = run(&mut bench.as_admin(["login", "--output", "json"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 1);
    assert_eq!(bench.handled("DELETE", first.out.trim_end()), 1);
    assert_ne!(second.json()["session"], first.out.trim_end());
    assert_eq!(bench.saved_sessions().len(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn a_failed_login_does_not_change_the_previous_session() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let before = fs::read(&bench.saved_sessions()[0]).unwrap();
    let done = run(bench.as_admin(["login"]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert!(!done.err.contains("wrong\""), "{}", done.err);
    assert_eq!(fs::read(&bench.saved_sessions()[0]).unwrap(), before);
    assert_eq!(bench.server.open_sessions(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn a_logout_of_an_expired_session_succeeds() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    run(&mut bench.command(["logout"])).exits(0);
    assert!(bench.saved_sessions().is_empty());
    run(&mut bench.command(["logout"])).exits(0);
}

#[test]
fn a_logout_without_a_response_keeps_the_saved_session() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Reset)));
    run(&mut bench.command(["logout"])).exits(4);
    bench.server.mock(|mock| mock.clear_faults());
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn each_user_has_a_session_and_several_require_a_user() {
    let accounts = ["Admin", "ä/..", "a+b"].map(|user| Account::new(user, PASSWORD, Role::ReadOnly));
    let bench = Bench::with(Settings { accounts: accounts.into(), ..Settings::default() });
    for user in ["admin", "Admin", "ä/..", "a+b"] {
        run(bench.as_admin(["login"]).env("REDFISH_USER", user)).exits(0);
    }
    assert_eq!((bench.saved_sessions().len(), bench.server.open_sessions()), (4, 4));
    run(&mut bench.command(["whoami"])).exits(2);
    run(&mut bench.command(["logout"])).exits(2);
    let who = run(&mut bench.command(["whoami", "-u", "ä/.."])).exits(0);
    assert_eq!(who.json()["user"], "ä/..");
    run(&mut bench.command(["logout", "-u", "Admin"])).exits(0);
    assert_eq!((bench.saved_sessions().len(), bench.server.open_sessions()), (3, 3));
    run(&mut bench.command(["whoami", "-u", "admin"])).exits(0);
}

#[test]
fn an_expired_session_is_renewed_if_there_is_a_password() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));

    let done = run(&mut bench.command(["get", SYSTEMS, "--output", "json"])).exits(3);
    assert_eq!(done.error()["error"], "not-authenticated");
    assert_eq!((bench.saved_sessions().len(), bench.server.open_sessions()), (1, 0));

    run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.server.open_sessions(), 1, "the renewed session stays open");
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.handled("POST", SESSIONS), 2);
}

#[test]
fn several_expiries_are_renewed_and_a_repeated_401_is_final() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let expiry = |count| Fault::new(FaultKind::ExpireToken).at(SYSTEMS).times(count);
    bench.server.mock(|mock| mock.add_fault(expiry(1)));
    let other = "/redfish/v1/Chassis";
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::ExpireToken).at(other).times(1)));
    run(&mut bench.as_admin(["get", SYSTEMS, other])).exits(0);
    assert_eq!(bench.handled("POST", SESSIONS), 3);

    bench.server.mock(|mock| mock.add_fault(expiry(2)));
    run(&mut bench.as_admin(["get", SYSTEMS])).exits(3);
    assert_eq!(bench.handled("POST", SESSIONS), 4, "one login for one request");
}

#[test]
fn a_wrong_password_renews_nothing_and_is_tried_once() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    let before = fs::read(&bench.saved_sessions()[0]).unwrap();
    run(bench.as_admin(["get", SYSTEMS]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(bench.handled("POST", SESSIONS), 2);
    assert_eq!(fs::read(&bench.saved_sessions()[0]).unwrap(), before);
}

#[test]
fn one_of_many_processes_with_an_expired_token_logs_in() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| {
        mock.reboot(Duration::ZERO);
        // All get the 401 before the first one can renew the session, and wait for its lock.
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(2))).at(SYSTEMS).times(8));
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_millis(500))).at(SESSIONS));
    });
    let children: Vec<Child> = (0..8).map(|_| bench.as_admin(["get", SYSTEMS]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(0);
    }
    assert_eq!(bench.handled("POST", SESSIONS), 2, "the first login, and one for all eight");
    assert_eq!(bench.server.open_sessions(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn concurrent_logins_leave_one_session() {
    let bench = Bench::standard();
    bench.server.mock(|mock| {
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_millis(500))).at(SESSIONS));
    });
    let children: Vec<Child> = (0..6).map(|_| bench.as_admin(["login"]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(0);
    }
    assert_eq!((bench.handled("POST", SESSIONS), bench.server.open_sessions()), (6, 1));
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn concurrent_logins_and_logouts_leave_only_saved_sessions_open() {
    let bench = Bench::standard();
    let args = |at| if at % 2 == 0 { "login" } else { "logout" };
    let children: Vec<Child> = (0..10).map(|at| bench.as_admin([args(at)]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(0);
    }
    assert_eq!(bench.server.open_sessions(), bench.saved_sessions().len());
}

#[test]
fn a_session_that_another_process_renewed_is_taken_over_without_a_password() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| {
        mock.reboot(Duration::ZERO);
        // The 401 arrives after the other process has logged in.
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(2))).at(SYSTEMS).times(1));
    });
    let waiting = bench.command(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    run(&mut bench.as_admin(["login"])).exits(0);
    finish(waiting).exits(0);
    assert_eq!(bench.handled("POST", SESSIONS), 2);
    assert_eq!(bench.server.open_sessions(), 1);
}

#[test]
fn a_session_that_another_process_closed_is_not_saved_again() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| {
        mock.reboot(Duration::ZERO);
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(2))).at(SYSTEMS).times(1));
    });
    let waiting = bench.as_admin(["get", SYSTEMS]).spawn().unwrap();
    bench.await_request("GET", SYSTEMS);
    run(&mut bench.command(["logout"])).exits(0);
    finish(waiting).exits(0);
    assert!(bench.saved_sessions().is_empty());
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_session_without_a_uri_is_found_by_my_session() {
    let bench = Bench::new(redfish_mock::Profile::IloAmplifier);
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::NoLocation)));
    let done = run(&mut bench.as_admin(["login"])).exits(0);
    assert_eq!(done.out, "");
    assert!(done.err.contains("URI"), "{}", done.err);
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_login_that_cannot_succeed_sends_nothing() {
    let bench = Bench::standard();
    run(bench.as_admin(["login"]).env_remove("REDFISH_USER")).exits(2);
    run(bench.as_admin(["login"]).env_remove("REDFISH_PASSWORD")).exits(2);
    run(&mut bench.as_admin(["login", "--auth", "basic"])).exits(2);
    run(bench.as_admin(["login"]).env_remove("REDFISH_STATE_DIR")).exits(2);
    run(bench.as_admin(["login"]).env("REDFISH_STATE_DIR", "/dev/null/state")).exits(2);
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_that_must_be_changed_is_a_warning() {
    let mut account = Account::new("new", PASSWORD, Role::Administrator);
    account.password_change_required = true;
    let bench = Bench::with(Settings { accounts: vec![account], ..Settings::default() });
    let done = run(bench.as_admin(["login"]).env("REDFISH_USER", "new")).exits(0);
    assert!(done.err.contains("password must be changed"), "{}", done.err);
    let done = run(&mut bench.command(["get", SYSTEMS, "--output", "json"])).exits(3);
    assert_eq!(done.error()["error"], "password-change-required");
}

#[test]
fn a_session_with_a_relative_location_is_closed_and_not_reported_as_open() {
    const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
    for (location, closed) in [("1", "1"), ("./1", "1"), ("Members/1", "Members/1")] {
        let service = Canned::new(&[
            ("GET /redfish/v1/", "200\n\n{\"RedfishVersion\": \"1.15.0\"}"),
            (&format!("POST {SESSIONS}"), &format!("201\nX-Auth-Token: t\nLocation: {location}")),
            ("GET /r", "200\n\n{}"),
            (&format!("DELETE {SESSIONS}/{closed}"), "204"),
        ]);
        let mut command = service.command(["get", "/r", "-u", "admin"]);
        let done = run(command.env("REDFISH_PASSWORD", "machine-room")).exits(0);
        assert_eq!(done.err, "", "{location}");
        assert_eq!(service.requests().last().unwrap(), &format!("DELETE {SESSIONS}/{closed}"));
    }
}
