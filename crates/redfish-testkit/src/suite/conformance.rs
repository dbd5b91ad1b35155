//! What HTTP can do to a client: the table that both adapters play.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redfish_proto::driver::{Now, Trace, TransportLimits};
use redfish_proto::{Body, Credentials, Error, Policy, Service};
use redfish_tls::{Pin, Trust};

use crate::adapter::{Adapter, Builder as _, Clock, Transport as _, TransportBuilder as _};
use crate::full_text;
use crate::script::cases::{self, Case, Outcome, Trusting, Verb};
use crate::script::{Peer, Received};

suite! {
    ($) conformance:
    every_case_holds,
    nothing_is_added_to_what_the_core_sends,
}

/// A clock whose waits take no time.
struct Impatient {
    started: Instant,
    slept: Mutex<Duration>,
}

impl Clock for Impatient {
    fn now(&self) -> Now {
        Now(self.started.elapsed() + *self.slept.lock().unwrap())
    }

    fn sleep(&self, time: Duration) {
        *self.slept.lock().unwrap() += time;
    }
}

fn client<A: Adapter>(case: &Case) -> A {
    let mut policy = Policy::default();
    (policy.timeout, policy.body_limit) = (case.timeout, case.limit);
    let trust = match &case.trust {
        Trusting::System => Trust::system(),
        Trusting::Pem(pem) => Trust::system_and_pem(pem.as_bytes()).unwrap(),
        Trusting::Pinned(der) => Trust::pinned(Pin::of(der)),
    };
    let transport = A::Transport::builder()
        .trust(&trust)
        .limits(TransportLimits::default().connect_timeout(case.connect_timeout))
        .clock(Arc::new(Impatient { started: Instant::now(), slept: Mutex::default() }))
        .build();
    let builder = A::builder(Service::with_policy(case.url(), policy).unwrap()).transport(&transport);
    match case.credentials {
        true => builder.login(Credentials::new("admin", "pw")).build().unwrap(),
        false => builder.build().unwrap(),
    }
}

fn ask<A: Adapter>(client: &A, case: &Case, verb: Verb) -> Result<Vec<u8>, Error> {
    match verb {
        Verb::Send(method, path, body) => {
            let answer = client.send(method.parse().unwrap(), path, Body::from(body.as_bytes().to_vec()))?;
            Ok(answer.into_body().into())
        }
        Verb::Settle => {
            case.settle();
            Ok(Vec::new())
        }
        Verb::Session => client.session().map(|_| Vec::new()),
        Verb::Close => client.close().map(|_| Vec::new()),
    }
}

fn play<A: Adapter>(case: &Case) -> Result<(), String> {
    let client = client::<A>(case);
    let before = Instant::now();
    for asked in &case.asks {
        let outcome = match ask(&client, case, asked.verb) {
            Ok(body) => Outcome::Done(body),
            Err(error) => Outcome::Error(error.kind().name().to_owned(), full_text(&error)),
        };
        asked.check(&outcome).map_err(|problem| format!("{problem}; it was {outcome:?}"))?;
    }
    case.finish(before.elapsed())
}

fn every_case_holds<A: Adapter>() {
    let cases = cases::all().unwrap();
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| play::<A>(case).err().map(|problem| format!("{}: {problem:.500}", case.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
    println!("{} held in {} cases", A::NAME, cases.len());
}

/// What was sent, in one line for each request: method, target, headers in order of their names, body.
type Lines = Arc<Mutex<Vec<String>>>;

fn line(method: &str, target: &str, headers: impl Iterator<Item = (String, Vec<u8>)>, body: &[u8]) -> String {
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    headers.sort();
    format!("{method} {target} {headers:?} {body:?}")
}

fn nothing_is_added_to_what_the_core_sends<A: Adapter>() {
    let (sent, received) = (Lines::default(), Lines::default());
    let heard = received.clone();
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
        let mut wire = connection.plain().unwrap();
        while let Some(Received { method, target, headers, body }) = wire.request().unwrap() {
            heard.lock().unwrap().push(line(&method, &target, headers.into_iter(), &body));
            wire.write(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    let peer = peer.unwrap();
    let seen = sent.clone();
    let observer = move |trace: &Trace<'_>| {
        if let Trace::Request(outgoing) = trace {
            let request = &outgoing.request;
            let headers =
                request.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            let target = request.uri().path_and_query().unwrap().as_str();
            seen.lock().unwrap().push(line(
                request.method().as_str(),
                target,
                headers,
                request.body().bytes().unwrap(),
            ));
        }
    };
    let service = Service::new(&peer.url("http")).unwrap();
    let client = A::builder(service).observer(observer).build().unwrap();
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "MERGE"];
    for method in methods {
        for body in [Body::empty(), Body::from(b"{}".to_vec())] {
            client.send(method.parse().unwrap(), "/redfish/v1/a?b=c", body).unwrap();
        }
    }
    assert_eq!(*sent.lock().unwrap(), *received.lock().unwrap());
    assert_eq!((received.lock().unwrap().len(), peer.connections()), (2 * methods.len(), 1));
}
