//! The prompt for a password on the terminal, without echo.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Maximum length of a line, as in a terminal of Linux, in bytes.
const MAX_LINE: usize = 4096;

/// The terminal and its original settings during the prompt.
static PROMPTING: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Prints the prompt and reads a line. Echo is off before the prompt appears, for users who type ahead.
pub(crate) fn password(text: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let original = tcgetattr(&terminal)?;
    let mut no_echo = original.clone();
    no_echo.local_modes.remove(LocalModes::ECHO);
    // Echoes only the newline, so that the next output starts on a new line.
    no_echo.local_modes.insert(LocalModes::ECHONL);
    *prompting() = Some((terminal.try_clone()?, original));
    let line = tcsetattr(&terminal, OptionalActions::Flush, &no_echo)
        .map_err(io::Error::from)
        .and_then(|()| terminal.write_all(text.as_bytes()))
        .and_then(|()| read_line(&mut terminal));
    restore();
    line
}

/// Restores the settings of the terminal. Also called by a signal during the prompt.
pub(crate) fn restore() {
    if let Some((terminal, original)) = prompting().take() {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &original);
    }
}

fn prompting() -> MutexGuard<'static, Option<(File, Termios)>> {
    PROMPTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a line without its newline, into a buffer that does not move.
fn read_line(source: &mut impl Read) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    let mut byte = Zeroizing::new([0]);
    while line.len() < MAX_LINE {
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
    fn one_line_is_read_without_its_newline() {
        let mut source = &b"p\xc3\xa4ss \nrest"[..];
        assert_eq!(read_line(&mut source).unwrap().as_str(), "päss ");
        assert_eq!(source, b"rest");
        assert!(read_line(&mut &b""[..]).is_err());
        assert!(read_line(&mut &b"\xff\n"[..]).is_err());
    }
}
