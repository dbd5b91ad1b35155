//! What follows a 401: the check of the session, logins, replays, and logouts at the end.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, response};
use redfish_proto::driver::{Authenticator, Failure, Now, Purpose, SessionRequest, SessionSource, Step};
use redfish_proto::ops::{Login, Raw};
use redfish_proto::{Call, Credentials, ErrorKind, Service, Session};

use common::{START, at, failed, head, sent, service};

const OWN: &str = "/redfish/v1/SessionService/Sessions/1";

/// A client that resumes a session.
fn resumed() -> (Arc<Service>, Authenticator, Session) {
    let service = service();
    let session = Session::from_token(&service, "t0ken", Some(OWN)).unwrap();
    let credentials = Arc::new(Credentials::new("admin", "pw"));
    let authenticator = Authenticator::session(service.clone(), credentials, Some(session));
    let session = authenticator.current().unwrap();
    (service, authenticator, session)
}

/// A read that was answered with a 401 at this time, and its session request.
fn refused_at(
    service: &Arc<Service>,
    session: &Session,
    now: Now,
) -> (SessionRequest, redfish_proto::driver::SessionReply<Raw>) {
    let target = service.target("/redfish/v1/x").unwrap();
    let Step::Session(_, reply) = service.call(Raw::get(&target)).start(now) else {
        panic!("expected a session request")
    };
    let (_, reply) = sent(reply.give(Ok(session.clone().into()), now));
    match reply.receive(head(401, &[]), Ok(Bytes::new()), now) {
        Step::Session(request, reply) => (request, reply),
        step => panic!("{step:?}"),
    }
}

fn login(renewed: SessionSource) -> Call<Login> {
    match renewed {
        SessionSource::Login(login) => login,
        renewed => panic!("{renewed:?}"),
    }
}

#[test]
fn calls_that_waited_for_a_check_share_its_outcome_and_a_later_401_is_checked_again() {
    let (service, mut authenticator, session) = resumed();
    let (first, first_reply) = refused_at(&service, &session, at(0));
    let (waiting, waiting_reply) = refused_at(&service, &session, at(1));

    let (check, reply) = sent(login(authenticator.renew(&first).unwrap()).start(at(0)));
    assert_eq!((check.request.uri().path(), check.purpose), (OWN, Purpose::Session));
    assert_eq!(check.limits.timeout, Duration::from_secs(5));
    let shown = Ok(Bytes::from(format!("{{\"@odata.id\": \"{OWN}\"}}")));
    let Step::Done(opened) = reply.receive(head(200, &[]), shown, at(2)) else {
        panic!("expected the end of the check")
    };
    let alive = authenticator.accept(opened).unwrap();
    assert!(alive == session && authenticator.current() == Some(session.clone()));

    let error = failed(first_reply.give(Ok(alive.into()), at(2)));
    assert!(error.session_alive() && *error.kind() == ErrorKind::NotAuthenticated, "{error}");
    let SessionSource::Ready(same) = authenticator.renew(&waiting).unwrap() else {
        panic!("expected the checked session")
    };
    assert!(failed(waiting_reply.give(Ok(same), at(2))).session_alive());

    let (later, _) = refused_at(&service, &session, at(3));
    assert!(matches!(authenticator.renew(&later), Ok(SessionSource::Login(_))));
}

#[test]
fn a_late_401_for_the_old_token_is_replayed_with_the_new_one_without_a_check() {
    let (service, mut authenticator, session) = resumed();
    let (first, _) = refused_at(&service, &session, at(0));
    let (late, late_reply) = refused_at(&service, &session, at(5));

    let (_, reply) = sent(login(authenticator.renew(&first).unwrap()).start(at(0)));
    let (_, reply) = sent(reply.receive(head(401, &[]), Ok(Bytes::new()), at(1)));
    assert_eq!(authenticator.current(), Some(session.clone()), "it is kept until there is another");
    let (_, reply) = sent(reply.receive(head(404, &[]), Ok(Bytes::new()), at(2)));
    let created =
        head(201, &[("x-auth-token", "new"), ("location", "/redfish/v1/SessionService/Sessions/2")]);
    let Step::Done(opened) = reply.receive(created, Ok(Bytes::new()), at(3)) else {
        panic!("expected an open session")
    };
    let new = authenticator.accept(opened).unwrap();

    let SessionSource::Ready(ready) = authenticator.renew(&late).unwrap() else {
        panic!("expected the new session")
    };
    assert_eq!(ready, new.into());
    let (replay, reply) = sent(late_reply.give(Ok(ready), at(5)));
    assert_eq!(replay.request.headers()["x-auth-token"], "new");
    // The replay is refused too: the authenticator is notified, and closes both sessions at the end.
    let Step::Session(request, reply) = reply.receive(head(401, &[]), Ok(Bytes::new()), at(6)) else {
        panic!("expected a session request")
    };
    assert!(matches!(authenticator.renew(&request), Ok(SessionSource::Unavailable)));
    assert!(failed(reply.decline(at(6))).session_alive());
    let mut closed = Vec::new();
    while let Some(logout) = authenticator.close() {
        let (delete, _) = sent(logout.start(at(7)));
        closed.push(delete.request.headers()["x-auth-token"].clone());
    }
    assert_eq!(closed, ["new", "t0ken"]);
}

#[test]
fn a_login_after_close_closes_only_its_own_session() {
    let (service, mut authenticator, session) = resumed();
    let (request, _) = refused_at(&service, &session, at(0));
    let (_, reply) = sent(login(authenticator.renew(&request).unwrap()).start(at(0)));
    assert_eq!(
        sent(authenticator.close().unwrap().start(at(0))).0.request.headers()["x-auth-token"],
        "t0ken"
    );
    let (_, reply) = sent(reply.receive(head(500, &[]), Ok(Bytes::new()), at(1)));
    let (_, reply) = sent(reply.receive(head(404, &[]), Ok(Bytes::new()), at(1)));
    let created =
        head(201, &[("x-auth-token", "new"), ("location", "/redfish/v1/SessionService/Sessions/2")]);
    let Step::Done(opened) = reply.receive(created, Ok(Bytes::new()), at(1)) else {
        panic!("expected an open session")
    };
    assert_eq!(*authenticator.accept(opened).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(sent(authenticator.close().unwrap().start(at(2))).0.request.headers()["x-auth-token"], "new");
    assert!(authenticator.close().is_none());
}

#[test]
fn a_session_can_be_checked_by_itself() {
    use redfish_proto::ops::Liveness;
    let (service, _, session) = resumed();
    for (answer, liveness) in [
        (Ok((200, r#"{"Id": "1"}"#)), Liveness::Alive),
        (Ok((403, "")), Liveness::Alive),
        (Ok((401, "")), Liveness::Dead),
        (Ok((200, r#"{"Id": "2"}"#)), Liveness::Unknown),
        (Ok((200, "<html>")), Liveness::Unknown),
        (Ok((204, "")), Liveness::Unknown),
        (Ok((404, "")), Liveness::Unknown),
        (Err(Failure::TimedOut), Liveness::Unknown),
        (Err(Failure::Broken), Liveness::Unknown),
    ] {
        let (_, reply) = sent(session.check(&service).unwrap().start(START));
        let step = match answer {
            Ok((status, body)) => reply.receive(head(status, &[]), Ok(body.into()), START),
            Err(failure) => reply.fail(failure, START),
        };
        let Step::Done(Ok(found)) = step else { panic!("{step:?}") };
        assert_eq!(found, liveness, "{answer:?}");
    }
    assert!(Session::from_token(&service, "t", None).unwrap().check(&service).is_none());
}

/// Runs a login up to this response to its POST. Other requests get a 404, and a DELETE fails.
fn posted(call: Call<Login>, answer: response::Parts, now: Now) -> Step<Login> {
    let mut step = call.start(now);
    loop {
        let (outgoing, reply) = sent(step);
        if *outgoing.request.method() == Method::POST {
            return reply.receive(answer, Ok(Bytes::new()), now);
        }
        let status = if *outgoing.request.method() == Method::DELETE { 500 } else { 404 };
        step = reply.receive(head(status, &[]), Ok(Bytes::new()), now);
    }
}

fn session_opened(number: u32) -> response::Parts {
    let uri = format!("/redfish/v1/SessionService/Sessions/{number}");
    head(201, &[("x-auth-token", &format!("token-{number}")), ("location", &uri)])
}

fn tokens_closed(authenticator: &mut Authenticator) -> Vec<String> {
    let mut closed = Vec::new();
    while let Some(logout) = authenticator.close() {
        let (delete, _) = sent(logout.start(START));
        closed.push(delete.request.headers()["x-auth-token"].to_str().unwrap().to_owned());
    }
    closed
}

#[test]
fn a_login_with_replaced_credentials_is_discarded() {
    for (answer, closed) in
        [(session_opened(7), vec!["token-8", "token-7"]), (head(401, &[]), vec!["token-8"])]
    {
        let service = service();
        let credentials = |user: &str| Arc::new(Credentials::new(user, "pw"));
        let mut authenticator = Authenticator::session(service.clone(), credentials("ada"), None);
        let first = login(authenticator.renew(&SessionRequest::any()).unwrap());
        assert!(authenticator.replace(credentials("bob")).is_none());
        let Step::Done(done) = posted(first, answer, START) else { panic!("expected the end of the login") };
        let error = authenticator.accept(done).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::CredentialsReplaced);
        assert!(authenticator.current().is_none());

        let mut step = login(authenticator.renew(&SessionRequest::any()).unwrap()).start(START);
        let mut bodies = String::new();
        let second = loop {
            let (outgoing, reply) = sent(step);
            bodies += &String::from_utf8_lossy(outgoing.request.body().bytes().unwrap());
            let answer =
                if *outgoing.request.method() == Method::POST { session_opened(8) } else { head(500, &[]) };
            let answer =
                if outgoing.request.uri().path() == "/redfish/v1/" { head(404, &[]) } else { answer };
            step = match reply.receive(answer, Ok(Bytes::new()), START) {
                Step::Done(opened) => break opened,
                step => step,
            };
        };
        authenticator.accept(second).unwrap();
        assert!(bodies.contains("bob") && !bodies.contains("ada"), "{bodies}");
        assert_eq!(tokens_closed(&mut authenticator), closed);
    }
}

#[test]
fn no_session_is_lost_if_the_service_fails_to_close_replaced_ones() {
    let (service, mut authenticator, _) = resumed();
    for number in 2..6 {
        let session = authenticator.current().unwrap();
        let (request, _) = refused_at(&service, &session, at(u64::from(number)));
        let Step::Done(done) =
            posted(login(authenticator.renew(&request).unwrap()), session_opened(number), START)
        else {
            panic!("expected an open session")
        };
        authenticator.accept(done).unwrap();
    }
    let mut closed = tokens_closed(&mut authenticator);
    closed.sort();
    assert_eq!(closed, ["t0ken", "token-2", "token-3", "token-4", "token-5"]);
}

#[test]
fn the_session_of_a_refused_login_that_is_not_closed_in_time_is_closed_later() {
    let service = service();
    let credentials = Arc::new(Credentials::new("admin", "pw"));
    let mut authenticator = Authenticator::session(service, credentials, None);
    let call = login(authenticator.renew(&SessionRequest::any()).unwrap()).deadline(Duration::from_secs(10));
    let refused = head(403, &[("x-auth-token", "t9"), ("location", "/redfish/v1/SessionService/Sessions/9")]);
    let (delete, reply) = sent(posted(call, refused, START));
    assert_eq!(delete.request.headers()["x-auth-token"], "t9");
    let Step::Done(Err(error)) = reply.fail(Failure::TimedOut, at(10)) else {
        panic!("expected the deadline")
    };
    assert!(
        *error.kind() == ErrorKind::Forbidden && error.to_string().contains("may be left open"),
        "{error}"
    );
    let _ = authenticator.accept(Err(error));
    assert_eq!(tokens_closed(&mut authenticator), ["t9"]);
}

#[test]
fn a_replay_whose_session_was_replaced_uses_the_newer_one() {
    let (service, mut authenticator, first) = resumed();
    let renew = |authenticator: &mut Authenticator, session: &Session, number, now| {
        let (request, _) = refused_at(&service, session, now);
        let Step::Done(done) =
            posted(login(authenticator.renew(&request).unwrap()), session_opened(number), now)
        else {
            panic!("expected an open session")
        };
        authenticator.accept(done).unwrap()
    };
    let (_, slow) = refused_at(&service, &first, at(0));
    let second = renew(&mut authenticator, &first, 2, at(1));
    let (_, reply) = sent(slow.give(Ok(second.clone().into()), at(2)));
    // Meanwhile another call replaces this session, which is then closed.
    let third = renew(&mut authenticator, &second, 3, at(3));
    let Step::Session(request, reply) = reply.receive(head(401, &[]), Ok(Bytes::new()), at(4)) else {
        panic!()
    };
    let Ok(SessionSource::Ready(ready)) = authenticator.renew(&request) else {
        panic!("expected the newer session")
    };
    assert_eq!(ready, third.into());
    let (replay, _) = sent(reply.give(Ok(ready), at(4)));
    assert_eq!(replay.request.headers()["x-auth-token"], "token-3");
}
