//! Types that a whole JSON value is read as.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Json;
use crate::base::Base;
use crate::error::Error;
use crate::json;

/// A type that a resource is read as: a view, or any type of serde.
pub trait Decode: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// If the value does not fit the type. Every JSON object fits a view.
    fn decode(source: Source<'_>) -> Result<Self, serde_json::Error>;
}

/// A text to be read, which may not be JSON.
#[derive(Clone, Copy)]
pub struct Source<'a>(From<'a>);

#[derive(Clone, Copy)]
enum From<'a> {
    /// The text of a body that was received: a part of `body`.
    Body { text: &'a [u8], body: &'a Bytes, base: &'a Arc<Base> },
    /// A value that was read.
    Json(&'a Json),
}

impl<'a> Source<'a> {
    /// The resource in a body. The text is a part of the body.
    pub(crate) fn body(text: &'a [u8], body: &'a Bytes, base: &'a Arc<Base>) -> Source<'a> {
        Source(From::Body { text, body, base })
    }

    pub(crate) fn json_value(json: &'a Json) -> Source<'a> {
        Source(From::Json(json))
    }

    /// The text.
    pub fn bytes(self) -> &'a [u8] {
        match self.0 {
            From::Body { text, .. } => text,
            From::Json(json) => json.get_ref().bytes(),
        }
    }

    /// The text as JSON, which is not copied.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn json(self) -> Result<Json, serde_json::Error> {
        match self.0 {
            From::Body { text, body, base } => Json::with_base(body.slice_ref(text), Some(Arc::clone(base))),
            From::Json(json) => Ok(json.clone()),
        }
    }

    /// The text as a JSON object, as which a view is read.
    ///
    /// # Errors
    /// If it is not a JSON object.
    pub fn object(self) -> Result<Json, serde_json::Error> {
        let json = self.json()?;
        if json.get_ref().is_object() { Ok(json) } else { Err(serde::de::Error::custom("not an object")) }
    }
}

/// Reads a part of a body that was received, from the repaired text if the strict parser refuses it.
pub(crate) fn read<T: Decode>(part: &Bytes, base: &Arc<Base>) -> Result<T, Error> {
    let decode = |text: &[u8], body: &Bytes| {
        json::read_with(text, usize::MAX, |text| T::decode(Source::body(text, body, base)))
    };
    let result = decode(json::strip_bom(part), part).or_else(|strict| match json::repair(part) {
        Some(repaired) => decode(&repaired.text, &repaired.text),
        None => Err(strict),
    });
    result.map_err(|(pointer, reason)| base.malformed(&pointer, &reason))
}

impl<T: DeserializeOwned> Decode for T {
    fn decode(source: Source<'_>) -> Result<T, serde_json::Error> {
        serde_json::from_slice(source.bytes()).or_else(|refused| match source.0 {
            // The part of a body that was received is repaired by the caller.
            From::Body { .. } => Err(refused),
            // A view accepts what no type of serde does, such as half of a surrogate pair.
            From::Json(json) => json::part(json.text()).ok_or(refused),
        })
    }
}

impl Decode for Json {
    fn decode(source: Source<'_>) -> Result<Json, serde_json::Error> {
        source.json()
    }
}
