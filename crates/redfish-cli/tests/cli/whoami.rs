//! `whoami`.

use redfish_mock::{Account, Role, Settings};

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
