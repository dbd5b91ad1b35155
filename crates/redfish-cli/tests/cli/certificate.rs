//! Whom the command trusts: `--cacert`, `--pin`, `--insecure`, and `pin`.

use redfish_mock::{ServeOptions, Settings};

use super::common::{Bench, run};

/// A certificate for this machine's loopback, and its key, as PEM.
pub(crate) fn self_signed() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn only_what_is_trusted_is_talked_to() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let cert = bench.file("cert.pem", bench.server.certificate_pem().unwrap());
    let other = bench.file("other.pem", self_signed().0);
    let pin = run(&mut bench.command(["pin"])).exits(0).out.trim_end().to_owned();
    assert!(pin.starts_with("sha256:") && pin.len() == 71, "{pin}");
    assert_eq!(bench.requests(), 0, "a look at the certificate sends nothing");

    let wrong = format!("sha256:{}", "0".repeat(64));
    let get = ["get", "/redfish/v1/Systems"];
    let refused = run(bench.as_admin(get).arg("--output=json")).exits(4);
    assert!(refused.err.contains("certificate"), "{}", refused.err);
    run(bench.as_admin(get).args(["--cacert", &other])).exits(4);
    run(bench.as_admin(get).args(["--pin", &wrong])).exits(4);
    // A pin wins over a CA, also where only the CA is right.
    run(bench.as_admin(get).args(["--cacert", &cert, "--pin", &wrong])).exits(4);
    assert_eq!(bench.requests(), 0, "no request, and no password, to whom is not trusted");

    run(bench.as_admin(get).args(["--cacert", &cert])).exits(0);
    run(bench.as_admin(get).env("REDFISH_CACERT", &cert)).exits(0);
    run(bench.as_admin(get).args(["--pin", &pin])).exits(0);
    run(bench.as_admin(get).args(["--cacert", &other, "--pin", &pin])).exits(0);
    let warned = run(bench.as_admin(get).arg("--insecure")).exits(0);
    assert_eq!(warned.err.matches("warning").count(), 1, "{}", warned.err);
    for _ in 0..2 {
        let warned = run(bench.as_admin(["login"]).arg("--insecure")).exits(0);
        assert_eq!(warned.err.matches("warning").count(), 1, "{}", warned.err);
    }
    run(bench.command(["logout"]).args(["--cacert", &cert])).exits(0);
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_file_that_holds_no_certificate_is_refused() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let (cert, key) = self_signed();
    let broken = cert.replace("-----END", "");
    for (name, text) in [("empty", ""), ("text", "no certificate"), ("key", &key), ("broken", &broken)] {
        let file = bench.file(name, text);
        run(&mut bench.as_admin(["get", "/redfish/v1", "--cacert", &file])).exits(2);
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn plain_http_has_no_pin() {
    run(&mut Bench::standard().command(["pin"])).exits(2);
}
