//! `login`, `logout`, and the session that is kept between them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::Duration;

use redfish_mock::{Account, Fault, FaultKind, Role, Settings};
use serde_json::Value;

use super::common::{BOTH, Bench, Done, SESSIONS, SYSTEMS, finish, run};

const PASSWORD: &str = "machine-room";

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_session_is_kept_used_and_closed() {
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
        assert_eq!(fs::read_dir(bench.state()).unwrap().count(), 0, "nothing is left");
        run(&mut bench.command(["whoami"])).exits(3);
    }
}

#[test]
fn the_file_is_for_its_owner_and_has_no_password() {
    let bench = Bench::standard();
    let done = run(&mut bench.as_admin(["login"])).exits(0);
    let [file] = &bench.kept()[..] else { panic!("{:?}", bench.kept()) };
    assert_eq!((mode(file), mode(bench.state())), (0o600, 0o700));
    for entry in fs::read_dir(bench.state()).unwrap() {
        assert_eq!(mode(entry.unwrap().path()), 0o600);
    }
    let text = fs::read_to_string(file).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(kept["origin"], bench.server.url());
    assert_eq!(kept["user"], "admin");
    assert_eq!(kept["session"], done.out.trim_end());
    let token = kept["token"].as_str().unwrap();
    assert!(!token.is_empty() && !text.contains(PASSWORD), "{text}");
    assert!(!done.out.contains(token) && !done.err.contains(token));
}

#[test]
fn the_place_is_the_one_that_is_named_else_the_usual_one() {
    let bench = Bench::standard();
    let home = bench.place.path();
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
fn a_directory_of_others_is_made_the_owners_or_refused() {
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
fn another_login_closes_the_session_before() {
    let bench = Bench::standard();
    let first = run(&mut bench.as_admin(["login"])).exits(0);
    let second = run(&mut bench.as_admin(["login", "--output", "json"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 1);
    assert_eq!(bench.handled("DELETE", first.out.trim_end()), 1);
    assert_ne!(second.json()["session"], first.out.trim_end());
    assert_eq!(bench.kept().len(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn a_login_that_fails_leaves_the_session_before() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    let before = fs::read(&bench.kept()[0]).unwrap();
    let done = run(bench.as_admin(["login"]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert!(!done.err.contains("wrong\""), "{}", done.err);
    assert_eq!(fs::read(&bench.kept()[0]).unwrap(), before);
    assert_eq!(bench.server.open_sessions(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn a_session_that_is_gone_is_logged_out() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));
    run(&mut bench.command(["logout"])).exits(0);
    assert!(bench.kept().is_empty());
    run(&mut bench.command(["logout"])).exits(0);
}

#[test]
fn a_logout_that_is_not_answered_keeps_the_session() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Reset)));
    run(&mut bench.command(["logout"])).exits(4);
    bench.server.mock(|mock| mock.clear_faults());
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn each_user_has_a_session_and_several_need_a_name() {
    let accounts = ["Admin", "ä/..", "a+b"].map(|user| Account::new(user, PASSWORD, Role::ReadOnly));
    let bench = Bench::with(Settings { accounts: accounts.into(), ..Settings::default() });
    for user in ["admin", "Admin", "ä/..", "a+b"] {
        run(bench.as_admin(["login"]).env("REDFISH_USER", user)).exits(0);
    }
    assert_eq!((bench.kept().len(), bench.server.open_sessions()), (4, 4));
    run(&mut bench.command(["whoami"])).exits(2);
    run(&mut bench.command(["logout"])).exits(2);
    let who = run(&mut bench.command(["whoami", "-u", "ä/.."])).exits(0);
    assert_eq!(who.json()["user"], "ä/..");
    run(&mut bench.command(["logout", "-u", "Admin"])).exits(0);
    assert_eq!((bench.kept().len(), bench.server.open_sessions()), (3, 3));
    run(&mut bench.command(["whoami", "-u", "admin"])).exits(0);
}

#[test]
fn a_forgotten_session_is_renewed_with_its_file_where_a_password_is_at_hand() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| mock.reboot(Duration::ZERO));

    let done = run(&mut bench.command(["get", SYSTEMS, "--output", "json"])).exits(3);
    assert_eq!(done.error()["error"], "not-authenticated");
    assert_eq!((bench.kept().len(), bench.server.open_sessions()), (1, 0));

    run(&mut bench.as_admin(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.server.open_sessions(), 1, "the renewed one stays");
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
    assert_eq!(bench.handled("POST", SESSIONS), 2);
}

#[test]
fn one_command_meets_several_expiries_and_a_401_that_stays_is_final() {
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
    let before = fs::read(&bench.kept()[0]).unwrap();
    run(bench.as_admin(["get", SYSTEMS]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    assert_eq!(bench.handled("POST", SESSIONS), 2);
    assert_eq!(fs::read(&bench.kept()[0]).unwrap(), before);
}

#[test]
fn of_many_processes_that_find_a_dead_token_one_logs_in() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| {
        mock.reboot(Duration::ZERO);
        // All hear of it before the first can renew it, and while it does the others stand in line.
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_secs(2))).at(SYSTEMS).times(8));
        mock.add_fault(Fault::new(FaultKind::Slow(Duration::from_millis(500))).at(SESSIONS));
    });
    let children: Vec<Child> = (0..8).map(|_| bench.as_admin(["get", SYSTEMS]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(0);
    }
    assert_eq!(bench.handled("POST", SESSIONS), 2, "the login, and one for all eight");
    assert_eq!(bench.server.open_sessions(), 1);
    run(&mut bench.command(["get", SYSTEMS])).exits(0);
}

#[test]
fn of_many_logins_at_once_one_session_is_left() {
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
fn logins_and_logouts_at_once_leave_what_the_file_says() {
    let bench = Bench::standard();
    let words = |at| if at % 2 == 0 { "login" } else { "logout" };
    let children: Vec<Child> = (0..10).map(|at| bench.as_admin([words(at)]).spawn().unwrap()).collect();
    for done in children.into_iter().map(finish).collect::<Vec<Done>>() {
        done.exits(0);
    }
    assert_eq!(bench.server.open_sessions(), bench.kept().len());
}

#[test]
fn a_session_that_another_process_renewed_is_taken_over_without_a_password() {
    let bench = Bench::standard();
    run(&mut bench.as_admin(["login"])).exits(0);
    bench.server.mock(|mock| {
        mock.reboot(Duration::ZERO);
        // The 401 is decided at once, and arrives when the other process is done.
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
fn a_session_that_another_process_closed_is_not_kept_again() {
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
    assert!(bench.kept().is_empty());
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_session_without_a_uri_is_found_by_its_mark() {
    let bench = Bench::new(redfish_mock::Profile::IloAmplifier);
    bench.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::NoLocation)));
    let done = run(&mut bench.as_admin(["login"])).exits(0);
    assert_eq!(done.out, "");
    assert!(done.err.contains("URI"), "{}", done.err);
    run(&mut bench.command(["logout"])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn what_no_session_can_come_of_is_refused_before_anything_is_sent() {
    let bench = Bench::standard();
    run(bench.as_admin(["login"]).env_remove("REDFISH_USER")).exits(2);
    run(bench.as_admin(["login"]).env_remove("REDFISH_PASSWORD")).exits(2);
    run(&mut bench.as_admin(["login", "--auth", "basic"])).exits(2);
    run(bench.as_admin(["login"]).env_remove("REDFISH_STATE_DIR")).exits(2);
    run(bench.as_admin(["login"]).env("REDFISH_STATE_DIR", "/dev/null/state")).exits(2);
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_that_must_be_changed_is_said() {
    let mut account = Account::new("new", PASSWORD, Role::Administrator);
    account.password_change_required = true;
    let bench = Bench::with(Settings { accounts: vec![account], ..Settings::default() });
    let done = run(bench.as_admin(["login"]).env("REDFISH_USER", "new")).exits(0);
    assert!(done.err.contains("password must be changed"), "{}", done.err);
    let done = run(&mut bench.command(["get", SYSTEMS, "--output", "json"])).exits(3);
    assert_eq!(done.error()["error"], "password-change-required");
}
