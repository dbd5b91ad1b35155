//! Refusals of the `Host` of a request.

use super::Error;
use crate::redact::SafeText;

impl Error {
    /// Marks a refusal that may be due to the `Host` of the request.
    pub(crate) fn of_host(mut self, hint: SafeText) -> Error {
        self.0.is_host_refusal = true;
        self.with_hint(hint)
    }

    /// Whether the service may have refused the request because it does not know the name in `Host`: a 421, or a 400 with a
    /// web page instead of a message.
    pub fn is_host_refusal(&self) -> bool {
        self.0.is_host_refusal
    }
}
