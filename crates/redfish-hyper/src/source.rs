//! What an upload is read from: opened when it is sent, read as it goes, never in memory as a whole.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use redfish_proto::Body;
use redfish_proto::driver::{Payload, Segment};
use tokio::io::{AsyncRead, ReadBuf};

use crate::gate::{ContinueGate, Waiting};

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Bytes of the payload that are in memory at once.
const PIECE: usize = 64 << 10;

/// A payload, and how to read it. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    payload: Payload,
    open: Arc<dyn Fn() -> io::Result<Reader> + Send + Sync>,
    seen: Option<Arc<dyn Fn(u64) + Send + Sync>>,
}

impl Source {
    /// A file, opened for each time that it is sent.
    ///
    /// # Errors
    /// A file that cannot be opened now.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Source> {
        let path = path.into();
        let length = File::open(&path)?.metadata()?.len();
        Ok(Source::reopened(length, move || Ok(Box::new(tokio::fs::File::from_std(File::open(&path)?)))))
    }

    /// What can be opened more than once, of that length.
    pub fn reopened(length: u64, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Source {
        Source { payload: Payload { length, replayable: true }, open: Arc::new(open), seen: None }
    }

    /// What can be read once, of that length: it is never sent a second time.
    pub fn once(length: u64, reader: impl AsyncRead + Send + Unpin + 'static) -> Source {
        let reader: Mutex<Option<Reader>> = Mutex::new(Some(Box::new(reader)));
        let open = move || {
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
            reader.ok_or_else(|| io::Error::other("the payload was read before, and cannot be read again"))
        };
        Source { payload: Payload { length, replayable: false }, open: Arc::new(open), seen: None }
    }

    /// Tells how many bytes have been read since it was last opened, as it is sent.
    #[must_use]
    pub fn progress(mut self, seen: impl Fn(u64) + Send + Sync + 'static) -> Source {
        self.seen = Some(Arc::new(seen));
        self
    }

    /// Its length, and whether it can be read again.
    pub fn payload(&self) -> Payload {
        self.payload
    }

    /// The body of a request, with this where its payload belongs; `None` where that is missing. It begins when the
    /// gate opens.
    pub(crate) fn fill(
        source: Option<&Source>,
        body: &Body,
        gate: Option<Arc<ContinueGate>>,
    ) -> Option<Outbound> {
        let mut parts = VecDeque::new();
        for segment in body.segments() {
            parts.push_back(match segment {
                Segment::Bytes(bytes) => Part::Bytes(bytes),
                Segment::Payload(payload) => {
                    Part::Payload { source: source?.clone(), reader: None, length: payload.length, read: 0 }
                }
            });
        }
        Some(Outbound { parts, length: body.len(), gate: gate.map(Waiting::at) })
    }
}

/// The body of a request on its way.
pub(crate) struct Outbound {
    parts: VecDeque<Part>,
    /// Bytes that are still to come.
    length: u64,
    gate: Option<Waiting>,
}

enum Part {
    Bytes(Bytes),
    /// Opened when its first byte is asked for: what is not sent is not opened.
    Payload {
        source: Source,
        reader: Option<Reader>,
        length: u64,
        read: u64,
    },
}

impl HttpBody for Outbound {
    type Data = Bytes;
    type Error = Unreadable;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreadable>>> {
        if let Some(gate) = &mut self.gate {
            if let Err(error) = ready!(gate.poll(context)) {
                return Poll::Ready(Some(Err(Unreadable::from(error))));
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
                            if let Some(seen) = source.seen.as_ref().filter(|_| !bytes.is_empty()) {
                                seen(*read);
                            }
                            bytes
                        }
                        Err(error) => return Poll::Ready(Some(Err(Unreadable::from(error)))),
                    }
                }
            };
            if bytes.is_empty() {
                self.parts.pop_front();
                continue;
            }
            self.length = self.length.saturating_sub(bytes.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// The next piece of a payload of which so much is left; empty at its end.
fn read_piece(
    source: &Source,
    reader: &mut Option<Reader>,
    left: u64,
    context: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    if left == 0 {
        return Poll::Ready(Ok(Bytes::new()));
    }
    let reader = match reader {
        Some(reader) => reader,
        none => match (source.open)() {
            Ok(opened) => none.insert(opened),
            Err(error) => return Poll::Ready(Err(error)),
        },
    };
    // What is longer by now than it was said to be would end the request in the wrong place.
    let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
    let mut buffer = ReadBuf::new(&mut piece);
    ready!(Pin::new(reader).poll_read(context, &mut buffer))?;
    let read = buffer.filled().len();
    if read == 0 {
        let short = io::Error::new(io::ErrorKind::UnexpectedEof, "the payload is shorter than was said");
        return Poll::Ready(Err(short));
    }
    piece.truncate(read);
    Poll::Ready(Ok(piece.into()))
}

/// What went wrong with a payload, to be told from what goes wrong with a connection.
#[derive(Debug)]
pub(crate) struct Unreadable(Arc<io::Error>);

impl Unreadable {
    /// What went wrong with the payload, where that is why a request failed.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Arc<io::Error>> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref::<Unreadable>() {
                Some(Unreadable(error)) => return Some(error.clone()),
                None => next = error.source(),
            }
        }
        None
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Unreadable {
        Unreadable(Arc::new(error))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Unreadable {}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.payload.length)
    }
}

/// For an update whose image is in memory.
impl From<Bytes> for Source {
    fn from(image: Bytes) -> Source {
        Source::reopened(image.len() as u64, move || Ok(Box::new(Cursor::new(image.clone()))))
    }
}
