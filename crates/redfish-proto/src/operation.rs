//! Operations: what to ask, and what the response means. The extension point of the library.
//!
//! Everything else is done by the [`Call`](crate::Call): login, renewal, redirects, retries, waits, deadlines.

use std::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::answer::Answer;
use crate::body::Body;
use crate::driver::exchange::{BodyMode, Purpose};
use crate::error::Error;
use crate::redact::Redactor;
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
/// A request that was certainly not sent is always retried. One that is answered 429 with `Retry-After` was not carried out, and
/// is sent once more, whatever its method.
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
    /// Maximum number of retries by the call, each at once, if the caller repeats it after a wait.
    pub(crate) retries_at_once: Option<u32>,
    /// Whether a 401 is the response at once, since the caller checks what it means.
    pub(crate) accepts_401: bool,
    /// The session whose token it carries, instead of the call's.
    pub(crate) session: Option<Session>,
    /// Whether it only prepares a later write, so that its success does not mean that the call's own was carried out.
    pub(crate) is_preparatory: bool,
    /// Whether the write before it was refused, whatever its status: this only explains the refusal.
    pub(crate) explains_refusal: bool,
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
            retries_at_once: None,
            accepts_401: false,
            session: None,
            is_preparatory: false,
            explains_refusal: false,
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

    /// Leaves retries that need a wait to the caller, and allows this many at once.
    pub(crate) fn retried_at_once(mut self, retries: u32) -> Request {
        self.retries_at_once = Some(retries);
        self
    }

    /// Makes a 401 the response without a check or a renewal of the session.
    pub(crate) fn accepting_401(mut self) -> Request {
        self.accepts_401 = true;
        self
    }

    /// Sends the token of this session instead of the call's. A 401 is then final.
    pub(crate) fn session(mut self, session: &Session) -> Request {
        self.session = Some(session.clone());
        self
    }

    /// Marks a write that only prepares a later one.
    pub(crate) fn preparatory(mut self) -> Request {
        self.is_preparatory = true;
        self
    }

    /// Marks a request that only explains the refusal of the write before it. A 2xx may be a refusal.
    pub(crate) fn explaining_refusal(mut self) -> Request {
        self.explains_refusal = true;
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
