//! One client for a long time: 100,000 calls at a service that forgets the session every 50. `cargo run --release -p
//! redfish-benches --bin soak` fails where memory grows or a session is left.
//!
//! The service is this program again, in a process of its own: `soak serve`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use redfish_mock::{ObservedRequest, ServeOptions, Server, Settings, Tls};
use serde_json::Value;

const CALLS: usize = 100_000;
const TOKEN_LASTS: usize = 50;

/// The calls after which no more is allocated than is freed, but for what a map or a list keeps in reserve.
const SETTLED: usize = CALLS / 10;
const SLACK: usize = 4 << 10;

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

/// Does the calls, and counts what is in use meanwhile.
fn soak(name: &str, calls: impl FnOnce(&str, &mut dyn FnMut(usize))) {
    let peer = Peer::start();
    let _profiler = dhat::Profiler::builder().testing().build();
    let allocated = || dhat::HeapStats::get().curr_bytes;
    let (mut settled, mut grown) = (0, 0);
    calls(&peer.url, &mut |done| match done {
        SETTLED => settled = allocated(),
        CALLS => grown = allocated().saturating_sub(settled),
        _ => {}
    });
    let said = peer.end();
    println!(
        "{name}: {CALLS} calls, {grown} bytes more in use than after the first {SETTLED}; the service: {said}"
    );
    assert!(grown <= SLACK, "memory grows");
    assert_eq!(said, format!("{} sessions opened, 0 open", CALLS / TOKEN_LASTS));
}

/// The service in a process of its own; it ends when this end of its standard input does.
struct Peer {
    process: Child,
    said: BufReader<ChildStdout>,
    url: String,
}

impl Peer {
    fn start() -> Peer {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let mut said = BufReader::new(process.stdout.take().expect("its output"));
        let mut url = String::new();
        said.read_line(&mut url).expect("its first line");
        Peer { process, said, url: url.trim().to_owned() }
    }

    /// Its last words.
    fn end(mut self) -> String {
        drop(self.process.stdin.take());
        let mut words = String::new();
        self.said.read_to_string(&mut words).expect("its last words");
        self.process.wait().expect("its end");
        words.trim().to_owned()
    }
}

/// Answers as any service does, and lets half an hour pass after so many reads of the system.
fn serve() {
    let server = Arc::new(OnceLock::<Server>::new());
    let (later, reads) = (server.clone(), AtomicUsize::new(0));
    let observer = move |seen: &ObservedRequest<'_>| {
        let read = seen.path == SYSTEM && seen.status == Some(StatusCode::OK);
        if read && (reads.fetch_add(1, Ordering::SeqCst) + 1) % TOKEN_LASTS == 0 {
            later.get().into_iter().for_each(|server| server.advance(Duration::from_secs(1_800)));
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
