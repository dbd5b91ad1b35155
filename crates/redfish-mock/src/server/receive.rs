//! Receives the body of a request: bounded in time, not kept.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use super::pace::Pace;

/// How much of a body was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    Whole,
    /// The rest does not matter.
    Partly,
}

/// The reason why a body could not be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReceiveError {
    /// The connection broke, or the body is not valid.
    Broken,
    TooSlow,
}

/// Passes the chunks of a body to `take` until it breaks.
pub(super) async fn receive<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
    stall_timeout: Duration,
    mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<Received, ReceiveError> {
    let started = Instant::now();
    let mut pace = Pace::new(stall_timeout, Duration::ZERO);
    loop {
        match timeout_at(started + pace.deadline(), body.frame()).await {
            Err(_) => return Err(ReceiveError::TooSlow),
            Ok(None) => return Ok(Received::Whole),
            Ok(Some(Err(_))) => return Err(ReceiveError::Broken),
            Ok(Some(Ok(frame))) => {
                // Trailers are ignored.
                let Some(chunk) = frame.data_ref() else { continue };
                pace.record(chunk.len(), started.elapsed());
                if take(chunk).is_break() {
                    return Ok(if body.is_end_stream() { Received::Whole } else { Received::Partly });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;
    use tokio::sync::mpsc;

    use super::*;

    struct Chunks(mpsc::Receiver<Bytes>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
        }
    }

    /// Receives a body of `count` chunks of this size, `interval` seconds apart. Returns the bytes and the seconds that it took.
    async fn receive_slowly(
        count: usize,
        size: usize,
        interval: u64,
    ) -> (Result<Received, ReceiveError>, usize, u64) {
        let (sender, chunks) = mpsc::channel(1);
        tokio::spawn(async move {
            for _ in 0..count {
                tokio::time::sleep(Duration::from_secs(interval)).await;
                if sender.send(vec![0; size].into()).await.is_err() {
                    break;
                }
            }
        });
        let (started, mut bytes) = (Instant::now(), 0);
        let take = |chunk: &[u8]| {
            bytes += chunk.len();
            if bytes >= 1 << 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let result = receive(&mut Chunks(chunks), Duration::from_secs(30), take).await;
        (result, bytes, started.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_trickles_is_cut_off() {
        assert_eq!(receive_slowly(3, 100, 10).await, (Ok(Received::Whole), 300, 30));
        assert_eq!(receive_slowly(3, 100, 31).await, (Err(ReceiveError::TooSlow), 0, 30));
        assert_eq!(receive_slowly(1000, 100, 1).await, (Err(ReceiveError::TooSlow), 5900, 60));
        assert_eq!(receive_slowly(400, 2048, 1).await, (Ok(Received::Whole), 400 * 2048, 400));
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_body_that_does_not_matter_is_not_received() {
        assert_eq!(receive_slowly(10, 1 << 19, 1).await, (Ok(Received::Partly), 1 << 20, 2));
    }
}
