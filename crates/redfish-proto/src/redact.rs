//! Removes the secrets that a client knows from every text that it shows.
//!
//! A service may echo a password or a token in an error, a header, a link or an HTML page. Secrets are found by
//! value: literal, percent-encoded, JSON-escaped, as HTML entities, in mixtures of those, and in base64 and hex.
//!
//! The secrets of a request body are known by the names of its members. The protection does not cover a secret that a
//! service changes in another way (a hash, a reversed text, a part of it), one of fewer than four characters, or one
//! that the client does not know and whose name does not reveal it.

mod body;
mod encoded;
mod invisible;
mod names;
mod plain;
mod secret;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::target::percent_decode;
use body::SecretSpan;
use encoded::{DecodedText, find, find_base64_and_hex};
use names::Scope;

use invisible::is_invisible;
pub(crate) use secret::Secret;
pub use text::SafeText;

/// The text that replaces a secret.
const REDACTED: &str = "[redacted]";

/// Maximum number of tokens that are searched for, far more than the sessions of one client. The oldest are forgotten.
const MAX_TOKENS: usize = 128;

/// Maximum number of nested encodings that are searched.
const MAX_ENCODING_LAYERS: usize = 3;

/// Values that are not searched for, because they are in many texts: to remove them would remove the meaning.
const COMMON_VALUES: [&str; 6] = ["true", "false", "null", "none", "enabled", "disabled"];

/// Minimum length in characters of a value that is searched for.
const MIN_VALUE_LENGTH: usize = 4;

/// The secrets to remove. `Debug` shows only their number.
#[derive(Clone, Default)]
pub struct Redactor {
    credentials: Vec<Arc<Credentials>>,
    secrets: Vec<Secret>,
    tokens: Vec<Secret>,
}

impl Redactor {
    /// Adds a secret, such as a password that a request sets. An empty text is ignored.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            push_unique(&mut self.secrets, secret.into(), |known| known.text() == secret);
        }
    }

    /// Adds a password, and the value that Basic authentication encodes it in.
    pub(crate) fn add_basic(&mut self, user: &str, password: &str) {
        self.add(password);
        self.add(&basic_credentials(user, password));
    }

    /// Like [`add_basic`](Redactor::add_basic), for shared credentials.
    pub(crate) fn add_credentials(&mut self, credentials: &Arc<Credentials>) {
        push_unique(&mut self.credentials, Arc::clone(credentials), |known| Arc::ptr_eq(known, credentials));
    }

    /// Adds the secrets of a JSON body, by the names of its members.
    pub(crate) fn add_json(&mut self, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or_default();
        for SecretSpan { span, is_value } in body::find_secrets(text) {
            let shown = text.get(span).unwrap_or_default();
            let string = serde_json::from_str::<String>(shown).map(Zeroizing::new);
            let value = string.as_ref().map_or(shown, |string| string.as_str());
            self.add_value(value);
            // A service may echo only a part: the password of a URI, a line of a private key.
            if !is_value {
                let password = value.split_once(':').map_or("", |(_, password)| password);
                self.add_value(password);
                // What the service makes of `p%40ss`.
                self.add_value(&Zeroizing::new(percent_decode(password)));
            } else if value.contains("PRIVATE KEY-----") {
                value.lines().filter(|line| !line.contains("-----")).for_each(|line| self.add_value(line));
            }
        }
    }

    /// Adds the secrets of a body of any kind: by the names of its members, or by its words.
    pub(crate) fn add_any(&mut self, body: &[u8]) {
        self.add_json(body);
        if serde_json::from_slice::<IgnoredAny>(body).is_err() || body.trim_ascii().starts_with(b"\"") {
            let text = String::from_utf8_lossy(body);
            plain::secret_values(&text).into_iter().for_each(|value| self.add_value(value));
        }
    }

    /// Adds a value, unless it is common or short.
    fn add_value(&mut self, value: &str) {
        let is_word = COMMON_VALUES.iter().any(|word| value.eq_ignore_ascii_case(word));
        if value.chars().count() >= MIN_VALUE_LENGTH && !is_word && !value.bytes().all(|b| b == b'*') {
            self.add(value);
        }
    }

    /// Adds the token of a session. The oldest token is dropped if there are too many.
    pub(crate) fn add_token(&mut self, token: &Secret) {
        push_unique(&mut self.tokens, token.clone(), |known| known.text() == token.text());
        if self.tokens.len() > MAX_TOKENS {
            self.tokens.remove(0);
        }
    }

    /// These secrets and those of `other`.
    pub(crate) fn merged(self: &Arc<Self>, other: &Arc<Redactor>) -> Arc<Redactor> {
        if other.is_empty() || Arc::ptr_eq(self, other) {
            return Arc::clone(self);
        }
        if self.is_empty() {
            return Arc::clone(other);
        }
        let mut all = Redactor::clone(self);
        all.extend(other);
        if other.contains_all(&all) { Arc::clone(other) } else { Arc::new(all) }
    }

    /// Whether it contains all secrets of the other.
    fn contains_all(&self, other: &Redactor) -> bool {
        let known = |secrets: &[Secret], others: &[Secret]| {
            others.iter().all(|other| secrets.iter().any(|secret| secret.text() == other.text()))
        };
        other.credentials.iter().all(|other| self.credentials.iter().any(|own| Arc::ptr_eq(own, other)))
            && known(&self.secrets, &other.secrets)
            && known(&self.tokens, &other.tokens)
    }

    /// Adds the secrets of the other.
    pub fn extend(&mut self, other: &Redactor) {
        other.credentials.iter().for_each(|credentials| self.add_credentials(credentials));
        for secret in &other.secrets {
            push_unique(&mut self.secrets, secret.clone(), |known| known.text() == secret.text());
        }
        self.extend_tokens(&other.tokens);
    }

    /// Adds the tokens of the other. Only its last token may be newer than all tokens here; the others replace none
    /// of these.
    fn extend_tokens(&mut self, others: &[Secret]) {
        let Some((last, older)) = others.split_last() else { return };
        let is_new = |token: &&Secret| !self.tokens.iter().any(|known| known.text() == token.text());
        let older: Vec<Secret> = older.iter().filter(is_new).cloned().collect();
        self.tokens.splice(..0, older);
        self.tokens.drain(..self.tokens.len().saturating_sub(MAX_TOKENS));
        self.add_token(last);
    }

    fn is_empty(&self) -> bool {
        self.credentials.is_empty() && self.secrets.is_empty() && self.tokens.is_empty()
    }

    /// Removes secrets from a text, and control characters, which could control a terminal.
    pub fn clean(&self, text: &str) -> SafeText {
        let text = self.redact(text);
        // A byte that is not UTF-8 reads as a replacement character.
        let is_odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
        if !text.contains(is_odd) {
            return SafeText::new(text);
        }
        // Such characters may be between the letters of a secret. Only then they are removed without a space in their
        // place.
        let joined: String = text.chars().filter(|c| !is_odd(*c)).collect();
        let redacted = self.redact(&joined);
        if redacted != joined {
            return SafeText::new(redacted);
        }
        let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // A secret with a space in it may have been split over two lines.
        SafeText::new(self.redact(&flat))
    }

    /// Removes secrets from a text, including those that overlap.
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let redacted = self.redact_once(text);
        if !redacted.contains(is_invisible) {
            return redacted;
        }
        // Invisible characters between its letters would not keep a secret from being read.
        let visible: String = redacted.chars().filter(|c| !is_invisible(*c)).collect();
        Cow::Owned(self.redact_once(&visible).into_owned())
    }

    fn redact_once<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        let pairs: Vec<_> =
            self.credentials.iter().map(|c| basic_credentials(c.user(), c.password())).collect();
        let misread: Vec<_> = self.texts().filter(|text| !text.is_ascii()).flat_map(misread).collect();
        let readings = pairs.iter().chain(&misread).map(|text| text.as_str());
        let secrets: Vec<&str> = readings.chain(self.texts()).collect();
        // A secret that was encoded twice is found in the text decoded once, and so on.
        let mut decoded_text = DecodedText::new(text);
        for _ in 0..MAX_ENCODING_LAYERS {
            spans.extend(
                find(&secrets, &decoded_text.bytes).into_iter().map(|found| decoded_text.origin(found)),
            );
            let recoded = find_base64_and_hex(self.texts(), &decoded_text.bytes);
            spans.extend(recoded.into_iter().map(|found| decoded_text.origin(found)));
            match decoded_text.decode_again() {
                Some(decoded) => decoded_text = decoded,
                None => break,
            }
        }
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        spans.sort_by_key(|range| range.start);
        let mut shown = String::new();
        let mut hidden_to = 0;
        for Range { start, end } in spans {
            if start >= hidden_to {
                shown.push_str(text.get(hidden_to..start).unwrap_or_default());
                shown.push_str(REDACTED);
            }
            hidden_to = hidden_to.max(end);
        }
        shown.push_str(text.get(hidden_to..).unwrap_or_default());
        Cow::Owned(shown)
    }

    /// Removes the beginning of a secret at the end of a text, where the peer may have cut it.
    pub(crate) fn without_cut_secret(&self, text: SafeText) -> SafeText {
        let begins_there = |secret: &str| {
            let ends = secret.char_indices().map(|(end, _)| end).skip(MIN_VALUE_LENGTH);
            ends.filter_map(|end| secret.get(..end)).filter(|start| text.ends_with(start)).map(str::len).max()
        };
        match self.texts().filter_map(begins_there).max() {
            Some(length) => {
                text.up_to(text.len().saturating_sub(length)).followed_by(format_args!("{REDACTED}"))
            }
            None => text,
        }
    }

    /// The maximum length in bytes of a secret in any encoding.
    pub(crate) fn max_encoded_length(&self) -> usize {
        // Basic encodes three bytes in four characters.
        let pairs =
            self.credentials.iter().map(|c| (c.user().len() + c.password().len() + 1).div_ceil(3) * 4);
        self.texts().map(str::len).chain(pairs).max().unwrap_or_default() * 12
    }

    /// The secrets themselves, without the values that Basic encodes them in.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let passwords = self.credentials.iter().map(|c| c.password()).filter(|password| !password.is_empty());
        passwords.chain(self.secrets.iter().chain(&self.tokens).map(Secret::text))
    }

    /// Removes secrets from the text of a JSON body, and the values of members whose names denote a secret.
    pub(crate) fn clean_json(&self, text: &str) -> SafeText {
        let text = self.redact(text);
        let mut shown = String::with_capacity(text.len());
        let mut shown_to = 0;
        for SecretSpan { span: Range { start, end }, is_value } in body::find_secrets(&text) {
            shown.push_str(text.get(shown_to..start).unwrap_or_default());
            shown.push_str(if is_value { "\"[redacted]\"" } else { REDACTED });
            shown_to = end;
        }
        shown.push_str(text.get(shown_to..).unwrap_or_default());
        SafeText::new(shown)
    }
}

/// A secret as it looks when it was sent in a code page and read as UTF-8, with one replacement for each character or for
/// each of its bytes, and the other way round.
fn misread(secret: &str) -> [Zeroizing<String>; 3] {
    const REPLACED: char = char::REPLACEMENT_CHARACTER;
    let by_character = secret.chars().map(|c| if c.is_ascii() { c } else { REPLACED }).collect();
    let by_byte = secret.bytes().map(|b| if b.is_ascii() { char::from(b) } else { REPLACED }).collect();
    [by_character, by_byte, secret.bytes().map(char::from).collect()].map(Zeroizing::new)
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.texts().count())
    }
}

/// Adds an item unless it is already there. Most clients know one secret of each kind, so no further space is reserved.
fn push_unique<T>(all: &mut Vec<T>, one: T, same: impl Fn(&T) -> bool) {
    if !all.iter().any(same) {
        all.reserve_exact(1);
        all.push(one);
    }
}

/// The user name and password as Basic authentication encodes them (RFC 7617), without padding.
fn basic_credentials(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes()))
}

/// Whether a member of a JSON body or a header with this name is a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    names::scope_of(name).is_some_and(|scope| scope != Scope::Public)
}

#[cfg(test)]
mod tests;
