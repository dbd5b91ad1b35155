//! Response bodies: complete, cut off, or a stream of events.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior};

use super::budget::Reservation;
use super::connections::Busy;
use super::shared::SharedMock;
use super::thread::StopSignal;
use crate::protocol::event::EventStream;

/// The interval at which a stream polls for events.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The body of a response.
pub(super) enum ResponseBody {
    Bytes { bytes: Option<Bytes>, length: u64, cut: Cut },
    Events(EventStreamBody),
}

/// The bytes of a body, with what lasts until they are written.
struct HeldBytes {
    bytes: Vec<u8>,
    _busy: Busy,
    _reservation: Reservation,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether and when a body breaks off.
#[derive(PartialEq)]
pub(super) enum Cut {
    Never,
    /// After the buffers are flushed.
    AfterFlush,
    Now,
}

/// A stream of server-sent events. It is dropped when the client disconnects.
pub(super) struct EventStreamBody {
    stream: EventStream,
    shared: Arc<SharedMock>,
    stop: StopSignal,
    interval: Interval,
    _busy: Busy,
}

impl ResponseBody {
    pub(super) fn empty() -> ResponseBody {
        ResponseBody::Bytes { bytes: None, length: 0, cut: Cut::Never }
    }

    pub(super) fn whole(body: Vec<u8>, busy: Busy, reservation: Reservation) -> ResponseBody {
        let length = body.len() as u64;
        ResponseBody::Bytes { bytes: held(body, busy, reservation), length, cut: Cut::Never }
    }

    pub(super) fn cut(mut body: Vec<u8>, bytes: usize, busy: Busy, reservation: Reservation) -> ResponseBody {
        let length = body.len() as u64;
        body.truncate(bytes);
        ResponseBody::Bytes { bytes: held(body, busy, reservation), length, cut: Cut::AfterFlush }
    }

    pub(super) fn events(
        stream: EventStream,
        shared: Arc<SharedMock>,
        stop: StopSignal,
        busy: Busy,
    ) -> ResponseBody {
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ResponseBody::Events(EventStreamBody { stream, shared, stop, interval, _busy: busy })
    }
}

fn held(bytes: Vec<u8>, busy: Busy, reservation: Reservation) -> Option<Bytes> {
    let is_empty = bytes.is_empty();
    (!is_empty).then(|| Bytes::from_owner(HeldBytes { bytes, _busy: busy, _reservation: reservation }))
}

impl EventStreamBody {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            ready!(self.interval.poll_tick(context));
            if self.stop.is_stopped() {
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

impl Drop for EventStreamBody {
    fn drop(&mut self) {
        self.shared.lock().close_stream(self.stream);
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            ResponseBody::Events(events) => {
                events.poll(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            ResponseBody::Bytes { bytes, cut, .. } => {
                if let Some(bytes) = bytes.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                match cut {
                    Cut::Never => Poll::Ready(None),
                    // hyper flushes its buffers when a body is pending, and discards them when a body fails.
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
        matches!(self, ResponseBody::Bytes { bytes: None, cut: Cut::Never, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::Bytes { length, .. } => SizeHint::with_exact(*length),
            ResponseBody::Events(_) => SizeHint::default(),
        }
    }
}
