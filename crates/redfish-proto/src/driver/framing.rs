//! How the body of a response is framed (RFC 9112, section 6.3), where HTTP libraries are more lenient than is safe.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version, response};

use crate::driver::coding::{has_body, is_supported, transfer_codings};
use crate::headers::elements;
use crate::kind::Failure;

/// How the body of a response is framed. A driver checks it before it reads the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Whether the body can be read. It cannot with a transfer coding other than `chunked`. The status still counts,
    /// and the body is [`Failure::Undecodable`].
    pub is_readable: bool,
    /// Whether the connection may be reused. It may not after both `Transfer-Encoding` and `Content-Length`, because an
    /// intermediary may have read them differently; nor after a 401, because some services close the connection together
    /// with it, and the check of the session that follows would be lost.
    pub is_reusable: bool,
}

impl Framing {
    /// Reads the head of the response to a request with this method.
    ///
    /// # Errors
    /// [`Failure::Malformed`] for contradicting lengths, and for a transfer coding in HTTP/1.0 (RFC 9112, section 6.1),
    /// because the end of the body is then unknown.
    pub fn of(head: &response::Parts, method: &Method) -> Result<Framing, Failure> {
        let is_accepted = head.status != StatusCode::UNAUTHORIZED;
        if is_unambiguous(&head.headers) {
            return Ok(Framing { is_readable: true, is_reusable: is_accepted });
        }
        let mut lengths = elements(&head.headers, CONTENT_LENGTH);
        let first = lengths.next();
        if lengths.any(|other| Some(&other) != first.as_ref()) {
            return Err(Failure::Malformed);
        }
        let codings = transfer_codings(&head.headers);
        if head.version == Version::HTTP_10 && !codings.is_empty() {
            return Err(Failure::Malformed);
        }
        Ok(Framing {
            is_readable: is_supported(&codings) || !has_body(head, method),
            is_reusable: is_accepted && (codings.is_empty() || (codings == ["chunked"] && first.is_none())),
        })
    }
}

/// Whether there is at most one length and no transfer coding, as in nearly every response.
fn is_unambiguous(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let is_one = lengths.next().is_none_or(|length| !length.as_bytes().contains(&b','));
    is_one && lengths.next().is_none() && !headers.contains_key(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(status: u16, headers: &[(&'static str, &str)]) -> Result<(bool, bool), Failure> {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (head, ()) = response.body(()).unwrap().into_parts();
        Framing::of(&head, &Method::GET).map(|framing| (framing.is_readable, framing.is_reusable))
    }

    #[test]
    fn a_body_with_ambiguous_framing_is_not_trusted() {
        let (length, coding) = ("content-length", "transfer-encoding");
        for (status, headers, expected) in [
            (200, &[][..], Ok((true, true))),
            (200, &[(length, "2")], Ok((true, true))),
            (200, &[(length, "2"), (length, "2")], Ok((true, true))),
            (200, &[(length, "2, 2")], Ok((true, true))),
            (200, &[(length, "2"), (length, "3")], Err(Failure::Malformed)),
            (200, &[(length, "2, 3")], Err(Failure::Malformed)),
            (200, &[(coding, "chunked")], Ok((true, true))),
            (200, &[(coding, "Chunked"), (length, "2")], Ok((true, false))),
            (200, &[(coding, "identity")], Ok((true, false))),
            (200, &[(coding, "gzip")], Ok((false, false))),
            (200, &[(coding, "gzip, chunked")], Ok((false, false))),
            (200, &[(coding, "gzip"), (coding, "chunked")], Ok((false, false))),
            (204, &[(coding, "gzip")], Ok((true, false))),
        ] {
            assert_eq!(framing(status, headers), expected, "{status} {headers:?}");
        }
    }
}
