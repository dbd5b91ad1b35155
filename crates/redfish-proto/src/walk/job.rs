//! One thing to read: how often it was tried, and what its failure says.

use http::StatusCode;

use super::fetch::{Contents, Fetch, Purpose};
use crate::driver::{Failure, Now};
use crate::error::Error;
use crate::kind::ErrorKind;

/// Maximum number of repetitions, besides those of the policy, of a request that was dropped or refused while others were in
/// flight: eight become one in three steps.
const MAX_CROWDED: u32 = 4;

/// Something to read, for the part of the walk with this number.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: u32,
    pub(super) fetch: Fetch,
    pub(super) attempts: u32,
    /// How often it was dropped or refused while others were in flight.
    pub(super) crowded: u32,
    /// When it was sent first.
    pub(super) began: Option<Now>,
    /// The position of the last request among all.
    pub(super) sent_as: u64,
    /// Maximum number in flight since it was sent, with itself.
    pub(super) together: usize,
    /// The position among all results at which it had no response.
    pub(super) unanswered_at: Option<u64>,
}

/// The result of a job.
pub(super) type Settled = (Job, Result<Contents, Error>);

impl Job {
    pub(super) fn new(number: u32, fetch: Fetch) -> Job {
        Job {
            number,
            fetch,
            attempts: 0,
            crowded: 0,
            began: None,
            sent_as: 0,
            together: 1,
            unanswered_at: None,
        }
    }

    /// The same, to be sent again.
    pub(super) fn again(self) -> Job {
        let mut fetch = self.fetch;
        fetch.is_repetition = true;
        Job { attempts: self.attempts + 1, fetch, ..self }
    }

    /// The same, to be sent again with fewer others in flight, which does not count.
    pub(super) fn again_with_fewer(self) -> Job {
        Job { attempts: self.attempts, crowded: self.crowded + 1, ..self.again() }
    }

    /// Whether it may have failed only because others were in flight, and the service does not say when to repeat it.
    pub(super) fn is_crowded_out(&self, error: &Error) -> bool {
        let is_of_load = is_overload(error) && error.retry_after().is_none();
        is_of_load && self.together > 1 && self.crowded < MAX_CROWDED
    }

    /// Its share of the time of a resource: an expanded collection leaves time for the plain one.
    pub(super) fn share(&self) -> u32 {
        if self.fetch.unexpanded().is_some() { 2 } else { 1 }
    }

    pub(super) fn is_check(&self) -> bool {
        matches!(self.fetch.purpose, Purpose::Service | Purpose::Credentials(_))
    }
}

/// Whether a failure may be due to `$expand`. After a refusal, the call itself has tried without it.
pub(super) fn may_be_of_expand(error: &Error) -> bool {
    error.status().is_none_or(|status| !status.is_client_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// Whether a failure shows that the service has too many requests.
pub(super) fn is_overload(error: &Error) -> bool {
    is_dropped(error) || error.status().is_some_and(|status| matches!(status.as_u16(), 429 | 503))
}

/// Whether a connection was refused, or closed without a response.
pub(super) fn is_dropped(error: &Error) -> bool {
    let is_dropped = matches!(error.kind(), ErrorKind::Transport(Failure::NotSent | Failure::Broken));
    is_dropped && error.status().is_none()
}

/// Whether a failure would repeat with every further request.
pub(super) fn is_of_every_request(error: &Error) -> bool {
    error.is_of_login() || *error.kind() == ErrorKind::Closed
}
