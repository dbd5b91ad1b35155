//! The benchmarks: work through the core, and the same work by manual code.
//!
//! `time` measures their time, `count` runs them under an instruction counter, `heap` counts allocations.

mod views;

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

/// A piece of work with its prepared input.
pub struct Benchmark {
    /// The work and the implementation.
    pub name: &'static str,
    /// The length of the input, in bytes.
    pub bytes: usize,
    run: Box<dyn Fn()>,
}

impl Benchmark {
    /// Runs the benchmark once.
    pub fn run(&self) {
        (self.run)();
    }
}

/// All benchmarks. Those whose names share the first word are comparable.
pub fn all() -> Vec<Benchmark> {
    let mut all = core();
    all.extend(views::all());
    all
}

fn core() -> Vec<Benchmark> {
    let service = Arc::new(Service::new("https://bmc.example").expect("a service"));
    let session = Session::from_token(&service, "4899e7dd7b23d25e", None).expect("a session");
    let token = HeaderValue::from_static("4899e7dd7b23d25e");
    let (system, page) = (system(), page());
    let (system_copy, page_copy) = (system.clone(), page.clone());
    let (page_service, page_session) = (Arc::clone(&service), session.clone());
    let (stream, stream_copy) = (event_stream(), event_stream());
    let (system_bytes, page_bytes, stream_bytes) = (system.len(), page.len(), stream.len());
    let (empty_service, empty_session) = (Arc::clone(&service), session.clone());
    vec![
        Benchmark {
            name: "exchange core",
            bytes: system_bytes,
            run: Box::new(move || {
                let target = service.target(SYSTEM).expect("a path");
                black_box(run_with_core(&service, &session, Get::<Value>::new(target), system.clone()));
            }),
        },
        Benchmark {
            name: "exchange hand",
            bytes: system_bytes,
            run: Box::new(move || {
                black_box(run_manually("https://bmc.example", &token, system_copy.clone()));
            }),
        },
        Benchmark {
            name: "page core",
            bytes: page_bytes,
            run: Box::new(move || {
                let target = page_service.target(LOG).expect("a path");
                let page = run_with_core(&page_service, &page_session, GetPage::first(target), page.clone());
                assert_eq!(black_box(page.members).len(), MEMBERS);
            }),
        },
        Benchmark {
            name: "page empty",
            bytes: EMPTY_PAGE.len(),
            run: Box::new(move || {
                let target = empty_service.target(LOG).expect("a path");
                let empty = Bytes::from_static(EMPTY_PAGE);
                black_box(run_with_core(&empty_service, &empty_session, GetPage::first(target), empty));
            }),
        },
        Benchmark {
            name: "events core",
            bytes: stream_bytes,
            run: Box::new(move || {
                let mut decoder = Decoder::new(Limits::default());
                let events =
                    stream.chunks(CHUNK).map(|chunk| decoder.push(chunk).expect("within the limits").len());
                assert_eq!(black_box(events.sum::<usize>()), EVENTS);
            }),
        },
        Benchmark {
            name: "events lines",
            bytes: stream_bytes,
            run: Box::new(move || {
                let lines = stream_copy.split(|byte| *byte == b'\n');
                let data = lines
                    .filter_map(|line| line.strip_prefix(b"data: "))
                    .map(|data| black_box(data.to_vec()));
                assert_eq!(data.count(), EVENTS);
            }),
        },
        Benchmark {
            name: "page value",
            bytes: page_bytes,
            run: Box::new(move || {
                let page: Value = serde_json::from_slice(&page_copy).expect("a page");
                assert_eq!(black_box(page)["Members"].as_array().map(Vec::len), Some(MEMBERS));
            }),
        },
    ]
}

const EMPTY_PAGE: &[u8] = b"{\"Members\": []}";

const MEMBERS: usize = 2_200;

/// A system of 2 KB.
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

/// A page of a log with expanded entries, 1 MB.
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

/// The length of a chunk of the stream, in bytes.
const CHUNK: usize = 1_400;

const EVENTS: usize = 2_000;

/// An event stream of 1 MB. The manual code only splits it into lines and copies their data.
fn event_stream() -> Bytes {
    let event = |n: usize| {
        let record = json!({"EventId": n.to_string(), "MessageId": "ResourceEvent.1.3.ResourceChanged", "Severity": "OK",
            "OriginOfCondition": {"@odata.id": format!("/redfish/v1/Systems/{n}")}, "Message": "x".repeat(200)});
        let data = json!({"@odata.type": "#Event.v1_7_0.Event", "Id": n.to_string(), "Name": "Event", "Events": [record]});
        format!("id: {n}\ndata: {data}\n\n: still here\n\n")
    };
    (0..EVENTS).map(event).collect::<String>().into()
}

/// The head of a response. Both implementations build it.
fn head() -> response::Parts {
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ETAG, "W/\"0990574D\"")
        .header("odata-version", "4.0")
        .header(header::CACHE_CONTROL, "no-store");
    response.body(()).expect("a head").into_parts().0
}

fn run_with_core<O: Operation>(
    service: &Arc<Service>,
    session: &Session,
    operation: O,
    body: Bytes,
) -> O::Output {
    let call = service.call(operation).with_identity(session.clone());
    let Step::Send(outgoing, reply) = call.start(Now::default()) else { panic!("it sends") };
    black_box(&outgoing.request);
    let Step::Done(result) = reply.receive(head(), Ok(body), Now::default()) else { panic!("it ends") };
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn run_manually(base: &str, token: &HeaderValue, body: Bytes) -> Value {
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
