//! The body of a response, read as it arrives.

use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::decode::{Decoder, PIECE_SIZE};
use crate::pool::PooledConnection;

/// The unread body of a response: events or a download. A compressed body is decompressed.
///
/// Waits up to [`stream_idle`](redfish_proto::driver::TransportLimits::stream_idle) for each piece; there is
/// no other timeout. Dropping the stream closes its connection.
pub struct Stream {
    body: Incoming,
    decoder: Decoder,
    idle: Duration,
    /// Received data that is not decoded yet.
    undecoded: Bytes,
    ended: bool,
    /// Keeps the connection open.
    _connection: PooledConnection,
}

impl Stream {
    pub(crate) fn new(
        body: Incoming,
        decoder: Decoder,
        idle: Duration,
        connection: PooledConnection,
    ) -> Self {
        Self { body, decoder, idle, undecoded: Bytes::new(), ended: false, _connection: connection }
    }

    /// Reads the next piece; `None` at the end. Cancel safe: no data is lost.
    ///
    /// # Errors
    /// Fails with [`TimedOut`](io::ErrorKind::TimedOut) after the idle timeout, and if the connection fails.
    pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let mut decoded = Vec::new();
        while !self.ended {
            if !self.undecoded.is_empty() {
                let piece = match self.decoder {
                    Decoder::Plain => return Ok(Some(std::mem::take(&mut self.undecoded))),
                    Decoder::Gzip { .. } => self.undecoded.split_to(PIECE_SIZE.min(self.undecoded.len())),
                };
                self.decoder.push(&piece, &mut decoded)?;
            } else {
                let timed_out =
                    |_| io::Error::new(io::ErrorKind::TimedOut, "the stream exceeded its idle timeout");
                match timeout(self.idle, self.body.frame()).await.map_err(timed_out)? {
                    Some(frame) => {
                        self.undecoded = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
                    }
                    None => {
                        self.ended = true;
                        self.decoder.finish(&mut decoded)?;
                    }
                }
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
