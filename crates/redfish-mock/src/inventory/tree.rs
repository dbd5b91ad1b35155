//! The resources that stand by themselves: documents under their paths, changed by PATCH and by actions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::inventory;
use crate::protocol::patch::Property;
use crate::protocol::path::{Path, key};
use crate::protocol::profile::Profile;
use crate::protocol::response::Rendered;

/// One resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) path: String,
    /// Whether it may be read by everybody.
    pub(crate) open: bool,
    pub(crate) body: Body,
    pub(crate) takes: Takes,
    revision: u64,
}

/// What may be done to a resource, beside its actions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Takes {
    /// What a PATCH may write.
    pub(crate) change: Change,
    /// What a POST to a collection has to give; nothing: whatever it likes.
    pub(crate) members: Option<&'static [Property]>,
    /// Whether a DELETE removes it.
    pub(crate) delete: bool,
}

/// What a PATCH may write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    These(&'static [Property]),
    /// Nobody described the resource, so whatever it likes.
    Anything,
}

impl Default for Change {
    fn default() -> Change {
        Change::These(&[])
    }
}

/// What a GET of a [`Resource`] shows.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Document {
        document: Value,
        rendered: Rendered,
    },
    /// Something other than a Redfish resource.
    Raw {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

/// A resource before a profile renders it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) path: String,
    pub(crate) open: bool,
    pub(crate) content: DraftContent,
    pub(crate) takes: Takes,
}

#[derive(Clone, Debug)]
pub(crate) enum DraftContent {
    Document(Value),
    Raw { media_type: &'static str, bytes: Vec<u8> },
}

impl Draft {
    /// A resource whose path is its `@odata.id`.
    pub(crate) fn new(document: Value) -> Draft {
        let path = document["@odata.id"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        Draft { path, open: false, content: DraftContent::Document(document), takes: Takes::default() }
    }

    /// A collection of `schema` with members of these names.
    pub(crate) fn collection(
        path: &str,
        schema: &str,
        name: &str,
        members: impl IntoIterator<Item = String>,
    ) -> Draft {
        let members: Vec<Value> =
            members.into_iter().map(|member| json!({"@odata.id": format!("{path}/{member}")})).collect();
        Draft::new(json!({
            "@odata.id": path,
            "@odata.type": format!("#{schema}.{schema}"),
            "Id": path.rsplit('/').next(),
            "Name": name,
            "Description": format!("{name} of this service"),
            "Members@odata.count": members.len(),
            "Members": members,
        }))
    }

    /// Something other than a Redfish resource.
    pub(crate) fn raw(path: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> Draft {
        let content = DraftContent::Raw { media_type, bytes: bytes.into() };
        Draft { path: path.into(), open: false, content, takes: Takes::default() }
    }

    pub(crate) fn document(&self) -> Option<&Value> {
        match &self.content {
            DraftContent::Document(document) => Some(document),
            DraftContent::Raw { .. } => None,
        }
    }

    pub(crate) fn document_mut(&mut self) -> Option<&mut Value> {
        match &mut self.content {
            DraftContent::Document(document) => Some(document),
            DraftContent::Raw { .. } => None,
        }
    }

    /// Its `@odata.type`, where it has one.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.document()?["@odata.type"].as_str()
    }

    pub(crate) fn open_to_all(self) -> Draft {
        Draft { open: true, ..self }
    }

    pub(crate) fn writable(mut self, properties: &'static [Property]) -> Draft {
        self.takes.change = Change::These(properties);
        self
    }

    pub(crate) fn any_change(mut self) -> Draft {
        self.takes.change = Change::Anything;
        self
    }

    pub(crate) fn creates(mut self, properties: &'static [Property]) -> Draft {
        self.takes.members = Some(properties);
        self
    }

    pub(crate) fn removable(mut self) -> Draft {
        self.takes.delete = true;
        self
    }

    fn render(self, profile: Profile) -> Resource {
        let body = match self.content {
            DraftContent::Document(document) => {
                let rendered = Rendered::new(document.clone(), 0, profile);
                Body::Document { document, rendered }
            }
            DraftContent::Raw { media_type, bytes } => Body::Raw { media_type, bytes },
        };
        Resource { path: self.path, open: self.open, body, takes: self.takes, revision: 0 }
    }
}

impl Resource {
    /// Its document; `null` where it is something else.
    pub(crate) fn document(&self) -> &Value {
        match &self.body {
            Body::Document { document, .. } => document,
            Body::Raw { .. } => &Value::Null,
        }
    }

    /// The name of the action that it offers at the target `path`.
    pub(crate) fn action(&self, path: &str) -> Option<&str> {
        let is_there =
            |offer: &Value| offer["target"].as_str().is_some_and(|target| target.eq_ignore_ascii_case(path));
        self.actions().find(|(_, offer)| is_there(offer))?.0.strip_prefix('#')
    }

    /// What it says of an action.
    pub(crate) fn offer(&self, name: &str) -> &Value {
        let offer = self.actions().find(|(offered, _)| offered.strip_prefix('#') == Some(name));
        offer.map_or(&Value::Null, |(_, offer)| offer)
    }

    /// Its actions, and those that its maker added.
    fn actions(&self) -> impl Iterator<Item = (&String, &Value)> {
        let actions = &self.document()["Actions"];
        [actions, &actions["Oem"]].into_iter().filter_map(Value::as_object).flatten()
    }
}

/// All resources of a service. Copies share what none of them wrote, so that a service costs next to nothing to make.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    profile: Profile,
    shared: Arc<BTreeMap<String, Arc<Resource>>>,
    /// Those that were written, or removed; they stand in front of the shared ones.
    written: BTreeMap<String, Option<Arc<Resource>>>,
}

impl Tree {
    /// The machine room, built once a profile.
    pub(crate) fn machine_room(profile: Profile) -> Tree {
        fn build(profile: Profile) -> Tree {
            Tree::new(inventory::drafts(profile), profile)
        }
        static STANDARD: LazyLock<Tree> = LazyLock::new(|| build(Profile::Standard));
        static ILO_AMPLIFIER: LazyLock<Tree> = LazyLock::new(|| build(Profile::IloAmplifier));
        match profile {
            Profile::Standard => STANDARD.clone(),
            Profile::IloAmplifier => ILO_AMPLIFIER.clone(),
        }
    }

    pub(crate) fn new(drafts: impl IntoIterator<Item = Draft>, profile: Profile) -> Tree {
        let shared =
            drafts.into_iter().map(|draft| (key(&draft.path), Arc::new(draft.render(profile)))).collect();
        Tree { profile, shared: Arc::new(shared), written: BTreeMap::new() }
    }

    /// The resource at a path.
    pub(crate) fn find(&self, path: &Path) -> Option<&Arc<Resource>> {
        self.with_key(path.key()).filter(|resource| path.names(&resource.path, self.profile))
    }

    /// The resource at a path that is known to be canonical.
    pub(crate) fn at(&self, path: &str) -> Option<&Arc<Resource>> {
        self.with_key(&key(path))
    }

    fn with_key(&self, key: &str) -> Option<&Arc<Resource>> {
        self.written.get(key).map_or_else(|| self.shared.get(key), Option::as_ref)
    }

    /// Puts a changed document in the place of the one at `path`; its ETag changes even where the document does not.
    pub(crate) fn write(&mut self, path: &str, document: Value) {
        if let Some(before) = self.at(path) {
            let revision = before.revision + 1;
            let rendered = Rendered::new(document.clone(), revision, self.profile);
            let body = Body::Document { document, rendered };
            let after = Resource { path: before.path.clone(), body, revision, ..**before };
            self.written.insert(key(path), Some(Arc::new(after)));
        }
    }

    /// Adds a resource.
    pub(crate) fn insert(&mut self, draft: Draft) {
        let resource = draft.render(self.profile);
        self.written.insert(key(&resource.path), Some(Arc::new(resource)));
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.written.insert(key(path), None);
    }

    /// Removes what stands at and below a path.
    pub(crate) fn remove_all(&mut self, path: &str) {
        let inside = |key: &&String| is_at_or_below(key, path);
        let keys: Vec<String> =
            self.shared.keys().chain(self.written.keys()).filter(inside).cloned().collect();
        self.written.extend(keys.into_iter().map(|key| (key, None)));
    }

    /// Puts what stands at and below a path back to what it was at the start, but for what is to be kept. To a client that
    /// is one more write. The paths of what was put back.
    pub(crate) fn restore(&mut self, path: &str, kept: impl Fn(&str) -> bool) -> Vec<String> {
        let mut restored = Vec::new();
        let written: Vec<String> =
            self.written.keys().filter(|key| is_at_or_below(key, path)).cloned().collect();
        for key in written {
            let Some(first) = self.shared.get(&key).filter(|first| !kept(&first.path)).cloned() else {
                continue;
            };
            if self.with_key(&key).is_some() {
                self.write(&first.path, first.document().clone());
            } else {
                self.written.remove(&key);
            }
            restored.push(first.path.clone());
        }
        restored
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.shared.keys().filter_map(|key| self.with_key(key)).map(Arc::as_ref)
    }
}

fn is_at_or_below(found: &str, path: &str) -> bool {
    found.strip_prefix(key(path).as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::state::accounts::ACCOUNTS;
    use crate::state::events::SUBSCRIPTIONS;
    use crate::state::sessions::SESSIONS;
    use crate::state::tasks::TASKS;

    #[test]
    fn a_write_leaves_other_copies_as_they_were() {
        let original = Tree::machine_room(Profile::Standard);
        let mut copy = original.clone();
        let path = "/redfish/v1/Systems/E1D8B426";
        let etag = |tree: &Tree| match &tree.at(path).unwrap().body {
            Body::Document { rendered, .. } => rendered.etag.clone(),
            Body::Raw { .. } => String::new(),
        };
        let document = copy.at(path).unwrap().document().clone();
        copy.write(path, document);
        assert_ne!(etag(&copy), etag(&original));
        assert_eq!(etag(&original), etag(&Tree::machine_room(Profile::Standard)));
    }

    #[test]
    fn every_link_leads_somewhere_and_every_resource_is_linked() {
        for profile in [Profile::Standard, Profile::IloAmplifier] {
            let tree = Tree::machine_room(profile);
            let mut linked = BTreeSet::new();
            let mut count = 0;
            for resource in tree.iter() {
                links(resource.document(), &mut |link| {
                    count += 1;
                    let (path, pointer) = link.split_once('#').unwrap_or((link, ""));
                    let target = tree.find(&Path::new(path));
                    let known = target.is_some_and(|target| target.document().pointer(pointer).is_some());
                    assert!(
                        known || [SESSIONS, ACCOUNTS, TASKS, SUBSCRIPTIONS].contains(&link),
                        "{} links to {link}, which is not there",
                        resource.path
                    );
                    if link.trim_end_matches('/') != resource.path {
                        linked.insert(link.trim_end_matches('/').to_owned());
                    }
                });
            }
            for resource in tree.iter().filter(|resource| resource.path.starts_with("/redfish/v1/")) {
                let named = ["/redfish/v1/$metadata", "/redfish/v1/odata", "/redfish/v1/openapi.yaml"];
                let reached = linked.contains(&resource.path)
                    || named.contains(&resource.path.as_str())
                    || resource.path.starts_with("/redfish/v1/RegistryStore/");
                assert!(reached, "nothing links to {}", resource.path);
            }
            assert!(count > 200, "{count} links");
        }
    }

    #[test]
    fn every_document_has_what_a_resource_must_have() {
        for resource in Tree::machine_room(Profile::Standard).iter() {
            let document = resource.document();
            if !resource.path.starts_with("/redfish/v1")
                || document.is_null()
                || resource.path.ends_with("/odata")
            {
                continue;
            }
            for member in ["@odata.id", "@odata.type", "Name"] {
                assert!(document[member].is_string(), "{} has no {member}", resource.path);
            }
            assert_eq!(document["@odata.id"].as_str().unwrap().trim_end_matches('/'), resource.path);
        }
    }

    #[test]
    fn what_is_writable_is_there() {
        for resource in Tree::machine_room(Profile::Standard).iter() {
            let Change::These(writable) = resource.takes.change else { continue };
            for property in writable {
                let value = resource.document().pointer(&format!("/{}", property.path));
                let value = value.unwrap_or_else(|| panic!("{} has no {}", resource.path, property.path));
                assert!(
                    property.kind.check(property.path, value).is_ok(),
                    "{} {}",
                    resource.path,
                    property.path
                );
            }
        }
    }

    fn links<'a>(value: &'a Value, found: &mut impl FnMut(&'a str)) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| links(item, found)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(link)
                            if ["@odata.id", "@Redfish.ActionInfo"].contains(&name.as_str()) =>
                        {
                            found(link);
                        }
                        value => links(value, found),
                    }
                }
            }
            _ => {}
        }
    }
}
