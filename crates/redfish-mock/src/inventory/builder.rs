//! Builds a resource, independent of the profile that renders it.

use serde_json::{Value, json};

use super::resource::{Body, Capabilities, NewMember, PatchRule, Resource};
use crate::protocol::profile::Profile;
use crate::protocol::property::Property;
use crate::protocol::representation::Representation;

/// A resource before a profile renders it.
#[derive(Clone, Debug)]
pub(crate) struct ResourceBuilder {
    pub(crate) path: String,
    pub(crate) is_public: bool,
    pub(crate) content: BuilderContent,
    pub(crate) capabilities: Capabilities,
}

/// The content of a [`ResourceBuilder`].
#[derive(Clone, Debug)]
pub(crate) enum BuilderContent {
    Document(Value),
    /// A document of a file, and its text.
    Captured {
        document: Value,
        text: Vec<u8>,
    },
    Raw {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

impl ResourceBuilder {
    /// A resource at the path in its `@odata.id`. It can be read, and nothing else.
    pub(crate) fn new(document: Value) -> ResourceBuilder {
        let path = document["@odata.id"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        ResourceBuilder {
            path,
            is_public: false,
            content: BuilderContent::Document(document),
            capabilities: Capabilities::default(),
        }
    }

    /// A collection of the type `schema`. The members are the last segments of their paths.
    pub(crate) fn collection(
        path: &str,
        schema: &str,
        name: &str,
        members: impl IntoIterator<Item = String>,
    ) -> ResourceBuilder {
        let members: Vec<Value> =
            members.into_iter().map(|member| json!({"@odata.id": format!("{path}/{member}")})).collect();
        ResourceBuilder::new(json!({
            "@odata.id": path,
            "@odata.type": format!("#{schema}.{schema}"),
            "Name": name,
            "Description": format!("{name} of this service"),
            "Members@odata.count": members.len(),
            "Members": members,
        }))
    }

    /// Something other than a Redfish resource.
    pub(crate) fn raw(path: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> ResourceBuilder {
        ResourceBuilder {
            path: path.into(),
            is_public: false,
            content: BuilderContent::Raw { media_type, bytes: bytes.into() },
            capabilities: Capabilities::default(),
        }
    }

    /// The document of a file, served as its text.
    pub(crate) fn captured(path: String, document: Value, text: Vec<u8>) -> ResourceBuilder {
        let content = BuilderContent::Captured { document, text };
        ResourceBuilder { path, is_public: false, content, capabilities: Capabilities::default() }
    }

    pub(crate) fn document(&self) -> Option<&Value> {
        match &self.content {
            BuilderContent::Document(document) | BuilderContent::Captured { document, .. } => Some(document),
            BuilderContent::Raw { .. } => None,
        }
    }

    /// The document, to be changed: it is then no longer what was captured.
    pub(crate) fn document_mut(&mut self) -> Option<&mut Value> {
        if let BuilderContent::Captured { document, .. } = &mut self.content {
            self.content = BuilderContent::Document(document.take());
        }
        match &mut self.content {
            BuilderContent::Document(document) => Some(document),
            _ => None,
        }
    }

    /// Its `@odata.type`, if it has one.
    pub(crate) fn odata_type(&self) -> Option<&str> {
        self.document()?["@odata.type"].as_str()
    }

    /// Allows reading without authentication.
    pub(crate) fn public(self) -> ResourceBuilder {
        ResourceBuilder { is_public: true, ..self }
    }

    /// Allows a PATCH of these properties.
    pub(crate) fn writable(mut self, properties: &'static [Property]) -> ResourceBuilder {
        self.capabilities.patch = PatchRule::Only(properties);
        self
    }

    /// Allows a PATCH of any property.
    pub(crate) fn fully_writable(mut self) -> ResourceBuilder {
        self.capabilities.patch = PatchRule::Any;
        self
    }

    /// Allows a POST of new members with these properties. Without required ones, it accepts any member.
    pub(crate) fn creatable(
        mut self,
        required: &'static [Property],
        optional: &'static [Property],
    ) -> ResourceBuilder {
        self.capabilities.create = Some(NewMember { required, optional });
        self
    }

    /// Allows a DELETE.
    pub(crate) fn deletable(mut self) -> ResourceBuilder {
        self.capabilities.delete = true;
        self
    }

    /// Renders the resource for a profile.
    pub(crate) fn build(self, profile: Profile) -> Resource {
        let body = match self.content {
            BuilderContent::Document(document) => {
                let representation = Representation::new(document.clone(), 0, profile);
                Body::Document { document, representation }
            }
            BuilderContent::Captured { document, text } => {
                let representation = Representation::new(document.clone(), 0, profile).with_text(&text);
                Body::Document { document, representation }
            }
            BuilderContent::Raw { media_type, bytes } => Body::Raw { media_type, bytes },
        };
        Resource {
            path: self.path,
            is_public: self.is_public,
            body,
            capabilities: self.capabilities,
            revision: 0,
        }
    }
}
