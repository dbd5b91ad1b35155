//! A request as the service looks at it: its path in one form, its conditions and its body judged.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Map, Value};

use crate::protocol::message::Base;
use crate::protocol::path::Path;
use crate::protocol::response::Reply;

/// A request whose body has arrived.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) path: Path,
}

/// What a request brings to show who sends it.
pub(crate) enum Credentials {
    Nothing,
    Token(String),
    Basic {
        user: String,
        password: String,
    },
    Bearer(String),
    /// Something that no service could read.
    Unreadable,
}

impl<'a> Request<'a> {
    pub(crate) fn new<B: AsRef<[u8]>>(request: &'a http::Request<B>) -> Request<'a> {
        Request {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: request.body().as_ref(),
            path: Path::new(request.uri().path()),
        }
    }

    /// A copy that can be kept.
    pub(crate) fn to_owned(&self) -> http::Request<Vec<u8>> {
        let mut request = http::Request::new(self.body.to_vec());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Whether it only reads (RFC 9110, "Safe methods").
    pub(crate) fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it takes an answer of this media type (RFC 9110, "Accept").
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        let mut named = self.headers.get_all(header::ACCEPT).iter().peekable();
        let family = media_type.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
        let takes = |range: &str| {
            let range = range.split(';').next().unwrap_or_default().trim();
            ["*/*", media_type, &family].iter().any(|taken| range.eq_ignore_ascii_case(taken))
        };
        named.peek().is_none()
            || named.any(|value| value.to_str().is_ok_and(|ranges| ranges.split(',').any(takes)))
    }

    /// What the client calls this service, for links that name it.
    pub(crate) fn host(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let host =
            self.uri.authority().map(http::uri::Authority::as_str).or_else(|| self.header(header::HOST));
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }

    /// A session's token goes before what `Authorization` says.
    pub(crate) fn credentials(&self) -> Credentials {
        if let Some(token) = self.headers.get("x-auth-token") {
            return token
                .to_str()
                .map_or(Credentials::Unreadable, |token| Credentials::Token(token.to_owned()));
        }
        let Some(authorization) = self.headers.get(header::AUTHORIZATION) else {
            return Credentials::Nothing;
        };
        let readable = authorization.to_str().ok().and_then(|text| text.split_once(' '));
        match readable {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
                basic(rest.trim()).unwrap_or(Credentials::Unreadable)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                Credentials::Bearer(rest.trim().to_owned())
            }
            _ => Credentials::Unreadable,
        }
    }

    /// The body as a JSON object, or the refusal of it.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Box<Reply>> {
        let refuse = |status, base| Err(Box::new(Reply::refusal(status, base, [])));
        let media_type = self.header(header::CONTENT_TYPE).and_then(|text| text.split(';').next());
        let is_json = media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"));
        if !self.body.is_empty() && !is_json {
            let (status, name) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, header::CONTENT_TYPE);
            return Err(Box::new(Reply::refusal(status, Base::HeaderInvalid, [name.as_str()])));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => refuse(StatusCode::BAD_REQUEST, Base::UnrecognizedRequestBody),
            Err(_) => refuse(StatusCode::BAD_REQUEST, Base::MalformedJSON),
        }
    }

    /// Whether the version that the client asks for is not ours.
    pub(crate) fn wants_other_odata(&self) -> bool {
        self.headers.get("odata-version").is_some_and(|version| version != "4.0")
    }

    /// Whether If-Match names another state than the present one. Services compare weakly here, and so do we: else a weak
    /// ETag could never be sent back.
    pub(crate) fn misses(&self, etag: impl FnOnce() -> Option<String>) -> bool {
        let mut named = self.headers.get_all(header::IF_MATCH).iter().peekable();
        named.peek().is_some() && !etag().is_some_and(|etag| named.any(|value| lists(value, &etag)))
    }

    /// Whether If-None-Match names the present state.
    pub(crate) fn has(&self, etag: Option<&str>) -> bool {
        etag.is_some_and(|etag| {
            self.headers.get_all(header::IF_NONE_MATCH).iter().any(|value| lists(value, etag))
        })
    }
}

/// Whether a list of ETags names this one, or any.
fn lists(value: &http::HeaderValue, etag: &str) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    value
        .to_str()
        .is_ok_and(|list| list.trim() == "*" || list.split(',').any(|one| opaque(one) == opaque(etag)))
}

fn basic(encoded: &str) -> Option<Credentials> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Credentials::Basic { user: user.into(), password: password.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> http::Request<Vec<u8>> {
        http::Request::get("/redfish/v1/").header(name, value).body(Vec::new()).unwrap()
    }

    #[test]
    fn basic_splits_at_the_first_colon() {
        let encoded = BASE64_STANDARD.encode("ada:love:lace");
        let Credentials::Basic { user, password } =
            Request::new(&with("Authorization", &format!("basic {encoded}"))).credentials()
        else {
            panic!("not Basic");
        };
        assert_eq!((user.as_str(), password.as_str()), ("ada", "love:lace"));
        for broken in ["Basic", "Basic !!!", "Basic YWRh", "Digest x", ""] {
            let request = with("Authorization", broken);
            assert!(matches!(Request::new(&request).credentials(), Credentials::Unreadable), "{broken:?}");
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
                !Request::new(&with("If-Match", value)).misses(|| Some("W/\"A\"".into())),
                same,
                "{value}"
            );
            assert_eq!(Request::new(&with("If-None-Match", value)).has(Some("\"A\"")), same, "{value}");
        }
        assert!(!Request::new(&with("Accept", "*/*")).misses(|| Some("\"A\"".into())));
        assert!(!Request::new(&with("Accept", "*/*")).has(Some("\"A\"")));
    }

    #[test]
    fn the_host_is_what_the_client_calls_us() {
        assert_eq!(Request::new(&with("Host", "bmc:8443")).host(), "https://bmc:8443");
        let absolute = http::Request::get("http://[::1]:80/redfish/v1/").body("").unwrap();
        assert_eq!(Request::new(&absolute).host(), "http://[::1]:80");
    }
}
