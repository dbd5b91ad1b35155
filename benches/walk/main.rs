//! Walks a fixed service with several requests in flight, and compares that with reading one resource after the other:
//! `cargo run --release -p redfish-benches --bin walk`. It fails if a bound is exceeded.
//!
//! The service is another process of this program, a mock with resources that are made here, so that the figures stay
//! comparable when those of the mock change. `walk serve fixed 50` runs it for other clients until its input ends, with 50 ms
//! per response.
//!
//! - `--check` measures only what has a bound.
//! - `--peers` measures other clients as well; it installs them.
//! - `--command PATH` measures the command `redfish` as well.

mod client;
mod fixed;
mod memory;
mod peers;
mod random;
mod service;
mod tree;

use std::io::Read;
use std::process::Command;
use std::time::Duration;

use client::{Adapter, Cost};
use service::{Contents, SESSIONS, Service};

const LATENCIES: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(200)];
const IN_FLIGHT: [usize; 4] = [1, 2, 4, 8];

/// The latency and the number in flight for which the time has a bound, and for which peers and memory are measured.
const CHECKED: (Duration, usize) = (LATENCIES[1], 4);
/// The allowed time as a multiple of that of full use.
const MAX_TIME: f64 = 1.5;
/// The allowed requests with `$expand`, as a multiple of those without.
const MAX_EXPANDED: f64 = 0.6;
const MAX_CPU: Duration = Duration::from_millis(100);
const MAX_MEMORY: u64 = 24 << 20;

#[derive(Default)]
struct Options {
    check: bool,
    peers: bool,
    command: Option<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", contents, milliseconds] => return service::serve(contents, milliseconds),
        ["memory", adapter, url, expand] => return walk_large(adapter, url, expand),
        _ => {}
    }
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => options.check = true,
            "--peers" => options.peers = true,
            "--command" => options.command = Some(arguments.next().expect("the path of the command")),
            _ => panic!("usage: walk [--check] [--peers] [--command PATH]"),
        }
    }
    measure(&options);
}

fn measure(options: &Options) {
    let bench = Bench::new();
    for latency in LATENCIES {
        for adapter in Adapter::ALL {
            bench.measure(adapter, latency, options.check);
        }
    }
    if options.peers || options.command.is_some() {
        println!("other processes, {} ms per response:", CHECKED.0.as_millis());
    }
    if let Some(command) = &options.command {
        peers::run_command(command, CHECKED.0);
    }
    if options.peers {
        peers::compare(CHECKED.0);
    }
    measure_memory(options.command.as_deref());
}

/// The fixed service, as far as it determines the bounds.
struct Bench {
    resources: usize,
    /// The requests without `$expand`, of a client that reads nothing twice.
    requests: usize,
}

impl Bench {
    fn new() -> Bench {
        let tree = Contents::Fixed.tree();
        let (resources, requests) = (tree.resources() + SESSIONS, tree.requests() + SESSIONS);
        println!(
            "the service: {resources} resources, {} of them log entries; {requests} requests without $expand",
            tree.entries()
        );
        Bench { resources, requests }
    }

    /// Measures an adapter, or only what has a bound.
    fn measure(&self, adapter: Adapter, latency: Duration, only_checked: bool) {
        if !only_checked {
            let mut service = Service::start(Contents::Fixed, latency);
            let client = adapter.log_in(&service.url, 1);
            service.requests();
            let cost = client.read_in_turn();
            self.report(adapter, latency, "one after the other", &cost, service.requests().reads);
            client.log_out();
        }
        for in_flight in IN_FLIGHT {
            for expand in [false, true] {
                if !only_checked || CHECKED == (latency, in_flight) {
                    self.walk(adapter, latency, in_flight, expand);
                }
            }
        }
    }

    fn walk(&self, adapter: Adapter, latency: Duration, in_flight: usize, expand: bool) {
        let mut service = Service::start(Contents::Fixed, latency);
        let client = adapter.log_in(&service.url, in_flight);
        service.requests();
        let cost = client.walk(expand);
        let requests = service.requests().reads;
        client.log_out();
        let name = format!("{in_flight} in flight{}", if expand { ", $expand" } else { "" });
        self.report(adapter, latency, &name, &cost, requests);
        let max = if expand { (self.requests as f64 * MAX_EXPANDED) as usize } else { self.requests };
        assert!(requests <= max, "more than {max} requests");
        assert!(cost.cpu <= MAX_CPU, "more than {MAX_CPU:?} of CPU time");
        if CHECKED == (latency, in_flight) {
            let max = latency.mul_f64(MAX_TIME * requests as f64 / in_flight as f64);
            assert!(cost.time <= max, "more than {max:?}");
        }
    }

    fn report(&self, adapter: Adapter, latency: Duration, name: &str, cost: &Cost, requests: usize) {
        let (adapter, latency) = (adapter.name(), latency.as_millis());
        let (time, cpu) = (cost.time.as_secs_f64(), cost.cpu.as_secs_f64());
        println!(
            "{adapter:14} {latency:>4} ms  {name:22} {requests:>5} requests {time:>8.2} s {cpu:>7.3} s of CPU time"
        );
        assert_eq!(cost.resources, self.resources, "the resources that were read");
    }
}

/// Measures the peak memory of processes that walk the large service.
fn measure_memory(command: Option<&str>) {
    let tree = Contents::Random.tree();
    // A login reads the service root.
    let (resources, max) = (tree.resources() + SESSIONS, tree.requests() + SESSIONS + 1);
    let mut service = Service::start(Contents::Random, Duration::ZERO);
    let url = service.url.clone();
    println!("peak memory of a process that walks {resources} resources:");
    let mut report = |name: &str, run: &mut Command| {
        let (output, peak) = memory::run(run);
        let reads = service.requests().reads;
        println!("{name:24} {reads:>5} requests {:>8.1} MiB", peak as f64 / f64::from(1 << 20));
        assert!(reads <= max, "more than {max} requests");
        (output, peak)
    };
    for adapter in Adapter::ALL {
        for expand in ["", "$expand"] {
            let mut child = Command::new(std::env::current_exe().expect("this program"));
            let name = [adapter.name(), expand].join(" ");
            let (output, peak) = report(&name, child.args(["memory", adapter.name(), &url, expand]));
            assert_eq!(output, format!("{resources}\n").into_bytes(), "the resources that were read");
            assert!(peak <= MAX_MEMORY, "more than {MAX_MEMORY} bytes");
        }
    }
    if let Some(program) = command {
        report("redfish tree --logs", &mut peers::tree(program, &url));
    }
}

/// Walks the large service, prints the number of resources, and waits for the end of the input.
fn walk_large(adapter: &str, url: &str, expand: &str) {
    let adapter =
        Adapter::ALL.into_iter().find(|known| known.name() == adapter).expect("the name of an adapter");
    let client = adapter.log_in(url, CHECKED.1);
    let cost = client.walk(!expand.is_empty());
    client.log_out();
    println!("{}", cost.resources);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
