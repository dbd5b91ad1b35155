//! One exchange: the request to perform, the limits of its response, and texts of both that are safe to log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::body::Body;
use crate::driver::coding::has_content_coding;
use crate::headers::is_secret_header;
use crate::message::{self, Message};
use crate::redact::{Redactor, SafeText};
use crate::target::Target;

/// A request to perform. `Display` and `Debug` are safe to log.
pub struct Outgoing {
    /// The complete request. The driver adds no header and follows no redirect.
    pub request: http::Request<Body>,
    /// The limits of its response.
    pub limits: ResponseLimits,
    /// What it is for, for drivers that let one request wait for another.
    pub purpose: Purpose,
    /// Whether it is a short look beside the operation. The operation does not fail with it.
    pub is_probe: bool,
    pub(crate) redactor: Arc<Redactor>,
}

/// What a request is for.
///
/// Controllers have few connections, and two writes at once can fail. A driver that several callers share sends
/// [`Write`](Purpose::Write)s one after the other. Everything waits for a connection except what opens and closes
/// sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// It reads.
    Read,
    /// It changes something, and can wait for another change.
    Write,
    /// It opens or closes a session. It should not wait: others may wait for a login, and without the logout the
    /// session stays open.
    Session,
}

impl Purpose {
    /// The default purpose: a safe method reads, any other method writes.
    pub(crate) fn of(method: &Method) -> Purpose {
        if method.is_safe() { Purpose::Read } else { Purpose::Write }
    }
}

/// The limits of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// Timeout of the exchange; for a stream, until the head has arrived.
    pub timeout: Duration,
    /// Timeout from the head to the end of the body. It is shorter than `timeout` after an upload, for which that allows more.
    pub body_timeout: Duration,
    /// Maximum size of the body in bytes, after decompression.
    pub limit: usize,
    /// How the body of a success is delivered.
    pub body_mode: BodyMode,
}

impl ResponseLimits {
    /// Maximum number of bytes to buffer, or `None` if the caller reads the body.
    pub fn body_limit(&self, status: StatusCode) -> Option<usize> {
        let streamed = self.body_mode == BodyMode::Streamed && status.is_success();
        (!streamed).then_some(self.limit)
    }
}

/// How the body of a success is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyMode {
    /// It is buffered, up to the limit.
    Buffered,
    /// The caller reads it. The call ends at the head.
    Streamed,
}

/// Which request a response or a failure belongs to, since several may be in flight. Safe to log.
#[derive(Clone)]
#[non_exhaustive]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it is a short look beside the operation.
    pub is_probe: bool,
    pub(crate) target: Target,
    pub(crate) redactor: Arc<Redactor>,
}

impl RequestLine {
    /// Path and query, without the secrets that the client knows.
    pub fn target(&self) -> SafeText {
        self.redactor.clean(self.target.as_str())
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target())
    }
}

impl fmt::Debug for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The head of a response without secrets. `Display` is safe to log.
pub struct ResponseHead<'a> {
    pub(crate) request: RequestLine,
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) redactor: Arc<Redactor>,
}

impl ResponseHead<'_> {
    /// The request that it answers.
    pub fn request(&self) -> &RequestLine {
        &self.request
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A body as text, up to 256 KiB, without the secrets that the client knows and the values of members such as
    /// `Password` and `Token`. Empty if it has a coding that is not supported. For interactive use; leave bodies out of
    /// logs.
    pub fn body(&self, body: &[u8]) -> SafeText {
        if has_content_coding(self.headers) {
            return SafeText::default();
        }
        message::redacted_body(body, &self.redactor)
    }
}

impl ResponseHead<'_> {
    /// What the service reports as failed beside the data of a body, as [`Message::beside_data`] finds it.
    pub fn beside_data(&self, body: &[u8]) -> Vec<Message> {
        if has_content_coding(self.headers) { Vec::new() } else { Message::beside_data(body, &self.redactor) }
    }
}

impl fmt::Display for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "< {}", self.status)?;
        write_headers(f, '<', self.headers, &self.redactor)
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Outgoing {
    /// The body as text without secrets, like [`ResponseHead::body`]. `None` without a body, or with a payload.
    pub fn body(&self) -> Option<SafeText> {
        let body = self.request.body().bytes().filter(|bytes| !bytes.is_empty())?;
        Some(message::redacted_body(body, &self.redactor))
    }
}

impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.request.uri().to_string();
        write!(f, "> {} {}", self.request.method(), self.redactor.clean(&uri))?;
        write_headers(f, '>', self.request.headers(), &self.redactor)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn write_headers(
    f: &mut fmt::Formatter<'_>,
    mark: char,
    headers: &HeaderMap,
    redactor: &Redactor,
) -> fmt::Result {
    for (name, value) in headers {
        // The peer may also put a secret into the name.
        let secret = value.is_sensitive() || is_secret_header(name);
        let name = redactor.clean(name.as_str());
        if secret {
            write!(f, "\n{mark} {name}: [redacted]")?;
        } else {
            let value = String::from_utf8_lossy(value.as_bytes());
            write!(f, "\n{mark} {name}: {}", redactor.clean(&value))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_ENCODING;

    use super::*;

    #[test]
    fn a_body_in_a_coding_that_is_not_supported_is_not_shown() {
        for (coding, shown) in [("br", ""), ("gzip", ""), ("identity", "text"), ("utf-8", "text")] {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, coding.parse().unwrap())]);
            let request = RequestLine {
                method: Method::GET,
                purpose: Purpose::Read,
                is_probe: false,
                target: Target::well_known("/"),
                redactor: Arc::default(),
            };
            let redactor = Arc::default();
            let head = ResponseHead { request, status: StatusCode::OK, headers: &headers, redactor };
            assert_eq!(head.body(b"text"), shown, "{coding}");
        }
    }
}
