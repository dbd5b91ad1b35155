//! Messages as the service sent them, which a response is judged by. Nothing of them is shown.

use std::borrow::Cow;

use serde_json::Value;

use super::meaning::{Meaning, meaning};
use crate::task::is_task;

/// The name of a list of messages, and the end of its name if it is about one member.
const EXTENDED_INFO: &str = "@Message.ExtendedInfo";

/// Objects of a body that hold messages. The last two are Supermicro's.
const HOLDERS: [&str; 3] = ["error", "Success", "Accepted"];

/// The names of a message's id: that of the standard, that of iLO 4, and that of an error without messages.
pub(super) const ID: [&str; 3] = ["MessageId", "MessageID", "code"];

/// The members of a message (DSP0268, Message).
const MEMBERS: [&str; 10] = [
    "MessageId",
    "MessageID",
    "Message",
    "MessageArgs",
    "MessageSeverity",
    "Severity",
    "Resolution",
    "ResolutionSteps",
    "RelatedProperties",
    "Oem",
];

/// A message: an object, or only its text.
#[derive(Clone, Debug)]
pub(crate) struct RawMessage<'a> {
    pub(super) entry: &'a Value,
    /// The JSON pointer of the member that it stands beside.
    pub(crate) beside: Option<String>,
}

impl<'a> RawMessage<'a> {
    /// The messages of a document about the whole request.
    pub(crate) fn all_of(document: &'a Value) -> Vec<RawMessage<'a>> {
        let mut found = Vec::new();
        let holders = HOLDERS.iter().filter_map(|name| document.get(name));
        for holder in holders.clone() {
            found.extend(holder.is_array().then(|| RawMessage::list(holder)).into_iter().flatten());
        }
        for holder in holders.clone().chain([document]) {
            found.extend(holder.get(EXTENDED_INFO).into_iter().flat_map(RawMessage::list));
        }
        // Those of a resource, above all of a Task, are about something else.
        let is_resource = document.get("@odata.id").is_some() || is_task(document);
        let legacy = document.get("Messages").filter(|messages| messages.is_array() && !is_resource);
        found.extend(legacy.into_iter().flat_map(RawMessage::list));
        if found.is_empty() {
            let only = holders.map(RawMessage::about_the_whole);
            found.extend(only.filter(|only| !only.id().is_empty() || only.has_text()));
            found.extend(is_message(document).then(|| RawMessage::about_the_whole(document)));
        }
        found
    }

    /// The messages beside single members of a document, or within objects of it, such as `AssetTag@Message.ExtendedInfo`.
    pub(crate) fn beside_members(document: &'a Value) -> Vec<RawMessage<'a>> {
        let mut found = Vec::new();
        collect(document, "", &mut found);
        found
    }

    /// The entries of a list, also of a list in a list, or the only entry in place of the list.
    pub(crate) fn list(entries: &'a Value) -> Vec<RawMessage<'a>> {
        match entries {
            Value::Array(entries) => entries.iter().flat_map(RawMessage::list).collect(),
            Value::Object(_) | Value::String(_) => vec![RawMessage::about_the_whole(entries)],
            _ => Vec::new(),
        }
    }

    fn about_the_whole(entry: &'a Value) -> RawMessage<'a> {
        RawMessage { entry, beside: None }
    }

    /// The first of these members that is a text and not empty.
    fn text(&self, names: &[&str]) -> &'a str {
        let texts = names.iter().filter_map(|name| self.entry.get(name)?.as_str()).map(str::trim);
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    pub(super) fn id(&self) -> &'a str {
        self.text(&ID)
    }

    fn has_text(&self) -> bool {
        self.entry.is_string() || self.entry.get("message").or_else(|| self.entry.get("Message")).is_some()
    }

    pub(super) fn key(&self) -> &'a str {
        self.id().rsplit('.').next().unwrap_or_default()
    }

    /// Whether it has a text without a key, so that only a person can judge it.
    pub(super) fn is_only_text(&self) -> bool {
        self.id().is_empty()
    }

    /// Whether this is the message with this key, in any registry and version.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key().eq_ignore_ascii_case(key)
    }

    pub(super) fn meaning(&self) -> Meaning {
        let severities = ["MessageSeverity", "Severity"].map(|name| self.text(&[name]));
        // Services that report both may report different ones.
        let critical = severities.into_iter().find(|severity| severity.eq_ignore_ascii_case("critical"));
        meaning(self.key(), critical.unwrap_or_else(|| self.text(&["MessageSeverity", "Severity"])))
    }

    pub(crate) fn is_refusal(&self) -> bool {
        self.meaning() == Meaning::Refusal
    }

    pub(crate) fn is_success(&self) -> bool {
        self.meaning() == Meaning::Success
    }

    /// The members that it is about, as JSON pointers. In `RelatedProperties` they begin with a number sign, with some
    /// services not even with a slash.
    pub(crate) fn related(&self) -> Vec<Cow<'_, str>> {
        if let Some(beside) = &self.beside {
            return vec![Cow::Borrowed(beside)];
        }
        let names = items(self.entry, "RelatedProperties").iter().filter_map(Value::as_str);
        let names = names.map(|name| name.trim_start_matches('#').trim_start_matches('/'));
        names.filter(|name| !name.is_empty()).map(|name| Cow::Owned(format!("/{name}"))).collect()
    }

    /// Whether it says that the service has accepted a request, as `Base.1.10.Accepted` does.
    pub(crate) fn says_accepted(&self) -> bool {
        self.key().to_ascii_lowercase().contains("accepted")
    }

    /// Its arguments. In most messages about a member, the first one is the name of the member.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &'a str> {
        items(self.entry, "MessageArgs").iter().filter_map(Value::as_str)
    }
}

/// Whether a document is a message alone, without an `error` around it. A log entry has more members.
pub(super) fn is_message(document: &Value) -> bool {
    let is_annotation = |name: &str| name.contains('@') && name != "@odata.id";
    let is_member = |name: &String| is_annotation(name) || MEMBERS.contains(&name.as_str());
    let has_id =
        ["MessageId", "MessageID"].iter().any(|name| document.get(name).is_some_and(Value::is_string));
    has_id && document.as_object().is_some_and(|members| members.keys().all(is_member))
}

fn collect<'a>(value: &'a Value, pointer: &str, found: &mut Vec<RawMessage<'a>>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| has_members(item)) {
                collect(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                match name.strip_suffix(EXTENDED_INFO) {
                    // Those about the whole request.
                    Some("") if pointer.is_empty() => {}
                    None if pointer.is_empty() && HOLDERS.contains(&name.as_str()) => {}
                    None if has_members(value) => {
                        collect(value, &format!("{pointer}/{}", escaped(name)), found)
                    }
                    None => {}
                    Some(member) => {
                        let beside = if member.is_empty() {
                            pointer.to_owned()
                        } else {
                            format!("{pointer}/{}", escaped(member))
                        };
                        let messages = RawMessage::list(value).into_iter();
                        found.extend(messages.map(|m| RawMessage { beside: Some(beside.clone()), ..m }));
                    }
                }
            }
        }
        _ => {}
    }
}

fn has_members(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// The items of a list, or a single item in place of the list.
pub(super) fn items<'a>(entry: &'a Value, name: &str) -> &'a [Value] {
    match entry.get(name) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => &[],
        Some(item) => std::slice::from_ref(item),
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
pub(crate) fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}
