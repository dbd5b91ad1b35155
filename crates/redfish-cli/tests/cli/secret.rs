//! Passwords and tokens are never printed, whatever a service echoes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canned::Canned;
use super::common::{Bench, Done, redfish, run};

pub(crate) const PASSWORD: &str = "pä ss\"w%rd\\+<&>😀";
const TOKEN: &str = "t0ken\"%41+<canary>";

/// A secret in each encoding that a service may use.
fn encodings(secret: &str) -> Vec<String> {
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    vec![secret.to_owned(), percent.to_lowercase(), percent, json[1..json.len() - 1].to_owned(), html]
}

pub(crate) fn of_password() -> Vec<String> {
    [encodings(PASSWORD), vec![STANDARD.encode(format!("admin:{PASSWORD}"))]].concat()
}

/// All secrets of the service.
pub(crate) fn all() -> Vec<String> {
    [of_password(), encodings(TOKEN)].concat()
}

/// A service that accepts every login, and echoes its secrets in all other responses.
pub(crate) fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            // The tests send one request at a time.
            let _ = answer(stream.unwrap());
        }
    });
    url
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let secrets = all().join(" | ");
    let (status, headers, body) = if first.starts_with("GET /redfish/v1/ ") {
        ("200 OK", String::new(), "{}".to_owned())
    } else if first.starts_with("POST") {
        let location = "Location: /redfish/v1/SessionService/Sessions/1\r\n";
        ("201 Created", format!("X-Auth-Token: {TOKEN}\r\n{location}"), "{}".to_owned())
    } else if first.starts_with("PATCH") {
        ("412 Precondition Failed", String::new(), String::new())
    } else if first.contains("/etag") {
        ("200 OK", format!("ETag: {TOKEN}\r\n"), "{}".to_owned())
    } else if first.contains("/links") {
        let members = serde_json::json!([{"@odata.id": format!("http://192.0.2.1/{secrets}")}]);
        ("200 OK", String::new(), serde_json::json!({"Members": members}).to_string())
    } else if first.contains("/monitor") {
        ("202 Accepted", format!("Location: /monitor/{}\r\n", encodings(TOKEN)[1]), String::new())
    } else if first.contains("/page") {
        ("403 Forbidden", format!("Server: {PASSWORD} {TOKEN}\r\n"), format!("<html><p>{secrets}</p></html>"))
    } else if first.contains("/elsewhere") {
        let target = format!("http://192.0.2.1/{}", TOKEN.replace('"', "%22"));
        ("307 Temporary Redirect", format!("Location: {target}\r\n"), String::new())
    } else {
        let message = serde_json::json!({"MessageId": secrets, "Message": secrets, "MessageArgs": [secrets],
            "Resolution": secrets, "Severity": secrets, "RelatedProperties": [secrets]});
        let body = serde_json::json!({"error": {"code": secrets, "@Message.ExtendedInfo": [message]}});
        ("400 Bad Request", format!("Set-Cookie: {TOKEN}\r\n"), body.to_string())
    };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Asserts that there is a trace, without these secrets.
#[track_caller]
pub(crate) fn is_clean(done: &Done, secrets: &[String], line: &str) {
    assert!(done.err.contains("> "), "{line} shows nothing: {}", done.err);
    for secret in secrets {
        assert!(!done.err.contains(secret), "{line}: {secret} in {}", done.err);
        assert!(!done.out.contains(secret), "{line}: {secret} in {}", done.out);
    }
}

#[test]
fn echoed_secrets_are_redacted() {
    let url = echo();
    let directory = tempfile::tempdir().unwrap();
    // The client redacts what it knows. With Basic it knows no token, and with a saved session no Basic credentials.
    for (line, hidden) in [
        ("get /echo", all()),
        ("get /page", all()),
        ("get /elsewhere", all()),
        ("get /echo --output json", all()),
        ("get /page --auth basic", of_password()),
        ("get /echo --auth basic --output json", of_password()),
        ("post /echo {}", all()),
        ("delete /page --output json", all()),
        ("patch /etag {}", all()),
        ("patch /etag {} --output json", all()),
        ("members /links --fetch", all()),
        ("members /links --fetch --output json --auth basic", of_password()),
        ("tree /links", all()),
        ("whoami", all()),
        ("sessions", all()),
        ("login", all()),
        ("get /echo /page", [encodings(PASSWORD), encodings(TOKEN)].concat()),
        ("logout", encodings(TOKEN)),
    ] {
        let mut command = redfish(line.split(' '));
        command.args(["--trace", "-s", &url, "-u", "admin"]);
        command.env("REDFISH_PASSWORD", PASSWORD).env("REDFISH_STATE_DIR", directory.path().join("state"));
        is_clean(&run(&mut command), &hidden, line);
    }
}

#[test]
fn a_monitor_is_printed_unchanged_and_redacted_in_errors() {
    let url = echo();
    for args in [&[][..], &["--output", "json"]] {
        let mut command =
            redfish(["delete", "/monitor", "--wait", "--deadline", "0.3", "--trace", "-s", &url]);
        let done = run(command.args(args).env("REDFISH_TOKEN", TOKEN)).exits(5);
        assert!(done.out.contains(&encodings(TOKEN)[1]) && done.err.contains("/monitor/"), "{}", done.err);
        is_clean(&Done { out: String::new(), ..done }, &encodings(TOKEN), "delete");
    }
}

#[test]
fn a_bearer_token_is_redacted() {
    let url = echo();
    for line in ["get /echo", "get /page --output json", "whoami"] {
        let mut command = redfish(line.split(' '));
        command.args(["--trace", "-s", &url]).env("REDFISH_TOKEN", TOKEN);
        is_clean(&run(&mut command), &encodings(TOKEN), line);
    }
}

#[test]
fn a_password_of_any_characters_logs_in_and_is_redacted() {
    let settings = redfish_mock::Settings { password: PASSWORD.into(), ..redfish_mock::Settings::default() };
    let bench = Bench::with(settings);
    let file = bench.file("password", format!("{PASSWORD}\n"));
    for args in [
        vec!["get", "/redfish/v1/Systems"],
        vec!["get", "/redfish/v1/Systems", "--auth", "basic"],
        vec!["login"],
    ] {
        let mut command = bench.command(&args);
        command.args(["-u", "admin", "--password-file", &file, "--trace"]);
        let done = run(&mut command).exits(0);
        is_clean(&done, &of_password(), args[0]);
    }
    let token = std::fs::read_to_string(&bench.saved_sessions()[0]).unwrap();
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let done = run(&mut bench.command(["sessions", "--trace"])).exits(0);
    assert!(!format!("{}{}", done.out, done.err).contains(token["token"].as_str().unwrap()));
}

#[test]
fn a_secret_in_a_request_body_is_redacted() {
    let url = echo();
    let body = serde_json::json!({"UserName": "new", "Password": PASSWORD}).to_string();
    let done = run(redfish(["post", "/echo", &body, "--trace", "-s", &url]).env("REDFISH_TOKEN", TOKEN));
    is_clean(&done, &encodings(PASSWORD), "post");
}

#[test]
fn a_secret_of_a_request_is_redacted_in_every_text_about_its_outcome() {
    let service = Canned::new(&[
        (
            "PATCH /part",
            "200\n\n{\"A\": {\"echoed-word\": {\"B@Message.ExtendedInfo\": [{\"MessageId\": \"Base.1.8.PropertyUnknown\"}]}}}",
        ),
        ("POST /created", "201\nLocation: /created/echoed-word\n\n{\"Id\": \"1\"}"),
        ("POST /accepted", "202\nLocation: /monitor/echoed-word"),
        ("GET /monitor/echoed-word", "401"),
        ("GET /changed", "200\nETag: \"echoed-word\"\n\n{}"),
        ("PATCH /changed", "412"),
    ]);
    let body = "{\"NewPassword\": \"echoed-word\"}";
    for (args, status) in [
        (vec!["patch", "/part", "{\"NewPassword\": \"echoed-word\", \"B\": 1}", "--no-match"], 1),
        // A message about another member is a notice.
        (vec!["patch", "/part", body, "--no-match"], 0),
        (vec!["post", "/created", body], 0),
        (vec!["post", "/accepted", body, "--wait"], 5),
        (vec!["patch", "/changed", body], 1),
    ] {
        for output in ["text", "json"] {
            let done = run(service.command(args.clone()).args(["--output", output])).exits(status);
            assert!(!done.err.contains("echoed-word"), "{args:?}: {}", done.err);
            assert!(done.err.contains("[redacted]"), "{args:?}: {}", done.err);
        }
    }
}
