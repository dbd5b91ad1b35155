//! What is ended from another thread: streams, reads, waits.

#[path = "harness/clock.rs"]
mod clock;

use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use redfish_proto::driver::Now;
use redfish_proto::events::{EventSource, StreamItem};
use redfish_proto::ops::Download;
use redfish_testkit::adapter::Waits;
use redfish_testkit::bmc::Bmc;
use redfish_ureq::{Cancel, Client, Clock, Error, Events, Service, Transport};

use clock::clock;

fn listen_by(bmc: &Bmc, transport: &Transport) -> Events {
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).transport(transport).build().unwrap();
    client.events_at(EventSource::new(client.service().target("/sse").unwrap()))
}

fn listen(bmc: &Bmc) -> (Events, Arc<Waits>) {
    let waits = Arc::<Waits>::default();
    let transport = Transport::builder().clock(clock(waits.clone())).build();
    (listen_by(bmc, &transport), waits)
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

#[test]
fn events_that_are_cancelled_before_they_begin_never_do() {
    let bmc = Bmc::counting(|_, line| line.broken_stream("data: a\n\n"));
    let (events, _) = listen(&bmc);
    events.cancel().cancel();
    assert_eq!(all(events), [""; 0]);
    assert_eq!(bmc.seen(), [""; 0]);
}

#[test]
fn a_read_that_waits_is_cancelled() {
    let bmc = Bmc::counting(|_, line| {
        line.begin_stream("")?;
        line.piece("id: 1\ndata: a\n\n")?;
        line.wait_for_the_end()
    });
    let (mut events, waits) = listen(&bmc);
    assert_eq!(shown(events.next().unwrap()), "1 a");
    let cancel = events.cancel();
    let cancelling = thread::spawn(move || cancel.cancel());
    assert_eq!(all(events), [""; 0]);
    cancelling.join().unwrap();
    assert_eq!((bmc.seen().len(), waits.seconds().len()), (1, 0));
}

/// Says that it waits, and waits without end.
struct Endless(mpsc::SyncSender<()>);

impl Clock for Endless {
    fn now(&self) -> Now {
        Now::default()
    }

    fn sleep(&self, _: Duration) {
        panic!("nothing would end it");
    }

    fn sleep_cancellable(&self, _: Duration, cancel: &Cancel) {
        self.0.send(()).unwrap();
        cancel.wait(Duration::MAX);
    }
}

#[test]
fn a_wait_between_two_connections_or_two_tries_is_cancelled() {
    for busy in [false, true] {
        let bmc = Bmc::counting(move |_, line| match busy {
            true => line.answer("503 Service Unavailable", "Retry-After: 5\r\n", ""),
            false => line.broken_stream("retry: 60000\n\n"),
        });
        let (waits, waiting) = mpsc::sync_channel(1);
        let transport = Transport::builder().clock(Arc::new(Endless(waits))).build();
        let events = listen_by(&bmc, &transport);
        let cancel = events.cancel();
        let cancelling = thread::spawn(move || {
            waiting.recv().unwrap();
            cancel.cancel();
        });
        assert_eq!(all(events), [""; 0]);
        cancelling.join().unwrap();
        assert_eq!(bmc.seen().len(), 1);
    }
}

#[test]
fn a_stream_is_ended_from_another_thread() {
    let (closed, was_closed) = mpsc::channel();
    let bmc = Bmc::start(move |line, _| {
        line.begin_stream("")?;
        let end = line.wait_for_the_end();
        closed.send(()).map_err(io::Error::other)?;
        end
    });
    let client = Client::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let dump = client.service().target("/dump").unwrap();
    let mut stream = client.stream(Download::new(dump)).unwrap().1.expect("a stream");
    let cancel = Arc::new(stream.cancel());
    let reading = thread::spawn(move || stream.read(&mut [0]));
    cancel.cancel();
    assert!(reading.join().unwrap().is_err(), "cut off, not ended");
    was_closed.recv_timeout(Duration::from_secs(60)).unwrap();
    cancel.cancel();
}
