//! Reading a resource, and the way out: a request of any method.

use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Response};
use serde::de::DeserializeOwned;

use crate::body::Body;
use crate::error::Error;
use crate::operation::{Answer, Operation, Request, Verdict};
use crate::redact::Redactor;
use crate::target::Target;

/// Reads a resource into a type of the caller's choice (DSP0266, "GET (read requests)").
///
/// Unknown members are ignored; what does not fit is [`Malformed`](crate::ErrorKind::Malformed) with the JSON
/// pointer of the member.
#[derive(Clone, Debug)]
pub struct Get<T> {
    at: Target,
    into: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Get<T> {
    /// Reads what is there.
    pub fn new(at: Target) -> Get<T> {
        Get { at, into: PhantomData }
    }
}

impl<T: DeserializeOwned> Operation for Get<T> {
    type Output = T;

    fn request(&self) -> Request {
        Request::get(&self.at)
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        Ok(Verdict::Done(answer.success()?.json()?))
    }
}

/// A request of any method, and its answer as the service sent it: what no other operation does.
///
/// What members of its JSON body named `Password` or `Token` hold counts as secret.
#[derive(Clone, Debug)]
pub struct Raw(Request);

impl Raw {
    /// A request without a body.
    pub fn new(method: Method, at: &Target) -> Raw {
        Raw(Request::new(method, at))
    }

    /// A read.
    pub fn get(at: &Target) -> Raw {
        Raw::new(Method::GET, at).accept()
    }

    /// With a JSON body: [`Body::json`] of a value, or text that is JSON.
    #[must_use]
    pub fn json(self, body: Body) -> Raw {
        Raw(self.0.json(body))
    }

    /// With a header. Those that only the core may set are refused when it is sent.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Raw {
        Raw(self.0.header(name, value))
    }

    /// Not everything a service has is JSON: `$metadata` is XML.
    fn accept(self) -> Raw {
        self.header(http::header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"))
    }
}

impl Operation for Raw {
    type Output = Response<Bytes>;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn secrets(&self, known: &mut Redactor) {
        if let Some(body) = self.0.body.bytes().filter(|body| !body.is_empty()) {
            known.add_members(body);
        }
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        let answer = answer.success()?;
        let body = answer.body()?.clone();
        Ok(Verdict::Done(Response::from_parts(answer.head, body)))
    }
}
