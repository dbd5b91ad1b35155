//! What the service wants to say, before a profile spells it out.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::protocol::message::{Base, Message};
use crate::protocol::profile::Profile;
use crate::state::events::EventStream;
use crate::state::random::fingerprint;

/// Status, headers and content of an answer. [`Profile::spell`] makes the HTTP response of it.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The methods that the resource takes, where there is a resource.
    pub(crate) allow: Vec<Method>,
    /// The path of what a POST created.
    pub(crate) created: Option<String>,
    pub(crate) content: Content,
    /// The stream that goes on where the head ends, in the place of content.
    pub(crate) stream: Option<EventStream>,
}

/// The body of a [`Reply`].
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Nothing,
    Document(Rendered),
    /// Messages in the envelope that DSP0266 has for errors.
    Messages(Vec<Message>),
    Raw {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content: Content) -> Reply {
        Reply { status, headers: HeaderMap::new(), allow: Vec::new(), created: None, content, stream: None }
    }

    pub(crate) fn document(status: StatusCode, document: Rendered) -> Reply {
        Reply::new(status, Content::Document(document))
    }

    /// An error with one message. Every error answer of this crate is made here or in [`Reply::refusals`].
    pub(crate) fn refusal<const N: usize>(status: StatusCode, base: Base, arguments: [&str; N]) -> Reply {
        Reply::refusals(status, vec![Message::new(base, arguments)])
    }

    pub(crate) fn refusals(status: StatusCode, messages: Vec<Message>) -> Reply {
        Reply::new(status, Content::Messages(messages))
    }

    /// Done, and nothing to show: `standard` answers 204, iLO Amplifier Pack 200 with a message that says so.
    pub(crate) fn done(profile: Profile) -> Reply {
        match profile {
            Profile::Standard => Reply::new(StatusCode::NO_CONTENT, Content::Nothing),
            Profile::IloAmplifier => Reply::refusals(StatusCode::OK, vec![Message::new(Base::Success, [])]),
        }
    }

    /// Adds a header. A value that no header may have (the client chose it) is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// A resource as bytes, its ETag inside.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) etag: String,
    /// The name of its schema, with the version where its `@odata.type` has one: `Chassis.v1_25_0`.
    pub(crate) schema: String,
    /// How many members it has, where it is a collection.
    pub(crate) members: usize,
}

impl Rendered {
    /// `revision` differs after each write, so that a value changed there and back does not get its old ETag again.
    pub(crate) fn new(mut document: Value, revision: u64, profile: Profile) -> Rendered {
        let etag = profile.etag(fingerprint(document.to_string().as_bytes(), revision));
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (path, kind) = (text("@odata.id"), text("@odata.type"));
        let kind = kind.trim_start_matches('#');
        let schema = kind.rsplit_once('.').map_or("", |(schema, _)| schema).to_owned();
        let members = document["Members"].as_array().map_or(0, Vec::len);
        document["@odata.etag"] = Value::String(etag.clone());
        if profile == Profile::IloAmplifier {
            document["@odata.context"] = Value::String(format!("/redfish/v1/$metadata#{kind}"));
        }
        Rendered { path, body: document.to_string().into_bytes(), etag, schema, members }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_etag_stands_in_the_document_and_changes_with_content_and_revision() {
        let document = |name: &str| json!({"@odata.id": "/redfish/v1/Chassis/1", "@odata.type": "#Chassis.v1_25_0.Chassis", "Name": name});
        let first = Rendered::new(document("a"), 0, Profile::Standard);
        let body: Value = serde_json::from_slice(&first.body).unwrap();
        assert_eq!(body["@odata.etag"], first.etag.as_str());
        assert_eq!(first.schema, "Chassis.v1_25_0");
        assert_eq!(first.path, "/redfish/v1/Chassis/1");
        assert_eq!(first.etag, Rendered::new(document("a"), 0, Profile::Standard).etag);
        assert_ne!(first.etag, Rendered::new(document("a"), 1, Profile::Standard).etag);
        assert_ne!(first.etag, Rendered::new(document("b"), 0, Profile::Standard).etag);
    }

    #[test]
    fn a_header_value_that_cannot_be_is_left_out() {
        let reply = Reply::done(Profile::Standard).with(http::header::RETRY_AFTER, "1\r\nX-Evil: 1");
        assert!(reply.headers.is_empty());
    }
}
