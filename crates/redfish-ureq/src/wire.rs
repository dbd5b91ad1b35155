//! One connection: TCP, and TLS over it, as ureq's transport.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::cancel::Cancel;
use crate::connector::unsent;

/// The largest read of a connection, beyond the head that has to fit, and the largest write.
const BUFFERS: (usize, usize) = (16 << 10, 16 << 10);

/// A connection to a service, plain or encrypted.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    cancel: Option<Cancel>,
    buffers: LazyBuffers,
    /// Nothing of the present request has left yet.
    untouched: bool,
    /// The first that the peer said, so much of it as names its version.
    greeting: Vec<u8>,
}

/// How an answer begins after which no connection is kept, whatever its headers say: peers of that version serve one
/// connection at a time.
const HTTP_1_0: &[u8] = b"HTTP/1.0";

impl Socket {
    /// A plain connection.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        let buffers = LazyBuffers::new(BUFFERS.0, BUFFERS.1);
        Self { tcp, tls: None, cancel: None, buffers, untouched: true, greeting: Vec::new() }
    }

    /// The same, for heads as large as that, and perhaps with a handle for others to end it.
    pub(crate) fn with(self, head_limit: usize, cancel: Option<Cancel>) -> Self {
        let buffers = LazyBuffers::new(BUFFERS.0.saturating_add(head_limit), BUFFERS.1);
        Self { buffers, cancel, ..self }
    }

    /// An encrypted one: performs the whole handshake.
    ///
    /// # Errors
    /// A time-out, a connection that breaks, a certificate that is refused.
    pub(crate) fn encrypted(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: rustls::pki_types::ServerName<'static>,
        timeout: NextTimeout,
    ) -> Result<Self, ureq::Error> {
        let refused = |error| ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, error));
        let mut tls = ClientConnection::new(config, name).map_err(refused)?;
        let mut socket = Timed::new(&tcp, timeout);
        while tls.is_handshaking() || tls.wants_write() {
            let (read, written) = tls.complete_io(&mut socket).map_err(|error| timely(error, timeout))?;
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
        let mut socket = Timed::new(&self.tcp, timeout);
        let sent = match &mut self.tls {
            None => socket.write_all(output),
            Some(tls) => encrypt(tls, &mut socket, output),
        };
        let was_untouched = self.untouched && socket.written == 0;
        self.untouched = false;
        sent.map_err(|error| match was_untouched {
            // A kept connection that the service had closed before the first byte.
            true => unsent(timely(error, timeout)),
            false => timely(error, timeout),
        })
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        let input = self.buffers.input_append_buf();
        let mut socket = Timed::new(&self.tcp, timeout);
        socket.end_by(self.cancel.as_ref().and_then(Cancel::end));
        let got = match &mut self.tls {
            None => socket.read(input),
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut socket).read(input),
        };
        match got {
            Ok(amount) => {
                let lacking = HTTP_1_0.len() - self.greeting.len();
                self.greeting.extend(input.iter().take(amount.min(lacking)));
                self.buffers.input_appended(amount);
                Ok(amount > 0)
            }
            // Controllers close without TLS's farewell: to rustls an error, to ureq an end, complete or not by the head.
            Err(error) => Err(timely(error, timeout)),
        }
    }

    /// Asked before and after each request: an idle connection has nothing to say, so that whatever is there to
    /// read, the end included, ends it.
    fn is_open(&mut self) -> bool {
        self.untouched = true;
        if self.greeting == HTTP_1_0 {
            return false;
        }
        if self.tcp.set_nonblocking(true).is_err() {
            return false;
        }
        let idle = matches!(self.tcp.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.tcp.set_nonblocking(false).is_ok() && idle
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Writes all of it through TLS. `rustls::Stream` would hide a failure until the next read.
fn encrypt(tls: &mut ClientConnection, socket: &mut Timed<'_>, mut output: &[u8]) -> io::Result<()> {
    while !output.is_empty() || tls.wants_write() {
        let taken = tls.writer().write(output)?;
        output = &output[taken..];
        while tls.wants_write() {
            tls.write_tls(socket)?;
        }
    }
    Ok(())
}

/// What the socket's time-out looks like differs between systems; ureq wants its own.
fn timely(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => ureq::Error::Io(error),
    }
}

/// A socket whose reads and writes together end by a deadline.
struct Timed<'a> {
    tcp: &'a TcpStream,
    deadline: Option<Instant>,
    written: usize,
}

impl<'a> Timed<'a> {
    fn new(tcp: &'a TcpStream, timeout: NextTimeout) -> Self {
        let after = (!timeout.after.is_not_happening()).then_some(*timeout.after);
        Self { tcp, deadline: after.and_then(|after| Instant::now().checked_add(after)), written: 0 }
    }

    fn end_by(&mut self, end: Option<Instant>) {
        self.deadline = [self.deadline, end].into_iter().flatten().min();
    }

    fn left(&self) -> io::Result<Option<std::time::Duration>> {
        match self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            // Zero would mean "for ever" to the socket.
            Some(left) if left.is_zero() => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(left),
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.tcp.set_read_timeout(self.left()?)?;
            match self.tcp.read(buffer) {
                // A signal: the time that is left has changed.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
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
    use crate::connector::Unsent;

    /// A connection whose other end then resets it: closed there with something unread.
    fn about_to_be_reset() -> (Socket, impl FnOnce()) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (other, _) = listener.accept().unwrap();
        tcp.write_all(b"unread").unwrap();
        let watched = tcp.try_clone().unwrap();
        let reset = move || {
            other.peek(&mut [0]).unwrap();
            drop(other);
            assert!(watched.peek(&mut [0]).is_err(), "reset, not closed");
        };
        (Socket::plain(tcp), reset)
    }

    fn send(wire: &mut Socket) -> Result<(), ureq::Error> {
        wire.buffers().output()[..4].copy_from_slice(b"GET ");
        wire.transmit_output(4, NextTimeout::default())
    }

    #[test]
    fn a_request_whose_first_byte_could_not_leave_was_not_sent() {
        let (mut wire, reset) = about_to_be_reset();
        assert!(wire.is_open());
        reset();
        match send(&mut wire) {
            Err(ureq::Error::Other(error)) => assert!(error.is::<Unsent>()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_of_which_a_part_has_left_may_have_been_sent() {
        let (mut wire, reset) = about_to_be_reset();
        send(&mut wire).unwrap();
        reset();
        assert!(matches!(send(&mut wire), Err(ureq::Error::Io(_))));
    }

    #[test]
    fn what_is_closed_or_talks_unasked_is_not_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for (said, open) in [(&b""[..], true), (b"HTTP/1.1 408 \r\n\r\n", false)] {
            let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut other, _) = listener.accept().unwrap();
            other.write_all(said).unwrap();
            if !open {
                tcp.peek(&mut [0]).unwrap();
            }
            let mut wire = Socket::plain(tcp);
            assert_eq!(wire.is_open(), open);
            drop(other);
            wire.tcp.peek(&mut [0]).unwrap();
            assert!(!wire.is_open());
        }
    }
}
