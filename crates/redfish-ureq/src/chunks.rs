//! Checks the framing of a chunked body while it arrives (RFC 9112, section 7.1).
//!
//! ureq reads up to the end of the line with the size of a chunk before it looks at the line. A body that is not chunked,
//! although its head says so, often has no such line: the read would end at the timeout, or in the end of the connection.

use std::error::Error as StdError;
use std::{fmt, io};

/// The check of one response after the other.
#[derive(Debug, Default)]
pub(crate) struct ChunkCheck {
    state: State,
    /// The size of the current chunk, or what is left of it.
    size: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the end of the head.
    #[default]
    Head,
    /// Before the first digit of a size.
    Size,
    Digits,
    /// White space after the digits.
    Blank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// After the last chunk, or in a body that is not to be checked.
    Unchecked,
    Invalid,
}

impl ChunkCheck {
    /// Takes what has arrived: `amount` bytes at the end of the input that ureq has not consumed.
    pub(crate) fn push(&mut self, input: &[u8], amount: usize) {
        let mut rest = &input[input.len() - amount..];
        if self.state == State::Head {
            // A head is not consumed before it is complete.
            rest = self.skip_heads(input);
        }
        while let Some((byte, after)) = rest.split_first() {
            match self.state {
                State::Head | State::Unchecked | State::Invalid => return,
                State::Data => {
                    let skipped = rest.len().min(usize::try_from(self.size).unwrap_or(usize::MAX));
                    self.size -= skipped as u64;
                    rest = &rest[skipped..];
                    if self.size == 0 {
                        self.state = State::DataCr;
                    }
                    continue;
                }
                state => self.state = self.next(state, *byte),
            }
            rest = after;
        }
    }

    /// Returns an error if the body is not chunked. ureq must have seen the head by then, whose status counts.
    ///
    /// # Errors
    /// An I/O error with [`NotChunked`].
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.state {
            State::Invalid => Err(io::Error::new(io::ErrorKind::InvalidData, NotChunked)),
            _ => Ok(()),
        }
    }

    /// Skips interim responses and the head of the final one, and returns the beginning of its body.
    fn skip_heads<'a>(&mut self, mut input: &'a [u8]) -> &'a [u8] {
        const END: &[u8] = b"\r\n\r\n";
        while let Some(end) = input.windows(END.len()).position(|bytes| bytes == END) {
            let (head, rest) = input.split_at(end + END.len());
            input = rest;
            let head = String::from_utf8_lossy(head).to_ascii_lowercase();
            let is_interim = head.split(' ').nth(1).is_some_and(|status| status.starts_with('1'));
            if !is_interim {
                self.state = if is_chunked(&head) { State::Size } else { State::Unchecked };
                return input;
            }
        }
        &[]
    }

    /// Returns the state after a byte outside of the data.
    fn next(&mut self, state: State, byte: u8) -> State {
        let digit = char::from(byte).to_digit(16);
        match (state, byte, digit) {
            (State::Size, _, Some(digit)) => {
                self.size = u64::from(digit);
                State::Digits
            }
            (State::Digits, _, Some(digit)) => {
                let larger = self.size.checked_mul(16).and_then(|size| size.checked_add(u64::from(digit)));
                self.size = larger.unwrap_or_default();
                if larger.is_some() { State::Digits } else { State::Invalid }
            }
            (State::Digits | State::Blank, b' ' | b'\t', _) => State::Blank,
            (State::Digits | State::Blank, b';', _) => State::Extension,
            (State::Digits | State::Blank | State::Extension, b'\r', _) => State::SizeLf,
            (State::Extension, _, _) => State::Extension,
            (State::SizeLf, b'\n', _) if self.size == 0 => State::Unchecked,
            (State::SizeLf, b'\n', _) => State::Data,
            (State::DataCr, b'\r', _) => State::DataLf,
            (State::DataLf, b'\n', _) => State::Size,
            _ => State::Invalid,
        }
    }
}

/// Whether the last transfer coding of a head in lower case is `chunked`.
fn is_chunked(head: &str) -> bool {
    let mut codings = head.lines().filter_map(|line| line.strip_prefix("transfer-encoding:"));
    codings.next_back().is_some_and(|codings| codings.trim_end().ends_with("chunked"))
}

/// The body is not chunked, although its head says so.
#[derive(Debug)]
pub(crate) struct NotChunked;

impl fmt::Display for NotChunked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the size of a chunk is not valid")
    }
}

impl StdError for NotChunked {}

impl NotChunked {
    /// Whether `error` wraps this error.
    pub(crate) fn is_cause_of(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|cause| cause.is::<NotChunked>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";

    /// Whether the response is valid, if it arrives in pieces of this size and ureq consumes complete heads.
    fn is_valid(response: &str, piece: usize) -> bool {
        let mut check = ChunkCheck::default();
        let mut input = Vec::new();
        for piece in response.as_bytes().chunks(piece) {
            input.extend_from_slice(piece);
            check.push(&input, piece.len());
            if check.state != State::Head {
                input.clear();
            }
        }
        check.check().is_ok()
    }

    #[test]
    fn only_a_size_can_be_invalid() {
        for (body, valid) in [
            ("", true),
            ("2\r\n{}\r\n0\r\n\r\n", true),
            ("2 \t\r\n{}\r\n0\r\n\r\n", true),
            ("0a; name=\"value\"\r\n0123456789\r\n0\r\nX-Trailer: {}\r\n\r\n", true),
            ("2\r\n\r\n\r\n2\r\nzz", true),
            ("{\"a\": 1}", false),
            ("\r\n{}", false),
            ("2\n{}\n", false),
            ("2\r\n{}2\r\n", false),
            ("2\r\n{}\r\nx", false),
            ("-2\r\n{}", false),
            ("1 2", false),
            ("ffffffffffffffff\r\n", true),
            ("10000000000000000\r\n", false),
        ] {
            for piece in [1, 2, 7, 1000] {
                assert_eq!(is_valid(&format!("{HEAD}{body}"), piece), valid, "{body:?} by {piece}");
                let interim = format!("HTTP/1.1 100 Continue\r\n\r\n{HEAD}{body}");
                assert_eq!(is_valid(&interim, piece), valid, "{body:?} by {piece}, after 100");
            }
        }
    }

    #[test]
    fn another_body_is_not_checked() {
        for headers in ["Content-Length: 2\r\n", "Transfer-Encoding: gzip\r\n", "X-Chunked: chunked\r\n"] {
            assert!(is_valid(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n{{}}"), 5), "{headers}");
        }
    }
}
