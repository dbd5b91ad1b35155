//! The body of a response, read as it arrives.

use std::fmt;
use std::io::{self, Read};

use crate::cancel::Cancel;
use crate::decode::Decoder;

/// The unread body of a response: events or a download. A compressed body is decompressed.
///
/// Waits up to [`stream_idle`](redfish_proto::driver::TransportLimits::stream_idle) in each read; there is no
/// other timeout. Dropping the stream closes its connection.
pub struct Stream {
    reader: Decoder<ureq::BodyReader<'static>>,
    cancel: Cancel,
}

impl Stream {
    pub(crate) fn new(reader: Decoder<ureq::BodyReader<'static>>, cancel: Cancel) -> Self {
        Self { reader, cancel }
    }

    /// Returns a handle that ends this stream, for another thread or a signal handler.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

impl Read for Stream {
    /// Reads what has arrived, or waits for it.
    ///
    /// # Errors
    /// Fails with [`TimedOut`](io::ErrorKind::TimedOut) after the idle timeout, and if the connection fails.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| match ureq::Error::from(error) {
            ureq::Error::Io(error) => error,
            ureq::Error::Timeout(reason) => io::Error::new(io::ErrorKind::TimedOut, reason.to_string()),
            error => io::Error::other(error),
        })
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
