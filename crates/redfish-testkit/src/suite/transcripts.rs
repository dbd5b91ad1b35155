//! All transcripts of the core, over real sockets and real TLS, with waits in virtual time.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_proto::{Body, Credentials, Error, Service, Session};
use redfish_tls::Trust;
use serde_json::Value;

use crate::adapter::{Adapter, Builder as _, Clock, Source as _, Transport as _, TransportBuilder as _};
use crate::full_text;
use crate::operation::{self, outcome_json, stream_item_json};
use crate::script::{ScriptedServer, Truncation};
use crate::transcript::{Authentication, Event, Failure, Reply, Setup, Transcript, Verb};

suite! {
    ($) transcripts:
    every_transcript_is_played_over_sockets,
}

/// A virtual clock that checks its waits against the script.
struct ScriptClock {
    script: Arc<ScriptedServer>,
    now: Mutex<Duration>,
}

impl Clock for ScriptClock {
    fn now(&self) -> Now {
        Now(*self.now.lock().unwrap())
    }

    fn sleep(&self, time: Duration) {
        self.script.record_wait(time);
        *self.now.lock().unwrap() += time;
    }
}

fn client<A: Adapter>(script: &Arc<ScriptedServer>, setup: &Setup, times_out: bool) -> A {
    let policy = setup.policy();
    let policy = if times_out { policy.with_timeout(Duration::from_millis(200)) } else { policy };
    let service = Arc::new(Service::with_policy(&script.url(), policy).unwrap());
    let trust = Trust::system_and_pem(script.certificate_pem().as_bytes()).unwrap();
    let clock = Arc::new(ScriptClock { script: script.clone(), now: Mutex::default() });
    let transport = A::Transport::builder().trust(&trust).clock(clock).build();
    let builder = A::builder(service.clone()).transport(&transport);
    let builder = match &setup.authentication {
        Authentication::Anonymous => builder,
        Authentication::Credentials(user, password) => builder.login(Credentials::new(user, password)),
        Authentication::Basic(user, password) => builder.basic(Credentials::new(user, password)),
        Authentication::Bearer(token) => builder.bearer(token),
    };
    let builder = match &setup.session {
        Some((token, uri)) => builder.resume(Session::from_token(&service, token, uri.as_deref()).unwrap()),
        None => builder,
    };
    let builder = setup.context.iter().fold(builder, |builder, context| builder.context(context.as_str()));
    builder.build().unwrap()
}

fn run_verb<A: Adapter>(client: &A, verb: &Verb) -> Result<Option<Value>, Error> {
    match verb {
        Verb::Get(path) => client.get(path).map(Some),
        Verb::Send(method, path, body) => {
            let body = body.as_ref().map_or(Body::empty(), |body| Body::from(body.clone().into_bytes()));
            let body = client.send(method.parse().unwrap(), path, body)?.into_body();
            Ok((!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()))
        }
        Verb::Operation(name, rest) => {
            let operation = operation::parse(client.service(), name, rest)?;
            client.run(operation).map(|value| Some(value).filter(|value| !value.is_null()))
        }
        Verb::PushUpdate { file, image, targets, once } => {
            let (length, bytes) = (image.len() as u64, image.clone().into_bytes());
            let source = if *once {
                A::Source::once(length, Cursor::new(bytes))
            } else {
                A::Source::reopened(length, move || Ok(Box::new(Cursor::new(bytes.clone()))))
            };
            client.update_firmware(file, &source, targets).map(|outcome| Some(outcome_json(&outcome)))
        }
        Verb::Download(path, limit) => {
            let mut written = Vec::new();
            client.download(path, &mut written, *limit)?;
            Ok(Some(String::from_utf8(written).unwrap().into()))
        }
        Verb::Events(count, filter) => {
            let events = client.events(filter.as_deref())?;
            let items = events.filter_map(|item| item.map(|item| stream_item_json(&item)).transpose());
            items.take(*count).collect::<Result<_, _>>().map(Some)
        }
        Verb::Login => client.session().map(|_| None),
        Verb::Close => client.close().map(|_| None),
    }
}

fn play<A: Adapter>(transcript: &Transcript, truncation: Truncation) -> Result<(), String> {
    let script = Arc::new(ScriptedServer::start().unwrap());
    let client = client::<A>(&script, &transcript.setup, has(transcript, times_out));
    for call in &transcript.calls {
        script.play(call.events.iter().cloned(), truncation);
        let outcome = run_verb(&client, &call.verb);
        let ended = outcome.as_ref().map_err(|error| (error.kind().name(), full_text(error)));
        call.outcome.check(ended)?;
        script.finish().map_err(|problem| format!("{problem}; {outcome:?}"))?;
    }
    Ok(())
}

fn has(transcript: &Transcript, predicate: fn(&Reply) -> bool) -> bool {
    let mut events = transcript.calls.iter().flat_map(|call| &call.events);
    events.any(|event| matches!(event, Event::Exchange(_, reaction) if predicate(reaction)))
}

fn times_out(reaction: &Reply) -> bool {
    matches!(reaction, Reply::Failure(Failure::TimedOut))
}

fn is_truncated(reaction: &Reply) -> bool {
    matches!(reaction, Reply::Response { truncated: true, .. })
}

fn every_transcript_is_played_over_sockets<A: Adapter>() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../redfish-proto/tests/transcripts");
    let transcripts = Transcript::read_all(&folder).unwrap();
    assert!(!transcripts.is_empty());
    let mut failed = Vec::new();
    for transcript in &transcripts {
        let truncations: &[Truncation] = if has(transcript, is_truncated) {
            &[Truncation::ContentLength, Truncation::Chunked]
        } else {
            &[Truncation::ContentLength]
        };
        for truncation in truncations {
            if let Err(problem) = play::<A>(transcript, *truncation) {
                failed.push(format!("{} ({truncation:?}): {problem}", transcript.name));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), transcripts.len(), failed.join("\n"));
    println!("{} played {} transcripts", A::NAME, transcripts.len());
}
