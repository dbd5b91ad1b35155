//! Every transcript of the core, over real sockets and real TLS, with its waits in virtual time.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_proto::{Body, Credentials, Error, Links, Policy, Service, Session};
use redfish_tls::Trust;
use serde_json::Value;

use crate::adapter::{Adapter, Builder as _, Clock, Source as _, Transport as _, TransportBuilder as _};
use crate::ask::{self, incoming_json, outcome_json};
use crate::full_text;
use crate::script::{Cut, Script};
use crate::transcript::{Event, Failure, Reaction, Setup, Transcript, User, Verb};

suite! {
    ($) stories:
    every_story_is_told_over_sockets,
}

/// A clock whose waits take no time, and are what the script says they are.
struct ScriptClock {
    script: Arc<Script>,
    now: Mutex<Duration>,
}

impl Clock for ScriptClock {
    fn now(&self) -> Now {
        Now(*self.now.lock().unwrap())
    }

    fn sleep(&self, time: Duration) {
        self.script.waited(time);
        *self.now.lock().unwrap() += time;
    }
}

fn client<A: Adapter>(script: &Arc<Script>, setup: &Setup, hangs: bool) -> A {
    let mut policy = Policy::default();
    policy.deadline = setup.deadline;
    policy.body_limit = setup.limit.unwrap_or(policy.body_limit);
    policy.links = if setup.path_only { Links::PathOnly } else { Links::SameOrigin };
    if hangs {
        policy.timeout = Duration::from_millis(200);
    }
    let service = Arc::new(Service::with_policy(&script.url(), policy).unwrap());
    let trust = Trust::system_and_pem(script.certificate_pem().as_bytes()).unwrap();
    let clock = Arc::new(ScriptClock { script: script.clone(), now: Mutex::default() });
    let transport = A::Transport::builder().trust(&trust).clock(clock).build();
    let builder = A::builder(service.clone()).transport(&transport);
    let builder = match &setup.user {
        User::Anonymous => builder,
        User::Credentials(user, password) => builder.login(Credentials::new(user, password)),
        User::Basic(user, password) => builder.basic(Credentials::new(user, password)),
        User::Bearer(token) => builder.bearer(token),
    };
    let builder = match &setup.resumed {
        Some((token, at)) => builder.resume(Session::from_token(&service, token, at.as_deref()).unwrap()),
        None => builder,
    };
    let builder = setup.context.iter().fold(builder, |builder, context| builder.context(context.as_str()));
    builder.build().unwrap()
}

fn ask<A: Adapter>(client: &A, verb: &Verb) -> Result<Option<Value>, Error> {
    match verb {
        Verb::Get(path) => client.get(path).map(Some),
        Verb::Send(method, path, body) => {
            let body = body.as_ref().map_or(Body::empty(), |body| Body::from(body.clone().into_bytes()));
            let body = client.send(method.parse().unwrap(), path, body)?.into_body();
            Ok((!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()))
        }
        Verb::Ask(name, rest) => {
            let ask = ask::parse(client.service(), name, rest)?;
            client.run(ask).map(|value| Some(value).filter(|value| !value.is_null()))
        }
        Verb::PushUpdate { file, image, targets, once } => {
            let (length, bytes) = (image.len() as u64, image.clone().into_bytes());
            let source = match once {
                true => A::Source::once(length, Cursor::new(bytes)),
                false => A::Source::reopened(length, move || Ok(Box::new(Cursor::new(bytes.clone())))),
            };
            client.update(file, &source, targets).map(|outcome| Some(outcome_json(&outcome)))
        }
        Verb::Download(path, limit) => {
            let mut written = Vec::new();
            client.download(path, &mut written, *limit)?;
            Ok(Some(String::from_utf8(written).unwrap().into()))
        }
        Verb::Events(count, filter) => {
            let events = client.events(filter.as_deref())?.take(*count);
            let shown = events.map(|incoming| incoming.map(|incoming| incoming_json(&incoming)));
            shown.collect::<Result<_, _>>().map(Some)
        }
        Verb::Session => client.session().map(|_| None),
        Verb::Close => client.close().map(|_| None),
    }
}

fn play<A: Adapter>(transcript: &Transcript, cut: Cut) -> Result<(), String> {
    let script = Arc::new(Script::start().unwrap());
    let client = client::<A>(&script, &transcript.setup, has(transcript, hangs));
    for call in &transcript.calls {
        script.play(call.events.iter().cloned(), cut);
        let outcome = ask(&client, &call.verb);
        let ended = outcome.as_ref().map_err(|error| (error.kind().name(), full_text(error)));
        call.outcome.check(ended)?;
        script.finish().map_err(|problem| format!("{problem}; {outcome:?}"))?;
    }
    Ok(())
}

fn has(transcript: &Transcript, what: fn(&Reaction) -> bool) -> bool {
    let mut events = transcript.calls.iter().flat_map(|call| &call.events);
    events.any(|event| matches!(event, Event::Exchange(_, reaction) if what(reaction)))
}

fn hangs(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Failure(Failure::TimedOut))
}

fn breaks(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Answer { cut: true, .. })
}

fn every_story_is_told_over_sockets<A: Adapter>() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../redfish-proto/tests/transcripts");
    let transcripts = Transcript::read_all(&folder).unwrap();
    assert!(!transcripts.is_empty());
    let mut failed = Vec::new();
    for transcript in &transcripts {
        let cuts: &[Cut] = if has(transcript, breaks) { &[Cut::Short, Cut::Unended] } else { &[Cut::Short] };
        for cut in cuts {
            if let Err(problem) = play::<A>(transcript, *cut) {
                failed.push(format!("{} ({cut:?}): {problem}", transcript.name));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), transcripts.len(), failed.join("\n"));
    println!("{} told {} stories", A::NAME, transcripts.len());
}
