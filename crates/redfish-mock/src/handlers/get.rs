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
    let query = match query_options::parse(state.profile, request.uri.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return *error,
    };
    let resource = match content(state, route, caller, now) {
        Content::Resource(resource) => resource,
        content => return Response::new(StatusCode::OK, content),
    };
    let resource = match query_options::apply(state, resource, query, caller, now) {
        Ok(resource) => resource,
        Err(error) => return *error,
    };
    if !resource.etag.is_empty() && request.if_none_match_lists(&resource.etag) {
        return Response::new(StatusCode::NOT_MODIFIED, Content::Empty)
            .with_header(header::ETAG, &resource.etag);
    }
    Response::resource(resource)
}
