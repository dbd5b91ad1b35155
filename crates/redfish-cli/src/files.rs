//! The files that are named on the command line: the only place that opens and reads them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::output;

/// Memory that is taken at once. A secret is never longer, so no copy of it is left behind.
const AT_ONCE: u64 = 64 << 10;

/// Bytes of a pipe that are read at once.
const PIECE: usize = 16 << 10;

/// Symbolic links that are followed, as the system does.
const MOST_LINKS: usize = 40;

/// Where to read from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    File(&'a Path),
    Stdin,
}

impl<'a> Source<'a> {
    /// A file, or standard input for `-`.
    pub(crate) fn named(file: &'a Path) -> Source<'a> {
        if is_stdin(file) { Source::Stdin } else { Source::File(file) }
    }

    /// Reads all of it. What is longer than this is an error, and so is a pipe that is not read to its end in time.
    pub(crate) fn read(self, longest: u64, patience: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
        let capacity = usize::try_from(longest.min(AT_ONCE) + 1).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        self.open(patience)?.take(longest + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > longest {
            true => Err(io::Error::other("it is too long")),
            false => Ok(bytes),
        }
    }

    /// Reads a secret: text of one line, without the line's end.
    pub(crate) fn read_secret(self, patience: Duration) -> io::Result<Zeroizing<String>> {
        let bytes = self.read(AT_ONCE, patience)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
        Ok(Zeroizing::new(without_line_end(text).to_owned()))
    }

    /// Opens it to be read by lines.
    pub(crate) fn lines(self, patience: Duration) -> io::Result<impl BufRead> {
        Ok(BufReader::new(self.open(patience)?))
    }

    fn open(self, patience: Duration) -> io::Result<Box<dyn Read>> {
        match self {
            Source::Stdin => Ok(Box::new(Bounded::new(|| Ok(io::stdin()), patience))),
            Source::File(file) if fs::metadata(file)?.is_file() => Ok(Box::new(File::open(file)?)),
            // A pipe waits for its other end, as soon as it is opened.
            Source::File(file) => {
                let file = file.to_owned();
                Ok(Box::new(Bounded::new(move || File::open(file), patience)))
            }
        }
    }
}

/// What may never come to its end, read on another thread for a limited time.
struct Bounded {
    pieces: Receiver<io::Result<Zeroizing<Vec<u8>>>>,
    end: Instant,
    patience: Duration,
    piece: Zeroizing<Vec<u8>>,
    /// How much of the piece has been read.
    read: usize,
}

impl Bounded {
    fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static, patience: Duration) -> Bounded {
        let (to, pieces) = sync_channel(1);
        // If the time is over, it waits until the process ends.
        thread::spawn(move || {
            let mut source = match open() {
                Ok(source) => source,
                Err(error) => return drop(to.send(Err(error))),
            };
            loop {
                let mut piece = Zeroizing::new(vec![0; PIECE]);
                let read = match source.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let piece = read.map(|read| {
                    piece.truncate(read);
                    piece
                });
                let is_last = piece.as_ref().map_or(true, |piece| piece.is_empty());
                if to.send(piece).is_err() || is_last {
                    return;
                }
            }
        });
        let now = Instant::now();
        // Without end, as far as a clock can tell.
        let end = now.checked_add(patience).unwrap_or(now + Duration::from_secs(1 << 30));
        Bounded { pieces, end, patience, piece: Zeroizing::default(), read: 0 }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            let left = self.end.saturating_duration_since(Instant::now());
            self.piece = match self.pieces.recv_timeout(left) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Disconnected) => Zeroizing::default(),
                Err(RecvTimeoutError::Timeout) => {
                    let time = output::seconds(self.patience);
                    let text = format!("it did not come to its end within the {time} of --timeout");
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            };
            self.read = 0;
        }
        let read = (&self.piece[self.read..]).read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// Rejects what a list of services must not name: a pipe, a device, or a descriptor of this process. It is not opened. What
/// is not there is found out when it is.
pub(crate) fn check_regular(file: &Path) -> io::Result<()> {
    let seen = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        seen => seen?,
    };
    match seen.is_file() && !is_descriptor(file)? {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Whether a path, or what it links to, is in /proc or /dev, where descriptors are.
fn is_descriptor(file: &Path) -> io::Result<bool> {
    let mut file: PathBuf = file.to_owned();
    for _ in 0..MOST_LINKS {
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

/// Whether the file is standard input.
pub(crate) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn without_line_end(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn read(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Source::File(file.path()).read_secret(PATIENCE)
    }

    #[test]
    fn one_line_end_is_cut_and_no_more() {
        for (file, password) in [("p", "p"), ("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p ")] {
            assert_eq!(read(file.as_bytes()).unwrap().as_str(), password, "{file:?}");
        }
        assert!(read(b"\xff").is_err());
        assert!(Source::File(Path::new("/dev/zero")).read_secret(PATIENCE).is_err());
    }

    #[test]
    fn a_limit_is_exact() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"12345").unwrap();
        assert!(Source::File(file.path()).read(4, PATIENCE).is_err());
        assert_eq!(Source::File(file.path()).read(5, PATIENCE).unwrap().as_slice(), b"12345");
    }

    #[test]
    fn a_list_names_files_alone() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::write(at("file"), "p").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        std::os::unix::fs::symlink("/dev/fd/0", at("descriptor")).unwrap();
        let open = File::open(at("file")).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        std::os::unix::fs::symlink(format!("/dev/fd/{number}"), at("open")).unwrap();
        assert!(check_regular(&at("file")).is_ok() && check_regular(&at("link")).is_ok());
        assert!(check_regular(&at("absent")).is_ok());
        for name in ["descriptor", "open"] {
            assert!(check_regular(&at(name)).is_err(), "{name}");
        }
        for path in [format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}"), "/dev/zero".into()] {
            assert!(check_regular(Path::new(&path)).is_err(), "{path}");
        }
    }
}
