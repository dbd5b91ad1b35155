//! The rules of a call, the same for every operation: sessions, 401 and replay, redirects, retries, deadlines.
//!
//! It is not generic, so that an operation costs little code. [`Call`](crate::Call) is its face.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, response};

use crate::body::Body;
use crate::cause::TransportError;
use crate::driver::exchange::{BodyMode, Outgoing, Purpose, ResponseLimits};
use crate::driver::session_request::SessionRequest;
use crate::driver::time::{self, Now};
use crate::error::Error;
use crate::headers::{ODATA_VERSION, RESERVED, X_AUTH_TOKEN, is_secret_header};
use crate::identity::Identity;
use crate::kind::{ErrorKind, Failure, Phase};
use crate::link::{self, Refused};
use crate::operation::{Answer, Auth, Request, Retry};
use crate::policy::Links;
use crate::reason::{RedirectError, RequestError};
use crate::redact::{Redactor, SafeText};
use crate::service::Service;
use crate::session::Session;
use crate::session::knowing_tokens;
use crate::target::Target;

/// Bounds of the time between two polls when a service says when to come again.
const POLL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How many newer sessions a replay may take after its own was replaced by other calls.
const NEWER: u32 = 3;

/// What the core decides of what came.
#[expect(clippy::large_enum_variant, reason = "a box would cost an allocation for each exchange")]
pub(crate) enum Decision {
    /// The request goes out, once more or to another place.
    Send,
    /// The same after that time.
    Wait(Duration),
    /// A session other than the one that was used is needed.
    Renew,
    /// The operation says what it means.
    Answer(Answer),
    /// There is no answer; the operation says whether that ends it.
    Fail(Error),
}

pub(crate) struct Core {
    service: Arc<Service>,
    identity: Option<Identity>,
    pinned: bool,
    own_secrets: Arc<Redactor>,
    redactor: Arc<Redactor>,
    allowed: Option<Duration>,
    deadline: Option<Now>,
    /// What was sent last, as far as its failure needs it.
    sent: Sent,
    begun: bool,
    stage: Stage,
    /// The 401 for which another session is being asked.
    refused: Option<Box<(response::Parts, Result<Bytes, TransportError>)>>,
    /// What the last answer's `Retry-After` said.
    asked_wait: Option<Duration>,
    /// When the wait that is under way ends.
    pub(crate) wake: Now,
    phase: Phase,
}

struct Sent {
    method: Method,
    target: Target,
    access: Auth,
    retry: Retry,
    purpose: Purpose,
    replayable: bool,
    is_probe: bool,
}

impl Sent {
    /// Whether it may be sent again where it may have been received.
    fn is_repeatable(&self) -> bool {
        let by_rule = match self.retry {
            Retry::SafeMethods => self.method.is_safe(),
            Retry::Always => true,
            Retry::Never => false,
        };
        by_rule && self.replayable && !self.is_probe
    }
}

/// What is counted for one request of an operation; the next begins anew.
#[derive(Default)]
struct Stage {
    moved: Option<(Method, Target)>,
    seen: Vec<(Method, Target)>,
    retries: u32,
    renewed: bool,
    replay: bool,
    /// The replay was answered 401 too, and the authenticator hears of it.
    replayed: bool,
    /// How often a session that was replaced during the replay gave way to a newer one.
    newer: u32,
    /// A check found the session alive that was answered 401.
    session_alive: bool,
}

impl Core {
    pub(crate) fn new(service: Arc<Service>) -> Core {
        Core {
            allowed: service.policy().deadline,
            service,
            identity: None,
            pinned: false,
            own_secrets: Arc::default(),
            redactor: Arc::default(),
            deadline: None,
            sent: Sent {
                method: Method::GET,
                target: Target::well_known("/"),
                access: Auth::None,
                retry: Retry::SafeMethods,
                purpose: Purpose::Read,
                replayable: true,
                is_probe: false,
            },
            begun: false,
            stage: Stage::default(),
            refused: None,
            asked_wait: None,
            wake: Now::default(),
            phase: Phase::Answer,
        }
    }

    pub(crate) fn allow(&mut self, time: Duration) {
        self.allowed = Some(time);
    }

    pub(crate) fn pin(&mut self, identity: Identity) {
        self.redactor = identity.redactor().and(&self.own_secrets);
        self.identity = Some(identity);
        self.pinned = true;
    }

    pub(crate) fn hide(&mut self, secrets: Redactor) {
        self.own_secrets = Arc::new(secrets);
        self.redactor = self.redactor.and(&self.own_secrets);
    }

    /// Sets the deadline, and refuses a pinned session of another service.
    pub(crate) fn begin(&mut self, now: Now) -> Result<(), Error> {
        self.deadline = self.allowed.map(|allowed| now.after(allowed));
        match &self.identity {
            Some(identity) if identity.origin() != self.service.origin() => {
                Err(Error::new(ErrorKind::ForeignSession))
            }
            _ => Ok(()),
        }
    }

    /// The next request of the operation is another one.
    pub(crate) fn next_stage(&mut self) {
        self.stage = Stage::default();
    }

    /// The session that has to be asked for before a request of that access can go.
    pub(crate) fn wants(&self, access: Auth) -> Option<SessionRequest> {
        let missing = access == Auth::Session && self.identity.is_none();
        missing.then(|| SessionRequest { deadline: self.deadline, ..SessionRequest::any() })
    }

    /// The session to ask for after a 401.
    pub(crate) fn wants_other(&self, now: Now) -> SessionRequest {
        SessionRequest {
            rejected: self.identity.clone(),
            deadline: self.deadline,
            refused_at: now,
            is_replay: self.stage.replayed,
        }
    }

    /// Whether the 401 at hand answered a replay, so that no session leads on.
    pub(crate) fn is_replayed(&self) -> bool {
        self.stage.replayed
    }

    /// Takes an identity for this call from now on. `false`: the 401 that asked for one is the answer.
    pub(crate) fn grant(&mut self, identity: Identity) -> Result<bool, Error> {
        if identity.origin() != self.service.origin() {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        let refused = self.refused.is_some();
        if self.stage.replayed {
            // Another call has replaced the session of this replay meanwhile, and perhaps closed it.
            let is_newer = self.identity.as_ref() != Some(&identity) && self.stage.newer < NEWER;
            if !refused || !is_newer {
                return Ok(false);
            }
            self.stage.newer += 1;
            self.stage.replayed = false;
        }
        if refused && self.identity.as_ref() == Some(&identity) {
            self.stage.session_alive = true;
            return Ok(false);
        }
        self.refused = None;
        self.stage.replay = refused;
        self.redactor = identity.redactor().and(&self.own_secrets);
        self.identity = Some(identity);
        Ok(true)
    }

    /// Goes on without another session: the 401 that asked for one is the answer; before that, as nobody.
    pub(crate) fn ungranted(&mut self, now: Now) -> Option<Answer> {
        match self.refused.take() {
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

    /// Makes a request ready to go.
    pub(crate) fn send(&mut self, request: Request, access: Auth, now: Now) -> Result<Outgoing, Error> {
        let Request { mut method, mut target, mut headers, mut body, delivery, mut retry, .. } = request;
        self.begun = true;
        self.sent.method = method.clone();
        self.sent.target = target.clone();
        if let Some(reserved) = headers.keys().find(|name| RESERVED.contains(name)) {
            return Err(Error::new(ErrorKind::ReservedHeader(reserved.clone())));
        }
        // bmcweb answers who takes HTML with a redirect to its login page instead of a 401.
        if headers
            .get(header::ACCEPT)
            .is_some_and(|a| a.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"html")))
        {
            return Err(Error::new(ErrorKind::ReservedHeader(header::ACCEPT)));
        }
        if let Some((moved_method, moved_target)) = &self.stage.moved {
            if *moved_method != method {
                // A 303: what was posted stays behind.
                body = Body::empty();
                headers.remove(header::CONTENT_TYPE);
                headers.remove(header::IF_MATCH);
                retry = Retry::SafeMethods;
            }
            (method, target) = (moved_method.clone(), moved_target.clone());
        }
        let longer = self.service.policy().timeout.max(request.timeout.unwrap_or_default());
        let timeout = request.probe.unwrap_or(longer);
        let timeout = match self.remaining(now) {
            Some(Duration::ZERO) => return Err(Error::new(ErrorKind::Deadline(self.phase))),
            Some(left) => timeout.min(left),
            None => timeout,
        };
        self.phase = Phase::Answer;
        let purpose = request.purpose.unwrap_or_else(|| Purpose::of(&method));
        self.sent = Sent {
            method: method.clone(),
            target: target.clone(),
            // The 401 to a session that the request brought is not the call's to heal.
            access: if request.session.is_some() { Auth::None } else { access },
            retry,
            purpose,
            replayable: body.replayable(),
            is_probe: request.probe.is_some(),
        };

        let own = request.session.as_ref().map(Session::identity);
        let identity = own.or(self.identity.as_ref().filter(|_| access == Auth::Session));
        let uri = self.service.origin().uri(&target);
        self.frame(&mut headers, &method, &body, delivery, identity);
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let limits = ResponseLimits { timeout, limit: self.service.policy().body_limit, delivery };
        Ok(Outgoing { request, limits, purpose, redactor: Arc::clone(&self.redactor) })
    }

    fn frame(
        &self,
        headers: &mut HeaderMap,
        method: &Method,
        body: &Body,
        delivery: BodyMode,
        identity: Option<&Identity>,
    ) {
        let fixed = HeaderValue::from_static;
        headers.insert(header::HOST, self.service.origin().host().clone());
        headers.insert(header::USER_AGENT, self.service.policy().user_agent.clone());
        headers.insert(ODATA_VERSION, fixed("4.0"));
        headers.entry(header::ACCEPT).or_insert(fixed("application/json"));
        // iLO 5 answers 406 to `identity` for some resources; a stream must come through as it is made.
        let encoding = if delivery == BodyMode::Streamed { "identity" } else { "gzip" };
        headers.insert(header::ACCEPT_ENCODING, fixed(encoding));
        let length = body.len();
        if body.payload().is_some() {
            // Whoever refuses an upload can say so before the image is sent.
            headers.insert(header::EXPECT, fixed("100-continue"));
        }
        if length > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some((name, value)) = identity.and_then(Identity::header) {
            headers.insert(name, value.clone());
        }
    }

    /// Judges an answer.
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
        self.asked_wait = time::retry_after(&head.headers);
        let status = head.status;
        if status == StatusCode::UNAUTHORIZED {
            let replayed = self.is_refused_replay();
            if replayed || self.may_renew() {
                self.stage.renewed = true;
                self.stage.replayed = replayed;
                self.refused = Some(Box::new((head, body)));
                return Decision::Renew;
            }
        }
        // A login that is redirected with a token has opened a session, which must not be lost on the way.
        let opened = self.sent.access == Auth::None && head.headers.contains_key(X_AUTH_TOKEN);
        match status.as_u16() {
            301 | 302 | 303 | 307 | 308 if opened && !self.sent.method.is_safe() => {}
            301 | 302 | 303 | 307 | 308 => {
                return match self.redirect(&head) {
                    Ok(()) => Decision::Send,
                    Err((location, reason)) => Decision::Fail(
                        self.stamp(Error::new(ErrorKind::Redirect { location, reason }).with_status(status)),
                    ),
                };
            }
            429 | 503 if self.sent.is_repeatable() => {
                if let Some(wait) = self.asked_wait.filter(|wait| self.may_wait(*wait, now)) {
                    return self.again(wait);
                }
            }
            _ => {}
        }
        let failure = body.as_ref().err().map(TransportError::failure);
        let broken = matches!(failure, Some(Failure::Broken | Failure::TimedOut));
        if status.is_success() && broken && self.sent.method.is_safe() && self.sent.is_repeatable() {
            let wait = self.back_off();
            if self.may_wait(wait, now) {
                return self.again(wait);
            }
        }
        Decision::Answer(self.answer(head, body, now))
    }

    /// Judges an exchange without an answer.
    pub(crate) fn fail(&mut self, error: TransportError, now: Now) -> Decision {
        let failure = error.failure();
        let cause = error.cause(&self.redactor);
        let harmless = self.sent.method.is_safe() || self.sent.retry == Retry::Always;
        if failure == Failure::Unreadable {
            let kind = ErrorKind::InvalidRequest(RequestError::Payload);
            return Decision::Fail(self.stamp(Error::new(kind).with_cause(cause)));
        }
        let again = match failure {
            Failure::NotSent => true,
            Failure::Broken | Failure::TimedOut => self.sent.is_repeatable(),
            _ => false,
        };
        let wait = self.back_off();
        if again && self.may_wait(wait, now) {
            return self.again(wait);
        }
        let kind = if !harmless && !failure.is_unsent() {
            ErrorKind::OutcomeUnknown(failure)
        } else if failure == Failure::TimedOut && self.remaining(now) == Some(Duration::ZERO) {
            ErrorKind::Deadline(Phase::Answer)
        } else if failure == Failure::TooLarge {
            ErrorKind::TooLarge { limit: self.service.policy().body_limit }
        } else {
            ErrorKind::Transport(failure)
        };
        Decision::Fail(self.stamp(Error::new(kind).with_cause(cause)))
    }

    /// How long to wait before the next poll; `None` where the deadline comes first.
    pub(crate) fn poll_after(&mut self, wait: Option<Duration>, now: Now) -> Option<Duration> {
        let (floor, ceiling) = POLL;
        let wait = wait.unwrap_or_else(|| self.asked_wait.unwrap_or(floor).clamp(floor, ceiling));
        self.phase = Phase::Poll;
        self.fits(wait, now).then_some(wait)
    }

    /// Says at which exchange an error happened, and takes secrets out of it.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        let exchange = self.begun.then_some((&self.sent.method, &self.sent.target));
        error.at(self.service.origin()).stamped(exchange, &self.redactor)
    }

    /// An error for an operation, which may add texts to it.
    pub(crate) fn prepared(&self, error: Error) -> Error {
        error.cleaned_by(&self.redactor)
    }

    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    fn answer(&self, head: response::Parts, body: Result<Bytes, TransportError>, now: Now) -> Answer {
        Answer {
            head,
            body,
            method: self.sent.method.clone(),
            at: self.sent.target.clone(),
            replay: self.stage.replay,
            session_alive: self.stage.session_alive,
            now,
            service: Arc::clone(&self.service),
            redactor: Arc::clone(&self.redactor),
        }
    }

    /// Whether a 401 may lead to another session: once for each request, and only where one was used that can
    /// expire. A payload that is spent cannot be sent again.
    fn may_renew(&self) -> bool {
        self.sent.access == Auth::Session
            && !self.pinned
            && !self.stage.renewed
            && self.sent.replayable
            && self.identity.as_ref().is_some_and(Identity::is_session)
    }

    /// Whether a 401 answers the replay with another session: then the former one may be alive, which the authenticator
    /// has to know, once.
    fn is_refused_replay(&self) -> bool {
        self.sent.access == Auth::Session && self.stage.replay && self.stage.renewed && !self.stage.replayed
    }

    /// Follows a redirect, or says where it pointed and why it is not followed.
    ///
    /// Never off the origin, whatever the policy says of links: HTTP libraries keep `X-Auth-Token` when they
    /// follow one to another host.
    fn redirect(&mut self, head: &response::Parts) -> Result<(), (SafeText, RedirectError)> {
        let location = head.headers.get(header::LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let location = String::from_utf8_lossy(location);
        let refuse = |reason| Err((self.redactor.clean(&location), reason));
        if location.trim().is_empty() {
            return Err((SafeText::default(), RedirectError::NoLocation));
        }
        let Sent { method, target: from, replayable, .. } = &self.sent;
        let target = match link::resolve(&location, from, self.service.origin(), Links::SameOrigin) {
            Ok(target) => target,
            Err(Refused::CrossOrigin) => return refuse(RedirectError::CrossOrigin),
            Err(Refused::Malformed(_)) => return refuse(RedirectError::NoLocation),
        };
        let method = match head.status.as_u16() {
            303 if *method != Method::HEAD => Method::GET,
            // Supermicro moves a login to a final slash. Elsewhere it is unclear what a write would do there.
            301 | 302 if !method.is_safe() && !target.same_but_slash(from) => {
                return refuse(RedirectError::MovesWrite);
            }
            _ => method.clone(),
        };
        // What a logout deletes is a session, whatever a service says.
        let is_logout = self.sent.purpose == Purpose::Session && self.sent.method == Method::DELETE;
        if is_logout && !target.same_but_slash(from) {
            return refuse(RedirectError::MovesLogout);
        }
        if !replayable && method == self.sent.method {
            return refuse(RedirectError::PayloadConsumed);
        }
        let seen = self
            .stage
            .seen
            .iter()
            .chain([&(self.sent.method.clone(), from.clone())])
            .any(|(m, t)| *m == method && t.as_str() == target.as_str());
        if seen {
            return refuse(RedirectError::Loop);
        }
        if self.stage.seen.len() as u64 >= u64::from(self.service.policy().redirects) {
            return refuse(RedirectError::LimitExceeded);
        }
        self.stage.seen.push((self.sent.method.clone(), from.clone()));
        self.stage.moved = Some((method, target));
        Ok(())
    }

    fn again(&mut self, wait: Duration) -> Decision {
        self.stage.retries += 1;
        self.phase = Phase::Retry;
        if wait.is_zero() { Decision::Send } else { Decision::Wait(wait) }
    }

    /// Whether another try is left, and that wait before it is allowed.
    fn may_wait(&self, wait: Duration, now: Now) -> bool {
        let policy = self.service.policy();
        let retries = if self.sent.is_probe { policy.retries.min(1) } else { policy.retries };
        self.stage.retries < retries && wait <= policy.longest_wait && self.fits(wait, now)
    }

    /// At once the first time, which heals a stale connection; then half a second, doubled each time.
    fn back_off(&self) -> Duration {
        match self.stage.retries {
            0 => Duration::ZERO,
            n => Duration::from_millis(250).saturating_mul(1 << n.min(7)),
        }
    }

    fn fits(&self, wait: Duration, now: Now) -> bool {
        self.remaining(now).is_none_or(|left| wait < left)
    }

    fn remaining(&self, now: Now) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(now))
    }
}
