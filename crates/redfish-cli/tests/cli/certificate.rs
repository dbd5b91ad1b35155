//! Certificates: `--cacert`, `--pin`, `--insecure` and `pin`.

use std::net::{IpAddr, Ipv4Addr};

use redfish_mock::{ServeOptions, Settings};
use redfish_testkit::script::Peer;

use super::common::{Bench, redfish, run};
use super::terminal::Terminal;

/// A certificate for localhost and its key, as PEM.
pub(crate) fn self_signed() -> (String, String) {
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

#[test]
fn nothing_is_sent_to_an_untrusted_service() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let cert = bench.file("cert.pem", bench.server.certificate_pem().unwrap());
    let other = bench.file("other.pem", self_signed().0);
    let pin = run(&mut bench.command(["pin"])).exits(0).out.trim_end().to_owned();
    assert!(pin.starts_with("sha256:") && pin.len() == 71, "{pin}");
    assert_eq!(bench.requests(), 0, "pin sends no request");

    let wrong = format!("sha256:{}", "0".repeat(64));
    let get = ["get", "/redfish/v1/Systems"];
    let refused = run(bench.as_admin(get).arg("--output=json")).exits(4);
    assert!(refused.err.contains("certificate"), "{}", refused.err);
    run(bench.as_admin(get).args(["--cacert", &other])).exits(4);
    run(bench.as_admin(get).args(["--pin", &wrong])).exits(4);
    // A pin takes precedence over a CA, even if only the CA is right.
    run(bench.as_admin(get).args(["--cacert", &cert, "--pin", &wrong])).exits(4);
    assert_eq!(bench.requests(), 0, "an untrusted service gets no request and no password");

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
fn a_file_without_a_certificate_is_rejected() {
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

#[test]
fn pin_describes_the_certificate() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let pin = run(&mut bench.command(["pin"])).exits(0).out.trim_end().to_owned();

    let out = run(&mut bench.command(["pin", "--output", "json"])).exits(0).out;
    assert!(out.starts_with(&format!("{{\"pin\":\"{pin}\"")), "{out}");
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["subject"], shown["issuer"]);
    assert_eq!(shown["names"], serde_json::json!(["localhost", "127.0.0.1", "::1"]));
    assert_eq!(shown["key"], serde_json::json!({"kind": "ECDSA P-256", "bits": 256}));
    let dates = ["not_before", "not_after"].map(|date| shown[date].as_str().unwrap().to_owned());
    assert!(dates[0] < dates[1] && dates.iter().all(|date| date.ends_with('Z')), "{dates:?}");

    let shown = Terminal::new().show(&bench.command(["pin"]), 0);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], pin);
    assert_eq!(lines[3], "names    localhost, 127.0.0.1, ::1");
    assert_eq!(lines[5], "key      ECDSA P-256, 256 bits");
}

#[test]
fn a_pin_may_have_the_notation_of_other_tools() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let pin = run(&mut bench.command(["pin"])).exits(0).out;
    let digits = pin.trim_end().trim_start_matches("sha256:").to_uppercase();
    let pairs: Vec<&str> = (0..32).map(|at| &digits[2 * at..2 * at + 2]).collect();
    for typed in [digits.clone(), pairs.join(":"), format!("sha256 Fingerprint={}", pairs.join(":"))] {
        run(&mut bench.as_admin(["get", "/redfish/v1/Systems", "--pin", &typed])).exits(0);
    }
    run(&mut bench.as_admin(["get", "/redfish/v1/Systems", "--pin", &digits[2..]])).exits(2);
}

#[test]
fn an_untrusted_certificate_has_a_hint() {
    let bench = Bench::serving(Settings::default(), ServeOptions::default());
    let name = bench.server.url();
    let name = name.trim_start_matches("https://").trim_end_matches('/');
    let done = run(bench.as_admin(["get", "/redfish/v1/Systems"]).arg("--output=json")).exits(4);
    let error = done.error();
    assert_eq!(error["error"], "untrusted");
    for part in [&format!("\"redfish pin -s {name}\""), "--pin sha256:", "--cacert FILE"] {
        assert!(error["hint"].as_str().unwrap().contains(part), "{error}");
    }
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_tls_mismatch_is_a_tls_error_after_one_connection() {
    let refused: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    let plain: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    let table = [
        (refused, "offers no TLS 1.2 with forward secrecy", "TLS 1.2 with forward secrecy"),
        (plain, "does not speak TLS", "http://"),
    ];
    for (bytes, text, hint) in table {
        for args in [["get", "/redfish/v1/Systems"], ["pin", "--trace"]] {
            let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
                let _ = connection.respond_and_close(bytes);
            })
            .unwrap();
            let url = peer.url("https");
            let error = run(redfish(args).args(["--output=json", "-s", &url])).exits(4).error();
            assert_eq!((&error["error"], peer.connections()), (&"tls".into(), 1), "{error}");
            assert!(error["text"].as_str().unwrap().contains(text), "{error}");
            assert!(error["hint"].as_str().unwrap().contains(hint), "{error}");
        }
    }
}
