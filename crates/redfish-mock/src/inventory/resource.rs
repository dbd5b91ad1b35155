//! A resource: its content, and what a client may do with it.

use serde_json::Value;

use crate::protocol::path::Path;
use crate::protocol::property::Property;
use crate::protocol::representation::Representation;

/// A resource of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) path: String,
    /// Whether it can be read without authentication.
    pub(crate) is_public: bool,
    pub(crate) body: Body,
    pub(crate) capabilities: Capabilities,
    /// The number of writes.
    pub(crate) revision: u64,
}

/// What a client may do with a resource, apart from reading it and invoking its actions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Capabilities {
    /// What a PATCH may change.
    pub(crate) patch: PatchRule,
    /// What a POST to the collection contains. `None` if members cannot be created.
    pub(crate) create: Option<NewMember>,
    /// Whether a DELETE removes it.
    pub(crate) delete: bool,
}

/// What a POST of a new member contains. Without required properties, it may contain anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewMember {
    pub(crate) required: &'static [Property],
    pub(crate) optional: &'static [Property],
}

/// What a PATCH may change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PatchRule {
    /// These properties.
    Only(&'static [Property]),
    /// Any property: the resource is part of a mockup, whose writable properties are unknown.
    Any,
}

impl Default for PatchRule {
    fn default() -> PatchRule {
        PatchRule::Only(&[])
    }
}

/// The content of a [`Resource`].
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Document {
        document: Value,
        representation: Representation,
    },
    /// Something other than a Redfish resource, such as the OData metadata.
    Raw {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

impl Resource {
    /// Its document; `null` if it is not a Redfish resource.
    pub(crate) fn document(&self) -> &Value {
        match &self.body {
            Body::Document { document, .. } => document,
            Body::Raw { .. } => &Value::Null,
        }
    }

    /// The name of the action whose target is `path`.
    pub(crate) fn action_at(&self, path: &str) -> Option<&str> {
        let is_target = |entry: &Value| {
            let target = entry["target"].as_str().map(Path::new);
            target.is_some_and(|target| target.as_str().eq_ignore_ascii_case(path))
        };
        self.actions().find(|(_, entry)| is_target(entry))?.0.strip_prefix('#')
    }

    /// The entry of an action in `Actions`; `null` if the resource does not have the action.
    pub(crate) fn action_entry(&self, action: &str) -> &Value {
        let entry = self.actions().find(|(name, _)| name.strip_prefix('#') == Some(action));
        entry.map_or(&Value::Null, |(_, entry)| entry)
    }

    /// Its standard and OEM actions.
    fn actions(&self) -> impl Iterator<Item = (&String, &Value)> {
        let actions = &self.document()["Actions"];
        [actions, &actions["Oem"]].into_iter().filter_map(Value::as_object).flatten()
    }
}
