//! What a terminal is shown: text that cannot steer it, or make it show something other than what it says.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::IgnoredAny;

/// Output as a terminal may show it. JSON stays JSON: inside its strings, what misleads is escaped. Of other text it is
/// left out. Newlines and tabs are the output's own.
pub(crate) fn shown(output: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(output);
    if !text.contains(is_hidden) {
        return text;
    }
    let is_json = text.lines().all(|line| line.is_empty() || is_json(line)) || is_json(&text);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_hidden(c) => shown.push(c),
            c if is_json => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
            _ => {}
        }
    }
    shown.into()
}

/// A text on one line, without what misleads.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !misleads(*c)).collect()
}

/// A text as one word of a shell, to be copied from a hint.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_hidden(c: char) -> bool {
    !matches!(c, '\n' | '\t') && misleads(c)
}

/// Whether a character steers a terminal, changes the order of others, or is there without being seen.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, Arabic letter mark.
            '\u{ad}' | '\u{61c}'
            // Zero width, marks of direction, separators of lines and paragraphs, overrides and isolates.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Fillers, joiners and selectors of variants, which show nothing by themselves.
            | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            // The byte order mark, annotations, tags.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISLEADING: &str =
        "\u{1b}[31m \r \u{7f} \u{9b} \u{202e} \u{2066} \u{200b} \u{feff} \u{2028} \u{2029} \u{e0041} \u{61c}";

    #[test]
    fn text_loses_what_misleads_and_keeps_its_lines() {
        let text = format!("<p>\tä…\n{MISLEADING}</p>");
        let plain = shown(text.as_bytes()).into_owned();
        assert!(plain.starts_with("<p>\tä…\n[31m") && !plain.contains(is_hidden), "{plain:?}");
        assert!(!clean(&text).contains(['\n', '\t', '\u{202e}']));
        assert_eq!(shown(b"a\xff\x1b"), "a\u{fffd}");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"a": MISLEADING, "b": ["\u{e0041}"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let escaped = shown(text.as_bytes()).into_owned();
            assert!(!escaped.contains(is_hidden) && escaped.contains("\\u202e"), "{escaped:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
        let lines = format!("{value}\n{value}\n");
        assert_eq!(shown(lines.as_bytes()).lines().filter(|line| is_json(line)).count(), 2);
    }

    #[test]
    fn a_word_is_quoted_for_a_shell() {
        assert_eq!(quote("/a$(b)'c"), r"'/a$(b)'\''c'");
    }
}
