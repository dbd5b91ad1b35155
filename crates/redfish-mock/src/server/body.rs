//! Bodies as they are sent: whole, broken off, or a stream of events that goes on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior};

use super::shared::Shared;
use super::thread::Stop;
use crate::protocol::event::EventStream;

/// How often a stream looks whether there is something to send.
const LOOK: Duration = Duration::from_millis(200);

/// A body on its way.
pub(super) enum Sent {
    Bytes { bytes: Option<Bytes>, length: u64, cut: Cut },
    Events(Events),
}

/// How far a body is with breaking off.
#[derive(PartialEq)]
pub(super) enum Cut {
    Never,
    /// What there is has to leave the buffers first.
    AfterFlush,
    Now,
}

/// A stream of server-sent events. When it is dropped, its client has gone.
pub(super) struct Events {
    stream: EventStream,
    shared: Arc<Shared>,
    stop: Stop,
    interval: Interval,
}

impl Sent {
    pub(super) fn whole(body: Vec<u8>) -> Sent {
        let length = body.len() as u64;
        Sent::Bytes { bytes: (length > 0).then(|| body.into()), length, cut: Cut::Never }
    }

    pub(super) fn cut(mut body: Vec<u8>, bytes: usize) -> Sent {
        let length = body.len() as u64;
        body.truncate(bytes);
        Sent::Bytes { bytes: (!body.is_empty()).then(|| body.into()), length, cut: Cut::AfterFlush }
    }

    pub(super) fn events(stream: EventStream, shared: Arc<Shared>, stop: Stop) -> Sent {
        let mut interval = tokio::time::interval(LOOK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Sent::Events(Events { stream, shared, stop, interval })
    }
}

impl Events {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            ready!(self.interval.poll_tick(context));
            if self.stop.is_told() {
                return Poll::Ready(None);
            }
            match self.shared.events(self.stream) {
                None => return Poll::Ready(None),
                Some(text) if text.is_empty() => {}
                Some(text) => return Poll::Ready(Some(text.into())),
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.mock().close_stream(self.stream);
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Sent::Events(events) => {
                events.poll(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            Sent::Bytes { bytes, cut, .. } => {
                if let Some(bytes) = bytes.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                match cut {
                    Cut::Never => Poll::Ready(None),
                    // hyper writes out what it has when a body is not ready, and drops it when a body fails.
                    Cut::AfterFlush => {
                        *cut = Cut::Now;
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Cut::Now => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Sent::Bytes { bytes: None, cut: Cut::Never, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Bytes { length, .. } => SizeHint::with_exact(*length),
            Sent::Events(_) => SizeHint::default(),
        }
    }
}
