//! What the responses to a login say.

use http::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::headers::X_AUTH_TOKEN;
use crate::ops::get_page;
use crate::ops::list_sessions::is_session;
use crate::redact::SafeText;
use crate::target::Target;

pub(super) fn is_before_1_6(root: &Value) -> bool {
    let version = root.get("RedfishVersion").and_then(Value::as_str).unwrap_or_default();
    let mut numbers = version.split('.').map(|n| n.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < (1, 6),
        _ => false,
    }
}

pub(super) fn token(answer: &Answer) -> Option<&str> {
    let values = answer.headers().get_all(&X_AUTH_TOKEN);
    values.iter().filter_map(|v| v.to_str().ok()).map(str::trim).find(|t| !t.is_empty())
}

/// The URI of the new session, for an error.
pub(super) fn session_left(answer: &Answer) -> Option<SafeText> {
    session_uri(answer).map(|session| answer.safe(session.as_str()))
}

/// The URI of the new session.
pub(super) fn session_uri(answer: &Answer) -> Option<Target> {
    let target = answer.target().without_final_slash();
    let collection = if *answer.method() == Method::POST {
        target
    } else {
        // The login was redirected to the session itself.
        answer.resolve_path_only(target.split_member().0).ok()?
    };
    get_page::created_uri(answer, &collection, |target| is_session(target, &collection))
}
