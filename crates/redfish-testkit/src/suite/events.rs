//! Event streams across connections: no duplicates, reported gaps, reconnection, filters.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use redfish_proto::driver::TransportLimits;
use redfish_proto::events::{EventSource, StreamItem};
use redfish_proto::{Credentials, Error, ErrorKind, Service, Session};

use crate::adapter::{Adapter, Builder as _, Events, RecordingClock, Transport as _, TransportBuilder as _};
use crate::bmc::{Bmc, Head};

suite! {
    ($) events:
    the_stream_reconnects_until_the_service_refuses,
    the_wait_between_connections_grows_until_an_event_arrives,
    the_stream_waits_for_an_unavailable_service,
    each_further_connection_is_announced_before_its_wait,
    a_stream_that_was_never_open_is_not_requested_without_end,
    an_event_on_one_long_line_is_read,
    an_expired_session_is_renewed,
    an_idle_stream_is_reopened,
    a_response_that_is_not_an_event_stream_is_malformed,
    a_stream_that_cannot_be_decoded_is_malformed,
    a_compressed_stream_yields_each_event_on_arrival,
    the_stream_is_discovered_and_filtered,
}

fn listen_with<A: Adapter>(bmc: &Bmc, transport: &A::Transport) -> Events {
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(transport).build().unwrap();
    client.events_at(EventSource::new(client.service().target("/sse").unwrap()))
}

fn listen<A: Adapter>(bmc: &Bmc) -> (Events, Arc<RecordingClock>) {
    let waits = Arc::<RecordingClock>::default();
    let transport = A::Transport::builder().clock(waits.clone()).build();
    (listen_with::<A>(bmc, &transport), waits)
}

fn item_text(item: Result<StreamItem, Error>) -> String {
    match item {
        Ok(StreamItem::Event(event)) => format!("{} {}", event.id, event.data),
        Ok(StreamItem::Gap { after, before }) => format!("{after}..{before}"),
        Ok(StreamItem::Reconnecting(reconnection)) => match reconnection.error {
            Some(error) => format!("again after {}", error.kind().name()),
            None => "again".to_owned(),
        },
        Err(error) => error.kind().name().to_owned(),
    }
}

/// All items.
fn all_items(mut events: Events) -> Vec<String> {
    let all = events.by_ref().map(item_text).collect();
    assert!(events.next().is_none());
    all
}

/// All items except those between two connections.
fn all(events: Events) -> Vec<String> {
    let mut all = all_items(events);
    all.retain(|item| !item.starts_with("again"));
    all
}

fn last_ids(heads: &[Head]) -> Vec<Option<&str>> {
    heads.iter().map(|head| head.header("last-event-id")).collect()
}

fn the_stream_reconnects_until_the_service_refuses<A: Adapter>() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => connection.truncated_stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: ha"),
        1 => connection.truncated_stream("id: 2\ndata: b\n\nid: 5\ndata: e\n\n"),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    let (events, waits) = listen::<A>(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "2..5", "5 e", "forbidden"]);
    let heads = bmc.heads();
    assert_eq!(last_ids(&heads), [None, Some("2"), Some("5")]);
    assert!(heads.iter().all(|head| head.header("accept") == Some("text/event-stream")));
    assert!(heads.iter().all(|head| head.header("accept-encoding") == Some("identity")));
    assert_eq!(waits.seconds(), [1., 1.]);
}

fn the_wait_between_connections_grows_until_an_event_arrives<A: Adapter>() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => connection.truncated_stream("retry: 3000\n\n"),
        4 => connection.truncated_stream("data: at last\n\n"),
        6 => connection.respond("403 Forbidden", "", ""),
        _ => connection.truncated_stream(": still here\n"),
    });
    let (events, waits) = listen::<A>(&bmc);
    assert_eq!(all(events), [" at last", "forbidden"]);
    assert_eq!(waits.seconds(), [3., 6., 12., 24., 3., 6.]);
}

fn the_stream_waits_for_an_unavailable_service<A: Adapter>() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => connection.truncated_stream("id: 1\ndata: a\n\n"),
        1..8 => Err(io::ErrorKind::ConnectionAborted.into()),
        8 => connection.truncated_stream("id: 2\ndata: b\n\n"),
        _ => connection.respond("410 Gone", "", ""),
    });
    let (events, _) = listen::<A>(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "not-found"]);
}

fn each_further_connection_is_announced_before_its_wait<A: Adapter>() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => connection.truncated_stream("data: a\n\n"),
        1 => connection.respond(
            "200 OK",
            "Content-Type: text/event-stream\r\nConnection: close\r\n",
            "data: b\n\n",
        ),
        2 => connection.respond("503 Service Unavailable", "", ""),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    let (mut events, waits) = listen::<A>(&bmc);
    assert_eq!(item_text(events.next().unwrap()), " a");
    assert_eq!(item_text(events.next().unwrap()), "again after transport");
    assert_eq!(waits.seconds(), [0.0; 0]);
    assert_eq!(all_items(events), [" b", "again", "again after busy", "forbidden"]);
}

fn a_stream_that_was_never_open_is_not_requested_without_end<A: Adapter>() {
    for (busy, kind, requests) in [(false, "transport", 4), (true, "busy", 1)] {
        let bmc = Bmc::start_counting(move |_, connection| {
            if busy {
                return connection.respond("503 Service Unavailable", "", "");
            }
            Err(io::ErrorKind::ConnectionAborted.into())
        });
        let (events, _) = listen::<A>(&bmc);
        assert_eq!(all_items(events), [kind]);
        assert_eq!(bmc.requests().len(), requests, "only the retries of the call");
    }
}

fn an_event_on_one_long_line_is_read<A: Adapter>() {
    let report = "x".repeat(1_700_000);
    let expected = format!(" {report}");
    let bmc = Bmc::start_counting(move |number, connection| match number {
        0 => connection.truncated_stream(&format!("data: {report}\n\n")),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    assert!(all(listen::<A>(&bmc).0) == [expected.as_str(), "forbidden"]);
}

fn an_expired_session_is_renewed<A: Adapter>() {
    let bmc = Bmc::start(|connection, head| {
        let (token, last_id) = (head.header("x-auth-token"), head.header("last-event-id"));
        match (head.method.as_str(), head.target.as_str(), token, last_id) {
            ("POST", ..) => {
                connection.body(head)?;
                connection.respond("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
            }
            (_, "/redfish/v1/", ..) => {
                connection.respond("200 OK", "", r#"{"Links": {"Sessions": {"@odata.id": "/S"}}}"#)
            }
            (_, "/sse", Some("old"), None) => connection.truncated_stream("id: 1\ndata: a\n\n"),
            (_, "/sse", Some("old"), _) => connection.respond("401 Unauthorized", "", ""),
            (_, "/sse", Some("new"), Some("1")) => connection.truncated_stream("id: 2\ndata: b\n\n"),
            _ => connection.respond("403 Forbidden", "", ""),
        }
    });
    let service = Service::new(&bmc.url()).unwrap();
    let session = Session::from_token(&service, "old", None).unwrap();
    let transport = A::Transport::builder().clock(Arc::<RecordingClock>::default()).build();
    let client = A::builder(service).login(Credentials::new("ada", "engine No. 1")).resume(session);
    let client = client.transport(&transport).build().unwrap();
    let source = EventSource::new(client.service().target("/sse").unwrap());
    assert_eq!(all(client.events_at(source)), ["1 a", "2 b", "forbidden"]);
    let sent = ["GET /sse", "GET /sse", "GET /redfish/v1/", "POST /S", "GET /sse", "GET /sse"];
    assert_eq!(bmc.requests(), sent);
}

fn an_idle_stream_is_reopened<A: Adapter>() {
    let bmc = Bmc::start_counting(|number, connection| match number {
        0 => {
            connection.start_stream("")?;
            connection.chunk("id: 1\ndata: a\n\n")?;
            connection.wait_for_close()
        }
        1 => connection.truncated_stream("id: 2\ndata: b\n\n"),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    let clock = Arc::<RecordingClock>::default();
    let transport = A::Transport::builder()
        .clock(clock)
        .limits(TransportLimits::default().stream_idle(Duration::from_millis(100)))
        .build();
    assert_eq!(all(listen_with::<A>(&bmc, &transport)), ["1 a", "2 b", "forbidden"]);
}

fn a_response_that_is_not_an_event_stream_is_malformed<A: Adapter>() {
    let bmc = Bmc::start_counting(|_, connection| {
        connection.respond("200 OK", "Content-Type: application/json\r\n", "{}")
    });
    assert_eq!(all(listen::<A>(&bmc).0), ["malformed"]);
    assert_eq!(bmc.requests().len(), 1);
}

fn a_stream_that_cannot_be_decoded_is_malformed<A: Adapter>() {
    for coding in ["Content-Encoding: zstd\r\n", "Content-Encoding: gzip\r\n"] {
        let bmc = Bmc::start_counting(move |_, connection| {
            connection.start_stream(coding)?;
            connection.chunk(b"id: 1\ndata: not compressed\n\n")
        });
        assert_eq!(all(listen::<A>(&bmc).0), ["malformed"], "{coding}");
        assert_eq!(bmc.requests().len(), 1, "{coding}");
    }
}

fn a_compressed_stream_yields_each_event_on_arrival<A: Adapter>() {
    let (received, next) = mpsc::channel::<()>();
    let next = Mutex::new(next);
    let bmc = Bmc::start_counting(move |number, connection| {
        if number > 0 {
            return connection.respond("403 Forbidden", "", "");
        }
        connection.start_stream("Content-Encoding: gzip\r\n")?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        for text in ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n"] {
            gzip.write_all(text.as_bytes())?;
            gzip.flush()?;
            connection.chunk(std::mem::take(gzip.get_mut()))?;
            next.lock().unwrap().recv().map_err(io::Error::other)?;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let (mut events, _) = listen::<A>(&bmc);
    for text in ["1 a", "2 b"] {
        assert_eq!(item_text(events.next().unwrap()), text);
        received.send(()).unwrap();
    }
}

const SERVICE: &str =
    r#"{"ServerSentEventUri": "/sse", "SSEFilterPropertiesSupported": {"EventFormatType": true}}"#;

fn the_stream_is_discovered_and_filtered<A: Adapter>() {
    let bmc = Bmc::start(|connection, head| match head.target.as_str() {
        "/redfish/v1/" => connection.respond("200 OK", "", r#"{"EventService": {"@odata.id": "/events"}}"#),
        "/events" => connection.respond("200 OK", "", SERVICE),
        _ => connection.respond("403 Forbidden", "", ""),
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let refused = client.events(Some("MessageId eq 'x'")).err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::InvalidParameter { .. }), "{refused}");
    let events = client.events(Some("EventFormatType eq 'Event'")).unwrap();
    assert_eq!(bmc.requests().len(), 4, "the stream is opened only when read");
    assert_eq!(all(events), ["forbidden"]);
    assert_eq!(bmc.requests()[4], "GET /sse?$filter=EventFormatType%20eq%20'Event'");
    let none = Bmc::start(|connection, _| connection.respond("200 OK", "", "{}"));
    let client = A::builder(Service::new(&none.url()).unwrap()).build().unwrap();
    assert!(matches!(client.events(None).err().unwrap().kind(), ErrorKind::NotSupported(_)));
}
