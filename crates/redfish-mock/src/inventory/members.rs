//! Members of collections: creates and deletes them together with their links.

use serde_json::{Map, Value, json};

use super::builder::ResourceBuilder;
use super::resource::{NewMember, Resource};
use super::tree::Tree;
use super::writable;
use crate::protocol::path::Path;
use crate::protocol::representation::has_own_pages;

/// The versions of schemas whose collections may be empty.
const VERSIONS: [(&str, &str); 4] =
    [("Certificate", "v1_9_0"), ("License", "v1_1_0"), ("Signature", "v1_0_3"), ("Volume", "v1_10_0")];

impl Tree {
    /// The lowest number that is not the identifier of a member of the collection at `collection`.
    pub(crate) fn free_member_id(&self, collection: &str) -> String {
        (1_u32..)
            .map(|n| n.to_string())
            .find(|id| self.get(&format!("{collection}/{id}")).is_none())
            .unwrap_or_default()
    }

    /// Adds a member with these properties to a collection, and completes its name and type. Returns its path.
    pub(crate) fn add_member(
        &mut self,
        collection: &Resource,
        id: &str,
        properties: &Map<String, Value>,
    ) -> String {
        let path = format!("{}/{id}", collection.path);
        let mut document = Value::Object(properties.clone());
        let defaults =
            [("Name", json!(format!("Member {id}"))), ("@odata.type", self.member_type(collection))];
        for (name, value) in defaults {
            if document.get(name).is_none() {
                document[name] = value;
            }
        }
        document["Id"] = json!(id);
        document["@odata.id"] = json!(path);
        let member = ResourceBuilder::new(document);
        // What clients may change in a captured member is unknown.
        let is_captured = matches!(collection.capabilities.create, Some(NewMember { required: [], .. }));
        let member = if is_captured { member.fully_writable() } else { writable::allow(member) };
        self.insert(member.deletable());

        let mut listing = collection.document().clone();
        if let Some(members) = listing.get_mut("Members").and_then(Value::as_array_mut) {
            members.push(json!({"@odata.id": path}));
        }
        self.write_collection(&collection.path, listing);
        path
    }

    /// Removes a member with everything below it, and its link in the collection.
    pub(crate) fn remove_member(&mut self, member: &Resource) {
        self.remove_all(&member.path);
        let Some((collection, _)) = member.path.rsplit_once('/') else { return };
        let is_removed = |link: &Value| {
            link["@odata.id"].as_str().is_some_and(|link| Path::new(link).as_str() == member.path)
        };
        let pages = self.pages(collection);
        let lists =
            |page: &Value| page["Members"].as_array().is_some_and(|members| members.iter().any(is_removed));
        if !pages.iter().filter_map(|page| self.document(page)).any(lists) {
            return;
        }
        for page in &pages {
            let Some(mut listing) = self.document(page).cloned() else { continue };
            let Some(members) = listing.get_mut("Members").and_then(Value::as_array_mut) else { continue };
            members.retain(|link| !is_removed(link));
            let shown = members.len() as u64;
            // A page has the count of the whole collection.
            let count = listing["Members@odata.count"].as_u64().filter(|_| pages.len() > 1);
            listing["Members@odata.count"] = json!(count.map_or(shown, |count| count.saturating_sub(1)));
            self.write(page, listing);
        }
    }

    /// Writes a collection and updates its count. A captured collection may list only its first page.
    fn write_collection(&mut self, path: &str, mut listing: Value) {
        let length = |listing: &Value| listing["Members"].as_array().map_or(0, Vec::len) as u64;
        let before = self.document(path).filter(|_| has_own_pages(&listing));
        let others = before.map_or(0, |before| {
            before["Members@odata.count"].as_u64().unwrap_or(0).saturating_sub(length(before))
        });
        listing["Members@odata.count"] = json!(length(&listing) + others);
        self.write(path, listing);
    }

    /// The type of the first member of a collection, or the type that the name of the collection implies.
    fn member_type(&self, collection: &Resource) -> Value {
        let document = collection.document();
        let first = document["Members"][0]["@odata.id"].as_str().and_then(|first| self.document(first));
        if let Some(odata_type) =
            first.map(|first| &first["@odata.type"]).filter(|odata_type| odata_type.is_string())
        {
            return odata_type.clone();
        }
        let name = document["@odata.type"]
            .as_str()
            .and_then(|odata_type| odata_type.rsplit('.').next())
            .unwrap_or_default();
        let name = name.strip_suffix("Collection").unwrap_or(name);
        let version =
            VERSIONS.iter().find(|(schema, _)| *schema == name).map(|(_, version)| format!(".{version}"));
        json!(format!("#{name}{}.{name}", version.unwrap_or_default()))
    }
}
