//! `whoami`.

use redfish_mock::{Account, Role, Settings};

use super::canned::Canned;
use super::common::{BOTH, Bench, run};

#[test]
fn user_and_service_are_shown_for_each_authentication() {
    for profile in BOTH {
        let bench =
            Bench::with(Settings { profile, bearer_token: Some("bearer".into()), ..Settings::default() });
        run(&mut bench.command(["whoami"])).exits(3);
        run(&mut bench.as_admin(["whoami", "--auth", "none"])).exits(3);
        let own = run(&mut bench.as_admin(["whoami"])).exits(0).json();
        assert_eq!((own["user"].as_str(), own["auth"].as_str()), (Some("admin"), Some("session")), "{own}");
        assert_eq!(own["service"], bench.server.url());
        let basic = run(&mut bench.as_admin(["whoami", "--auth", "basic"])).exits(0).json();
        assert_eq!(
            (basic["user"].as_str(), basic["auth"].as_str()),
            (Some("admin"), Some("basic")),
            "{basic}"
        );
        let bearer = run(bench.command(["whoami"]).env("REDFISH_TOKEN", "bearer")).exits(0).json();
        assert_eq!((bearer["user"].as_str(), bearer["auth"].as_str()), (None, Some("bearer")), "{bearer}");
        assert_eq!(bench.server.open_sessions(), 0);
    }
}

#[test]
fn rejected_credentials_are_3() {
    let bench = Bench::standard();
    run(bench.as_admin(["whoami"]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    run(bench.as_admin(["whoami", "--auth", "basic"]).env("REDFISH_PASSWORD", "wrong")).exits(3);
    run(bench.command(["whoami"]).env("REDFISH_TOKEN", "wrong")).exits(3);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_read_only_user_is_shown() {
    let accounts = vec![Account::new("reader", "p4ssw0rd", Role::ReadOnly)];
    let bench = Bench::with(Settings { accounts, ..Settings::default() });
    let args = ["whoami", "-u", "reader", "--output", "text"];
    let done = run(bench.command(args).env("REDFISH_PASSWORD", "p4ssw0rd")).exits(0);
    assert!(done.out.starts_with("reader at http://127.0.0.1"), "{}", done.out);
}

#[test]
fn only_a_401_means_not_logged_in() {
    const SESSION: &str = "GET /redfish/v1/SessionService/Sessions/1";
    for (response, status) in
        [("403", 0), ("404", 0), ("405", 0), ("410", 0), ("501", 0), ("401", 3), ("500", 1), ("", 4)]
    {
        let service = Canned::new(&[
            ("GET /redfish/v1/", "200\n\n{}"),
            (
                "POST /redfish/v1/SessionService/Sessions",
                "201\nX-Auth-Token: t\nLocation: /redfish/v1/SessionService/Sessions/1",
            ),
            (SESSION, response),
            ("DELETE /redfish/v1/SessionService/Sessions/1", "204"),
        ]);
        let mut command = service.command(["whoami", "-u", "admin"]);
        let done = run(command.env("REDFISH_PASSWORD", "pw")).exits(status);
        if status == 0 {
            let shown = done.json();
            assert_eq!(
                (&shown["user"], &shown["service"]),
                (&"admin".into(), &service.url().into()),
                "{shown}"
            );
        }
    }
}
