//! The same exchanges through an adapter and through its HTTP library alone: `adapter compare` for the processor's time,
//! `adapter NAME TIMES` for an instruction counter.
//!
//! The service is this program again, in a process of its own that is not counted: `adapter serve`.

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
const LIMIT: usize = 32 << 20;

/// Exchanges between two looks at the clock, and how often each is looked at.
const EXCHANGES: usize = 250;
const ROUNDS: usize = 40;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => serve(),
        ["compare"] => compare(&Peer::start().url),
        [name, times] => {
            let peer = Peer::start();
            let mut work = work(&peer.url).into_iter().find(|work| work.name == *name).expect("such a work");
            (work.run)(times.parse().expect("a number"));
        }
        _ => panic!("adapter serve, adapter compare, adapter NAME TIMES"),
    }
}

/// So many exchanges, by one of the ways to compare.
struct Work {
    name: &'static str,
    run: Box<dyn FnMut(usize)>,
}

fn work(url: &str) -> [Work; 4] {
    [
        Work { name: "hyper ours", run: hyper_ours(url) },
        Work { name: "hyper bare", run: hyper_bare(url) },
        Work { name: "ureq ours", run: ureq_ours(url) },
        Work { name: "ureq bare", run: ureq_bare(url) },
    ]
}

/// The processor's time of each adapter beside that of its library, in turns: whatever else the machine does, it does to
/// both. Of all rounds the cheapest counts.
fn compare(url: &str) {
    let mut work = work(url);
    let mut least = [f64::INFINITY; 4];
    for _ in 0..ROUNDS {
        for (work, least) in work.iter_mut().zip(&mut least) {
            let before = on_processor();
            (work.run)(EXCHANGES);
            let each = (on_processor() - before) as f64 / EXCHANGES as f64 / 1_000.0;
            *least = least.min(each);
        }
    }
    for (work, least) in work.iter().zip(least) {
        println!("{:12} {least:>8.1} µs of the processor an exchange", work.name);
    }
    for (adapter, pair) in ["hyper", "ureq"].into_iter().zip(least.chunks_exact(2)) {
        println!("{adapter}: {:.1} % of the bare library", 100.0 * pair[0] / pair[1]);
    }
}

/// Nanoseconds that this thread has been on a processor, in the kernel too.
fn on_processor() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel");
    told.split(' ').next().and_then(|told| told.parse().ok()).expect("nanoseconds")
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
    Box::new(move |times| {
        for _ in 0..times {
            black_box(client.get::<Value>(SYSTEM).expect("an answer"));
        }
    })
}

fn ureq_bare(url: &str) -> Box<dyn FnMut(usize)> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    let url = format!("{url}{SYSTEM}");
    Box::new(move |times| {
        for _ in 0..times {
            let request = agent
                .get(&url)
                .header("OData-Version", "4.0")
                .header("Accept", "application/json")
                .header("Accept-Encoding", "gzip")
                .header("User-Agent", "bench")
                .header("X-Auth-Token", TOKEN);
            let mut answer = request.call().expect("an answer");
            let body = answer.body_mut().with_config().limit(LIMIT as u64).read_to_vec().expect("a body");
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
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                black_box(client.get::<Value>(SYSTEM).await.expect("an answer"));
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
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let request = http::Request::get(&url)
                    .header("OData-Version", "4.0")
                    .header("Accept", "application/json")
                    .header("Accept-Encoding", "gzip")
                    .header("User-Agent", "bench")
                    .header("X-Auth-Token", TOKEN)
                    .body(Empty::new())
                    .expect("a request");
                let exchange = async {
                    let answer = client.request(request).await.expect("an answer");
                    Limited::new(answer.into_body(), LIMIT).collect().await.expect("a body").to_bytes()
                };
                let body = tokio::time::timeout(TIMEOUT, exchange).await.expect("in time");
                black_box(serde_json::from_slice::<Value>(&body).expect("a resource"));
            }
        });
    })
}

/// The service in a process of its own; it ends when this end of its standard input does.
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
        let mut said = BufReader::new(process.stdout.take().expect("its output"));
        said.read_line(&mut url).expect("its first line");
        Peer { process, url: url.trim().to_owned() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Answers each request on each connection with the same resource.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer(connection));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let body = redfish_benches::system();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: W/\"0990574D\"\r\nOData-Version: 4.0\r\n\
         Cache-Control: no-store\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let whole = [head.as_bytes(), &body].concat();
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            connection.write_all(&whole)?;
        }
    }
}
