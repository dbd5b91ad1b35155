//! Finds the secret values of a JSON text, by the names of their members or by their form.
//!
//! The text may be cut off, or not be JSON at all. Only the positions of values are returned, so that the rest of the
//! text does not change.

use std::borrow::Cow;
use std::ops::Range;

use super::names::{Scope, scope_of};

/// A secret in a JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SecretSpan {
    /// Its position, including the quotes of a string.
    pub(super) span: Range<usize>,
    /// Whether it is a whole value, not the user info of a URI.
    pub(super) is_value: bool,
}

impl SecretSpan {
    fn value(span: Range<usize>) -> SecretSpan {
        SecretSpan { span, is_value: true }
    }
}

/// Finds the secrets in a JSON text: strings, numbers, and the user info of URIs.
pub(super) fn find_secrets(text: &str) -> Vec<SecretSpan> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // The scope of each open object and list, and the scope of the next value.
    let mut open = vec![Scope::Public];
    let mut next = None;
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let parent = open.last().copied().unwrap_or(Scope::Public);
        match byte {
            b'"' => {
                let end = end_of_string(bytes, index);
                if is_name(bytes, end) {
                    next = Some(member_scope(parent, text.get(index..end).unwrap_or_default()));
                } else {
                    match next.take().unwrap_or(parent) {
                        Scope::Public => find_secrets_in_string(text, index..end, &mut found),
                        Scope::Secret | Scope::Everything => found.push(SecretSpan::value(index..end)),
                    }
                }
                index = end;
                continue;
            }
            b'-' | b'0'..=b'9' => {
                let rest = bytes.get(index..).unwrap_or_default();
                let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
                let end = index + rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
                if next.take().unwrap_or(parent) != Scope::Public {
                    found.push(SecretSpan::value(index..end));
                }
                index = end;
                continue;
            }
            b'{' | b'[' => open.push(next.take().unwrap_or(parent)),
            b'}' | b']' => {
                next = None;
                if open.len() > 1 {
                    open.pop();
                }
            }
            // `true`, `false` and `null` are not secret, and the scope ends with them.
            b',' => next = None,
            _ => {}
        }
        index += 1;
    }
    found
}

/// The scope of a member's value, by its name.
fn member_scope(parent: Scope, quoted: &str) -> Scope {
    if parent == Scope::Everything {
        return Scope::Everything;
    }
    // A name may be escaped: `Pass\u0077ord`.
    let name = match serde_json::from_str::<String>(quoted) {
        Ok(name) => Cow::Owned(name),
        Err(_) => Cow::Borrowed(quoted.trim_matches('"')),
    };
    scope_of(&name).unwrap_or(parent)
}

/// The position after the closing quote of the string that starts at `open`, or the end of the text.
fn end_of_string(text: &[u8], open: usize) -> usize {
    let mut escaped = false;
    for (index, byte) in text.iter().enumerate().skip(open + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether the string that ends at `end` is the name of a member.
fn is_name(text: &[u8], end: usize) -> bool {
    text.get(end..).unwrap_or_default().iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':')
}

/// Finds the secrets of a string by their form: a private key, or the user info of URIs, whose slashes may be escaped and
/// whose scheme may be missing (RFC 3986, 4.2), as in `//user:password@server/share`.
fn find_secrets_in_string(text: &str, string: Range<usize>, found: &mut Vec<SecretSpan>) {
    let shown = text.get(string.clone()).unwrap_or_default();
    if shown.contains("PRIVATE KEY-----") {
        found.push(SecretSpan::value(string));
        return;
    }
    for mark in ["//", "\\/\\/"] {
        for (mark_start, _) in shown.match_indices(mark) {
            let start = mark_start + mark.len();
            let rest = shown.get(start..).unwrap_or_default();
            let authority = rest.split(['/', '\\', '?', '#', '"', ' ']).next().unwrap_or_default();
            if let Some(length) = authority.rfind('@').filter(|length| *length > 0) {
                let from = string.start + start;
                found.push(SecretSpan { span: from..from + length, is_value: false });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find_secrets(text).into_iter().map(|found| &text[found.span]).collect()
    }

    #[test]
    fn secret_values_are_found() {
        for (text, expected) in [
            (r#"{"UserName": "a", "Password" : "x\"y", "n": 1}"#, vec![r#""x\"y""#]),
            (r#"{"Pass\u0077ord": "x"}"#, vec![r#""x""#]),
            (r#"{"Password": ["x", {"a": 17, "Name": "open"}], "b": 2}"#, vec![r#""x""#, "17"]),
            (r#"{"PIN": 123456, "MinPasswordLength": 12}"#, vec!["123456"]),
            (r#"{"Password": null, "a": "b", "Secret": true, "c": "d"}"#, vec![]),
            (r#"{"HttpHeaders": [{"Content-Type": "x", "A": ["y"]}], "z": "w"}"#, vec![r#""x""#, r#""y""#]),
            (r##"{"Actions": {"#Bios.ChangePassword": {"target": "/x"}}}"##, vec![]),
            (r#"{"Password": "cut o"#, vec![r#""cut o"#]),
            (r#""Token": "a piece", "b": "c"}]}"#, vec![r#""a piece""#]),
            (r#"{"a": "https://u:p@host/x", "b": "mailto:x@y"}"#, vec!["u:p"]),
            (r#"{"a": "https:\/\/u:p@host\/x", "b": "x://a@b y://c:d@e"}"#, vec!["u:p", "a", "c:d"]),
            (r#"{"a": "https://host/x@y"}"#, vec![]),
            (r#"{"ImageURI": "//u:p@host/share"}"#, vec!["u:p"]),
            (
                r#"{"a": "-----BEGIN PRIVATE KEY-----\nMII\n"}"#,
                vec![r#""-----BEGIN PRIVATE KEY-----\nMII\n""#],
            ),
            ("<html>Password: \"x\"", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
