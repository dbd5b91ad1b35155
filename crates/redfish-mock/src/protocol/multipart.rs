//! A reader of `multipart/form-data` bodies that takes them in chunks (RFC 7578; RFC 2046, section 5.1).
//!
//! ```text
//!  preamble ──► delimiter ──┬──► head of a part ──► content ──┐
//!                  ▲        └──► epilogue: no more parts      │
//!                  └──────────────────────────────────────────┘
//! ```
//!
//! The content of a part is passed on as it arrives. Only the head of a part is kept.

/// The maximum length of a boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// The maximum size of the head of a part in bytes. A longer one is not a part, and ends the reading.
const MAX_HEAD: usize = 16 << 10;
/// What ends the head of a part.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Returns the boundary of a `Content-Type` of `multipart/form-data`.
pub(crate) fn boundary(media_type: &str) -> Option<String> {
    let (essence, parameters) = media_type.split_once(';')?;
    let is_form = essence.trim().eq_ignore_ascii_case("multipart/form-data");
    parameter(parameters, "boundary")
        .filter(|boundary| is_form && (1..=MAX_BOUNDARY).contains(&boundary.len()))
}

/// What a reader finds in a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A part begins. This is the name in its `Content-Disposition`, which may be empty.
    Part(&'a str),
    /// Bytes of the content of the current part.
    Content(&'a [u8]),
    /// The current part is complete.
    End,
}

/// A reader of the parts of a body.
pub(crate) struct Multipart {
    /// What separates the parts: a line break, two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// How many bytes of the delimiter the last bytes are.
    matched: usize,
    /// How many of these bytes are not content: the line break of a head, or one before the start of the body.
    borrowed: usize,
    position: Position,
}

/// The position in the body.
enum Position {
    /// Before the first delimiter.
    Preamble,
    /// After a delimiter, which may be followed by `--`, or by white space and a line break.
    Delimiter { follows: Follows },
    /// In the head of a part. It starts with the line break of the delimiter, so that an empty head ends, too.
    Head { head: Vec<u8> },
    /// In the content of a part.
    Content,
    /// After the last part, or after something that is not a part.
    Epilogue,
}

/// The last byte after a delimiter.
#[derive(Clone, Copy)]
enum Follows {
    Delimiter,
    Hyphen,
    Space,
    Return,
}

impl Multipart {
    pub(crate) fn new(boundary: &str) -> Multipart {
        // The first delimiter may be at the start of the body, without the line break.
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        Multipart { delimiter, matched: 2, borrowed: 2, position: Position::Preamble }
    }

    /// Reads the next bytes of the body.
    pub(crate) fn push(&mut self, mut chunk: &[u8], found: &mut impl FnMut(Piece<'_>)) {
        while let Some(&byte) = chunk.first() {
            chunk = match &mut self.position {
                Position::Preamble => self.search(chunk, &mut |_| {}),
                Position::Content => self.search(chunk, found),
                Position::Epilogue => return,
                Position::Delimiter { follows } => {
                    let next = match (*follows, byte) {
                        (Follows::Delimiter, b'-') => Some(Follows::Hyphen),
                        (Follows::Delimiter | Follows::Space, b' ' | b'\t') => Some(Follows::Space),
                        (Follows::Delimiter | Follows::Space, b'\r') => Some(Follows::Return),
                        _ => None,
                    };
                    self.position = match (next, *follows, byte) {
                        (Some(follows), ..) => Position::Delimiter { follows },
                        (None, Follows::Return, b'\n') => Position::Head { head: b"\r\n".to_vec() },
                        _ => Position::Epilogue,
                    };
                    &chunk[1..]
                }
                Position::Head { head } => {
                    head.push(byte);
                    if head.ends_with(END_OF_HEAD) {
                        found(Piece::Part(&name(head)));
                        // The line break before a delimiter can be that of the head: the content is empty then.
                        (self.matched, self.borrowed) = (2, 2);
                        self.position = Position::Content;
                    } else if head.ends_with(&self.delimiter) {
                        self.position = Position::Delimiter { follows: Follows::Delimiter };
                    } else if head.len() > MAX_HEAD {
                        self.position = Position::Epilogue;
                    }
                    &chunk[1..]
                }
            };
        }
    }

    /// Searches the delimiter. Passes on what is not part of it, and returns what follows.
    fn search<'a>(&mut self, chunk: &'a [u8], found: &mut impl FnMut(Piece<'_>)) -> &'a [u8] {
        let mut rest = chunk;
        loop {
            if self.matched == 0 {
                // The delimiter starts with the only `\r` in it.
                let at = rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len());
                let (content, from) = rest.split_at(at);
                if !content.is_empty() {
                    found(Piece::Content(content));
                }
                rest = from;
            }
            let Some(&byte) = rest.first() else { return rest };
            if byte == self.delimiter[self.matched] {
                self.matched += 1;
                rest = &rest[1..];
                if self.matched == self.delimiter.len() {
                    (self.matched, self.borrowed) = (0, 0);
                    if matches!(self.position, Position::Content) {
                        found(Piece::End);
                    }
                    self.position = Position::Delimiter { follows: Follows::Delimiter };
                    return rest;
                }
            } else {
                // What looked like a delimiter was content.
                let content = &self.delimiter[self.borrowed..self.matched];
                if !content.is_empty() {
                    found(Piece::Content(content));
                }
                (self.matched, self.borrowed) = (0, 0);
            }
        }
    }
}

/// The name in the `Content-Disposition` of the head of a part. Empty if it has none.
fn name(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("Content-Disposition").then_some(value)
    });
    let parameters = disposition.and_then(|value| Some(value.split_once(';')?.1));
    parameters.and_then(|parameters| parameter(parameters, "name")).unwrap_or_default()
}

/// The value of a parameter of a header: a token, or a quoted string, which may contain semicolons.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    while !rest.is_empty() {
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let (name, from) = rest.split_at(end);
        let Some(value) = from.strip_prefix('=') else {
            rest = from.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let (value, following) = value_of(value.trim_start());
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = following;
    }
    None
}

/// Splits a value from the parameters that follow it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, following) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), following);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted[at + 1..].split_once(';').map_or("", |(_, following)| following)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complete parts of a body that arrives in these chunks.
    fn parts<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, boundary: &str) -> Vec<(String, Vec<u8>)> {
        let mut reader = Multipart::new(boundary);
        let (mut parts, mut current) = (Vec::new(), None);
        for chunk in chunks {
            reader.push(chunk, &mut |piece| match piece {
                Piece::Part(name) => current = Some((name.to_owned(), Vec::new())),
                Piece::Content(bytes) => current.as_mut().expect("a part").1.extend_from_slice(bytes),
                Piece::End => parts.extend(current.take()),
            });
        }
        parts
    }

    const BODY: &[u8] = b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--x \t\r\n\
        content-disposition: form-data; filename=\"f; name=\\\"z\\\"\"; name=b\r\nContent-Type: x/y\r\n\r\n\
        1\r\n\r\n--y\r\r\n-\r\n\r\n--x\r\n\r\n--x\r\nContent-Disposition: form-data; name=c\r\n\r\n\r\n--x--\r\n--x\r\n";

    fn expected() -> Vec<(String, Vec<u8>)> {
        let part = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
        vec![part("a", b"{}"), part("b", b"1\r\n\r\n--y\r\r\n-\r\n"), part("", b""), part("c", b"")]
    }

    #[test]
    fn the_boundary_is_read_from_the_content_type() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for (media_type, found) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a; b\"", Some("a; b")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("application/json; boundary=x", None),
            (&long, None),
        ] {
            assert_eq!(boundary(media_type).as_deref(), found, "{media_type}");
        }
    }

    #[test]
    fn parts_are_split_only_at_the_boundary() {
        assert_eq!(parts([BODY], "x"), expected());
        assert_eq!(parts([&BODY[10..]], "x"), expected(), "without a preamble");
        for broken in
            [&BODY[..40], b"", b"--x", b"--x--", b"--x\r\nname=a\r\n--x\r\n", b"--xy\r\n\r\n\r\n--x--"]
        {
            assert_eq!(parts([broken], "x").len(), 0);
        }
    }

    #[test]
    fn every_split_into_three_chunks_gives_the_same_parts() {
        let mut splits = 0;
        for second in 0..=BODY.len() {
            for first in 0..=second {
                let chunks = [&BODY[..first], &BODY[first..second], &BODY[second..]];
                assert_eq!(parts(chunks, "x"), expected(), "{first} {second}");
                splits += 1;
            }
        }
        assert_eq!(parts(BODY.chunks(1), "x"), expected());
        println!("{splits} splits");
    }

    #[test]
    fn a_head_is_not_kept_without_end() {
        let endless = [b"--x\r\n".as_slice(), &[b'a'; MAX_HEAD], b"\r\n\r\n\r\n--x--"].concat();
        assert_eq!(parts(endless.chunks(7), "x").len(), 0);
    }
}
