//! The decoder of an event stream, which takes any pieces (HTML Living Standard, "Server-sent events").

use std::time::Duration;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::policy::Policy;

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

/// The name of the field that holds the data, as it begins a line.
const DATA: &[u8] = b"data: ";

/// The byte order mark that a stream may begin with.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The limits of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum length of an event's data in bytes, on any number of lines. Default: 32 MiB, like that of a body.
    pub event: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::of(&Policy::default())
    }
}

impl Limits {
    /// The limits of a service with this policy: an event is as long as a body may be.
    pub fn of(policy: &Policy) -> Limits {
        Limits { event: policy.body_limit }
    }

    /// Sets [`event`](Limits#structfield.event).
    #[must_use]
    pub fn event(mut self, event: usize) -> Limits {
        self.event = event;
        self
    }

    /// Maximum length of a line: one line may hold all data of an event.
    fn line(&self) -> usize {
        self.event.saturating_add(BOM.len() + DATA.len())
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
    /// [`ErrorKind::TooLarge`] for an event over the limit. The stream must then be closed.
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
        if self.line.len() + bytes.len() > self.limits.line() {
            return Err(self.too_large());
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn too_large(&self) -> Error {
        Error::new(ErrorKind::TooLarge { limit: self.limits.event })
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
        let line = if self.begun { line } else { line.strip_prefix(BOM).unwrap_or(line) };
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
                let separator = usize::from(self.has_data);
                if self.data.len() + separator + value.len() > self.limits.event {
                    return Err(self.too_large());
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
    fn the_data_of_an_event_have_a_limit_on_one_line_and_on_several() {
        let limits = Limits::default().event(9);
        for stream in ["data: 012345678\n\n", "\u{feff}data: 012345678\n\n", "data:0123\ndata:4567\n\n"] {
            let events = Decoder::new(limits).push(stream.as_bytes()).unwrap();
            assert_eq!(events[0].data.len(), 9, "{stream:?}");
        }
        let endless = format!("data: {}", "0".repeat(13));
        for stream in ["data:0123456789\n\n", "data:0123\ndata:45678\n\n", &endless] {
            let error = Decoder::new(limits).push(stream.as_bytes()).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::TooLarge { limit: 9 }, "{stream:?}");
        }
    }
}
