//! The files that are named on the command line: the only place that opens and reads them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Memory that is taken at once. A secret is never longer, so no copy of it is left behind.
const AT_ONCE: u64 = 64 << 10;

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

    /// Reads all of it. What is longer than this is an error.
    pub(crate) fn read(self, longest: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let capacity = usize::try_from(longest.min(AT_ONCE) + 1).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        self.open()?.take(longest + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > longest {
            true => Err(io::Error::other("it is too long")),
            false => Ok(bytes),
        }
    }

    /// Reads a secret: text of one line, without the line's end.
    pub(crate) fn read_secret(self) -> io::Result<Zeroizing<String>> {
        let bytes = self.read(AT_ONCE)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
        Ok(Zeroizing::new(without_line_end(text).to_owned()))
    }

    /// Opens it to be read by lines.
    pub(crate) fn lines(self) -> io::Result<impl BufRead> {
        Ok(BufReader::new(self.open()?))
    }

    fn open(self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Source::Stdin => Box::new(io::stdin().lock()),
            Source::File(file) => Box::new(File::open(file)?),
        })
    }
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

    fn read(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Source::File(file.path()).read_secret()
    }

    #[test]
    fn one_line_end_is_cut_and_no_more() {
        for (file, password) in [("p", "p"), ("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p ")] {
            assert_eq!(read(file.as_bytes()).unwrap().as_str(), password, "{file:?}");
        }
        assert!(read(b"\xff").is_err());
        assert!(Source::File(Path::new("/dev/zero")).read_secret().is_err());
    }

    #[test]
    fn a_limit_is_exact() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"12345").unwrap();
        assert!(Source::File(file.path()).read(4).is_err());
        assert_eq!(Source::File(file.path()).read(5).unwrap().as_slice(), b"12345");
    }
}
