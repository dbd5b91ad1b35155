//! Which redirects are followed, and to where.

use http::header::{self, HeaderValue};
use http::{Method, StatusCode, response};

use super::{Engine, LastRequest};
use crate::driver::exchange::Purpose;
use crate::link::{self, LinkError};
use crate::policy::Links;
use crate::reason::RedirectError;
use crate::redact::SafeText;
use crate::target::Target;

impl Engine {
    /// Follows a redirect, or returns its `Location` and why it is not followed.
    ///
    /// Never leaves the origin, whatever the policy for links: HTTP libraries keep `X-Auth-Token` when they follow a
    /// redirect to another host.
    pub(super) fn redirect(&mut self, head: &response::Parts) -> Result<(), (SafeText, RedirectError)> {
        // A 303 is the response to a request that was carried out; its result is elsewhere (RFC 9110, 15.4.4).
        self.after_write |=
            head.status == StatusCode::SEE_OTHER && self.last_request.purpose == Purpose::Write;
        let location = head.headers.get(header::LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let location = String::from_utf8_lossy(location);
        let refuse = |reason| Err((self.redactor.clean(&location), reason));
        if location.trim().is_empty() {
            return Err((SafeText::default(), RedirectError::NoLocation));
        }
        let LastRequest { method, target: from, replayable, .. } = &self.last_request;
        let target = match link::resolve(&location, from, self.service.origin(), Links::SameOrigin) {
            Ok(target) => target,
            Err(LinkError::CrossOrigin) => return refuse(RedirectError::CrossOrigin),
            Err(LinkError::Malformed(_)) => return refuse(RedirectError::NoLocation),
        };
        let method = match head.status.as_u16() {
            303 if *method != Method::HEAD => Method::GET,
            // Supermicro redirects a login to the same path with a final slash. For any other write it is unclear
            // what it would do at the new target.
            301 | 302 if !method.is_safe() && !target.is_same_except_slash(from) => {
                return refuse(RedirectError::MovesWrite);
            }
            _ => method.clone(),
        };
        // A logout deletes only its own session, wherever it is redirected.
        let is_logout =
            self.last_request.purpose == Purpose::Session && self.last_request.method == Method::DELETE;
        if is_logout && !target.is_same_except_slash(from) {
            return refuse(RedirectError::MovesLogout);
        }
        if !replayable && method == self.last_request.method {
            return refuse(RedirectError::PayloadConsumed);
        }
        let exchange = (self.last_request.method.clone(), from.clone());
        let is_target = |(m, t): &(Method, Target)| *m == method && t.as_str() == target.as_str();
        if self.state.visited.iter().chain([&exchange]).any(is_target) {
            return refuse(RedirectError::Loop);
        }
        if self.state.visited.len() as u64 >= u64::from(self.service.policy().redirects) {
            return refuse(RedirectError::LimitExceeded);
        }
        self.state.visited.push(exchange);
        self.state.redirected = Some((method, target));
        Ok(())
    }
}
