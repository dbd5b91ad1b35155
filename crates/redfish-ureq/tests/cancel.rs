//! Cancellation of streams, reads and waits from another thread.

mod harness {
    pub(crate) mod clock;
}

use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_proto::events::{EventSource, StreamItem};
use redfish_proto::ops::Download;
use redfish_testkit::adapter::RecordingClock;
use redfish_testkit::bmc::Bmc;
use redfish_ureq::{Cancel, Client, Clock, Error, Events, Service, Transport};

use harness::clock::clock;

fn listen_with(bmc: &Bmc, transport: &Transport) -> Events {
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(transport).build().unwrap();
    client.events_at(EventSource::new(client.service().target("/sse").unwrap()))
}

fn listen(bmc: &Bmc) -> (Events, Arc<RecordingClock>) {
    let waits = Arc::<RecordingClock>::default();
    let transport = Transport::builder().clock(clock(waits.clone())).build();
    (listen_with(bmc, &transport), waits)
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

fn all(mut events: Events) -> Vec<String> {
    let mut all = Vec::new();
    for item in events.by_ref() {
        all.push(item_text(item));
    }
    assert!(events.next().is_none());
    all
}

#[test]
fn events_cancelled_before_the_first_read_open_no_connection() {
    let bmc = Bmc::start_counting(|_, connection| connection.truncated_stream("data: a\n\n"));
    let (events, _) = listen(&bmc);
    events.cancel().cancel();
    assert_eq!(all(events), [""; 0]);
    assert_eq!(bmc.requests(), [""; 0]);
}

#[test]
fn a_blocked_read_is_cancelled() {
    let bmc = Bmc::start_counting(|_, connection| {
        connection.start_stream("")?;
        connection.chunk("id: 1\ndata: a\n\n")?;
        connection.wait_for_close()
    });
    let (mut events, waits) = listen(&bmc);
    assert_eq!(item_text(events.next().unwrap()), "1 a");
    let cancel = events.cancel();
    let cancelling = thread::spawn(move || cancel.cancel());
    assert_eq!(all(events), [""; 0]);
    cancelling.join().unwrap();
    assert_eq!((bmc.requests().len(), waits.seconds().len()), (1, 0));
}

/// A clock that reports each wait, which only a cancellation ends.
struct EndlessClock(mpsc::SyncSender<()>);

impl Clock for EndlessClock {
    fn now(&self) -> Now {
        Now::default()
    }

    fn sleep(&self, _: Duration) {
        panic!("a wait that cannot be cancelled");
    }

    fn sleep_cancellable(&self, _: Duration, cancel: &Cancel) {
        self.0.send(()).unwrap();
        cancel.wait(Duration::MAX);
    }
}

#[test]
fn a_wait_before_a_reconnect_or_a_retry_is_cancelled() {
    for busy in [false, true] {
        let bmc = Bmc::start_counting(move |_, connection| {
            if busy {
                connection.respond("503 Service Unavailable", "Retry-After: 5\r\n", "")
            } else {
                connection.truncated_stream("retry: 60000\n\n")
            }
        });
        let (waits, waiting) = mpsc::sync_channel(1);
        let transport = Transport::builder().clock(Arc::new(EndlessClock(waits))).build();
        let events = listen_with(&bmc, &transport);
        let cancel = events.cancel();
        let cancelling = thread::spawn(move || {
            waiting.recv().unwrap();
            cancel.cancel();
        });
        let expected: &[&str] = if busy { &[] } else { &["again after transport"] };
        assert_eq!(all(events), expected);
        cancelling.join().unwrap();
        assert_eq!(bmc.requests().len(), 1);
    }
}

#[test]
fn a_stream_is_cancelled_from_another_thread() {
    let (closed, was_closed) = mpsc::channel();
    let bmc = Bmc::start(move |connection, _| {
        connection.start_stream("")?;
        let end = connection.wait_for_close();
        closed.send(()).map_err(io::Error::other)?;
        end
    });
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let dump = client.service().target("/dump").unwrap();
    let mut stream = client.stream(Download::new(dump)).unwrap().1.expect("a stream");
    let cancel = Arc::new(stream.cancel());
    let reading = thread::spawn(move || stream.read(&mut [0]));
    cancel.cancel();
    assert!(reading.join().unwrap().is_err(), "an error, not the end of the body");
    was_closed.recv_timeout(Duration::from_secs(60)).unwrap();
    cancel.cancel();
}
