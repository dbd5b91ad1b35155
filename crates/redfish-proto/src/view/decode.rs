//! Types that a whole JSON value can be read as.

use serde::de::DeserializeOwned;

use super::Json;

/// A type that a resource is read as: a view, or any type of serde.
pub trait Decode: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// If the value does not fit the type. Every JSON value fits a view.
    fn decode(json: Json) -> Result<Self, serde_json::Error>;
}

impl<T: DeserializeOwned> Decode for T {
    fn decode(json: Json) -> Result<T, serde_json::Error> {
        serde_json::from_slice(json.get_ref().bytes())
    }
}

impl Decode for Json {
    fn decode(json: Json) -> Result<Json, serde_json::Error> {
        json.checked()
    }
}
