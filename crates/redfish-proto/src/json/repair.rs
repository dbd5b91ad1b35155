//! Makes readable what a strict parser refuses: a bad byte in a string costs that byte, not the resource.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::{is_json, strip_bom};

/// Maximum nesting of a body that is repaired. Any parser refuses more.
const MAX_DEPTH: usize = 200;

/// Maximum number of documents in a body that is repaired.
const MAX_DOCUMENTS: usize = 100;

/// A body that can be read after small corrections.
#[derive(Clone, Debug)]
pub(crate) struct Repaired {
    /// The documents before the last one, which is the data.
    pub(crate) earlier: Vec<Bytes>,
    /// The last document.
    pub(crate) text: Bytes,
    pub(crate) flaws: Flaws,
}

/// What is wrong with a body that can be read nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flaws {
    /// Number of places that are not UTF-8. Each reads as U+FFFD.
    pub invalid_bytes: usize,
    /// Number of control characters in strings that are not escaped, or at the end.
    pub control_characters: usize,
    /// Number of values that no JSON parser represents: half of a surrogate pair, which reads as U+FFFD, a backslash that
    /// begins no escape, which reads as itself, or a number out of range, which reads as a string.
    pub unrepresentable: usize,
    /// Number of members whose name occurs again in the same object. The last one counts.
    pub duplicates: usize,
    /// Number of documents before the last one, which is the data.
    pub earlier_documents: usize,
}

impl Flaws {
    /// What is wrong with a body. Nothing, if it is not JSON at all.
    pub fn of(body: &[u8]) -> Flaws {
        let repaired = repair(body).filter(|repaired| is_json(&repaired.text));
        repaired.map(|repaired| repaired.flaws).unwrap_or_default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Flaws::default()
    }
}

impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.invalid_bytes, "not UTF-8"),
            (self.control_characters, "a control character"),
            (self.unrepresentable, "a number or an escape that is not valid"),
            (self.duplicates, "a member that occurs again"),
            (self.earlier_documents, "a document before the last one"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(
                |(count, what)| {
                    if *count > 1 { format!("{what} ({count} times)") } else { (*what).to_owned() }
                },
            )
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// Repairs a body. `None` if there is nothing to repair; then the error of the strict parser is the whole truth.
pub(crate) fn repair(body: &[u8]) -> Option<Repaired> {
    let mut flaws = Flaws::default();
    let body = strip_bom(body);
    // Some services send the end of their C strings, too.
    let text_end = body.iter().rposition(|b| *b != 0 && !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let (body, rest) = body.split_at_checked(text_end).unwrap_or((body, &[]));
    flaws.control_characters += usize::from(rest.contains(&0));
    flaws.invalid_bytes = body.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let text = correct_values(&String::from_utf8_lossy(body), &mut flaws);
    let mut structure = Structure::of(&text)?;
    flaws.duplicates = structure.repeated.len();
    flaws.earlier_documents = structure.documents.len().saturating_sub(1);
    if flaws.is_empty() {
        return None;
    }
    structure.repeated.sort_unstable_by_key(|range| range.start);
    let last = structure.documents.pop().unwrap_or(0);
    let starts = structure.documents;
    let ends = starts.iter().copied().skip(1).chain([last]);
    let earlier =
        starts.iter().copied().zip(ends).map(|(start, end)| without(&text, start..end, &structure.repeated));
    Some(Repaired {
        earlier: earlier.collect(),
        text: without(&text, last..text.len(), &structure.repeated),
        flaws,
    })
}

/// A part of a text without these ranges, which are sorted and may be nested.
fn without(text: &str, part: Range<usize>, ranges: &[Range<usize>]) -> Bytes {
    let mut kept = Vec::with_capacity(part.len());
    let mut at = part.start;
    for range in ranges.iter().filter(|range| part.contains(&range.start)) {
        if range.start >= at {
            kept.extend_from_slice(text.get(at..range.start).unwrap_or_default().as_bytes());
            at = range.end;
        }
    }
    kept.extend_from_slice(text.get(at..part.end).unwrap_or_default().as_bytes());
    kept.into()
}

/// Escapes control characters in strings, and replaces values that no parser represents.
fn correct_values(text: &str, flaws: &mut Flaws) -> String {
    let mut corrected = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            '-' | '0'..='9' => rest
                .find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
                .unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match c {
            '"' => correct_string(token, &mut corrected, flaws),
            '-' | '0'..='9' if token.parse().is_ok_and(f64::is_infinite) => {
                flaws.unrepresentable += 1;
                corrected.push_str(&format!("\"{token}\""));
            }
            _ => corrected.push_str(token),
        }
        rest = after;
    }
    corrected
}

/// The length of the string at the start of a text, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

fn correct_string(quoted: &str, corrected: &mut String, flaws: &mut Flaws) {
    let mut rest = quoted;
    while let Some(c) = rest.chars().next() {
        let (length, escape) = if c == '\\' { escape(rest) } else { (c.len_utf8(), Escape::Valid) };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if c < ' ' {
            flaws.control_characters += 1;
            corrected.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            flaws.unrepresentable += usize::from(escape != Escape::Valid);
            corrected.push_str(match escape {
                Escape::Valid => token,
                Escape::HalfPair => "\\ufffd",
                Escape::Unknown => "\\\\",
            });
        }
        rest = after;
    }
}

/// An escape in a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Valid,
    /// One half of a surrogate pair without the other.
    HalfPair,
    /// A backslash that begins no escape, as in `C:\dell`.
    Unknown,
}

/// The length of the escape at the start of a text, and what it is.
fn escape(text: &str) -> (usize, Escape) {
    match (utf16_unit(text), text.chars().nth(1)) {
        (Some(0xD800..=0xDBFF), _) if matches!(text.get(6..).and_then(utf16_unit), Some(0xDC00..=0xDFFF)) => {
            (12, Escape::Valid)
        }
        (Some(0xD800..=0xDFFF), _) => (6, Escape::HalfPair),
        (Some(_), _) | (_, Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => (2, Escape::Valid),
        // The string does not end.
        (None, None) => (1, Escape::Valid),
        _ => (1, Escape::Unknown),
    }
}

/// The code unit of an escape such as `\u00e4`.
fn utf16_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The parts of a text that a repair needs to know.
#[derive(Default)]
struct Structure {
    /// The members whose name occurs again in the same object, with the comma that follows.
    repeated: Vec<Range<usize>>,
    /// Where each top-level object or array begins.
    documents: Vec<usize>,
}

/// An object or array that has begun.
enum Level<'a> {
    Array,
    Object {
        /// The members so far: where each is.
        members: HashMap<Cow<'a, str>, Range<usize>>,
        /// The current member: its name, and where it begins.
        current: Option<(Cow<'a, str>, usize)>,
    },
}

impl Structure {
    /// `None` for a text that no parser reads.
    fn of(text: &str) -> Option<Structure> {
        let mut structure = Structure::default();
        let mut levels: Vec<Level<'_>> = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            let mut length = 1;
            match byte {
                b'"' => {
                    let string = text.get(at..).unwrap_or_default();
                    length = string_length(string);
                    if let Some(Level::Object { current: current @ None, .. }) = levels.last_mut() {
                        *current = Some((name(string.get(..length).unwrap_or_default()), at));
                    }
                }
                b'{' | b'[' => {
                    if levels.is_empty() {
                        structure.documents.push(at);
                    }
                    if levels.len() >= MAX_DEPTH || structure.documents.len() > MAX_DOCUMENTS {
                        return None;
                    }
                    levels.push(match byte {
                        b'{' => Level::Object { members: HashMap::new(), current: None },
                        _ => Level::Array,
                    });
                }
                b',' => structure.end_member(levels.last_mut(), at + 1),
                b'}' | b']' => {
                    structure.end_member(levels.last_mut(), at);
                    levels.pop();
                }
                _ => {}
            }
            at += length;
        }
        Some(structure)
    }

    /// Ends the current member of an object. An earlier one of the same name is repeated.
    fn end_member(&mut self, level: Option<&mut Level<'_>>, end: usize) {
        let Some(Level::Object { members, current }) = level else { return };
        let Some((name, start)) = current.take() else { return };
        self.repeated.extend(members.insert(name, start..end));
    }
}

/// The name of a member, without quotes and escapes.
fn name(quoted: &str) -> Cow<'_, str> {
    let plain = quoted.trim_matches('"');
    if plain.contains('\\') {
        serde_json::from_str(quoted).map_or(Cow::Borrowed(plain), Cow::Owned)
    } else {
        Cow::Borrowed(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_strict_parser_refuses_is_repaired() {
        let flaws = |change: fn(&mut Flaws)| {
            let mut flaws = Flaws::default();
            change(&mut flaws);
            flaws
        };
        for (body, repaired, found) in [
            (&b"{\"a\": \"\xff\xff\"}"[..], "{\"a\": \"\u{fffd}\u{fffd}\"}", flaws(|f| f.invalid_bytes = 2)),
            (b"{\"a\": \"x\ty\n\"}", r#"{"a": "x\u0009y\u000a"}"#, flaws(|f| f.control_characters = 2)),
            // White space between values is none in a string.
            (b"{\"a\": 1}\0\0", "{\"a\": 1}", flaws(|f| f.control_characters = 1)),
            (b"{\"a\": 1}\0\r\n", "{\"a\": 1}", flaws(|f| f.control_characters = 1)),
            (
                br#"{"a": "C:\dell\\b\"\u12"}"#,
                r#"{"a": "C:\\dell\\b\"\\u12"}"#,
                flaws(|f| f.unrepresentable = 2),
            ),
            (b"{\"a\":\t\"\x01\"}", "{\"a\":\t\"\\u0001\"}", flaws(|f| f.control_characters = 1)),
            (br#"{"a": 1, "b": 2, "a": 3}"#, r#"{ "b": 2, "a": 3}"#, flaws(|f| f.duplicates = 1)),
            (br#"{"a": 1, "\u0061": 3, "a":4}"#, r#"{  "a":4}"#, flaws(|f| f.duplicates = 2)),
            (
                br#"{"x": {"a": {"b": 1, "b": 2}, "a": [{"c": 1, "c": 2}]}}"#,
                r#"{"x": { "a": [{ "c": 2}]}}"#,
                flaws(|f| f.duplicates = 3),
            ),
            (
                br#"{"a": "x\ud83dy\ude00\ud83d\ude00"}"#,
                r#"{"a": "x\ufffdy\ufffd\ud83d\ude00"}"#,
                flaws(|f| f.unrepresentable = 2),
            ),
            (
                br#"{"a": 1e999, "b": "1e999"}"#,
                r#"{"a": "1e999", "b": "1e999"}"#,
                flaws(|f| f.unrepresentable = 1),
            ),
            (br#"{"error": {}} {"Id": "1"}"#, r#"{"Id": "1"}"#, flaws(|f| f.earlier_documents = 1)),
            (b"\xef\xbb\xbf{\"a\": 1, \"a\": 2}", r#"{ "a": 2}"#, flaws(|f| f.duplicates = 1)),
        ] {
            let found_repair = repair(body).unwrap();
            assert_eq!(std::str::from_utf8(&found_repair.text).unwrap(), repaired);
            assert_eq!(found_repair.flaws, found, "{repaired}");
            assert!(serde_json::from_slice::<serde_json::Value>(&found_repair.text).is_ok(), "{repaired}");
        }
        assert_eq!(
            repair(br#"{"error": {}} [1]{"Id": "1"}"#).unwrap().earlier,
            [&br#"{"error": {}} "#[..], b"[1]"]
        );
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        for body in [
            "",
            "{",
            "<html>",
            "{\"a\": nope}",
            "nan",
            "{\"a\": \"b",
            r#"{"a\"#,
            "{\"a\": 1}",
            "]}",
            "\"a\" 7",
        ] {
            assert!(repair(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn flaws_are_described() {
        let flaws = Flaws { invalid_bytes: 1, duplicates: 2, ..Flaws::default() };
        assert_eq!(flaws.to_string(), "not UTF-8, a member that occurs again (2 times)");
    }
}
