//! The messages of a response (DSP0266, "Error responses").

mod condition;
mod meaning;
mod raw;

use std::borrow::Cow;

use serde_json::Value;

use crate::json::{self, strip_bom};
use crate::redact::{Redactor, SafeText};

pub(crate) use condition::Condition;
use meaning::Meaning;
use raw::{ID, items};

pub(crate) use raw::{RawMessage, escaped};

/// Maximum number of messages that are read from one body.
const MAX_MESSAGES: usize = 100;

/// Maximum number of characters of a text in an error.
const MAX_TEXT_CHARACTERS: usize = 2_000;

/// Maximum number of bytes that are read of one text: a hostile body may be as large as the limit for bodies.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// Maximum number of bytes that are read of all texts of one body or one error.
pub(crate) const MAX_TOTAL_BYTES: usize = 256 << 10;

/// Number of bytes at the start of a body where an `error` in place of a resource is looked for.
const ERROR_START: usize = 1 << 10;

/// Number of bytes at the start of a body, or at its end, where an `error` beside data is looked for.
const ERROR_WINDOW: usize = 16 << 10;

/// One message of a response, from its `@Message.ExtendedInfo`. A missing member is empty.
///
/// Secrets that the client knows are removed from every text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The `MessageId`, such as `Base.1.8.InsufficientPrivilege`. iLO 4 calls it `MessageID`.
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
    /// What it meant before secrets were removed, and the known key that it had.
    pub(crate) judged: Option<(Meaning, Option<&'static str>)>,
}

impl Message {
    /// Whether this is the message with this key, in any registry and version: `Base.1.8.1.Success`,
    /// `Base.v1_4_0.Success` and `Success` are all `Success`.
    pub fn is(&self, key: &str) -> bool {
        self.key().eq_ignore_ascii_case(key)
    }

    /// Whether it means, in a response whose status is a success, that the request or a part of it was not carried out.
    ///
    /// A table of the keys of DMTF's Base registry and of some vendors decides, whatever the severity. Any other key is a
    /// refusal if its severity is `Critical`, or if its words say so and its severity is not `OK`.
    pub fn is_refusal(&self) -> bool {
        self.meaning() == Meaning::Refusal
    }

    /// The refusals beside the data of a body: some services return a resource together with an `error` about a part of it
    /// that they could not read, or send the error as a document of its own before it. Empty if there are no data.
    pub fn beside_data(body: &[u8], redactor: &Redactor) -> Vec<Message> {
        // Such an error comes first or last, so most bodies need not be parsed for it.
        let (start, end) = (body.get(..ERROR_WINDOW), body.len().saturating_sub(ERROR_WINDOW));
        if !may_have_messages(start.unwrap_or(body), false)
            && !may_have_messages(body.get(end..).unwrap_or_default(), false)
        {
            return Vec::new();
        }
        let documents = json::documents(body);
        if !documents.last().is_some_and(has_data) {
            return Vec::new();
        }
        let raw: Vec<RawMessage<'_>> = documents.iter().flat_map(RawMessage::all_of).collect();
        shown(raw.iter().filter(|message| message.is_refusal() || message.is_only_text()), redactor)
    }

    /// The message of a Task that ended well, which is a notice whatever it says.
    pub(crate) fn into_notice(self) -> Message {
        let known = self.judged.and_then(|(_, known)| known);
        Message { judged: Some((Meaning::Notice, known)), ..self }
    }

    fn key(&self) -> &str {
        // A password may be a part of a key.
        let known = self.judged.and_then(|(_, known)| known);
        known.unwrap_or_else(|| self.id.trim().rsplit('.').next().unwrap_or_default())
    }

    fn meaning(&self) -> Meaning {
        match self.judged {
            Some((meaning, _)) => meaning,
            None => meaning::meaning(self.key(), self.severity.trim()),
        }
    }
}

/// Reads the messages of a body in all known forms: `error` with a list or a single object (iDRAC), the list at the
/// root (the response to a login that requires a new password), `Messages` (iLO 4), an `error` or `Success` with only a
/// code, or a message alone (OpenManage Enterprise).
pub(crate) fn messages(body: &[u8], redactor: &Redactor) -> Vec<Message> {
    let documents = json::documents(body);
    let raw: Vec<RawMessage<'_>> = documents.iter().flat_map(RawMessage::all_of).collect();
    shown(&raw, redactor)
}

/// The messages to show. The first ones, since a body may have any number of them.
pub(crate) fn shown<'a>(
    raw: impl IntoIterator<Item = &'a RawMessage<'a>>,
    redactor: &Redactor,
) -> Vec<Message> {
    let mut reader = MessageReader::new(redactor);
    raw.into_iter().take(MAX_MESSAGES).map(|message| reader.message(message)).collect()
}

/// Whether the body of a read is an error instead of a resource: an `error` that reports no success, without data beside
/// it. Some services return data and an `error` about one member.
pub(crate) fn is_error(body: &[u8]) -> bool {
    // Most bodies need not be parsed twice.
    let start = body.trim_ascii_start();
    let start = start.get(..ERROR_START).unwrap_or(start);
    if !may_have_messages(start, body.len() <= ERROR_WINDOW) {
        return false;
    }
    let documents = json::documents(body);
    let messages: Vec<RawMessage<'_>> = documents.iter().flat_map(RawMessage::all_of).collect();
    let is_error = |document: &Value| document.get("error").is_some() || raw::is_message(document);
    let is_reported = || documents.iter().any(is_error);
    !documents.last().is_some_and(has_data)
        && !messages.iter().any(RawMessage::is_success)
        && (messages.iter().any(RawMessage::is_refusal) || (!messages.is_empty() && is_reported()))
}

/// Whether a part of a body may have messages, or is the start of a message alone, which is short. What is not text is parsed to be sure.
fn may_have_messages(window: &[u8], is_short: bool) -> bool {
    std::str::from_utf8(window).map_or(true, |text| {
        text.contains("\"error\"")
            || text.contains("@Message.ExtendedInfo")
            || (is_short && text.contains("\"MessageId\""))
    })
}

/// Whether a body has members of a resource, besides messages.
pub(crate) fn has_data(body: &Value) -> bool {
    let is_data = |name: &String| !matches!(name.as_str(), "error" | "Success") && !name.contains('@');
    body.as_object().is_some_and(|members| members.keys().any(is_data)) && !raw::is_message(body)
}

/// Reads a list of messages, or a single message in place of the list.
pub(crate) fn read_list(entries: &Value, redactor: &Redactor) -> Vec<Message> {
    shown(&RawMessage::list(entries), redactor)
}

/// Whether a body has only messages, as the response to an operation has, and no resource.
pub(crate) fn is_only_messages(body: &Value) -> bool {
    !has_data(body) && !RawMessage::all_of(body).is_empty()
}

/// Whether a body is a web page, or other markup, which no Redfish service means as its answer.
pub(crate) fn is_web_page(body: &[u8]) -> bool {
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
    redactor.without_cut_secret(redacted.without_tags()).shortened(200)
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

    fn message(&mut self, raw: &RawMessage<'_>) -> Message {
        let judged = Some((raw.meaning(), meaning::known(raw.key())));
        let entry = raw.entry;
        if entry.is_string() {
            return Message { text: self.text(entry), judged, ..Message::default() };
        }
        Message {
            id: self.first_member(entry, &ID),
            text: self.first_member(entry, &["Message", "message"]),
            args: self.texts(entry, "MessageArgs"),
            severity: self.first_member(entry, &["MessageSeverity", "Severity"]),
            resolution: self.first_member(entry, &["Resolution"]),
            related: raw.related().iter().take(MAX_MESSAGES).map(|pointer| self.clean(pointer)).collect(),
            judged,
        }
    }

    /// The first of these members that is not empty.
    fn first_member(&mut self, entry: &Value, names: &[&str]) -> SafeText {
        let texts = names.iter().filter_map(|name| entry.get(name)).map(|value| self.text(value));
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    fn texts(&mut self, entry: &Value, name: &str) -> Vec<SafeText> {
        items(entry, name).iter().take(MAX_MESSAGES).map(|value| self.text(value)).collect()
    }

    fn text(&mut self, value: &Value) -> SafeText {
        // OData's errors have a text with its language.
        let value = value.get("value").filter(|text| text.is_string()).unwrap_or(value);
        let text = match value {
            Value::Null => return SafeText::default(),
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        self.clean(&text)
    }

    fn clean(&mut self, text: &str) -> SafeText {
        redacted_text(text, self.redactor, &mut self.bytes_left)
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
            (r#"{"error":"no"}"#, vec![""]),
            (r#"{"error":[{"MessageId":"A.1.X"}]}"#, vec!["A.1.X"]),
            (r#"{"@Message.ExtendedInfo":[[{"MessageId":"A.1.X"}]]}"#, vec!["A.1.X"]),
            (
                r#"{"Accepted":{"code":"A.1.G","@Message.ExtendedInfo":[{"MessageID":"A.1.X"}]}}"#,
                vec!["A.1.X"],
            ),
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
        for (body, error) in [
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.8.1.Success"}]}}"#, false),
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.1.GeneralError"}]}}"#, true),
            (r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"X.1.Y","Severity":"OK"}]}}"#, false),
            (r#"{"Id":"1","error":null}"#, false),
            (r#"{"Id":"1"}"#, false),
        ] {
            assert_eq!(is_error(body.as_bytes()), error, "{body}");
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
        let mut redactor = Redactor::default();
        redactor.add("S3CRETPASSWORD");
        assert_eq!(page_text(b"{\"message\":\"S3CRETPASSWO", &redactor), "{\"message\":\"[redacted]");
    }
}
