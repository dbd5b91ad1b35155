//! What the service sent, on its way to standard output: byte for byte, or indented for a person.

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// What some services write before their JSON: the byte order mark of UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// JSON with a line for each member. Order, numbers and strings stay as they came; a body that is not JSON stays whole.
pub(crate) fn indented(body: &[u8]) -> Vec<u8> {
    if serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return body.to_vec();
    }
    let mut shown = Vec::with_capacity(body.len() * 2);
    let mut depth = 0;
    let mut rest = body.iter().copied().peekable();
    let line = |shown: &mut Vec<u8>, depth: usize| {
        shown.push(b'\n');
        shown.resize(shown.len() + 2 * depth, b' ');
    };
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                shown.push(byte);
                let mut escaped = false;
                for byte in rest.by_ref() {
                    shown.push(byte);
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => {
                while rest.next_if(u8::is_ascii_whitespace).is_some() {}
                shown.push(byte);
                match rest.next_if(|next| *next == byte + 2) {
                    Some(end) => shown.push(end),
                    None => {
                        depth += 1;
                        line(&mut shown, depth);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut shown, depth);
                shown.push(byte);
            }
            b',' => {
                shown.push(byte);
                line(&mut shown, depth);
            }
            b':' => shown.extend(b": "),
            byte if byte.is_ascii_whitespace() => {}
            byte => shown.push(byte),
        }
    }
    shown
}

/// JSON on one line: without the space between its parts, and otherwise as it came.
pub(crate) fn compact(body: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(body.len());
    let (mut quoted, mut escaped) = (false, false);
    for &byte in body {
        if quoted || !byte.is_ascii_whitespace() {
            shown.push(byte);
        }
        quoted = match byte {
            b'"' if !escaped => !quoted,
            _ => quoted,
        };
        escaped = quoted && byte == b'\\' && !escaped;
    }
    shown
}

/// A body as a part of another document: JSON as it came, on one line; anything else as a JSON string. So is what a reader of
/// the whole would stop at: a number that no computer holds, half of a surrogate pair, or nesting deeper than `depth`.
pub(crate) fn value(body: &[u8], depth: usize) -> Box<RawValue> {
    let text = String::from_utf8_lossy(body.strip_prefix(MARK).unwrap_or(body));
    // White space between two values makes one of them: what is not JSON is not compacted.
    let is_document = nesting(&text) <= depth && serde_json::from_str::<Value>(&text).is_ok();
    let document = is_document.then(|| String::from_utf8(compact(text.as_bytes())).ok()).flatten();
    document
        .and_then(|document| RawValue::from_string(document).ok())
        .or_else(|| to_raw_value(&text).ok())
        .unwrap_or_else(|| RawValue::NULL.to_owned())
}

/// How deep JSON is nested.
fn nesting(document: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in document.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_indented_and_otherwise_as_it_came() {
        let body = br#"{"b":[1.50,{ },[ ]],"a":"x: {\"y\", \\","n":null}"#;
        let expected = "{\n  \"b\": [\n    1.50,\n    {},\n    []\n  ],\n  \"a\": \"x: {\\\"y\\\", \\\\\",\n  \"n\": null\n}";
        assert_eq!(String::from_utf8(indented(body)).unwrap(), expected);
        assert_eq!(indented(b"<html> {"), b"<html> {");
        assert_eq!(indented(b""), b"");
    }

    #[test]
    fn what_is_not_json_is_a_text_and_no_other_json() {
        for body in ["[1 2]", "{\"a\": tr ue}", "1 2"] {
            assert_eq!(value(body.as_bytes(), 10).get(), serde_json::to_string(body).unwrap());
        }
    }

    #[test]
    fn a_document_is_one_line_and_otherwise_as_it_came() {
        for (body, expected) in [
            ("{ \"b\" : [ 1.50,\r\n\t9007199254740993 ] }", r#"{"b":[1.50,9007199254740993]}"#),
            (r#"{"a": "x  \"y  z\" \\", "b": " " }"#, r#"{"a":"x  \"y  z\" \\","b":" "}"#),
        ] {
            assert_eq!(String::from_utf8(compact(body.as_bytes())).unwrap(), expected);
        }
    }

    #[test]
    fn a_part_of_another_document_is_one_whatever_came() {
        for (body, expected) in [
            (&b"{ \"b\": 9007199254740993.10,\n\"a\": [] }"[..], r#"{"b":9007199254740993.10,"a":[]}"#),
            (b"\xef\xbb\xbf{}", "{}"),
            (b"<p>\n \"x\"", r#""<p>\n \"x\"""#),
            (b"{\"a\": \"\n\"}", r#""{\"a\": \"\n\"}""#),
            (b"\xff", "\"\u{fffd}\""),
            (b"", "\"\""),
            (br#"[1e999]"#, r#""[1e999]""#),
            (br#"["\ud800"]"#, r#""[\"\\ud800\"]""#),
            (br#"[[[[[[[["[\"["]]]]]]]]"#, r#"[[[[[[[["[\"["]]]]]]]]"#),
            (br#"[[[[[[[[[]]]]]]]]]"#, r#""[[[[[[[[[]]]]]]]]]""#),
        ] {
            assert_eq!(value(body, 8).get(), expected);
        }
    }
}
