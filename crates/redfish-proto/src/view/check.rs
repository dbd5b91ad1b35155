//! Checks JSON text (RFC 8259) and finds the ends of its values in the same pass.
//!
//! Only text that `serde_json` accepts as well passes; what does not pass, it decides. It reads text up to 128 levels deep.

use super::scan::skip_space;

/// The end of the value at this position.
pub(super) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut nesting) = (at, Nesting::default());
    loop {
        match text.get(at)? {
            b'{' => {
                at = skip_space(text, at + 1);
                if text.get(at) == Some(&b'}') {
                    at += 1;
                } else {
                    nesting.enter(Within::Object)?;
                    at = name_end(text, at)?;
                    continue;
                }
            }
            b'[' => {
                at = skip_space(text, at + 1);
                if text.get(at) == Some(&b']') {
                    at += 1;
                } else {
                    nesting.enter(Within::List)?;
                    continue;
                }
            }
            _ => at = scalar_end(text, at)?,
        }
        // A value has ended, and perhaps the objects and lists that it is in.
        loop {
            let Some(within) = nesting.innermost() else { return Some(at) };
            at = skip_space(text, at);
            match (text.get(at)?, within) {
                (b',', Within::Object) => {
                    at = name_end(text, skip_space(text, at + 1))?;
                    break;
                }
                (b',', Within::List) => {
                    at = skip_space(text, at + 1);
                    break;
                }
                (b'}', Within::Object) | (b']', Within::List) => {
                    nesting.leave();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// The end of the string at this position.
#[inline]
pub(super) fn string_end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        at += plain_length(text.get(at..)?);
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match text.get(at + 1)? {
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            // A control character.
            _ => return None,
        }
    }
}

/// From the name at this position to the value of the member.
#[inline]
fn name_end(text: &[u8], at: usize) -> Option<usize> {
    let colon = skip_space(text, string_end(text, at)?);
    (text.get(colon) == Some(&b':')).then(|| skip_space(text, colon + 1))
}

#[inline]
fn scalar_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    match rest.first()? {
        b'"' => string_end(text, at),
        b't' => rest.starts_with(b"true").then_some(at + 4),
        b'f' => rest.starts_with(b"false").then_some(at + 5),
        b'n' => rest.starts_with(b"null").then_some(at + 4),
        _ => number_end(text, at),
    }
}

fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let digits = at + usize::from(text.get(at) == Some(&b'-'));
    let mut at = match text.get(digits)? {
        b'0' => digits + 1,
        _ => digits_end(text, digits)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits_end(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let has_sign = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(text, at + 1 + usize::from(has_sign))?;
    }
    Some(at)
}

/// The end of the digits at this position, of which there is at least one.
fn digits_end(text: &[u8], at: usize) -> Option<usize> {
    let count = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(at + count)
}

/// The position of the first quote, backslash or control character, or the length. Looks at eight bytes at once.
#[inline]
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let (mut at, mut rest) = (0, text);
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set is exact; those above it may be carries.
        let found = below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1)
            | below(word, b' ');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        (at, rest) = (at + 8, after);
    }
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')).unwrap_or(rest.len())
}

/// What a value is in.
#[derive(Clone, Copy)]
enum Within {
    Object,
    List,
}

/// The objects and lists that a value is in: a bit for each, the innermost one lowest.
#[derive(Default)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl Nesting {
    #[inline]
    fn enter(&mut self, within: Within) -> Option<()> {
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(matches!(within, Within::Object));
        (self.depth <= u128::BITS).then_some(())
    }

    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    #[inline]
    fn innermost(&self) -> Option<Within> {
        let within = if self.objects & 1 == 1 { Within::Object } else { Within::List };
        (self.depth > 0).then_some(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    /// Whether a text is one value, by this check.
    fn passes(text: &str) -> bool {
        let bytes = text.as_bytes();
        value_end(bytes, skip_space(bytes, 0)).is_some_and(|end| skip_space(bytes, end) == bytes.len())
    }

    #[test]
    fn a_text_passes_as_serde_json_has_it() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let mut texts: Vec<String> = [
            "{}",
            "[]",
            "[[],{}]",
            " [ 1 , 2 ] ",
            r#" { "a" : 1 , "b" : [ ] } "#,
            "0",
            "-0",
            "-0.5e-7",
            "1E+2",
            "10",
            "true",
            "false",
            "null",
            r#""""#,
            r#""12345678""#,
            r#""1234567\n89""#,
            r#""\u00e4\"\\\/""#,
            r#""\ud800""#,
            "\"\u{7f}ä\"",
            "",
            " ",
            "{",
            "[",
            "}",
            "]",
            "[}",
            "{]",
            "[1}",
            r#"{"a":1]"#,
            "[,1]",
            "[1,]",
            "[1,,2]",
            "[1 2]",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{1:1}"#,
            r#"{"a":1 "b":2}"#,
            "01",
            "-",
            "-a",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "00",
            "1.5.5",
            "tr",
            "nul",
            "truee",
            "nan",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"\n\"",
            "\"1234567\t\"",
            "\"12345678\u{1f}\"",
            "1 2",
            "{} {}",
            "\"a\"b",
            "[1]]",
            "'a'",
            "//",
            "\u{feff}1",
        ]
        .map(str::to_owned)
        .into();
        texts.extend([nested(100), objects(100), nested(128), objects(128)]);
        for text in texts {
            assert_eq!(passes(&text), serde_json::from_str::<&RawValue>(&text).is_ok(), "{text}");
        }
        assert!(!passes(&nested(129)));
        assert!(!passes(&objects(129)));
    }

    proptest::proptest! {
        #[test]
        fn a_text_of_json_characters_passes_as_serde_json_has_it(text in r#"[\[\]{}:, "\\u0aet1.\-]{0,12}"#) {
            proptest::prop_assert_eq!(passes(&text), serde_json::from_str::<&RawValue>(&text).is_ok());
        }

        #[test]
        fn a_changed_text_passes_as_serde_json_has_it(at in 0_usize..200, by in r#"[\[\]{}:, "\\u0aet1.\-]{0,2}"#) {
            let mut text = r#"{"Id": "1", "Parts": [{"A": -1.5e3, "B": [true, null]}, [], {}], "C": "\u00e4\n", "D": {"E": 0}}"#.to_owned();
            let at = at % text.len();
            text.replace_range(at..at + 1, &by);
            proptest::prop_assert_eq!(passes(&text), serde_json::from_str::<&RawValue>(&text).is_ok());
        }
    }
}
