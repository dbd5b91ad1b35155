//! The body of a request: bytes, and for an upload a payload that the driver streams.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::reason::RequestError;
use crate::redact::Redactor;

/// The body of a request: bytes, or a payload that the driver streams, between two runs of bytes.
///
/// Its length is known, so it is never chunked: some services answer that with a 411. `Debug` shows only the length.
#[derive(Clone, Default)]
pub struct Body {
    before: Bytes,
    payload: Option<Payload>,
    after: Bytes,
}

/// A payload that is not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its length in bytes.
    pub length: u64,
    /// Whether it can be read again from its start. Otherwise it is sent again only after a response that came before any
    /// of it was [read](PayloadUnread).
    pub replayable: bool,
}

/// An extension of a response's head: no byte of the request's payload was read, so that it can be sent again even if it
/// can be read only once. A driver inserts it if that is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadUnread;

/// Marks a response whose upload the driver has ended early, because the service read no more of it. Inserted by the driver into
/// the extensions of the head.
#[derive(Clone, Copy, Debug)]
pub struct PayloadCut;

/// A part of a [`Body`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These bytes.
    Bytes(Bytes),
    /// The payload, read by the driver.
    Payload(Payload),
}

impl Body {
    /// An empty body.
    pub fn empty() -> Body {
        Body::default()
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a value that has no JSON form, such as a map whose keys are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Body, Error> {
        match serde_json::to_vec(value) {
            Ok(text) => Ok(Body::from(text)),
            Err(_) => Err(Error::new(ErrorKind::InvalidRequest(RequestError::NoJson))),
        }
    }

    /// Bytes that contain a secret. They are zeroed when the last copy of the body is dropped.
    pub fn secret(text: Zeroizing<Vec<u8>>) -> Body {
        Body { before: Bytes::from_owner(text), ..Body::default() }
    }

    /// A payload between two runs of bytes, either of which may be empty.
    pub fn around(before: impl Into<Bytes>, payload: Payload, after: impl Into<Bytes>) -> Body {
        Body { before: before.into(), payload: Some(payload), after: after.into() }
    }

    /// Its length in bytes, including the payload.
    pub fn len(&self) -> u64 {
        let payload = self.payload.map_or(0, |p| p.length);
        payload.saturating_add((self.before.len() + self.after.len()) as u64)
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload, if there is one.
    pub fn payload(&self) -> Option<Payload> {
        self.payload
    }

    /// The whole body, if it has no payload.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.payload.is_none().then_some(&self.before)
    }

    /// Its parts, in the order of sending.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let bytes = |b: &Bytes| (!b.is_empty()).then(|| Segment::Bytes(b.clone()));
        [bytes(&self.before), self.payload.map(Segment::Payload), bytes(&self.after)].into_iter().flatten()
    }

    /// Registers the secrets that its members contain by name.
    pub(crate) fn register_secrets(&self, known: &mut Redactor) {
        known.add_json(self.bytes().map(|bytes| &**bytes).unwrap_or_default());
    }

    /// Whether it can be sent again.
    pub(crate) fn replayable(&self) -> bool {
        self.payload.is_none_or(|p| p.replayable)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body { before: bytes.into(), ..Body::default() }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body { before: bytes, ..Body::default() }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_between_its_segments_and_counts_in_the_length() {
        let payload = Payload { length: 1 << 30, replayable: false };
        let body = Body::around("head", payload, "tail");
        assert_eq!(body.len(), (1 << 30) + 8);
        assert_eq!(
            body.segments().collect::<Vec<_>>(),
            [Segment::Bytes("head".into()), Segment::Payload(payload), Segment::Bytes("tail".into())]
        );
        assert!(body.bytes().is_none() && !body.replayable());
    }

    #[test]
    fn debug_shows_only_the_length() {
        let body = Body::secret(Zeroizing::new(b"{\"Password\":\"hunter2\"}".to_vec()));
        assert_eq!(format!("{body:?}"), "Body(22 bytes)");
    }
}
