//! The body of an answer that is read as it comes.

use std::fmt;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::decode::Decoder;

/// An answer's body, unread: events, or a download. Decompressed if it came compressed.
///
/// Each read waits at most [`stream_idle`](crate::TransportBuilder::stream_idle); there is no other time-out.
/// Dropping it closes its connection, which is its own.
pub struct Stream {
    reader: Decoder<ureq::BodyReader<'static>>,
    cancel: Cancel,
}

/// Ends a stream from another thread: its reads fail at once.
#[derive(Clone)]
pub struct Cancel(Arc<Line>);

/// What others hold of a connection that is not shared: its socket, and a time to end by.
#[derive(Debug, Default)]
pub(crate) struct Line {
    socket: OnceLock<TcpStream>,
    end: Mutex<Option<Instant>>,
}

impl Line {
    /// Takes the socket, as soon as there is one.
    pub(crate) fn attach(&self, socket: TcpStream) {
        let _ = self.socket.set(socket);
    }

    /// Every read from now on ends by that time.
    pub(crate) fn end_by(&self, end: Option<Instant>) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    pub(crate) fn end(&self) -> Option<Instant> {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    pub(crate) fn new(reader: Decoder<ureq::BodyReader<'static>>, line: Arc<Line>) -> Self {
        Self { reader, cancel: Cancel(line) }
    }

    /// A handle that ends this stream, for another thread or a signal.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

impl Read for Stream {
    /// Reads what has come.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) after the idle time, and whatever breaks the connection.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| match ureq::Error::from(error) {
            ureq::Error::Io(error) => error,
            ureq::Error::Timeout(which) => io::Error::new(io::ErrorKind::TimedOut, which.to_string()),
            error => io::Error::other(error),
        })
    }
}

impl Cancel {
    /// Ends the stream. Nothing happens where it has ended.
    pub fn cancel(&self) {
        if let Some(socket) = self.0.socket.get() {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancel")
    }
}
