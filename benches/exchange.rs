//! One exchange, a GET of a 2 KB resource with a session: through the core, and by hand with `http` and `serde_json`.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request, Response, Uri, header, response};
use redfish_proto::{Get, Now, Service, Session, Step};
use serde_json::{Value, json};

const PATH: &str = "/redfish/v1/Systems/1";

fn resource() -> Bytes {
    let links: Vec<Value> =
        (0..24).map(|n| json!({"@odata.id": format!("{PATH}/Memory/DIMM{n}"), "State": "Enabled"})).collect();
    let system = json!({
        "@odata.id": PATH, "@odata.type": "#ComputerSystem.v1_13_0.ComputerSystem", "Id": "1", "Name": "System",
        "PowerState": "On", "MemorySummary": {"TotalSystemMemoryGiB": 768}, "Links": {"Memory": links},
    });
    system.to_string().into()
}

/// What a service answers; made outside of what is measured by both.
fn head() -> response::Parts {
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ETAG, "W/\"0990574D\"")
        .header("odata-version", "4.0")
        .header(header::CACHE_CONTROL, "no-store");
    answer.body(()).expect("a head").into_parts().0
}

fn through_the_core(service: &Arc<Service>, session: &Session, head: response::Parts, body: Bytes) -> Value {
    let at = service.target(PATH).expect("a path");
    let call = service.call(Get::<Value>::new(at)).with(session.clone());
    let Step::Send(outgoing, reply) = call.start(Now::default()) else { panic!("it sends") };
    black_box(&outgoing.request);
    let Step::Done(result) = reply.receive(head, Ok(body), Now::default()) else { panic!("it ends") };
    result.expect("a resource")
}

fn by_hand(base: &str, token: &HeaderValue, head: response::Parts, body: Bytes) -> Value {
    let uri: Uri = format!("{base}{PATH}").parse().expect("a URI");
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
    assert!(head.status.is_success());
    serde_json::from_slice(&body).expect("a resource")
}

fn exchange(criterion: &mut Criterion) {
    let service = Arc::new(Service::new("https://bmc.example").expect("a service"));
    let session = Session::issued(&service, "4899e7dd7b23d25e", None).expect("a session");
    let token = HeaderValue::from_static("4899e7dd7b23d25e");
    let body = resource();
    let mut group = criterion.benchmark_group("exchange");
    group.bench_function("core", |b| {
        b.iter_batched(
            head,
            |head| through_the_core(&service, &session, head, body.clone()),
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("by hand", |b| {
        b.iter_batched(
            head,
            |head| by_hand("https://bmc.example", &token, head, body.clone()),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, exchange);
criterion_main!(benches);
