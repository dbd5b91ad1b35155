//! A request as it is sent: its target after redirects, its headers, its limits.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};

use super::{Engine, LastRequest};
use crate::body::Body;
use crate::driver::exchange::{BodyMode, Outgoing, Purpose, ResponseLimits};
use crate::driver::time::Now;
use crate::error::Error;
use crate::headers::{ODATA_VERSION, RESERVED_HEADERS};
use crate::identity::Identity;
use crate::kind::{ErrorKind, Phase};
use crate::operation::{Auth, Request, Retry};
use crate::session::Session;

impl Engine {
    /// Prepares a request for sending.
    pub(in crate::driver) fn prepare(
        &mut self,
        request: Request,
        auth: Auth,
        now: Now,
    ) -> Result<Outgoing, Error> {
        let Request { mut method, mut target, mut headers, mut body, body_mode, mut retry, .. } = request;
        self.has_request = true;
        if request.explains_refusal {
            self.after_write = self.was_after_write;
        }
        self.last_request.method = method.clone();
        self.last_request.target = target.clone();
        if let Some(reserved) = headers.keys().find(|name| RESERVED_HEADERS.contains(name)) {
            return Err(Error::new(ErrorKind::ReservedHeader(reserved.clone())));
        }
        // bmcweb answers a request that accepts HTML with a redirect to its login page instead of a 401.
        if headers
            .get(header::ACCEPT)
            .is_some_and(|a| a.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"html")))
        {
            return Err(Error::new(ErrorKind::ReservedHeader(header::ACCEPT)));
        }
        if let Some((moved_method, moved_target)) = &self.state.redirected {
            if *moved_method != method {
                // A 303: the body is not sent again.
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
        // The service can refuse an upload before the image is sent.
        let expects_continue = body.payload().is_some()
            && self.service.policy().expect_continue
            && !self.state.expectation_failed;
        let purpose = request.purpose.unwrap_or_else(|| Purpose::of(&method));
        // The result of a write (303) is judged by what the write sent.
        let sent = match self.state.redirected {
            Some(_) => std::mem::take(&mut self.last_request.body),
            None => body.clone(),
        };
        self.last_request = LastRequest {
            method: method.clone(),
            target: target.clone(),
            // A 401 for the request's own session does not renew the session of the call.
            auth: if request.session.is_some() { Auth::None } else { auth },
            retry,
            purpose,
            replayable: body.replayable(),
            body: sent,
            expects_continue,
            reads_whole: method.is_safe() && !headers.contains_key(header::RANGE),
            is_probe: request.probe.is_some(),
            retries_at_once: request.retries_at_once,
            accepts_401: request.accepts_401,
            is_preparatory: request.is_preparatory,
            body_mode,
        };

        let own_identity = request.session.as_ref().map(Session::identity);
        let identity = own_identity.or(self.identity.as_ref().filter(|_| auth == Auth::Session));
        let uri = self.service.origin().uri(&target);
        self.set_headers(&mut headers, &method, &body, body_mode, identity);
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let policy = self.service.policy();
        let body_timeout = policy.timeout.min(timeout);
        let limits = ResponseLimits { timeout, body_timeout, limit: policy.body_limit, body_mode };
        let is_probe = self.last_request.is_probe;
        Ok(Outgoing { request, limits, purpose, is_probe, redactor: Arc::clone(&self.redactor) })
    }

    fn set_headers(
        &self,
        headers: &mut HeaderMap,
        method: &Method,
        body: &Body,
        body_mode: BodyMode,
        identity: Option<&Identity>,
    ) {
        let fixed = HeaderValue::from_static;
        headers.insert(header::HOST, self.service.origin().host().clone());
        headers.insert(header::USER_AGENT, self.service.policy().user_agent.clone());
        headers.insert(ODATA_VERSION, fixed("4.0"));
        headers.entry(header::ACCEPT).or_insert(fixed("application/json"));
        // iLO 5 answers 406 to `identity` for some resources. A stream must not be compressed, so that events arrive
        // at once.
        let encoding = if body_mode == BodyMode::Streamed { "identity" } else { "gzip" };
        headers.insert(header::ACCEPT_ENCODING, fixed(encoding));
        let length = body.len();
        if self.last_request.expects_continue {
            headers.insert(header::EXPECT, fixed("100-continue"));
        }
        if length > 0 || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some((name, value)) = identity.and_then(Identity::header) {
            headers.insert(name, value.clone());
        }
    }
}
