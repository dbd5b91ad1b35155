//! The files that are named on the command line. They are opened and read only here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::output;

/// Maximum size of a secret, in bytes. The buffer has this capacity, so that it never moves and leaves a copy behind.
const MAX_SECRET: u64 = 64 << 10;

/// The byte order mark of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a pipe that are read at once.
const CHUNK: usize = 16 << 10;

/// Maximum number of symbolic links that are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// A file or standard input.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    File(&'a Path),
    Stdin,
}

impl<'a> Source<'a> {
    /// The file of this name; standard input for `-`.
    pub(crate) fn named(file: &'a Path) -> Source<'a> {
        if is_stdin(file) { Source::Stdin } else { Source::File(file) }
    }

    /// Reads the whole source as a text, without a byte order mark, which editors put before it. Fails if it is longer than `limit` bytes, or if a pipe does not end within the timeout.
    pub(crate) fn read(self, limit: u64, timeout: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
        let capacity = usize::try_from(limit.min(MAX_SECRET) + 1).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        self.open(timeout)?.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::other("it is too long"));
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(bytes)
    }

    /// Reads a secret: text, without one trailing newline.
    pub(crate) fn read_secret(self, timeout: Duration) -> io::Result<Zeroizing<String>> {
        let bytes = self.read(MAX_SECRET, timeout)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
        Ok(Zeroizing::new(strip_newline(text).to_owned()))
    }

    /// Opens the source for reading by lines.
    pub(crate) fn lines(self, timeout: Duration) -> io::Result<impl BufRead> {
        Ok(BufReader::new(self.open(timeout)?))
    }

    fn open(self, timeout: Duration) -> io::Result<Box<dyn Read>> {
        match self {
            Source::Stdin => Ok(Box::new(TimedReader::new(|| Ok(io::stdin()), timeout))),
            Source::File(file) if fs::metadata(file)?.is_file() => Ok(Box::new(File::open(file)?)),
            // Opening a pipe blocks until its other end is open.
            Source::File(file) => {
                let file = file.to_owned();
                Ok(Box::new(TimedReader::new(move || File::open(file), timeout)))
            }
        }
    }
}

/// A reader with a timeout, which reads on another thread.
struct TimedReader {
    chunks: Receiver<io::Result<Zeroizing<Vec<u8>>>>,
    end: Instant,
    timeout: Duration,
    chunk: Zeroizing<Vec<u8>>,
    /// How many bytes of the chunk have been read.
    read: usize,
}

impl TimedReader {
    fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static, timeout: Duration) -> TimedReader {
        let (sender, chunks) = sync_channel(1);
        // After the timeout, the thread stays blocked until the process ends.
        thread::spawn(move || {
            let mut source = match open() {
                Ok(source) => source,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut chunk = Zeroizing::new(vec![0; CHUNK]);
                let read = match source.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let chunk = read.map(|read| {
                    chunk.truncate(read);
                    chunk
                });
                let is_last = chunk.as_ref().map_or(true, |chunk| chunk.is_empty());
                if sender.send(chunk).is_err() || is_last {
                    return;
                }
            }
        });
        let now = Instant::now();
        // About 34 years if the clock cannot represent the timeout.
        let end = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(1 << 30));
        TimedReader { chunks, end, timeout, chunk: Zeroizing::default(), read: 0 }
    }
}

impl Read for TimedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.chunk.len() {
            let left = self.end.saturating_duration_since(Instant::now());
            self.chunk = match self.chunks.recv_timeout(left) {
                Ok(chunk) => chunk?,
                Err(RecvTimeoutError::Disconnected) => Zeroizing::default(),
                Err(RecvTimeoutError::Timeout) => {
                    let time = output::seconds(self.timeout);
                    let text = format!("its end was not reached within the {time} of --timeout");
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            };
            self.read = 0;
        }
        let read = (&self.chunk[self.read..]).read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// Rejects a pipe, a device or a file descriptor, which a services file must not name, without opening it. A missing file
/// is accepted: reading it fails later.
pub(crate) fn check_regular(file: &Path) -> io::Result<()> {
    let metadata = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.is_file() && !is_descriptor(file)? {
        Ok(())
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// Whether a path or its link target is in /proc or /dev, where file descriptors are.
fn is_descriptor(file: &Path) -> io::Result<bool> {
    let mut file: PathBuf = file.to_owned();
    for _ in 0..MAX_LINKS {
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => fs::canonicalize(parent)?,
            _ => fs::canonicalize(".")?,
        };
        if directory.starts_with("/proc") || directory.starts_with("/dev") {
            return Ok(true);
        }
        if !fs::symlink_metadata(&file)?.is_symlink() {
            return Ok(false);
        }
        file = directory.join(fs::read_link(&file)?);
    }
    Ok(true)
}

/// Reads a regular file of up to `limit` bytes, unchanged.
pub(crate) fn read_regular(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::Error::other("it is too long")) } else { Ok(bytes) }
}

/// Whether the file is standard input.
pub(crate) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn strip_newline(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// Writes a file. A FIFO without a reader is an error, since opening it would wait without end.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).custom_flags(nonblocking).open(path)?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn read(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Source::File(file.path()).read_secret(TIMEOUT)
    }

    #[test]
    fn one_trailing_newline_is_removed() {
        for (file, password) in [("p", "p"), ("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p ")] {
            assert_eq!(read(file.as_bytes()).unwrap().as_str(), password, "{file:?}");
        }
        assert_eq!(read(b"\xef\xbb\xbfp\r\n").unwrap().as_str(), "p", "after a byte order mark");
        assert_eq!(read("p\u{feff}".as_bytes()).unwrap().as_str(), "p\u{feff}", "only at the start");
        assert!(read(b"\xff").is_err());
        assert!(Source::File(Path::new("/dev/zero")).read_secret(TIMEOUT).is_err());
    }

    #[test]
    fn a_limit_is_exact() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"12345").unwrap();
        assert!(Source::File(file.path()).read(4, TIMEOUT).is_err());
        assert_eq!(Source::File(file.path()).read(5, TIMEOUT).unwrap().as_slice(), b"12345");
    }

    #[test]
    fn only_regular_files_pass_the_check() {
        let directory = tempfile::tempdir().unwrap();
        let path_to = |name: &str| directory.path().join(name);
        std::fs::write(path_to("file"), "p").unwrap();
        std::os::unix::fs::symlink("file", path_to("link")).unwrap();
        std::os::unix::fs::symlink("/dev/fd/0", path_to("descriptor")).unwrap();
        let open = File::open(path_to("file")).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        std::os::unix::fs::symlink(format!("/dev/fd/{number}"), path_to("open")).unwrap();
        assert!(check_regular(&path_to("file")).is_ok() && check_regular(&path_to("link")).is_ok());
        assert!(check_regular(&path_to("absent")).is_ok());
        for name in ["descriptor", "open"] {
            assert!(check_regular(&path_to(name)).is_err(), "{name}");
        }
        for path in [format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}"), "/dev/zero".into()] {
            assert!(check_regular(Path::new(&path)).is_err(), "{path}");
        }
    }
}
