//! The requests of a walk in flight: how many there may be, which are repeated, and when nothing more is requested.
//!
//! ```text
//!   a fetch ──▶ in flight ──┬─ read ─────────────────────────────────────────▶ its result
//!                 ▲         ├─ 429, 503, refused, dropped ──▶ a wait, and fewer in flight ──┐
//!                 └─────────┼─────────────────────────────────────────────────────────────────┘
//!                           ├─ no response ──▶ the root, alone ──┬─ responds ─▲
//!                           │                                    └─ does not ──▶ the end
//!                           └─ 401 ──▶ a resource that was read before ──┬─ is read ──▲
//!                                                                        └─ 401 ──▶ the end
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::fetch::{Contents, Fetch, Fetched, Purpose};
use super::job::{Job, Settled, is_of_every_request, is_overload, may_be_of_expand};
use super::settings::Settings;
use crate::driver::{Failure, Now, Phase};
use crate::error::Error;
use crate::features::Features;
use crate::kind::ErrorKind;
use crate::ops::follow_links::root;
use crate::reason::SessionAlive;
use crate::service::Service;
use crate::target::Target;

/// Wait before the first repetition, if the service does not say how long. It doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Number of responses without a refusal after which one more request may be in flight.
const RECOVERY: u32 = 32;

/// Number of refused `$expand`s after which it is not tried any more at this service.
const MAX_REFUSED_EXPANDS: u32 = 3;

/// Names a call of a walk until its result is [received](super::Walk::receive).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

pub(super) struct Reader {
    pub(super) service: Arc<Service>,
    in_flight: BTreeMap<Ticket, Job>,
    /// Jobs that are repeated after a wait.
    delayed: Vec<(Now, Job)>,
    /// Jobs whose 401 is being checked.
    suspects: Vec<(Job, Error)>,
    check: Option<Check>,
    features: Option<Features>,
    /// Maximum number in flight, once the service has refused some.
    window: usize,
    /// Number of responses since the last refusal or the last increase.
    successes: u32,
    /// The requests up to this one were sent before the window was last reduced.
    reduced_at: u64,
    sent: u64,
    /// Number of results, and the last one that was a response.
    results: u64,
    answered_at: u64,
    /// A resource that was read with the credentials.
    witness: Option<Target>,
    refused_expands: u32,
    /// Whether the session was alive after a 401, so that the walk itself looks first what the next ones mean. A check of the
    /// session by the client may cost a login.
    accepts_401: bool,
    began: Option<Now>,
    /// Why nothing more is requested.
    pub(super) end: Option<Error>,
}

/// A check before anything else is requested.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Service,
    Credentials,
}

impl Reader {
    pub(super) fn new(service: Arc<Service>) -> Reader {
        Reader {
            service,
            in_flight: BTreeMap::new(),
            delayed: Vec::new(),
            suspects: Vec::new(),
            check: None,
            features: None,
            window: usize::MAX,
            successes: 0,
            reduced_at: 0,
            sent: 0,
            results: 0,
            answered_at: 0,
            witness: None,
            refused_expands: 0,
            accepts_401: false,
            began: None,
            end: None,
        }
    }

    pub(super) fn features(&self) -> Option<&Features> {
        self.features.as_ref()
    }

    pub(super) fn learn_features(&mut self, features: Features) {
        self.features = Some(features);
    }

    /// Whether the service has accepted a request with the credentials.
    pub(super) fn has_witness(&self) -> bool {
        self.witness.is_some()
    }

    /// Whether nothing is in flight, waits to be repeated, or is checked.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
            && self.delayed.is_empty()
            && self.suspects.is_empty()
            && self.check.is_none()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How long it is until the next repetition.
    pub(super) fn pause(&self, now: Now) -> Option<Duration> {
        self.delayed.iter().map(|(at, _)| at.since(now)).filter(|time| !time.is_zero()).min()
    }

    /// The query parameter that reads the members of a collection with it.
    pub(super) fn expand(&self, settings: &Settings) -> Option<&'static str> {
        let features = self.features.filter(|features| features.expand_subordinate)?;
        let is_tried = settings.expand && self.refused_expands < MAX_REFUSED_EXPANDS;
        is_tried.then_some(if features.levels > 0 { "$expand=.($levels=1)" } else { "$expand=." })
    }

    pub(super) fn expand_refused(&mut self) {
        self.refused_expands += 1;
    }

    /// Ends the walk. The requests in flight are not waited for.
    pub(super) fn end(&mut self, error: Error) {
        self.end.get_or_insert(error);
    }

    /// Puts what was in flight back, to be requested again.
    pub(super) fn recall(&mut self) {
        let jobs = std::mem::take(&mut self.in_flight).into_values().filter(|job| !job.is_check());
        self.delayed.extend(jobs.map(|job| (Now::default(), Job { began: None, ..job })));
    }

    /// Continues after the end, with other credentials.
    pub(super) fn resume(&mut self) {
        self.recall();
        let suspects = std::mem::take(&mut self.suspects).into_iter();
        self.delayed.extend(suspects.map(|(job, _)| (Now::default(), Job { began: None, ..job })));
        (self.check, self.end, self.witness, self.began) = (None, None, None, None);
        self.accepts_401 = false;
    }

    /// The 401s are final, since the credentials are valid.
    pub(super) fn accept_refusals(&mut self, how: SessionAlive) -> Vec<Settled> {
        let refused = std::mem::take(&mut self.suspects);
        refused
            .into_iter()
            .filter_map(|(job, error)| self.settle_or_read_plainly(job, error.with_session_alive(how)))
            .collect()
    }

    /// The failure of a job, unless it is requested once more without `$expand`.
    fn settle_or_read_plainly(&mut self, job: Job, error: Error) -> Option<Settled> {
        let Some(plain) = job.fetch.unexpanded() else { return Some((job, Err(error))) };
        if error.status() == Some(StatusCode::UNAUTHORIZED) {
            self.expand_refused();
        }
        self.delayed.push((Now::default(), Job { began: job.began, ..Job::new(job.number, plain) }));
        None
    }

    /// Number of 401s that are being checked.
    pub(super) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// Whether another request may be sent now.
    fn has_room(&self, settings: &Settings) -> bool {
        let in_flight = self.in_flight.len();
        // Without a request that the service has accepted, each further one may count as a failed login.
        let max = match (&self.witness, settings.in_flight, self.features) {
            (None, ..) => 1,
            (_, _, Some(Features { concurrent_requests: false, .. })) => 1,
            (_, Some(chosen), _) => chosen,
            (_, None, _) => usize::MAX,
        };
        in_flight < max.min(self.window).max(1)
    }

    /// The next job to request: a check, a repetition, or what `next` returns.
    pub(super) fn next_job(
        &mut self,
        settings: &Settings,
        now: Now,
        next: impl FnOnce(&mut Reader) -> Option<Job>,
    ) -> Option<(Ticket, Job, Option<Duration>)> {
        let began = *self.began.get_or_insert(now);
        let left = settings.deadline.map(|deadline| began.after(deadline).since(now));
        if self.end.is_none() && left == Some(Duration::ZERO) {
            let expired = self.service.error(ErrorKind::Deadline(Phase::Answer));
            self.end(expired);
        }
        if self.end.is_some() {
            return None;
        }
        let mut job = match self.check {
            // Whether the service responds does not depend on what else is in flight.
            Some(_) if !self.in_flight.is_empty() => return None,
            Some(check) => self.check_job(check),
            None if !self.has_room(settings) => return None,
            None => match self.delayed.iter().position(|(at, _)| *at <= now) {
                Some(ready) => self.delayed.swap_remove(ready).1,
                None if self.may_be_away() => return None,
                None => next(self)?,
            },
        };
        job.fetch.accepts_401 = self.accepts_401;
        let (began, check) = (*job.began.get_or_insert(now), job.is_check());
        job.together = self.in_flight.len() + 1;
        self.in_flight.values_mut().for_each(|other| other.together = other.together.max(job.together));
        self.sent += 1;
        job.sent_as = self.sent;
        let of_job = settings.resource_deadline.filter(|_| !check);
        let of_job = of_job.map(|limit| began.after(limit / job.share()).since(now));
        let deadline = [of_job, left].into_iter().flatten().min();
        self.in_flight.insert(Ticket(self.sent), job.clone());
        Some((Ticket(self.sent), job, deadline))
    }

    /// Whether nothing has responded since a request had no response, which is repeated before anything else is requested.
    fn may_be_away(&self) -> bool {
        let jobs = self.delayed.iter().map(|(_, job)| job).chain(self.in_flight.values());
        jobs.filter_map(|job| job.unanswered_at).any(|at| at > self.answered_at)
    }

    fn check_job(&self, check: Check) -> Job {
        let purpose = match (check, &self.witness) {
            (Check::Credentials, Some(witness)) => Purpose::Credentials(witness.clone()),
            _ => Purpose::Service,
        };
        Job::new(0, Fetch::new(purpose, 0))
    }

    /// Takes the result of a call. Returns what is settled by it.
    pub(super) fn receive(
        &mut self,
        ticket: &Ticket,
        result: Result<Fetched, Error>,
        settings: &Settings,
        now: Now,
    ) -> Vec<Settled> {
        let Some(job) = self.in_flight.remove(ticket) else { return Vec::new() };
        self.results += 1;
        if result.as_ref().map_or_else(|error| error.status().is_some(), |_| true) {
            self.answered_at = self.results;
        }
        match result {
            Ok(Fetched(contents)) => self.succeeded(job, contents),
            Err(error) => self.failed(job, error, settings, now),
        }
    }

    fn succeeded(&mut self, job: Job, contents: Contents) -> Vec<Settled> {
        match (&job.fetch.purpose, &contents) {
            (Purpose::Service, _) => {
                self.check = (!self.suspects.is_empty()).then_some(Check::Credentials);
                return Vec::new();
            }
            (Purpose::Credentials(_), _) => {
                self.check = None;
                return self.accept_refusals(SessionAlive::OthersAccepted);
            }
            (Purpose::Features, Contents::Features(features)) => {
                self.features = Some(*features);
                return Vec::new();
            }
            _ => {}
        }
        self.widen_window();
        let target = job.fetch.target();
        // The root is read without credentials, too.
        if !target.is_same_except_slash(&root()) {
            self.witness = Some(target);
        }
        vec![(job, Ok(contents))]
    }

    fn failed(&mut self, job: Job, error: Error, settings: &Settings, now: Now) -> Vec<Settled> {
        match &job.fetch.purpose {
            Purpose::Features => {
                // Without them, the plain form of each request works.
                self.features.get_or_insert_default();
                return Vec::new();
            }
            Purpose::Service => {
                self.end(error);
                return Vec::new();
            }
            Purpose::Credentials(_) if needs_check(&error).is_some() => {
                self.check = Some(Check::Service);
                return self.suspects.drain(..).map(|(job, error)| (job, Err(error))).collect();
            }
            // The session is lost. The client renews it with the next request.
            Purpose::Credentials(_) if job.fetch.accepts_401 => {
                (self.check, self.accepts_401) = (None, false);
                self.delayed.extend(self.suspects.drain(..).map(|(job, _)| (now, job)));
                return Vec::new();
            }
            Purpose::Credentials(_) => {
                self.end(error);
                return Vec::new();
            }
            Purpose::Resource(_) | Purpose::Page(_) => {}
        }
        if is_of_every_request(&error) {
            self.delayed.push((now, Job { began: None, ..job }));
            self.end(error);
            return Vec::new();
        }
        self.accepts_401 |= error.session_alive() && self.witness.is_some();
        // A session that was lost while several requests were in flight says nothing about one of them.
        if error.session_alive() && job.fetch.unexpanded().is_none() && !job.fetch.is_repetition {
            self.delayed.push((now, job.again()));
            return Vec::new();
        }
        if *error.kind() == ErrorKind::NotAuthenticated && !error.session_alive() {
            self.suspects.push((job, error.clone()));
            match &self.witness {
                Some(_) => self.check = self.check.or(Some(Check::Credentials)),
                None => self.end(error),
            }
            return Vec::new();
        }
        if is_overload(&error) {
            self.reduce_window(&job);
        }
        let is_of_load = is_overload(&error) && (error.status().is_some() || job.together > 1);
        if job.fetch.unexpanded().is_some() && !is_of_load && may_be_of_expand(&error) {
            self.check = needs_check(&error).or(self.check);
            return self.settle_or_read_plainly(job, error).into_iter().collect();
        }
        if let Some(wait) = self.wait_before_repetition(&job, &error, settings, now) {
            let unanswered_at = error.status().is_none().then_some(self.results);
            let again = if job.is_crowded_out(&error) { job.again_with_fewer() } else { job.again() };
            self.delayed.push((now.after(wait), Job { unanswered_at, ..again }));
            return Vec::new();
        }
        self.check = needs_check(&error).or(self.check);
        if is_overload(&error) || error.session_alive() {
            return self.settle_or_read_plainly(job, error).into_iter().collect();
        }
        vec![(job, Err(error))]
    }

    /// Halves the number in flight, once for all requests that were in flight together.
    fn reduce_window(&mut self, job: &Job) {
        self.successes = 0;
        if job.sent_as > self.reduced_at && job.together > 1 {
            self.window = (self.window.min(job.together) / 2).max(1);
            self.reduced_at = self.sent;
        }
    }

    /// Allows one more in flight after a while without a refusal.
    fn widen_window(&mut self) {
        self.successes += 1;
        if self.successes >= RECOVERY {
            self.successes = 0;
            self.window = self.window.saturating_add(1);
        }
    }

    /// How long to wait before a job is repeated; `None` if it is not.
    fn wait_before_repetition(
        &self,
        job: &Job,
        error: &Error,
        settings: &Settings,
        now: Now,
    ) -> Option<Duration> {
        let policy = self.service.policy();
        let backoff = FIRST_WAIT.saturating_mul(1 << job.attempts.min(6));
        let wait = match (error.kind(), error.status().map(|status| status.as_u16())) {
            (_, Some(408)) => error.retry_after().unwrap_or(backoff),
            (_, Some(429 | 503)) => error.retry_after().unwrap_or(backoff),
            (ErrorKind::Transport(Failure::NotSent | Failure::Broken), _) => backoff,
            _ => return None,
        };
        let left = match (settings.resource_deadline, job.began) {
            (Some(limit), Some(began)) => began.after(limit / job.share()).since(now),
            _ => Duration::MAX,
        };
        let repetitions = match error.status() {
            // The call itself has replaced a stale connection.
            _ if matches!(error.kind(), ErrorKind::Transport(_)) => policy.retries.saturating_sub(1),
            // It may have been the load of the others.
            Some(_) if error.retry_after().is_none() => policy.retries.min(1),
            _ => policy.retries,
        };
        let is_allowed = job.attempts < repetitions || job.is_crowded_out(error);
        (is_allowed && wait <= policy.longest_wait && wait < left).then_some(wait)
    }
}

/// The check that follows a failure without a response.
fn needs_check(error: &Error) -> Option<Check> {
    let is_without_response =
        error.status().is_none() && matches!(error.kind(), ErrorKind::Transport(_) | ErrorKind::Deadline(_));
    is_without_response.then_some(Check::Service)
}
