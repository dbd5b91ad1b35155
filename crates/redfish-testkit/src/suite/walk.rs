//! Walks: several requests in flight, one session, and an end in any case.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use http::Method;
use redfish_mock::{ObservedRequest, ServeOptions, Server, Settings, Tls};
use redfish_proto::driver::{Now, TransportLimits};
use redfish_proto::walk::{Event, Walk};
use redfish_proto::{Credentials, Error, ErrorKind, Service};

use crate::adapter::{Adapter, Builder as _, Clock, Transport as _, TransportBuilder as _, Walking};
use crate::bmc::Bmc;

suite! {
    ($) walk:
    requests_are_in_flight_at_once_and_the_set_of_resources_is_always_the_same,
    as_many_requests_are_in_flight_as_the_transport_allows,
    an_expired_session_is_renewed_once_for_all_requests_in_flight,
    a_restart_of_the_service_leads_to_another_session,
    a_walk_that_is_dropped_or_fails_leaves_no_session_open,
    a_rejected_password_ends_the_walk_and_is_sent_once,
    the_deadline_ends_the_walk,
    another_client_continues_a_walk,
    members_arrive_in_the_order_of_their_collection,
}

const ROOT: &str = "/redfish/v1/";

/// A service whose observer can use it.
fn serve(
    faults: &[&str],
    observer: impl Fn(&Server, &ObservedRequest<'_>) + Send + Sync + 'static,
) -> Arc<OnceLock<Server>> {
    let server = Arc::new(OnceLock::<Server>::new());
    let observed = server.clone();
    let observer = move |request: &ObservedRequest<'_>| {
        observed.get().into_iter().for_each(|server| observer(server, request));
    };
    let options =
        ServeOptions { tls: Tls::None, observer: Some(Arc::new(observer)), ..ServeOptions::default() };
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    server.get_or_init(|| Server::start(Settings { faults, ..Settings::default() }, options).unwrap());
    server
}

fn client<A: Adapter>(url: &str, password: &str, in_flight: usize) -> A {
    let limits = TransportLimits::default().per_service(in_flight).idle_connections(in_flight);
    let transport = A::Transport::builder().limits(limits).build();
    let service = Service::new(url).unwrap();
    A::builder(service).login(Credentials::new("admin", password)).transport(&transport).build().unwrap()
}

fn walk<A: Adapter>(client: &A, start: &str) -> Walking {
    let start = client.service().target(start).unwrap();
    client.walk(Walk::new(client.service().clone(), start))
}

/// The URIs of what is read, without those of sessions, and the error that ended the walk.
fn read(walking: &mut Walking) -> (BTreeSet<String>, Option<Error>) {
    let (mut found, mut end) = (BTreeSet::new(), None);
    for event in walking {
        match event {
            Ok(Event::Resource(resource)) => {
                let uri = resource.target().to_string();
                assert!(found.insert(uri.clone()), "{uri} was read twice");
            }
            Ok(_) => {}
            Err(error) => end = Some(error),
        }
    }
    found.retain(|uri| !uri.contains("/Sessions/"));
    (found, end)
}

fn opened(server: &Server) -> u64 {
    server.mock(|mock| mock.session_count().opened)
}

fn requests_are_in_flight_at_once_and_the_set_of_resources_is_always_the_same<A: Adapter>() {
    let server = serve(&[], |_, _| {});
    let server = server.get().unwrap();
    let mut sets = [1, 4].map(|in_flight| {
        let client = client::<A>(&server.url(), "machine-room", in_flight);
        let mut walking = walk(&client, ROOT);
        let (found, end) = read(&mut walking);
        assert!(end.is_none() && walking.known() >= found.len(), "{end:?}");
        assert_eq!(walking.place(0).unwrap().parent, None);
        client.close().unwrap();
        found
    });
    assert!(sets[0].len() > 100);
    assert_eq!(std::mem::take(&mut sets[0]), sets[1]);
    assert_eq!(server.open_sessions(), 0);
}

fn as_many_requests_are_in_flight_as_the_transport_allows<A: Adapter>() {
    let meeting = Arc::new((Mutex::new((0_usize, 0_usize)), Condvar::new()));
    let bmc = Bmc::start(move |connection, head| {
        let links: Vec<String> = (0..9).map(|n| format!("{{\"@odata.id\": \"/r/{n}\"}}")).collect();
        if head.target == "/r" {
            return connection.respond("200 OK", "", &format!("{{\"Parts\": [{}]}}", links.join(",")));
        }
        if head.target.starts_with("/r/") {
            // Each responds only once three of them are here.
            let (lock, arrived) = &*meeting;
            let mut state = lock.lock().unwrap();
            state.0 += 1;
            let number = state.0;
            state.1 = state.1.max(number);
            arrived.notify_all();
            let wanted = number.div_ceil(3) * 3;
            drop(
                arrived.wait_timeout_while(state, Duration::from_secs(20), |state| state.1 < wanted).unwrap(),
            );
        }
        connection.respond("200 OK", "", "{}")
    });
    let limits = TransportLimits::default().per_service(3).idle_connections(3);
    let transport = A::Transport::builder().limits(limits).build();
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    let (found, end) = read(&mut walk(&client, "/r"));
    assert!(end.is_none(), "{end:?}");
    assert_eq!(found.len(), 10);
}

fn an_expired_session_is_renewed_once_for_all_requests_in_flight<A: Adapter>() {
    let reads = Mutex::new(0);
    let server = serve(&[], move |server, request| {
        let mut reads = reads.lock().unwrap();
        *reads += usize::from(request.path.starts_with("/redfish/v1/Systems/"));
        if *reads == 5 {
            *reads += 1;
            server.advance(Duration::from_secs(24 * 3600));
        }
    });
    let server = server.get().unwrap();
    let client = client::<A>(&server.url(), "machine-room", 4);
    let (found, end) = read(&mut walk(&client, ROOT));
    assert!(end.is_none() && found.len() > 100, "{end:?}");
    client.close().unwrap();
    assert_eq!((opened(server), server.open_sessions()), (2, 0));
}

fn a_restart_of_the_service_leads_to_another_session<A: Adapter>() {
    let server = serve(&["restart=250ms@/redfish/v1/Managers*1"], |_, _| {});
    let server = server.get().unwrap();
    let client = client::<A>(&server.url(), "machine-room", 4);
    let (found, end) = read(&mut walk(&client, ROOT));
    assert!(end.is_none() && found.len() > 100, "{end:?}");
    client.close().unwrap();
    assert_eq!((opened(server), server.open_sessions()), (2, 0));
}

fn a_walk_that_is_dropped_or_fails_leaves_no_session_open<A: Adapter>() {
    let server = serve(&[], |_, _| {});
    let server = server.get().unwrap();
    for events in [0, 1, 20] {
        let client = client::<A>(&server.url(), "machine-room", 4);
        let stopped = client.scoped(|client| {
            let mut walking = walk(&client, ROOT);
            for event in walking.by_ref().take(events) {
                event?;
            }
            Err::<(), Error>(client.service().error(ErrorKind::Closed))
        });
        assert_eq!(*stopped.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(server.open_sessions(), 0, "{events}");
    }
    let client = client::<A>(&server.url(), "machine-room", 4);
    let start = client.service().target(ROOT).unwrap();
    let (_, end) = read(&mut client.walk(Walk::new(client.service().clone(), start).max_resources(30)));
    assert!(end.unwrap().to_string().contains("30 resources"));
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn a_rejected_password_ends_the_walk_and_is_sent_once<A: Adapter>() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = logins.clone();
    let server = serve(&[], move |_, request| {
        counted.fetch_add(usize::from(request.method == Method::POST), Ordering::SeqCst);
    });
    let server = server.get().unwrap();
    let client = client::<A>(&server.url(), "wrong", 4);
    let mut walking = walk(&client, ROOT);
    let error = walking.next().unwrap().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
    assert!(walking.next().is_none());
    assert_eq!((logins.load(Ordering::SeqCst), opened(server)), (1, 0));
}

/// A clock that only the test advances.
#[derive(Default)]
struct ManualClock(Mutex<Duration>);

impl Clock for ManualClock {
    fn now(&self) -> Now {
        Now(*self.0.lock().unwrap())
    }

    fn sleep(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

fn the_deadline_ends_the_walk<A: Adapter>() {
    let clock = Arc::new(ManualClock::default());
    let time = clock.clone();
    let bmc = Bmc::start(move |connection, head| match head.target.as_str() {
        "/r" => {
            let links: Vec<String> = (1..=3).map(|n| format!("{{\"@odata.id\": \"/r/{n}\"}}")).collect();
            connection.respond("200 OK", "", &format!("{{\"Parts\": [{}]}}", links.join(",")))
        }
        "/r/2" => {
            time.sleep(Duration::from_secs(60));
            connection.respond("200 OK", "", "{}")
        }
        _ => connection.respond("200 OK", "", "{}"),
    });
    let limits = TransportLimits::default().per_service(1);
    let transport = A::Transport::builder().limits(limits).clock(clock).build();
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    let start = client.service().target("/r").unwrap();
    let walk = Walk::new(client.service().clone(), start).deadline(Duration::from_secs(60));
    let (found, end) = read(&mut client.walk(walk));
    assert!(matches!(end.unwrap().kind(), ErrorKind::Deadline(_)));
    assert!(found.contains("/r/1") && !bmc.requests().contains(&"GET /r/3".to_owned()), "{found:?}");
}

fn another_client_continues_a_walk<A: Adapter>() {
    let server = serve(&[], |_, _| {});
    let server = server.get().unwrap();
    let whole = client::<A>(&server.url(), "machine-room", 4);
    let (expected, _) = read(&mut walk(&whole, ROOT));
    whole.close().unwrap();

    let first = client::<A>(&server.url(), "machine-room", 4);
    let mut walking = walk(&first, ROOT);
    let mut found = BTreeSet::new();
    for event in walking.by_ref().take(10) {
        if let Event::Resource(resource) = event.unwrap() {
            found.insert(resource.target().to_string());
        }
    }
    let rest = walking.into_walk();
    first.close().unwrap();
    let second = client::<A>(&server.url(), "machine-room", 4);
    let (others, end) = read(&mut second.walk(rest));
    assert!(end.is_none(), "{end:?}");
    found.extend(others);
    found.retain(|uri| !uri.contains("/Sessions/"));
    assert_eq!(found, expected);
    second.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn members_arrive_in_the_order_of_their_collection<A: Adapter>() {
    // The first member is the last one to be answered.
    let others = Arc::new((Mutex::new(0), Condvar::new()));
    let bmc = Bmc::start(move |connection, head| {
        let (lock, answered) = &*others;
        match head.target.as_str() {
            "/c" => {
                let links: Vec<String> = (0..4).map(|n| format!("{{\"@odata.id\": \"/c/{n}\"}}")).collect();
                return connection.respond("200 OK", "", &format!("{{\"Members\": [{}]}}", links.join(",")));
            }
            "/c/0" => {
                let count = lock.lock().unwrap();
                drop(
                    answered.wait_timeout_while(count, Duration::from_secs(20), |count| *count < 3).unwrap(),
                );
            }
            _ => {}
        }
        let sent = connection.respond("200 OK", "", "{}");
        *lock.lock().unwrap() += usize::from(head.target.starts_with("/c/"));
        answered.notify_all();
        sent
    });
    let limits = TransportLimits::default().per_service(2).idle_connections(2);
    let transport = A::Transport::builder().limits(limits).build();
    let client = A::builder(Service::new(&bmc.url()).unwrap()).transport(&transport).build().unwrap();
    let collection = client.service().target("/c").unwrap();
    let walking = client.walk(Walk::members(client.service().clone(), collection));
    let found: Vec<String> = walking
        .map(|event| match event.unwrap() {
            Event::Resource(resource) => resource.target().to_string(),
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(found, ["/c/0", "/c/1", "/c/2", "/c/3"]);
}
