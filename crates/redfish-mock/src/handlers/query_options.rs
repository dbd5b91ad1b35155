//! What a GET shows of a resource: the page, the members, the depth and the properties that its query asks for.

use std::time::Duration;

use http::{Method, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::mock::{Caller, Mock};
use crate::protocol::message::{Base, Message};
use crate::protocol::path::Path;
use crate::protocol::query::{Expand, Query, Which, refuse};
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Rendered, Reply};
use crate::routing::route::Place;

/// How many links one `$expand` puts resources in the place of at most; the others stay links.
const EXPANDED: usize = 1_000;
/// What `$select` and `excerpt` keep of every object.
const KEPT: [&str; 4] = ["@odata.id", "@odata.type", "@odata.etag", "@odata.context"];

impl Mock {
    /// The answer to a GET of what is there.
    pub(crate) fn read(
        &self,
        request: &Request<'_>,
        place: &Place,
        caller: Option<Caller>,
        now: Duration,
    ) -> Reply {
        let query = match self.profile.query(request.uri.query().unwrap_or_default()) {
            Ok(query) => query,
            Err(refusal) => return *refusal,
        };
        let Content::Document(document) = place.content(self, caller, now) else {
            return Reply::new(StatusCode::OK, place.content(self, caller, now));
        };
        let document = if query.is_plain() && document.members <= self.profile.page() {
            document
        } else {
            let viewer = Viewer { mock: self, caller, now };
            match viewer.view(document, query) {
                Ok(document) => document,
                Err(refusal) => return *refusal,
            }
        };
        if !document.etag.is_empty() && request.has(Some(&document.etag)) {
            return Reply::new(StatusCode::NOT_MODIFIED, Content::Nothing).with(header::ETAG, &document.etag);
        }
        Reply::document(StatusCode::OK, document)
    }
}

/// Who looks, and when.
struct Viewer<'a> {
    mock: &'a Mock,
    caller: Option<Caller>,
    now: Duration,
}

impl Viewer<'_> {
    fn view(&self, mut rendered: Rendered, query: Query) -> Result<Rendered, Box<Reply>> {
        let mut document: Value = serde_json::from_slice(&rendered.body).unwrap_or_default();
        let excerpt = if query.excerpt { Some(excerpt(&document).ok_or_else(unsupported)?) } else { None };
        if !document["Members"].is_array() && query.is_of_members() {
            return Err(unsupported());
        }
        if let (true, [only]) = (query.only, members(&document)) {
            let path = only["@odata.id"].as_str().unwrap_or_default();
            return Ok(self.rendered(path).unwrap_or(rendered));
        }
        if let Some(filter) = &query.filter {
            let holds = |member: &Value| self.whole(member).is_some_and(|resource| filter.holds(&resource));
            let left: Vec<Value> =
                members(&document).iter().filter(|member| holds(member)).cloned().collect();
            document["Members@odata.count"] = json!(left.len());
            document["Members"] = json!(left);
        }
        self.cut(&mut document, &query);
        if let Some(expand) = query.expand {
            self.expand_within(&mut document, expand, false, &mut { EXPANDED });
        }
        if let Some(paths) = query.select.as_ref().or(excerpt.as_ref()) {
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            document = select(&document, &paths);
        }
        // Of what other resources are in, this resource's ETag says nothing; nor is it one to write with.
        if query.expand.is_some() || query.filter.is_some() {
            rendered.etag = String::new();
        }
        rendered.body = document.to_string().into_bytes();
        Ok(rendered)
    }

    /// Leaves of a collection the page that is asked for.
    fn cut(&self, document: &mut Value, query: &Query) {
        let path = document["@odata.id"].as_str().unwrap_or_default().to_owned();
        let Some(members) = document.get_mut("Members").and_then(Value::as_array_mut) else { return };
        let (total, page) = (members.len(), self.mock.profile.page());
        let most = query.top.unwrap_or(usize::MAX);
        members.drain(..query.skip.min(total));
        members.truncate(most.min(page));
        let (shown, left) = (members.len(), query.top.map(|top| top - members.len()));
        let next = query.skip.saturating_add(shown);
        if next < total && most > shown {
            let query = query.next_page(next, left);
            document["Members@odata.nextLink"] = json!(format!("{path}?{query}"));
        }
    }

    /// Puts resources in the place of the links to them, in all that is within a value.
    fn expand_within(&self, value: &mut Value, expand: Expand, in_links: bool, budget: &mut usize) {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.expand_at(item, expand, in_links, budget));
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.expand_at(member, expand, in_links || name == "Links", budget);
                }
            }
            _ => {}
        }
    }

    fn expand_at(&self, value: &mut Value, expand: Expand, in_links: bool, budget: &mut usize) {
        let Some(path) = reference(value) else {
            return self.expand_within(value, expand, in_links, budget);
        };
        let meant = match expand.which {
            Which::All => true,
            Which::Subordinate => !in_links,
            Which::Dependent => in_links,
        };
        if !meant || *budget == 0 {
            return;
        }
        let Some(mut resource) = self.resource(path) else { return };
        *budget -= 1;
        self.cut(&mut resource, &Query::default());
        if expand.levels > 1 {
            let expand = Expand { levels: expand.levels - 1, ..expand };
            self.expand_within(&mut resource, expand, false, budget);
        }
        *value = resource;
    }

    /// A member of a collection in full: it may be that already.
    fn whole(&self, member: &Value) -> Option<Value> {
        match reference(member) {
            Some(path) => self.resource(path),
            None => Some(member.clone()),
        }
    }

    fn resource(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(&self.rendered(path)?.body).ok()
    }

    /// What a GET of a path would show to who looks, where it would show something.
    fn rendered(&self, path: &str) -> Option<Rendered> {
        let place = Place::at(self.mock, &Path::new(path), &Method::GET)?;
        let may = match self.caller {
            None => place.is_open_to(&Method::GET),
            Some(caller) => self.mock.forbid(&Method::GET, &place, caller).is_none(),
        };
        match place.content(self.mock, self.caller, self.now) {
            Content::Document(document) if may => Some(document),
            _ => None,
        }
    }
}

/// 400: this resource does not have what the query asks for.
fn unsupported() -> Box<Reply> {
    refuse(Message::new(Base::QueryNotSupportedOnResource, []))
}

fn members(document: &Value) -> &[Value] {
    document["Members"].as_array().map_or(&[], Vec::as_slice)
}

/// The path of a value that is a link to a resource and nothing else.
fn reference(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get("@odata.id")?.as_str().filter(|path| !path.contains('#'))
}

/// The properties that make up an excerpt of this resource, where it has one (DSP0266, "The excerpt query parameter").
fn excerpt(document: &Value) -> Option<Vec<Vec<String>>> {
    let is_sensor = document["@odata.type"].as_str()?.starts_with("#Sensor.");
    is_sensor.then(|| vec![vec!["Reading".to_owned()]])
}

/// What `$select` leaves of a value.
fn select(value: &Value, paths: &[&[String]]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| select(item, paths)).collect(),
        Value::Object(members) => {
            let mut selected = Map::new();
            for (name, member) in members {
                let property = name.split_once('@').map_or(name.as_str(), |(property, _)| property);
                let asked =
                    |path: &&&[String]| path.first().is_some_and(|first| first == name || first == property);
                let (whole, parts): (Vec<&[String]>, Vec<_>) =
                    paths.iter().filter(asked).copied().partition(|path| path.len() == 1);
                if KEPT.contains(&name.as_str()) || !whole.is_empty() {
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
    fn selecting_keeps_what_is_asked_for_and_what_says_what_it_is() {
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
        assert_eq!(selected(&[&["Name"], &["Colour"]]), whole);
        assert_eq!(
            selected(&[&["Boot", "Target"]])["Boot"],
            json!({"Target": "Pxe", "Target@Redfish.AllowableValues": ["Pxe"]})
        );
        let members = selected(&[&["Members", "Name"]]);
        assert_eq!(members["Members"], json!([{"@odata.id": "/x/1", "Name": "a"}, {"@odata.id": "/x/2"}]));
        assert_eq!(members["Members@odata.count"], 2);
    }
}
