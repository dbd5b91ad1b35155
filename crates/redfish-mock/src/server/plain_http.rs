//! Plain HTTP on the port of TLS: requests are redirected or rejected, never carried out (DSP0266, "HTTP redirect").

use std::convert::Infallible;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body::ResponseBody;

/// The first byte of a TLS connection: a handshake record (RFC 8446, "Record layer").
pub(super) const TLS_HANDSHAKE: u8 = 0x16;

/// Redirects a read. Rejects a write: it may have sent secrets without encryption, and a redirect would hide this.
pub(super) async fn redirect(request: Request<Incoming>) -> Result<Response<ResponseBody>, Infallible> {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = host.and_then(|host| HeaderValue::from_str(&format!("https://{host}{path}")).ok());
    let mut response = Response::new(ResponseBody::empty());
    match location.filter(|_| is_read) {
        Some(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
        }
        None => *response.status_mut() = StatusCode::FORBIDDEN,
    }
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}
