//! Plays every transcript against the library, in virtual time.

#![allow(clippy::disallowed_methods, reason = "a test may read and write files")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response;
use redfish_proto::driver::{
    Authenticator, Failure, Now, Outgoing, Payload, Segment, SessionRequest, TlsFailure, TransportLimits,
};
use redfish_proto::events::{EventSource, FindEvents, Limits, Listener};
use redfish_proto::ops::{Download, Get, Image, PushUpdate, Raw};
use redfish_proto::{Body, Credentials, Error, Identity, Redactor, Service, Session};
use redfish_testkit::client::{Client, FakeTransport};
use redfish_testkit::full_text;
use redfish_testkit::operation::{self, outcome_json, stream_item_json};
use redfish_testkit::transcript::{self, Authentication, Event, Reply, Transcript, Verb};
use serde_json::Value;

/// Responds as in the transcript. A request or a wait that is not in it panics.
#[derive(Default)]
struct Script {
    events: VecDeque<Event>,
    now: Duration,
    /// The image that requests carry.
    payload: Bytes,
    /// The last streamed body, and how it ends.
    stream: Option<(Bytes, Result<(), Failure>)>,
}

impl FakeTransport for Script {
    fn exchange(
        &mut self,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, Result<Bytes, Failure>), Failure> {
        let Some(Event::Exchange(expected, reaction)) = self.events.pop_front() else {
            panic!("not in the transcript:\n{outgoing}")
        };
        let request = &outgoing.request;
        let target = request.uri().path_and_query().unwrap().as_str();
        let headers: Vec<_> = request.headers().iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        let segments = request.body().segments().map(|segment| match segment {
            Segment::Bytes(bytes) => bytes,
            Segment::Payload(_) => self.payload.clone(),
        });
        let body = segments.collect::<Vec<_>>().concat();
        assert_eq!(body.len() as u64, request.body().len());
        if let Some(mismatch) = expected.mismatch(request.method().as_str(), target, &headers, &body) {
            panic!("{mismatch}\n{outgoing}");
        }
        match reaction {
            Reply::Response { status, headers, body, truncated } => {
                let mut answer = http::Response::builder().status(status);
                for (name, value) in &headers {
                    answer = answer.header(name, value);
                }
                let (head, ()) = answer.body(()).unwrap().into_parts();
                let ended = if truncated { Err(Failure::Broken) } else { Ok(()) };
                if outgoing.limits.body_limit(head.status).is_none() {
                    self.stream = Some((body.into(), ended));
                    return Ok((head, Ok(Bytes::new())));
                }
                Ok((head, ended.map(|()| body.into())))
            }
            Reply::Failure(failure) => {
                if failure == transcript::Failure::TimedOut {
                    self.now += outgoing.limits.timeout;
                }
                Err(match failure {
                    transcript::Failure::NotSent => Failure::NotSent,
                    transcript::Failure::Broken => Failure::Broken,
                    transcript::Failure::TimedOut => Failure::TimedOut,
                    transcript::Failure::TooLarge => TransportLimits::default().head_too_large(),
                    transcript::Failure::Untrusted => Failure::Untrusted,
                    transcript::Failure::Tls => Failure::Tls(TlsFailure::NoCommonProtocol),
                    transcript::Failure::Malformed => Failure::Malformed,
                })
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        match self.events.pop_front() {
            Some(Event::Wait(expected)) => assert_eq!(time, expected, "the wait differs"),
            _ => panic!("a wait of {time:?} is not in the transcript"),
        }
        self.now += time;
    }

    fn now(&self) -> Now {
        Now(self.now)
    }
}

fn client(transcript: &Transcript) -> Client<Script> {
    let setup = &transcript.setup;
    let service = Arc::new(Service::with_policy("https://bmc", setup.policy()).unwrap());
    let resumed = setup.session.as_ref();
    let resumed = resumed.map(|(token, uri)| Session::from_token(&service, token, uri.as_deref()).unwrap());
    let fixed = |identity: Identity| Authenticator::fixed(Arc::clone(&service), identity);
    let authenticator = match &setup.authentication {
        Authentication::Credentials(user, password) => {
            let credentials = Arc::new(Credentials::new(user, password));
            let plain = Authenticator::session(Arc::clone(&service), credentials, resumed);
            setup.context.iter().fold(plain, |authenticator, context| authenticator.context(context.as_str()))
        }
        Authentication::Anonymous => fixed(resumed.map_or_else(|| Identity::anonymous(&service), Into::into)),
        Authentication::Basic(user, password) => {
            fixed(Identity::basic(&service, &Credentials::new(user, password)).unwrap())
        }
        Authentication::Bearer(token) => fixed(Identity::bearer(&service, token).unwrap()),
    };
    Client { service, authenticator, transport: Script::default() }
}

fn run(client: &mut Client<Script>, verb: &Verb) -> Result<Option<Value>, Error> {
    match verb {
        Verb::Get(path) => client.run(Get::new(client.service.target(path)?)).map(Some),
        Verb::Send(method, path, body) => {
            let target = client.service.target(path)?;
            let mut raw = Raw::new(method.parse().unwrap(), &target);
            if let Some(body) = body {
                raw = raw.json(Body::from(body.clone().into_bytes()));
            }
            let body = client.run(raw)?.into_body();
            Ok((!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()))
        }
        Verb::Operation(name, rest) => {
            let operation = operation::parse(&client.service, name, rest)?;
            client.run(operation).map(|value| Some(value).filter(|value| !value.is_null()))
        }
        Verb::PushUpdate { file, image, targets, once } => {
            client.transport.payload = image.clone().into();
            let payload = Payload { length: image.len() as u64, replayable: !once };
            let update = PushUpdate::new(Image { name: file.clone(), payload }, &[7; 16]).unwrap();
            let update = if targets.is_empty() { update } else { update.targets(targets) };
            client.run(update).map(|outcome| Some(outcome_json(&outcome)))
        }
        Verb::Download(path, limit) => {
            let target = client.service.target(path)?;
            client.run(Download::new(target.clone()))?;
            let (body, ended) = client.transport.stream.take().expect("a stream");
            let limit = usize::try_from(*limit).unwrap();
            if body.len() > limit {
                return Err(client.service.body_limit_error(&target, &Redactor::default(), limit));
            }
            ended.map_err(|failure| {
                assert_eq!(failure, Failure::Broken, "a body in a transcript can only break off");
                let error = std::io::ErrorKind::UnexpectedEof.into();
                client.service.truncated_body_error(&target, &Redactor::default(), error)
            })?;
            Ok(Some(String::from_utf8(body.to_vec()).unwrap().into()))
        }
        Verb::Events(count, filter) => {
            let find = FindEvents::default();
            let source = client.run(filter.iter().fold(find, |find, filter| find.filter(filter)))?;
            events(client, source, *count).map(Some)
        }
        Verb::Login => client.session(&SessionRequest::any()).map(|_| None),
        Verb::Close => client.close().map(|_| None),
    }
}

/// Listens until this number of events has arrived.
fn events(client: &mut Client<Script>, source: EventSource, count: usize) -> Result<Value, Error> {
    let mut listener = Listener::new(source, Limits::default());
    let mut items = Vec::new();
    loop {
        let reconnection = match client.run(listener.subscribe()?) {
            Ok(_) => {
                let (body, _) = client.transport.stream.take().expect("a stream");
                listener.opened();
                items.extend(listener.push(&body)?);
                listener.disconnected()
            }
            Err(error) => listener.failed(error)?,
        };
        if items.len() >= count {
            return Ok(items.iter().filter_map(stream_item_json).take(count).collect());
        }
        client.transport.wait(reconnection.wait);
    }
}

fn play(transcript: &Transcript) {
    let mut client = client(transcript);
    for call in &transcript.calls {
        client.transport.events = call.events.iter().cloned().collect();
        let outcome = run(&mut client, &call.verb);
        assert!(
            client.transport.events.is_empty(),
            "not reached: {:?}; {outcome:?}",
            client.transport.events
        );
        let result = outcome.as_ref().map_err(|error| (error.kind().name(), full_text(error)));
        call.outcome.check(result).unwrap_or_else(|problem| panic!("{problem}"));
    }
}

/// Writes the responses in the transcripts as seeds for the fuzz targets, if `REDFISH_SEEDS` names a directory.
fn write_seeds(transcripts: &[Transcript]) {
    let Some(folder) = std::env::var_os("REDFISH_SEEDS") else { return };
    let write = |target: &str, name: &str, seed: &[u8]| {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(name), seed)).unwrap();
    };
    for transcript in transcripts {
        let events = transcript.calls.iter().flat_map(|call| &call.events);
        for (n, event) in events.enumerate() {
            let Event::Exchange(request, Reply::Response { headers, body, .. }) = event else { continue };
            let name = format!("{}-{n}", transcript.name);
            write("json", &name, body);
            write("message", &name, body);
            write("page", &name, body);
            write("resource", &name, body);
            let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
            write("login", &name, &[format!("\0{lines}\n").as_bytes(), body].concat());
            for (_, value) in headers.iter().filter(|(name, _)| name == "Location") {
                write("link", &name, format!("{}\n{value}", request.target).as_bytes());
            }
            let streams =
                |(name, value): &(String, String)| name == "Content-Type" && value == "text/event-stream";
            if headers.iter().any(streams) {
                write("sse", &name, &[&b"\x03"[..], body].concat());
            }
            write("redact", &name, &[&b"pw-secret\n"[..], body].concat());
        }
        // The closest rows of the response table: only the length and the order matter.
        write("call", &transcript.name, &(0..transcript.calls.len() as u8 * 5).collect::<Vec<_>>());
    }
}

#[test]
fn every_transcript_is_played_to_its_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let transcripts = Transcript::read_all(&folder).unwrap();
    write_seeds(&transcripts);
    let mut failed = Vec::new();
    for transcript in &transcripts {
        if let Err(panic) = std::panic::catch_unwind(|| play(transcript)) {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            failed.push(format!("{}: {}", transcript.name, text.unwrap_or_default()));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), transcripts.len(), failed.join("\n"));
    println!("the core played {} transcripts", transcripts.len());
}

/// The links of a table's cell in Markdown: their texts and paths.
fn links(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('[').skip(1).filter_map(|link| link.split_once(')')?.0.split_once("]("))
}

#[test]
fn each_row_of_the_vendors_page_links_to_tests_that_exist() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = std::fs::read_to_string(docs.join("vendors.md")).unwrap();
    let mut checked = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| vendor |")) {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let [_, _, _, does, tests] = cells.as_slice() else { panic!("not five cells: {row}") };
        let is_open = does.starts_with("Not handled");
        assert!(is_open || links(tests).next().is_some(), "no test: {row}");
        for (name, path) in links(tests) {
            let test = docs.join(path);
            let text = std::fs::read_to_string(&test).unwrap_or_else(|error| panic!("{path}: {error}"));
            let is_transcript = test.extension().is_some_and(|extension| extension == "txt");
            let is_named =
                if is_transcript { test.ends_with(format!("{name}.txt")) } else { text.contains(name) };
            assert!(is_named, "{path} has no test {name:?}");
            checked += 1;
        }
    }
    println!("the page about vendors links to {checked} tests");
    assert!(checked > 100, "only {checked} links were found");
}
