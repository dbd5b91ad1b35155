//! Compares exchanges through an adapter with exchanges through its HTTP library: `adapter compare` measures CPU time,
//! `adapter NAME COUNT` runs under an instruction counter.
//!
//! The service is another process of this program, which is not measured: `adapter serve`.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use serde_json::Value;

const SYSTEM: &str = "/redfish/v1/Systems/1";
const TOKEN: &str = "4899e7dd7b23d25e";
const TIMEOUT: Duration = Duration::from_secs(30);
const BODY_LIMIT: usize = 32 << 20;

/// Exchanges per round.
const EXCHANGES: usize = 250;
const ROUNDS: usize = 40;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => serve(),
        ["compare"] => compare(&Peer::start().url),
        [name, count] => {
            let peer = Peer::start();
            let mut all = benchmarks(&peer.url).into_iter();
            let mut benchmark = all.find(|benchmark| benchmark.name == *name).expect("a benchmark");
            (benchmark.run)(count.parse().expect("a number"));
        }
        _ => panic!("usage: adapter serve, adapter compare, adapter NAME COUNT"),
    }
}

/// A function that performs a number of exchanges.
struct Benchmark {
    name: &'static str,
    run: Box<dyn FnMut(usize)>,
}

fn benchmarks(url: &str) -> [Benchmark; 4] {
    [
        Benchmark { name: "hyper ours", run: hyper_ours(url) },
        Benchmark { name: "hyper bare", run: hyper_bare(url) },
        Benchmark { name: "ureq ours", run: ureq_ours(url) },
        Benchmark { name: "ureq bare", run: ureq_bare(url) },
    ]
}

/// Measures the CPU time of each adapter and its library in alternating rounds, so that the load of the machine affects both
/// equally. The fastest round counts.
fn compare(url: &str) {
    let mut benchmarks = benchmarks(url);
    let mut fastest = [f64::INFINITY; 4];
    for _ in 0..ROUNDS {
        for (benchmark, fastest) in benchmarks.iter_mut().zip(&mut fastest) {
            let before = cpu_time();
            (benchmark.run)(EXCHANGES);
            let each = (cpu_time() - before) as f64 / EXCHANGES as f64 / 1_000.0;
            *fastest = fastest.min(each);
        }
    }
    for (benchmark, fastest) in benchmarks.iter().zip(fastest) {
        println!("{:12} {fastest:>8.1} µs of CPU time per exchange", benchmark.name);
    }
    for (adapter, pair) in ["hyper", "ureq"].into_iter().zip(fastest.chunks_exact(2)) {
        println!("{adapter}: {:.1} % of the bare library", 100.0 * pair[0] / pair[1]);
    }
}

/// The CPU time of this thread in nanoseconds, including the kernel.
fn cpu_time() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel");
    schedstat.split(' ').next().and_then(|time| time.parse().ok()).expect("nanoseconds")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn ureq_ours(url: &str) -> Box<dyn FnMut(usize)> {
    use redfish_ureq::proto::Session;
    use redfish_ureq::{Client, Service};

    let service = Service::new(url).expect("a service");
    let session = Session::from_token(&service, TOKEN, None).expect("a session");
    let client = Client::builder(service).resume(session).build().expect("a client");
    Box::new(move |count| {
        for _ in 0..count {
            black_box(client.get::<Value>(SYSTEM).expect("a response"));
        }
    })
}

fn ureq_bare(url: &str) -> Box<dyn FnMut(usize)> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    let url = format!("{url}{SYSTEM}");
    Box::new(move |count| {
        for _ in 0..count {
            let request = agent
                .get(&url)
                .header("OData-Version", "4.0")
                .header("Accept", "application/json")
                .header("Accept-Encoding", "gzip")
                .header("User-Agent", "bench")
                .header("X-Auth-Token", TOKEN);
            let mut response = request.call().expect("a response");
            let body =
                response.body_mut().with_config().limit(BODY_LIMIT as u64).read_to_vec().expect("a body");
            black_box(serde_json::from_slice::<Value>(&body).expect("a resource"));
        }
    })
}

fn hyper_ours(url: &str) -> Box<dyn FnMut(usize)> {
    use redfish_hyper::proto::Session;
    use redfish_hyper::{Client, Service};

    let service = Service::new(url).expect("a service");
    let session = Session::from_token(&service, TOKEN, None).expect("a session");
    let client = Client::builder(service).resume(session).build().expect("a client");
    let runtime = runtime();
    Box::new(move |count| {
        runtime.block_on(async {
            for _ in 0..count {
                black_box(client.get::<Value>(SYSTEM).await.expect("a response"));
            }
        });
    })
}

fn hyper_bare(url: &str) -> Box<dyn FnMut(usize)> {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::{TokioExecutor, TokioTimer};

    let client: Client<_, Empty<bytes::Bytes>> =
        Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build_http();
    let url = format!("{url}{SYSTEM}");
    let runtime = runtime();
    Box::new(move |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let request = http::Request::get(&url)
                    .header("OData-Version", "4.0")
                    .header("Accept", "application/json")
                    .header("Accept-Encoding", "gzip")
                    .header("User-Agent", "bench")
                    .header("X-Auth-Token", TOKEN)
                    .body(Empty::new())
                    .expect("a request");
                let exchange = async {
                    let response = client.request(request).await.expect("a response");
                    Limited::new(response.into_body(), BODY_LIMIT).collect().await.expect("a body").to_bytes()
                };
                let body = tokio::time::timeout(TIMEOUT, exchange).await.expect("in time");
                black_box(serde_json::from_slice::<Value>(&body).expect("a resource"));
            }
        });
    })
}

/// The service in another process, which ends when its standard input closes.
struct Peer {
    process: Child,
    url: String,
}

impl Peer {
    fn start() -> Peer {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let mut url = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        output.read_line(&mut url).expect("its first line");
        Peer { process, url: url.trim().to_owned() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Responds to each request with the same resource.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || respond(connection));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn respond(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let body = redfish_benches::system();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: W/\"0990574D\"\r\nOData-Version: 4.0\r\n\
         Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let response = [head.as_bytes(), &body].concat();
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            connection.write_all(&response)?;
        }
    }
}
