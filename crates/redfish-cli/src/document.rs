//! A body on its way to standard output: indented, on one line, or as a part of another document.

use redfish_proto::json;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// The byte order mark of UTF-8, which some services send before their JSON.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Indents JSON. Order, numbers and strings do not change, and neither does a body that is not JSON.
pub(crate) fn indented(body: &[u8]) -> Vec<u8> {
    if serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return body.to_vec();
    }
    let mut out = Vec::with_capacity(body.len() * 2);
    let mut depth = 0;
    let mut rest = body.iter().copied().peekable();
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                out.push(byte);
                let mut escaped = false;
                for byte in rest.by_ref() {
                    out.push(byte);
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
                out.push(byte);
                match rest.next_if(|next| *next == byte + 2) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            byte if byte.is_ascii_whitespace() => {}
            byte => out.push(byte),
        }
    }
    out
}

/// Removes the white space outside of strings.
pub(crate) fn compact(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let (mut quoted, mut escaped) = (false, false);
    for &byte in body {
        if quoted || !byte.is_ascii_whitespace() {
            out.push(byte);
        }
        quoted = match byte {
            b'"' if !escaped => !quoted,
            _ => quoted,
        };
        escaped = quoted && byte == b'\\' && !escaped;
    }
    out
}

/// A body as a part of another document: JSON on one line, repaired if necessary, or a JSON string of anything else. JSON that
/// is nested deeper than `depth` becomes a string too.
pub(crate) fn value(body: &[u8], depth: usize) -> Box<RawValue> {
    let body = json::readable(body);
    let text = String::from_utf8_lossy(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body));
    // Without white space, text that is not JSON, such as `1 2`, could become JSON.
    let is_document = nesting(&text) <= depth && serde_json::from_str::<Value>(&text).is_ok();
    let document = is_document.then(|| String::from_utf8(compact(text.as_bytes())).ok()).flatten();
    document
        .and_then(|document| RawValue::from_string(document).ok())
        .or_else(|| to_raw_value(&text).ok())
        .unwrap_or_else(|| RawValue::NULL.to_owned())
}

/// The depth of nested arrays and objects.
fn nesting(document: &str) -> usize {
    let (mut depth, mut max_depth, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in document.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                max_depth = max_depth.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    max_depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_changes_only_white_space() {
        let body = br#"{"b":[1.50,{ },[ ]],"a":"x: {\"y\", \\","n":null}"#;
        let expected = "{\n  \"b\": [\n    1.50,\n    {},\n    []\n  ],\n  \"a\": \"x: {\\\"y\\\", \\\\\",\n  \"n\": null\n}";
        assert_eq!(String::from_utf8(indented(body)).unwrap(), expected);
        assert_eq!(indented(b"<html> {"), b"<html> {");
        assert_eq!(indented(b""), b"");
    }

    #[test]
    fn text_that_is_not_json_does_not_become_json() {
        for body in ["[1 2]", "{\"a\": tr ue}", "1 2"] {
            assert_eq!(value(body.as_bytes(), 10).get(), serde_json::to_string(body).unwrap());
        }
    }

    #[test]
    fn compaction_changes_only_white_space() {
        for (body, expected) in [
            ("{ \"b\" : [ 1.50,\r\n\t9007199254740993 ] }", r#"{"b":[1.50,9007199254740993]}"#),
            (r#"{"a": "x  \"y  z\" \\", "b": " " }"#, r#"{"a":"x  \"y  z\" \\","b":" "}"#),
        ] {
            assert_eq!(String::from_utf8(compact(body.as_bytes())).unwrap(), expected);
        }
    }

    #[test]
    fn any_body_is_a_valid_part_of_another_document() {
        for (body, expected) in [
            (&b"{ \"b\": 9007199254740993.10,\n\"a\": [] }"[..], r#"{"b":9007199254740993.10,"a":[]}"#),
            (b"\xef\xbb\xbf{}", "{}"),
            (b"<p>\n \"x\"", r#""<p>\n \"x\"""#),
            (b"{\"a\": \"\n\"}", r#"{"a":"\u000a"}"#),
            (b"\xff", "\"\u{fffd}\""),
            (b"", "\"\""),
            (br#"[1e999]"#, r#"["1e999"]"#),
            (br#"["\ud800"]"#, r#"["\ufffd"]"#),
            (br#"[[[[[[[["[\"["]]]]]]]]"#, r#"[[[[[[[["[\"["]]]]]]]]"#),
            (br#"[[[[[[[[[]]]]]]]]]"#, r#""[[[[[[[[[]]]]]]]]]""#),
        ] {
            assert_eq!(value(body, 8).get(), expected);
        }
    }
}
