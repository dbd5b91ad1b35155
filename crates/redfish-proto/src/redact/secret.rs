//! A secret in memory.

use std::sync::Arc;

use zeroize::Zeroizing;

/// A secret that is zeroed when its last copy is dropped.
#[derive(Clone)]
pub(crate) struct Secret(Arc<Zeroizing<Box<str>>>);

impl Secret {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(Arc::new(Zeroizing::new(text.into())))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Secret {
        Secret::from(text.as_str())
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
