//! The codings of a body (RFC 9110, 8.4.1; RFC 9112, 6.1): a body in a coding that was not decoded is not data.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, response};

use crate::cause::TransportError;
use crate::headers::elements;
use crate::kind::Failure;

/// The registered content codings other than gzip. `deflate` is among them: services send it with and without the frame
/// of zlib, and no request asks for it.
const UNSUPPORTED: [&str; 10] =
    ["aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "pack200-gzip", "x-compress", "zstd"];

/// How a driver must decode the body of a response.
///
/// Services compress whether they are asked to or not (iLO 5 since 2.30), so only the head decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// Not at all. If the body has a coding that is not supported, the call takes it as not readable.
    Identity,
    /// As gzip.
    Gzip,
}

impl ContentCoding {
    /// Reads the coding of a body. If the driver must decode it, removes what describes the encoded body from the head.
    pub fn take(headers: &mut HeaderMap) -> ContentCoding {
        match content_codings(headers).as_slice() {
            [coding] if is_gzip(coding) => {
                headers.remove(CONTENT_ENCODING);
                headers.remove(CONTENT_LENGTH);
                ContentCoding::Gzip
            }
            _ => ContentCoding::Identity,
        }
    }
}

/// The error of a body in a coding that the driver has not decoded. `None` if there is no such coding, or no body.
pub(crate) fn undecoded(head: &response::Parts, method: &Method) -> Option<TransportError> {
    let content = content_codings(&head.headers);
    let transfer = transfer_codings(&head.headers);
    let (name, codings) = match (content.is_empty(), is_supported(&transfer)) {
        (true, true) => return None,
        (false, _) => ("Content-Encoding", content),
        (true, false) => ("Transfer-Encoding", transfer),
    };
    let reason = format!("its {name} is {}", codings.join(", "));
    has_body(head, method).then(|| TransportError::new(Failure::Undecodable, reason))
}

/// The content codings of a body. `identity` means none, and so does a text that is not the name of a coding: services
/// send `utf-8` and `none`.
fn content_codings(headers: &HeaderMap) -> Vec<String> {
    let codings = elements(headers, CONTENT_ENCODING);
    codings.filter(|coding| is_gzip(coding) || UNSUPPORTED.contains(&coding.as_str())).collect()
}

/// Whether a body has a content coding that was not decoded.
pub(super) fn has_content_coding(headers: &HeaderMap) -> bool {
    !content_codings(headers).is_empty()
}

fn is_gzip(coding: &str) -> bool {
    matches!(coding, "gzip" | "x-gzip")
}

/// The transfer codings of a body.
pub(super) fn transfer_codings(headers: &HeaderMap) -> Vec<String> {
    elements(headers, TRANSFER_ENCODING).collect()
}

/// Whether a body with these transfer codings can be read.
pub(super) fn is_supported(transfer: &[String]) -> bool {
    match transfer {
        [] => true,
        [coding] => matches!(coding.as_str(), "chunked" | "identity"),
        _ => false,
    }
}

/// Whether a response has a body (RFC 9112, 6.3), as far as its head tells.
pub(super) fn has_body(head: &response::Parts, method: &Method) -> bool {
    let is_without = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_empty = !head.headers.contains_key(TRANSFER_ENCODING)
        && head.headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() == b"0");
    *method != Method::HEAD && !head.status.is_informational() && !is_without && !is_empty
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&'static str, &str)]) -> response::Parts {
        let response = http::Response::builder().status(status);
        let response =
            headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
        response.body(()).unwrap().into_parts().0
    }

    /// How a driver decodes a body with these headers, and the reason why the rest is not data.
    fn coding(status: u16, headers: &[(&'static str, &str)]) -> (ContentCoding, Option<String>) {
        let mut head = head(status, headers);
        let coding = ContentCoding::take(&mut head.headers);
        let error = undecoded(&head, &Method::GET);
        (coding, error.map(|error| error.cause(&Default::default()).unwrap().to_string()))
    }

    #[test]
    fn only_gzip_is_decoded_and_no_other_coding_is_data() {
        let content = "content-encoding";
        for (values, expected) in [
            (&[][..], Ok(ContentCoding::Identity)),
            (&["gzip"], Ok(ContentCoding::Gzip)),
            (&["X-GZIP"], Ok(ContentCoding::Gzip)),
            (&["gzip, identity"], Ok(ContentCoding::Gzip)),
            (&["identity", "gzip"], Ok(ContentCoding::Gzip)),
            (&["identity"], Ok(ContentCoding::Identity)),
            (&[""], Ok(ContentCoding::Identity)),
            (&["utf-8"], Ok(ContentCoding::Identity)),
            (&["none"], Ok(ContentCoding::Identity)),
            (&["zstd"], Err("its Content-Encoding is zstd")),
            (&["BR"], Err("its Content-Encoding is br")),
            (&["deflate"], Err("its Content-Encoding is deflate")),
            (&["gzip, br"], Err("its Content-Encoding is gzip, br")),
            (&["gzip", "br"], Err("its Content-Encoding is gzip, br")),
            (&["gzip, gzip"], Err("its Content-Encoding is gzip, gzip")),
        ] {
            let headers: Vec<_> = values.iter().map(|value| (content, *value)).collect();
            let expected = match expected {
                Ok(coding) => (coding, None),
                Err(reason) => (ContentCoding::Identity, Some(reason.to_owned())),
            };
            assert_eq!(coding(200, &headers), expected, "{values:?}");
        }
        for known in UNSUPPORTED {
            assert!(coding(200, &[(content, known)]).1.is_some(), "{known}");
        }
    }

    #[test]
    fn a_transfer_coding_other_than_chunked_is_not_data() {
        let transfer = "transfer-encoding";
        for (value, expected) in [
            ("chunked", None),
            ("identity", None),
            ("gzip", Some("its Transfer-Encoding is gzip")),
            ("gzip, chunked", Some("its Transfer-Encoding is gzip, chunked")),
        ] {
            assert_eq!(coding(200, &[(transfer, value)]).1.as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_coding_does_not_matter_without_a_body() {
        for (status, headers) in
            [(204, &[][..]), (304, &[("content-length", "10")]), (200, &[("content-length", "0")])]
        {
            let headers = [&[("content-encoding", "br")], headers].concat();
            assert_eq!(coding(status, &headers).1, None, "{status}");
        }
        let response = head(200, &[("content-encoding", "br"), ("content-length", "10")]);
        assert!(undecoded(&response, &Method::HEAD).is_none());
    }

    #[test]
    fn the_head_does_not_describe_the_encoded_body() {
        for (value, left) in [("gzip", 0), ("X-GZIP", 0), ("identity", 2), ("br", 2)] {
            let mut head = head(200, &[("content-encoding", value), ("content-length", "7")]);
            ContentCoding::take(&mut head.headers);
            assert_eq!(head.headers.len(), left, "{value}");
        }
    }
}
