//! Finds a secret in a text in which any of its characters may be encoded, also several times.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// A secret of fewer characters is found only as a whole word: one letter is in every word.
const SHORT_SECRET: usize = 4;

/// Maximum length of an HTML entity in bytes: a number may have leading zeros.
const MAX_ENTITY_LENGTH: usize = 64;

/// A text after some decodings, and where in the original each of its bytes comes from.
pub(super) struct DecodedText {
    pub(super) bytes: Vec<u8>,
    /// For each byte and for the end: the start of its source in the original.
    origins: Vec<usize>,
}

impl DecodedText {
    pub(super) fn new(text: &str) -> DecodedText {
        DecodedText { bytes: text.as_bytes().to_vec(), origins: (0..=text.len()).collect() }
    }

    /// The range in the original that a range of the decoded text comes from.
    pub(super) fn origin(&self, found: Range<usize>) -> Range<usize> {
        let from = |index: usize| self.origins.get(index).copied().unwrap_or_default();
        from(found.start)..from(found.end)
    }

    /// Decodes the text once more. `None` if nothing is encoded.
    pub(super) fn decode_again(&self) -> Option<DecodedText> {
        let mut decoded = DecodedText { bytes: Vec::with_capacity(self.bytes.len()), origins: Vec::new() };
        let mut index = 0;
        while let Some(byte) = self.bytes.get(index) {
            // A plus sign is not decoded, since the search itself accepts it as a space.
            let encoded = encoded_at(self.bytes.get(index..).unwrap_or_default()).filter(|_| *byte != b'+');
            let (bytes, length) = encoded.unwrap_or((vec![*byte], 1));
            decoded
                .origins
                .extend(bytes.iter().map(|_| self.origins.get(index).copied().unwrap_or_default()));
            decoded.bytes.extend(bytes);
            index += length;
        }
        decoded.origins.push(self.origins.last().copied().unwrap_or_default());
        (decoded.bytes.len() < self.bytes.len()).then_some(decoded)
    }
}

/// Finds these secrets in base64 or hex.
///
/// Most texts have no long run of such characters, so nothing needs to be encoded.
pub(super) fn find_base64_and_hex<'a>(
    secrets: impl Iterator<Item = &'a str>,
    text: &[u8],
) -> Vec<Range<usize>> {
    let base64_run =
        longest_run(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'));
    let hex_run = longest_run(text, |b| b.is_ascii_hexdigit());
    let mut found = Vec::new();
    for secret in secrets.filter(|secret| secret.chars().count() >= SHORT_SECRET) {
        // Six bits per character, without the characters that are shared with the neighbors.
        if base64_run + 1 >= secret.len() * 8 / 6 {
            // A whole JSON body may be echoed in base64, in which the secret is a JSON string.
            let json = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
            let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
            let texts = if json == secret { vec![secret] } else { vec![secret, json] };
            for form in texts.into_iter().flat_map(base64_forms) {
                find_exact(form.as_bytes(), text, &mut found);
            }
        }
        if hex_run >= secret.len() * 2 {
            find_hex(secret, text, &mut found);
        }
    }
    found
}

fn longest_run(text: &[u8], predicate: fn(&u8) -> bool) -> usize {
    text.split(|b| !predicate(b)).map(<[u8]>::len).max().unwrap_or_default()
}

/// The forms of a text in base64: alone, and within a longer text at each of the three possible offsets.
fn base64_forms(secret: &str) -> Vec<Zeroizing<String>> {
    let mut forms = Vec::new();
    for (offset, first) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = Zeroizing::new(vec![0; offset]);
        bytes.extend_from_slice(secret.as_bytes());
        let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
        if offset == 0 {
            forms.push(encoded.clone());
        }
        // The characters that are shared with the neighbors are left out.
        let inner = encoded.get(first..bytes.len() * 8 / 6);
        forms.extend(inner.map(|inner| Zeroizing::new(inner.to_owned())));
    }
    let url_safe = |text: &Zeroizing<String>| Zeroizing::new(text.replace('+', "-").replace('/', "_"));
    let others: Vec<_> = forms.iter().filter(|text| text.contains(['+', '/'])).map(url_safe).collect();
    forms.extend(others);
    forms
}

fn find_exact(secret: &[u8], text: &[u8], found: &mut Vec<Range<usize>>) {
    let length = secret.len();
    let windows = text.windows(length.max(1)).enumerate();
    found.extend(windows.filter(|(_, window)| *window == secret).map(|(index, _)| index..index + length));
}

/// Finds a secret in hex, in either letter case.
fn find_hex(secret: &str, text: &[u8], found: &mut Vec<Range<usize>>) {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let byte = |digits: &[u8]| match digits {
        [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
        _ => None,
    };
    let length = secret.len() * 2;
    let is_secret = |window: &[u8]| window.chunks(2).map(byte).eq(secret.bytes().map(Some));
    let windows = text.windows(length).enumerate();
    found.extend(windows.filter(|(_, window)| is_secret(window)).map(|(index, _)| index..index + length));
}

/// Finds these secrets.
pub(super) fn find(secrets: &[&str], text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for secret in secrets {
        let mut index = 0;
        while index < text.len() {
            match match_at(secret, text, index) {
                Some(end) => {
                    found.push(index..end);
                    index = end;
                }
                None => index += 1,
            }
        }
    }
    found
}

/// The end of `secret` in `text` if it starts at `index`, in any mixture of encodings.
fn match_at(secret: &str, text: &[u8], index: usize) -> Option<usize> {
    let end = index + match_bytes(secret.as_bytes(), text.get(index..)?)?;
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
    let within = word(index.checked_sub(1).and_then(|before| text.get(before))) || word(text.get(end));
    (secret.chars().count() >= SHORT_SECRET || !within).then_some(end)
}

/// The number of bytes at the start of `text` that are the secret.
fn match_bytes(mut secret: &[u8], text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some(byte) = secret.first() {
        let literal = rest.first() == Some(byte);
        let encoded = encoded_at(rest).filter(|(bytes, _)| secret.starts_with(bytes));
        match (literal, encoded) {
            (false, None) => return None,
            (true, None) => (rest, secret) = (rest.get(1..)?, secret.get(1..)?),
            (false, Some((bytes, n))) => (rest, secret) = (rest.get(n..)?, secret.get(bytes.len()..)?),
            // If the secret itself contains a `%` or a backslash, both readings are possible.
            (true, Some(_)) => return Some(text.len() - rest.len() + match_ambiguous(secret, rest)?),
        }
    }
    Some(text.len() - rest.len())
}

/// Like [`match_bytes`] where characters can be read in two ways. Keeps all positions at which each prefix of the
/// secret can end, so that many backslashes do not double the time with each.
fn match_ambiguous(secret: &[u8], text: &[u8]) -> Option<usize> {
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); secret.len() + 1];
    ends.first_mut()?.push(0);
    for (matched, byte) in secret.iter().enumerate() {
        let mut current_ends = std::mem::take(ends.get_mut(matched)?);
        current_ends.sort_unstable();
        current_ends.dedup();
        for end in current_ends {
            let rest = text.get(end..).unwrap_or_default();
            if rest.first() == Some(byte) {
                ends.get_mut(matched + 1)?.push(end + 1);
            }
            if let Some((bytes, n)) = encoded_at(rest) {
                if secret.get(matched..).is_some_and(|secret| secret.starts_with(&bytes)) {
                    ends.get_mut(matched + bytes.len())?.push(end + n);
                }
            }
        }
    }
    ends.last()?.iter().copied().max()
}

/// The bytes of an encoded character at the start of `text`, and the length of its encoding.
fn encoded_at(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let utf8 = |c: char| c.to_string().into_bytes();
    match text {
        [b'%', high, low, ..] => {
            let digit = |b: &u8| char::from(*b).to_digit(16);
            Some((vec![(digit(high)? * 16 + digit(low)?) as u8], 3))
        }
        [b'+', ..] => Some((vec![b' '], 1)),
        [b'\\', b'u', ..] => {
            let unit = |index: usize| {
                let digits = text.get(index..index + 6)?.strip_prefix(b"\\u")?;
                u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
            };
            let first = unit(0)?;
            if let Some(c) = char::from_u32(u32::from(first)) {
                return Some((utf8(c), 6));
            }
            let pair = char::decode_utf16([first, unit(6)?]).next()?.ok()?;
            Some((utf8(pair), 12))
        }
        [b'\\', escaped, ..] => {
            let byte = match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\\' | b'/' => *escaped,
                _ => return None,
            };
            Some((vec![byte], 2))
        }
        [b'&', ..] => {
            let end = text.iter().take(MAX_ENTITY_LENGTH).position(|b| *b == b';')?;
            let name = std::str::from_utf8(text.get(1..end)?).ok()?;
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((utf8(c), end + 1))
        }
        _ => None,
    }
}
