//! The last request of a call, as far as redirects, retries and errors need it.

use http::Method;

use crate::body::Body;
use crate::driver::exchange::{BodyMode, Purpose};
use crate::operation::{Auth, Retry};
use crate::target::Target;

/// The request that was sent last.
pub(super) struct LastRequest {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) auth: Auth,
    pub(super) retry: Retry,
    pub(super) purpose: Purpose,
    pub(super) body: Body,
    /// Whether its payload, if it has one, can be sent again.
    pub(super) replayable: bool,
    pub(super) expects_continue: bool,
    /// Whether it reads, and not only a part of the resource (`Range`).
    pub(super) reads_whole: bool,
    pub(super) is_probe: bool,
    pub(super) retries_at_once: Option<u32>,
    pub(super) accepts_401: bool,
    pub(super) is_preparatory: bool,
    pub(super) body_mode: BodyMode,
}

impl LastRequest {
    /// Whether its success means that the write of the call was carried out.
    pub(super) fn is_own_write(&self) -> bool {
        self.purpose == Purpose::Write && !self.is_preparatory
    }

    /// Whether it may be sent again although it may have been received.
    pub(super) fn is_repeatable(&self) -> bool {
        let by_rule = match self.retry {
            Retry::SafeMethods => self.method.is_safe(),
            Retry::Always => true,
            Retry::Never => false,
        };
        by_rule && self.replayable && !self.is_probe
    }
}
