//! Tests of calls that a transcript cannot express: exact headers, exact times, and what is safe to log.

mod common;
#[path = "call/messages.rs"]
mod messages;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use redfish_proto::driver::{
    Authenticator, BodyMode, Failure, Outgoing, Phase, Purpose, SessionRequest, SessionSource, Step,
};
use redfish_proto::ops::{Login, Raw};
use redfish_proto::reason::RedirectError;
use redfish_proto::{
    Answer, Auth, Body, Call, Credentials, Error, ErrorKind, Identity, Operation, Request, Retry, Service,
    Session, Transition,
};

use common::{START, at, failed, head, sent, service};

fn raw(service: &Arc<Service>, method: Method) -> Call<Raw> {
    let target = service.target("/redfish/v1/x").unwrap();
    service.call(Raw::new(method, &target)).with_identity(Identity::anonymous(service))
}

/// An operation that sends the given request.
struct SendRequest(Request);

impl Operation for SendRequest {
    type Output = StatusCode;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(answer.status()))
    }
}

/// An operation that returns the `Debug` text of the response.
struct DebugResponse(Request);

impl Operation for DebugResponse {
    type Output = String;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(format!("{answer:?}")))
    }
}

fn headers(outgoing: &Outgoing) -> Vec<String> {
    let line =
        |(name, value): (&header::HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    outgoing.request.headers().iter().map(line).collect()
}

#[test]
fn a_redirect_moves_a_repeatable_delete_but_not_a_logout() {
    let service = service();
    let location = [("location", "/redfish/v1/elsewhere")];
    let delete = Request::delete(&service.target("/redfish/v1/x").unwrap()).retry(Retry::Always);
    let (_, reply) = sent(service.call(SendRequest(delete)).start(START));
    let (moved, _) = sent(reply.receive(head(307, &location), Ok("".into()), START));
    assert_eq!(moved.request.uri().path(), "/redfish/v1/elsewhere");

    let session = Session::from_token(&service, "t0ken", Some("/redfish/v1/Sessions/1")).unwrap();
    let (_, reply) = sent(session.logout(&service).start(START));
    let error = failed(reply.receive(head(307, &location), Ok("".into()), START));
    assert!(matches!(error.kind(), ErrorKind::Redirect { .. }), "{error}");
}

#[test]
fn logins_and_logouts_have_their_own_purpose() {
    let service = service();
    let session = Session::from_token(&service, "t0ken", Some("/redfish/v1/Sessions/1")).unwrap();
    for (method, purpose) in
        [(Method::GET, Purpose::Read), (Method::PATCH, Purpose::Write), (Method::DELETE, Purpose::Write)]
    {
        assert_eq!(sent(raw(&service, method).start(START)).0.purpose, purpose);
    }
    assert_eq!(sent(session.logout(&service).start(START)).0.purpose, Purpose::Session);
    let sessions = service.target("/redfish/v1/SessionService/Sessions").unwrap();
    let login = Login::new(Arc::new(Credentials::new("admin", "pw"))).collection(sessions);
    assert_eq!(sent(service.call(login).start(START)).0.purpose, Purpose::Session);
}

#[test]
fn a_request_has_exactly_these_headers() {
    let service = service();
    let session = Session::from_token(&service, "t0ken", None).unwrap();
    let target = service.target("/redfish/v1/x").unwrap();
    let framed = |raw: Raw| headers(&sent(service.call(raw).with_identity(session.clone()).start(START)).0);
    let common = [
        "host: bmc:8443".to_owned(),
        format!("user-agent: redfish-proto/{}", env!("CARGO_PKG_VERSION")),
        "odata-version: 4.0".to_owned(),
        "accept: application/json".to_owned(),
        "accept-encoding: gzip".to_owned(),
    ];
    let with = |more: &[&str]| {
        let more = more.iter().map(ToString::to_string);
        common.iter().cloned().chain(more).collect::<Vec<_>>()
    };
    assert_eq!(framed(Raw::new(Method::GET, &target)), with(&["x-auth-token: t0ken"]));
    assert_eq!(framed(Raw::new(Method::DELETE, &target)), with(&["x-auth-token: t0ken"]));
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        // Some services answer 411 to a write without a length, and to a chunked one.
        let empty = framed(Raw::new(method, &target));
        assert_eq!(empty, with(&["content-length: 0", "x-auth-token: t0ken"]));
    }
    let mut with_body = framed(Raw::new(Method::DELETE, &target).json(Body::from(b"{}".to_vec())));
    with_body.sort();
    let mut expected = with(&["content-length: 2", "content-type: application/json", "x-auth-token: t0ken"]);
    expected.sort();
    assert_eq!(with_body, expected);
}

#[test]
fn a_stream_is_neither_compressed_nor_buffered() {
    let service = service();
    let request = Request::get(&service.target("/events").unwrap()).body_mode(BodyMode::Streamed);
    let (outgoing, _) = sent(service.call(SendRequest(request)).start(START));
    assert_eq!(outgoing.request.headers()[header::ACCEPT_ENCODING], "identity");
    assert_eq!(outgoing.limits.body_limit(StatusCode::OK), None);
    assert_eq!(outgoing.limits.body_limit(StatusCode::NOT_FOUND), Some(32 << 20));
    let (outgoing, _) = sent(raw(&service, Method::GET).start(START));
    assert_eq!(outgoing.limits.body_limit(StatusCode::OK), Some(32 << 20));
}

#[test]
fn reserved_headers_are_refused() {
    let service = service();
    let target = service.target("/x").unwrap();
    for (name, value) in [
        (header::AUTHORIZATION, "Basic x"),
        (header::HOST, "evil"),
        (header::COOKIE, "a=b"),
        (header::TRANSFER_ENCODING, "chunked"),
        (header::HeaderName::from_static("x-auth-token"), "t"),
        (header::HeaderName::from_static("x-requested-with"), "x"),
        (header::ACCEPT, "application/json, text/HTML"),
    ] {
        let request = Request::get(&target).header(name.clone(), HeaderValue::from_static(value));
        let error = failed(service.call(SendRequest(request)).start(START));
        assert_eq!(*error.kind(), ErrorKind::ReservedHeader(name));
    }
}

#[test]
fn a_session_of_another_service_is_refused() {
    let service = service();
    let other = Arc::new(Service::new("bmc:8444").unwrap());
    let foreign = Session::from_token(&other, "t", None).unwrap();
    let target = service.target("/x").unwrap();
    let call = service.call(Raw::get(&target)).with_identity(foreign.clone());
    assert_eq!(*failed(call.start(START)).kind(), ErrorKind::ForeignSession);
    let Step::Session(_, reply) = service.call(Raw::get(&target)).start(START) else {
        panic!("expected a session request")
    };
    assert_eq!(*failed(reply.give(Ok(foreign.into()), START)).kind(), ErrorKind::ForeignSession);
}

#[test]
fn the_same_session_is_not_tried_twice() {
    let service = service();
    let session = Session::from_token(&service, "t", None).unwrap();
    let target = service.target("/x").unwrap();
    let Step::Session(_, reply) = service.call(Raw::get(&target)).start(START) else {
        panic!("expected a session request")
    };
    let (_, reply) = sent(reply.give(Ok(session.clone().into()), START));
    let Step::Session(request, reply) = reply.receive(head(401, &[]), Ok(Bytes::new()), START) else {
        panic!("expected a session request")
    };
    assert_eq!(request.rejected(), Some(&session.clone().into()));
    assert_eq!(*failed(reply.give(Ok(session.into()), START)).kind(), ErrorKind::NotAuthenticated);
}

#[test]
fn an_exchange_is_limited_to_the_remaining_time() {
    let service = service();
    let (outgoing, reply) = sent(raw(&service, Method::GET).deadline(Duration::from_secs(40)).start(START));
    assert_eq!(outgoing.limits.timeout, Duration::from_secs(30));
    // The first timeout leaves ten seconds, the second leaves no time.
    let (outgoing, reply) = sent(reply.fail(Failure::TimedOut, at(30)));
    assert_eq!(outgoing.limits.timeout, Duration::from_secs(10));
    let error = failed(reply.fail(Failure::TimedOut, at(40)));
    assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Answer));
}

#[test]
fn a_failure_before_the_deadline_is_reported_unchanged() {
    let service = service();
    let call = raw(&service, Method::GET).deadline(Duration::from_secs(40));
    let (_, mut reply) = sent(call.start(START));
    let error = loop {
        reply = match reply.fail(Failure::TimedOut, at(1)) {
            Step::Send(_, reply) => reply,
            Step::Wait(time, timer) => sent(timer.fire(at(1).after(time))).1,
            Step::Done(result) => break result.unwrap_err(),
            Step::Session(..) => panic!("unexpected session request"),
        };
    };
    assert_eq!(*error.kind(), ErrorKind::Transport(Failure::TimedOut));
    // Another failure than a timeout is never reported as the deadline.
    let call = raw(&service, Method::GET).deadline(Duration::from_secs(40));
    let error = failed(sent(call.start(START)).1.fail(Failure::Broken, at(40)));
    assert_eq!(*error.kind(), ErrorKind::Transport(Failure::Broken));
}

#[test]
fn a_wait_up_to_the_deadline_is_not_started() {
    let service = service();
    for (deadline, waits) in [(5, false), (6, true)] {
        let call = raw(&service, Method::GET).deadline(Duration::from_secs(deadline));
        let (_, reply) = sent(call.start(START));
        let step = reply.receive(head(503, &[("retry-after", "5")]), Ok(Bytes::new()), START);
        assert_eq!(matches!(step, Step::Wait(..)), waits, "{deadline}");
    }
}

#[test]
fn a_timer_that_fires_early_waits_for_the_rest() {
    let service = service();
    let (_, reply) = sent(raw(&service, Method::GET).start(START));
    let step = reply.receive(head(503, &[("retry-after", "5")]), Ok(Bytes::new()), START);
    let Step::Wait(time, timer) = step else { panic!("expected a wait") };
    assert_eq!(time, Duration::from_secs(5));
    let Step::Wait(rest, timer) = timer.fire(at(2)) else { panic!("expected the rest of the wait") };
    assert_eq!(rest, Duration::from_secs(3));
    let (_, _reply) = sent(timer.fire(at(5)));
}

#[test]
fn a_303_does_not_change_a_head_request() {
    let service = service();
    let (_, reply) = sent(raw(&service, Method::HEAD).start(START));
    let (outgoing, _) = sent(reply.receive(head(303, &[("location", "/y")]), Ok(Bytes::new()), START));
    assert_eq!((outgoing.request.method(), outgoing.request.uri().path()), (&Method::HEAD, "/y"));
}

#[test]
fn loggable_texts_contain_no_secret() {
    let service = service();
    let credentials = Arc::new(Credentials::new("admin", "canary word"));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials, None);
    let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected a login")
    };
    let (_, reply) = sent(login.start(START));
    let (outgoing, reply) = sent(reply.receive(head(404, &[]), Ok(Bytes::new()), START));
    let answer = head(
        201,
        &[
            ("x-auth-token", "canary-token"),
            ("set-cookie", "sid=canary"),
            ("location", "/redfish/v1/SessionService/Sessions/1?canary%20word"),
        ],
    );
    let response_head = reply.response_head(&answer);
    let body = response_head.body(br#"{"Password": "canary too", "Echo": "canary word"}"#);
    let logged = format!("{outgoing}{outgoing:?}{response_head}{response_head:?}{body}{:?}", outgoing.body());
    assert!(!logged.contains("canary"), "{logged}");
    for line in
        ["< 201 Created", "> POST https://bmc:8443/", "> host: bmc:8443", "< x-auth-token: [redacted]"]
    {
        assert_eq!(logged.matches(line).count(), 2, "{line} in\n{logged}");
    }
    assert_eq!(body, r#"{"Password": "[redacted]", "Echo": "[redacted]"}"#);
    assert_eq!(response_head.status(), 201);
}

#[test]
fn a_session_opened_after_close_is_closed_by_another_close() {
    let service = service();
    let credentials = Arc::new(Credentials::new("admin", "pw-of-admin"));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials, None);
    let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected a login")
    };
    assert!(authenticator.close().is_none());
    let accepted = authenticator.accept(opened(login));
    assert_eq!(*accepted.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(*authenticator.renew(&SessionRequest::any()).unwrap_err().kind(), ErrorKind::Closed);
    let (outgoing, _) = sent(authenticator.close().expect("a logout").start(START));
    assert_eq!(outgoing.request.method(), Method::DELETE);
    assert!(authenticator.close().is_none());
}

#[test]
fn replaced_credentials_close_the_session_of_the_former() {
    let service = service();
    let credentials = |user: &str| Arc::new(Credentials::new(user, "a password"));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials("one"), None);
    let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected a login")
    };
    let session = authenticator.accept(opened(login)).unwrap();
    assert_eq!(authenticator.current(), Some(session.clone()));
    let logout = authenticator.replace(credentials("two")).expect("a logout");
    assert_eq!(sent(logout.start(START)).0.request.headers()["x-auth-token"], "t1");
    assert_eq!(authenticator.current(), None);
    let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected a login")
    };
    let (outgoing, _) = sent(login.start(START));
    assert!(outgoing.body().unwrap().contains("\"two\""));
}

#[test]
fn a_rejection_is_kept_until_the_credentials_are_replaced() {
    let service = service();
    let credentials = || Arc::new(Credentials::new("admin", "a password"));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials(), None);
    for status in [403, 401] {
        let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
            panic!("{status} was kept")
        };
        let (_, reply) = sent(login.start(START));
        let (_, reply) = sent(reply.receive(head(404, &[]), Ok(Bytes::new()), START));
        let Step::Done(login) = reply.receive(head(status, &[]), Ok(Bytes::new()), START) else {
            panic!("expected the end of the call")
        };
        authenticator.accept(login).unwrap_err();
    }
    let error = authenticator.renew(&SessionRequest::any()).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (&ErrorKind::NotAuthenticated, Some(StatusCode::UNAUTHORIZED))
    );
    assert!(authenticator.replace(credentials()).is_none());
    assert!(matches!(authenticator.renew(&SessionRequest::any()), Ok(SessionSource::Login(_))));
}

#[test]
fn a_resumed_session_also_redacts_the_password() {
    let service = service();
    let session = Session::from_token(&service, "t0ken", None).unwrap();
    let credentials = Arc::new(Credentials::new("admin", "canary word"));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials, Some(session));
    let Ok(SessionSource::Ready(session)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected the resumed session")
    };
    let call = service.call(Raw::get(&service.target("/x").unwrap())).with_identity(session);
    let (_, reply) = sent(call.start(START));
    let error = failed(reply.receive(head(400, &[]), Ok("not canary word".into()), START));
    assert!(error.to_string().contains("not [redacted]"), "{error}");
}

/// Runs a successful login at the service's default URI.
fn opened(login: Call<Login>) -> Result<redfish_proto::ops::Opened, Error> {
    let (_, mut reply) = sent(login.start(START));
    loop {
        reply = match reply.receive(
            head(201, &[("x-auth-token", "t1"), ("location", "/redfish/v1/SessionService/Sessions/1")]),
            Ok("{}".into()),
            START,
        ) {
            Step::Send(_, reply) => reply,
            Step::Done(result) => return result,
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn a_consumed_payload_follows_no_redirect_except_a_303() {
    let service = service();
    let target = service.target("/push").unwrap();
    let payload = redfish_proto::driver::Payload { length: 10, replayable: false };
    let push = || SendRequest(Request::post(&target).body(Body::around("", payload, "")));
    let (outgoing, reply) = sent(service.call(push()).start(START));
    assert_eq!(outgoing.request.headers()[header::EXPECT], "100-continue");
    let error = failed(reply.receive(head(307, &[("location", "/push2")]), Ok(Bytes::new()), START));
    assert!(matches!(error.kind(), ErrorKind::Redirect { reason: RedirectError::PayloadConsumed, .. }));
    let (_, reply) = sent(service.call(push()).start(START));
    let (outgoing, _) = sent(reply.receive(head(303, &[("location", "/done")]), Ok(Bytes::new()), START));
    assert_eq!((outgoing.request.method(), outgoing.request.body().len()), (&Method::GET, 0));
}

#[test]
fn redirects_are_counted_per_request_of_an_operation() {
    /// Sends three requests.
    struct Steps(u32);
    impl Operation for Steps {
        type Output = ();
        fn request(&self) -> Request {
            Request::get(&service().target(&format!("/{}", self.0)).unwrap())
        }
        fn auth(&self) -> Auth {
            Auth::None
        }
        fn respond(self, _: Answer) -> Result<Transition<Self>, Error> {
            Ok(if self.0 == 3 { Transition::Done(()) } else { Transition::Next(Steps(self.0 + 1)) })
        }
    }
    // Each request has three redirects, within the limit of five; all nine would exceed it.
    let mut step = service().call(Steps(1)).start(START);
    for number in 1..=3 {
        for hop in ["a", "b", "c"] {
            let (_, reply) = sent(step);
            step = reply.receive(
                head(307, &[("location", &format!("/{number}{hop}"))]),
                Ok(Bytes::new()),
                START,
            );
        }
        let (outgoing, reply) = sent(step);
        assert_eq!(outgoing.request.uri().path(), format!("/{number}c"));
        step = reply.receive(head(200, &[]), Ok(Bytes::new()), START);
    }
    assert!(matches!(step, Step::Done(Ok(()))), "{step:?}");
}

#[test]
fn a_session_request_has_the_remaining_time_of_its_call() {
    let service = service();
    let target = service.target("/x").unwrap();
    let call = service.call(Raw::get(&target)).deadline(Duration::from_secs(9));
    assert_eq!(format!("{call:?}"), "Call");
    let step = call.start(START);
    assert!(format!("{step:?}").starts_with("Session("), "{step:?}");
    let Step::Session(request, _reply) = step else { panic!("expected a session request") };
    assert_eq!(request.remaining(at(4)), Some(Duration::from_secs(5)));
    assert_eq!(request.remaining(at(10)), Some(Duration::ZERO));
    assert_eq!(*request.expired().kind(), ErrorKind::Deadline(Phase::Session));
    assert_eq!(SessionRequest::any().remaining(START), None);
}

#[test]
fn no_operation_outlives_its_deadline() {
    /// Continues after every response and failure.
    struct Forever;
    impl Operation for Forever {
        type Output = ();
        fn request(&self) -> Request {
            Request::get(&service().target("/x").unwrap())
        }
        fn auth(&self) -> Auth {
            Auth::None
        }
        fn respond(self, _: Answer) -> Result<Transition<Self>, Error> {
            Ok(Transition::Next(self))
        }
        fn fail(self, _: Error) -> Result<Transition<Self>, Error> {
            Ok(Transition::Next(self))
        }
    }
    let (_, reply) = sent(service().call(Forever).deadline(Duration::from_secs(20)).start(START));
    let error = failed(reply.fail(Failure::TimedOut, at(20)));
    assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Answer));
}

#[test]
fn the_former_password_is_still_redacted() {
    let service = service();
    let credentials = |password: &str| Arc::new(Credentials::new("admin", password));
    let mut authenticator = Authenticator::session(Arc::clone(&service), credentials("canary one"), None);
    assert!(authenticator.replace(credentials("canary two")).is_none());
    let Ok(SessionSource::Login(login)) = authenticator.renew(&SessionRequest::any()) else {
        panic!("expected a login")
    };
    let (_, reply) = sent(login.start(START));
    let (_, reply) = sent(reply.receive(head(404, &[]), Ok(Bytes::new()), START));
    let error = failed(reply.receive(head(403, &[]), Ok("canary two, formerly canary one".into()), START));
    assert!(error.to_string().contains("[redacted], formerly [redacted]"), "{error}");
}

#[test]
fn a_response_shows_neither_headers_nor_body() {
    let service = service();
    let target = service.target("/redfish/v1/Sessions/1").unwrap();
    let (_, reply) = sent(service.call(DebugResponse(Request::get(&target))).start(START));
    let body = Ok(Bytes::from_static(b"{\"Password\": \"hunter2hunter2\"}"));
    match reply.receive(head(200, &[("x-odd", "hunter2hunter2")]), body, START) {
        Step::Done(Ok(shown)) => assert!(shown.contains("200") && !shown.contains("hunter2"), "{shown}"),
        other => panic!("{other:?}"),
    }
}
