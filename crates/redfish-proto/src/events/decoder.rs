//! The decoder of an event stream, which takes any pieces (HTML Living Standard, "Server-sent events").

use std::time::Duration;

use crate::error::Error;
use crate::kind::ErrorKind;

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerSentEvent {
    /// The last `id` of the stream, sent with this event or before it. Empty if there was none.
    pub id: String,
    /// Its `event`. Empty if there is none.
    pub event: String,
    /// Its `data`, with lines joined by line feeds.
    pub data: String,
}

/// The limits of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum length of a line in bytes. Default: 1 MiB.
    pub line: usize,
    /// Maximum length of an event's data in bytes. Default: 4 MiB.
    pub event: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { line: 1 << 20, event: 4 << 20 }
    }
}

/// Reads events from a stream in any pieces. Every split gives the same events.
///
/// ```
/// use redfish_proto::events::{Decoder, Limits};
///
/// let mut decoder = Decoder::new(Limits::default());
/// assert!(decoder.push(b"id: 7\r\ndata: {\"Ev")?.is_empty());
/// let events = decoder.push(b"ents\": []}\r\n\r\n: still here\n")?;
/// assert_eq!((events[0].id.as_str(), events[0].data.as_str()), ("7", r#"{"Events": []}"#));
/// # Ok::<(), redfish_proto::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    limits: Limits,
    line: Vec<u8>,
    /// Whether the previous byte was a CR, so that an LF belongs to it.
    after_cr: bool,
    /// Whether a line has ended, after which a byte order mark is not allowed.
    begun: bool,
    id: String,
    /// The `id` of the last complete block: an incomplete one was not received.
    received: String,
    event: String,
    data: String,
    has_data: bool,
    retry: Option<Duration>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Decoder {
        Decoder { limits, ..Decoder::default() }
    }

    /// A decoder at the beginning of a stream that continues after the event with this id.
    pub fn after(limits: Limits, id: &str) -> Decoder {
        Decoder { id: id.to_owned(), received: id.to_owned(), ..Decoder::new(limits) }
    }

    /// Takes the next piece of the stream, and returns the events that it completes.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for a line or an event over its limit. The stream must then be closed.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<ServerSentEvent>, Error> {
        let mut events = Vec::new();
        let mut rest = piece;
        if !piece.is_empty() && std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            self.extend(rest.get(..end).unwrap_or_default())?;
            let is_cr = rest.get(end) == Some(&b'\r');
            rest = rest.get(end + 1..).unwrap_or_default();
            if is_cr {
                match rest.first() {
                    Some(b'\n') => rest = rest.get(1..).unwrap_or_default(),
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.end_line(&mut events)?;
        }
        self.extend(rest)?;
        Ok(events)
    }

    /// The last `id` of a complete block: where to continue after the connection broke.
    pub fn last_id(&self) -> &str {
        &self.received
    }

    /// The wait before the next connection that the stream asked for.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.line.len() + bytes.len() > self.limits.line {
            return Err(Error::new(ErrorKind::TooLarge { limit: self.limits.line }));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<ServerSentEvent>) -> Result<(), Error> {
        let mut line = std::mem::take(&mut self.line);
        let read = self.read_line(&line, events);
        // The next line reuses the buffer.
        line.clear();
        self.line = line;
        read
    }

    fn read_line(&mut self, line: &[u8], events: &mut Vec<ServerSentEvent>) -> Result<(), Error> {
        let line = if self.begun { line } else { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) };
        self.begun = true;
        let line = String::from_utf8_lossy(line);
        if line.is_empty() {
            self.received.clone_from(&self.id);
            let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
            if std::mem::take(&mut self.has_data) {
                events.push(ServerSentEvent { id: self.id.clone(), event, data });
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.data.len() + value.len() + 1 > self.limits.event {
                    return Err(Error::new(ErrorKind::TooLarge { limit: self.limits.event }));
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.event),
            // An id that cannot be sent as `Last-Event-ID` is ignored, as the standard requires for one with a NUL.
            "id" if is_header_value(value) => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // A comment, or an unknown field.
            _ => {}
        }
        Ok(())
    }
}

/// Whether a text is valid in a header (RFC 9110, section 5.5). An id is sent back in one, as `Last-Event-ID`.
fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<(String, String, String)> {
        let mut decoder = Decoder::new(Limits::default());
        let events = pieces.iter().flat_map(|piece| decoder.push(piece).unwrap());
        events.map(|e| (e.id, e.event, e.data)).collect()
    }

    #[test]
    fn the_forms_of_the_standard_are_read() {
        let event = |id: &str, event: &str, data: &str| (id.to_owned(), event.to_owned(), data.to_owned());
        for (stream, expected) in [
            ("data: a\n\n", vec![event("", "", "a")]),
            ("data:a\r\rdata: b\r\n\r\n", vec![event("", "", "a"), event("", "", "b")]),
            ("\u{feff}data: a\n\n", vec![event("", "", "a")]),
            (": comment\n\ndata: a\ndata:  b\n\n", vec![event("", "", "a\n b")]),
            ("id: 1\nevent: x\ndata: a\n\ndata: b\n\n", vec![event("1", "x", "a"), event("1", "", "b")]),
            ("data\n\n", vec![event("", "", "")]),
            ("data\ndata\n\n", vec![event("", "", "\n")]),
            ("event: x\n\ndata: a\n\n", vec![event("", "", "a")]),
            ("id: 1\nid\ndata: a\n\n", vec![event("", "", "a")]),
            ("id: 1\0\ndata: a\n\n", vec![event("", "", "a")]),
            ("id: 1\nid: \u{1b}2\ndata: a\n\n", vec![event("1", "", "a")]),
            ("id: \u{e4}\ndata: a\n\n", vec![event("\u{e4}", "", "a")]),
            ("data: a\n", vec![]),
            ("nonsense: a\nDATA: a\n\n", vec![]),
        ] {
            assert_eq!(decode(&[stream.as_bytes()]), expected, "{stream:?}");
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            assert_eq!(decode(&bytes), expected, "{stream:?} by the byte");
            let empty: Vec<&[u8]> = bytes.iter().flat_map(|byte| [*byte, b""]).collect();
            assert_eq!(decode(&empty), expected, "{stream:?} with empty pieces");
        }
    }

    #[test]
    fn retry_is_only_milliseconds() {
        let mut decoder = Decoder::new(Limits::default());
        decoder.push(b"retry: 1500\nretry: 1.5\nretry: -1\nretry\n").unwrap();
        assert_eq!(decoder.retry(), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn an_id_counts_when_its_block_is_complete() {
        let mut decoder = Decoder::after(Limits::default(), "1");
        for (piece, last) in
            [("id: 2\ndata: a\n", "1"), ("\n", "2"), ("id: 3\n", "2"), ("\n", "3"), ("data: b\n\n", "3")]
        {
            decoder.push(piece.as_bytes()).unwrap();
            assert_eq!(decoder.last_id(), last, "{piece:?}");
        }
    }

    #[test]
    fn a_line_and_an_event_have_limits() {
        let limits = Limits { line: 10, event: 10 };
        assert!(Decoder::new(limits).push(b"data: 0123").is_ok());
        assert!(Decoder::new(limits).push(b"data: 01234").is_err());
        assert!(Decoder::new(limits).push(b"data:0123\ndata:012\n").is_ok());
        assert!(Decoder::new(limits).push(b"data:01234\ndata:01234\n").is_err());
    }
}
