//! Text for a terminal, without control characters and invisible or reordering characters.

use std::borrow::Cow;
use std::fmt::Write as _;

use redfish_proto::SafeText;
use serde::de::IgnoredAny;

/// Makes output safe for a terminal. Misleading characters are escaped in JSON, which stays the same JSON, and removed
/// elsewhere. Newlines and tabs stay.
pub(crate) fn sanitize(output: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(output);
    if !text.contains(is_unsafe) {
        return text;
    }
    let is_json = text.lines().all(|line| line.is_empty() || is_json(line)) || is_json(&text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_unsafe(c) => out.push(c),
            c if is_json => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => {}
        }
    }
    out.into()
}

/// Text on one line, without misleading characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_misleading(*c)).collect()
}

/// Quotes text as one word of a shell.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_unsafe(c: char) -> bool {
    !matches!(c, '\n' | '\t') && is_misleading(c)
}

/// Whether a character controls a terminal, reorders text, or is invisible.
fn is_misleading(c: char) -> bool {
    c.is_control() || SafeText::is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISLEADING: &str =
        "\u{1b}[31m \r \u{7f} \u{9b} \u{202e} \u{2066} \u{200b} \u{feff} \u{2028} \u{2029} \u{e0041} \u{61c}";

    #[test]
    fn misleading_characters_are_removed_from_text() {
        let text = format!("<p>\tä…\n{MISLEADING}</p>");
        let plain = sanitize(text.as_bytes()).into_owned();
        assert!(plain.starts_with("<p>\tä…\n[31m") && !plain.contains(is_unsafe), "{plain:?}");
        assert!(!clean(&text).contains(['\n', '\t', '\u{202e}']));
        assert_eq!(sanitize(b"a\xff\x1b"), "a\u{fffd}");
    }

    #[test]
    fn misleading_characters_are_escaped_in_json() {
        let value = serde_json::json!({"a": MISLEADING, "b": ["\u{e0041}"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let escaped = sanitize(text.as_bytes()).into_owned();
            assert!(!escaped.contains(is_unsafe) && escaped.contains("\\u202e"), "{escaped:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
        let lines = format!("{value}\n{value}\n");
        assert_eq!(sanitize(lines.as_bytes()).lines().filter(|line| is_json(line)).count(), 2);
    }

    #[test]
    fn text_is_quoted_for_a_shell() {
        assert_eq!(quote("/a$(b)'c"), r"'/a$(b)'\''c'");
    }
}
