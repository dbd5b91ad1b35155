//! One exchange as a driver sees it: the request to perform, how to read the response, and what may be shown of both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::body::Body;
use crate::headers::is_secret_header;
use crate::message;
use crate::redact::{Redactor, SafeText};

/// A request to perform. `Display` and `Debug` are safe to log.
pub struct Outgoing {
    /// The request, complete: the driver adds no header and follows no redirect.
    pub request: http::Request<Body>,
    /// How to read its answer.
    pub limits: ResponseLimits,
    /// What it is for, to those who let one request wait for another.
    pub purpose: Purpose,
    pub(crate) redactor: Arc<Redactor>,
}

/// What a request is for. Controllers have few connections, and do not take well to two writes at once: a driver that
/// many share lets [`Write`](Purpose::Write)s go one after the other, and everything wait for a connection but what opens
/// and closes sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// It reads.
    Read,
    /// It changes something, and can wait for another that does.
    Write,
    /// It opens or closes a session. Others may wait for the one, and without the other a session stays open: it should
    /// not wait for anything.
    Session,
}

impl Purpose {
    /// The purpose of a request that does not state one: a safe method reads, and any other writes.
    pub(crate) fn of(method: &Method) -> Purpose {
        if method.is_safe() { Purpose::Read } else { Purpose::Write }
    }
}

/// How to read an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// How long the exchange may take; for a stream, up to the end of the head.
    pub timeout: Duration,
    /// Bytes the body may have, after decompression.
    pub limit: usize,
    /// What becomes of the body of a success.
    pub delivery: BodyMode,
}

impl ResponseLimits {
    /// How many bytes of the body to read whole, or `None` where the caller reads it.
    pub fn body_limit(&self, status: StatusCode) -> Option<usize> {
        let streamed = self.delivery == BodyMode::Streamed && status.is_success();
        (!streamed).then_some(self.limit)
    }
}

/// What becomes of the body of a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyMode {
    /// It is read whole, within the limit.
    Buffered,
    /// It goes to the caller unread; the call ends with the head.
    Streamed,
}

/// The head of an answer without secrets. `Display` is safe to log.
pub struct ResponseHead<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) redactor: Arc<Redactor>,
}

impl ResponseHead<'_> {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A body as text, without the secrets that the client knows and without what members such as `Password` and
    /// `Token` hold; of a long one, the first 256 KiB. For people who watch a dialogue; logs are better off without bodies.
    pub fn body(&self, body: &[u8]) -> SafeText {
        message::shown_body(body, &self.redactor)
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
    /// The body as text, without secrets, as [`ResponseHead::body`]. `None` without a body, or with a payload.
    pub fn body(&self) -> Option<SafeText> {
        let body = self.request.body().bytes().filter(|bytes| !bytes.is_empty())?;
        Some(message::shown_body(body, &self.redactor))
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
        // A peer can put a secret into the name as well.
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
