//! Faults that change the document of a response: pages, links, notices.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{take, take_kind};
use crate::faults::FaultKind;
use crate::protocol::message::{Base, Message};
use crate::protocol::query::Query;
use crate::protocol::representation::{NEXT_LINK, has_own_pages};
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Response};
use crate::routing::Route;
use crate::state::State;

/// Whether a request is for a page of a collection after the first one.
pub(super) fn is_further_page(request: &Request<'_>, route: Option<&Route>) -> bool {
    let is_collection = match route {
        Some(Route::Resource(resource)) => resource.document()["Members"].is_array(),
        Some(Route::Sessions | Route::Accounts | Route::Subscriptions | Route::Tasks) => true,
        _ => false,
    };
    let query = Query::parse(request.uri.query().unwrap_or_default());
    request.is_read() && is_collection && query.is_ok_and(|query| query.skip > 0)
}

/// Changes the document of a success.
pub(super) fn change(state: &mut State, request: &Request<'_>, response: &mut Response) {
    if !response.status.is_success() {
        return;
    }
    if !request.is_read() {
        let is_of_session = matches!(Route::find(state, request), Some(Route::Sessions | Route::Session(_)));
        let is_notified = !is_of_session && response.status != StatusCode::ACCEPTED;
        if is_notified && take_kind(state, request, &FaultKind::Notice) {
            add_notice(state, response);
        }
        return;
    }
    let Content::Resource(resource) = &mut response.content else { return };
    let Ok(mut document) = serde_json::from_slice::<Value>(&resource.body) else { return };
    let mut is_changed = false;
    if let Some(page) = page(state, request, &document) {
        paginate(&mut document, &page);
        is_changed = true;
    }
    if request.method == Method::GET && take_kind(state, request, &FaultKind::DeadLink) {
        let link = json!({"@odata.id": format!("{}/Nowhere", request.path.as_str())});
        match document.get_mut("Members").and_then(Value::as_array_mut) {
            Some(members) => members.push(link),
            None => document["Nowhere"] = link,
        }
        is_changed = true;
    }
    if is_changed {
        resource.body = document.to_string().into_bytes();
    }
}

/// A page that a fault makes of a collection.
struct Page {
    size: usize,
    /// The number of members that the next page repeats.
    repeated: usize,
    /// The number of members of the collection.
    total: usize,
    query: Query,
}

/// The page to return in place of the members, if a fault divides this collection.
fn page(state: &mut State, request: &Request<'_>, document: &Value) -> Option<Page> {
    let query = Query::parse(request.uri.query().unwrap_or_default()).ok()?;
    let listed = document["Members"].as_array()?.len();
    if query.top.is_some() || has_own_pages(document) && query.skip == 0 && listed < state.profile.page_size()
    {
        return None;
    }
    let total = document["Members@odata.count"].as_u64().map_or(query.skip + listed, |total| total as usize);
    // A collection that fits on one page does not count.
    let overlapping = take(state, request, |kind| match kind {
        FaultKind::OverlappingPages(size) => (query.skip > 0 || listed > *size).then_some(*size),
        _ => None,
    });
    // Only a page that fails counts.
    let failing = |kind: &FaultKind| match kind {
        FaultKind::FailingPage(size) => (listed > *size).then_some(*size),
        _ => None,
    };
    let (size, repeated) = match overlapping {
        Some(size) => (size, 1),
        None => (state.faults.find(&request.path, state.profile, failing)?, 0),
    };
    Some(Page { size, repeated, total, query })
}

/// Reduces the members to a page, and links to the next one.
fn paginate(document: &mut Value, page: &Page) {
    let path = document["@odata.id"].as_str().unwrap_or_default().to_owned();
    let Some(members) = document["Members"].as_array_mut() else { return };
    members.truncate(page.size);
    let end = page.query.skip + members.len();
    let next = end.saturating_sub(page.repeated);
    if end < page.total && next > page.query.skip {
        document[NEXT_LINK] = json!(format!("{path}?{}", page.query.next_page(next, None)));
    } else if let Some(members) = document.as_object_mut() {
        members.remove(NEXT_LINK);
    }
}

/// Adds the message that some services send with every success of a write, beside the resource if there is one.
fn add_notice(state: &State, response: &mut Response) {
    let notice = Message::new(Base::Success, []);
    match &mut response.content {
        Content::Resource(resource) => {
            if let Ok(mut document) = serde_json::from_slice::<Value>(&resource.body) {
                document["@Message.ExtendedInfo"] = json!([notice.render(state.profile)]);
                resource.body = document.to_string().into_bytes();
            }
        }
        Content::Messages(messages) => messages.push(notice),
        Content::Empty | Content::Raw { .. } => {
            response.content = Content::Messages(vec![notice]);
            response.status = StatusCode::OK;
        }
    }
}
