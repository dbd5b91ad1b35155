//! The body of an answer that is read as it comes.

use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::decode::{Decoder, PIECE};
use crate::pool::PooledConnection;

/// An answer's body, unread: events, or a download. Decompressed if it came compressed.
///
/// Each piece is waited for at most [`stream_idle`](crate::TransportBuilder::stream_idle); there is no other
/// time-out. Dropping it closes its connection.
pub struct Stream {
    body: Incoming,
    decoder: Decoder,
    idle: Duration,
    /// What has come and is not decoded yet.
    rest: Bytes,
    ended: bool,
    /// The connection lives as long as this.
    _sender: PooledConnection,
}

impl Stream {
    pub(crate) fn new(body: Incoming, decoder: Decoder, idle: Duration, sender: PooledConnection) -> Self {
        Self { body, decoder, idle, rest: Bytes::new(), ended: false, _sender: sender }
    }

    /// The next piece; `None` at the end. Nothing is lost where it is dropped unfinished.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) after the idle time, and whatever breaks the connection.
    pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let mut decoded = Vec::new();
        while !self.ended {
            if !self.rest.is_empty() {
                let piece = match self.decoder {
                    Decoder::Plain => return Ok(Some(std::mem::take(&mut self.rest))),
                    Decoder::Gzip { .. } => self.rest.split_to(PIECE.min(self.rest.len())),
                };
                self.decoder.push(&piece, &mut decoded)?;
            } else {
                match tokio::time::timeout(self.idle, self.body.frame()).await {
                    Ok(Some(frame)) => {
                        self.rest = frame.map_err(io::Error::other)?.into_data().unwrap_or_default()
                    }
                    Ok(None) => {
                        self.ended = true;
                        self.decoder.finish(&mut decoded)?;
                    }
                    Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "the stream is silent")),
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
