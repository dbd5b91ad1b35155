//! What an upload is read from: opened when it is sent, read as it goes, never in memory as a whole.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use redfish_proto::Body;
use redfish_proto::driver::{Payload, Segment};

type Reader = Box<dyn Read + Send + Sync>;

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
        Ok(Source::reopened(length, move || Ok(Box::new(File::open(&path)?))))
    }

    /// What can be opened more than once, of that length.
    pub fn reopened(length: u64, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Source {
        Source { payload: Payload { length, replayable: true }, open: Arc::new(open), seen: None }
    }

    /// What can be read once, of that length: it is never sent a second time.
    pub fn once(length: u64, reader: impl Read + Send + Sync + 'static) -> Source {
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

    /// The body of a request, with this where its payload belongs. What goes wrong with that is [`Unreadable`].
    pub(crate) fn fill(source: Option<&Source>, body: &Body) -> io::Result<Reader> {
        let mut whole: Reader = Box::new(io::empty());
        for segment in body.segments() {
            let part: Reader = match segment {
                Segment::Bytes(bytes) => Box::new(Cursor::new(bytes)),
                Segment::Payload(payload) => {
                    let missing = || Unreadable::wrap(io::Error::other("the payload was not given"));
                    Box::new(Opening {
                        source: source.ok_or_else(missing)?.clone(),
                        reader: None,
                        length: payload.length,
                        read: 0,
                    })
                }
            };
            whole = Box::new(whole.chain(part));
        }
        Ok(whole)
    }
}

/// Opens the payload when its first byte is asked for: what is not sent is not opened.
struct Opening {
    source: Source,
    reader: Option<Reader>,
    length: u64,
    read: u64,
}

impl Read for Opening {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_piece(into).map_err(Unreadable::wrap)
    }
}

impl Opening {
    fn read_piece(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // What is longer by now than it was said to be would end the request in the wrong place.
        let left = usize::try_from(self.length - self.read).unwrap_or(usize::MAX).min(into.len());
        if left == 0 {
            return Ok(0);
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert((self.source.open)()?),
        };
        let read = reader.read(&mut into[..left])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the payload is shorter than was said"));
        }
        self.read += read as u64;
        if let Some(seen) = &self.source.seen {
            seen(self.read);
        }
        Ok(read)
    }
}

/// What went wrong with a payload, to be told from what goes wrong with a connection.
#[derive(Debug)]
pub(crate) struct Unreadable(io::Error);

impl Unreadable {
    fn wrap(error: io::Error) -> io::Error {
        match error.kind() {
            // To be tried again, by whoever reads.
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, Unreadable(error)),
        }
    }

    /// The error beneath, where it is one of a payload.
    pub(crate) fn unwrap(error: io::Error) -> Result<io::Error, io::Error> {
        match error.downcast::<Unreadable>() {
            Ok(unreadable) => Ok(unreadable.0),
            Err(error) => Err(error),
        }
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
