//! The secrets a client contains_all, and their removal from every text it shows.
//!
//! A service may echo a password or a token in an error, a header, a link or a page of HTML. They are found by
//! value: literally, percent-encoded, JSON-escaped, as HTML entities, or mixtures of those, and in base64 and hex.
//!
//! The secrets of a body that is sent are known by the names of its members. This protection ends where a service
//! changes a secret in another way (a hash, a reversed text, a piece of it), echoes one of fewer than four characters,
//! or shows one that this client never knew under a name that says nothing.

mod body;
mod encoded;
mod names;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use body::SecretSpan;
use encoded::{DecodedText, find, find_base64_and_hex};
use names::Scope;

pub use text::SafeText;

/// What stands in span of a secret.
const REDACTED: &str = "[redacted]";

/// Tokens of earlier sessions that are still looked for; a client may renew its session without end.
const MAX_TOKENS: usize = 4;

/// How many encodings on top of each other are looked through.
const MAX_ENCODING_LAYERS: usize = 3;

/// Values that stand in many texts, and so are not searched for: to redact a word like these would redact the sense.
const COMMON_VALUES: [&str; 6] = ["true", "false", "null", "none", "enabled", "disabled"];

/// Characters that a value must have to be searched for.
const MIN_VALUE_LENGTH: usize = 4;

/// The secrets to remove. `Debug` counts them.
#[derive(Clone, Default)]
pub struct Redactor {
    credentials: Vec<Arc<Credentials>>,
    secrets: Vec<Secret>,
    tokens: Vec<Secret>,
}

impl Redactor {
    /// Adds a secret, such as a password that a request sets. An empty one is none.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            push_unique(&mut self.secrets, secret.into(), |known| known.text() == secret);
        }
    }

    /// Adds a password, and what Basic authentication makes of it.
    pub(crate) fn add_basic(&mut self, user: &str, password: &str) {
        self.add(password);
        self.add(&basic_credentials(user, password));
    }

    /// The same for credentials that others hold too.
    pub(crate) fn add_credentials(&mut self, credentials: &Arc<Credentials>) {
        push_unique(&mut self.credentials, Arc::clone(credentials), |known| Arc::ptr_eq(known, credentials));
    }

    /// Adds the secrets that a JSON body holds by name.
    pub(crate) fn add_json(&mut self, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or_default();
        for SecretSpan { span, is_value } in body::find_secrets(text) {
            let shown = text.get(span).unwrap_or_default();
            let string = serde_json::from_str::<String>(shown).map(Zeroizing::new);
            let value = string.as_ref().map_or(shown, |string| string.as_str());
            self.add_value(value);
            // A service may echo a part alone: the password of a URI, a line of a private key.
            if !is_value {
                self.add_value(value.split_once(':').map_or("", |(_, password)| password));
            } else if value.contains("PRIVATE KEY-----") {
                value.lines().filter(|line| !line.contains("-----")).for_each(|line| self.add_value(line));
            }
        }
    }

    /// Adds a value, unless it is one that stands in many texts.
    fn add_value(&mut self, value: &str) {
        let is_word = COMMON_VALUES.iter().any(|word| value.eq_ignore_ascii_case(word));
        if value.chars().count() >= MIN_VALUE_LENGTH && !is_word && !value.bytes().all(|b| b == b'*') {
            self.add(value);
        }
    }

    /// Adds the token of a session; the oldest of several is forgotten.
    pub(crate) fn add_token(&mut self, token: &Secret) {
        push_unique(&mut self.tokens, token.clone(), |known| known.0 == token.0);
        if self.tokens.len() > MAX_TOKENS {
            self.tokens.remove(0);
        }
    }

    /// These secrets and those of `other`.
    pub(crate) fn and(self: &Arc<Self>, other: &Arc<Redactor>) -> Arc<Redactor> {
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

    /// Whether it has all that the other has.
    fn contains_all(&self, other: &Redactor) -> bool {
        let known = |secrets: &[Secret], others: &[Secret]| {
            others.iter().all(|other| secrets.iter().any(|secret| secret.0 == other.0))
        };
        other.credentials.iter().all(|other| self.credentials.iter().any(|own| Arc::ptr_eq(own, other)))
            && known(&self.secrets, &other.secrets)
            && known(&self.tokens, &other.tokens)
    }

    /// Adds the secrets of another.
    pub(crate) fn extend(&mut self, other: &Redactor) {
        other.credentials.iter().for_each(|credentials| self.add_credentials(credentials));
        for secret in &other.secrets {
            push_unique(&mut self.secrets, secret.clone(), |known| known.0 == secret.0);
        }
        self.extend_tokens(&other.tokens);
    }

    /// Adds tokens of another. Its last may be newer than all here; those before it are not, and push none of these out.
    fn extend_tokens(&mut self, others: &[Secret]) {
        let Some((last, older)) = others.split_last() else { return };
        let is_new = |token: &&Secret| !self.tokens.iter().any(|known| known.0 == token.0);
        let older: Vec<Secret> = older.iter().filter(is_new).cloned().collect();
        self.tokens.splice(..0, older);
        self.tokens.drain(..self.tokens.len().saturating_sub(MAX_TOKENS));
        self.add_token(last);
    }

    fn is_empty(&self) -> bool {
        self.credentials.is_empty() && self.secrets.is_empty() && self.tokens.is_empty()
    }

    /// The text without secrets and without control characters, which could steer a terminal.
    pub fn clean(&self, text: &str) -> SafeText {
        let text = self.redact(text);
        if !text.contains(char::is_control) {
            return SafeText::new(text);
        }
        let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // A secret with a space in it may have stood there over two lines.
        SafeText::new(self.redact(&flat))
    }

    /// The text without secrets; where several overlap, without all of them.
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        let pairs: Vec<_> =
            self.credentials.iter().map(|c| basic_credentials(c.user(), c.password())).collect();
        let wanted: Vec<&str> = pairs.iter().map(|pair| pair.as_str()).chain(self.texts()).collect();
        // What was encoded twice is found in the text decoded once; deeper than that nobody looks.
        let mut decoded_text = DecodedText::new(text);
        for _ in 0..MAX_ENCODING_LAYERS {
            spans.extend(
                find(&wanted, &decoded_text.bytes).into_iter().map(|found| decoded_text.origin(found)),
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

    /// How many bytes a secret may take in any encoding.
    pub(crate) fn max_encoded_length(&self) -> usize {
        // Of four characters, Basic makes of three bytes.
        let pairs =
            self.credentials.iter().map(|c| (c.user().len() + c.password().len() + 1).div_ceil(3) * 4);
        self.texts().map(str::len).chain(pairs).max().unwrap_or_default() * 12
    }

    /// The secrets as they are; what Basic makes of credentials is not among them.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let passwords = self.credentials.iter().map(|c| c.password()).filter(|password| !password.is_empty());
        passwords.chain(self.secrets.iter().chain(&self.tokens).map(Secret::text))
    }

    /// The text of a JSON body, without secrets and without the values of members that hold one by name.
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

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.texts().count())
    }
}

/// A secret in memory that is zeroed when its last copy is dropped.
#[derive(Clone)]
pub(crate) struct Secret(Arc<Zeroizing<Box<str>>>);

impl Secret {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(Arc::new(Zeroizing::new(text.into())))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Secret {
        Secret::from(text.as_str())
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Adds what is not there yet. Most clients know one secret of each kind, so there is no room for more at first.
fn push_unique<T>(all: &mut Vec<T>, one: T, same: impl Fn(&T) -> bool) {
    if !all.iter().any(same) {
        all.reserve_exact(1);
        all.push(one);
    }
}

/// What Basic authentication makes of a user name and a password (RFC 7617), without padding.
fn basic_credentials(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes()))
}

/// Whether what has that name is a secret: a member of a JSON body, or a header.
pub(crate) fn is_secret_name(name: &str) -> bool {
    names::scope_of(name).is_some_and(|scope| scope != Scope::Public)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const ODD: &str = "pä s\"s%+\\w&<ör😀d";

    fn knowing(secret: &str) -> Redactor {
        let mut redactor = Redactor::default();
        redactor.add(secret);
        redactor
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let percent: String = ODD.bytes().map(|b| format!("%{b:02x}")).collect();
        let percent_upper = percent.to_uppercase();
        let json = serde_json::to_string(ODD).unwrap();
        let units: String = ODD.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
        let html =
            ODD.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&#60;").replace('ä', "&#xe4;");
        let form = percent.replace("%20", "+");
        for text in [ODD, &percent, &percent_upper, &json[1..json.len() - 1], &units, &html, &form] {
            let shown = knowing(ODD).clean(&format!("wrong: {text}!"));
            assert_eq!(shown, "wrong: [redacted]!", "{text}");
        }
    }

    #[test]
    fn a_secret_that_was_encoded_twice_is_found() {
        let json = serde_json::to_string(&serde_json::to_string(ODD).unwrap()).unwrap();
        let percent: String = ODD.bytes().map(|b| format!("%25{b:02X}")).collect();
        for text in [json, percent, "p\\u00e4 s&quot;s%25+\\\\w&amp;&lt;ör😀d".to_owned()] {
            let shown = knowing(ODD).clean(&format!("a {text} b"));
            assert!(shown.starts_with("a ") && shown.ends_with(" b") && shown.contains(REDACTED), "{shown}");
            assert!(!shown.contains('ö') && !shown.contains("F6") && !shown.contains("u00f6"), "{shown}");
        }
    }

    #[test]
    fn a_secret_of_many_backslashes_takes_no_longer() {
        let secret = "\\".repeat(60) + "end";
        let shown = knowing(&secret).clean(&format!("{secret} {}", "\\".repeat(2_000)));
        assert!(shown.starts_with(REDACTED) && !shown.contains("end"), "{shown}");
    }

    #[test]
    fn basic_is_a_secret_too() {
        let mut redactor = Redactor::default();
        redactor.add_credentials(&Arc::new(Credentials::new("admin", "pass word")));
        let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("admin:pass word"));
        assert!(!redactor.clean(&header).contains("YWRtaW4"));
    }

    #[test]
    fn overlapping_secrets_leave_no_rest() {
        let mut redactor = knowing("abcd");
        redactor.add("abcdefgh");
        redactor.add("ghijkl");
        assert_eq!(redactor.clean("xabcdefghyabcdefghijkly"), "x[redacted]y[redacted]y");
    }

    #[test]
    fn a_short_secret_hides_only_alone() {
        assert_eq!(knowing("ab").clean("cab ab table 'ab'"), "cab [redacted] table '[redacted]'");
    }

    #[test]
    fn a_terminal_cannot_be_steered() {
        assert_eq!(knowing("x").clean("a\u{1b}[31mb\u{9b}c\nd"), "a [31mb c d");
    }

    #[test]
    fn json_members_hide_by_name() {
        let text = r#"{"UserName": "a", "Password" : "not known \" here", "n": 1, "Token":"#;
        let shown = Redactor::default().clean_json(text);
        assert_eq!(shown, r#"{"UserName": "a", "Password" : "[redacted]", "n": 1, "Token":"#);
        assert_eq!(Redactor::default().clean_json(r#"{"Token": "cut o"#), r#"{"Token": "[redacted]""#);
    }

    #[test]
    fn what_a_body_sets_is_hidden_in_every_spelling() {
        let body = br#"{"NewPassw\u006frd": ["s3cret-word"], "PIN": 493817, "AuthenticationKey": "auth-key-1",
                "Host": "https://user:uri-pass@host/x", "Key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n"}"#;
        let mut redactor = Redactor::default();
        redactor.add_json(body);
        let spellings = |secret: &str| {
            let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
            let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
            let within = |before: &str| STANDARD.encode(format!("{before}{secret} after"));
            [
                secret.to_owned(),
                hex.to_uppercase(),
                hex,
                percent,
                STANDARD.encode(secret),
                within(""),
                within("a"),
                within("ab"),
                within("abc"),
            ]
        };
        for secret in ["s3cret-word", "493817", "auth-key-1", "user:uri-pass", "uri-pass", "MIIEvQIBADANBg"] {
            for spelling in spellings(secret) {
                let shown = redactor.clean(&format!("it is {spelling}!"));
                assert!(shown.contains(REDACTED), "{secret} as {spelling}: {shown}");
                let piece = &spelling[spelling.len() / 4..spelling.len() / 2];
                assert!(!shown.contains(piece), "{secret} as {spelling}: {shown}");
            }
        }
    }

    #[test]
    fn what_describes_a_secret_and_what_stands_in_many_texts_hides_nothing() {
        let body = br#"{"MinPasswordLength": 12000, "PasswordName": "Administrator", "Password": "***", "Token": "none",
                "Secret": "abc", "PasswordEnabled": "Enabled", "PasswordSet": true, "PIN": 123, "SharedSecret": null}"#;
        let mut redactor = Redactor::default();
        redactor.add_json(body);
        let text = "12000 Administrator *** none abc Enabled true 123 null";
        assert_eq!(redactor.clean(text), text);
        let actions = r##"{"Actions": {"#Bios.ChangePassword": {"target": "/redfish/v1/x"}}, "MinPasswordLength": 12}"##;
        assert_eq!(redactor.clean_json(actions), actions);
    }

    #[test]
    fn earlier_tokens_are_kept_in_number() {
        let mut redactor = Redactor::default();
        (0..100).for_each(|n| redactor.add_token(&Secret::from(&*format!("token-{n}-end"))));
        assert_eq!(redactor.tokens.len(), MAX_TOKENS);
        assert_eq!(redactor.clean("token-99-end token-96-end"), "[redacted] [redacted]");
    }

    #[test]
    fn the_tokens_of_an_older_session_push_no_newer_one_out() {
        let of = |numbers: std::ops::Range<u32>| {
            let mut redactor = Redactor::default();
            numbers.for_each(|n| redactor.add_token(&Secret::from(&*format!("token-{n}-end"))));
            Arc::new(redactor)
        };
        for (one, other) in [(of(1..5), of(0..4)), (of(0..4), of(1..5)), (of(4..5), of(0..4))] {
            let all = one.and(&other);
            assert_eq!(all.clean("token-4-end token-3-end"), "[redacted] [redacted]");
            assert!(all.tokens.len() <= MAX_TOKENS);
        }
    }

    #[test]
    fn a_secret_over_two_lines_is_one() {
        assert_eq!(knowing("pass word").clean("pass\nword"), REDACTED);
    }
}
