//! The parsers of a service's bytes, for fuzzers and property tests.
//!
//! Each function panics if an invariant is violated. Not covered by semantic versioning.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use crate::credentials::Credentials;
use crate::driver::call::{Reply, Step};
use crate::driver::time::Now;
use crate::enumerations::Health;
use crate::events::{Decoder, Limits, Notification};
use crate::identity::Identity;
use crate::json::{self, strip_bom};
use crate::kind::Failure;
use crate::link;
use crate::message;
use crate::operation::Operation;
use crate::ops::get::Read;
use crate::ops::get_page::GetPage;
use crate::ops::login::Login;
use crate::origin::Origin;
use crate::policy::Links;
use crate::redact::Redactor;
use crate::service::Service;
use crate::target::Target;
use crate::view::{self, DateTime, Link, List, Member, Number, Text, Uuid};
use crate::walk::{Event, Walk};

/// Resolves a link in the response of a resource, both any text. The target never leaves the origin, and resolves to
/// itself.
pub fn link(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (base, link) = text.split_once('\n').unwrap_or(("/redfish/v1/", &text));
    let Ok(origin) = Origin::parse("https", "bmc.example:8443") else { return };
    let root = Target::well_known("/redfish/v1/");
    for links in [Links::SameOrigin, Links::PathOnly] {
        let base = link::resolve(base, &root, &origin, links).unwrap_or_else(|_| root.clone());
        let Ok(target) = link::resolve(link, &base, &origin, links) else { continue };
        let uri = origin.uri(&target);
        assert_eq!(uri.scheme_str(), Some("https"), "{link:?}");
        assert_eq!(uri.authority().map(|a| a.as_str()), Some("bmc.example:8443"), "{link:?}");
        assert!(target.path().starts_with('/') && !target.path().starts_with("//"), "{link:?} {target}");
        assert!(target.to_string().bytes().all(|b| b.is_ascii_graphic()), "{link:?} {target}");
        let again = link::resolve(&target.to_string(), &root, &origin, Links::SameOrigin);
        assert_eq!(again.as_ref(), Ok(&target), "{link:?}");
    }
}

/// Reads the response of a login: a status byte, header lines, an empty line, and the body, all any bytes.
pub fn login(data: &[u8]) {
    let Ok(service) = Service::new("bmc.example:8443").map(Arc::new) else { return };
    let sessions = Target::well_known("/redfish/v1/SessionService/Sessions");
    let credentials = Arc::new(Credentials::new("admin", "canary-password"));
    let login = service.call(Login::new(credentials).collection(sessions));
    let Step::Send(outgoing, reply) = login.start(Now::default()) else { panic!("expected a request") };
    assert!(outgoing.request.uri().to_string().starts_with("https://bmc.example:8443/"));
    let (mut head, ()) = http::Response::new(()).into_parts();
    let (status, rest) = data.split_first().unwrap_or((&0, &[]));
    // Mostly successes, since less is read of other responses.
    head.status = http::StatusCode::from_u16(200 + u16::from(*status) % 64 * 8 % 400).unwrap_or_default();
    let end = rest.windows(2).position(|w| w == b"\n\n").unwrap_or(rest.len());
    for line in rest[..end].split(|b| *b == b'\n') {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(&line[..colon]), http::HeaderValue::from_bytes(value))
        {
            head.headers.append(name, value);
        }
    }
    let body = Bytes::copy_from_slice(rest.get(end + 2..).unwrap_or_default());
    match reply.receive(head, Ok(body), Now::default()) {
        Step::Done(Ok(opened)) => {
            let session = opened.into_session();
            assert!(!session.token().is_empty());
            if let Some(target) = session.target() {
                assert!(service.target(&target.to_string()).is_ok(), "{target}");
            }
            assert!(!format!("{session:?}").contains("canary-password"));
        }
        Step::Done(Err(error)) => assert!(!format!("{error:?}").contains("canary-password"), "{error}"),
        Step::Send(outgoing, _) => {
            assert!(outgoing.request.uri().to_string().starts_with("https://bmc.example:8443/"));
        }
        Step::Wait(..) | Step::Session(..) => {}
    }
}

/// Reads an error body of any bytes.
pub fn message(data: &[u8]) {
    let mut redactor = Redactor::default();
    redactor.add("canary-password");
    let messages = message::messages(data, &redactor);
    assert!(messages.len() <= 100);
    let shown = format!("{messages:?} {}", message::page_text(data, &redactor));
    assert!(!shown.contains("canary-password"), "{shown}");
    message::is_error(data);
}

/// Redacts a text of any bytes, after a line with the secret. The result does not contain the secret.
pub fn redact(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (secret, text) = text.split_once('\n').unwrap_or(("canary-password", &text));
    // The replacement of a secret would itself contain the secret.
    if "[redacted]".contains(secret) || secret.contains(['[', ']']) || secret.chars().any(char::is_control) {
        return;
    }
    let mut redactor = Redactor::default();
    redactor.add(secret);
    let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let json = serde_json::to_string(secret).unwrap_or_default();
    for unsafe_text in
        [format!("{text} {secret} {text}"), format!("{text} {percent} {text}"), format!("{text} {json} ")]
    {
        let shown = redactor.clean(&unsafe_text);
        // A short secret is not removed from within a word.
        if secret.chars().count() >= 4 {
            assert!(!shown.contains(secret), "{shown:?}");
            assert!(!shown.contains(&percent), "{shown:?}");
        } else {
            assert!(!shown.contains(&format!(" {secret} ")), "{shown:?}");
        }
        assert!(!shown.contains(char::is_control), "{shown:?}");
        redactor.clean_json(&unsafe_text);
    }
}

/// Reads a page of a collection, of any bytes. Each member is a part of it and is JSON, and the next page is at this
/// service.
pub fn page(data: &[u8]) {
    let Some((service, reply)) = sent(GetPage::first) else { return };
    let Step::Done(Ok(page)) = reply.receive(ok(), Ok(Bytes::copy_from_slice(data)), Now::default()) else {
        return;
    };
    for member in &page.members {
        let is_part = data.windows(member.as_bytes().len().max(1)).any(|w| w == member.as_bytes());
        assert!(is_part || !page.flaws.is_empty(), "{member:?}");
        let read = member.json::<Value>();
        // Raw JSON may contain what a `Value` cannot, such as a number that is too large.
        assert!(
            read.is_ok() || serde_json::from_slice::<&serde_json::value::RawValue>(member.as_bytes()).is_ok()
        );
        let _ = (member.link(), member.is_link());
    }
    if let Ok(Some(next)) = &page.next {
        assert!(service.target(&next.target().to_string()).is_ok(), "{next:?}");
    }
}

/// Walks a service with two requests in flight. Each record, up to a byte 0xFF, is a response: a byte that decides which request it
/// answers and how, and the body. The walk ends, reads nothing twice, and gives each resource a place below the start.
pub fn walk(data: &[u8]) {
    let Ok(service) = Service::new("bmc.example:8443").map(Arc::new) else { return };
    let mut walk = Walk::new(Arc::clone(&service), Target::well_known("/redfish/v1/")).max_resources(64);
    let mut records = data.split(|byte| *byte == 0xff);
    let (mut in_flight, mut found, mut now, mut requests) = (Vec::new(), HashSet::new(), Now::default(), 0);
    loop {
        while let Some((ticket, call)) = (in_flight.len() < 2).then(|| walk.next_call(now)).flatten() {
            let call = call.with_identity(Identity::anonymous(&service));
            let Step::Send(_, reply) = call.start(now) else { panic!("expected a request") };
            in_flight.push((ticket, reply));
        }
        let mut is_taken = false;
        while let Some(event) = walk.next_event() {
            is_taken = true;
            match event {
                Ok(Event::Resource(resource)) => assert!(found.insert(resource.number()), "{resource:?}"),
                Ok(Event::Unread(unread)) => assert!(found.insert(unread.number), "{unread:?}"),
                Ok(_) => {}
                Err(_) => in_flight.clear(),
            }
        }
        if in_flight.is_empty() && is_taken {
            continue;
        }
        if in_flight.is_empty() {
            match walk.pause(now) {
                Some(time) => now = now.after(time),
                None => break,
            }
            continue;
        }
        requests += 1;
        assert!(requests < 2_000, "the walk does not end");
        let (how, body) = records.next().and_then(<[u8]>::split_first).unwrap_or((&4, &[]));
        let (ticket, reply) = in_flight.swap_remove(usize::from(*how & 1) % in_flight.len());
        let (mut head, body) = (ok(), Bytes::copy_from_slice(body));
        let statuses = [200, 200, 404, 503, 401, 500];
        head.status = statuses
            .get(usize::from(*how >> 1 & 7))
            .and_then(|s| StatusCode::from_u16(*s).ok())
            .unwrap_or_default();
        now = now.after(Duration::from_millis(50));
        let mut step = match how >> 1 & 7 {
            6 => reply.fail(Failure::Broken, now),
            7 => reply.fail(Failure::NotSent, now),
            _ => reply.receive(head, Ok(body), now),
        };
        // The call sends a request again at once, or without `$expand`.
        while let Step::Send(_, reply) = step {
            step = reply.fail(Failure::Broken, now);
        }
        match step {
            Step::Done(result) => walk.receive(ticket, result, now),
            other => panic!("{other:?}"),
        }
    }
    for number in found {
        let (mut number, mut steps) = (number, 0);
        while let Some(parent) = walk.place(number).and_then(|place| place.parent) {
            (number, steps) = (parent, steps + 1);
            assert!(steps <= 1_000_000, "a circle");
        }
        assert_eq!(number, 0, "a place that is not below the start");
    }
}

/// Reads a resource of any bytes as a view: a value or an error, never a panic.
pub fn resource(data: &[u8]) {
    let Some((_, reply)) = sent(Read::<Any>::new) else { return };
    let Step::Done(Ok(resource)) = reply.receive(ok(), Ok(Bytes::copy_from_slice(data)), Now::default())
    else {
        return;
    };
    assert_eq!(&resource.raw()[..], data, "the raw JSON is unchanged");
    view(resource.value());
}

crate::view! {
    /// A resource that has each kind of member.
    struct Any {
        fn text(&self) -> Option<Text> = "Name";
        fn integer(&self) -> Option<i64> = "Count";
        fn number(&self) -> Option<Number> = "Reading";
        fn truth(&self) -> Option<bool> = "Enabled";
        fn time(&self) -> Option<DateTime> = "Created";
        fn duration(&self) -> Option<view::Duration> = "Interval";
        fn uuid(&self) -> Option<Uuid> = "UUID";
        fn health(&self) -> Option<Health> = "Health";
        fn link(&self) -> Option<Link<Any>> = "Links";
        fn object(&self) -> Option<Any> = "Status";
        fn objects(&self) -> List<Any> = "Members";
        fn texts(&self) -> List<Text> = "Types";
    }
}

/// Reads a view by each method. What it returns is the value that serde_json reads, so that nothing is lost.
fn view(any: &Any) {
    // A number out of range is a number here, and none for serde_json.
    let value: Option<Value> = serde_json::from_str(any.json().text()).ok();
    let members = value.as_ref().and_then(Value::as_object);
    for (name, member) in any.json().members() {
        // The last one of several counts, in both.
        if let (Member::Value(last), Some(members)) = (any.member(&name), members) {
            assert_eq!(last.decode::<Value>().ok().as_ref(), members.get(&*name), "{name}");
        }
        let _ = member.text();
    }
    if let Some(members) = members {
        let names: BTreeSet<_> = any.json().members().map(|(name, _)| name).collect();
        assert!(
            names.iter().map(|name| &**name).eq(members.keys().map(String::as_str).collect::<BTreeSet<_>>()),
            "{names:?}"
        );
        if let Some(Value::String(text)) = members.get("Name") {
            assert_eq!(any.text().as_deref(), Some(text.as_str()));
        }
    }
    if let Some(number) = any.number() {
        let _ = (number.as_i64(), number.as_u64(), number.as_f64());
    }
    let _ = (any.integer(), any.truth(), any.health().map(|health| health.to_string()));
    let _ = (
        any.time().and_then(|time| time.to_system_time()),
        any.duration().and_then(|duration| duration.to_std()),
    );
    let _ = any.uuid().and_then(|uuid| uuid.to_bytes());
    if let Some(link) = any.link() {
        let _ = (link.target(), link.expanded());
    }
    any.texts().for_each(drop);
    any.object().iter().for_each(view);
    any.objects().for_each(|object| view(&object));
}

/// Repairs JSON of any bytes. What a strict parser reads keeps its value, and nothing is left to repair.
pub fn json(data: &[u8]) {
    let Some(repaired) = json::repair(data) else { return };
    if let Ok(strict) = serde_json::from_slice::<Value>(strip_bom(data)) {
        assert_eq!(serde_json::from_slice::<Value>(&repaired.text).ok(), Some(strict), "{:?}", repaired.text);
    }
    assert!(json::repair(&repaired.text).is_none(), "{:?}", repaired.text);
}

/// The reply to the request of an operation.
fn sent<O: Operation>(operation: impl FnOnce(Target) -> O) -> Option<(Arc<Service>, Reply<O>)> {
    let service = Service::new("bmc.example:8443").map(Arc::new).ok()?;
    let call = service
        .call(operation(Target::well_known("/redfish/v1/x")))
        .with_identity(Identity::anonymous(&service));
    match call.start(Now::default()) {
        Step::Send(_, reply) => Some((service, reply)),
        _ => None,
    }
}

fn ok() -> http::response::Parts {
    http::Response::new(()).into_parts().0
}

/// Decodes a stream of events in pieces. The first byte is the length of the pieces; every split gives the same events.
pub fn sse(data: &[u8]) {
    let (length, stream) = data.split_first().unwrap_or((&0, &[]));
    let limits = Limits::default().event(96);
    let decode = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut decoder = Decoder::new(limits);
        let mut events = Vec::new();
        for piece in pieces {
            match decoder.push(piece) {
                Ok(more) => events.extend(more),
                Err(_) => return None,
            }
        }
        Some((events, decoder.last_id().to_owned(), decoder.retry()))
    };
    // A stream over a limit is refused with every split, though perhaps not after the same events.
    let whole = decode(&mut std::iter::once(stream));
    assert_eq!(decode(&mut stream.chunks(usize::from(*length % 7) + 1)), whole);
    assert_eq!(decode(&mut stream.chunks(1)), whole);
    for event in whole.iter().flat_map(|(events, ..)| events) {
        assert!(event.data.len() <= limits.event);
        let _ = Notification::parse(&event.data);
    }
    let _ = Notification::parse(&String::from_utf8_lossy(stream));
}
