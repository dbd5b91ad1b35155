//! A resource that was read.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::etag::ETag;
use crate::operation::Answer;
use crate::target::Target;

/// A resource that was read: typed, and beside it all that the service sent.
#[derive(Clone, Debug)]
pub struct Resource<T> {
    value: T,
    target: Target,
    etag: Option<ETag>,
    body: Bytes,
}

impl<T> Resource<T> {
    /// `etag` is `None` for one that was expanded inside the response of another.
    pub(crate) fn new(value: T, target: Target, etag: Option<ETag>, body: Bytes) -> Resource<T> {
        Resource { value, target, etag, body }
    }

    /// The resource in the answer to a read of that target.
    pub(crate) fn read(answer: &Answer, target: Target) -> Result<Resource<T>, Error>
    where
        T: DeserializeOwned,
    {
        answer.check()?;
        Ok(Resource::new(answer.json()?, target, ETag::of(answer), answer.body()?.clone()))
    }

    /// The typed value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The typed value, without what came with it.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Its URI.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The version that was read.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// The JSON as it was sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The member that a JSON pointer names, with no number rounded that JSON text can say.
    ///
    /// Integers beyond 64 bits are exact in [`body`](Resource::body) only.
    pub fn member(&self, pointer: &str) -> Option<Value> {
        serde_json::from_slice::<Value>(&self.body).ok()?.pointer(pointer).cloned()
    }
}
