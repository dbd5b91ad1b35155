//! An operation: what to ask, and what the answer means. The extension point.
//!
//! Everything else (login, renewal, redirects, retries, waiting, deadlines) is the [`Call`](crate::Call)'s.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode, response};
use serde::Deserialize;

use crate::body::Body;
use crate::cause::TransportError;
use crate::driver::exchange::{BodyMode, Purpose};
use crate::driver::time::{self, Now};
use crate::error::Error;
use crate::etag::ETag;
use crate::json;
use crate::kind::{ErrorKind, Failure};
use crate::link::{self, LinkError};
use crate::message::{self, Message};
use crate::policy::Links;
use crate::redact::{Redactor, SafeText};
use crate::service::Service;
use crate::session::Session;
use crate::target::Target;

/// Two pure functions: what to ask, and what the answer means.
///
/// An operation of one's own, for a vendor's resource, is as good as those here:
///
/// ```
/// use redfish_proto::{Answer, Body, Error, Operation, Request, Target, Transition};
/// use serde_json::json;
///
/// /// Sets the text that a chassis shows on its display.
/// struct Show { target: Target, change: Body }
///
/// impl Show {
///     fn new(target: Target, text: &str) -> Result<Show, Error> {
///         Ok(Show { target, change: Body::json(&json!({"Display": text}))? })
///     }
/// }
///
/// impl Operation for Show {
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
    /// What a call of it returns.
    type Output;

    /// The request to send now. Asked again for every replay, so it must not change.
    fn request(&self) -> Request;

    /// With which access it is sent.
    fn auth(&self) -> Auth {
        Auth::Session
    }

    /// What the answer means. It is whatever status came that the core does not deal with itself.
    ///
    /// # Errors
    /// Whatever makes the call fail. The core adds method and URI.
    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error>;

    /// What to do when there is no answer, after the core's own tries. A watch goes on where a read gives up.
    ///
    /// # Errors
    /// By default the error itself.
    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Err(error)
    }

    /// Secrets that its request carries, such as a new password: they are then hidden wherever they turn up.
    fn secrets(&self, _known: &mut Redactor) {}
}

/// How an operation goes on.
#[derive(Debug)]
pub enum Transition<O: Operation> {
    /// The call is over.
    Done(O::Output),
    /// Another request, at once.
    Next(O),
    /// Another request after that time; `None` for what this answer's `Retry-After` says, else one second.
    Later(O, Option<Duration>),
}

impl<O: Operation> Transition<O> {
    /// The same transition of an operation that wraps this one and returns its output:
    /// `self.inner.respond(answer)?.map(|inner| Outer { inner })`.
    pub fn map<P: Operation<Output = O::Output>>(self, outer: impl FnOnce(O) -> P) -> Transition<P> {
        match self {
            Transition::Done(output) => Transition::Done(output),
            Transition::Next(operation) => Transition::Next(outer(operation)),
            Transition::Later(operation, time) => Transition::Later(outer(operation), time),
        }
    }
}

/// With which credentials a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// None, ever: the service root and a login (DSP0266, "Authentication"). Some services answer 401 or 415
    /// to credentials there.
    None,
    /// Those of the session.
    Session,
}

/// Which requests may be sent again after a failure that leaves open whether they were received.
///
/// What provably was not sent is tried again under each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Those of a safe method (RFC 9110, 9.2.1): GET, HEAD, OPTIONS; so neither PUT nor DELETE.
    SafeMethods,
    /// This one, whatever its method. Only a logout is: its 401 and 404 are success.
    Always,
    /// None.
    Never,
}

/// A request of an [`Operation`]: where to, and what; the core adds the origin and every header of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub target: Target,
    /// Headers beside those the core sets.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What becomes of the answer's body.
    pub body_mode: BodyMode,
    /// Whether it may be sent again.
    pub retry: Retry,
    /// How long the exchange may take, where that is longer than the policy's time-out.
    pub timeout: Option<Duration>,
    /// What it is for. By default a safe method reads, and any other writes.
    pub purpose: Option<Purpose>,
    /// A quick question: a time limit that replaces the policy's, and one more try only if it was not sent.
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

    /// A read.
    pub fn get(target: &Target) -> Request {
        Request::new(Method::GET, target)
    }

    /// A change of some members.
    pub fn patch(target: &Target) -> Request {
        Request::new(Method::PATCH, target)
    }

    /// A creation, or an action.
    pub fn post(target: &Target) -> Request {
        Request::new(Method::POST, target)
    }

    /// A removal.
    pub fn delete(target: &Target) -> Request {
        Request::new(Method::DELETE, target)
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: Body) -> Request {
        self.content("application/json", body)
    }

    /// With a text as its body.
    #[must_use]
    pub fn text(self, media_type: &'static str, text: String) -> Request {
        self.content(media_type, Body::from(text.into_bytes()))
    }

    /// With a header. Those that only the core may set are refused when it is sent.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Request {
        self.headers.insert(name, value);
        self
    }

    /// With its own rule of what may be sent again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Request {
        self.retry = retry;
        self
    }

    /// With a body; its `Content-Type` is a header as any other.
    #[must_use]
    pub fn body(mut self, body: Body) -> Request {
        self.body = body;
        self
    }

    /// With that much time for the exchange, where it is more than the policy's.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Request {
        self.timeout = Some(time);
        self
    }

    /// With a purpose other than its method's.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Request {
        self.purpose = Some(purpose);
        self
    }

    /// As a quick question: at most that long, repeated once and only if it was not sent, and without any wait that the
    /// service asks for.
    pub(crate) fn probe(mut self, time: Duration) -> Request {
        self.probe = Some(time);
        self
    }

    /// With the token of that session, whatever session the call has. A 401 is then final.
    pub(crate) fn session(mut self, session: &Session) -> Request {
        self.session = Some(session.clone());
        self
    }

    /// With its own way of body_mode.
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

/// An answer as an operation sees it: the head is there, the body may have broken off. `Debug` shows neither headers nor
/// body, which may hold secrets.
pub struct Answer {
    pub(crate) head: response::Parts,
    pub(crate) body: Result<Bytes, TransportError>,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) is_replay: bool,
    /// Whether a check found the session alive after this 401.
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
    /// The ETag of an answer: the header's, else the body's `@odata.etag`; an empty one is none.
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
    /// The status. It is final once the head is in: iDRAC 8 cuts the body of a 401.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers. Those that carry secrets are marked sensitive.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The method that was answered: GET after a 303.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target that was answered: not the one that was asked, after a redirect.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the request had been sent before, with a session that the service then did not know any more.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// When it came, on the driver's clock.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The body.
    ///
    /// # Errors
    /// Where it broke off or is over the limit, with the status that came before it.
    pub fn body(&self) -> Result<&Bytes, Error> {
        self.body.as_ref().map_err(|error| {
            let kind = match error.failure() {
                Failure::TooLarge => ErrorKind::TooLarge { limit: self.service.policy().body_limit },
                failure => ErrorKind::Transport(failure),
            };
            Error::new(kind).with_status(self.status()).with_cause(error.cause(&self.redactor))
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Those of [`body`](Answer::body), and [`ErrorKind::Malformed`] with the JSON pointer of what does not fit.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let body = message::strip_bom(self.body()?);
        json::read(body, self.service.policy().json_depth)
            .map_err(|(pointer, reason)| self.malformed(&pointer, &reason))
    }

    /// Where the `Location` header points, if there is one.
    pub fn location(&self) -> Option<Result<Target, Error>> {
        self.location_header().map(|location| self.resolve(&location))
    }

    /// A link of this answer, by the service's policy.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a link to another origin where the policy refuses those,
    /// [`ErrorKind::Malformed`] for what is no link.
    pub fn resolve(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, self.service.policy().links)
    }

    /// A link of this answer by its path alone, on our own origin: services know themselves by other names.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a URI that is not HTTP, [`ErrorKind::Malformed`] for what is no link.
    pub fn resolve_path_only(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, Links::PathOnly)
    }

    /// What the service said, in whatever shape it said it. Empty where the body is no JSON.
    pub fn messages(&self) -> Vec<Message> {
        self.body.as_ref().map(|body| message::messages(body, &self.redactor)).unwrap_or_default()
    }

    /// How long the service asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        time::retry_after(self.headers())
    }

    /// The answer, if it is a success: a 2xx whose body is no error.
    ///
    /// # Errors
    /// What the service said, by kind.
    pub fn success(self) -> Result<Answer, Error> {
        self.check().map(|()| self)
    }

    /// Whether the answer is a success, without taking it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let failed = !self.status().is_success()
            || self.body.as_ref().is_ok_and(|body| message::is_error(body, &self.redactor));
        if failed { Err(self.refusal()) } else { Ok(()) }
    }

    /// Says of an error that goes to the caller as a value where it happened.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        error.with_service(self.service.origin()).stamped(Some((&self.method, &self.target)), &self.redactor)
    }

    /// The error this answer is, whatever its status.
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
                error = error.with_session_alive("the session is alive");
            } else if self.is_replay {
                error = error.with_session_alive("also with a new session");
            }
        }
        // It may be kept and told after other exchanges: it says by itself where it happened.
        self.stamp(error)
    }

    /// The account that a `PasswordChangeRequired` names in its arguments.
    pub(crate) fn account(&self, message: &Message) -> Option<Target> {
        self.resolve_path_only(message.args.first().filter(|a| !a.is_empty())?).ok()
    }

    /// A text of this answer without the secrets that the client knows, to be put into an error.
    pub fn safe(&self, text: &str) -> SafeText {
        self.redactor.clean(text)
    }

    /// The error of a response that is not what it must be: the JSON pointer of what does not fit, and why.
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
