//! A request whose body the service receives.

use std::fmt;
use std::ops::ControlFlow;

use crate::handlers::Admission;
use crate::protocol::answer::Answer;
use crate::protocol::payload::Payload;
use crate::protocol::response::Response;

/// What a service does with a request after its head.
#[derive(Debug)]
pub enum Begun {
    /// It answers without the body.
    Answered(Box<Answer>),
    /// It receives the body. [`Mock::end`](crate::Mock::end) makes the answer.
    Pending(Box<PendingRequest>),
}

/// A request whose body the service receives. Of a pushed image only the size and the digest are kept.
pub struct PendingRequest {
    pub(crate) request: http::Request<Payload>,
    pub(crate) admission: Admission,
    /// The number of outages before the request, which does not survive another one.
    pub(crate) outages: u64,
}

impl PendingRequest {
    /// Takes the next bytes of the body. Breaks when the rest of the body does not matter, so that the answer can be sent at
    /// once: because the body exceeds its limit, for example.
    pub fn push(&mut self, chunk: &[u8]) -> ControlFlow<()> {
        self.admission.intake.push(chunk)
    }

    /// How many bytes of the body are kept in memory.
    pub fn kept(&self) -> usize {
        self.admission.intake.kept()
    }

    /// Refuses the request with 503 because the server has no memory left. What was received is dropped.
    pub fn refuse_busy(&mut self) {
        self.admission.intake.refuse(Response::busy());
    }
}

impl fmt::Debug for PendingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRequest")
            .field("method", self.request.method())
            .field("path", &self.request.uri().path())
            .finish_non_exhaustive()
    }
}
