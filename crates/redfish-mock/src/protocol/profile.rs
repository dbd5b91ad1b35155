//! How the service spells its answers: as DSP0266 asks, or as iLO Amplifier Pack's documentation shows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::protocol::message::{Base, Message};
use crate::protocol::query::Query;
use crate::protocol::response::{Content, Reply};
use crate::state::random::fingerprint;

/// What an error says that leaves the rest to its messages.
const SEE: &str = "See @Message.ExtendedInfo for more information.";

/// Which service to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Today's standard: full messages, strong ETags, the session resource as the answer to a login.
    #[default]
    Standard,
    /// iLO Amplifier Pack as it is documented: bare message identifiers, weak ETags, `MySession`, paths in any letter case.
    IloAmplifier,
}

/// Neither `standard` nor `ilo-amplifier`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile(());

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the profile is one of: standard, ilo-amplifier")
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Profile, UnknownProfile> {
        match text {
            "standard" => Ok(Profile::Standard),
            "ilo-amplifier" => Ok(Profile::IloAmplifier),
            _ => Err(UnknownProfile(())),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::Standard => "standard",
            Profile::IloAmplifier => "ilo-amplifier",
        })
    }
}

impl Profile {
    pub(crate) fn etag(self, fingerprint: u32) -> String {
        match self {
            Profile::Standard => format!("\"{fingerprint:08X}\""),
            Profile::IloAmplifier => format!("W/\"{fingerprint:08X}\""),
        }
    }

    /// How many members of a collection are shown at once.
    pub(crate) fn page(self) -> usize {
        match self {
            Profile::Standard => 50,
            Profile::IloAmplifier => usize::MAX,
        }
    }

    /// What a query asks for. iLO Amplifier Pack's version of the standard knew none that a service has to understand.
    pub(crate) fn query(self, text: &str) -> Result<Query, Box<Reply>> {
        let odata = |parameter: &str| parameter.starts_with('$') || parameter.starts_with("%24");
        match self {
            Profile::Standard => Query::read(text),
            Profile::IloAmplifier if text.split('&').any(odata) => {
                Err(Box::new(Reply::refusal(StatusCode::NOT_IMPLEMENTED, Base::QueryNotSupported, [])))
            }
            Profile::IloAmplifier => Ok(Query::default()),
        }
    }

    /// How long after its answer a reset takes effect.
    pub(crate) fn reset_delay(self) -> Duration {
        match self {
            Profile::Standard => Duration::from_secs(3),
            Profile::IloAmplifier => Duration::ZERO,
        }
    }

    /// The envelope for messages (DSP0266, "Error responses").
    fn envelope(self, messages: &[Message]) -> Value {
        let entries: Vec<Value> = messages.iter().map(|message| message.spell(self)).collect();
        match self {
            Profile::Standard => {
                let general = Message::new(Base::GeneralError, []);
                let first = if let [only] = messages { only } else { &general };
                json!({"error": {
                    "code": first.id(self),
                    "message": if messages.iter().all(Message::is_bare) { SEE.to_owned() } else { first.text() },
                    "@Message.ExtendedInfo": entries,
                }})
            }
            Profile::IloAmplifier => json!({
                "@odata.type": "#ExtendedInfo.1.0.0.ExtendedInfo",
                "error": {
                    "@Message.ExtendedInfo": entries,
                    "code": "Wolfram.1.0.ExtendedInfo",
                    "message": SEE,
                },
            }),
        }
    }

    /// The HTTP response. `host` is what the client calls this service: `https://bmc:8443`.
    pub(crate) fn spell(self, reply: Reply, method: &Method, host: &str) -> Response<Vec<u8>> {
        let Reply { status, mut headers, allow, created, content, stream } = reply;
        let link = self.link(&content, created.as_deref());
        let (body, media_type, etag) = self.body(content);

        match self {
            Profile::Standard => {
                put(&mut headers, header::CACHE_CONTROL, "no-store");
                if status == StatusCode::UNAUTHORIZED {
                    put(&mut headers, header::WWW_AUTHENTICATE, "Basic realm=\"Redfish\", charset=\"UTF-8\"");
                }
            }
            Profile::IloAmplifier => {
                put(&mut headers, header::SERVER, "Apache");
                put(&mut headers, header::X_FRAME_OPTIONS, "sameorigin");
                put(&mut headers, header::SET_COOKIE, "HttpOnly;Secure");
                if status == StatusCode::UNAUTHORIZED {
                    put(&mut headers, header::CONNECTION, "close");
                }
            }
        }
        // The documented 401 has no OData-Version; DSP0266 wants it on every answer.
        if self == Profile::Standard || status.is_success() {
            put(&mut headers, HeaderName::from_static("odata-version"), "4.0");
        }
        if let Some(etag) = etag.filter(|etag| !etag.is_empty()) {
            put(&mut headers, header::ETAG, &etag);
        }
        if let Some(link) = link {
            put(&mut headers, header::LINK, &link);
        }
        if !allow.is_empty() {
            let names: Vec<&str> = allow.iter().map(Method::as_str).collect();
            put(&mut headers, header::ALLOW, &names.join(", "));
        }
        if let Some(path) = created {
            let location = match self {
                Profile::Standard => path,
                Profile::IloAmplifier => format!("{host}{path}"),
            };
            put(&mut headers, header::LOCATION, &location);
        }
        if let Some(media_type) = media_type {
            put(&mut headers, header::CONTENT_TYPE, media_type);
        }
        if ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) && stream.is_none() {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }

        // A HEAD keeps the length of what a GET would have sent (RFC 9110, section 9.3.2).
        let mut response = Response::new(if method == Method::HEAD { Vec::new() } else { body });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        stream.map(|stream| response.extensions_mut().insert(stream));
        response
    }

    fn body(self, content: Content) -> (Vec<u8>, Option<&'static str>, Option<String>) {
        const JSON: Option<&str> = Some("application/json");
        match content {
            Content::Nothing => (Vec::new(), None, None),
            Content::Document(document) => (document.body, JSON, Some(document.etag)),
            Content::Raw { media_type, bytes } => (bytes, Some(media_type), None),
            Content::Messages(messages) => {
                let mut envelope = self.envelope(&messages);
                let etag = match self {
                    Profile::Standard => None,
                    Profile::IloAmplifier => {
                        let etag = self.etag(fingerprint(envelope.to_string().as_bytes(), 0));
                        envelope["@odata.etag"] = json!(etag);
                        Some(etag)
                    }
                };
                (envelope.to_string().into_bytes(), JSON, etag)
            }
        }
    }

    /// The header `Link`: to the schema in `standard` (DSP0266, "Link header"), to the resource itself in iLO Amplifier Pack.
    fn link(self, content: &Content, created: Option<&str>) -> Option<String> {
        match (self, content) {
            (Profile::Standard, Content::Document(document)) if !document.schema.is_empty() => Some(format!(
                "<http://redfish.dmtf.org/schemas/v1/{}.json>; rel=describedby",
                document.schema
            )),
            (Profile::Standard, _) => None,
            (Profile::IloAmplifier, Content::Document(document)) => {
                Some(format!("<{}>; rel=self", created.unwrap_or(&document.path)))
            }
            (Profile::IloAmplifier, _) => created.map(|path| format!("<{path}>; rel=self")),
        }
    }
}

/// Sets a header; a value that no header may have is left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_its_name() {
        for profile in [Profile::Standard, Profile::IloAmplifier] {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("Standard".parse::<Profile>().is_err());
    }

    #[test]
    fn several_messages_are_a_general_error_and_one_is_itself() {
        let one = [Message::new(Base::NoOperation, [])];
        let two = [Message::new(Base::NoOperation, []), Message::new(Base::MalformedJSON, [])];
        assert_eq!(Profile::Standard.envelope(&one)["error"]["code"], "Base.1.19.NoOperation");
        assert_eq!(Profile::Standard.envelope(&two)["error"]["code"], "Base.1.19.GeneralError");
    }

    #[test]
    fn a_head_has_the_length_of_the_get() {
        let spell = |method| {
            let reply = Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, ["/x"]);
            Profile::Standard.spell(reply, &method, "https://bmc")
        };
        let (get, head) = (spell(Method::GET), spell(Method::HEAD));
        assert_eq!(get.headers(), head.headers());
        assert_eq!(get.headers()[header::CONTENT_LENGTH], get.body().len().to_string());
        assert!(head.body().is_empty());
    }
}
