//! What is measured: pieces of work through the core, and each beside the same by hand.
//!
//! The benches time them (`cargo bench`), `count` runs them for an instruction counter, `heap` counts allocations.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header, response};
use redfish_proto::driver::{Now, Step};
use redfish_proto::events::{Decoder, Limits};
use redfish_proto::ops::{Get, GetPage};
use redfish_proto::{Operation, Service, Session};
use serde_json::{Value, json};

const SYSTEM: &str = "/redfish/v1/Systems/1";
const LOG: &str = "/redfish/v1/Systems/1/LogServices/Log/Entries";

/// A piece of work, made ready once and done many times.
pub struct Work {
    /// Its name: what is done, and by whom.
    pub name: &'static str,
    /// Bytes of a body or a stream that it reads.
    pub bytes: usize,
    run: Box<dyn Fn()>,
}

impl Work {
    /// Does it once.
    pub fn run(&self) {
        (self.run)();
    }
}

/// All pieces of work; those with the same first word are to be compared.
pub fn all() -> Vec<Work> {
    let service = Arc::new(Service::new("https://bmc.example").expect("a service"));
    let session = Session::from_token(&service, "4899e7dd7b23d25e", None).expect("a session");
    let token = HeaderValue::from_static("4899e7dd7b23d25e");
    let (system, page) = (system(), page());
    let (system_too, page_too) = (system.clone(), page.clone());
    let (service_too, session_too) = (Arc::clone(&service), session.clone());
    let (stream, stream_too) = (event_stream(), event_stream());
    let (system_bytes, page_bytes, stream_bytes) = (system.len(), page.len(), stream.len());
    let (service_three, session_three) = (Arc::clone(&service), session.clone());
    vec![
        Work {
            name: "exchange core",
            bytes: system_bytes,
            run: Box::new(move || {
                let at = service.target(SYSTEM).expect("a path");
                black_box(through_the_core(&service, &session, Get::<Value>::new(at), system.clone()));
            }),
        },
        Work {
            name: "exchange hand",
            bytes: system_bytes,
            run: Box::new(move || {
                black_box(by_hand("https://bmc.example", &token, system_too.clone()));
            }),
        },
        Work {
            name: "page core",
            bytes: page_bytes,
            run: Box::new(move || {
                let at = service_too.target(LOG).expect("a path");
                let page = through_the_core(&service_too, &session_too, GetPage::first(at), page.clone());
                assert_eq!(black_box(page.members).len(), MEMBERS);
            }),
        },
        Work {
            name: "page empty",
            bytes: EMPTY.len(),
            run: Box::new(move || {
                let at = service_three.target(LOG).expect("a path");
                let none = Bytes::from_static(EMPTY);
                black_box(through_the_core(&service_three, &session_three, GetPage::first(at), none));
            }),
        },
        Work {
            name: "events core",
            bytes: stream_bytes,
            run: Box::new(move || {
                let mut decoder = Decoder::new(Limits::default());
                let pieces =
                    stream.chunks(PIECE).map(|piece| decoder.push(piece).expect("within the limits").len());
                assert_eq!(black_box(pieces.sum::<usize>()), EVENTS);
            }),
        },
        Work {
            name: "events lines",
            bytes: stream_bytes,
            run: Box::new(move || {
                let lines = stream_too.split(|byte| *byte == b'\n');
                let data = lines
                    .filter_map(|line| line.strip_prefix(b"data: "))
                    .map(|data| black_box(data.to_vec()));
                assert_eq!(data.count(), EVENTS);
            }),
        },
        Work {
            name: "page value",
            bytes: page_bytes,
            run: Box::new(move || {
                let page: Value = serde_json::from_slice(&page_too).expect("a page");
                assert_eq!(black_box(page)["Members"].as_array().map(Vec::len), Some(MEMBERS));
            }),
        },
    ]
}

const EMPTY: &[u8] = b"{\"Members\": []}";

const MEMBERS: usize = 2_200;

/// A system of 2 KB, as a service sends it.
pub fn system() -> Bytes {
    let links: Vec<Value> = (0..24)
        .map(|n| json!({"@odata.id": format!("{SYSTEM}/Memory/DIMM{n}"), "State": "Enabled"}))
        .collect();
    let system = json!({
        "@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_13_0.ComputerSystem", "Id": "1", "Name": "System",
        "PowerState": "On", "MemorySummary": {"TotalSystemMemoryGiB": 768}, "Links": {"Memory": links},
    });
    system.to_string().into()
}

/// A page of a log, 1 MB, its entries expanded.
fn page() -> Bytes {
    let entry = |n: usize| {
        json!({
            "@odata.id": format!("{LOG}/{n}"), "@odata.type": "#LogEntry.v1_11_0.LogEntry", "Id": n.to_string(),
            "Name": "Log entry", "EntryType": "Event", "Severity": "Warning", "Created": "2026-03-04T05:06:07Z",
            "Message": format!("Fan {} runs at {} % of its speed, above the limit that was set for it.", n % 8, n % 100),
            "MessageId": "Environment.1.0.FanSpeedAboveLimit", "MessageArgs": [format!("Fan {}", n % 8), "80"],
            "Resolved": n < 700, "Links": {"OriginOfCondition": {"@odata.id": "/redfish/v1/Chassis/1/Sensors/Fan1"}},
        })
    };
    let members: Vec<Value> = (0..MEMBERS).map(entry).collect();
    json!({"@odata.id": LOG, "Members@odata.count": MEMBERS, "Members": members}).to_string().into()
}

/// Bytes of a stream that come at once.
const PIECE: usize = 1_400;

const EVENTS: usize = 2_000;

/// A stream of events, 1 MB. The other side of the comparison only splits it into lines and copies their data.
fn event_stream() -> Bytes {
    let event = |n: usize| {
        let record = json!({"EventId": n.to_string(), "MessageId": "ResourceEvent.1.3.ResourceChanged", "Severity": "OK",
            "OriginOfCondition": {"@odata.id": format!("/redfish/v1/Systems/{n}")}, "Message": "x".repeat(200)});
        let data = json!({"@odata.type": "#Event.v1_7_0.Event", "Id": n.to_string(), "Name": "Event", "Events": [record]});
        format!("id: {n}\ndata: {data}\n\n: still here\n\n")
    };
    (0..EVENTS).map(event).collect::<String>().into()
}

/// What a service answers; both sides pay for making it.
fn head() -> response::Parts {
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ETAG, "W/\"0990574D\"")
        .header("odata-version", "4.0")
        .header(header::CACHE_CONTROL, "no-store");
    answer.body(()).expect("a head").into_parts().0
}

fn through_the_core<O: Operation>(
    service: &Arc<Service>,
    session: &Session,
    operation: O,
    body: Bytes,
) -> O::Output {
    let call = service.call(operation).with(session.clone());
    let Step::Send(outgoing, reply) = call.start(Now::default()) else { panic!("it sends") };
    black_box(&outgoing.request);
    let Step::Done(result) = reply.receive(head(), Ok(body), Now::default()) else { panic!("it ends") };
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn by_hand(base: &str, token: &HeaderValue, body: Bytes) -> Value {
    let uri: Uri = format!("{base}{SYSTEM}").parse().expect("a URI");
    let request = Request::get(uri)
        .header(header::HOST, "bmc.example")
        .header(header::USER_AGENT, "by-hand/1")
        .header("odata-version", "4.0")
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "gzip")
        .header("x-auth-token", token.clone())
        .body(Bytes::new())
        .expect("a request");
    black_box(&request);
    assert!(head().status.is_success());
    serde_json::from_slice(&body).expect("a resource")
}
