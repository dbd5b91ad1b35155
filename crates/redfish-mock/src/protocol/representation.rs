//! The representation of a resource: its JSON with its ETag.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::etag::fingerprint;
use super::profile::Profile;

/// The link from a page of a collection to the next one.
pub(crate) const NEXT_LINK: &str = "Members@odata.nextLink";
/// The members that a representation sets.
const SET_MEMBERS: [&str; 2] = ["@odata.etag", "@odata.context"];

/// A resource as JSON bytes that contain its ETag.
#[derive(Clone, Debug)]
pub(crate) struct Representation {
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) etag: String,
    /// The name of its schema, with the version if its `@odata.type` has one: `Chassis.v1_25_0`.
    pub(crate) schema: String,
    /// The number of members that may be divided into pages; 0 if it is not a collection, or has its own pages.
    pub(crate) member_count: usize,
}

impl Representation {
    /// Renders a document. Each write increases `revision`, so that a value that is changed and then restored gets a new ETag.
    pub(crate) fn new(mut document: Value, revision: u64, profile: Profile) -> Representation {
        // So that a dump of a service and the service have the same ETags.
        document.as_object_mut().map(|members| members.remove("@odata.etag"));
        let etag = profile.etag(fingerprint(document.to_string().as_bytes(), revision));
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (path, odata_type) = (text("@odata.id"), text("@odata.type"));
        let schema = odata_type.trim_start_matches('#').rsplit_once('.').map_or("", |(schema, _)| schema);
        let schema = schema.to_owned();
        let members = document["Members"].as_array().filter(|_| !has_own_pages(&document));
        let member_count = members.map_or(0, Vec::len);
        annotate(&mut document, &etag, profile);
        Representation { path, body: document.to_string().into_bytes(), etag, schema, member_count }
    }

    /// The same at another time. That a clock goes on or a reading moves is no new version of the resource: a client that has read it
    /// can change it.
    pub(crate) fn with_document(&self, mut document: Value, profile: Profile) -> Representation {
        annotate(&mut document, &self.etag, profile);
        Representation { body: document.to_string().into_bytes(), ..self.clone() }
    }

    /// The same with the members of `text`, of which the document was read, as they are written there: numbers above all.
    pub(crate) fn with_text(mut self, text: &[u8]) -> Representation {
        type Members = BTreeMap<String, Box<RawValue>>;
        let read = |text: &[u8]| serde_json::from_slice::<Members>(text).ok();
        let (Some(captured), Some(mut members)) = (read(text), read(&self.body)) else { return self };
        for (name, value) in captured {
            if !SET_MEMBERS.contains(&name.as_str()) || !members.contains_key(&name) {
                members.insert(name, value);
            }
        }
        self.body = serde_json::to_vec(&members).unwrap_or(self.body);
        self
    }
}

/// Adds the ETag, and in iLO Amplifier Pack the context.
fn annotate(document: &mut Value, etag: &str, profile: Profile) {
    if !etag.is_empty() {
        document["@odata.etag"] = etag.into();
    }
    if profile == Profile::IloAmplifier {
        let odata_type = document["@odata.type"].as_str().unwrap_or_default().trim_start_matches('#');
        document["@odata.context"] = Value::String(format!("/redfish/v1/$metadata#{odata_type}"));
    }
}

/// Whether a collection was captured with a link to its next page, so that the mock does not divide it.
pub(crate) fn has_own_pages(document: &Value) -> bool {
    document[NEXT_LINK].is_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_etag_is_in_the_document_and_changes_with_content_and_revision() {
        let document = |name: &str| json!({"@odata.id": "/redfish/v1/Chassis/1", "@odata.type": "#Chassis.v1_25_0.Chassis", "Name": name});
        let first = Representation::new(document("a"), 0, Profile::Standard);
        let body: Value = serde_json::from_slice(&first.body).unwrap();
        assert_eq!(body["@odata.etag"], first.etag.as_str());
        assert_eq!(first.schema, "Chassis.v1_25_0");
        assert_eq!(first.path, "/redfish/v1/Chassis/1");
        assert_eq!(first.etag, Representation::new(document("a"), 0, Profile::Standard).etag);
        assert_ne!(first.etag, Representation::new(document("a"), 1, Profile::Standard).etag);
        assert_ne!(first.etag, Representation::new(document("b"), 0, Profile::Standard).etag);
    }
}
