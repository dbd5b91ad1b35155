//! How clients coordinate pushes to `HttpPushUri` (DSP0268, UpdateService): `HttpPushUriTargets` are the resources that the
//! next image is applied to, and `HttpPushUriTargetsBusy` says that a client has reserved them. No service enforces that.

use http::header::IF_MATCH;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::body::Body;
use crate::error::Error;
use crate::etag::ETag;
use crate::kind::ErrorKind;
use crate::operation::Request;
use crate::redact::SafeText;

/// The targets of pushed images, and whether a client has reserved them.
pub(super) struct Reservation<'a> {
    /// `None` if the service has no such targets.
    targets: Option<&'a [Value]>,
    is_busy: bool,
}

impl Reservation<'_> {
    /// Reads it from the UpdateService.
    pub(super) fn of(service: &Value) -> Reservation<'_> {
        let targets = service.get("HttpPushUriTargets").map(|targets| match targets {
            Value::Array(targets) => targets.as_slice(),
            Value::Null => &[],
            target => std::slice::from_ref(target),
        });
        // Anything that does not say no: a service that sends another type means something.
        let is_busy = match service.get("HttpPushUriTargetsBusy") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(is_busy)) => *is_busy,
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            Some(Value::String(text)) => {
                !["", "0", "no", "false"].iter().any(|no| text.trim().eq_ignore_ascii_case(no))
            }
            Some(_) => true,
        };
        Reservation { targets, is_busy }
    }

    /// Whether the service has targets of pushed images, which a client may set. What can be reserved can be set.
    pub(super) fn has_targets(&self) -> bool {
        self.targets.is_some() || self.is_busy
    }

    /// Refuses a multipart push, which has its own targets, while another client is using the service.
    pub(super) fn refuse_if_busy(&self, answer: &Answer) -> Result<(), Error> {
        if self.is_busy { Err(self.refusal(answer)) } else { Ok(()) }
    }

    /// Refuses a plain push as well if it would be applied to the targets that another client has left.
    pub(super) fn refuse_if_used(&self, answer: &Answer) -> Result<(), Error> {
        let has_left = self.targets.is_some_and(|targets| !targets.is_empty());
        if has_left { Err(self.refusal(answer)) } else { self.refuse_if_busy(answer) }
    }

    fn refusal(&self, answer: &Answer) -> Error {
        let safe = |target: &Value| match target.as_str() {
            Some(uri) => answer.safe(uri),
            None => answer.safe(&target.to_string()),
        };
        let targets: Vec<SafeText> = self.targets.unwrap_or_default().iter().take(100).map(safe).collect();
        answer.stamp(Error::new(ErrorKind::PushReserved { targets, busy: self.is_busy }))
    }

    /// The request that sets these targets, unless they are set.
    pub(super) fn set_targets(&self, targets: &Value, answer: &Answer) -> Result<Option<Request>, Error> {
        if targets.as_array().map(Vec::as_slice) == self.targets {
            return Ok(None);
        }
        let request =
            Request::patch(answer.target()).json(Body::json(&json!({"HttpPushUriTargets": targets}))?);
        let etag = ETag::of(answer).and_then(|etag| etag.in_form(answer.service.policy().etag_form));
        let request = match etag {
            Some(etag) => request.header(IF_MATCH, etag),
            None => request,
        };
        Ok(Some(request.preparatory()))
    }
}
