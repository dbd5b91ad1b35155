//! GET and HEAD of a resource or a collection.

use std::time::Duration;

use http::{StatusCode, header};

use super::content::content;
use super::query_options;
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Response};
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;

/// The response to a GET of a route.
pub(super) fn get(
    state: &State,
    request: &Request<'_>,
    route: &Route,
    caller: Option<Caller>,
    now: Duration,
) -> Response {
    let resource = match read(state, request, route, caller, now) {
        Ok(Content::Resource(resource)) => resource,
        Ok(content) => return Response::new(StatusCode::OK, content),
        Err(error) => return *error,
    };
    if !resource.etag.is_empty() && request.if_none_match_lists(&resource.etag) {
        return Response::new(StatusCode::NOT_MODIFIED, Content::Empty)
            .with_header(header::ETAG, &resource.etag);
    }
    Response::resource(resource)
}

/// The content that a request reads: the captured response to its query, or the route's content after the query options.
fn read(
    state: &State,
    request: &Request<'_>,
    route: &Route,
    caller: Option<Caller>,
    now: Duration,
) -> Result<Content, Box<Response>> {
    let query = request.uri.query().unwrap_or_default();
    if let Route::Resource(resource) = route {
        if let Some(captured) = state.tree.captured(&resource.path, query) {
            return Ok(content(state, &Route::Resource(captured.clone()), caller, now));
        }
    }
    if query_options::is_missing_page(route, query) {
        return Err(Box::new(Response::not_found(&format!("{}?{query}", request.uri.path()))));
    }
    let query = query_options::parse(state.profile, query)?;
    match content(state, route, caller, now) {
        Content::Resource(resource) => {
            query_options::apply(state, resource, query, caller, now).map(Content::Resource)
        }
        content => Ok(content),
    }
}
