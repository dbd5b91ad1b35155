//! A service over plain HTTP whose handler a test writes. The handler gets the head of each request before the body.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than any test. Ends the thread of an abandoned connection.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A service on loopback. It closes a connection when the handler returns an error.
pub struct Bmc {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Head>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
}

/// A connection of a client.
pub struct Connection {
    tcp: TcpStream,
    unread: Vec<u8>,
    /// The number of requests so far.
    requests: usize,
}

impl Bmc {
    /// Passes the head of each request to the handler, which reads the body and responds.
    pub fn start(handler: impl Fn(&mut Connection, &Head) -> io::Result<()> + Send + Sync + 'static) -> Bmc {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stopped) = (Arc::<Mutex<Vec<Head>>>::default(), Arc::new(AtomicBool::new(false)));
        let (log, stop, handler) = (requests.clone(), stopped.clone(), Arc::new(handler));
        let accept = move || {
            for tcp in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(tcp) = tcp else { continue };
                let (log, handler) = (log.clone(), handler.clone());
                thread::spawn(move || {
                    let _ = tcp.set_nodelay(true);
                    let _ = tcp.set_read_timeout(Some(READ_TIMEOUT));
                    let mut connection = Connection { tcp, unread: Vec::new(), requests: 0 };
                    while let Ok(Some(head)) = connection.read_head() {
                        log.lock().unwrap().push(head.clone());
                        if handler(&mut connection, &head).is_err() {
                            return;
                        }
                    }
                });
            }
        };
        Bmc { address, requests, stopped, thread: Some(thread::spawn(accept)) }
    }

    /// Passes the number of earlier requests to the handler instead of the head.
    pub fn start_counting(
        handler: impl Fn(usize, &mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Bmc {
        let count = AtomicUsize::new(0);
        Bmc::start(move |connection, _| handler(count.fetch_add(1, Ordering::SeqCst), connection))
    }

    /// The URL of the service.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The received requests, for example `GET /redfish/v1/`.
    pub fn requests(&self) -> Vec<String> {
        self.heads().iter().map(|head| format!("{} {}", head.method, head.target)).collect()
    }

    /// The heads of the received requests.
    pub fn heads(&self) -> Vec<Head> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Bmc {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

impl Head {
    /// The value of the first header with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The length of the body.
    ///
    /// # Panics
    /// If the length is not a number.
    pub fn length(&self) -> u64 {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

impl Connection {
    fn read_head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            if self.fill_buffer()? == 0 {
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

    fn fill_buffer(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let amount = self.tcp.read(&mut buffer)?;
        self.unread.extend_from_slice(&buffer[..amount]);
        Ok(amount)
    }

    /// Whether the current request is the first on this connection.
    pub fn is_first_request(&self) -> bool {
        self.requests == 1
    }

    /// Sends `100 Continue` if the client expects it.
    pub fn send_continue(&mut self, head: &Head) -> io::Result<()> {
        if head.header("expect").is_some() { self.write("HTTP/1.1 100 Continue\r\n\r\n") } else { Ok(()) }
    }

    /// Reads the body of this request, after `100 Continue` if the client expects it.
    pub fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        self.send_continue(head)?;
        let length = usize::try_from(head.length()).unwrap();
        while self.unread.len() < length {
            if self.fill_buffer()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.unread.drain(..length).collect())
    }

    /// Reads and discards the body of this request, and returns its length.
    pub fn discard(&mut self, head: &Head, buffer: &mut [u8]) -> io::Result<u64> {
        self.send_continue(head)?;
        let mut remaining = head.length() - self.unread.len() as u64;
        self.unread.clear();
        while remaining > 0 {
            let limit = buffer.len().min(usize::try_from(remaining).unwrap_or(usize::MAX));
            match self.tcp.read(&mut buffer[..limit])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => remaining -= read as u64,
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

    /// Starts an event stream, with additional headers, each terminated by CRLF.
    ///
    /// # Errors
    /// The client has closed.
    pub fn start_stream(&mut self, headers: &str) -> io::Result<()> {
        self.write(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
        ))
    }

    /// Sends a chunk of a stream.
    ///
    /// # Errors
    /// The client has closed.
    pub fn chunk(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        self.write_bytes(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
    }

    /// Sends an event stream of this text that then breaks off.
    ///
    /// # Errors
    /// Always, to close the connection.
    pub fn truncated_stream(&mut self, text: &str) -> io::Result<()> {
        self.start_stream("")?;
        self.chunk(text)?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Sends a response with additional headers, each terminated by CRLF.
    pub fn respond(&mut self, status: &str, headers: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        self.write(&format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"))
    }

    /// Sends a response with `Connection: close`, and closes.
    pub fn respond_and_close(&mut self, status: &str, headers: &str, body: &str) -> io::Result<()> {
        self.respond(status, &format!("Connection: close\r\n{headers}"), body)?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Waits for the next bytes and resets the connection without reading them.
    pub fn reset(&mut self) -> io::Result<()> {
        self.tcp.peek(&mut [0])?;
        Err(io::ErrorKind::ConnectionReset.into())
    }

    /// Discards what the client sends until it closes.
    pub fn wait_for_close(&mut self) -> io::Result<()> {
        while self.fill_buffer()? > 0 {
            self.unread.clear();
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
