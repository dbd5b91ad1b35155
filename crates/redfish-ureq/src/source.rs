//! The source of an upload, opened when it is sent and read in pieces.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use redfish_proto::Body;
use redfish_proto::driver::{Payload, Segment};

use crate::refusal;

type Reader = Box<dyn Read + Send + Sync>;

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
        Ok(Source::reopened(length, move || Ok(Box::new(File::open(&path)?))))
    }

    /// Reads `length` bytes from what `open` returns, which is called once per attempt.
    pub fn reopened(length: u64, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Source {
        Source::new(Payload { length, replayable: true }, open)
    }

    /// Reads `length` bytes from `reader`, which can be read only once: the payload is never sent again.
    pub fn once(length: u64, reader: impl Read + Send + Sync + 'static) -> Source {
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

    /// Returns a request's body with the source in the place of its payload. Errors of the source are [`PayloadError`]s.
    pub(crate) fn request_body(source: Option<&Source>, body: &Body) -> io::Result<Reader> {
        let mut reader: Reader = Box::new(io::empty());
        for segment in body.segments() {
            let part: Reader = match segment {
                Segment::Bytes(bytes) => Box::new(Cursor::new(bytes)),
                Segment::Payload(payload) => {
                    let missing = || PayloadError::wrap(io::Error::other("the payload was not given"));
                    Box::new(PayloadReader {
                        source: source.ok_or_else(missing)?.clone(),
                        reader: None,
                        length: payload.length,
                        read: 0,
                    })
                }
            };
            reader = Box::new(reader.chain(part));
        }
        Ok(reader)
    }
}

/// Reads a payload. The source is opened when the first byte is read.
struct PayloadReader {
    source: Source,
    reader: Option<Reader>,
    length: u64,
    read: u64,
}

impl Read for PayloadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_piece(buffer).map_err(PayloadError::wrap)
    }
}

impl PayloadReader {
    fn read_piece(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A source that has grown must not exceed the declared length, where the request ends.
        let length = usize::try_from(self.length - self.read).unwrap_or(usize::MAX).min(buffer.len());
        if length == 0 {
            return Ok(0);
        }
        if refusal::is_noted() {
            // The socket discards these bytes.
            self.read += length as u64;
            return Ok(length);
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            unopened => unopened.insert(self.source.open()?),
        };
        let read = reader.read(&mut buffer[..length])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the payload is shorter than declared"));
        }
        self.read += read as u64;
        if let Some(on_progress) = &self.source.on_progress {
            on_progress(self.read);
        }
        Ok(read)
    }
}

/// An error of a payload's source, distinct from errors of the connection.
#[derive(Debug)]
pub(crate) struct PayloadError(io::Error);

impl PayloadError {
    fn wrap(error: io::Error) -> io::Error {
        match error.kind() {
            // The caller reads again.
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, PayloadError(error)),
        }
    }

    /// Returns the source's error if `error` wraps a [`PayloadError`], else `error` itself as an `Err`.
    pub(crate) fn unwrap(error: io::Error) -> Result<io::Error, io::Error> {
        match error.downcast::<PayloadError>() {
            Ok(unreadable) => Ok(unreadable.0),
            Err(error) => Err(error),
        }
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
