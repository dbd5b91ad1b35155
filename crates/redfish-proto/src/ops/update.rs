//! Pushing an image to a service (DSP0266, "Software update"): multipart, or as it is, by what the service offers.
//!
//! ```text
//!   Find: root ─▶ UpdateService ──▶ Push: UpdateParameters, then the image, then what vendors want
//!         renews the session before the image is touched        └──▶ Outcome, often a Monitor
//! ```

mod simple;

use std::fmt;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::body::{Body, Payload};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::write::Outcome;
use crate::redact::Redactor;
use crate::target::Target;

pub use simple::SimpleUpdate;

/// The slowest transfer that a push is given time for, in bytes a second.
const SLOWEST: u64 = 64 << 10;

/// Pushes an image. The driver streams it into the request; it is never in memory as a whole.
///
/// The UpdateService is read first, which finds the URI and renews a session that has died, before the image is
/// touched. An image that cannot be read again is not sent again, whatever is answered.
pub struct PushUpdate {
    image: Image,
    boundary: String,
    parameters: Map<String, Value>,
    extra: Vec<(String, String, Vec<u8>)>,
    /// Where tasks are, as the root says: what to look at when the answer to a push is lost.
    tasks: Option<Target>,
    stage: Stage,
}

/// An image to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its file name, which Dell's services look at.
    pub name: String,
    /// Its length in bytes, and whether it can be read again.
    pub payload: Payload,
}

#[derive(Debug)]
enum Stage {
    Root,
    Service(Target),
    Multipart(Target),
    Plain(Target),
}

impl PushUpdate {
    /// Pushes that image. `randomness` makes the boundary between the parts: some 16 random bytes, so that nothing in
    /// the image can be taken for one.
    pub fn new(image: Image, randomness: &[u8]) -> PushUpdate {
        let random: String = randomness.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
        PushUpdate {
            image,
            boundary: format!("redfish-{random}"),
            parameters: Map::new(),
            extra: Vec::new(),
            tasks: None,
            stage: Stage::Root,
        }
    }

    /// For these resources only, by their URIs.
    #[must_use]
    pub fn targets<S: Into<String>>(mut self, targets: impl IntoIterator<Item = S>) -> PushUpdate {
        let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        self.parameters.insert("Targets".to_owned(), json!(targets));
        self
    }

    /// With a member of `UpdateParameters`, such as `@Redfish.OperationApplyTime`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: Value) -> PushUpdate {
        self.parameters.insert(name.into(), value);
        self
    }

    /// With a part that a vendor wants, behind the image: its name (`Oem…`), its media type and its bytes.
    #[must_use]
    pub fn part(
        mut self,
        name: impl Into<String>,
        media_type: impl Into<String>,
        bytes: Vec<u8>,
    ) -> PushUpdate {
        self.extra.push((name.into(), media_type.into(), bytes));
        self
    }

    fn choose(mut self, answer: &Answer) -> Result<Transition<Self>, Error> {
        let service: Value = answer.json()?;
        let limit = service.get("MaxImageSizeBytes").and_then(Value::as_u64);
        if let Some(limit) = limit.filter(|limit| *limit > 0 && *limit < self.image.payload.length) {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            return Err(Error::new(ErrorKind::ImageTooLarge { limit }));
        }
        let link = |name: &str| service.get(name).and_then(Value::as_str).filter(|link| !link.is_empty());
        self.stage = match (link("MultipartHttpPushUri"), link("HttpPushUri")) {
            (Some(at), _) => Stage::Multipart(answer.resolve(at)?),
            (None, Some(at)) if self.parameters.is_empty() && self.extra.is_empty() => {
                Stage::Plain(answer.resolve(at)?)
            }
            (None, Some(_)) => return Err(Error::new(ErrorKind::NotSupported("a push with parameters"))),
            (None, None) => return Err(Error::new(ErrorKind::NotSupported("a push of images"))),
        };
        Ok(Transition::Next(self))
    }

    fn multipart(&self) -> Body {
        let parameters = Value::Object(self.parameters.clone()).to_string();
        let mut before = self.head("UpdateParameters", None, "application/json");
        before.push_str(&parameters);
        before.push_str("\r\n");
        before.push_str(&self.head("UpdateFile", Some(&self.image.name), "application/octet-stream"));
        let mut after = b"\r\n".to_vec();
        for (name, media_type, bytes) in &self.extra {
            after.extend_from_slice(self.head(name, None, media_type).as_bytes());
            after.extend_from_slice(bytes);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        Body::around(before, self.image.payload, after)
    }

    /// The head of a part. What could end a name or the head is percent-encoded, as browsers do it.
    fn head(&self, name: &str, file: Option<&str>, media_type: &str) -> String {
        let quoted = |text: &str| -> String {
            let encode = |c: char| match c {
                // Some readers take a backslash for an escape.
                '"' | '\\' | '\0'..='\x1f' | '\x7f' => format!("%{:02X}", u32::from(c)),
                c => c.to_string(),
            };
            text.chars().map(encode).collect()
        };
        let file = file.map(|file| format!("; filename=\"{}\"", quoted(file))).unwrap_or_default();
        let media_type: String = media_type.chars().filter(|c| !c.is_control()).collect();
        format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\nContent-Type: {media_type}\r\n\r\n",
            self.boundary,
            quoted(name)
        )
    }

    fn push(&self, at: &Target, body: Body, media_type: &str) -> Request {
        let time = Duration::from_secs(60 + self.image.payload.length / SLOWEST);
        let request = Request::new(Method::POST, at).body(body).timeout(time);
        match HeaderValue::from_str(media_type) {
            Ok(media_type) => request.header(CONTENT_TYPE, media_type),
            Err(_) => request,
        }
    }
}

impl fmt::Debug for PushUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What vendors want may be secret.
        let parameters: Vec<&String> = self.parameters.keys().collect();
        write!(f, "PushUpdate({:?} with {parameters:?}, {:?})", self.image, self.stage)
    }
}

impl Operation for PushUpdate {
    type Output = Outcome;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Root => Request::get(&Target::well_known("/redfish/v1/")),
            Stage::Service(at) => Request::get(at),
            Stage::Multipart(at) => {
                let media_type = format!("multipart/form-data; boundary={}", self.boundary);
                self.push(at, self.multipart(), &media_type)
            }
            Stage::Plain(at) => {
                let body = Body::around("", self.image.payload, "");
                self.push(at, body, "application/octet-stream")
            }
        }
    }

    fn secrets(&self, known: &mut Redactor) {
        if let Ok(body) = Body::json(&self.parameters) {
            body.register_secrets(known);
        }
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match self.stage {
            Stage::Root => {
                let answer = answer.success()?;
                let root: Value = answer.json()?;
                let link = root.pointer("/UpdateService/@odata.id").and_then(Value::as_str);
                let link = link.ok_or_else(|| Error::new(ErrorKind::NotSupported("updates")))?;
                let tasks = root.pointer("/Tasks/@odata.id").and_then(Value::as_str);
                self.tasks = tasks.and_then(|tasks| answer.resolve(tasks).ok());
                self.stage = Stage::Service(answer.resolve(link)?);
                Ok(Transition::Next(self))
            }
            Stage::Service(_) => self.choose(&answer.success()?),
            Stage::Multipart(_) | Stage::Plain(_)
                if answer.status() == StatusCode::UNAUTHORIZED && !self.image.payload.replayable =>
            {
                let reason = "the image is not sent with another session, because it cannot be read again";
                Err(answer.refusal().with_text(reason))
            }
            Stage::Multipart(_) | Stage::Plain(_) => Ok(Transition::Done(Outcome::read(&answer)?)),
        }
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Err(match (error.kind(), self.tasks) {
            (ErrorKind::OutcomeUnknown(_), Some(tasks)) => {
                error.with_advice_on(&format!("Look for its task at {tasks} before it is sent again."))
            }
            _ => error,
        })
    }
}

/// Reads a large body as it comes: the call ends at the head, and the driver hands the body to the caller.
#[derive(Clone, Debug)]
pub struct Download {
    at: Target,
}

impl Download {
    /// Reads what is there.
    pub fn new(at: Target) -> Download {
        Download { at }
    }
}

impl Operation for Download {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.at)
            .delivery(crate::driver::exchange::BodyMode::Streamed)
            .header(http::header::ACCEPT, HeaderValue::from_static("*/*"))
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
        PushUpdate::new(Image { name: "bios \"a\"\r.bin".into(), payload }, &[0xab; 16])
    }

    #[test]
    fn the_parts_stand_in_the_standards_order() {
        let update =
            update(true).targets(["/redfish/v1/Systems/1"]).part("OemAcme", "text/plain", b"x".to_vec());
        let body = update.multipart();
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
    fn a_push_has_time_by_its_size() {
        let at = Target::well_known("/push");
        let request = update(false).push(&at, Body::empty(), "application/octet-stream");
        assert_eq!(request.timeout, Some(Duration::from_secs(60 + (1 << 30) / (64 << 10))));
    }
}
