//! Faults that change the document of a response: pages, links, notices.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{take, take_kind};
use crate::faults::FaultKind;
use crate::protocol::message::{Base, Message};
use crate::protocol::query::Query;
use crate::protocol::representation::NEXT_LINK;
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Response};
use crate::routing::Route;
use crate::state::State;

/// Whether a request is for a page of a collection after the first one.
pub(super) fn is_further_page(request: &Request<'_>) -> bool {
    request.is_read() && skip(request) > 0
}

fn skip(request: &Request<'_>) -> usize {
    Query::parse(request.uri.query().unwrap_or_default()).map_or(0, |query| query.skip)
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
    if document["Members"].is_array() {
        let page = take(state, request, |kind| match kind {
            FaultKind::OverlappingPages(members) => Some((*members, 1)),
            FaultKind::FailingPage(members) => Some((*members, 0)),
            _ => None,
        });
        if let Some((members, repeated)) = page {
            paginate(&mut document, skip(request), members, repeated);
            is_changed = true;
        }
    }
    if request.method == Method::GET && take_kind(state, request, &FaultKind::DeadLink) {
        let link = json!({"@odata.id": format!("{}/Nowhere", request.path.as_str())});
        match document["Members"].as_array_mut() {
            Some(members) => members.push(link),
            None => document["Nowhere"] = link,
        }
        is_changed = true;
    }
    if is_changed {
        resource.body = document.to_string().into_bytes();
    }
}

/// Reduces the members after `skip` to a page. The next one begins with the last `repeated` of them.
fn paginate(document: &mut Value, skip: usize, size: usize, repeated: usize) {
    let path = document["@odata.id"].as_str().unwrap_or_default().to_owned();
    let total = document["Members@odata.count"].as_u64().unwrap_or_default() as usize;
    let Some(members) = document["Members"].as_array_mut() else { return };
    members.truncate(size);
    let end = skip + members.len();
    if end < total {
        document[NEXT_LINK] = json!(format!("{path}?$skip={}", end - repeated));
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
