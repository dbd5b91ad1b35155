//! The service, in another process of this program, so that its work does not count: `walk serve TREE MILLISECONDS`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use redfish_mock::{Fault, FaultKind, Mockup, ObservedRequest, Profile, ServeOptions, Server, Settings, Tls};

use super::tree::Tree;
use super::{fixed, random};

/// What the mock adds to every tree: the collection of sessions, and the client's own session.
pub(crate) const SESSIONS: usize = 2;

const SEED: u64 = 1;
const LARGE: usize = 20_000;

/// Which resources the service has.
#[derive(Clone, Copy)]
pub(crate) enum Contents {
    Fixed,
    Random,
}

impl Contents {
    pub(crate) fn tree(self) -> Tree {
        match self {
            Contents::Fixed => fixed::tree(),
            Contents::Random => random::tree(SEED, LARGE - SESSIONS),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Contents::Fixed => "fixed",
            Contents::Random => "random",
        }
    }
}

/// Requests that the service has received.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) reads: usize,
    /// Logins and logouts.
    pub(crate) writes: usize,
}

/// A service in another process, which ends when its standard input closes.
pub(crate) struct Service {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Service {
    /// Starts a service that delays each response by this time.
    pub(crate) fn start(contents: Contents, latency: Duration) -> Service {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["serve", contents.name(), &latency.as_millis().to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut service = Service { process, input, output, url: String::new() };
        service.url = service.line();
        service
    }

    /// The requests since the last call.
    pub(crate) fn requests(&mut self) -> Requests {
        self.input.as_mut().expect("its input").write_all(b"\n").expect("a running service");
        let line = self.line();
        let (reads, writes) = line.split_once(' ').expect("two numbers");
        Requests { reads: reads.parse().expect("a number"), writes: writes.parse().expect("a number") }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("its output");
        line.trim().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.input = None;
        let status = self.process.wait().expect("its exit status");
        assert!(status.success() || std::thread::panicking(), "the service has failed");
    }
}

/// Runs the service. Prints its URL, and for each line of the input the number of requests since the last one.
pub(crate) fn serve(contents: &str, latency: &str) {
    let contents = match contents {
        "fixed" => Contents::Fixed,
        "random" => Contents::Random,
        _ => panic!("the service is fixed or random"),
    };
    let latency = Duration::from_millis(latency.parse().expect("a number of milliseconds"));
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counted = Arc::clone(&counts);
    let observer = move |request: &ObservedRequest<'_>| {
        let is_write = usize::from(request.method != Method::GET);
        counted[is_write].fetch_add(1, Ordering::SeqCst);
    };
    let settings = Settings {
        mockup: Some(mockup(&contents.tree())),
        faults: if latency.is_zero() { Vec::new() } else { vec![Fault::new(FaultKind::Slow(latency))] },
        ..Settings::default()
    };
    let options =
        ServeOptions { tls: Tls::None, observer: Some(Arc::new(observer)), ..ServeOptions::default() };
    let server = Server::start(settings, options).expect("a service");
    println!("{}", server.url());
    for line in std::io::stdin().lines() {
        line.expect("its input");
        let [reads, writes] = [&counts[0], &counts[1]].map(|count| count.swap(0, Ordering::SeqCst));
        println!("{reads} {writes}");
    }
    assert_eq!(server.open_sessions(), 0, "a session is left open");
}

/// Reads a tree as a mockup, from a folder that exists only until then.
fn mockup(tree: &Tree) -> Mockup {
    let folder = tempfile::tempdir().expect("a folder");
    tree.write(folder.path()).expect("the files");
    let mockup = Mockup::read(folder.path()).expect("a mockup");
    let warnings = mockup.warnings(Profile::Standard);
    assert!(warnings.is_empty(), "{warnings:?}");
    mockup
}
