//! Plain HTTP on the port of TLS: sent to the right scheme, and never carried out (DSP0266, "HTTP redirect").

use std::convert::Infallible;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body::Sent;

/// The first byte of a TLS connection: a handshake record (RFC 8446, "Record layer").
pub(super) const HANDSHAKE: u8 = 0x16;

/// A read is told where to go. A write is refused: it has sent its secrets in the clear, and following would do so again.
pub(super) async fn redirect(request: Request<Incoming>) -> Result<Response<Sent>, Infallible> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = host.and_then(|host| HeaderValue::from_str(&format!("https://{host}{path}")).ok());
    let mut response = Response::new(Sent::whole(Vec::new()));
    match location.filter(|_| reads) {
        Some(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
        }
        None => *response.status_mut() = StatusCode::FORBIDDEN,
    }
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}
