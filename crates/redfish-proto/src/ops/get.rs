//! Reading a resource, and requests of any method.

use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{Method, Response, StatusCode};

use crate::answer::Answer;
use crate::body::Body;
use crate::error::Error;
use crate::operation::{Operation, Request, Transition};
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::{Decode, Link};

/// Reads a resource as a type of the caller's choice, a [view](mod@crate::view) or a type of serde (DSP0266, "GET (read requests)").
///
/// Unknown members are ignored. A value that does not fit is [`Malformed`](crate::ErrorKind::Malformed) with its JSON
/// pointer. A target with a fragment, such as `/redfish/v1/Chassis/1/Thermal#/Fans/0`, reads only that part.
#[derive(Clone, Debug)]
pub struct Get<T> {
    target: Target,
    into: PhantomData<fn() -> T>,
}

impl<T: Decode> Get<T> {
    /// Reads the resource at this target.
    pub fn new(target: Target) -> Get<T> {
        Get { target, into: PhantomData }
    }
}

impl<T: Decode> Operation for Get<T> {
    type Output = T;

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let answer = answer.success()?;
        match self.target.fragment() {
            None if !answer.is_object()? => Err(answer.not_a_resource()),
            None => Ok(Transition::Done(answer.decode()?)),
            Some(fragment) => Ok(Transition::Done(answer.decode_fragment(fragment)?)),
        }
    }
}

/// Reads a resource with its typed value, its raw JSON and its ETag.
///
/// A target with a fragment is read as for [`Get`]: only that part is the value.
///
/// A resource that was read before can be read again. If it has not changed (304), the previous one is returned.
#[derive(Clone, Debug)]
pub struct Read<T> {
    target: Target,
    previous: Option<Resource<T>>,
}

impl<T: Decode> Read<T> {
    /// Reads the resource at this target as a type: a view, or a type of serde.
    pub fn new(target: Target) -> Read<T> {
        Read { target, previous: None }
    }

    /// Reads the resource that a link leads to.
    ///
    /// # Errors
    /// Those of [`Link::target`].
    pub fn follow(link: &Link<T>) -> Result<Read<T>, Error> {
        link.target().map(Read::new)
    }

    /// Reads it again.
    pub fn again(previous: Resource<T>) -> Read<T> {
        Read { target: previous.target().clone(), previous: Some(previous) }
    }
}

impl<T: Decode> Operation for Read<T> {
    type Output = Resource<T>;

    fn request(&self) -> Request {
        match self.previous.as_ref().and_then(Resource::etag) {
            Some(etag) => Request::get(&self.target).header(IF_NONE_MATCH, etag.value()),
            None => Request::get(&self.target),
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        if let (StatusCode::NOT_MODIFIED, Some(previous)) = (answer.status(), self.previous) {
            return Ok(Transition::Done(previous));
        }
        Ok(Transition::Done(Resource::read(&answer, self.target)?))
    }
}

/// A request of any method, which returns the response unchanged.
///
/// The status of a write decides: if the body of its success broke off, is too large or cannot be decoded, the response
/// has an empty body, and the [`Error`] in its extensions:
///
/// ```
/// # use redfish_proto::Error;
/// # fn body(response: http::Response<bytes::Bytes>) -> Result<bytes::Bytes, Error> {
/// match response.extensions().get::<Error>() {
///     None => Ok(response.into_body()),
///     Some(error) => Err(error.clone()),
/// }
/// # }
/// ```
///
/// The values of JSON members such as `Password` and `Token` in its body count as secrets.
#[derive(Clone, Debug)]
pub struct Raw(Request);

impl Raw {
    /// A request without a body.
    pub fn new(method: Method, target: &Target) -> Raw {
        Raw(Request::new(method, target))
    }

    /// A GET.
    pub fn get(target: &Target) -> Raw {
        Raw::new(Method::GET, target).accept_any_type()
    }

    /// Sets a JSON body: [`Body::json`] of a value, or JSON text.
    #[must_use]
    pub fn json(self, body: Body) -> Raw {
        Raw(self.0.json(body))
    }

    /// Sets a header. One that only the client may set makes the call fail.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Raw {
        Raw(self.0.header(name, value))
    }

    /// Not every resource is JSON: `$metadata` is XML.
    fn accept_any_type(self) -> Raw {
        self.header(http::header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"))
    }
}

impl Operation for Raw {
    type Output = Response<Bytes>;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.0.body.register_secrets(known);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let mut answer = answer.success()?;
        let body = match answer.body() {
            Ok(body) => body.clone(),
            Err(error) if answer.method().is_safe() => return Err(error),
            Err(error) => {
                let error = answer.stamp(error);
                answer.head.extensions.insert(error);
                Bytes::new()
            }
        };
        Ok(Transition::Done(Response::from_parts(answer.head, body)))
    }
}
