//! Plays every transcript against the core, in virtual time.

#![allow(clippy::disallowed_methods, reason = "a test may read and write files, the core may not")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response;
use redfish_proto::{
    Authenticator, Body, Credentials, Error, Failure, Get, Links, Now, Outgoing, Policy, Raw, Service,
    Session, Wanted,
};
use redfish_testkit::ask::Ask;
use redfish_testkit::client::{Client, Wire};
use redfish_testkit::transcript::{self, Event, Outcome, Reaction, Transcript, User, Verb};
use serde_json::Value;

/// Answers as the transcript says; a request or a wait that it does not have is a panic.
#[derive(Default)]
struct Script {
    events: VecDeque<Event>,
    now: Duration,
}

impl Wire for Script {
    fn exchange(
        &mut self,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, Result<Bytes, Failure>), Failure> {
        let Some(Event::Exchange(wanted, reaction)) = self.events.pop_front() else {
            panic!("not in the transcript:\n{outgoing}")
        };
        let request = &outgoing.request;
        let target = request.uri().path_and_query().unwrap().as_str();
        let headers: Vec<_> = request.headers().iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        let body = request.body().bytes().unwrap();
        if let Some(mismatch) = wanted.mismatch(request.method().as_str(), target, &headers, body) {
            panic!("{mismatch}\n{outgoing}");
        }
        match reaction {
            Reaction::Answer { status, headers, body, cut } => {
                let mut answer = http::Response::builder().status(status);
                for (name, value) in &headers {
                    answer = answer.header(name, value);
                }
                let (head, ()) = answer.body(()).unwrap().into_parts();
                Ok((head, if cut { Err(Failure::Broken) } else { Ok(body.into()) }))
            }
            Reaction::Failure(failure) => {
                if failure == transcript::Failure::TimedOut {
                    self.now += outgoing.reading.timeout;
                }
                Err(match failure {
                    transcript::Failure::NotSent => Failure::NotSent,
                    transcript::Failure::Broken => Failure::Broken,
                    transcript::Failure::TimedOut => Failure::TimedOut,
                    transcript::Failure::TooLarge => Failure::TooLarge,
                    transcript::Failure::Untrusted => Failure::Untrusted,
                    transcript::Failure::Malformed => Failure::Malformed,
                })
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        match self.events.pop_front() {
            Some(Event::Wait(wanted)) => assert_eq!(time, wanted, "a wait of another length"),
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
    let mut policy = Policy::default();
    policy.deadline = setup.deadline;
    policy.body_limit = setup.limit.unwrap_or(policy.body_limit);
    policy.links = if setup.path_only { Links::PathOnly } else { Links::SameOrigin };
    let service = Arc::new(Service::with_policy("https://bmc", policy).unwrap());
    let resumed = setup.resumed.as_ref();
    let resumed = resumed.map(|(token, at)| Session::issued(&service, token, at.as_deref()).unwrap());
    let fixed = |session| Authenticator::fixed(Arc::clone(&service), session);
    let authenticator = match &setup.user {
        User::Credentials(user, password) => {
            let credentials = Arc::new(Credentials::new(user, password));
            let plain = Authenticator::session(Arc::clone(&service), credentials, resumed);
            setup.context.iter().fold(plain, |authenticator, context| authenticator.context(context.as_str()))
        }
        User::Anonymous => fixed(resumed.unwrap_or_else(|| Session::anonymous(&service))),
        User::Basic(user, password) => {
            fixed(Session::basic(&service, &Credentials::new(user, password)).unwrap())
        }
        User::Bearer(token) => fixed(Session::bearer(&service, token).unwrap()),
    };
    Client { service, authenticator, wire: Script::default() }
}

fn ask(client: &mut Client<Script>, verb: &Verb) -> Result<Option<Value>, Error> {
    match verb {
        Verb::Get(path) => client.run(Get::new(client.service.target(path)?)).map(Some),
        Verb::Send(method, path, body) => {
            let at = client.service.target(path)?;
            let mut raw = Raw::new(method.parse().unwrap(), &at);
            if let Some(body) = body {
                raw = raw.json(Body::from(body.clone().into_bytes()));
            }
            let body = client.run(raw)?.into_body();
            Ok((!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()))
        }
        Verb::Ask(name, rest) => {
            let ask = Ask::parse(&client.service, name, rest)?;
            client.run(ask).map(|value| Some(value).filter(|value| !value.is_null()))
        }
        Verb::Session => client.session(&Wanted::any()).map(|_| None),
        Verb::Close => client.close().map(|_| None),
    }
}

fn play(transcript: &Transcript) {
    let mut client = client(transcript);
    for call in &transcript.calls {
        client.wire.events = call.events.iter().cloned().collect();
        let outcome = ask(&mut client, &call.verb);
        assert!(client.wire.events.is_empty(), "not reached: {:?}; {outcome:?}", client.wire.events);
        match (&call.outcome, outcome) {
            (Outcome::Done(None), Ok(_)) => {}
            (Outcome::Done(wanted), Ok(found)) => assert_eq!(wanted, &found),
            (Outcome::Error(kind, texts), Err(error)) => {
                assert_eq!(kind, error.kind().name(), "{error}");
                let shown = error.to_string();
                texts.iter().for_each(|text| assert!(shown.contains(text), "no {text:?} in {shown:?}"));
            }
            (wanted, found) => panic!("ended in {found:?}, not {wanted:?}"),
        }
    }
}

/// Writes what services answer in the transcripts as seeds for the fuzz targets, where `REDFISH_SEEDS` names a folder.
fn write_seeds(transcripts: &[Transcript]) {
    let Some(folder) = std::env::var_os("REDFISH_SEEDS") else { return };
    let write = |target: &str, name: &str, seed: &[u8]| {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(name), seed)).unwrap();
    };
    for transcript in transcripts {
        let events = transcript.calls.iter().flat_map(|call| &call.events);
        for (n, event) in events.enumerate() {
            let Event::Exchange(request, Reaction::Answer { headers, body, .. }) = event else { continue };
            let name = format!("{}-{n}", transcript.name);
            write("message", &name, body.as_bytes());
            write("page", &name, body.as_bytes());
            write("resource", &name, body.as_bytes());
            let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
            write("login", &name, format!("\0{lines}\n{body}").as_bytes());
            for (_, value) in headers.iter().filter(|(name, _)| name == "Location") {
                write("link", &name, format!("{}\n{value}", request.target).as_bytes());
            }
            write("redact", &name, format!("pw-secret\n{body}").as_bytes());
        }
        // The rows of the alphabet that come closest: the length and the order are what matters.
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
    println!("the core told {} stories", transcripts.len());
}
