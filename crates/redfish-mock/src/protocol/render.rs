//! Renders a [`Response`] as an HTTP response: as DSP0266 requires, or as the documentation of iLO Amplifier Pack shows.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::etag::fingerprint;
use super::message::{Base, Message};
use super::profile::Profile;
use super::response::{Content, Response};
use super::uris::{LEGACY_SESSIONS, SESSIONS};

/// The text of an error whose details are in its messages.
const SEE_EXTENDED_INFO: &str = "See @Message.ExtendedInfo for more information.";

/// Renders a response to a request with this method. `host` is the origin that the client used: `https://bmc:8443`.
pub(crate) fn render(
    profile: Profile,
    response: Response,
    method: &Method,
    host: &str,
) -> http::Response<Vec<u8>> {
    let Response { status, mut headers, allow, location, content, stream } = response;
    let link = link(profile, &content, location.as_deref());
    let (body, media_type, etag) = body(profile, content);
    let (body, location) = match profile {
        Profile::Older => {
            (legacy(body), location.map(|location| location.replace(SESSIONS, LEGACY_SESSIONS)))
        }
        Profile::Standard | Profile::IloAmplifier | Profile::Slots => (body, location),
    };

    match profile {
        Profile::Standard | Profile::Older | Profile::Slots => {
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
    // DSP0266 requires OData-Version on every response. The documented 401 of iLO Amplifier Pack does not have it.
    if profile != Profile::IloAmplifier || status.is_success() {
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
    if let Some(path) = location {
        let location = match profile {
            Profile::Standard | Profile::Older | Profile::Slots => path,
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

    // A HEAD keeps the Content-Length of the GET (RFC 9110, section 9.3.2).
    let mut rendered = http::Response::new(if method == Method::HEAD { Vec::new() } else { body });
    *rendered.status_mut() = status;
    *rendered.headers_mut() = headers;
    stream.map(|stream| rendered.extensions_mut().insert(stream));
    rendered
}

/// A body with the sessions at the path that services had at first.
fn legacy(body: Vec<u8>) -> Vec<u8> {
    String::from_utf8(body)
        .map_or_else(|error| error.into_bytes(), |body| body.replace(SESSIONS, LEGACY_SESSIONS).into_bytes())
}

fn body(profile: Profile, content: Content) -> (Vec<u8>, Option<&'static str>, Option<String>) {
    const JSON: Option<&str> = Some("application/json");
    match content {
        Content::Empty => (Vec::new(), None, None),
        Content::Resource(resource) => (resource.body, JSON, Some(resource.etag)),
        Content::Raw { media_type, bytes } => (bytes, Some(media_type), None),
        Content::Messages(messages) => {
            let mut envelope = envelope(profile, &messages);
            let etag = match profile {
                Profile::Standard | Profile::Older | Profile::Slots => None,
                Profile::IloAmplifier => {
                    let etag = profile.etag(fingerprint(envelope.to_string().as_bytes(), 0));
                    envelope["@odata.etag"] = json!(etag);
                    Some(etag)
                }
            };
            (envelope.to_string().into_bytes(), JSON, etag)
        }
    }
}

/// Wraps messages in an error object (DSP0266, "Error responses").
fn envelope(profile: Profile, messages: &[Message]) -> Value {
    let entries: Vec<Value> = messages.iter().map(|message| message.render(profile)).collect();
    match profile {
        Profile::Standard | Profile::Older | Profile::Slots => {
            let general = Message::new(Base::GeneralError, []);
            let first = if let [only] = messages { only } else { &general };
            let without_text = messages.iter().all(Message::has_no_text);
            json!({"error": {
                "code": first.id(profile),
                "message": if without_text { SEE_EXTENDED_INFO.to_owned() } else { first.text() },
                "@Message.ExtendedInfo": entries,
            }})
        }
        Profile::IloAmplifier => json!({
            "@odata.type": "#ExtendedInfo.1.0.0.ExtendedInfo",
            "error": {
                "@Message.ExtendedInfo": entries,
                "code": "Wolfram.1.0.ExtendedInfo",
                "message": SEE_EXTENDED_INFO,
            },
        }),
    }
}

/// The value of the header `Link`: the schema in `standard` (DSP0266, "Link header"), the resource in `ilo-amplifier`.
fn link(profile: Profile, content: &Content, location: Option<&str>) -> Option<String> {
    match (profile, content) {
        (Profile::Standard | Profile::Older | Profile::Slots, Content::Resource(resource))
            if !resource.schema.is_empty() =>
        {
            let schema = &resource.schema;
            Some(format!("<http://redfish.dmtf.org/schemas/v1/{schema}.json>; rel=describedby"))
        }
        (Profile::Standard | Profile::Older | Profile::Slots, _) => None,
        (Profile::IloAmplifier, Content::Resource(resource)) => {
            Some(format!("<{}>; rel=self", location.unwrap_or(&resource.path)))
        }
        (Profile::IloAmplifier, _) => location.map(|path| format!("<{path}>; rel=self")),
    }
}

/// Sets a header. Ignores a value that is not valid in a header.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_messages_have_the_code_of_a_general_error_and_one_message_has_its_own() {
        let one = [Message::new(Base::NoOperation, [])];
        let two = [Message::new(Base::NoOperation, []), Message::new(Base::MalformedJSON, [])];
        assert_eq!(envelope(Profile::Standard, &one)["error"]["code"], "Base.1.19.NoOperation");
        assert_eq!(envelope(Profile::Standard, &two)["error"]["code"], "Base.1.19.GeneralError");
    }

    #[test]
    fn a_head_has_the_length_of_the_get() {
        let render_to = |method| {
            let response = Response::error(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, ["/x"]);
            render(Profile::Standard, response, &method, "https://bmc")
        };
        let (get, head) = (render_to(Method::GET), render_to(Method::HEAD));
        assert_eq!(get.headers(), head.headers());
        assert_eq!(get.headers()[header::CONTENT_LENGTH], get.body().len().to_string());
        assert!(head.body().is_empty());
    }
}
