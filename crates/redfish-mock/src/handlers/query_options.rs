//! Applies the query options of a GET: pages, `$filter`, `$expand`, `$select`, `only` and `excerpt`.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::authentication;
use super::content::content;
use crate::protocol::message::{Base, Message};
use crate::protocol::path::Path;
use crate::protocol::profile::Profile;
use crate::protocol::query::{Expand, ExpandLinks, Query, bad_request, decode};
use crate::protocol::representation::{NEXT_LINK, Representation, has_own_pages};
use crate::protocol::response::{Content, Response};
use crate::routing::Route;
use crate::state::State;
use crate::state::caller::Caller;

/// The maximum number of links that one `$expand` replaces. The others stay links.
const MAX_EXPANDED: usize = 1_000;
/// The annotations that `$select` and `excerpt` keep in every object.
const ALWAYS_SELECTED: [&str; 4] = ["@odata.id", "@odata.type", "@odata.etag", "@odata.context"];

/// Parses a query. The version of the standard that iLO Amplifier Pack implements requires no query parameters.
pub(super) fn parse(profile: Profile, text: &str) -> Result<Query, Box<Response>> {
    let is_odata = |parameter: &str| parameter.starts_with('$') || parameter.starts_with("%24");
    match profile {
        Profile::Standard | Profile::Slots => Query::parse(text),
        Profile::Older => Ok(Query::default()),
        Profile::IloAmplifier if text.split('&').any(is_odata) => {
            Err(Box::new(Response::error(StatusCode::NOT_IMPLEMENTED, Base::QueryNotSupported, [])))
        }
        Profile::IloAmplifier => Ok(Query::default()),
    }
}

/// Whether the query is for a further page of a collection whose pages were captured. This one was not.
pub(super) fn is_missing_page(route: &Route, query: &str) -> bool {
    let Route::Resource(resource) = route else { return false };
    let mut names = query.split('&').map(decode);
    // `$skip`, `$skiptoken`, and the `skip` of some services.
    has_own_pages(resource.document())
        && names.any(|parameter| {
            let parameter = parameter.trim_start_matches('$').to_ascii_lowercase();
            parameter.starts_with("skip") && parameter != "skip=0"
        })
}

/// Applies a query to a resource. Without query options, only long collections change: they get pages.
pub(super) fn apply(
    state: &State,
    resource: Representation,
    query: Query,
    caller: Option<Caller>,
    now: Duration,
) -> Result<Representation, Box<Response>> {
    if query.is_empty() && resource.member_count <= state.profile.page_size() {
        return Ok(resource);
    }
    Reader { state, caller, now }.apply(resource, query)
}

/// Reads resources for a caller.
struct Reader<'a> {
    state: &'a State,
    caller: Option<Caller>,
    now: Duration,
}

impl Reader<'_> {
    fn apply(&self, mut resource: Representation, query: Query) -> Result<Representation, Box<Response>> {
        let mut document: Value = serde_json::from_slice(&resource.body).unwrap_or_default();
        let excerpt =
            if query.excerpt { Some(excerpt_paths(&document).ok_or_else(unsupported)?) } else { None };
        if !document["Members"].is_array() && query.needs_collection() {
            return Err(unsupported());
        }
        // A selection among the members of one captured page would seem to be complete.
        if has_own_pages(&document) && query.selects_members() {
            return Err(unsupported());
        }
        if let (true, [only]) = (query.only, members(&document)) {
            let path = only["@odata.id"].as_str().unwrap_or_default();
            return Ok(self.representation(path).unwrap_or(resource));
        }
        if let Some(filter) = &query.filter {
            let matches = |member: &Value| self.resolve(member).is_some_and(|member| filter.matches(&member));
            let matching: Vec<Value> =
                members(&document).iter().filter(|member| matches(member)).cloned().collect();
            document["Members@odata.count"] = json!(matching.len());
            document["Members"] = json!(matching);
        }
        self.paginate(&mut document, &query);
        if let Some(expand) = query.expand {
            self.expand_within(&mut document, expand, false, &mut { MAX_EXPANDED });
        }
        if let Some(mut paths) = query.select.or(excerpt) {
            // DSP0266 has two kinds of paths: from the requested resource ("The $select query parameter"), and from a member in
            // the example for both parameters, `?$select=UUID&$expand=.` ("The $expand query parameter").
            if query.expand.is_some() && document["Members"].is_array() {
                paths.extend(member_paths(&paths));
            }
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            document = select(&document, &paths);
        }
        // The ETag does not cover the other resources in the document, and must not be used for writes.
        if query.expand.is_some() || query.filter.is_some() {
            resource.etag = String::new();
        }
        resource.body = document.to_string().into_bytes();
        Ok(resource)
    }

    /// Reduces a collection to the requested page.
    fn paginate(&self, document: &mut Value, query: &Query) {
        let path = document["@odata.id"].as_str().unwrap_or_default().to_owned();
        let page_size = self.state.profile.page_size();
        if has_own_pages(document) {
            return;
        }
        let Some(members) = document.get_mut("Members").and_then(Value::as_array_mut) else { return };
        let total = members.len();
        let top = query.top.unwrap_or(usize::MAX);
        members.drain(..query.skip.min(total));
        members.truncate(top.min(page_size));
        let (shown, left) = (members.len(), query.top.map(|top| top - members.len()));
        let next = query.skip.saturating_add(shown);
        if next < total && top > shown {
            let query = query.next_page(next, left);
            document[NEXT_LINK] = json!(format!("{path}?{query}"));
        }
    }

    /// Replaces the links within a value by their resources. `budget` is the number of links that may still be replaced.
    fn expand_within(&self, value: &mut Value, expand: Expand, in_links: bool, budget: &mut usize) {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.expand_value(item, expand, in_links, budget));
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.expand_value(member, expand, in_links || name == "Links", budget);
                }
            }
            _ => {}
        }
    }

    fn expand_value(&self, value: &mut Value, expand: Expand, in_links: bool, budget: &mut usize) {
        let Some(path) = reference(value) else {
            return self.expand_within(value, expand, in_links, budget);
        };
        let is_selected = match expand.links {
            ExpandLinks::All => true,
            ExpandLinks::Subordinate => !in_links,
            ExpandLinks::Dependent => in_links,
        };
        if !is_selected || *budget == 0 {
            return;
        }
        let Some(mut resource) = self.resource(path) else { return };
        *budget -= 1;
        self.paginate(&mut resource, &Query::default());
        if expand.levels > 1 {
            let expand = Expand { levels: expand.levels - 1, ..expand };
            self.expand_within(&mut resource, expand, false, budget);
        }
        *value = resource;
    }

    /// The document of a member, which may be a link or the resource itself.
    fn resolve(&self, member: &Value) -> Option<Value> {
        match reference(member) {
            Some(path) => self.resource(path),
            None => Some(member.clone()),
        }
    }

    fn resource(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(&self.representation(path)?.body).ok()
    }

    /// The representation that a GET of a path returns to the caller, if it is allowed.
    fn representation(&self, path: &str) -> Option<Representation> {
        let route = Route::at(self.state, &Path::new(path), &Method::GET)?;
        let is_allowed = match self.caller {
            None => route.is_public(&Method::GET),
            Some(caller) => authentication::forbidden(self.state, &Method::GET, &route, caller).is_none(),
        };
        match content(self.state, &route, self.caller, self.now) {
            Content::Resource(resource) if is_allowed => Some(resource),
            _ => None,
        }
    }
}

/// 400: the resource does not support a query parameter.
fn unsupported() -> Box<Response> {
    bad_request(Message::new(Base::QueryNotSupportedOnResource, []))
}

fn members(document: &Value) -> &[Value] {
    document["Members"].as_array().map_or(&[], Vec::as_slice)
}

/// The path of a value that is only a link to a resource.
fn reference(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get("@odata.id")?.as_str().filter(|path| !path.contains('#'))
}

/// The properties of the excerpt of a resource, if it has one (DSP0266, "The excerpt query parameter").
fn excerpt_paths(document: &Value) -> Option<Vec<Vec<String>>> {
    let is_sensor = document["@odata.type"].as_str()?.starts_with("#Sensor.");
    is_sensor.then(|| vec![vec!["Reading".to_owned()]])
}

/// The paths, relative to a member, as paths relative to its collection. Those that start at the collection are left out.
fn member_paths(paths: &[Vec<String>]) -> Vec<Vec<String>> {
    let starts_at_collection =
        |path: &[String]| path.first().is_some_and(|first| property(first) == "Members");
    let from_collection = |path: &Vec<String>| [&["Members".to_owned()], path.as_slice()].concat();
    paths.iter().filter(|path| !starts_at_collection(path)).map(from_collection).collect()
}

/// The property that a name is or annotates: `Members` for `Members@odata.count`.
fn property(name: &str) -> &str {
    name.split_once('@').map_or(name, |(property, _)| property)
}

/// Reduces a value to the selected properties.
fn select(value: &Value, paths: &[&[String]]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| select(item, paths)).collect(),
        Value::Object(members) => {
            let mut selected = Map::new();
            for (name, member) in members {
                let is_selected = |path: &&&[String]| {
                    path.first().is_some_and(|first| first == name || first == property(name))
                };
                let (whole, parts): (Vec<&[String]>, Vec<_>) =
                    paths.iter().filter(is_selected).copied().partition(|path| path.len() == 1);
                if ALWAYS_SELECTED.contains(&name.as_str()) || !whole.is_empty() {
                    selected.insert(name.clone(), member.clone());
                } else if !parts.is_empty() {
                    let within: Vec<&[String]> = parts.iter().map(|path| &path[1..]).collect();
                    selected.insert(name.clone(), select(member, &within));
                }
            }
            Value::Object(selected)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selecting_keeps_the_selected_properties_and_the_annotations() {
        let document = json!({"@odata.id": "/x", "@odata.type": "#X.X", "Id": "x", "Name": "n",
            "Boot": {"Mode": "UEFI", "Target": "Pxe", "Target@Redfish.AllowableValues": ["Pxe"]},
            "Members": [{"@odata.id": "/x/1", "Name": "a", "Id": "1"}, {"@odata.id": "/x/2"}], "Members@odata.count": 2});
        let selected = |paths: &[&[&str]]| {
            let paths: Vec<Vec<String>> =
                paths.iter().map(|path| path.iter().map(|&segment| segment.to_owned()).collect()).collect();
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            select(&document, &paths)
        };
        let whole = json!({"@odata.id": "/x", "@odata.type": "#X.X", "Name": "n"});
        assert_eq!(selected(&[&["Name"], &["Color"]]), whole);
        assert_eq!(
            selected(&[&["Boot", "Target"]])["Boot"],
            json!({"Target": "Pxe", "Target@Redfish.AllowableValues": ["Pxe"]})
        );
        let members = selected(&[&["Members", "Name"]]);
        assert_eq!(members["Members"], json!([{"@odata.id": "/x/1", "Name": "a"}, {"@odata.id": "/x/2"}]));
        assert_eq!(members["Members@odata.count"], 2);
    }
}
