//! The clients: both adapters, which walk or read everything one after the other.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_mock::Settings;
use redfish_proto::driver::TransportLimits;
use redfish_proto::walk::{Event, Walk};
use redfish_proto::{Credentials, Error, Service};
use serde_json::Value;
use tokio::runtime::Runtime;

const ROOT: &str = "/redfish/v1/";

/// A client that is logged in.
pub(crate) enum Client {
    Hyper(redfish_hyper::Client, Runtime),
    Ureq(redfish_ureq::Client),
}

/// What a client needed.
pub(crate) struct Cost {
    pub(crate) resources: usize,
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adapter {
    Hyper,
    Ureq,
}

impl Adapter {
    pub(crate) const ALL: [Adapter; 2] = [Adapter::Hyper, Adapter::Ureq];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Adapter::Hyper => "redfish-hyper",
            Adapter::Ureq => "redfish-ureq",
        }
    }

    /// A client with a session, and room for this number of requests.
    pub(crate) fn log_in(self, url: &str, in_flight: usize) -> Client {
        let Settings { user, password, .. } = Settings::default();
        let (service, credentials) =
            (Service::new(url).expect("a service"), Credentials::new(user, password));
        let limits = TransportLimits::default().per_service(in_flight).idle_connections(in_flight.max(2));
        match self {
            Adapter::Hyper => {
                let transport = redfish_hyper::Transport::builder().limits(limits).build();
                let builder = redfish_hyper::Client::builder(service).transport(&transport);
                let client = builder.login(credentials).build().expect("a client");
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(client.session()).expect("a session");
                Client::Hyper(client, runtime)
            }
            Adapter::Ureq => {
                let transport = redfish_ureq::Transport::builder().limits(limits).build();
                let builder = redfish_ureq::Client::builder(service).transport(&transport);
                let client = builder.login(credentials).build().expect("a client");
                client.session().expect("a session");
                Client::Ureq(client)
            }
        }
    }
}

impl Client {
    /// Walks the whole service, including all pages of logs.
    pub(crate) fn walk(&self, expand: bool) -> Cost {
        let mut resources = 0;
        let mut count = |event: Result<Event, Error>| match event.expect("a walk without failures") {
            Event::Resource(_) => resources += 1,
            other => panic!("{other:?}"),
        };
        let (started, cpu) = (Instant::now(), cpu_time());
        let measure = || (started.elapsed(), cpu_time() - cpu);
        // The time of threads that have ended is not known, so it is read while they still wait.
        let (time, cpu) = match self {
            Client::Hyper(client, runtime) => {
                let mut walking = client.walk(walk(client.service(), expand));
                runtime.block_on(async {
                    while let Some(event) = walking.next().await {
                        count(event);
                    }
                });
                measure()
            }
            Client::Ureq(client) => {
                let mut walking = client.walk(walk(client.service(), expand));
                walking.by_ref().for_each(count);
                measure()
            }
        };
        Cost { resources, time, cpu }
    }

    /// Reads every resource and every page once, one after the other: what earlier versions of the command did.
    pub(crate) fn read_in_turn(&self) -> Cost {
        let (started, cpu) = (Instant::now(), cpu_time());
        let mut seen = HashSet::from([key(ROOT).to_owned()]);
        let mut queue = VecDeque::from([ROOT.to_owned()]);
        let mut resources = 0;
        while let Some(target) = queue.pop_front() {
            resources += usize::from(!target.contains('?'));
            let document = self.get(&target);
            let mut found = Vec::new();
            collect(&document, &mut found);
            found.extend(document["Members@odata.nextLink"].as_str());
            for link in found {
                let link = link.split('#').next().unwrap_or_default();
                if seen.insert(key(link).to_owned()) {
                    queue.push_back(link.to_owned());
                }
            }
        }
        Cost { resources, time: started.elapsed(), cpu: cpu_time() - cpu }
    }

    fn get(&self, target: &str) -> Value {
        match self {
            Client::Hyper(client, runtime) => runtime.block_on(client.get(target)),
            Client::Ureq(client) => client.get(target),
        }
        .expect("a resource")
    }

    pub(crate) fn log_out(self) {
        match self {
            Client::Hyper(client, runtime) => runtime.block_on(client.close()).map(drop),
            Client::Ureq(client) => client.close().map(drop),
        }
        .expect("a logout");
    }
}

fn walk(service: &Arc<Service>, expand: bool) -> Walk {
    let start = service.target(ROOT).expect("a path");
    Walk::new(service.clone(), start).whole_logs().expand(expand)
}

/// Collects the references in a document.
fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            found.extend(members.get("@odata.id").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, found));
        }
        _ => {}
    }
}

fn key(target: &str) -> &str {
    target.trim_end_matches('/')
}

/// The CPU time of all threads of this process, including the kernel.
fn cpu_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").expect("a Linux kernel");
    let time_of = |thread: fs::DirEntry| -> Option<u64> {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(threads.flatten().filter_map(time_of).sum())
}
