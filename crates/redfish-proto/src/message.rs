//! The messages of an error response (DSP0266, "Error responses").

use std::borrow::Cow;

use serde_json::Value;

use crate::redact::{Redactor, SafeText};

/// Maximum number of messages that are read from one body.
const MAX_MESSAGES: usize = 100;

/// Maximum number of characters of a text in an error.
const MAX_TEXT_CHARACTERS: usize = 2_000;

/// Maximum number of bytes that are read of one text: a hostile body may be as large as the limit for bodies.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// Maximum number of bytes that are read of all texts of one body or one error.
pub(crate) const MAX_TOTAL_BYTES: usize = 256 << 10;

/// One message of an error body's `@Message.ExtendedInfo`. A missing member is empty.
///
/// Secrets that the client knows are removed from every text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The `MessageId`, such as `Base.1.8.InsufficientPrivilege`.
    pub id: SafeText,
    /// The `Message`: what happened.
    pub text: SafeText,
    /// The `MessageArgs`, as text.
    pub args: Vec<SafeText>,
    /// The `MessageSeverity` or the older `Severity`: `OK`, `Warning` or `Critical`.
    pub severity: SafeText,
    /// The `Resolution`: what to do about it.
    pub resolution: SafeText,
    /// The `RelatedProperties`: the members the message is about, as JSON pointers.
    pub related: Vec<SafeText>,
}

impl Message {
    /// Whether this is the message with this key, in any registry and version: `Base.1.8.1.Success`,
    /// `Base.v1_4_0.Success` and `Success` are all `Success`.
    pub fn is(&self, key: &str) -> bool {
        self.id.trim().rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(key))
    }

    /// Whether it reports a success.
    pub(crate) fn is_success(&self) -> bool {
        const SUCCESS: [&str; 4] = ["Success", "Created", "AccountModified", "NoOperation"];
        self.severity.eq_ignore_ascii_case("ok") || SUCCESS.iter().any(|key| self.is(key))
    }
}

/// Reads the messages of a body in all known forms: `error` with a list or a single object (iDRAC), the list at the
/// root (the response to a login that requires a new password), or an `error` with only a code.
pub(crate) fn messages(body: &[u8], redactor: &Redactor) -> Vec<Message> {
    let Ok(body) = serde_json::from_slice::<Value>(strip_bom(body)) else { return Vec::new() };
    let mut reader = MessageReader::new(redactor);
    let error = body.get("error");
    let holders = error.into_iter().chain([&body]);
    let mut found: Vec<Message> = holders
        .filter_map(|holder| holder.get("@Message.ExtendedInfo"))
        .flat_map(|entries| reader.list(entries))
        .collect();
    if found.is_empty() {
        let mut member = |name| error.and_then(|e| e.get(name)).map(|v| reader.text(v)).unwrap_or_default();
        let only = Message { id: member("code"), text: member("message"), ..Message::default() };
        if only != Message::default() {
            found.push(only);
        }
    }
    found.truncate(MAX_MESSAGES);
    found
}

/// Reads a list of messages, or a single message in place of the list.
pub(crate) fn read_list(entries: &Value, redactor: &Redactor) -> Vec<Message> {
    MessageReader::new(redactor).list(entries)
}

/// Whether the body of a successful status reports an error: an `error` without any message of success.
pub(crate) fn is_error(body: &[u8], redactor: &Redactor) -> bool {
    // A resource has no member `error`, so most bodies need not be parsed twice.
    let start = body.get(..256).unwrap_or(body);
    let readable = std::str::from_utf8(start).map_or_else(|cut| cut.valid_up_to(), str::len);
    let text = start.get(..readable).and_then(|start| std::str::from_utf8(start).ok()).unwrap_or_default();
    if !text.contains("\"error\"") {
        return false;
    }
    let messages = messages(body, redactor);
    !messages.is_empty() && !messages.iter().any(Message::is_success)
}

/// Removes the byte order mark that some services send.
pub(crate) fn strip_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether a body is a web page, whatever its media type says.
pub(crate) fn is_page(body: &[u8]) -> bool {
    strip_bom(body).trim_ascii_start().starts_with(b"<")
}

/// The text of a body that is not JSON, on one line: an HTML page without its tags, shortened.
pub(crate) fn page_text(body: &[u8], redactor: &Redactor) -> SafeText {
    let window = body.get(..MAX_TEXT_BYTES).unwrap_or(body);
    let text = String::from_utf8_lossy(strip_bom(window));
    // Secrets are removed first, since a tag or a cut inside a secret would hide it from the search.
    let redacted = redactor.clean(&text);
    let redacted =
        if window.len() < body.len() { without_partial_secret(redacted, redactor) } else { redacted };
    redacted.without_tags().shortened(200)
}

/// Reads the texts of one body, up to a total length. Any further text is empty.
struct MessageReader<'a> {
    redactor: &'a Redactor,
    bytes_left: usize,
}

impl MessageReader<'_> {
    fn new(redactor: &Redactor) -> MessageReader<'_> {
        MessageReader { redactor, bytes_left: MAX_TOTAL_BYTES }
    }

    fn list(&mut self, entries: &Value) -> Vec<Message> {
        match entries {
            Value::Array(entries) => {
                entries.iter().take(MAX_MESSAGES).filter_map(|entry| self.message(entry)).collect()
            }
            entry => self.message(entry).into_iter().collect(),
        }
    }

    fn message(&mut self, entry: &Value) -> Option<Message> {
        match entry {
            Value::String(_) => Some(Message { text: self.text(entry), ..Message::default() }),
            Value::Object(_) => Some(Message {
                id: self.member(entry, "MessageId"),
                text: self.member(entry, "Message"),
                args: self.texts(entry, "MessageArgs"),
                severity: Some(self.member(entry, "MessageSeverity"))
                    .filter(|severity| !severity.is_empty())
                    .unwrap_or_else(|| self.member(entry, "Severity")),
                resolution: self.member(entry, "Resolution"),
                related: self.texts(entry, "RelatedProperties"),
            }),
            _ => None,
        }
    }

    fn member(&mut self, entry: &Value, name: &str) -> SafeText {
        entry.get(name).map(|value| self.text(value)).unwrap_or_default()
    }

    fn texts(&mut self, entry: &Value, name: &str) -> Vec<SafeText> {
        match entry.get(name) {
            Some(Value::Array(items)) => {
                items.iter().take(MAX_MESSAGES).map(|value| self.text(value)).collect()
            }
            Some(Value::Null) | None => Vec::new(),
            Some(item) => vec![self.text(item)],
        }
    }

    fn text(&mut self, value: &Value) -> SafeText {
        let text = match value {
            Value::Null => return SafeText::default(),
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        redacted_text(&text, self.redactor, &mut self.bytes_left)
    }
}

/// A body without secrets, known by value or by the names of members, up to 256 KiB.
pub(crate) fn redacted_body(body: &[u8], redactor: &Redactor) -> SafeText {
    let text = String::from_utf8_lossy(body.get(..MAX_TOTAL_BYTES).unwrap_or(body));
    let redacted = redactor.clean_json(&text);
    match body.len().checked_sub(MAX_TOTAL_BYTES).filter(|more| *more > 0) {
        Some(more) => {
            without_partial_secret(redacted, redactor).followed_by(format_args!("… ({more} more bytes)"))
        }
        None => redacted,
    }
}

/// A text of a peer without secrets, shortened. Deducts its length from the bytes that may still be read.
pub(crate) fn redacted_text(text: &str, redactor: &Redactor, bytes_left: &mut usize) -> SafeText {
    let end = char_boundary(text, MAX_TEXT_BYTES.min(*bytes_left));
    *bytes_left -= end;
    let redacted = redactor.clean(text.get(..end).unwrap_or_default());
    let redacted = if end < text.len() { without_partial_secret(redacted, redactor) } else { redacted };
    redacted.shortened(MAX_TEXT_CHARACTERS)
}

/// Removes the end of a text that was cut, where the beginning of a secret may be left.
fn without_partial_secret(redacted: SafeText, redactor: &Redactor) -> SafeText {
    let end = char_boundary(&redacted, redacted.len().saturating_sub(redactor.max_encoded_length()));
    redacted.up_to(end)
}

/// The last position up to `end` that is between two characters.
fn char_boundary(text: &str, end: usize) -> usize {
    (0..=end.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str) -> Vec<SafeText> {
        messages(body.as_bytes(), &Redactor::default()).into_iter().map(|m| m.id).collect()
    }

    #[test]
    fn every_form_of_an_error_body_is_read() {
        for (body, expected) in [
            (
                r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"A.1.X"},{"MessageId":"A.1.Y"}]}}"#,
                vec!["A.1.X", "A.1.Y"],
            ),
            (r#"{"error":{"@Message.ExtendedInfo":{"MessageId":"A.1.X"}}}"#, vec!["A.1.X"]),
            (r#"{"@Message.ExtendedInfo":[{"MessageId":"A.1.X","@odata.type":"Message"}]}"#, vec!["A.1.X"]),
            (r#"{"error":{"code":"A.1.G","message":"no"}}"#, vec!["A.1.G"]),
            (r#"{"error":{"message":"no"}}"#, vec![""]),
            (r#"{"error":{"code":"A.1.G","@Message.ExtendedInfo":[]}}"#, vec!["A.1.G"]),
            (r#"{"error":"no"}"#, vec![]),
            (r#"{"error":{"@Message.ExtendedInfo":[null,7,"text"]}}"#, vec![""]),
            ("[]", vec![]),
            ("<html>", vec![]),
            ("", vec![]),
            ("\u{feff}{\"error\":{\"code\":\"A.1.G\"}}", vec!["A.1.G"]),
        ] {
            assert_eq!(ids(body), expected, "{body}");
        }
    }

    #[test]
    fn an_id_is_matched_without_registry_and_version() {
        for id in
            ["Base.1.8.1.Success", "Base.v1_4_0.Success", "iLO.2.0.Success", "Success", " Base.1.0.success "]
        {
            assert!(Message { id: id.into(), ..Message::default() }.is("Success"), "{id}");
        }
        assert!(!Message { id: "Base.1.0.NoSuccess".into(), ..Message::default() }.is("Success"));
    }

    #[test]
    fn a_success_that_reports_a_failure_is_an_error() {
        let none = Redactor::default();
        for (body, error) in [
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.8.1.Success"}]}}"#, false),
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.1.GeneralError"}]}}"#, true),
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"X.1.Y","Severity":"OK"}]}}"#, false),
            (r#"{"Id":"1","error":null}"#, false),
            (r#"{"Id":"1"}"#, false),
        ] {
            assert_eq!(is_error(body.as_bytes(), &none), error, "{body}");
        }
    }

    #[test]
    fn a_text_cut_within_a_secret_shows_no_part_of_it() {
        let secret = "s3cret".repeat(500);
        let mut redactor = Redactor::default();
        redactor.add(&secret);
        let long = secret.repeat(10);
        let messages =
            super::messages(format!(r#"{{"error": {{"message": "{long}"}}}}"#).as_bytes(), &redactor);
        assert!(!format!("{messages:?}").contains("s3cret"), "{messages:?}");
        assert!(!page_text(long.as_bytes(), &redactor).contains("s3cret"));
        // A long text without a secret is only shortened.
        let long = format!(r#"{{"error": {{"message": "{}"}}}}"#, "ä".repeat(100_000));
        let messages = super::messages(long.as_bytes(), &Redactor::default());
        assert_eq!(messages[0].text.chars().count(), MAX_TEXT_CHARACTERS + 1);
    }

    #[test]
    fn all_texts_of_a_body_together_are_bounded() {
        let text = "%25".repeat(MAX_TEXT_BYTES);
        let entry =
            serde_json::json!({"Message": text, "MessageArgs": [text, text, text], "Resolution": text});
        let body = serde_json::json!({"error": {"@Message.ExtendedInfo": vec![entry; 9]}}).to_string();
        let messages = super::messages(body.as_bytes(), &Redactor::default());
        let texts = messages.iter().flat_map(|m| m.args.iter().chain([&m.text, &m.resolution]));
        let read = texts.filter(|text| !text.is_empty()).count();
        assert_eq!((messages.len(), read), (9, MAX_TOTAL_BYTES / MAX_TEXT_BYTES));
    }

    #[test]
    fn a_long_body_is_shown_up_to_a_limit_without_a_part_of_a_secret() {
        let mut redactor = Redactor::default();
        redactor.add("a-secret-on-the-edge");
        let body = format!("{{\"a\": \"{}", "x".repeat(MAX_TOTAL_BYTES - 16))
            + "a-secret-on-the-edge"
            + &"y".repeat(1 << 20);
        let redacted = redacted_body(body.as_bytes(), &redactor);
        assert!(
            !redacted.contains("a-sec")
                && redacted.ends_with(" more bytes)")
                && redacted.len() < MAX_TOTAL_BYTES + 100
        );
        assert_eq!(redacted_body(b"{\"Password\": \"x\"}", &redactor), "{\"Password\": \"[redacted]\"}");
    }

    #[test]
    fn a_web_page_becomes_one_line() {
        let page = b"<html><head><title>401</title></head>\n<body>Not \xff here</body>";
        assert_eq!(page_text(page, &Redactor::default()), "401 Not \u{fffd} here");
    }
}
