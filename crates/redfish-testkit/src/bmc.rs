//! A service over plain HTTP that a test plays itself, exchange by exchange: it sees each head before the body comes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than any test; then a connection's thread ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service on loopback. A connection ends when its handler fails.
pub struct Bmc {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Head>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its method.
    pub method: String,
    /// Its target as it was sent.
    pub target: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

/// A connection.
pub struct Line {
    tcp: TcpStream,
    unread: Vec<u8>,
    /// How many requests have come.
    requests: usize,
}

impl Bmc {
    /// Gives each request's head to the handler, which reads the body and answers.
    pub fn start(handler: impl Fn(&mut Line, &Head) -> io::Result<()> + Send + Sync + 'static) -> Bmc {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stopped) = (Arc::<Mutex<Vec<Head>>>::default(), Arc::new(AtomicBool::new(false)));
        let (log, stop, handler) = (seen.clone(), stopped.clone(), Arc::new(handler));
        let accept = move || {
            for tcp in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(tcp) = tcp else { continue };
                let (log, handler) = (log.clone(), handler.clone());
                thread::spawn(move || {
                    let _ = tcp.set_nodelay(true);
                    let _ = tcp.set_read_timeout(Some(PATIENCE));
                    let mut line = Line { tcp, unread: Vec::new(), requests: 0 };
                    while let Ok(Some(head)) = line.head() {
                        log.lock().unwrap().push(head.clone());
                        if handler(&mut line, &head).is_err() {
                            return;
                        }
                    }
                });
            }
        };
        Bmc { address, seen, stopped, thread: Some(thread::spawn(accept)) }
    }

    /// The same, for a handler that needs to know how many requests came before instead of their heads.
    pub fn counting(handler: impl Fn(usize, &mut Line) -> io::Result<()> + Send + Sync + 'static) -> Bmc {
        let count = AtomicUsize::new(0);
        Bmc::start(move |line, _| handler(count.fetch_add(1, Ordering::SeqCst), line))
    }

    /// What a client calls it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that came: `GET /redfish/v1/`.
    pub fn seen(&self) -> Vec<String> {
        self.heads().iter().map(|head| format!("{} {}", head.method, head.target)).collect()
    }

    /// The same, with their headers.
    pub fn heads(&self) -> Vec<Head> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Bmc {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

impl Head {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How long its body is.
    ///
    /// # Panics
    /// The length is not a number.
    pub fn length(&self) -> u64 {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

impl Line {
    fn head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if self.more()? == 0 {
                return Ok(None);
            }
        };
        self.requests += 1;
        let text = String::from_utf8(self.unread.drain(..end + 4).collect()).map_err(io::Error::other)?;
        let mut lines = text.trim_end().split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim().to_owned())
        };
        Ok(Some(Head { method, target, headers: lines.map(header).collect() }))
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let amount = self.tcp.read(&mut buffer)?;
        self.unread.extend_from_slice(&buffer[..amount]);
        Ok(amount)
    }

    /// Whether this is its first request.
    pub fn is_new(&self) -> bool {
        self.requests == 1
    }

    /// Asks for the body where the client waits for that.
    pub fn go_on(&mut self, head: &Head) -> io::Result<()> {
        match head.header("expect") {
            Some(_) => self.write("HTTP/1.1 100 Continue\r\n\r\n"),
            None => Ok(()),
        }
    }

    /// The body of this request, asked for.
    pub fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        self.go_on(head)?;
        let length = usize::try_from(head.length()).unwrap();
        while self.unread.len() < length {
            if self.more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.unread.drain(..length).collect())
    }

    /// Reads the body of this request without keeping it, and returns its length.
    pub fn discard(&mut self, head: &Head, buffer: &mut [u8]) -> io::Result<u64> {
        self.go_on(head)?;
        let mut left = head.length() - self.unread.len() as u64;
        self.unread.clear();
        while left > 0 {
            let at_most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match self.tcp.read(&mut buffer[..at_most])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => left -= read as u64,
            }
        }
        Ok(head.length())
    }

    /// Sends this text.
    ///
    /// # Errors
    /// The client has closed.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// The client has closed.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tcp.write_all(bytes)
    }

    /// Begins a stream of events, with more headers, each with its end of line.
    ///
    /// # Errors
    /// The client has closed.
    pub fn begin_stream(&mut self, headers: &str) -> io::Result<()> {
        self.write(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
        ))
    }

    /// Sends a piece of a stream.
    ///
    /// # Errors
    /// The client has closed.
    pub fn piece(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        self.write_bytes(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
    }

    /// A stream of this text, which then breaks off.
    ///
    /// # Errors
    /// Always: the connection ends with it.
    pub fn broken_stream(&mut self, text: &str) -> io::Result<()> {
        self.begin_stream("")?;
        self.piece(text)?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Answers: a status with more headers, each with its end of line, and a body.
    pub fn answer(&mut self, status: &str, headers: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        self.write(&format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"))
    }

    /// The same, and it was the last of this connection.
    pub fn last_answer(&mut self, status: &str, headers: &str, body: &str) -> io::Result<()> {
        self.answer(status, &format!("Connection: close\r\n{headers}"), body)?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Resets the connection as soon as bytes have come that were not read.
    pub fn reset(&mut self) -> io::Result<()> {
        self.tcp.peek(&mut [0])?;
        Err(io::ErrorKind::ConnectionReset.into())
    }

    /// Waits until the client has closed; what it sends is not kept.
    pub fn wait_for_the_end(&mut self) -> io::Result<()> {
        while self.more()? > 0 {
            self.unread.clear();
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
