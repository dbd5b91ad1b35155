//! Judges the messages of a success: whether all of a request was carried out, a part of it, or nothing.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::answer::Answer;
use crate::json;
use crate::link::link_at;
use crate::message::{self, Message, RawMessage, escaped};
use crate::redact::SafeText;

/// Maximum number of members that are named as accepted, and as rejected.
const MAX_NAMED: usize = 1_000;

/// What the messages of a success mean.
pub(crate) struct Judgment {
    /// The messages to show, refusals first.
    pub(crate) messages: Vec<Message>,
    pub(crate) verdict: Verdict,
}

/// How much of a request was carried out.
pub(crate) enum Verdict {
    All,
    /// The members of the request that were accepted and those that were not, as JSON pointers, as far as they are known.
    Part {
        accepted: Vec<SafeText>,
        rejected: Vec<SafeText>,
    },
    Nothing,
}

impl Judgment {
    /// Judges a response. Every message counts, although only the first ones are shown. `has_monitor` says whether the
    /// service has accepted the request, which is a sign of success.
    pub(crate) fn of(answer: &Answer, has_monitor: bool) -> Judgment {
        let documents = answer.body.as_ref().map(|body| json::documents(body)).unwrap_or_default();
        let document = documents.last().unwrap_or(&Value::Null);
        let sent = sent_members(answer);
        let beside = RawMessage::beside_members(document);
        let is_shown = message::has_data(document) || beside.iter().any(RawMessage::is_refusal);
        let all: Vec<RawMessage<'_>> = documents.iter().flat_map(RawMessage::all_of).chain(beside).collect();
        let (refusals, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|message| message.is_refusal() && is_about(message, &sent));
        let verdict = if refusals.is_empty() {
            Verdict::All
        } else {
            let successes: Vec<&RawMessage<'_>> = others.iter().filter(|m| m.is_success()).collect();
            let evidence = Evidence {
                answer,
                document,
                sent: &sent,
                is_shown,
                refusals: &refusals,
                successes: &successes,
            };
            evidence.verdict(has_monitor)
        };
        // What is not about the request is a notice, whatever it says.
        let shown = message::shown(refusals.iter().chain(&others), &answer.redactor);
        let as_judged = |(at, message): (usize, Message)| {
            if at >= refusals.len() && message.is_refusal() { message.into_notice() } else { message }
        };
        Judgment { messages: shown.into_iter().enumerate().map(as_judged).collect(), verdict }
    }
}

/// What is known of a request that was refused, at least in part.
struct Evidence<'a> {
    answer: &'a Answer,
    document: &'a Value,
    sent: &'a [(String, Value)],
    /// Whether the response shows the resource, so that a member without a message was accepted.
    is_shown: bool,
    refusals: &'a [RawMessage<'a>],
    successes: &'a [&'a RawMessage<'a>],
}

impl Evidence<'_> {
    fn verdict(&self, has_monitor: bool) -> Verdict {
        let rejected = self.rejected();
        let accepted = self.accepted(&rejected);
        let is_partial = has_monitor
            || !accepted.is_empty()
            || !self.successes.is_empty()
            || was_created(self.answer, self.document)
            || (is_action(self.answer) && self.refusals.iter().all(is_left_out));
        if !is_partial {
            return Verdict::Nothing;
        }
        let named = rejected.iter().take(MAX_NAMED).map(|pointer| self.answer.safe(pointer)).collect();
        let accepted = accepted.into_iter().take(MAX_NAMED).map(|pointer| self.answer.safe(pointer));
        Verdict::Part { accepted: accepted.collect(), rejected: named }
    }

    /// The members that the refusals name.
    fn rejected(&self) -> BTreeSet<String> {
        let named = |refusal: &RawMessage<'_>| match refusal.related() {
            related if related.is_empty() => {
                by_argument(refusal, self.sent).map(str::to_owned).into_iter().collect()
            }
            related => related.into_iter().map(|pointer| pointer.into_owned()).collect::<Vec<_>>(),
        };
        self.refusals.iter().flat_map(named).collect()
    }

    /// The members that were sent and accepted: those that a success names or the response shows with the value that was
    /// sent, and, if each refusal names its member, all that are left.
    fn accepted(&self, rejected: &BTreeSet<String>) -> Vec<&str> {
        let all_named = self
            .refusals
            .iter()
            .all(|refusal| !refusal.related().is_empty() || by_argument(refusal, self.sent).is_some());
        let is_left = all_named && (self.is_shown || !self.successes.is_empty());
        let by_success: BTreeSet<String> =
            self.successes.iter().flat_map(|m| m.related()).map(|pointer| pointer.into_owned()).collect();
        let is_accepted = |(pointer, value): &&(String, Value)| {
            !overlaps(pointer, rejected)
                && (is_left
                    || is_within_any(pointer, &by_success)
                    || self.document.pointer(pointer) == Some(value))
        };
        self.sent.iter().filter(is_accepted).map(|(pointer, _)| pointer.as_str()).collect()
    }
}

/// Whether a message is about the request. One beside a member that was not sent is about the resource, for example that a
/// sensor could not be read for the response.
fn is_about(message: &RawMessage<'_>, sent: &[(String, Value)]) -> bool {
    let Some(beside) = &message.beside else { return true };
    let name = beside.rsplit('/').next();
    sent.is_empty()
        || sent.iter().any(|(pointer, _)| {
            is_below(pointer, beside) || is_below(beside, pointer) || pointer.rsplit('/').next() == name
        })
}

/// Whether a pointer is the other one, or leads to a part of it.
fn is_below(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The member of the request that the first argument of a message names.
fn by_argument<'s>(message: &RawMessage<'_>, sent: &'s [(String, Value)]) -> Option<&'s str> {
    let name = message.arguments().next()?.trim_start_matches('#').trim_start_matches('/');
    let is_named = |pointer: &str| pointer.rsplit('/').next() == Some(name) || pointer.get(1..) == Some(name);
    sent.iter().map(|(pointer, _)| pointer.as_str()).find(|pointer| is_named(pointer))
}

/// Whether a message is about a parameter without which an action was carried out.
fn is_left_out(message: &RawMessage<'_>) -> bool {
    message.is("ActionParameterUnknown") || message.is("ActionParameterNotSupported")
}

fn is_action(answer: &Answer) -> bool {
    let (method, target) = answer.requested();
    *method == Method::POST && target.path().contains("/Actions/")
}

/// Whether a response shows that a resource was created: by its status, by a `Location`, or by the resource itself.
fn was_created(answer: &Answer, document: &Value) -> bool {
    let (method, requested) = answer.requested();
    if *method != Method::POST || is_action(answer) {
        return false;
    }
    let shown = link_at(document, "/@odata.id").and_then(|link| answer.resolve_path_only(link).ok());
    answer.status() == StatusCode::CREATED
        || answer.location_header().is_some()
        || shown.is_some_and(|shown| message::has_data(document) && !shown.is_same_except_slash(requested))
}

/// Whether one of these pointers is the member, or an object that contains it.
fn is_within_any(member: &str, pointers: &BTreeSet<String>) -> bool {
    let ends = member.match_indices('/').skip(1).map(|(end, _)| end).chain([member.len()]);
    ends.filter_map(|end| member.get(..end)).any(|outer| pointers.contains(outer))
}

/// Whether one of these pointers is the member, an object that contains it, or a part of it.
fn overlaps(member: &str, pointers: &BTreeSet<String>) -> bool {
    let below = format!("{member}/");
    is_within_any(member, pointers)
        || pointers.range(below.clone()..).next().is_some_and(|pointer| pointer.starts_with(&below))
}

/// The members of the request, as JSON pointers, with their values.
fn sent_members(answer: &Answer) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let sent = answer.sent.bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    if let Some(sent @ Value::Object(_)) = sent {
        collect_members(sent, String::new(), &mut found);
    }
    found
}

fn collect_members(value: Value, pointer: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                collect_members(value, format!("{pointer}/{}", escaped(&name)), found);
            }
        }
        value => found.push((pointer, value)),
    }
}
