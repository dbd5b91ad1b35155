//! What bounds the memory that clients can use.

use std::sync::Arc;
use std::time::Duration;

use super::budget::Budget;
use super::connections::Connections;

/// The memory for request bodies that are being received, unless one body may be larger. A body beyond it is answered 503.
const BODY_BUDGET: usize = 64 << 20;
/// The memory for responses that are being sent. A read whose response is beyond it is answered 503.
const RESPONSE_BUDGET: usize = 64 << 20;

/// What bounds the memory that the connections of a service can use.
pub(super) struct Limits {
    pub(super) connections: Arc<Connections>,
    /// The maximum time without a byte of a body or a response.
    pub(super) stall_timeout: Duration,
    /// The memory for request bodies.
    pub(super) bodies: Budget,
    /// The memory for responses.
    pub(super) responses: Budget,
    max_connections: usize,
}

impl Limits {
    pub(super) fn new(max_connections: usize, stall_timeout: Duration, body_limit: usize) -> Limits {
        Limits {
            connections: Connections::new(max_connections),
            stall_timeout,
            bodies: Budget::new(BODY_BUDGET.max(body_limit)),
            responses: Budget::new(RESPONSE_BUDGET),
            max_connections,
        }
    }

    /// The limits of another service of the same process, with the same memory and its own connections.
    pub(super) fn for_another_service(&self) -> Limits {
        Limits {
            connections: Connections::new(self.max_connections),
            bodies: self.bodies.clone(),
            responses: self.responses.clone(),
            ..*self
        }
    }
}
