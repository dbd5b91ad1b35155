//! The source of an upload, opened when it is sent and read in pieces.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use redfish_proto::Body;
use redfish_proto::driver::{Payload, Segment};
use tokio::io::{AsyncRead, ReadBuf};

use crate::continue_gate::{ContinueGate, GateWait};

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Bytes of a payload that are in memory at once.
const PIECE_SIZE: usize = 64 << 10;

/// A payload and how to read it. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    payload: Payload,
    open: Arc<dyn Fn() -> io::Result<Reader> + Send + Sync>,
    on_progress: Option<Arc<dyn Fn(u64) + Send + Sync>>,
    was_opened: Arc<AtomicBool>,
}

impl Source {
    /// Reads from a file, which is opened again for each attempt.
    ///
    /// # Errors
    /// Fails if the file cannot be opened now.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Source> {
        let path = path.into();
        let length = File::open(&path)?.metadata()?.len();
        Ok(Source::reopened(length, move || Ok(Box::new(tokio::fs::File::from_std(File::open(&path)?)))))
    }

    /// Reads `length` bytes from what `open` returns, which is called once per attempt.
    pub fn reopened(length: u64, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Source {
        Source::new(Payload { length, replayable: true }, open)
    }

    /// Reads `length` bytes from `reader`, which can be read only once: the payload is never sent again.
    pub fn once(length: u64, reader: impl AsyncRead + Send + Unpin + 'static) -> Source {
        let reader: Mutex<Option<Reader>> = Mutex::new(Some(Box::new(reader)));
        let open = move || {
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
            reader.ok_or_else(|| io::Error::other("the payload cannot be read again"))
        };
        Source::new(Payload { length, replayable: false }, open)
    }

    fn new(payload: Payload, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Source {
        Source { payload, open: Arc::new(open), on_progress: None, was_opened: Arc::default() }
    }

    /// Sets a function that is called while the payload is sent, with the number of bytes read in this attempt.
    #[must_use]
    pub fn progress(mut self, on_progress: impl Fn(u64) + Send + Sync + 'static) -> Source {
        self.on_progress = Some(Arc::new(on_progress));
        self
    }

    /// Returns the length of the payload, and whether it can be read again.
    pub fn payload(&self) -> Payload {
        self.payload
    }

    /// Whether it was not opened in any attempt.
    pub(crate) fn is_unread(&self) -> bool {
        !self.was_opened.load(Ordering::SeqCst)
    }

    fn open(&self) -> io::Result<Reader> {
        self.was_opened.store(true, Ordering::SeqCst);
        (self.open)()
    }

    /// Returns a request's body with the source in the place of its payload, or `None` if the source is missing. The body
    /// waits for the gate.
    pub(crate) fn request_body(
        source: Option<&Source>,
        body: &Body,
        gate: Option<Arc<ContinueGate>>,
        sent: Arc<AtomicU64>,
    ) -> Option<RequestBody> {
        let mut parts = VecDeque::new();
        for segment in body.segments() {
            parts.push_back(match segment {
                Segment::Bytes(bytes) => Part::Bytes(bytes),
                Segment::Payload(payload) => {
                    Part::Payload { source: source?.clone(), reader: None, length: payload.length, read: 0 }
                }
            });
        }
        Some(RequestBody { parts, remaining: body.len(), sent, gate: gate.map(GateWait::new) })
    }
}

/// The body of a request while it is sent.
pub(crate) struct RequestBody {
    parts: VecDeque<Part>,
    /// Bytes that are not sent yet.
    remaining: u64,
    /// Bytes that were sent, for the exchange.
    sent: Arc<AtomicU64>,
    gate: Option<GateWait>,
}

enum Part {
    Bytes(Bytes),
    /// The source is opened when the first byte is read.
    Payload {
        source: Source,
        reader: Option<Reader>,
        length: u64,
        read: u64,
    },
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        if let Some(gate) = &mut self.gate {
            if let Err(error) = ready!(gate.poll(context)) {
                return Poll::Ready(Some(Err(PayloadError::from(error))));
            }
        }
        loop {
            let bytes = match self.parts.front_mut() {
                None => return Poll::Ready(None),
                Some(Part::Bytes(bytes)) => std::mem::take(bytes),
                Some(Part::Payload { source, reader, length, read }) => {
                    match ready!(read_piece(source, reader, *length - *read, context)) {
                        Ok(bytes) => {
                            *read += bytes.len() as u64;
                            if let Some(on_progress) =
                                source.on_progress.as_ref().filter(|_| !bytes.is_empty())
                            {
                                on_progress(*read);
                            }
                            bytes
                        }
                        Err(error) => return Poll::Ready(Some(Err(PayloadError::from(error)))),
                    }
                }
            };
            if bytes.is_empty() {
                self.parts.pop_front();
                continue;
            }
            self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
            self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// Reads the next piece of a payload with `remaining` bytes; empty at the end.
fn read_piece(
    source: &Source,
    reader: &mut Option<Reader>,
    remaining: u64,
    context: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    if remaining == 0 {
        return Poll::Ready(Ok(Bytes::new()));
    }
    let reader = match reader {
        Some(reader) => reader,
        unopened => match source.open() {
            Ok(opened) => unopened.insert(opened),
            Err(error) => return Poll::Ready(Err(error)),
        },
    };
    // A source that has grown must not exceed the declared length, where the request ends.
    let mut piece = vec![0; PIECE_SIZE.min(usize::try_from(remaining).unwrap_or(PIECE_SIZE))];
    let mut buffer = ReadBuf::new(&mut piece);
    ready!(Pin::new(reader).poll_read(context, &mut buffer))?;
    let read = buffer.filled().len();
    if read == 0 {
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the payload is shorter than declared");
        return Poll::Ready(Err(error));
    }
    piece.truncate(read);
    Poll::Ready(Ok(piece.into()))
}

/// An error of a payload's source, distinct from errors of the connection.
#[derive(Debug)]
pub(crate) struct PayloadError(Arc<io::Error>);

impl PayloadError {
    /// Finds the payload's error among the sources of `error`.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Arc<io::Error>> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref::<PayloadError>() {
                Some(PayloadError(error)) => return Some(error.clone()),
                None => next = error.source(),
            }
        }
        None
    }
}

impl From<io::Error> for PayloadError {
    fn from(error: io::Error) -> PayloadError {
        PayloadError(Arc::new(error))
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for PayloadError {}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.payload.length)
    }
}

/// Reads from an image in memory.
impl From<Bytes> for Source {
    fn from(image: Bytes) -> Source {
        Source::reopened(image.len() as u64, move || Ok(Box::new(Cursor::new(image.clone()))))
    }
}
