//! The table of HTTP and TLS cases, played with a client.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redfish_proto::driver::{Now, Trace, TransportLimits};
use redfish_proto::{Body, Credentials, Error, Policy, Service};
use redfish_tls::{Pin, Trust};

use crate::adapter::{Adapter, Builder as _, Clock, Transport as _, TransportBuilder as _};
use crate::full_text;
use crate::script::cases::{self, Action, Case, Outcome, TrustConfig};
use crate::script::{Peer, ReceivedRequest};

suite! {
    ($) conformance:
    every_case_passes,
    the_adapter_sends_exactly_the_requests_of_the_core,
}

/// A clock whose waits take no time.
struct SkippingClock {
    started: Instant,
    slept: Mutex<Duration>,
}

impl Clock for SkippingClock {
    fn now(&self) -> Now {
        Now(self.started.elapsed() + *self.slept.lock().unwrap())
    }

    fn sleep(&self, time: Duration) {
        *self.slept.lock().unwrap() += time;
    }
}

fn client<A: Adapter>(case: &Case) -> A {
    let policy = Policy::default().with_timeout(case.timeout).with_body_limit(case.body_limit);
    let trust = match &case.trust {
        TrustConfig::System => Trust::system(),
        TrustConfig::Pem(pem) => Trust::system_and_pem(pem.as_bytes()).unwrap(),
        TrustConfig::Pinned(der) => Trust::pinned(Pin::of(der)),
    };
    let transport = A::Transport::builder()
        .trust(&trust)
        .limits(TransportLimits::default().connect_timeout(case.connect_timeout))
        .clock(Arc::new(SkippingClock { started: Instant::now(), slept: Mutex::default() }))
        .build();
    let builder = A::builder(Service::with_policy(case.url(), policy).unwrap()).transport(&transport);
    let builder = if case.credentials { builder.login(Credentials::new("admin", "pw")) } else { builder };
    builder.build().unwrap()
}

fn perform<A: Adapter>(client: &A, case: &Case, action: Action) -> Result<Vec<u8>, Error> {
    match action {
        Action::Send(method, path, body) => {
            let response =
                client.send(method.parse().unwrap(), path, Body::from(body.as_bytes().to_vec()))?;
            Ok(response.into_body().into())
        }
        Action::WaitForClose => {
            case.wait_for_close();
            Ok(Vec::new())
        }
        Action::Login => client.session().map(|_| Vec::new()),
        Action::Close => client.close().map(|_| Vec::new()),
    }
}

fn play<A: Adapter>(case: &Case) -> Result<(), String> {
    let client = client::<A>(case);
    let started = Instant::now();
    for call in &case.calls {
        let outcome = match perform(&client, case, call.action) {
            Ok(body) => Outcome::Done(body),
            Err(error) => Outcome::Error(error.kind().name().to_owned(), full_text(&error)),
        };
        call.check(&outcome).map_err(|problem| format!("{problem}, got {outcome:?}"))?;
    }
    case.finish(started.elapsed())
}

fn every_case_passes<A: Adapter>() {
    let cases = cases::all().unwrap();
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| play::<A>(case).err().map(|problem| format!("{}: {problem:.500}", case.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
    println!("{} passed {} cases", A::NAME, cases.len());
}

/// One line per request: method, target, headers sorted by name, body.
type Lines = Arc<Mutex<Vec<String>>>;

fn line(method: &str, target: &str, headers: impl Iterator<Item = (String, Vec<u8>)>, body: &[u8]) -> String {
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    headers.sort();
    format!("{method} {target} {headers:?} {body:?}")
}

fn the_adapter_sends_exactly_the_requests_of_the_core<A: Adapter>() {
    let (sent, received) = (Lines::default(), Lines::default());
    let log = received.clone();
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
        let mut connection = connection.plain().unwrap();
        while let Some(ReceivedRequest { method, target, headers, body }) = connection.request().unwrap() {
            log.lock().unwrap().push(line(&method, &target, headers.into_iter(), &body));
            connection.write(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    let peer = peer.unwrap();
    let log = sent.clone();
    let observer = move |trace: &Trace<'_>| {
        if let Trace::Request(outgoing) = trace {
            let request = &outgoing.request;
            let headers =
                request.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            let target = request.uri().path_and_query().unwrap().as_str();
            log.lock().unwrap().push(line(
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
