//! A listener that gives each connection to a handler, in a blocking thread of its own.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Identity;

/// Longer than any client waits in a test; then a connection's thread ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that listens.
pub struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Listens on a free port there, and gives each connection to the handler, in a thread of its own.
    ///
    /// # Errors
    /// There is no such address here.
    pub fn start(at: IpAddr, handler: impl Fn(Connection) + Send + Sync + 'static) -> io::Result<Peer> {
        let listener = TcpListener::bind((at, 0))?;
        let address = listener.local_addr()?;
        let (connections, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let ended = Arc::new(AtomicUsize::new(0));
        let (count, stop, handler) = (connections.clone(), stopped.clone(), Arc::new(handler));
        let end = ended.clone();
        let accept = move || {
            for tcp in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(tcp) = tcp else { continue };
                // A head and a body written one after the other must not wait for each other's acknowledgement.
                let _ = tcp.set_nodelay(true);
                let number = count.fetch_add(1, Ordering::SeqCst);
                let handler = handler.clone();
                let end = end.clone();
                thread::spawn(move || {
                    handler(Connection { tcp, number });
                    end.fetch_add(1, Ordering::SeqCst);
                });
            }
        };
        let thread = thread::Builder::new().name(format!("peer {address}")).spawn(accept)?;
        Ok(Peer { address, connections, ended, stopped, thread: Some(thread) })
    }

    /// What a client calls it by this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many of them the handler has done with.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// A connection before TLS. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    tcp: TcpStream,
    /// Which it is, from 0.
    pub number: usize,
}

impl Connection {
    /// Speaks TLS with this certificate.
    ///
    /// # Errors
    /// The client does not go on with it.
    pub fn encrypt(self, identity: &Identity) -> io::Result<Wire> {
        self.encrypt_by(identity.config())
    }

    pub(crate) fn encrypt_by(self, config: Arc<ServerConfig>) -> io::Result<Wire> {
        self.tcp.set_read_timeout(Some(PATIENCE))?;
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut tcp = self.tcp;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let raw = tcp.try_clone()?;
        Ok(Wire {
            stream: Stream::Tls(Box::new(StreamOwned::new(tls, tcp))),
            raw,
            read: Vec::new(),
            farewell: true,
        })
    }

    /// Speaks without TLS.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn plain(self) -> io::Result<Wire> {
        self.tcp.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire {
            raw: self.tcp.try_clone()?,
            stream: Stream::Plain(self.tcp),
            read: Vec::new(),
            farewell: false,
        })
    }

    /// Answers the first that comes with these bytes, whatever it is, and closes.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn answer(self, bytes: &[u8]) -> io::Result<()> {
        let mut wire = self.plain()?;
        if wire.more()? > 0 {
            wire.write(bytes)?;
        }
        wire.raw.shutdown(Shutdown::Write)?;
        // A close with something unread would be a reset, which may overtake the bytes.
        wire.silence()
    }

    /// Accepts, and sends nothing until the client closes.
    pub fn silence(self) {
        let _ = self.plain().and_then(|mut wire| wire.silence());
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// A connection that requests come over.
pub struct Wire {
    stream: Stream,
    raw: TcpStream,
    read: Vec<u8>,
    /// Whether TLS is closed by its alert when this is dropped.
    farewell: bool,
}

/// A request that came.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its target as it was sent.
    pub target: String,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Wire {
    /// The next request; `None` where the client has closed.
    ///
    /// # Errors
    /// The connection broke, or what came is no request.
    pub fn request(&mut self) -> io::Result<Option<Received>> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if self.more()? == 0 {
                return Ok(None);
            }
        };
        let rest = self.read.split_off(end + 4);
        let head = std::mem::replace(&mut self.read, rest);
        let mut received = Received::read(&head[..end]).ok_or(io::ErrorKind::InvalidData)?;
        let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if received.header("expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while self.read.len() < length {
            if self.more()? == 0 {
                return Ok(None);
            }
        }
        let rest = self.read.split_off(length);
        received.body = std::mem::replace(&mut self.read, rest);
        Ok(Some(received))
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

    /// Says nothing until the client closes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn silence(&mut self) -> io::Result<()> {
        while self.more()? > 0 {}
        Ok(())
    }

    /// Resets the connection as soon as a request begins to come, unread.
    ///
    /// # Errors
    /// The connection broke.
    pub fn reset(mut self) -> io::Result<()> {
        self.farewell = false;
        // What the system has received and nobody reads makes it reset, not close.
        self.raw.peek(&mut [0]).map(|_| ())
    }

    /// Closes without TLS's farewell.
    ///
    /// # Errors
    /// The connection broke.
    pub fn close_abruptly(mut self) -> io::Result<()> {
        self.farewell = false;
        self.raw.shutdown(Shutdown::Both)
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let stream: &mut dyn Read = match &mut self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls,
        };
        let amount = match stream.read(&mut buffer) {
            // A client may close without TLS's farewell.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        self.read.extend_from_slice(&buffer[..amount]);
        Ok(amount)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let (Stream::Tls(tls), true) = (&mut self.stream, self.farewell) {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

impl Received {
    fn read(head: &[u8]) -> Option<Received> {
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
        Some(Received { method, target, headers, body: Vec::new() })
    }

    /// The value of a header, where there is one of that name and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// What no client should send, whatever is asked of it.
    pub fn oddity(&self) -> Option<String> {
        let mut names: Vec<String> = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            return Some(format!("{} was sent twice", twice[0]));
        }
        if self.header("host").is_none() {
            return Some("no Host was sent".to_owned());
        }
        // Some services answer 411 to a chunked request.
        self.header("transfer-encoding").map(|coding| format!("the body came {coding}"))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.address)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
