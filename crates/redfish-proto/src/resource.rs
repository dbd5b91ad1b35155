//! A resource that was read.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::answer::Answer;
use crate::error::Error;
use crate::etag::ETag;
use crate::json::Flaws;
use crate::target::Target;
use crate::view::Decode;

/// A resource that was read: its typed value, its ETag and its raw JSON.
///
/// `Debug` shows the value and the URI; the bytes may contain secrets.
#[derive(Clone)]
pub struct Resource<T> {
    value: T,
    target: Target,
    etag: Option<ETag>,
    body: Bytes,
}

impl<T> Resource<T> {
    /// `etag` is `None` for a resource that was expanded in the response of another.
    pub(crate) fn new(value: T, target: Target, etag: Option<ETag>, body: Bytes) -> Resource<T> {
        Resource { value, target, etag, body }
    }

    /// Reads the resource from the response to a GET of this target, or the part of it that the fragment means.
    pub(crate) fn read(answer: &Answer, target: Target) -> Result<Resource<T>, Error>
    where
        T: Decode,
    {
        answer.check()?;
        if !answer.is_object()? {
            return Err(answer.not_a_resource());
        }
        let value = match target.fragment() {
            None => answer.decode()?,
            Some(fragment) => answer.decode_fragment(fragment)?,
        };
        Ok(Resource::new(value, target, ETag::of(answer), answer.body()?.clone()))
    }

    /// The typed value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Takes the typed value and drops the rest.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Its URI.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The ETag of the version that was read.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// The same, with another value.
    pub(crate) fn with_value<U>(&self, value: U) -> Resource<U> {
        Resource { value, target: self.target.clone(), etag: self.etag.clone(), body: self.body.clone() }
    }

    /// The same, as the part that this target means.
    pub(crate) fn at(self, target: Target) -> Resource<T> {
        Resource { target, ..self }
    }

    /// What was wrong with the JSON, although it could be read.
    pub fn flaws(&self) -> Flaws {
        Flaws::of(&self.body)
    }

    /// The bytes as the service sent them. The [`json`](crate::view::Json::json) of a view is what was read of them: the same, unless it had to be repaired.
    pub fn raw(&self) -> &Bytes {
        &self.body
    }
}

impl<T: fmt::Debug> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("target", &self.target)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

/// The methods of a view are those of its resource.
impl<T> Deref for Resource<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
