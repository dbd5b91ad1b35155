//! Operations: what to ask, and what the response means. The extension point of the library.
//!
//! Everything else is done by the [`Call`](crate::Call): login, renewal, redirects, retries, waits, deadlines.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode, response};
use serde::Deserialize;

use crate::body::{Body, PayloadUnread};
use crate::cause::TransportError;
use crate::driver::exchange::{BodyMode, Purpose};
use crate::driver::time::{self, Now};
use crate::error::Error;
use crate::etag::ETag;
use crate::json;
use crate::kind::ErrorKind;
use crate::link::{self, LinkError};
use crate::message::{self, Message};
use crate::policy::Links;
use crate::reason::SessionAlive;
use crate::redact::{Redactor, SafeText};
use crate::service::Service;
use crate::session::Session;
use crate::target::Target;

/// Makes a request, and interprets its response.
///
/// A custom operation, for example for a vendor's resource, is written like the built-in ones:
///
/// ```
/// use redfish_proto::{Answer, Body, Error, Operation, Request, Target, Transition};
/// use serde_json::json;
///
/// /// Sets the text that a chassis shows on its display.
/// struct SetDisplay { target: Target, change: Body }
///
/// impl SetDisplay {
///     fn new(target: Target, text: &str) -> Result<SetDisplay, Error> {
///         Ok(SetDisplay { target, change: Body::json(&json!({"Display": text}))? })
///     }
/// }
///
/// impl Operation for SetDisplay {
///     type Output = ();
///
///     fn request(&self) -> Request {
///         Request::patch(&self.target).json(self.change.clone())
///     }
///
///     fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
///         answer.success()?;
///         Ok(Transition::Done(()))
///     }
/// }
/// ```
pub trait Operation: Sized {
    /// The result of a successful call.
    type Output;

    /// Returns the request to send. Called once per attempt; must return the same request each time.
    fn request(&self) -> Request;

    /// How the request authenticates. Default: with the session.
    fn auth(&self) -> Auth {
        Auth::Session
    }

    /// Interprets a response. Called for every status that the call does not handle itself.
    ///
    /// # Errors
    /// The error with which the call fails. The call adds service, method and URI.
    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error>;

    /// Decides what to do without a response, after the call's own retries. By default the call fails with the error;
    /// a watch continues.
    ///
    /// # Errors
    /// The error with which the call fails.
    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Err(error)
    }

    /// Registers secrets in the request, such as a new password. They are redacted wherever the service echoes them.
    fn secrets(&self, _known: &mut Redactor) {}
}

/// What follows a response.
#[derive(Debug)]
pub enum Transition<O: Operation> {
    /// The call ends with this output.
    Done(O::Output),
    /// Another request follows at once.
    Next(O),
    /// Another request follows after this wait. `None` stands for the `Retry-After` of the response, or 1 s without
    /// one.
    Later(O, Option<Duration>),
}

impl<O: Operation> Transition<O> {
    /// Wraps the operation in an outer one with the same output:
    ///
    /// `self.inner.respond(answer)?.map(|inner| Outer { inner })`
    pub fn map<P: Operation<Output = O::Output>>(self, outer: impl FnOnce(O) -> P) -> Transition<P> {
        match self {
            Transition::Done(output) => Transition::Done(output),
            Transition::Next(operation) => Transition::Next(outer(operation)),
            Transition::Later(operation, time) => Transition::Later(outer(operation), time),
        }
    }
}

/// How a request authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Without credentials: the service root and a login (DSP0266, "Authentication"). Some services answer
    /// credentials there with a 401 or 415.
    None,
    /// With the session.
    Session,
}

/// When a request may be sent again after a failure that leaves open whether it was received.
///
/// A request that was certainly not sent is always retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// If its method is safe (RFC 9110, 9.2.1): GET, HEAD, OPTIONS, but neither PUT nor DELETE.
    SafeMethods,
    /// Whatever its method. Only used by a logout, for which a 401 and a 404 are success.
    Always,
    /// Never.
    Never,
}

/// A request of an [`Operation`]. The call adds the origin and its own headers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The target.
    pub target: Target,
    /// Headers besides those that the call sets.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// How the body of a success is delivered. Default: buffered.
    pub body_mode: BodyMode,
    /// When it may be sent again. Default: if its method is safe.
    pub retry: Retry,
    /// Timeout of the exchange, if it is longer than the policy's.
    pub timeout: Option<Duration>,
    /// What it is for. By default, a safe method reads and any other method writes.
    pub purpose: Option<Purpose>,
    /// A short timeout that replaces the policy's and allows one retry only if the request was not sent.
    pub(crate) probe: Option<Duration>,
    /// The session whose token it carries, instead of the call's.
    pub(crate) session: Option<Session>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, target: &Target) -> Request {
        Request {
            method,
            target: target.clone(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            body_mode: BodyMode::Buffered,
            retry: Retry::SafeMethods,
            timeout: None,
            purpose: None,
            probe: None,
            session: None,
        }
    }

    /// A GET, which reads.
    pub fn get(target: &Target) -> Request {
        Request::new(Method::GET, target)
    }

    /// A PATCH, which changes some members.
    pub fn patch(target: &Target) -> Request {
        Request::new(Method::PATCH, target)
    }

    /// A POST, which creates a resource or invokes an action.
    pub fn post(target: &Target) -> Request {
        Request::new(Method::POST, target)
    }

    /// A DELETE, which removes a resource.
    pub fn delete(target: &Target) -> Request {
        Request::new(Method::DELETE, target)
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: Body) -> Request {
        self.content("application/json", body)
    }

    /// Sets a text body.
    #[must_use]
    pub fn text(self, media_type: &'static str, text: String) -> Request {
        self.content(media_type, Body::from(text.into_bytes()))
    }

    /// Sets a header. One that only the client may set makes the call fail.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Request {
        self.headers.insert(name, value);
        self
    }

    /// Sets when it may be sent again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Request {
        self.retry = retry;
        self
    }

    /// Sets a body. Its `Content-Type` is set like any other header.
    #[must_use]
    pub fn body(mut self, body: Body) -> Request {
        self.body = body;
        self
    }

    /// Sets the timeout of the exchange, if it is longer than the policy's.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Request {
        self.timeout = Some(time);
        self
    }

    /// Sets another purpose than its method's.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Request {
        self.purpose = Some(purpose);
        self
    }

    /// Limits the exchange to this time. It is retried once, only if it was not sent, and never after a wait that the
    /// service asks for.
    pub(crate) fn probe(mut self, time: Duration) -> Request {
        self.probe = Some(time);
        self
    }

    /// Sends the token of this session instead of the call's. A 401 is then final.
    pub(crate) fn session(mut self, session: &Session) -> Request {
        self.session = Some(session.clone());
        self
    }

    /// Sets how the body of a success is delivered.
    #[must_use]
    pub fn body_mode(mut self, body_mode: BodyMode) -> Request {
        self.body_mode = body_mode;
        self
    }

    fn content(mut self, media_type: &'static str, body: Body) -> Request {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body;
        self
    }
}

/// A response. Its head is complete; its body may have broken off. `Debug` shows neither headers nor body, which may
/// contain secrets.
pub struct Answer {
    pub(crate) head: response::Parts,
    pub(crate) body: Result<Bytes, TransportError>,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) is_replay: bool,
    /// Whether a check found that the session is alive after this 401.
    pub(crate) session_alive: bool,
    pub(crate) now: Now,
    pub(crate) service: Arc<Service>,
    pub(crate) redactor: Arc<Redactor>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.as_ref().map(Bytes::len);
        write!(f, "Answer({} {}: {}, body {body:?})", self.method, self.target, self.head.status)
    }
}

impl ETag {
    /// The ETag of a response: the header, or else the body's `@odata.etag`. `None` if it is empty.
    pub fn of(answer: &Answer) -> Option<ETag> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(rename = "@odata.etag", borrow)]
            etag: Option<std::borrow::Cow<'a, str>>,
        }
        let header = answer.headers().get(ETAG).and_then(|value| ETag::new(value.to_str().ok()?));
        header.or_else(|| ETag::new(&answer.json::<Body<'_>>().ok()?.etag?))
    }
}

impl Answer {
    /// The status. It counts even if the body breaks off: iDRAC 8 cuts the body of a 401.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers. Those with secrets are marked as sensitive.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The method of the last request: GET after a 303.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target of the last request, which differs from the first after a redirect.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the request was sent again with another session, after a 401.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Whether the payload of the request was certainly not read.
    pub(crate) fn is_payload_unread(&self) -> bool {
        self.head.extensions.get::<PayloadUnread>().is_some()
    }

    /// When it arrived, on the driver's clock.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The body.
    ///
    /// # Errors
    /// If it broke off or is too large, and [`ErrorKind::Malformed`] if it cannot be decoded. The error has the status.
    pub fn body(&self) -> Result<&Bytes, Error> {
        self.body.as_ref().map_err(|error| {
            error.body_error(self.service.policy().body_limit, &self.redactor).with_status(self.status())
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Those of [`body`](Answer::body), and [`ErrorKind::Malformed`] with the JSON pointer of the value that does not
    /// fit.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let body = message::strip_bom(self.body()?);
        json::read(body, self.service.policy().json_depth)
            .map_err(|(pointer, reason)| self.malformed(&pointer, &reason))
    }

    /// The target of the `Location` header, if there is one.
    pub fn location(&self) -> Option<Result<Target, Error>> {
        self.location_header().map(|location| self.resolve(&location))
    }

    /// Resolves a link in this response, according to the policy for links.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a link to another origin if the policy refuses it, [`ErrorKind::Malformed`] for
    /// text that is not a link.
    pub fn resolve(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, self.service.policy().links)
    }

    /// Resolves only the path of a link in this response, at the service's own origin: services know themselves by
    /// other names.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a URI that is not HTTP, [`ErrorKind::Malformed`] for text that is not a link.
    pub fn resolve_path_only(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, Links::PathOnly)
    }

    /// The service's messages, in any known form. Empty if the body is not JSON.
    pub fn messages(&self) -> Vec<Message> {
        self.body.as_ref().map(|body| message::messages(body, &self.redactor)).unwrap_or_default()
    }

    /// The wait that the service asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        time::retry_after(self.headers())
    }

    /// The response, if it is a success: a 2xx whose body is not an error.
    ///
    /// # Errors
    /// The error that the response reports.
    pub fn success(self) -> Result<Answer, Error> {
        self.check().map(|()| self)
    }

    /// Like [`success`](Answer::success), without taking the response.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let failed = !self.status().is_success()
            || self.body.as_ref().is_ok_and(|body| message::is_error(body, &self.redactor));
        if failed { Err(self.refusal()) } else { Ok(()) }
    }

    /// Adds this exchange to an error that is returned as a value.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        error.with_origin(self.service.origin()).stamped(Some((&self.method, &self.target)), &self.redactor)
    }

    /// The error that this response reports, whatever its status.
    pub fn refusal(&self) -> Error {
        let messages = self.messages();
        let text = match (&self.body, messages.is_empty()) {
            (Ok(body), true) => message::page_text(body, &self.redactor),
            _ => SafeText::default(),
        };
        let mut error =
            Error::from_status(self.status(), self.retry_after(), messages, text, |m| self.account(m));
        if self.status() == StatusCode::UNAUTHORIZED {
            if self.session_alive {
                error = error.with_session_alive(SessionAlive::Confirmed);
            } else if self.is_replay {
                error = error.with_session_alive(SessionAlive::NewSessionRefused);
            }
        }
        if self.is_host_refusal() {
            let host = String::from_utf8_lossy(self.service.origin().host().as_bytes());
            error = error.of_host(self.safe(&format!(
                "The service may not accept {host} in the Host header: use the name that it knows in its URL, and let DNS or \
                 /etc/hosts resolve that name to this address."
            )));
        }
        // The error may be returned after other exchanges, so it names this one.
        self.stamp(error)
    }

    /// Whether the service may have refused the request for its `Host`: a 421, or a 400 with a web page. iDRAC answers every
    /// request in this way if it does not know the name.
    pub(crate) fn is_host_refusal(&self) -> bool {
        match self.status() {
            StatusCode::MISDIRECTED_REQUEST => true,
            StatusCode::BAD_REQUEST => self.body.as_deref().is_ok_and(message::is_page),
            _ => false,
        }
    }

    /// The account in the arguments of a `PasswordChangeRequired`.
    pub(crate) fn account(&self, message: &Message) -> Option<Target> {
        self.resolve_path_only(message.args.first().filter(|a| !a.is_empty())?).ok()
    }

    /// Removes the secrets that the client knows from a text, for use in an error.
    pub fn safe(&self, text: &str) -> SafeText {
        self.redactor.clean(text)
    }

    /// The error of an unexpected response: the JSON pointer of what does not fit, and the reason.
    pub fn malformed(&self, pointer: &str, reason: &str) -> Error {
        Error::malformed(self.safe(pointer), self.safe(reason)).with_status(self.status())
    }

    pub(crate) fn location_header(&self) -> Option<Cow<'_, str>> {
        let value = self.headers().get(LOCATION)?.as_bytes();
        Some(String::from_utf8_lossy(value)).filter(|text| !text.trim().is_empty())
    }

    fn resolve_with(&self, link: &str, links: Links) -> Result<Target, Error> {
        link::resolve(link, &self.target, self.service.origin(), links).map_err(|error| match error {
            LinkError::CrossOrigin => Error::new(ErrorKind::CrossOrigin { link: self.safe(link) }),
            LinkError::Malformed(reason) => Error::malformed_link(reason),
        })
    }
}
