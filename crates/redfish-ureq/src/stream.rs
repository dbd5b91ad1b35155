//! The body of an answer that is read as it comes.

use std::fmt;
use std::io::{self, Read};

use crate::cancel::Cancel;
use crate::decode::Decoder;

/// An answer's body, unread: events, or a download. Decompressed if it came compressed.
///
/// Each read waits at most [`stream_idle`](crate::TransportBuilder::stream_idle); there is no other time-out.
/// Dropping it closes its connection, which is its own.
pub struct Stream {
    reader: Decoder<ureq::BodyReader<'static>>,
    cancel: Cancel,
}

impl Stream {
    pub(crate) fn new(reader: Decoder<ureq::BodyReader<'static>>, cancel: Cancel) -> Self {
        Self { reader, cancel }
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

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
