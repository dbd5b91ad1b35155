//! Reads JSON as services send it. The strict parser comes first, so that a good body costs nothing more. What it refuses is
//! repaired if possible: a byte that is not UTF-8 or a control character costs its place in a string, not the resource. Of
//! several members with the same name, the last one counts.

mod repair;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use repair::Flaws;
pub(crate) use repair::{Repaired, repair};

/// The maximum nesting of serde_json.
const SERDE_MAX_DEPTH: usize = 127;

/// Reads a value. The error is the JSON pointer of what does not fit, and the reason.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8], depth: usize) -> Result<T, (String, String)> {
    read_with(body, depth, |text| serde_json::from_slice(text))
}

/// Like [`read`], by this function.
pub(crate) fn read_with<'a, T>(
    body: &'a [u8],
    depth: usize,
    parse: impl FnOnce(&'a [u8]) -> Result<T, serde_json::Error>,
) -> Result<T, (String, String)> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err((String::new(), "an empty body".to_owned()));
    }
    if depth < SERDE_MAX_DEPTH && max_depth(body) > depth {
        return Err((String::new(), format!("JSON nested deeper than {depth}")));
    }
    parse(body).map_err(|error| {
        let pointer = pointer(body, offset(body, error.line(), error.column()));
        let text = error.to_string();
        // The pointer replaces line and column, which mean little in a text on one line.
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        (pointer, reason.to_owned())
    })
}

/// Reads a text, which is repaired if the strict parser refuses it.
pub(crate) fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_slice(&repair(text.as_bytes())?.text).ok())
}

/// A body as JSON that any parser reads: repaired if necessary, and only the last document of several. A body that is not JSON
/// is unchanged.
pub fn readable(body: &[u8]) -> Cow<'_, [u8]> {
    if is_json(strip_bom(body)) {
        return Cow::Borrowed(body);
    }
    match repair(body).filter(|repaired| is_json(&repaired.text)) {
        Some(repaired) => Cow::Owned(repaired.text.to_vec()),
        None => Cow::Borrowed(body),
    }
}

/// Whether a body is JSON, if necessary after a repair.
pub fn is_readable(body: &[u8]) -> bool {
    is_json(strip_bom(body)) || repair(body).is_some_and(|repaired| is_json(&repaired.text))
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok()
}

/// The documents in a body: one, unless the service sent several. Empty if it is not JSON.
pub(crate) fn documents(body: &[u8]) -> Vec<Value> {
    if let Ok(document) = serde_json::from_slice(strip_bom(body)) {
        return vec![document];
    }
    let Some(Repaired { earlier, text, .. }) = repair(body) else { return Vec::new() };
    earlier.iter().chain([&text]).filter_map(|document| serde_json::from_slice(document).ok()).collect()
}

/// Removes the byte order mark that some services send.
pub(crate) fn strip_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The offset of a line and a column, both counted from 1.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match body.iter().skip(start).position(|b| *b == b'\n') {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    start.saturating_add(column).min(body.len())
}

/// The maximum nesting of arrays and objects.
fn max_depth(body: &[u8]) -> usize {
    let (mut depth, mut max, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                max = max.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    max
}

/// The JSON pointer (RFC 6901) of the value that ends at `end`, or contains it.
fn pointer(body: &[u8], end: usize) -> String {
    enum Level {
        Member(String),
        Item(usize),
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut index = 0;
    while let Some(byte) = body.get(index).filter(|_| index < end) {
        match byte {
            b'{' => levels.push(Level::Member(String::new())),
            b'[' => levels.push(Level::Item(0)),
            // The closing bracket belongs to the value: an error there is about the value.
            b'}' | b']' if index + 1 < end => {
                levels.pop();
            }
            b',' => {
                if let Some(Level::Item(n)) = levels.last_mut() {
                    *n += 1;
                }
            }
            b'"' => {
                let start = index + 1;
                index = start;
                while let Some(byte) = body.get(index).filter(|byte| index < end && **byte != b'"') {
                    index += if *byte == b'\\' { 2 } else { 1 };
                }
                let rest = body.get(index + 1..).unwrap_or_default();
                let is_key = rest.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
                if let (true, Some(Level::Member(key))) = (is_key, levels.last_mut()) {
                    *key = String::from_utf8_lossy(body.get(start..index).unwrap_or_default()).into_owned();
                }
            }
            _ => {}
        }
        index += 1;
    }
    let segment = |level: &Level| match level {
        Level::Member(key) => key.replace('~', "~0").replace('/', "~1"),
        Level::Item(n) => n.to_string(),
    };
    levels
        .iter()
        .map(|level| format!("/{}", segment(level)))
        .collect::<String>()
        .trim_end_matches('/')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn an_error_names_the_member_and_what_was_found() {
        type Document = HashMap<String, Vec<HashMap<String, u32>>>;
        for (body, pointer, reason) in [
            (
                r#"{"Fans": [{"a": 1}, {"a/b": "x"}]}"#,
                "/Fans/1/a~1b",
                "invalid type: string \"x\", expected u32",
            ),
            (r#"{"Fans": true}"#, "/Fans", "invalid type: boolean `true`, expected a sequence"),
            ("{\"a\": [],\n \"b\": [{\"c\": nope}]}", "/b/0/c", "expected ident"),
            ("", "", "an empty body"),
            ("{} {}", "", "trailing characters"),
        ] {
            let (found_pointer, found) = read::<Document>(body.as_bytes(), 127).unwrap_err();
            assert_eq!((found_pointer.as_str(), found.as_str()), (pointer, reason), "{body}");
        }
    }

    #[test]
    fn nesting_is_bounded_exactly() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let reads = |n: usize, depth: usize| read::<serde_json::Value>(nested(n).as_bytes(), depth).is_ok();
        assert!(reads(10, 10) && !reads(11, 10));
        assert!(reads(127, 127) && !reads(128, 127) && !reads(200_000, 127));
    }
}
