//! Finds values in JSON text without parsing them. The text is known to be valid; another one gives wrong values, never a panic.

use std::borrow::Cow;
use std::ops::Range;

use crate::json;

/// The members of an object, in their order. Empty for another value.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

/// The position of a member's name, without its quotes, and of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberAt {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl<'a> Members<'a> {
    /// Those of the object at this position.
    pub(crate) fn new(text: &'a [u8], object: Range<usize>) -> Members<'a> {
        let text = text.get(..object.end).unwrap_or_default();
        let start = skip_space(text, object.start);
        let at = if text.get(start) == Some(&b'{') { start + 1 } else { text.len() };
        Members { text, at }
    }
}

impl Iterator for Members<'_> {
    type Item = MemberAt;

    fn next(&mut self) -> Option<MemberAt> {
        let quote = skip_separator(self.text, self.at);
        if self.text.get(quote) != Some(&b'"') {
            self.at = self.text.len();
            return None;
        }
        let name_end = skip_string(self.text, quote);
        let start = skip_separator(self.text, name_end);
        let end = skip_value(self.text, start);
        self.at = end;
        Some(MemberAt { name: quote + 1..name_end.saturating_sub(1).max(quote + 1), value: start..end })
    }
}

/// Where the items of a list begin. Any other value is the only item.
pub(crate) fn first_item(text: &[u8], list: Range<usize>) -> usize {
    let start = skip_space(text, list.start);
    if text.get(start) == Some(&b'[') { start + 1 } else { start }
}

/// The next item of a list, from the end of the previous one on.
pub(crate) fn item(text: &[u8], after: usize) -> Option<Range<usize>> {
    let start = skip_separator(text, after);
    let end = skip_value(text, start);
    (start < end).then_some(start..end)
}

/// The value of a member. The last one counts if several have the name.
pub(crate) fn find(text: &[u8], object: Range<usize>, name: &[&str]) -> Option<Range<usize>> {
    if let [name] = name {
        match find_unambiguous(text.get(..object.end).unwrap_or_default(), object.start, name) {
            Quick::Absent => return None,
            Quick::Found(value) => return Some(value),
            Quick::Unknown => {}
        }
    }
    let named = |member: &MemberAt| is_name(text.get(member.name.clone()).unwrap_or_default(), name);
    Members::new(text, object).filter(named).last().map(|member| member.value)
}

/// What a search for a name tells.
enum Quick {
    Absent,
    Found(Range<usize>),
    Unknown,
}

/// Searches for a name, which is faster than to go from member to member, if nothing can be mistaken for it: without escapes
/// every quote begins or ends a text, and a text before a colon is a name.
fn find_unambiguous(text: &[u8], object: usize, name: &str) -> Quick {
    let content = text.get(object..).unwrap_or_default();
    let Some(initial) = name.bytes().next().filter(|_| memchr::memchr(b'\\', content).is_none()) else {
        return Quick::Unknown;
    };
    // Names begin with capital letters, which are rare in texts.
    let mut names = memchr::memchr_iter(initial, content).map(|at| object + at).filter(|at| {
        let is_name = text.get(at.wrapping_sub(1)) == Some(&b'"')
            && text.get(*at..).is_some_and(|rest| rest.starts_with(name.as_bytes()));
        let end = at + name.len();
        is_name && text.get(end) == Some(&b'"') && text.get(skip_space(text, end + 1)) == Some(&b':')
    });
    let Some(first) = names.next() else { return Quick::Absent };
    // In another object before it, it may be a name in there.
    let before = text.get(object + 1..first).unwrap_or_default();
    if names.next().is_some() || memchr::memchr2(b'{', b'[', before).is_some() {
        return Quick::Unknown;
    }
    let start = skip_separator(text, first + name.len() + 1);
    Quick::Found(start..skip_value(text, start))
}

/// Whether a name as it stands in the text is this one, which is given in parts.
pub(crate) fn is_name(found: &[u8], name: &[&str]) -> bool {
    if found.len() != name.iter().map(|part| part.len()).sum::<usize>() {
        return found.contains(&b'\\') && decode_escaped(found) == name.concat();
    }
    let mut rest = found;
    for part in name {
        match rest.strip_prefix(part.as_bytes()) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The content of a string with its escapes decoded.
pub(crate) fn decode(content: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(content) {
        Ok(text) if !content.contains(&b'\\') => Cow::Borrowed(text),
        _ => Cow::Owned(decode_escaped(content)),
    }
}

fn decode_escaped(content: &[u8]) -> String {
    let quoted = [b"\"", content, b"\""].concat();
    let text = String::from_utf8_lossy(&quoted);
    json::part(&text).unwrap_or_else(|| String::from_utf8_lossy(content).into_owned())
}

#[inline]
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Skips space and one comma or colon.
#[inline]
fn skip_separator(text: &[u8], at: usize) -> usize {
    let at = skip_space(text, at);
    match text.get(at) {
        Some(b',' | b':') => skip_space(text, at + 1),
        _ => at,
    }
}

/// Returns the end of the value at this position, or the position itself if there is none.
fn skip_value(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'"') => skip_string(text, at),
        Some(b'{' | b'[') => skip_nested(text, at),
        _ => {
            let rest = text.get(at..).unwrap_or_default();
            let is_end = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            at + rest.iter().position(is_end).unwrap_or(rest.len())
        }
    }
}

/// Returns the end of the string whose quote is at this position.
#[inline]
fn skip_string(text: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    loop {
        at += special_byte(text.get(at..).unwrap_or_default());
        match text.get(at) {
            None => return text.len(),
            Some(b'"') => return at + 1,
            // The character after a backslash ends nothing.
            Some(_) => at += 2,
        }
    }
}

/// The position of the first quote or backslash, or the length. Looks at eight bytes at once, since most strings are short.
#[inline]
fn special_byte(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (mut at, mut rest) = (0, text);
    for _ in 0..3 {
        let Some((word, after)) = rest.split_first_chunk() else { break };
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ (ONES * u64::from(b'"'))) | zero_bytes(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        (at, rest) = (at + 8, after);
    }
    at + memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
}

/// Returns the end of the object or list at this position. Nothing but brackets and strings matters inside.
fn skip_nested(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = skip_string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        find(text.as_bytes(), 0..text.len(), &[name]).map(|value| &text[value])
    }

    #[test]
    fn a_member_is_found_whatever_is_before_it() {
        let text = r#" {"a" : {"x": "}\"]", "y": [1, {}]}, "b":[ ] , "c":-1.5e3,"d\u0065" :true, "f": "\\", "g": null } "#;
        for (name, expected) in [
            ("a", Some(r#"{"x": "}\"]", "y": [1, {}]}"#)),
            ("b", Some("[ ]")),
            ("c", Some("-1.5e3")),
            ("de", Some("true")),
            ("f", Some(r#""\\""#)),
            ("g", Some("null")),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(value(text, name), expected, "{name}");
        }
        assert_eq!(value("[1, 2]", "a"), None);
        assert_eq!(value("{}", "a"), None);
    }

    #[test]
    fn of_several_members_with_a_name_the_last_one_counts() {
        assert_eq!(value(r#"{"a": 1, "\u0061": 2, "b": 3}"#, "a"), Some("2"));
        assert_eq!(
            value(r#"{"a": 1, "b": {"a": 2}, "a" : 3, "c": [{"a": 4}, "a"], "aa": 5}"#, "a"),
            Some("3")
        );
        assert_eq!(value(r#"{"b": {"a": 2}, "c": "a"}"#, "a"), None);
        assert_eq!(value(r#"{"b": "a", "a": 1}"#, "a"), Some("1"));
        assert_eq!(value(r#"{"b": "x\"a\":", "a": 1}"#, "a"), Some("1"));
    }

    #[test]
    fn the_items_of_a_list_are_found() {
        let items = |text: &'static str| {
            let mut at = first_item(text.as_bytes(), 0..text.len());
            let next = || {
                let found = item(text.as_bytes(), at)?;
                at = found.end;
                Some(&text[found])
            };
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        assert_eq!(items(r#" [ 1 ,{"a": []}, "x,]" ,[2] ] "#), ["1", r#"{"a": []}"#, r#""x,]""#, "[2]"]);
        assert_eq!(items("[]"), [""; 0]);
        assert_eq!(items("7"), ["7"]);
        assert_eq!(items(r#"{"a": 1}"#), [r#"{"a": 1}"#]);
    }

    #[test]
    fn a_text_that_is_not_json_does_no_harm() {
        for text in [
            "",
            "{",
            r#"{""#,
            r#"{"a"#,
            r#"{"a""#,
            r#"{"a":"#,
            r#"{"a":"\"#,
            "[",
            "[[",
            "]",
            "{]",
            r#"{"a":]"#,
            "[,",
            "[:1",
        ] {
            Members::new(text.as_bytes(), 0..text.len()).for_each(drop);
            let mut at = first_item(text.as_bytes(), 0..text.len());
            while let Some(found) = item(text.as_bytes(), at) {
                at = found.end;
            }
            assert_eq!(value(text, "b"), None);
        }
    }
}
