//! Checks whether a service responds: a GET of the service root without credentials.
//!
//! After a request without a response, it distinguishes a URI at which the service fails from a service that is away.

use http::StatusCode;

use crate::answer::Answer;
use crate::error::Error;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::ops::check_session::CHECK_TIMEOUT;
use crate::ops::follow_links::root;

/// Checks whether a service responds. Any status will do.
///
/// One exchange of up to 5 s, retried once and only if it was not sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckService;

impl Operation for CheckService {
    type Output = StatusCode;

    fn request(&self) -> Request {
        Request::get(&root()).probe(CHECK_TIMEOUT)
    }

    fn auth(&self) -> Auth {
        Auth::None
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(answer.status()))
    }
}
