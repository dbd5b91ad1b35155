//! A request as the handlers see it: with its normalized path, credentials, preconditions and parsed body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Map, Value};

use super::message::Base;
use super::path::Path;
use super::payload::Payload;
use super::response::Response;

/// A request, with what the service keeps of its body.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) payload: &'a Payload,
    pub(crate) path: Path,
}

/// The credentials of a request.
pub(crate) enum Credentials {
    None,
    Token(String),
    Basic {
        user: String,
        password: String,
    },
    Bearer(String),
    /// A header that cannot be parsed.
    Invalid,
}

impl<'a> Request<'a> {
    pub(crate) fn new(request: &'a http::Request<Payload>) -> Request<'a> {
        Request {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            payload: request.body(),
            path: Path::new(request.uri().path()),
        }
    }

    /// Copies the request, so that a task can keep it.
    pub(crate) fn to_owned(&self) -> http::Request<Payload> {
        let mut request = http::Request::new(self.payload.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Whether its method is GET or HEAD.
    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the client accepts a response of this media type (RFC 9110, "Accept").
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        let mut values = self.headers.get_all(header::ACCEPT).iter().peekable();
        let family = media_type.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
        let matches = |range: &str| {
            let range = range.split(';').next().unwrap_or_default().trim();
            ["*/*", media_type, &family].iter().any(|accepted| range.eq_ignore_ascii_case(accepted))
        };
        values.peek().is_none()
            || values.any(|value| value.to_str().is_ok_and(|ranges| ranges.split(',').any(matches)))
    }

    /// The origin of the service as the client wrote it.
    pub(crate) fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let host =
            self.uri.authority().map(http::uri::Authority::as_str).or_else(|| self.header(header::HOST));
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }

    /// Its credentials. `X-Auth-Token` takes precedence over `Authorization`.
    pub(crate) fn credentials(&self) -> Credentials {
        if let Some(token) = self.headers.get("x-auth-token") {
            return token.to_str().map_or(Credentials::Invalid, |token| Credentials::Token(token.to_owned()));
        }
        let Some(authorization) = self.headers.get(header::AUTHORIZATION) else {
            return Credentials::None;
        };
        let parsed = authorization.to_str().ok().and_then(|text| text.split_once(' '));
        match parsed {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
                parse_basic(rest.trim()).unwrap_or(Credentials::Invalid)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                Credentials::Bearer(rest.trim().to_owned())
            }
            _ => Credentials::Invalid,
        }
    }

    /// The length of its body, as its head gives it. `None` if only the end of the body shows it.
    pub(crate) fn content_length(&self) -> Option<u64> {
        match self.header(header::CONTENT_LENGTH) {
            Some(length) => length.parse().ok(),
            None => (!self.headers.contains_key(header::TRANSFER_ENCODING)).then_some(0),
        }
    }

    /// Its media type, with parameters.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.header(header::CONTENT_TYPE)
    }

    /// Whether its media type is that of JSON.
    pub(crate) fn is_json(&self) -> bool {
        let essence = self.content_type().and_then(|text| text.split(';').next());
        essence.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"))
    }

    /// Parses the body as a JSON object.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, Box<Response>> {
        let bad_request = |message| Err(Box::new(Response::error(StatusCode::BAD_REQUEST, message, [])));
        let body = self.payload.bytes();
        if !body.is_empty() && !self.is_json() {
            return Err(Box::new(unsupported_media_type()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => bad_request(Base::UnrecognizedRequestBody),
            Err(_) => bad_request(Base::MalformedJSON),
        }
    }

    /// Whether the client requires a version of OData other than 4.0.
    pub(crate) fn requires_other_odata_version(&self) -> bool {
        self.headers.get("odata-version").is_some_and(|version| version != "4.0")
    }

    /// Whether `If-Match` fails. The comparison is weak, as in other services: a strong comparison would never accept a weak
    /// ETag.
    pub(crate) fn if_match_fails(&self, etag: impl FnOnce() -> Option<String>) -> bool {
        let mut values = self.headers.get_all(header::IF_MATCH).iter().peekable();
        values.peek().is_some() && !etag().is_some_and(|etag| values.any(|value| lists(value, &etag)))
    }

    /// Whether `If-None-Match` lists this ETag.
    pub(crate) fn if_none_match_lists(&self, etag: &str) -> bool {
        self.headers.get_all(header::IF_NONE_MATCH).iter().any(|value| lists(value, etag))
    }
}

/// 415: the service does not accept the media type of the body.
pub(crate) fn unsupported_media_type() -> Response {
    let (status, name) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, header::CONTENT_TYPE);
    Response::error(status, Base::HeaderInvalid, [name.as_str()])
}

/// Whether a list of ETags contains this one, or is `*`.
fn lists(value: &http::HeaderValue, etag: &str) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    value
        .to_str()
        .is_ok_and(|list| list.trim() == "*" || list.split(',').any(|one| opaque(one) == opaque(etag)))
}

fn parse_basic(encoded: &str) -> Option<Credentials> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Credentials::Basic { user: user.into(), password: password.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request_with(name: &str, value: &str) -> http::Request<Payload> {
        http::Request::get("/redfish/v1/").header(name, value).body(Payload::default()).unwrap()
    }

    #[test]
    fn basic_credentials_split_at_the_first_colon() {
        let encoded = BASE64_STANDARD.encode("ada:love:lace");
        let Credentials::Basic { user, password } =
            Request::new(&request_with("Authorization", &format!("basic {encoded}"))).credentials()
        else {
            panic!("not Basic");
        };
        assert_eq!((user.as_str(), password.as_str()), ("ada", "love:lace"));
        for broken in ["Basic", "Basic !!!", "Basic YWRh", "Digest x", ""] {
            let request = request_with("Authorization", broken);
            assert!(matches!(Request::new(&request).credentials(), Credentials::Invalid), "{broken:?}");
        }
    }

    #[test]
    fn etags_are_compared_weakly_and_in_lists() {
        let cases = [
            ("\"A\"", true),
            ("W/\"A\"", true),
            ("\"B\", \"A\"", true),
            ("*", true),
            ("\"B\"", false),
            ("A", false),
        ];
        for (value, same) in cases {
            assert_eq!(
                !Request::new(&request_with("If-Match", value)).if_match_fails(|| Some("W/\"A\"".into())),
                same,
                "{value}"
            );
            assert_eq!(
                Request::new(&request_with("If-None-Match", value)).if_none_match_lists("\"A\""),
                same,
                "{value}"
            );
        }
        assert!(!Request::new(&request_with("Accept", "*/*")).if_match_fails(|| Some("\"A\"".into())));
        assert!(!Request::new(&request_with("Accept", "*/*")).if_none_match_lists("\"A\""));
    }

    #[test]
    fn the_origin_is_the_one_that_the_client_used() {
        assert_eq!(Request::new(&request_with("Host", "bmc:8443")).origin(), "https://bmc:8443");
        let absolute = http::Request::get("http://[::1]:80/redfish/v1/").body(Payload::default()).unwrap();
        assert_eq!(Request::new(&absolute).origin(), "http://[::1]:80");
    }
}
