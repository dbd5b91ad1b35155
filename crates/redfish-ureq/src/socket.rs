//! A connection: TCP with or without TLS, as ureq's transport.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_proto::driver::TransportLimits;
use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::cancel::Cancel;
use crate::chunks::ChunkCheck;
use crate::refusal;
use crate::unsent::unsent;

/// Size of the output buffer, and of the input buffer beyond the head, in bytes.
const BUFFER_SIZE: usize = 16 << 10;

/// Bytes of a body that are sent before it is checked whether the service has refused it.
const CHECK_INTERVAL: usize = 64 << 10;

/// Bytes of a response that are read before the end of a body: enough for the status after some interim responses. ureq uses
/// the rest of the input buffer while it sends.
const EARLY_INPUT: usize = 4 << 10;

/// How long a write may block before the same check.
const WRITE_SLICE: Duration = Duration::from_millis(100);

/// A connection to a service, plain or encrypted.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    cancel: Option<Cancel>,
    buffers: LazyBuffers,
    /// Whether nothing of the current request has been sent.
    is_unused: bool,
    /// The first bytes that the peer sent, up to the length of an HTTP version.
    peer_version: Vec<u8>,
    chunks: ChunkCheck,
    /// Bytes that were sent since the last check for a refusal.
    unchecked: usize,
    /// Whether the service has refused the body before its end. The rest is not sent.
    is_refused: bool,
    /// Whether a response has arrived before the end of the body.
    is_early: bool,
    /// How long a service that has responded with a success may read nothing of the body.
    upload_idle: Duration,
}

/// A peer of this version serves one connection at a time, whatever its headers say. Its connections are not reused.
const HTTP_1_0: &[u8] = b"HTTP/1.0";

impl Socket {
    /// Wraps a plain connection.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        let buffers = LazyBuffers::new(BUFFER_SIZE, BUFFER_SIZE);
        let chunks = ChunkCheck::default();
        Self {
            tcp,
            tls: None,
            cancel: None,
            buffers,
            is_unused: true,
            peer_version: Vec::new(),
            chunks,
            unchecked: 0,
            is_refused: false,
            is_early: false,
            upload_idle: Duration::MAX,
        }
    }

    /// Sets the limits of the transport, and the handle that can shut the connection down.
    pub(crate) fn configure(self, limits: &TransportLimits, cancel: Option<Cancel>) -> Self {
        let buffers = LazyBuffers::new(BUFFER_SIZE.saturating_add(limits.head), BUFFER_SIZE);
        Self { buffers, cancel, upload_idle: limits.upload_idle, ..self }
    }

    /// Encrypts a connection: performs the TLS handshake.
    ///
    /// # Errors
    /// Fails after the timeout, if the connection breaks, or if the certificate is not trusted.
    pub(crate) fn encrypted(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: rustls::pki_types::ServerName<'static>,
        timeout: NextTimeout,
    ) -> Result<Self, ureq::Error> {
        let tls_error = |error| ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, error));
        let mut tls = ClientConnection::new(config, name).map_err(tls_error)?;
        let mut socket = DeadlineStream::new(&tcp, timeout);
        while tls.is_handshaking() || tls.wants_write() {
            let (read, written) =
                tls.complete_io(&mut socket).map_err(|error| map_timeout(error, timeout))?;
            if read + written == 0 {
                let reason = "the connection was closed during the TLS handshake";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason).into());
            }
        }
        Ok(Self { tls: Some(Box::new(tls)), ..Self::plain(tcp) })
    }

    /// Whether the rest of the body is not to be sent: the service has responded with a refusal, or with a success and reads no
    /// more.
    fn check_response(&mut self, reads_no_more: bool) -> bool {
        self.unchecked = 0;
        // A connection that is broken may have delivered the response before.
        let _ = self.read_available();
        let early = refusal::is_early_success(self.buffers.input());
        self.is_early |= early.is_some();
        self.is_refused = match early {
            Some(is_success) => !is_success || reads_no_more,
            None => false,
        };
        if self.is_refused {
            refusal::note();
        }
        self.is_refused
    }

    /// Reads what has arrived, without waiting.
    fn read_available(&mut self) -> io::Result<()> {
        let left = EARLY_INPUT.saturating_sub(self.buffers.input().len());
        let input = self.buffers.input_append_buf();
        let left = left.min(input.len());
        let input = &mut input[..left];
        self.tcp.set_nonblocking(true)?;
        let read = match &mut self.tls {
            None => (&self.tcp).read(input),
            Some(tls) => decrypt_available(tls, &self.tcp, input),
        };
        self.tcp.set_nonblocking(false)?;
        self.receive(read?);
        Ok(())
    }

    /// Takes this number of bytes that were appended to the input.
    fn receive(&mut self, amount: usize) {
        let input = self.buffers.input_append_buf();
        let missing = HTTP_1_0.len() - self.peer_version.len();
        self.peer_version.extend(input.iter().take(amount.min(missing)));
        self.buffers.input_appended(amount);
        self.chunks.push(self.buffers.input(), amount);
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        let deadline = deadline(timeout);
        let mut accepted = 0;
        let mut last_written = Instant::now();
        while !self.is_refused {
            let output = &self.buffers.output()[..amount];
            let mut socket = DeadlineStream::until(&self.tcp, deadline);
            socket.slice = Some(WRITE_SLICE);
            let sent = match &mut self.tls {
                None => send(&mut socket, output, &mut accepted),
                Some(tls) => encrypt(tls, &mut socket, output, &mut accepted),
            };
            let was_unused = self.is_unused && socket.written == 0;
            let is_late = socket.remaining().is_err();
            self.is_unused &= socket.written == 0;
            if socket.written > 0 {
                last_written = Instant::now();
            }
            match sent {
                Ok(()) => break,
                // The service had closed the idle connection before the first byte.
                Err(error) if was_unused && (is_late || !is_timeout(&error)) => {
                    return Err(unsent(map_timeout(error, timeout)));
                }
                Err(error) => {
                    let is_over = is_late || !is_timeout(&error);
                    let reads_no_more = is_over || last_written.elapsed() >= self.upload_idle;
                    if !self.check_response(reads_no_more) && is_over {
                        return Err(map_timeout(error, timeout));
                    }
                }
            }
        }
        self.unchecked += amount;
        if self.unchecked >= CHECK_INTERVAL && !self.is_refused {
            self.check_response(false);
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.chunks.check()?;
        let timeout = timeout.for_read();
        let input = self.buffers.input_append_buf();
        let mut socket = DeadlineStream::new(&self.tcp, timeout);
        socket.limit(self.cancel.as_ref().and_then(Cancel::read_deadline));
        let read = match &mut self.tls {
            None => socket.read(input),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut socket).read(input),
        };
        match read {
            Ok(amount) => {
                self.receive(amount);
                Ok(amount > 0)
            }
            // Controllers close connections without a TLS `close_notify`. That is an error to rustls, but an end to ureq,
            // which knows from the head whether the body is complete.
            Err(error) => Err(map_timeout(error, timeout)),
        }
    }

    /// Called before and after each request. Nothing arrives on a usable idle connection: data or an end makes it unusable.
    fn is_open(&mut self) -> bool {
        self.is_unused = true;
        self.chunks = ChunkCheck::default();
        self.unchecked = 0;
        // After an early response, the next request would wait behind what is left of the body.
        if self.is_early || self.peer_version == HTTP_1_0 || self.tcp.set_nonblocking(true).is_err() {
            return false;
        }
        let is_idle =
            matches!(self.tcp.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.tcp.set_nonblocking(false).is_ok() && is_idle
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Writes `output`, of which `accepted` bytes were accepted before.
fn send(socket: &mut DeadlineStream<'_>, output: &[u8], accepted: &mut usize) -> io::Result<()> {
    while *accepted < output.len() {
        match socket.write(&output[*accepted..])? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => *accepted += written,
        }
    }
    Ok(())
}

/// The same through TLS. `rustls::Stream` would hide a failure until the next read.
fn encrypt(
    tls: &mut ClientConnection,
    socket: &mut DeadlineStream<'_>,
    output: &[u8],
    accepted: &mut usize,
) -> io::Result<()> {
    while *accepted < output.len() || tls.wants_write() {
        *accepted += tls.writer().write(&output[*accepted..])?;
        while tls.wants_write() {
            tls.write_tls(socket)?;
        }
    }
    Ok(())
}

/// Reads what has arrived through TLS from a socket that does not block. `rustls::Stream` would first write what is left.
fn decrypt_available(tls: &mut ClientConnection, mut tcp: &TcpStream, input: &mut [u8]) -> io::Result<usize> {
    while tls.read_tls(&mut tcp)? > 0 {
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        // Tickets of sessions arrive without a request.
        if state.plaintext_bytes_to_read() > 0 {
            return tls.reader().read(input);
        }
    }
    Ok(0)
}

/// Whether this is a timeout of the socket, whose error kind depends on the system.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Maps a timeout of the socket to ureq's.
fn map_timeout(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    if is_timeout(&error) { ureq::Error::Timeout(timeout.reason) } else { ureq::Error::Io(error) }
}

/// When this timeout ends.
fn deadline(timeout: NextTimeout) -> Option<Instant> {
    let after = (!timeout.after.is_not_happening()).then_some(*timeout.after);
    after.and_then(|after| Instant::now().checked_add(after))
}

/// A socket with one deadline for all reads and writes.
struct DeadlineStream<'a> {
    tcp: &'a TcpStream,
    deadline: Option<Instant>,
    /// How long one write may block.
    slice: Option<Duration>,
    written: usize,
}

impl<'a> DeadlineStream<'a> {
    fn new(tcp: &'a TcpStream, timeout: NextTimeout) -> Self {
        Self::until(tcp, deadline(timeout))
    }

    fn until(tcp: &'a TcpStream, deadline: Option<Instant>) -> Self {
        Self { tcp, deadline, slice: None, written: 0 }
    }

    /// Applies an earlier deadline.
    fn limit(&mut self, deadline: Option<Instant>) {
        self.deadline = [self.deadline, deadline].into_iter().flatten().min();
    }

    fn remaining(&self) -> io::Result<Option<Duration>> {
        match self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            // A socket rejects a timeout of zero.
            Some(remaining) if remaining.is_zero() => Err(io::ErrorKind::TimedOut.into()),
            remaining => Ok(remaining),
        }
    }
}

impl Read for DeadlineStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.tcp.set_read_timeout(self.remaining()?)?;
            match self.tcp.read(buffer) {
                // Interrupted by a signal: try again with the remaining time.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Write for DeadlineStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.tcp.set_write_timeout([self.remaining()?, self.slice].into_iter().flatten().min())?;
            match self.tcp.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return written.inspect(|written| self.written += written),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::unsent::Unsent;

    /// Returns a connection and a function that resets it, by closing its peer with unread data.
    fn resettable_socket() -> (Socket, impl FnOnce()) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, _) = listener.accept().unwrap();
        tcp.write_all(b"unread").unwrap();
        let observer = tcp.try_clone().unwrap();
        let reset = move || {
            peer.peek(&mut [0]).unwrap();
            drop(peer);
            assert!(observer.peek(&mut [0]).is_err(), "the connection was closed, not reset");
        };
        (Socket::plain(tcp), reset)
    }

    fn send(socket: &mut Socket) -> Result<(), ureq::Error> {
        socket.buffers().output()[..4].copy_from_slice(b"GET ");
        socket.transmit_output(4, NextTimeout::default())
    }

    #[test]
    fn a_failure_before_the_first_byte_is_unsent() {
        let (mut socket, reset) = resettable_socket();
        assert!(socket.is_open());
        reset();
        match send(&mut socket) {
            Err(ureq::Error::Other(error)) => assert!(error.is::<Unsent>()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_failure_after_the_first_byte_is_not_unsent() {
        let (mut socket, reset) = resettable_socket();
        send(&mut socket).unwrap();
        reset();
        assert!(matches!(send(&mut socket), Err(ureq::Error::Io(_))));
    }

    #[test]
    fn a_connection_that_is_closed_or_has_unrequested_data_is_not_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for (data, is_open) in [(&b""[..], true), (b"HTTP/1.1 408 \r\n\r\n", false)] {
            let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(data).unwrap();
            if !is_open {
                tcp.peek(&mut [0]).unwrap();
            }
            let mut socket = Socket::plain(tcp);
            assert_eq!(socket.is_open(), is_open);
            drop(peer);
            socket.tcp.peek(&mut [0]).unwrap();
            assert!(!socket.is_open());
        }
    }
}
