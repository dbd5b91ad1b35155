//! A soak test: 100,000 calls of one client to a service that drops the session after every 50. `cargo run --release -p
//! redfish-benches --bin soak` fails if memory grows or a session is left open.
//!
//! The service is another process of this program: `soak serve`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use redfish_mock::{ObservedRequest, ServeOptions, Server, Settings, Tls};
use serde_json::Value;

const CALLS: usize = 100_000;
const CALLS_PER_SESSION: usize = 50;

/// The number of calls before the first measurement.
const WARM_UP: usize = CALLS / 10;
/// The allowed growth in bytes after the warm-up, for the spare capacity of maps and lists.
const MAX_GROWTH: usize = 4 << 10;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

fn main() {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    soak("redfish-ureq", |url, call| {
        use redfish_ureq::{Client, Credentials, Service};

        let settings = Settings::default();
        let credentials = Credentials::new(settings.user, settings.password);
        let client = Client::builder(Service::new(url).expect("a service")).login(credentials);
        let client = client.build().expect("a client");
        for done in 1..=CALLS {
            client.get::<Value>(SYSTEM).expect("a system");
            call(done);
        }
        client.close().expect("a logout");
    });
    soak("redfish-hyper", |url, call| {
        use redfish_hyper::{Client, Credentials, Service};

        let settings = Settings::default();
        let credentials = Credentials::new(settings.user, settings.password);
        let client = Client::builder(Service::new(url).expect("a service")).login(credentials);
        let client = client.build().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for done in 1..=CALLS {
                client.get::<Value>(SYSTEM).await.expect("a system");
                call(done);
            }
            client.close().await.expect("a logout");
        });
    });
}

/// Runs the calls and measures the memory in use.
fn soak(name: &str, calls: impl FnOnce(&str, &mut dyn FnMut(usize))) {
    let peer = Peer::start();
    let _profiler = dhat::Profiler::builder().testing().build();
    let allocated = || dhat::HeapStats::get().curr_bytes;
    let (mut baseline, mut growth) = (0, 0);
    calls(&peer.url, &mut |done| match done {
        WARM_UP => baseline = allocated(),
        CALLS => growth = allocated().saturating_sub(baseline),
        _ => {}
    });
    let summary = peer.stop();
    println!(
        "{name}: {CALLS} calls, {growth} bytes more in use than after {WARM_UP}; the service: {summary}"
    );
    assert!(growth <= MAX_GROWTH, "memory grows");
    assert_eq!(summary, format!("{} sessions opened, 0 open", CALLS / CALLS_PER_SESSION));
}

/// The service in another process, which ends when its standard input closes.
struct Peer {
    process: Child,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Peer {
    fn start() -> Peer {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut url = String::new();
        output.read_line(&mut url).expect("its first line");
        Peer { process, output, url: url.trim().to_owned() }
    }

    /// Stops the service and returns its last output.
    fn stop(mut self) -> String {
        drop(self.process.stdin.take());
        let mut summary = String::new();
        self.output.read_to_string(&mut summary).expect("its output");
        self.process.wait().expect("its exit status");
        summary.trim().to_owned()
    }
}

/// Runs a mock service whose clock advances by half an hour after every `CALLS_PER_SESSION` reads of the system.
fn serve() {
    let server = Arc::new(OnceLock::<Server>::new());
    let (observed, reads) = (server.clone(), AtomicUsize::new(0));
    let observer = move |request: &ObservedRequest<'_>| {
        let read = request.path == SYSTEM && request.status == Some(StatusCode::OK);
        if read && (reads.fetch_add(1, Ordering::SeqCst) + 1) % CALLS_PER_SESSION == 0 {
            observed.get().into_iter().for_each(|server| server.advance(Duration::from_secs(1_800)));
        }
    };
    let options =
        ServeOptions { tls: Tls::None, observer: Some(Arc::new(observer)), ..ServeOptions::default() };
    let server = server.get_or_init(|| Server::start(Settings::default(), options).expect("a service"));
    println!("{}", server.url());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let opened = server.mock(|mock| mock.session_count().opened);
    println!("{opened} sessions opened, {} open", server.open_sessions());
}
