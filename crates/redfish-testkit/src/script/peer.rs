//! A listener that passes each connection to a handler, in its own thread.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::ServerIdentity;

/// Longer than the timeout of any client in a test. Ends the thread of an abandoned connection.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A listener on a local address.
pub struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Listens on a free port of this address, and passes each connection to the handler, in its own thread.
    ///
    /// # Errors
    /// The address is not available.
    pub fn start(
        address: IpAddr,
        handler: impl Fn(TcpConnection) + Send + Sync + 'static,
    ) -> io::Result<Peer> {
        let listener = TcpListener::bind((address, 0))?;
        let address = listener.local_addr()?;
        let (connections, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let finished = Arc::new(AtomicUsize::new(0));
        let (count, stop, handler) = (connections.clone(), stopped.clone(), Arc::new(handler));
        let end = finished.clone();
        let accept = move || {
            for tcp in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(tcp) = tcp else { continue };
                // Without this, a body that is written after the head waits for an acknowledgement.
                let _ = tcp.set_nodelay(true);
                let number = count.fetch_add(1, Ordering::SeqCst);
                let handler = handler.clone();
                let end = end.clone();
                thread::spawn(move || {
                    handler(TcpConnection { tcp, number });
                    end.fetch_add(1, Ordering::SeqCst);
                });
            }
        };
        let thread = thread::Builder::new().name(format!("peer {address}")).spawn(accept)?;
        Ok(Peer { address, connections, finished, stopped, thread: Some(thread) })
    }

    /// The URL with this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// The address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The number of connections whose handler has returned.
    pub fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// An accepted connection, before TLS. It closes when dropped.
#[derive(Debug)]
pub struct TcpConnection {
    tcp: TcpStream,
    /// The number of the connection, from 0.
    pub number: usize,
}

impl TcpConnection {
    /// Performs a TLS handshake with this certificate.
    ///
    /// # Errors
    /// The handshake fails.
    pub fn encrypt(self, identity: &ServerIdentity) -> io::Result<HttpConnection> {
        self.encrypt_with(identity.config())
    }

    pub(crate) fn encrypt_with(self, config: Arc<ServerConfig>) -> io::Result<HttpConnection> {
        self.tcp.set_read_timeout(Some(READ_TIMEOUT))?;
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut tcp = self.tcp.try_clone()?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(HttpConnection {
            stream: Stream::Tls(Box::new(StreamOwned::new(tls, self.tcp))),
            tcp,
            unread: Vec::new(),
            notify_close: true,
        })
    }

    /// Reads requests without TLS.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn plain(self) -> io::Result<HttpConnection> {
        self.tcp.set_read_timeout(Some(READ_TIMEOUT))?;
        Ok(HttpConnection {
            tcp: self.tcp.try_clone()?,
            stream: Stream::Plain(self.tcp),
            unread: Vec::new(),
            notify_close: false,
        })
    }

    /// Responds to the first bytes of the client with these bytes, and closes.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn respond_and_close(self, bytes: &[u8]) -> io::Result<()> {
        let mut connection = self.plain()?;
        if connection.fill_buffer()? > 0 {
            connection.write(bytes)?;
        }
        connection.tcp.shutdown(Shutdown::Write)?;
        // Closing with unread data resets the connection, and the client may lose the bytes.
        connection.wait_for_close()
    }

    /// Sends nothing until the client closes.
    pub fn wait_for_close(self) {
        let _ = self.plain().and_then(|mut connection| connection.wait_for_close());
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// A connection that receives requests.
pub struct HttpConnection {
    stream: Stream,
    tcp: TcpStream,
    unread: Vec<u8>,
    /// Whether a TLS close_notify is sent on drop.
    notify_close: bool,
}

/// A received request.
#[derive(Clone, Debug, Default)]
pub struct ReceivedRequest {
    /// The method.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpConnection {
    /// Reads the next request. `None` if the client has closed.
    ///
    /// # Errors
    /// The connection is broken, or the request is malformed.
    pub fn request(&mut self) -> io::Result<Option<ReceivedRequest>> {
        let Some(mut received) = self.request_head()? else { return Ok(None) };
        let length = received.length();
        if !self.fill_to(length)? {
            return Ok(None);
        }
        let rest = self.unread.split_off(length);
        received.body = std::mem::replace(&mut self.unread, rest);
        Ok(Some(received))
    }

    /// Reads the head of the next request, and sends 100 (Continue) if the client expects it. `None` if the client has
    /// closed.
    ///
    /// # Errors
    /// The connection is broken, or the request is malformed.
    pub fn request_head(&mut self) -> io::Result<Option<ReceivedRequest>> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            if self.fill_buffer()? == 0 {
                return Ok(None);
            }
        };
        let rest = self.unread.split_off(end + 4);
        let head = std::mem::replace(&mut self.unread, rest);
        let received = ReceivedRequest::parse(&head[..end]).ok_or(io::ErrorKind::InvalidData)?;
        if received.header("expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        Ok(Some(received))
    }

    /// Reads until this number of bytes has arrived. Returns whether they have arrived before the client closed.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn fill_to(&mut self, length: usize) -> io::Result<bool> {
        while self.unread.len() < length {
            if self.fill_buffer()? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// The client has closed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls,
        };
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Sends nothing until the client closes.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn wait_for_close(&mut self) -> io::Result<()> {
        while self.fill_buffer()? > 0 {}
        Ok(())
    }

    /// Waits for the next request and resets the connection without reading it.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn reset(mut self) -> io::Result<()> {
        self.notify_close = false;
        // Closing with unread data makes the system send a reset.
        self.tcp.peek(&mut [0]).map(|_| ())
    }

    /// Closes without a TLS close_notify.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn close_without_notify(mut self) -> io::Result<()> {
        self.notify_close = false;
        self.tcp.shutdown(Shutdown::Both)
    }

    fn fill_buffer(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let stream: &mut dyn Read = match &mut self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls,
        };
        let amount = match stream.read(&mut buffer) {
            // A client may close without a close_notify.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        self.unread.extend_from_slice(&buffer[..amount]);
        Ok(amount)
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        if let (Stream::Tls(tls), true) = (&mut self.stream, self.notify_close) {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

impl ReceivedRequest {
    fn parse(head: &[u8]) -> Option<ReceivedRequest> {
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = String::from_utf8(lines.next()?.to_vec()).ok()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8(line[..colon].to_vec()).ok()?;
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
        Some(ReceivedRequest { method, target, headers, body: Vec::new() })
    }

    /// The value of the first header with this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The length of its body.
    pub fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    /// Describes what no client may send.
    pub fn violation(&self) -> Option<String> {
        let mut names: Vec<String> = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        if let Some(duplicate) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Some(format!("{} was sent twice", duplicate[0]));
        }
        if self.header("host").is_none() {
            return Some("no Host header".to_owned());
        }
        // Some services return 411 for a chunked request.
        self.header("transfer-encoding").map(|coding| format!("the body has the transfer coding {coding}"))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.address)
    }
}

impl fmt::Debug for HttpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpConnection")
    }
}
