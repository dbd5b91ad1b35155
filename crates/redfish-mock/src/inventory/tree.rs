//! The resource tree: resources by their paths, changed by PATCH and by actions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::builder::ResourceBuilder;
use super::resource::{Body, Resource};
use crate::protocol::path::{Path, key};
use crate::protocol::profile::Profile;
use crate::protocol::query::decode;
use crate::protocol::representation::Representation;

/// By how many bytes of JSON clients may enlarge the tree.
const MAX_GROWTH: usize = 4 << 20;

/// The resources of a service. Copies share the resources that none of them has written, so that a copy is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    profile: Profile,
    shared: Arc<BTreeMap<String, Arc<Resource>>>,
    /// The resources that were written, or `None` if removed. They replace the shared ones.
    written: BTreeMap<String, Option<Arc<Resource>>>,
}

impl Tree {
    pub(crate) fn new(resources: impl IntoIterator<Item = ResourceBuilder>, profile: Profile) -> Tree {
        let mut shared = BTreeMap::new();
        for builder in resources {
            // Files may clash. The first one is served.
            let entry = shared.entry(key(&builder.path, profile).into_owned());
            entry.or_insert_with(|| Arc::new(builder.build(profile)));
        }
        Tree { profile, shared: Arc::new(shared), written: BTreeMap::new() }
    }

    fn key<'a>(&self, path: &'a str) -> Cow<'a, str> {
        key(path, self.profile)
    }

    /// The resource that a request for `path` finds.
    pub(crate) fn find(&self, path: &Path) -> Option<&Arc<Resource>> {
        self.get(path.as_str())
    }

    /// The resource at a canonical path.
    pub(crate) fn get(&self, path: &str) -> Option<&Arc<Resource>> {
        self.with_key(&self.key(path))
    }

    fn with_key(&self, key: &str) -> Option<&Arc<Resource>> {
        self.written.get(key).map_or_else(|| self.shared.get(key), Option::as_ref)
    }

    /// The paths of a resource and of its captured pages.
    pub(crate) fn pages(&self, path: &str) -> Vec<String> {
        let before = format!("{}?", self.key(path));
        let captured = self.shared.range(before.clone()..).take_while(|(key, _)| key.starts_with(&before));
        let others = captured.map(|(_, page)| page.path.clone());
        std::iter::once(path.to_owned()).chain(others).collect()
    }

    /// The response to a query of the resource at a canonical path, if it was captured.
    pub(crate) fn captured(&self, path: &str, query: &str) -> Option<&Arc<Resource>> {
        if query.is_empty() { None } else { self.get(&format!("{path}?{}", decode(query))) }
    }

    /// The document of the resource at a canonical path.
    pub(crate) fn document(&self, path: &str) -> Option<&Value> {
        self.get(path).map(|resource| resource.document())
    }

    /// Replaces the document at `path`. The ETag changes even if the document does not.
    pub(crate) fn write(&mut self, path: &str, document: Value) {
        if let Some(before) = self.get(path) {
            let revision = before.revision + 1;
            let representation = Representation::new(document.clone(), revision, self.profile);
            let body = Body::Document { document, representation };
            let after = Resource { path: before.path.clone(), body, revision, ..**before };
            self.written.insert(self.key(path).into_owned(), Some(Arc::new(after)));
        }
    }

    /// Adds a resource that can be read, and nothing else.
    pub(crate) fn add(&mut self, document: Value) {
        self.insert(ResourceBuilder::new(document));
    }

    /// Adds a resource.
    pub(crate) fn insert(&mut self, builder: ResourceBuilder) {
        let resource = builder.build(self.profile);
        self.written.insert(self.key(&resource.path).into_owned(), Some(Arc::new(resource)));
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.remove_key(self.key(path).into_owned());
    }

    fn remove_key(&mut self, key: String) {
        // A resource that was created leaves nothing.
        if self.shared.contains_key(&key) {
            self.written.insert(key, None);
        } else {
            self.written.remove(&key);
        }
    }

    /// Whether a resource may grow from one size to another, both in bytes. The resources that clients create or enlarge
    /// have a limit in total.
    pub(crate) fn has_room(&self, from: usize, to: usize) -> bool {
        let size = |resource: &Arc<Resource>| match &resource.body {
            Body::Document { representation, .. } => representation.body.len(),
            Body::Raw { bytes, .. } => bytes.len(),
        };
        let growth = |(key, written): (&String, &Option<Arc<Resource>>)| {
            let initial = self.shared.get(key).map_or(0, size);
            written.as_ref().map_or(0, size).saturating_sub(initial)
        };
        to <= from || self.written.iter().map(growth).sum::<usize>() + (to - from) <= MAX_GROWTH
    }

    /// Removes the resource at a path and everything below it.
    pub(crate) fn remove_all(&mut self, path: &str) {
        let above = self.key(path);
        let is_removed = |key: &&String| is_at_or_below(key, &above);
        let keys: Vec<String> =
            self.shared.keys().chain(self.written.keys()).filter(is_removed).cloned().collect();
        keys.into_iter().for_each(|key| self.remove_key(key));
    }

    /// Restores the initial state of the resource at a path and of everything below it, except paths that `keep` accepts. A
    /// restored resource gets a new ETag. Returns the paths of the restored resources.
    pub(crate) fn restore(&mut self, path: &str, keep: impl Fn(&str) -> bool) -> Vec<String> {
        let mut restored = Vec::new();
        let above = self.key(path);
        let written: Vec<String> =
            self.written.keys().filter(|key| is_at_or_below(key, &above)).cloned().collect();
        for key in written {
            let Some(initial) = self.shared.get(&key).filter(|initial| !keep(&initial.path)).cloned() else {
                continue;
            };
            if self.with_key(&key).is_some() {
                self.write(&initial.path, initial.document().clone());
            } else {
                self.written.remove(&key);
            }
            restored.push(initial.path.clone());
        }
        restored
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.shared.keys().filter_map(|key| self.with_key(key)).map(Arc::as_ref)
    }
}

/// Whether a key is that of a resource, of a query of it, or of a resource below it.
fn is_at_or_below(candidate: &str, key: &str) -> bool {
    candidate.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(path: &str) -> ResourceBuilder {
        ResourceBuilder::new(json!({"@odata.id": path, "@odata.type": "#Certificate.v1_8_2.Certificate"}))
    }

    #[test]
    fn a_resource_that_was_created_leaves_nothing_and_an_initial_one_stays_removed() {
        let mut tree = Tree::new([resource("/redfish/v1/Initial")], Profile::Standard);
        tree.insert(resource("/redfish/v1/Created"));
        tree.insert(resource("/redfish/v1/Other"));
        tree.remove("/redfish/v1/Created");
        tree.remove_all("/redfish/v1/Other");
        assert_eq!(tree.written.len(), 0);
        tree.remove("/redfish/v1/Initial");
        assert!(tree.get("/redfish/v1/Initial").is_none());
    }
}
