//! A service that echoes every secret, in every encoding and in every place. No secret may be shown.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::response;
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest};
use redfish_proto::ops::{Actions, Get, GetPage, IfMatch, Invoke, Monitor, Raw, Write};
use redfish_proto::{Body, Credentials, Error, Service, Session};
use redfish_testkit::client::{Client, FakeTransport};
use serde_json::{Map, Value, json};

const USER: &str = "adm\"in";
const PASSWORD: &str = "canary \"pä%ss\\word' <1>";
const NEW_PASSWORD: &str = "canary & new";
const TOKEN: &str = "canary-token-of-the-session";
const OLD_TOKEN: &str = "canary-token-from-before";

/// The encodings of a secret that a service may echo.
fn forms(secret: &str) -> Vec<String> {
    let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    let html =
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;").replace('\'', "&#x27;");
    let form = percent.replace("%20", "+");
    let quoted = json[1..json.len() - 1].to_owned();
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let mut forms = vec![secret.to_owned(), percent.clone(), percent.to_lowercase(), form, quoted, html];
    forms.extend([hex.to_uppercase(), hex, STANDARD.encode(secret)]);
    if secret == PASSWORD {
        forms.push(STANDARD.encode(format!("{USER}:{secret}")));
    }
    forms
}

/// Responses, each with status, headers and body. The last one comes first.
type Answers = Vec<(u16, Vec<(&'static str, String)>, String)>;

/// Sends the responses, and keeps everything that may be logged.
struct Echo {
    answers: Answers,
    shown: String,
}

impl FakeTransport for Echo {
    fn exchange(
        &mut self,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, Result<Bytes, Failure>), Failure> {
        self.shown += &format!("{outgoing}\n{outgoing:?}\n{:?}\n", outgoing.body());
        let (status, headers, body) = match outgoing.request.body().bytes() {
            Some(body) if body.starts_with(b"{\"UserName\"") => {
                let uri = "/redfish/v1/SessionService/Sessions/1".to_owned();
                (201, vec![("x-auth-token", TOKEN.to_owned()), ("location", uri)], String::new())
            }
            _ if outgoing.request.uri().path() == "/redfish/v1/" => (404, Vec::new(), String::new()),
            _ => self.answers.pop().unwrap_or((404, Vec::new(), String::new())),
        };
        let mut answer = http::Response::builder().status(status);
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                answer = answer.header(name, value);
            }
        }
        Ok((answer.body(()).unwrap().into_parts().0, Ok(body.into())))
    }

    fn wait(&mut self, _: std::time::Duration) {}

    fn now(&self) -> Now {
        Now::default()
    }
}

/// A client that logs in after its first token was refused, and knows both tokens.
fn client(answers: Answers) -> Client<Echo> {
    let service = Arc::new(Service::new("https://bmc").unwrap());
    let old = Session::from_token(&service, OLD_TOKEN, None).unwrap();
    let credentials = Arc::new(Credentials::new(USER, PASSWORD));
    let authenticator = Authenticator::session(Arc::clone(&service), credentials, Some(old.clone()));
    let mut client =
        Client { service, authenticator, transport: Echo { answers: Vec::new(), shown: String::new() } };
    let unauthorized = client.service.call(Raw::get(&client.service.target("/x").unwrap()));
    client.transport.answers = vec![(200, Vec::new(), "{}".into()), (401, Vec::new(), String::new())];
    client.drive(unauthorized).unwrap();
    let session = client.session(&SessionRequest::any()).unwrap().unwrap().session().unwrap();
    assert!(session != old && session.token() == TOKEN);
    client.transport.answers = answers;
    client
}

fn check(error: &Error, shown: &str, context: &str) {
    let all =
        format!("{error}\n{error:?}\n{:?}\n{}\n{:?}\n{shown}", error.messages(), error.hint(), error.kind());
    for secret in [PASSWORD, NEW_PASSWORD, TOKEN, OLD_TOKEN] {
        for form in forms(secret) {
            assert!(!all.contains(&form), "{context}: {form} in\n{all}");
        }
    }
    assert!(!all.contains("canary"), "{context}:\n{all}");
}

#[test]
fn no_secret_is_shown_wherever_a_service_echoes_it() {
    let mut tried = 0;
    for secret in [PASSWORD, TOKEN, OLD_TOKEN, NEW_PASSWORD] {
        for form in forms(secret) {
            let message = json!({"MessageId": form, "Message": form, "MessageArgs": [form, {"a": form}],
                "Severity": form, "Resolution": form, "RelatedProperties": [form]});
            let bodies = [
                json!({"error": {"code": form, "message": form, "@Message.ExtendedInfo": [message]}})
                    .to_string(),
                json!({"error": {"code": form, "message": form}}).to_string(),
                json!({"@Message.ExtendedInfo": message}).to_string(),
                format!("<html><body>{form}</body></html>"),
                format!("{{\"error\": {form}"),
                form.clone(),
            ];
            for body in bodies {
                for status in [400, 403, 500, 503] {
                    let mut client = client(vec![(status, Vec::new(), body.clone())]);
                    let target = client.service.target("/redfish/v1/x").unwrap();
                    let change = Body::json(&json!({"Password": NEW_PASSWORD})).unwrap();
                    let error = client.run(Write::patch(&target, change)).unwrap_err();
                    check(&error, &client.transport.shown, &body);
                    tried += 1;
                }
            }
            for (status, headers) in [
                (302, vec![("location", format!("https://evil/{form}"))]),
                (302, vec![("location", format!("/redfish/v1/y?{form}"))]),
                (307, vec![("location", String::new()), ("x-echo", form.clone())]),
                (202, vec![("location", format!("https://evil/{form}"))]),
            ] {
                let mut client = client(vec![(status, headers, String::new())]);
                let target = client.service.target("/redfish/v1/x").unwrap();
                let change = Body::json(&json!({"Password": NEW_PASSWORD})).unwrap();
                let error = client.run(Write::patch(&target, change).if_match(IfMatch::None)).unwrap_err();
                check(&error, &client.transport.shown, "a header");
                tried += 1;
            }
            tried += echoed_by_operations(&form);
        }
    }
    println!("{tried} echoes");
    assert!(tried > 500);
}

/// Echoes in the errors of operations: links, names, states, JSON pointers.
fn echoed_by_operations(form: &str) -> usize {
    let answer = |body: Value| vec![(200, Vec::new(), body.to_string())];
    let password =
        Map::from_iter([("Password".to_owned(), json!(NEW_PASSWORD)), ("T".to_owned(), json!("x"))]);
    let mut errors = Vec::new();
    {
        let mut run = |answers, run_operation: &dyn Fn(&mut Client<Echo>) -> Result<(), Error>| {
            let mut client = client(answers);
            let error = run_operation(&mut client).unwrap_err();
            errors.push((error, client.transport.shown));
        };
        let target = |client: &Client<Echo>| client.service.target("/redfish/v1/x").unwrap();
        run(answer(json!({"Members": [], "Members@odata.nextLink": format!("https://evil/{form}")})), &|c| {
            c.run(GetPage::first(target(c)))?.next.map(drop)
        });
        run(answer(json!({(form): {"n": "x"}})), &|c| {
            c.run(Get::<std::collections::HashMap<String, Map<String, Value>>>::new(target(c))).map(drop)?;
            c.transport.answers = answer(json!({(form): form}));
            c.run(Get::<std::collections::HashMap<String, u32>>::new(target(c))).map(drop)
        });
        run(answer(json!({"Actions": {(form): {"target": "/y"}}})), &|c| {
            c.run(Invoke::new(target(c), "Other", Map::new())).map(drop)
        });
        run(
            answer(json!({"Actions": {"#A": {"target": "/y", "T@Redfish.AllowableValues": [form]}}})),
            &|c| c.run(Invoke::new(target(c), "A", password.clone())).map(drop),
        );
        run(answer(json!({"Actions": {"#A": {"target": format!("https://evil/{form}")}}})), &|c| {
            c.run(Actions::new(target(c)))?.into_iter().try_for_each(|action| action.target.map(drop))
        });
        let task = json!({"@odata.type": "#Task.v1_4_0.Task", "TaskState": "Exception",
            "Messages": [{"Message": form, "MessageId": form}]});
        run(answer(task), &|c| match c.run(Monitor::new(target(c)).watch())? {
            redfish_proto::ops::TaskOutcome::Failed(error) => Err(error),
            redfish_proto::ops::TaskOutcome::Completed(_) => Ok(()),
        });
    }
    // A form of the new password is a secret only to the calls that send it.
    let known = [PASSWORD, TOKEN, OLD_TOKEN].iter().any(|secret| forms(secret).iter().any(|f| f == form));
    errors.iter().filter(|_| known).for_each(|(error, shown)| check(error, shown, form));
    errors.len()
}

/// Sets a secret by members with several names, as values of several forms.
#[test]
fn no_secret_that_a_request_sets_is_shown() {
    let shapes: [fn(&str) -> Value; 4] = [
        |s| json!(s),
        |s| json!([s, {"Value": s}]),
        |s| json!({"Nested": {"Deep": s}}),
        |s| json!({"Oem": [[s]]}),
    ];
    let names = [
        "Password",
        "NewPassword",
        "SessionAccountPassword",
        "AuthenticationKey",
        "EncryptionKey",
        "CommunityString",
        "Passphrase",
        "PrivateKey",
        "SharedSecret",
        "PIN",
        "X-Auth-Token",
        "HttpHeaders",
    ];
    let mut tried = 0;
    for name in names {
        for shape in shapes {
            let body = json!({(name): shape(NEW_PASSWORD), "PasswordName": "an open text"});
            for form in forms(NEW_PASSWORD) {
                for body in [body.to_string(), body.to_string().replace("ord\"", "\\u006frd\"")] {
                    let answer = json!({"error": {"message": form}, "echo": "an open text"}).to_string();
                    let mut client = client(vec![(400, Vec::new(), answer)]);
                    let target = client.service.target("/redfish/v1/x").unwrap();
                    let error = client.run(Write::patch(&target, Body::from(body.into_bytes()))).unwrap_err();
                    check(&error, &client.transport.shown, name);
                    assert!(client.transport.shown.contains("an open text"), "{}", client.transport.shown);
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} bodies");
    assert!(tried > 500);
}

/// Logs out of a session and of one that it replaced, at a service that echoes the token of the other.
#[test]
fn no_token_of_another_session_is_shown_by_a_logout() {
    let mut client = client(Vec::new());
    for (used, echoed) in [(TOKEN, OLD_TOKEN), (OLD_TOKEN, TOKEN)] {
        client.transport.answers = vec![(403, Vec::new(), json!({"error": {"message": echoed}}).to_string())];
        let logout = client.authenticator.close().unwrap();
        let error = client.drive(logout).unwrap_err();
        assert!(error.to_string().contains("403"), "{error}");
        check(&error, &client.transport.shown, used);
    }
    assert!(client.authenticator.close().is_none());
}

/// Watches an accepted write whose final response echoes the secret that it set.
#[test]
fn no_secret_of_a_write_is_shown_by_its_monitor() {
    let accepted =
        (202, vec![("location", "/redfish/v1/TaskService/TaskMonitors/1".to_owned())], "{}".to_owned());
    for form in forms(NEW_PASSWORD) {
        let refused = (400, Vec::new(), json!({"error": {"message": form}}).to_string());
        let mut client = client(vec![refused, accepted.clone()]);
        let target = client.service.target("/redfish/v1/x").unwrap();
        let change = Body::json(&json!({"Password": NEW_PASSWORD})).unwrap();
        let Ok(redfish_proto::ops::Outcome::Accepted(monitor)) = client.run(Write::patch(&target, change))
        else {
            panic!()
        };
        let Ok(redfish_proto::ops::TaskOutcome::Failed(error)) = client.run(monitor.watch()) else {
            panic!()
        };
        check(&error, &client.transport.shown, &form);
    }
}

/// A login whose response echoes the token that it returns.
#[test]
fn no_token_in_the_response_of_its_login_is_shown() {
    let service = Arc::new(Service::new("https://bmc").unwrap());
    let sessions = service.target("/redfish/v1/SessionService/Sessions").unwrap();
    for (status, location) in [(403, TOKEN), (201, TOKEN), (201, PASSWORD)] {
        let login = redfish_proto::ops::Login::new(Arc::new(Credentials::new(USER, PASSWORD)))
            .collection(sessions.clone());
        let redfish_proto::driver::Step::Send(_, reply) = service.call(login).start(Now::default()) else {
            panic!()
        };
        let path: String = location.bytes().map(|b| format!("%{b:02x}")).collect();
        let mut answer = http::Response::builder().status(status);
        answer = answer.header("location", format!("/redfish/v1/SessionService/Sessions/{path}"));
        if location == TOKEN {
            answer = answer.header("x-auth-token", TOKEN);
        }
        let (head, ()) = answer.body(()).unwrap().into_parts();
        let body = json!({"error": {"message": location}}).to_string();
        let mut shown =
            format!("{} {}", reply.response_head(&head), reply.response_head(&head).body(body.as_bytes()));
        let step = reply.receive(head, Ok(body.into()), Now::default());
        shown += &format!("{step:?}");
        if let redfish_proto::driver::Step::Done(Ok(opened)) = step {
            shown += &format!("{:?}", opened.into_session());
        }
        assert!(
            !shown.contains("canary") && !shown.contains("63616e617279") && !shown.contains("%63%61"),
            "{shown}"
        );
    }
}
