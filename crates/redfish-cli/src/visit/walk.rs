//! Walks of a visit: several requests in flight, and one renewal of the saved session for all of them.

use redfish_hyper::Walking;
use redfish_proto::reason::SessionAlive;
use redfish_proto::walk::{Event, Place, Walk};

use super::{TimeLimit, Visit};
use crate::failure::Failure;

/// A walk in progress.
pub(crate) struct VisitWalk {
    /// `None` only while the session is renewed.
    walking: Option<Walking>,
    logged_in: bool,
}

impl Visit {
    /// Starts a walk. Each resource has the time of an operation.
    pub(crate) fn walk(&self, walk: Walk) -> VisitWalk {
        let walk = match self.limit {
            TimeLimit::Each(time) => walk.resource_deadline(time),
            TimeLimit::Total { .. } => walk.deadline(self.time_left()),
        };
        let walk = match self.options.in_flight {
            Some(requests) => walk.in_flight(requests),
            None => walk,
        };
        VisitWalk { walking: Some(self.client.walk(walk)), logged_in: false }
    }
}

impl VisitWalk {
    /// The next event; `None` at the end. A failure ends the walk. If the saved session has expired, renews it and
    /// continues.
    pub(crate) async fn next(&mut self, visit: &mut Visit) -> Option<Result<Event, Failure>> {
        loop {
            let next = self.walking.as_mut()?.next().await;
            visit.warn_of_flaws();
            let error = match next? {
                Ok(event) => return Some(Ok(event)),
                Err(error) => error,
            };
            let renewed = visit.renew_after::<()>(Err(error.into()), &mut self.logged_in).await;
            match renewed {
                Ok(_) => {
                    let mut walk = self.walking.take()?.into_walk();
                    walk.resume();
                    self.walking = Some(visit.client.walk(walk));
                }
                Err(failure) => {
                    let mut walk = self.walking.take()?.into_walk();
                    // If the saved session is alive, only these resources are denied.
                    let goes_on =
                        failure.is_of_living_session() && walk.accept_refusals(SessionAlive::Confirmed) > 0;
                    self.walking = Some(visit.client.walk(walk));
                    if !goes_on {
                        return Some(Err(failure));
                    }
                }
            }
        }
    }

    /// The place of a resource, which is final at the end.
    pub(crate) fn place(&self, number: usize) -> Option<Place> {
        self.walking.as_ref()?.place(number)
    }

    /// The failure of a walk that has ended, if resources are beyond its maximum depth. No place is known any more.
    pub(crate) fn depth_exceeded(&mut self) -> Option<Failure> {
        Some(self.walking.take()?.into_walk().depth_exceeded()?.into())
    }

    /// What has arrived before its turn, of a walk that has ended with a failure.
    pub(crate) fn take_early(&mut self) -> Vec<Event> {
        self.walking.take().map_or_else(Vec::new, |walking| walking.into_walk().take_early())
    }

    /// Number of resources and links that are known so far.
    pub(crate) fn known(&self) -> usize {
        self.walking.as_ref().map_or(0, Walking::known)
    }
}
