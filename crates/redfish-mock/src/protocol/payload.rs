//! What the service keeps of the body of a request.

use super::image::Image;

/// What the service keeps of the body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// All of it.
    Bytes(Vec<u8>),
    /// The parameters of a pushed image, as JSON or `None` if its form has none, and of the image its size and digest.
    Push { parameters: Option<Vec<u8>>, image: Image },
}

impl Payload {
    /// The bytes that are kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Payload::Bytes(bytes) => bytes,
            Payload::Push { parameters, .. } => parameters.as_deref().unwrap_or_default(),
        }
    }
}

impl Default for Payload {
    fn default() -> Payload {
        Payload::Bytes(Vec::new())
    }
}
