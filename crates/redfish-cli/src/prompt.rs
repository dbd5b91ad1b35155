//! Asking for a password on the terminal, without showing what is typed.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest line that a terminal gives.
const LONGEST: usize = 4096;

/// The terminal, and how it was, while a password is typed.
static HIDING: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Asks, and reads a line. It is hidden before the question is shown: some type fast.
pub(crate) fn password(question: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let shown = tcgetattr(&terminal)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    // The line end alone, so that what comes next begins a line of its own.
    hidden.local_modes.insert(LocalModes::ECHONL);
    *hiding() = Some((terminal.try_clone()?, shown));
    let line = tcsetattr(&terminal, OptionalActions::Flush, &hidden)
        .map_err(io::Error::from)
        .and_then(|()| terminal.write_all(question.as_bytes()))
        .and_then(|()| read_line(&mut terminal));
    restore();
    line
}

/// Makes the terminal what it was. For a signal, which ends the command in the middle of the question.
pub(crate) fn restore() {
    if let Some((terminal, shown)) = hiding().take() {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &shown);
    }
}

fn hiding() -> MutexGuard<'static, Option<(File, Termios)>> {
    HIDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line without its end, in memory that does not move.
fn read_line(source: &mut impl Read) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while line.len() < LONGEST {
        match source.read(&mut *byte) {
            Ok(0) if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_to_its_end() {
        let mut source = &b"p\xc3\xa4ss \nrest"[..];
        assert_eq!(read_line(&mut source).unwrap().as_str(), "päss ");
        assert_eq!(source, b"rest");
        assert!(read_line(&mut &b""[..]).is_err());
        assert!(read_line(&mut &b"\xff\n"[..]).is_err());
    }
}
