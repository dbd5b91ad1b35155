//! The headers that only the client sets, and those that carry secrets.

use http::header::{self, HeaderMap, HeaderName};

use crate::redact;

/// The header with the OData version of a request or a response.
pub(crate) const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// The header that carries a session's token (DSP0266, "Redfish session login authentication").
pub(crate) const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Headers that only the client sets, and those that change the framing of a message. `X-Requested-With` makes bmcweb
/// set a cookie instead of returning a token.
pub(crate) static RESERVED_HEADERS: [HeaderName; 15] = [
    header::AUTHORIZATION,
    X_AUTH_TOKEN,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("x-requested-with"),
    header::HOST,
    header::USER_AGENT,
    header::ACCEPT_ENCODING,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::TE,
    header::UPGRADE,
    header::EXPECT,
    ODATA_VERSION,
];

/// Headers of nearly every response that are not secret. They skip the search by name.
static COMMON_HEADERS: [HeaderName; 12] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::DATE,
    header::SERVER,
    header::ETAG,
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::LINK,
    header::LOCATION,
    header::TRANSFER_ENCODING,
    ODATA_VERSION,
];

/// Whether the header with this name carries a secret.
pub(crate) fn is_secret_header(name: &HeaderName) -> bool {
    if COMMON_HEADERS.contains(name) {
        return false;
    }
    *name == "authentication-info" || redact::is_secret_name(name.as_str())
}

/// The elements of a list header in lower case, over all its lines (RFC 9110, 5.6.1).
pub(crate) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = String> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase();
        line.split(',').map(|element| element.trim().to_owned()).collect::<Vec<_>>()
    })
}
