//! The rules of a call, the same for every operation: sessions, replay after a 401, redirects, retries, deadlines.
//!
//! Not generic, so that an operation adds little code. [`Call`](crate::Call) is the public interface.

mod last_request;
mod prepare;
mod redirect;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, response};

use crate::answer::Answer;
use crate::body::{Body, PayloadUnread};
use crate::cause::TransportError;
use crate::driver::coding;
use crate::driver::exchange::{BodyMode, Purpose, RequestLine};
use crate::driver::session_request::SessionRequest;
use crate::driver::time::{self, Now};
use crate::error::Error;
use crate::headers::{X_AUTH_TOKEN, is_secret_header};
use crate::identity::Identity;
use crate::kind::{ErrorKind, Failure, Phase};
use crate::operation::{Auth, Retry};
use crate::reason::RequestError;
use crate::redact::Redactor;
use crate::service::Service;
use crate::session::knowing_tokens;
use crate::target::Target;

use last_request::LastRequest;

/// Minimum and maximum wait between two polls, if the service asks for one.
const POLL_BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Maximum number of newer sessions that one replay tries while other calls keep replacing the session.
const MAX_NEWER_SESSIONS: u32 = 3;

/// What happens after a response or a failure.
#[expect(clippy::large_enum_variant, reason = "a box would cost an allocation for each exchange")]
pub(crate) enum Decision {
    /// Send the request, again or to another target.
    Send,
    /// Send it after this wait.
    Wait(Duration),
    /// Another session is needed.
    Renew,
    /// The operation interprets the response.
    Answer(Answer),
    /// There is no response. The operation decides whether the call fails.
    Fail(Error),
}

/// The state of a call.
pub(crate) struct Engine {
    service: Arc<Service>,
    identity: Option<Identity>,
    pinned: bool,
    operation_secrets: Arc<Redactor>,
    redactor: Arc<Redactor>,
    time_limit: Option<Duration>,
    deadline: Option<Now>,
    /// The last request, as far as redirects, retries and errors need it.
    last_request: LastRequest,
    has_request: bool,
    /// Whether the last response was the success of a write.
    write_succeeded: bool,
    /// Whether a write of the call was carried out, although a later request may fail: the next request followed its
    /// success, or its response was a redirect to its result (303).
    after_write: bool,
    /// The same before the last write.
    was_after_write: bool,
    state: RequestState,
    /// The 401 that another session is requested for.
    unauthorized: Option<Box<(response::Parts, Result<Bytes, TransportError>)>>,
    /// The `Retry-After` of the last response.
    retry_after: Option<Duration>,
    /// When the current wait ends.
    pub(crate) wake_at: Now,
    phase: Phase,
}

/// What happened to one request of an operation. The next request starts with a new state.
#[derive(Default)]
struct RequestState {
    redirected: Option<(Method, Target)>,
    visited: Vec<(Method, Target)>,
    retries: u32,
    renewed: bool,
    is_replay: bool,
    /// The replay was also answered with a 401, which the authenticator is notified of.
    replay_rejected: bool,
    /// How often the replay was repeated with a newer session.
    newer_sessions: u32,
    /// The service refused `Expect` (417).
    expectation_failed: bool,
    /// The service limited the rate of requests (429), and the request is sent once more.
    rate_limited: bool,
    /// A check found that the session is alive, although it was answered with a 401.
    session_alive: bool,
}

impl Engine {
    pub(crate) fn new(service: Arc<Service>) -> Engine {
        Engine {
            time_limit: service.policy().deadline,
            service,
            identity: None,
            pinned: false,
            operation_secrets: Arc::default(),
            redactor: Arc::default(),
            deadline: None,
            last_request: LastRequest {
                method: Method::GET,
                target: Target::well_known("/"),
                auth: Auth::None,
                retry: Retry::SafeMethods,
                purpose: Purpose::Read,
                body: Body::empty(),
                replayable: true,
                expects_continue: false,
                reads_whole: true,
                is_probe: false,
                retries_at_once: None,
                accepts_401: false,
                is_preparatory: false,
                body_mode: BodyMode::Buffered,
            },
            has_request: false,
            write_succeeded: false,
            after_write: false,
            was_after_write: false,
            state: RequestState::default(),
            unauthorized: None,
            retry_after: None,
            wake_at: Now::default(),
            phase: Phase::Answer,
        }
    }

    pub(crate) fn limit_time(&mut self, time: Duration) {
        self.time_limit = Some(time);
    }

    pub(crate) fn pin(&mut self, identity: Identity) {
        self.redactor = identity.redactor().merged(&self.operation_secrets);
        self.identity = Some(identity);
        self.pinned = true;
    }

    pub(crate) fn add_secrets(&mut self, secrets: &Arc<Redactor>) {
        self.operation_secrets = self.operation_secrets.merged(secrets);
        self.redactor = self.redactor.merged(&self.operation_secrets);
    }

    /// Starts the deadline. Fails if the pinned identity belongs to another service.
    pub(crate) fn start(&mut self, now: Now) -> Result<(), Error> {
        self.deadline = self.time_limit.map(|time_limit| now.after(time_limit));
        match &self.identity {
            Some(identity) if identity.origin() != self.service.origin() => {
                Err(Error::new(ErrorKind::ForeignSession))
            }
            _ => Ok(()),
        }
    }

    /// Resets the state for the next request of the operation.
    pub(crate) fn next_request(&mut self) {
        self.was_after_write = self.after_write;
        self.after_write |= self.write_succeeded;
        self.state = RequestState::default();
    }

    /// The session to request before a request with this authentication can be sent, if one is missing.
    pub(crate) fn session_request(&self, auth: Auth) -> Option<SessionRequest> {
        let missing = auth == Auth::Session && self.identity.is_none();
        missing.then(|| SessionRequest { deadline: self.deadline, ..SessionRequest::any() })
    }

    /// The session to request after a 401.
    pub(crate) fn renewal_request(&self, now: Now) -> SessionRequest {
        SessionRequest {
            rejected: self.identity.clone(),
            deadline: self.deadline,
            refused_at: now,
            is_replay: self.state.replay_rejected,
        }
    }

    /// Whether the 401 answered a replay, so that no other session helps.
    pub(crate) fn is_replay_rejected(&self) -> bool {
        self.state.replay_rejected
    }

    /// Uses this identity from now on. Returns `false` if the 401 that requested one is the final response.
    pub(crate) fn accept(&mut self, identity: Identity) -> Result<bool, Error> {
        if identity.origin() != self.service.origin() {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        let refused = self.unauthorized.is_some();
        if self.state.replay_rejected {
            // Another call has replaced the session of this replay, and may have closed it.
            let is_newer =
                self.identity.as_ref() != Some(&identity) && self.state.newer_sessions < MAX_NEWER_SESSIONS;
            if !refused || !is_newer {
                return Ok(false);
            }
            self.state.newer_sessions += 1;
            self.state.replay_rejected = false;
        }
        if refused && self.identity.as_ref() == Some(&identity) {
            self.state.session_alive = true;
            return Ok(false);
        }
        self.unauthorized = None;
        self.state.is_replay = refused;
        self.redactor = identity.redactor().merged(&self.operation_secrets);
        self.identity = Some(identity);
        Ok(true)
    }

    /// Continues without another session: the 401 that requested one is the final response. Before any 401, the call
    /// continues unauthenticated.
    pub(crate) fn continue_without_session(&mut self, now: Now) -> Option<Answer> {
        match self.unauthorized.take() {
            Some(refused) => {
                let (head, body) = *refused;
                Some(self.answer(head, body, now))
            }
            None => {
                self.identity = Some(Identity::anonymous(&self.service));
                None
            }
        }
    }

    /// Decides what follows a response.
    pub(crate) fn receive(
        &mut self,
        mut head: response::Parts,
        body: Result<Bytes, TransportError>,
        now: Now,
    ) -> Decision {
        for (name, value) in &mut head.headers {
            if is_secret_header(name) {
                value.set_sensitive(true);
            }
        }
        self.redactor = knowing_tokens(&self.redactor, &head.headers);
        let body = self.decoded(&head, body);
        self.retry_after = time::retry_after(&head.headers);
        self.last_request.replayable |= head.extensions.get::<PayloadUnread>().is_some();
        let status = head.status;
        self.write_succeeded = self.last_request.is_own_write() && status.is_success();
        if status == StatusCode::UNAUTHORIZED {
            let replayed = self.is_refused_replay();
            if replayed || self.may_renew() {
                self.state.renewed = true;
                self.state.replay_rejected = replayed;
                self.unauthorized = Some(Box::new((head, body)));
                return Decision::Renew;
            }
        }
        // A login has opened a session, which must not be lost, if its redirect or the result of its redirect carries a
        // token.
        let is_of_login = !self.last_request.method.is_safe() || self.state.redirected.is_some();
        let opened =
            self.last_request.auth == Auth::None && is_of_login && head.headers.contains_key(X_AUTH_TOKEN);
        match status.as_u16() {
            301 | 302 | 303 | 307 | 308 if opened => {}
            // It is one exchange. What another URI says proves nothing.
            301 | 302 | 303 | 307 | 308 if self.last_request.is_probe => {}
            301 | 302 | 303 | 307 | 308 => {
                return match self.redirect(&head) {
                    Ok(()) => Decision::Send,
                    Err((location, reason)) => Decision::Fail(
                        self.stamp(Error::new(ErrorKind::Redirect { location, reason }).with_status(status)),
                    ),
                };
            }
            // Nothing was accepted, and the service does not support `Expect` (RFC 9110, 10.1.1).
            417 if self.last_request.expects_continue && self.last_request.replayable => {
                self.state.expectation_failed = true;
                return Decision::Send;
            }
            408 | 429 | 503 if self.last_request.retries_at_once.is_some() => {}
            408 if self.last_request.is_repeatable() => {
                let wait = self.retry_after.unwrap_or_else(|| self.backoff());
                if self.may_retry_after(wait, now) {
                    return self.retry(wait);
                }
            }
            429 | 503 if self.last_request.is_repeatable() || (!opened && self.is_rate_limited(status)) => {
                if let Some(wait) = self.retry_after.filter(|wait| self.may_retry_after(*wait, now)) {
                    self.state.rate_limited = true;
                    return self.retry(wait);
                }
            }
            _ => {}
        }
        // There is no body that could be handed over as a stream.
        if let (Err(error), true) = (&body, self.is_stream(status)) {
            let error = error.body_error(self.service.policy().body_limit, &self.redactor);
            self.after_write |= self.write_succeeded;
            return Decision::Fail(self.stamp(error.with_status(status)));
        }
        let failure = body.as_ref().err().map(TransportError::failure);
        let broken = matches!(failure, Some(Failure::Broken | Failure::TimedOut));
        if status.is_success()
            && broken
            && !opened
            && self.last_request.method.is_safe()
            && self.last_request.is_repeatable()
        {
            let wait = self.backoff();
            if self.may_retry_after(wait, now) {
                return self.retry(wait);
            }
        }
        Decision::Answer(self.answer(head, body, now))
    }

    /// Decides what follows an exchange without a response.
    pub(crate) fn fail(&mut self, error: TransportError, now: Now) -> Decision {
        let failure = error.failure();
        let cause = error.cause(&self.redactor);
        let harmless = self.last_request.method.is_safe() || self.last_request.retry == Retry::Always;
        if failure == Failure::Unreadable {
            let kind = ErrorKind::InvalidRequest(RequestError::Payload);
            return Decision::Fail(self.stamp(Error::new(kind).with_cause(cause)));
        }
        let again = match failure {
            Failure::NotSent => true,
            Failure::Broken | Failure::TimedOut => self.last_request.is_repeatable(),
            _ => false,
        };
        let wait = self.backoff();
        if again && self.may_retry_after(wait, now) {
            return self.retry(wait);
        }
        let kind = if !harmless && !failure.is_unsent() {
            ErrorKind::OutcomeUnknown(failure)
        } else if failure == Failure::TimedOut && self.remaining(now) == Some(Duration::ZERO) {
            ErrorKind::Deadline(Phase::Answer)
        } else {
            match failure {
                Failure::TooLarge => ErrorKind::TooLarge { limit: self.service.policy().body_limit },
                Failure::HeadTooLarge(limits) => ErrorKind::HeadTooLarge(limits),
                failure => ErrorKind::Transport(failure),
            }
        };
        Decision::Fail(self.stamp(Error::new(kind).with_cause(cause)))
    }

    /// Wait before the next poll. `None` if the deadline comes first.
    pub(crate) fn poll_after(&mut self, wait: Option<Duration>, now: Now) -> Option<Duration> {
        let (floor, ceiling) = POLL_BOUNDS;
        let wait = wait.unwrap_or_else(|| self.retry_after.unwrap_or(floor).clamp(floor, ceiling));
        self.phase = Phase::Poll;
        self.is_before_deadline(wait, now).then_some(wait)
    }

    /// Adds the exchange to an error and removes secrets from it.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        let exchange = self.has_request.then_some((&self.last_request.method, &self.last_request.target));
        let error = if self.after_write { error.after_write() } else { error };
        error.with_origin(self.service.origin()).stamped(exchange, &self.redactor)
    }

    /// Prepares an error for an operation, which may add a text to it.
    pub(crate) fn with_redactor(&self, error: Error) -> Error {
        error.with_redactor(&self.redactor)
    }

    /// The request that was sent last.
    pub(crate) fn request_line(&self) -> RequestLine {
        let LastRequest { method, target, purpose, is_probe, .. } = &self.last_request;
        RequestLine {
            method: method.clone(),
            purpose: *purpose,
            is_probe: *is_probe,
            target: target.clone(),
            redactor: Arc::clone(&self.redactor),
        }
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// The body, unless it has a coding that the driver has not decoded, or is a part that was not requested. It is not data
    /// then, even if it has arrived.
    fn decoded(
        &self,
        head: &response::Parts,
        body: Result<Bytes, TransportError>,
    ) -> Result<Bytes, TransportError> {
        if head.status == StatusCode::PARTIAL_CONTENT && self.last_request.reads_whole {
            return Err(Failure::Partial.into());
        }
        if matches!(&body, Ok(bytes) if bytes.is_empty()) && !self.is_stream(head.status) {
            return body;
        }
        match coding::undecoded(head, &self.last_request.method) {
            Some(error) => Err(error),
            None => body,
        }
    }

    /// Whether the body of a response with this status is handed over as a stream.
    fn is_stream(&self, status: StatusCode) -> bool {
        self.last_request.body_mode == BodyMode::Streamed && status.is_success()
    }

    fn answer(&self, head: response::Parts, body: Result<Bytes, TransportError>, now: Now) -> Answer {
        Answer {
            head,
            body,
            repaired: OnceLock::new(),
            method: self.last_request.method.clone(),
            target: self.last_request.target.clone(),
            first_request: self.state.visited.first().cloned(),
            sent: self.last_request.body.clone(),
            is_replay: self.state.is_replay,
            session_alive: self.state.session_alive,
            now,
            service: Arc::clone(&self.service),
            redactor: Arc::clone(&self.redactor),
        }
    }

    /// Whether a 401 may lead to another session: once for each request, only if the session can expire, and only if
    /// the payload can be sent again.
    fn may_renew(&self) -> bool {
        self.last_request.auth == Auth::Session
            && !self.pinned
            && !self.last_request.is_probe
            && !self.last_request.accepts_401
            && !self.state.renewed
            && self.last_request.replayable
            && self.identity.as_ref().is_some_and(Identity::is_session)
    }

    /// Whether the 401 answers a replay with another session. The former session may then be alive, which is reported
    /// to the authenticator once.
    fn is_refused_replay(&self) -> bool {
        self.last_request.auth == Auth::Session
            && self.state.is_replay
            && self.state.renewed
            && !self.state.replay_rejected
    }

    /// Whether the request was not carried out, because the client sent too many (RFC 6585, section 4), so that also a login or
    /// a write may be sent once more.
    fn is_rate_limited(&self, status: StatusCode) -> bool {
        status == StatusCode::TOO_MANY_REQUESTS
            && self.last_request.replayable
            && !self.last_request.is_probe
            && !self.state.rate_limited
    }

    fn retry(&mut self, wait: Duration) -> Decision {
        self.state.retries += 1;
        self.phase = Phase::Retry;
        if wait.is_zero() { Decision::Send } else { Decision::Wait(wait) }
    }

    /// Whether another attempt is left and this wait before it is allowed.
    fn may_retry_after(&self, wait: Duration, now: Now) -> bool {
        let policy = self.service.policy();
        let retries = if self.last_request.is_probe { policy.retries.min(1) } else { policy.retries };
        let retries = self.last_request.retries_at_once.unwrap_or(retries);
        self.state.retries < retries && wait <= policy.longest_wait && self.is_before_deadline(wait, now)
    }

    /// No wait before the first retry, which replaces a stale connection; then 0.5 s, doubled each time.
    fn backoff(&self) -> Duration {
        match self.state.retries {
            0 => Duration::ZERO,
            n => Duration::from_millis(250).saturating_mul(1 << n.min(7)),
        }
    }

    fn is_before_deadline(&self, wait: Duration, now: Now) -> bool {
        self.remaining(now).is_none_or(|left| wait < left)
    }

    fn remaining(&self, now: Now) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(now))
    }
}
