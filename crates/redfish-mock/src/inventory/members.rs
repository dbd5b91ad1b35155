//! Members of collections that come by POST and go by DELETE.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::inventory::tree::{Body, Draft, Resource};
use crate::mock::Mock;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::Property;
use crate::protocol::profile::Profile;
use crate::protocol::response::{Content, Rendered, Reply};

impl Mock {
    /// Adds to a collection what a POST describes. Its `Id` is the one that the request gives, or the lowest free number.
    pub(crate) fn create_member(
        &mut self,
        collection: &Resource,
        takes: &[Property],
        body: &Map<String, Value>,
    ) -> Reply {
        let problems = problems(takes, body);
        if !problems.is_empty() {
            return Reply::refusals(StatusCode::BAD_REQUEST, problems);
        }
        let above = &collection.path;
        let is_free = |id: &str| self.tree.at(&format!("{above}/{id}")).is_none();
        let id = match body.get("Id").and_then(Value::as_str) {
            None => (1_u32..).map(|n| n.to_string()).find(|id| is_free(id)).unwrap_or_default(),
            Some(id) if id.is_empty() || id.contains(['/', '?', '#', '%']) => {
                return Reply::refusal(StatusCode::BAD_REQUEST, Base::PropertyValueFormatError, [id, "Id"]);
            }
            Some(id) if !is_free(id) => {
                let arguments = ["resource", "Id", id];
                return Reply::refusal(StatusCode::CONFLICT, Base::ResourceAlreadyExists, arguments);
            }
            Some(id) => id.to_owned(),
        };
        let path = format!("{above}/{id}");
        let mut document = Value::Object(body.clone());
        for (name, value) in [("Name", json!(format!("Member {id}"))), ("@odata.type", self.kind(collection))]
        {
            if document.get(name).is_none() {
                document[name] = value;
            }
        }
        document["Id"] = json!(id);
        document["@odata.id"] = json!(path);
        self.tree.insert(Draft::new(document).any_change().removable());

        let mut listing = collection.document().clone();
        if let Some(members) = listing.get_mut("Members").and_then(Value::as_array_mut) {
            members.push(json!({"@odata.id": path}));
        }
        self.list(above, listing);
        self.wrote(above);
        self.tell(Message::new(ResourceEvent::ResourceCreated, []), &path);
        let content = match self.tree.at(&path).map(|made| &made.body) {
            Some(Body::Document { rendered, .. }) if self.profile == Profile::Standard => {
                Content::Document(Rendered::clone(rendered))
            }
            _ => Content::Messages(vec![Message::new(Base::Created, [])]),
        };
        let mut reply = Reply::new(StatusCode::CREATED, content);
        reply.created = Some(path);
        reply
    }

    /// Removes a member with all that is below it, and its link in the collection above.
    pub(crate) fn delete_member(&mut self, member: &Resource) {
        self.tell(Message::new(ResourceEvent::ResourceRemoved, []), &member.path);
        self.tree.remove_all(&member.path);
        self.wrote(&member.path);
        let Some((above, _)) = member.path.rsplit_once('/') else { return };
        let Some(mut listing) = self.tree.at(above).map(|above| above.document().clone()) else { return };
        if let Some(members) = listing.get_mut("Members").and_then(Value::as_array_mut) {
            let is_it = |link: &Value| {
                link["@odata.id"].as_str().is_some_and(|link| link.trim_end_matches('/') == member.path)
            };
            members.retain(|link| !is_it(link));
            self.list(above, listing);
        }
    }

    /// Writes a collection, its count right.
    fn list(&mut self, path: &str, mut listing: Value) {
        listing["Members@odata.count"] = json!(listing["Members"].as_array().map_or(0, Vec::len));
        self.tree.write(path, listing);
    }

    /// The type of a collection's members: as the first of them has it, else by the collection's name.
    fn kind(&self, collection: &Resource) -> Value {
        let document = collection.document();
        let first = document["Members"][0]["@odata.id"].as_str().and_then(|first| self.tree.at(first));
        if let Some(kind) =
            first.map(|first| &first.document()["@odata.type"]).filter(|kind| kind.is_string())
        {
            return kind.clone();
        }
        let name =
            document["@odata.type"].as_str().and_then(|kind| kind.rsplit('.').next()).unwrap_or_default();
        let name = name.strip_suffix("Collection").unwrap_or(name);
        json!(format!("#{name}.{name}"))
    }
}

/// What is wrong with the description of a new member; where nothing is said of what it takes, nothing is.
fn problems(takes: &[Property], body: &Map<String, Value>) -> Vec<Message> {
    if takes.is_empty() {
        return Vec::new();
    }
    let missing = takes.iter().filter(|property| !body.contains_key(property.path)).map(|property| {
        Message::new(Base::CreateFailedMissingReqProperties, [property.path]).about(property.path)
    });
    let wrong = body.iter().filter(|(name, _)| !name.contains('@')).filter_map(|(name, value)| {
        match takes.iter().find(|property| property.path == name) {
            Some(property) => property.kind.check(name, value).err(),
            None => Some(Message::new(Base::PropertyUnknown, [name])),
        }
        .map(|message| message.about(name))
    });
    missing.chain(wrong).collect()
}
