//! What a request carries: bytes, and for an upload a hole that the driver fills with the payload.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::kind::ErrorKind;
use crate::reason::RequestError;
use crate::redact::Redactor;

/// The body of a request: `before`, then perhaps a payload that the caller streams, then `after`.
///
/// Its length is known, so that it is never sent chunked: some services answer 411 to that. `Debug` prints the
/// length alone.
#[derive(Clone, Default)]
pub struct Body {
    before: Bytes,
    payload: Option<Payload>,
    after: Bytes,
}

/// A payload that is not in memory: its length, and whether it can be read a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Bytes the payload has.
    pub length: u64,
    /// Whether it can be read from its start again. One that cannot is never sent a second time.
    pub replayable: bool,
}

/// A part of a [`Body`], in the order of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These bytes.
    Bytes(Bytes),
    /// The payload, read by the driver.
    Payload(Payload),
}

impl Body {
    /// No body.
    pub fn empty() -> Body {
        Body::default()
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where the value has no JSON form, such as a map with keys that are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Body, Error> {
        match serde_json::to_vec(value) {
            Ok(text) => Ok(Body::from(text)),
            Err(_) => Err(Error::new(ErrorKind::InvalidRequest(RequestError::NoJson))),
        }
    }

    /// Bytes that hold a secret: zeroed once the last copy of this body is dropped.
    pub fn secret(text: Zeroizing<Vec<u8>>) -> Body {
        Body { before: Bytes::from_owner(text), ..Body::default() }
    }

    /// A payload between two runs of bytes, either of which may be empty.
    pub fn around(before: impl Into<Bytes>, payload: Payload, after: impl Into<Bytes>) -> Body {
        Body { before: before.into(), payload: Some(payload), after: after.into() }
    }

    /// Its length in bytes, the payload's with it.
    pub fn len(&self) -> u64 {
        let payload = self.payload.map_or(0, |p| p.length);
        payload.saturating_add((self.before.len() + self.after.len()) as u64)
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload, where there is one.
    pub fn payload(&self) -> Option<Payload> {
        self.payload
    }

    /// The whole body, where it needs no payload.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.payload.is_none().then_some(&self.before)
    }

    /// Its parts, in the order of sending.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let bytes = |b: &Bytes| (!b.is_empty()).then(|| Segment::Bytes(b.clone()));
        [bytes(&self.before), self.payload.map(Segment::Payload), bytes(&self.after)].into_iter().flatten()
    }

    /// Registers the secrets that it holds by name.
    pub(crate) fn register_secrets(&self, known: &mut Redactor) {
        known.add_json(self.bytes().map(|bytes| &**bytes).unwrap_or_default());
    }

    /// Whether it may be sent once more.
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
    fn a_payload_stands_between_its_segments_and_counts() {
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
    fn debug_shows_a_length_and_no_byte() {
        let body = Body::secret(Zeroizing::new(b"{\"Password\":\"hunter2\"}".to_vec()));
        assert_eq!(format!("{body:?}"), "Body(22 bytes)");
    }
}
