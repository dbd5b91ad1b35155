//! A connection: TCP with or without TLS, as ureq's transport.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::cancel::Cancel;
use crate::chunks::ChunkCheck;
use crate::unsent::unsent;

/// Size of the output buffer, and of the input buffer beyond the head, in bytes.
const BUFFER_SIZE: usize = 16 << 10;

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
}

/// A peer of this version serves one connection at a time, whatever its headers say. Its connections are not reused.
const HTTP_1_0: &[u8] = b"HTTP/1.0";

impl Socket {
    /// Wraps a plain connection.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        let buffers = LazyBuffers::new(BUFFER_SIZE, BUFFER_SIZE);
        let chunks = ChunkCheck::default();
        Self { tcp, tls: None, cancel: None, buffers, is_unused: true, peer_version: Vec::new(), chunks }
    }

    /// Sets the maximum size of a head, and the handle that can shut the connection down.
    pub(crate) fn configure(self, head_limit: usize, cancel: Option<Cancel>) -> Self {
        let buffers = LazyBuffers::new(BUFFER_SIZE.saturating_add(head_limit), BUFFER_SIZE);
        Self { buffers, cancel, ..self }
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
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        let output = &self.buffers.output()[..amount];
        let mut socket = DeadlineStream::new(&self.tcp, timeout);
        let sent = match &mut self.tls {
            None => socket.write_all(output),
            Some(tls) => encrypt(tls, &mut socket, output),
        };
        let was_unused = self.is_unused && socket.written == 0;
        self.is_unused = false;
        sent.map_err(|error| {
            let error = map_timeout(error, timeout);
            // The service had closed the idle connection before the first byte.
            if was_unused { unsent(error) } else { error }
        })
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
                let missing = HTTP_1_0.len() - self.peer_version.len();
                self.peer_version.extend(input.iter().take(amount.min(missing)));
                self.buffers.input_appended(amount);
                self.chunks.push(self.buffers.input(), amount);
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
        if self.peer_version == HTTP_1_0 || self.tcp.set_nonblocking(true).is_err() {
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

/// Writes `output` through TLS. `rustls::Stream` would hide a failure until the next read.
fn encrypt(tls: &mut ClientConnection, socket: &mut DeadlineStream<'_>, mut output: &[u8]) -> io::Result<()> {
    while !output.is_empty() || tls.wants_write() {
        let accepted = tls.writer().write(output)?;
        output = &output[accepted..];
        while tls.wants_write() {
            tls.write_tls(socket)?;
        }
    }
    Ok(())
}

/// Maps a timeout of the socket, whose error kind depends on the system, to ureq's.
fn map_timeout(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => ureq::Error::Io(error),
    }
}

/// A socket with one deadline for all reads and writes.
struct DeadlineStream<'a> {
    tcp: &'a TcpStream,
    deadline: Option<Instant>,
    written: usize,
}

impl<'a> DeadlineStream<'a> {
    fn new(tcp: &'a TcpStream, timeout: NextTimeout) -> Self {
        let after = (!timeout.after.is_not_happening()).then_some(*timeout.after);
        Self { tcp, deadline: after.and_then(|after| Instant::now().checked_add(after)), written: 0 }
    }

    /// Applies an earlier deadline.
    fn limit(&mut self, deadline: Option<Instant>) {
        self.deadline = [self.deadline, deadline].into_iter().flatten().min();
    }

    fn remaining(&self) -> io::Result<Option<std::time::Duration>> {
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
        self.tcp.set_write_timeout(self.remaining()?)?;
        let written = self.tcp.write(bytes)?;
        self.written += written;
        Ok(written)
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
