//! Events over many connections: nothing twice, nothing missed unsaid, and an end whenever it is wanted.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use redfish_proto::driver::TransportLimits;
use redfish_proto::events::{EventSource, StreamItem};
use redfish_proto::{Credentials, Error, ErrorKind, Service, Session};

use crate::adapter::{Adapter, Builder as _, Events, Transport as _, TransportBuilder as _, Waits};
use crate::bmc::{Bmc, Head};

suite! {
    ($) events:
    a_connection_that_ends_is_followed_by_the_next_until_the_service_refuses,
    the_wait_between_connections_grows_until_an_event_comes,
    a_service_that_is_away_for_a_while_is_waited_for,
    a_session_that_has_died_meanwhile_is_renewed,
    a_stream_that_is_silent_for_too_long_is_opened_again,
    what_is_no_stream_of_events_is_refused,
    a_stream_that_came_compressed_unasked_hands_out_each_event_as_it_comes,
    the_stream_is_found_and_filtered,
}

fn listen_by<A: Adapter>(bmc: &Bmc, transport: &A::Transport) -> Events {
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(transport).build().unwrap();
    client.events_at(EventSource::new(client.service().target("/sse").unwrap()))
}

fn listen<A: Adapter>(bmc: &Bmc) -> (Events, Arc<Waits>) {
    let waits = Arc::<Waits>::default();
    let transport = A::Transport::builder().clock(waits.clone()).build();
    (listen_by::<A>(bmc, &transport), waits)
}

fn shown(incoming: Result<StreamItem, Error>) -> String {
    match incoming {
        Ok(StreamItem::Event(event)) => format!("{} {}", event.id, event.data),
        Ok(StreamItem::Gap { after, before }) => format!("{after}..{before}"),
        Err(error) => error.kind().name().to_owned(),
    }
}

fn all(mut events: Events) -> Vec<String> {
    let mut all = Vec::new();
    for incoming in events.by_ref() {
        all.push(shown(incoming));
    }
    assert!(events.next().is_none());
    all
}

fn last_ids(heads: &[Head]) -> Vec<Option<&str>> {
    heads.iter().map(|head| head.header("last-event-id")).collect()
}

fn a_connection_that_ends_is_followed_by_the_next_until_the_service_refuses<A: Adapter>() {
    let bmc = Bmc::counting(|number, line| match number {
        0 => line.broken_stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: ha"),
        1 => line.broken_stream("id: 2\ndata: b\n\nid: 5\ndata: e\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let (events, waits) = listen::<A>(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "2..5", "5 e", "not-found"]);
    let heads = bmc.heads();
    assert_eq!(last_ids(&heads), [None, Some("2"), Some("5")]);
    assert!(heads.iter().all(|head| head.header("accept") == Some("text/event-stream")));
    assert!(heads.iter().all(|head| head.header("accept-encoding") == Some("identity")));
    assert_eq!(waits.seconds(), [1., 1.]);
}

fn the_wait_between_connections_grows_until_an_event_comes<A: Adapter>() {
    let bmc = Bmc::counting(|number, line| match number {
        0 => line.broken_stream("retry: 3000\n\n"),
        4 => line.broken_stream("data: at last\n\n"),
        6 => line.answer("403 Forbidden", "", ""),
        _ => line.broken_stream(": still here\n"),
    });
    let (events, waits) = listen::<A>(&bmc);
    assert_eq!(all(events), [" at last", "forbidden"]);
    assert_eq!(waits.seconds(), [3., 6., 12., 24., 3., 6.]);
}

fn a_service_that_is_away_for_a_while_is_waited_for<A: Adapter>() {
    let bmc = Bmc::counting(|number, line| match number {
        0 => line.broken_stream("id: 1\ndata: a\n\n"),
        1..8 => Err(io::ErrorKind::ConnectionAborted.into()),
        8 => line.broken_stream("id: 2\ndata: b\n\n"),
        _ => line.answer("410 Gone", "", ""),
    });
    let (events, _) = listen::<A>(&bmc);
    assert_eq!(all(events), ["1 a", "2 b", "not-found"]);
}

fn a_session_that_has_died_meanwhile_is_renewed<A: Adapter>() {
    let bmc = Bmc::start(|line, head| {
        let (token, behind) = (head.header("x-auth-token"), head.header("last-event-id"));
        match (head.method.as_str(), head.target.as_str(), token, behind) {
            ("POST", ..) => {
                line.body(head)?;
                line.answer("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
            }
            (_, "/redfish/v1/", ..) => {
                line.answer("200 OK", "", r#"{"Links": {"Sessions": {"@odata.id": "/S"}}}"#)
            }
            (_, "/sse", Some("old"), None) => line.broken_stream("id: 1\ndata: a\n\n"),
            (_, "/sse", Some("old"), _) => line.answer("401 Unauthorized", "", ""),
            (_, "/sse", Some("new"), Some("1")) => line.broken_stream("id: 2\ndata: b\n\n"),
            _ => line.answer("404 Not Found", "", ""),
        }
    });
    let service = Service::new(&bmc.url()).unwrap();
    let session = Session::from_token(&service, "old", None).unwrap();
    let transport = A::Transport::builder().clock(Arc::<Waits>::default()).build();
    let client = A::builder(service).login(Credentials::new("ada", "engine No. 1")).resume(session);
    let client = client.transport(&transport).build().unwrap();
    let source = EventSource::new(client.service().target("/sse").unwrap());
    assert_eq!(all(client.events_at(source)), ["1 a", "2 b", "not-found"]);
    let sent = ["GET /sse", "GET /sse", "GET /redfish/v1/", "POST /S", "GET /sse", "GET /sse"];
    assert_eq!(bmc.seen(), sent);
}

fn a_stream_that_is_silent_for_too_long_is_opened_again<A: Adapter>() {
    let bmc = Bmc::counting(|number, line| match number {
        0 => {
            line.begin_stream("")?;
            line.piece("id: 1\ndata: a\n\n")?;
            line.wait_for_the_end()
        }
        1 => line.broken_stream("id: 2\ndata: b\n\n"),
        _ => line.answer("404 Not Found", "", ""),
    });
    let clock = Arc::<Waits>::default();
    let transport = A::Transport::builder()
        .clock(clock)
        .limits(TransportLimits::default().stream_idle(Duration::from_millis(100)))
        .build();
    assert_eq!(all(listen_by::<A>(&bmc, &transport)), ["1 a", "2 b", "not-found"]);
}

fn what_is_no_stream_of_events_is_refused<A: Adapter>() {
    let bmc = Bmc::counting(|_, line| line.answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    assert_eq!(all(listen::<A>(&bmc).0), ["malformed"]);
    assert_eq!(bmc.seen().len(), 1);
}

fn a_stream_that_came_compressed_unasked_hands_out_each_event_as_it_comes<A: Adapter>() {
    let (seen, go_on) = mpsc::channel::<()>();
    let go_on = Mutex::new(go_on);
    let bmc = Bmc::counting(move |number, line| {
        if number > 0 {
            return line.answer("404 Not Found", "", "");
        }
        line.begin_stream("Content-Encoding: gzip\r\n")?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        for text in ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n"] {
            gzip.write_all(text.as_bytes())?;
            gzip.flush()?;
            line.piece(std::mem::take(gzip.get_mut()))?;
            go_on.lock().unwrap().recv().map_err(io::Error::other)?;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let (mut events, _) = listen::<A>(&bmc);
    for text in ["1 a", "2 b"] {
        assert_eq!(shown(events.next().unwrap()), text);
        seen.send(()).unwrap();
    }
}

const SERVICE: &str =
    r#"{"ServerSentEventUri": "/sse", "SSEFilterPropertiesSupported": {"EventFormatType": true}}"#;

fn the_stream_is_found_and_filtered<A: Adapter>() {
    let bmc = Bmc::start(|line, head| match head.target.as_str() {
        "/redfish/v1/" => line.answer("200 OK", "", r#"{"EventService": {"@odata.id": "/events"}}"#),
        "/events" => line.answer("200 OK", "", SERVICE),
        _ => line.answer("404 Not Found", "", ""),
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let refused = client.events(Some("MessageId eq 'x'")).err().unwrap();
    assert!(matches!(refused.kind(), ErrorKind::InvalidParameter { .. }), "{refused}");
    let events = client.events(Some("EventFormatType eq 'Event'")).unwrap();
    assert_eq!(bmc.seen().len(), 4, "nothing is opened before it is asked for");
    assert_eq!(all(events), ["not-found"]);
    assert_eq!(bmc.seen()[4], "GET /sse?$filter=EventFormatType%20eq%20'Event'");
    let none = Bmc::start(|line, _| line.answer("200 OK", "", "{}"));
    let client = A::builder(Service::new(&none.url()).unwrap()).build().unwrap();
    assert!(matches!(client.events(None).err().unwrap().kind(), ErrorKind::NotSupported(_)));
}
