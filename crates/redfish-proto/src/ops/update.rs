//! Pushing an image to a service (DSP0266, "Software update"): as multipart or plain, as the service supports.
//!
//! ```text
//!   Find: root ─▶ UpdateService ──▶ Push: UpdateParameters, then the image, then the vendors' parts
//!         renews the session before the image is touched        └──▶ Outcome, often a Monitor
//! ```

mod reservation;
mod simple;

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::body::{Body, Payload};
use crate::driver::exchange::BodyMode;
use crate::error::Error;
use crate::kind::{ErrorKind, Failure};
use crate::link::link_at;
use crate::operation::{Operation, Request, Transition};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::outcome::{Monitor, Outcome};
use crate::reason::{Feature, RequestError};
use crate::redact::Redactor;
use crate::target::Target;

use reservation::Reservation;

pub use simple::SimpleUpdate;

/// The parameter that names the resources to update.
const TARGETS: &str = "Targets";

/// The transfer rate in bytes per second from which the timeout of a push is calculated.
const MIN_BYTES_PER_SECOND: u64 = 64 << 10;

/// Pushes an image, which the driver streams into the request.
///
/// The UpdateService is read first, which finds the URI and renews an expired session before the image is read. An
/// image that cannot be read again is never sent again.
pub struct PushUpdate {
    push: Push,
    chain: Chain<Outcome>,
}

/// What to push.
#[derive(Clone)]
struct Push {
    image: Image,
    boundary: String,
    content_type: HeaderValue,
    parameters: Map<String, Value>,
    extra_parts: Vec<(String, String, Vec<u8>)>,
}

/// An image to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its file name, which Dell's services evaluate.
    pub name: String,
    /// Its length in bytes, and whether it can be read again.
    pub payload: Payload,
}

/// Finds the UpdateService.
fn find_update_service() -> FollowLinks {
    FollowLinks::new("/UpdateService/@odata.id", Missing::NotSupported(Feature::Updates))
}

impl PushUpdate {
    /// Pushes this image. `randomness`, about 16 random bytes, makes the boundary between the parts, so that nothing
    /// in the image can be mistaken for it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] without randomness.
    pub fn new(image: Image, randomness: &[u8]) -> Result<PushUpdate, Error> {
        let invalid = || Error::new(ErrorKind::InvalidRequest(RequestError::Boundary));
        let random: String = randomness.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
        if random.is_empty() {
            return Err(invalid());
        }
        let boundary = format!("redfish-{random}");
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .map_err(|_| invalid())?;
        Ok(PushUpdate::with_push(Push {
            image,
            boundary,
            content_type,
            parameters: Map::new(),
            extra_parts: Vec::new(),
        }))
    }

    /// Updates only these resources, by their URIs. A service that accepts only plain images gets them before the image, as
    /// its `HttpPushUriTargets`, and keeps them. Without this, a push that would meet the targets or the reservation of
    /// another client is refused ([`ErrorKind::PushReserved`]).
    #[must_use]
    pub fn targets<S: Into<String>>(self, targets: impl IntoIterator<Item = S>) -> PushUpdate {
        let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        self.parameter(TARGETS, json!(targets))
    }

    /// Adds a member of `UpdateParameters`, such as `@Redfish.OperationApplyTime`.
    #[must_use]
    pub fn parameter(self, name: impl Into<String>, value: Value) -> PushUpdate {
        let mut push = self.push;
        push.parameters.insert(name.into(), value);
        PushUpdate::with_push(push)
    }

    /// Adds a vendor's part after the image: its name (`Oem…`), its media type and its bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a media type that is not valid in a header.
    pub fn part(
        self,
        name: impl Into<String>,
        media_type: impl Into<String>,
        bytes: Vec<u8>,
    ) -> Result<PushUpdate, Error> {
        let media_type = media_type.into();
        if HeaderValue::from_str(&media_type).is_err() {
            return Err(Error::new(ErrorKind::InvalidRequest(RequestError::MediaType)));
        }
        let mut push = self.push;
        push.extra_parts.push((name.into(), media_type, bytes));
        Ok(PushUpdate::with_push(push))
    }

    /// The time that the timeout of the push allows for the image, by which the deadline of the call may be extended.
    pub fn transfer_time(&self) -> Duration {
        self.push.transfer_time()
    }

    fn with_push(push: Push) -> PushUpdate {
        let sent = push.clone();
        let chain = Chain::new(find_update_service(), |(service, root)| {
            // The list of tasks, for the hint if the response to the push is lost.
            let document: Value = root.json().unwrap_or_default();
            let tasks = link_at(&document, "/Tasks/@odata.id").and_then(|tasks| root.resolve(tasks).ok());
            Chain::next(Exchange(Request::get(&service)), move |received| {
                let (preparation, request) = sent.requests(&received?.success()?)?;
                let replayable = sent.image.payload.replayable;
                let push = move || {
                    Chain::next(Exchange(request), move |received| {
                        Chain::done(push_outcome(received, replayable, tasks.as_ref())?)
                    })
                };
                match preparation {
                    Some(preparation) => Chain::next(Exchange(preparation), move |received| {
                        let answer = received?;
                        match Outcome::read(&answer)? {
                            // Before its end, the image would be applied to other resources.
                            Outcome::Accepted(monitor) => Err(targets_pending(Some(&monitor), &answer)),
                            Outcome::AcceptedWithoutMonitor(_) => Err(targets_pending(None, &answer)),
                            Outcome::Finished(_) => push(),
                        }
                    }),
                    None => push(),
                }
            })
        });
        PushUpdate { push, chain }
    }

    fn register_secrets(&self, known: &mut Redactor) {
        if let Ok(body) = Body::json(&self.push.parameters) {
            body.register_secrets(known);
        }
        self.push.extra_parts.iter().for_each(|(_, _, bytes)| known.add_any(bytes));
    }
}

/// The error of targets that the service sets by a task.
fn targets_pending(monitor: Option<&Monitor>, answer: &Answer) -> Error {
    let hint = match monitor {
        Some(monitor) => format!("Wait for the task at {}, then push again.", monitor.target()),
        None => "Wait until the service shows the targets in HttpPushUriTargets, then push again.".to_owned(),
    };
    let hint = answer.safe(&hint);
    Error::new(ErrorKind::Busy)
        .with_status(answer.status())
        .with_detail("nothing was pushed, because the service sets the targets later, in a task")
        .with_hint(hint)
}

/// The outcome of a push.
fn push_outcome(
    received: Result<Answer, Error>,
    replayable: bool,
    tasks: Option<&Target>,
) -> Result<Outcome, Error> {
    let with_tasks = |error: Error| match (error.kind(), tasks) {
        (ErrorKind::OutcomeUnknown(_), Some(tasks)) => {
            error.with_redacted_hint(&format!("Look for its task at {tasks} before it is sent again."))
        }
        _ => error,
    };
    let answer = received.map_err(with_tasks)?;
    if answer.is_payload_cut() {
        return match Outcome::read(&answer)? {
            // Its task reports what became of it.
            Outcome::Accepted(monitor) => Ok(Outcome::Accepted(monitor)),
            _ => {
                let unknown = Error::new(ErrorKind::OutcomeUnknown(Failure::PayloadCut));
                Err(with_tasks(unknown.with_redactor(&answer.redactor).with_status(answer.status())))
            }
        };
    }
    let reason = match answer.status() {
        _ if replayable || answer.is_payload_unread() => return Outcome::read(&answer),
        StatusCode::UNAUTHORIZED => {
            "the image is not sent with another session, because it cannot be read again"
        }
        StatusCode::EXPECTATION_FAILED => "the image is not sent again, because it cannot be read again",
        _ => return Outcome::read(&answer),
    };
    Err(answer.refusal().with_detail(reason))
}

impl Push {
    /// The request that pushes the image, in the form that the UpdateService supports, and the one that must be sent
    /// before, if any.
    fn requests(&self, answer: &Answer) -> Result<(Option<Request>, Request), Error> {
        let service: Value = answer.json()?;
        let limit = service.get("MaxImageSizeBytes").and_then(Value::as_u64);
        if let Some(limit) = limit.filter(|limit| *limit > 0 && *limit < self.image.payload.length) {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            return Err(Error::new(ErrorKind::ImageTooLarge { limit }));
        }
        let reservation = Reservation::of(&service);
        match (link_at(&service, "/MultipartHttpPushUri"), link_at(&service, "/HttpPushUri")) {
            (Some(multipart), _) => {
                if !self.names_targets() {
                    reservation.refuse_if_busy(answer)?;
                }
                let target = answer.resolve(multipart)?;
                Ok((None, self.push_request(&target, self.multipart(), self.content_type.clone())))
            }
            (None, Some(plain)) => {
                let preparation = self.prepare_plain(&reservation, answer)?;
                let body = Body::around("", self.image.payload, "");
                let content_type = HeaderValue::from_static("application/octet-stream");
                Ok((preparation, self.push_request(&answer.resolve(plain)?, body, content_type)))
            }
            (None, None) => Err(Error::new(ErrorKind::NotSupported(Feature::Push))),
        }
    }

    /// The request that sets the targets of a plain push, which has no parameters of its own.
    fn prepare_plain(
        &self,
        reservation: &Reservation<'_>,
        answer: &Answer,
    ) -> Result<Option<Request>, Error> {
        let mut parameters = self.parameters.iter();
        match (parameters.next(), parameters.next()) {
            _ if !self.extra_parts.is_empty() => {}
            (None, _) => return reservation.refuse_if_used(answer).map(|()| None),
            (Some((name, targets)), None)
                if name == TARGETS && self.names_targets() && reservation.has_targets() =>
            {
                return reservation.set_targets(targets, answer);
            }
            _ => {}
        }
        Err(Error::new(ErrorKind::NotSupported(Feature::PushParameters)))
    }

    /// Whether it names the resources to update. An empty list, which some services require, names none.
    fn names_targets(&self) -> bool {
        let targets = self.parameters.get(TARGETS).and_then(Value::as_array);
        targets.is_some_and(|targets| !targets.is_empty() && targets.iter().all(Value::is_string))
    }

    fn multipart(&self) -> Body {
        let parameters = Value::Object(self.parameters.clone()).to_string();
        let mut before = self.part_head("UpdateParameters", None, "application/json");
        before.push_str(&parameters);
        before.push_str("\r\n");
        before.push_str(&self.part_head("UpdateFile", Some(&self.image.name), "application/octet-stream"));
        let mut after = b"\r\n".to_vec();
        for (name, media_type, bytes) in &self.extra_parts {
            after.extend_from_slice(self.part_head(name, None, media_type).as_bytes());
            after.extend_from_slice(bytes);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        Body::around(before, self.image.payload, after)
    }

    /// The head of a part. Characters that could end a name or the head are percent-encoded, like in browsers.
    fn part_head(&self, name: &str, file: Option<&str>, media_type: &str) -> String {
        let quoted = |text: &str| -> String {
            let encode = |c: char| match c {
                // Some parsers read a backslash as an escape.
                '"' | '\\' | '\0'..='\x1f' | '\x7f' => format!("%{:02X}", u32::from(c)),
                c => c.to_string(),
            };
            text.chars().map(encode).collect()
        };
        let file = file.map(|file| format!("; filename=\"{}\"", quoted(file))).unwrap_or_default();
        format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\nContent-Type: {media_type}\r\n\r\n",
            self.boundary,
            quoted(name)
        )
    }

    fn push_request(&self, target: &Target, body: Body, content_type: HeaderValue) -> Request {
        let time = Duration::from_secs(60).saturating_add(self.transfer_time());
        Request::post(target).body(body).timeout(time).header(CONTENT_TYPE, content_type)
    }

    fn transfer_time(&self) -> Duration {
        Duration::from_secs(self.image.payload.length / MIN_BYTES_PER_SECOND)
    }
}

impl fmt::Debug for PushUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values, and the vendors' parts, may be secret.
        let parameters: Vec<&String> = self.push.parameters.keys().collect();
        write!(f, "PushUpdate({:?} with {parameters:?}, {:?})", self.push.image, self.chain)
    }
}

impl Operation for PushUpdate {
    type Output = Outcome;

    forward_to!(chain, register_secrets);
}

/// Streams a large body: the call ends at the head, and the driver hands the body to the caller.
#[derive(Clone, Debug)]
pub struct Download {
    target: Target,
}

impl Download {
    /// Reads the body at this target.
    pub fn new(target: Target) -> Download {
        Download { target }
    }
}

impl Operation for Download {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.target)
            .body_mode(BodyMode::Streamed)
            .header(ACCEPT, HeaderValue::from_static("*/*"))
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        answer.success()?;
        Ok(Transition::Done(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(replayable: bool) -> PushUpdate {
        let payload = Payload { length: 1 << 30, replayable };
        PushUpdate::new(Image { name: "bios \"a\"\r.bin".into(), payload }, &[0xab; 16]).unwrap()
    }

    #[test]
    fn the_parts_are_in_the_order_of_the_standard() {
        let update = update(true).targets(["/redfish/v1/Systems/1"]);
        let update = update.part("OemAcme", "text/plain", b"x".to_vec()).unwrap();
        let body = update.push.multipart();
        let segments: Vec<_> = body.segments().collect();
        let [
            crate::driver::Segment::Bytes(before),
            crate::driver::Segment::Payload(payload),
            crate::driver::Segment::Bytes(after),
        ] = segments.as_slice()
        else {
            panic!("{segments:?}")
        };
        assert_eq!(payload.length, 1 << 30);
        let boundary = format!("redfish-{}", "ab".repeat(16));
        assert_eq!(
            String::from_utf8_lossy(before),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"UpdateParameters\"\r\n\
                 Content-Type: application/json\r\n\r\n{{\"Targets\":[\"/redfish/v1/Systems/1\"]}}\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"UpdateFile\"; filename=\"bios %22a%22%0D.bin\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
        );
        assert_eq!(
            String::from_utf8_lossy(after),
            format!(
                "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"OemAcme\"\r\n\
                 Content-Type: text/plain\r\n\r\nx\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!(body.len(), (1 << 30) + before.len() as u64 + after.len() as u64);
    }

    #[test]
    fn the_timeout_of_a_push_depends_on_its_size() {
        let media_type = HeaderValue::from_static("application/octet-stream");
        let request =
            update(false).push.push_request(&Target::well_known("/push"), Body::empty(), media_type);
        assert_eq!(request.timeout, Some(Duration::from_secs(60 + (1 << 30) / (64 << 10))));
    }

    #[test]
    fn an_invalid_push_is_refused_before_anything_is_sent() {
        let refused = |result: Result<PushUpdate, Error>| {
            matches!(result.unwrap_err().kind(), ErrorKind::InvalidRequest(_))
        };
        for media_type in ["text/plain\r\nX-Evil: 1", "\0"] {
            assert!(refused(update(true).part("OemAcme", media_type, Vec::new())), "{media_type:?}");
        }
        assert!(refused(PushUpdate::new(update(true).push.image, &[])));
    }
}
